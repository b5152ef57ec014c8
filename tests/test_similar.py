"""Which pictures are one picture: copies are, in every way that they are made; others are not, nor are two moments."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from aesth import Scorer
from aesth.apps import similar
from aesth.apps.similar import groups_of, same_pictures, thumbnail
from aesth.decode import count_pixels
from aesth.matching import Matched, find_similar
from aesth.metadata import MetadataSession
from aesth.tagging import Action
from support.bursts import taken
from support.photos import dng, landscape

CHANGES = {
    "smaller": lambda image: image.resize((80, 60)),
    "another shape": lambda image: image.resize((320, 180)),
    "darker": lambda image: image.point(lambda value: value * 0.6),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "cropped": lambda image: image.crop((20, 0, 310, 225)),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "turned back": lambda image: image.transpose(Image.Transpose.ROTATE_270),
    "upside down": lambda image: image.transpose(Image.Transpose.ROTATE_180),
}

NEAR = np.ones((2, 4), np.float32)


def thumbnails(*images: Image.Image) -> NDArray[np.uint8]:
    return np.stack([thumbnail(np.asarray(image)) for image in images])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seed", range(3))
def test_a_copy_is_the_same_picture_and_another_is_not(change: str, seed: int) -> None:
    copy = CHANGES[change](landscape(seed))
    assert list(same_pictures(thumbnails(landscape(seed), copy), NEAR)) == [(0, 1)]
    assert list(same_pictures(thumbnails(copy, landscape(seed)), NEAR)) == [(0, 1)]
    assert list(same_pictures(thumbnails(landscape(seed + 1), copy), NEAR)) == []


def test_what_shows_nothing_is_like_nothing() -> None:
    """Walls, skies and lens caps, plain or a little darker on one side."""
    shade = Image.linear_gradient("L").point(lambda value: 200 + value // 64).convert("RGB")
    plain = [Image.new("RGB", (64, 64), grey) for grey in ("white", "black")]
    assert list(same_pictures(thumbnails(*plain, shade, shade), np.ones((4, 4), np.float32))) == []


def test_only_pictures_that_are_near_are_one_where_they_fit_less() -> None:
    """A field under another sky fits as well as many a crop."""
    field, sky = landscape(1), landscape(1)
    sky.paste(landscape(2).crop((0, 0, 320, 60)), (0, 0))
    both = thumbnails(field, Image.blend(field, sky, 0.33))
    fit = similar.best_fit(both[:1].astype(np.float32), both[1:].astype(np.float32))[0]
    assert similar.SAME_PICTURE_IF_NEAR < fit < similar.SAME_PICTURE
    assert list(same_pictures(both, NEAR)) == [(0, 1)]
    assert list(same_pictures(both, np.eye(2, 4, dtype=np.float32))) == []


def test_blocks_find_what_all_pairs_at_once_do(monkeypatch: pytest.MonkeyPatch) -> None:
    images = [change(landscape(seed)) for seed in range(2) for change in CHANGES.values()]
    points = np.ones((len(images), 4), np.float16)
    at_once = set(same_pictures(thumbnails(*images), points))
    monkeypatch.setattr(similar, "_ROWS", 5)
    monkeypatch.setattr(similar, "_PAIRS", 3)
    found = list(same_pictures(thumbnails(*images), points))
    assert set(found) == at_once
    assert len(found) == len(at_once) >= 2 * 15


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)).filter(lambda pair: pair[0] != pair[1])))
def test_groups_are_what_hangs_together(pairs: list[tuple[int, int]]) -> None:
    """As sets that are merged as long as two of them meet."""
    sets = [set(pair) for pair in pairs]
    while meeting := next(((a, b) for a, b in combinations(sets, 2) if a & b), None):
        sets.remove(meeting[0])
        sets[sets.index(meeting[1])] |= meeting[0]
    assert groups_of(pairs) == sorted(map(sorted, sets))


@pytest.fixture(scope="module")
def find(brightness: Path, tmp_path_factory: pytest.TempPathFactory):
    journal = tmp_path_factory.mktemp("journal") / "journal.sqlite"
    with MetadataSession(journal=journal) as session, Scorer(str(brightness), jobs=1, threads=1) as scorer:

        def find(*photos: Path) -> list[Matched]:
            return list(find_similar(photos, scorer, session))

        yield find


def told(found: list[Matched]) -> list[tuple[str, int | None, bool | None]]:
    return [(photo.path.name, photo.group, photo.keep) for photo in found]


def test_of_each_picture_the_best_of_the_large_ones_comes_first(tmp_path: Path, find) -> None:
    light, dark = landscape(1), CHANGES["darker"](landscape(1))
    photos = [tmp_path / name for name in ("dark.jpg", "other.jpg", "light-small.png", "light.jpg", "gone.jpg")]
    for path, image in zip(photos, (dark, landscape(2), light.resize((80, 60)), light), strict=False):
        image.save(path)
    found = find(*photos)
    assert told(found) == [
        ("light.jpg", 1, True),
        ("dark.jpg", 1, False),
        ("light-small.png", 1, False),
        ("other.jpg", None, None),
        ("gone.jpg", None, None),
    ]
    assert [photo.action for photo in found] == [Action.SCORED] * 4 + [Action.FAILED]


def test_a_raw_and_its_jpeg_are_one_photo_with_the_pixels_of_the_raw(tmp_path: Path, find) -> None:
    image = landscape(1)
    image.resize((160, 120)).save(tmp_path / "a.jpg")
    (tmp_path / "a.dng").write_bytes(dng(np.asarray(image)))
    image.resize((200, 150)).save(tmp_path / "small.png")
    assert count_pixels(tmp_path / "a.dng") == 320 * 240
    found = find(tmp_path / "small.png", tmp_path / "a.dng", tmp_path / "a.jpg")
    assert told(found) == [("a.dng", 1, True), ("a.jpg", 1, True), ("small.png", 1, False)]
    assert told(find(tmp_path / "a.dng", tmp_path / "a.jpg")) == [("a.dng", None, None), ("a.jpg", None, None)]


@pytest.mark.parametrize(
    ("times", "groups"), [((0, 1), 0), ((0, 0.4), 1), ((0.1, 0.4), 0), ((0.1, 0), 1), ((0, None), 1), ((0.3, 0.3), 1)]
)
def test_shots_of_two_moments_are_two_pictures(
    tmp_path: Path, find, times: tuple[float | None, ...], groups: int
) -> None:
    """Fractions of a second count where both tell them, as a program that edits may drop them."""
    photos = [taken(tmp_path / f"{number}.jpg", time, picture=landscape(1)) for number, time in enumerate(times)]
    assert len({photo.group for photo in find(*photos)} - {None}) == groups
