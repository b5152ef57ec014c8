"""An AVIF is decoded by its own thumbnail where that is large enough and shows the same; damage makes none."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth.decode import load
from aesth.decode.avif import thumbnails
from aesth.errors import DecodeError
from support.avif import with_thumbnails
from support.camera import profile
from support.photos import as_stored, corners, encode, exif_of, scene

LARGE, SMALL = (480, 640), (120, 160)
WANTED = (64, 64)
AS_THUMBNAIL, WHOLE = (120, 160, 3), (69, 92, 3)
"""Of 640 x 480 pixels the picture keeps a seventh when 64 x 64 are wanted, the thumbnail of 160 x 120 all."""


def avif(size: tuple[int, int] = LARGE, orientation: int = 1, **options: object) -> bytes:
    stored = as_stored(scene(*size), orientation)
    turn = {"exif": exif_of(orientation)} if orientation > 1 else {}
    return encode(stored, "AVIF", speed=10, **turn, **options)


TINY = with_thumbnails(avif((8, 16)), [avif((4, 8))])


def shape(folder: Path, content: bytes, *, previews: bool = True) -> tuple[int, ...]:
    path = folder / "photo.avif"
    path.write_bytes(content)
    return load(path, at_least=WANTED, previews=previews).shape


@pytest.mark.parametrize("wide", [False, True], ids=["narrow numbers", "wide numbers"])
def test_a_thumbnail_stands_in_for_its_picture(tmp_path: Path, wide: bool) -> None:
    content = with_thumbnails(avif(), [avif(SMALL)], wide=wide)
    assert shape(tmp_path, content) == AS_THUMBNAIL
    pixels = load(tmp_path / "photo.avif", at_least=WANTED, previews=True)
    assert np.abs(corners(pixels).astype(int) - corners(scene())).max() < 8


def test_only_who_asks_gets_a_thumbnail_and_never_in_place_of_every_pixel(tmp_path: Path) -> None:
    content = with_thumbnails(avif(), [avif(SMALL)])
    assert shape(tmp_path, content, previews=False) == WHOLE
    assert load(tmp_path / "photo.avif", previews=True).shape == (*LARGE, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_thumbnail_is_turned_as_its_picture(tmp_path: Path, orientation: int) -> None:
    content = with_thumbnails(avif(orientation=orientation), [avif(SMALL, orientation)])
    assert shape(tmp_path, content) == AS_THUMBNAIL
    pixels = load(tmp_path / "photo.avif", at_least=WANTED, previews=True)
    assert np.abs(corners(pixels).astype(int) - corners(scene())).max() < 8


OTHERS: dict[str, Callable[[], bytes]] = {
    "turned another way": lambda: avif(SMALL, 3),
    "of other colours": lambda: avif(SMALL, icc_profile=profile()),
    "of another shape": lambda: avif((120, 150)),
    "too small": lambda: avif((93, 124)),
    "hardly smaller": lambda: avif((246, 328)),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_thumbnail_that_shows_something_else_is_passed_over(tmp_path: Path, other: str) -> None:
    assert shape(tmp_path, with_thumbnails(avif(), [OTHERS[other]()])) == WHOLE


def test_a_thumbnail_is_of_the_picture_and_of_no_other_item(tmp_path: Path) -> None:
    assert shape(tmp_path, with_thumbnails(avif(), [avif(SMALL)], of=2)) == WHOLE
    assert shape(tmp_path, avif()) == WHOLE
    assert thumbnails(avif()) == []


def test_the_smallest_that_is_large_enough_is_taken_and_the_next_where_it_is_damaged(tmp_path: Path) -> None:
    fine, coarse, fair = avif((180, 240)), avif((48, 64)), avif(SMALL)
    content = with_thumbnails(avif(), [fine, coarse, fair])
    assert shape(tmp_path, content) == AS_THUMBNAIL
    assert shape(tmp_path, content[:-400] + bytes(400)) == (90, 120, 3)


def test_few_of_many_are_looked_at() -> None:
    assert len(thumbnails(with_thumbnails(avif(), [avif((48, 64))] * 9))) == 4


def test_a_copy_differs_in_what_is_the_picture_and_in_nothing_that_it_shows() -> None:
    content = with_thumbnails(avif(), [avif(SMALL)])
    (copy,) = thumbnails(content)
    changed = {at for at, (one, other) in enumerate(zip(content, copy, strict=True)) if one != other}
    table, reference = content.index(b"pitm") + 8, content.index(b"thmb")
    assert changed <= {*range(table, table + 2), *range(reference, reference + 4)}


@given(place=st.floats(0, 1, exclude_max=True), piece=st.binary(min_size=1, max_size=4), cut=st.booleans())
@settings(max_examples=60, deadline=None)
def test_damage_to_the_tables_makes_a_picture_or_our_own_error(
    tmp_path_factory: pytest.TempPathFactory, place: float, piece: bytes, cut: bool
) -> None:
    content = with_thumbnails(avif((96, 128)), [avif((24, 32))])
    at = 8 + int(place * (content.index(b"mdat") - 8))
    path = tmp_path_factory.getbasetemp() / "damaged.avif"
    path.write_bytes(content[:at] if cut else content[:at] + piece + content[at + len(piece) :])
    with warnings.catch_warnings(), suppress(DecodeError):
        warnings.simplefilter("ignore")
        assert load(path, at_least=(16, 16), previews=True).shape[2] == 3


@given(place=st.floats(0, 1, exclude_max=True), piece=st.binary(min_size=1, max_size=8))
@settings(max_examples=300, deadline=None)
def test_damaged_tables_make_whole_copies_or_none(place: float, piece: bytes) -> None:
    at = int(place * (TINY.index(b"mdat")))
    damaged = TINY[:at] + piece + TINY[at + len(piece) :]
    assert all(len(copy) == len(damaged) for copy in thumbnails(damaged))
    assert all(len(copy) == at for copy in thumbnails(TINY[:at]))


def test_tables_that_lie_are_no_tables() -> None:
    """A property that is not there, more references than their box holds, a box beyond the file, two pictures."""
    assert len(thumbnails(TINY)) == 1
    ipma = TINY.index(b"ipma")
    assert thumbnails(TINY[: ipma + 15] + b"\x7f" + TINY[ipma + 16 :]) == []
    count = TINY.index(b"thmb") + 6
    assert thumbnails(TINY[:count] + b"\0\2" + TINY[count + 2 :]) == []
    meta = TINY.index(b"meta")
    assert thumbnails(TINY[: meta - 4] + b"\x7f\xff\xff\xff" + TINY[meta:]) == []
    assert thumbnails(TINY.replace(b"hdlr", b"pitm", 1)) == []
    assert thumbnails(TINY + TINY[meta - 4 : TINY.index(b"mdat") - 4]) == []
    assert thumbnails(b"") == []
