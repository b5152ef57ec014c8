"""Photos of all kinds and stars that aesth rated, for the programs that must show them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from aesth.metadata import MetadataSession, NewRating, RatingState
from aesth.metadata.sidecars import SidecarStyle
from aesth.undo import find_undoable, undo
from support.metadata import DATE, make_photo, rate_by_hand
from support.photos import dng, encode, scene

EMBEDDED = ("jpg", "png", "tif", "webp", "avif")
"""Kinds in which exiv2 0.27, the library of digiKam 7.9 and darktable 4.2, finds all that we embed."""

STARS = (-1, 1, 2, 3, 4, 5)


@dataclass(frozen=True)
class Rated:
    """A folder of photos, and the stars that each must show: names -> -1 rejected, 0-5."""

    folder: Path
    stars: Mapping[str, int]


def make_rated(folder: Path, data: Path | None) -> Rated:
    """Photos with stars in them and in sidecars of both styles; some were taken back. No two look alike.

    Args:
        folder: an empty folder.
        data: the folder of real data, if there is one: a photo of a camera in HEIC comes from there.
    """
    with MetadataSession() as session:
        stars = dict(_rated(session, folder))
        if data is not None and (camera := data / "camera_files/heif/heif_other/arrow.heic").exists():
            photo = Path(shutil.copyfile(camera, folder / "camera.heic"))
            assert session.write(photo, new(4)) == [photo]
            stars[photo.name] = 4
        stars |= _undone(session, folder)
    with MetadataSession(style=SidecarStyle.ADOBE) as session:
        for number, given in enumerate(STARS):
            photo = make_raw(folder / f"adobe{given}.dng", number)
            assert session.write(photo, new(given)) == [photo.with_suffix(".xmp")]
            stars[photo.name] = given
    return Rated(folder, stars)


def new(stars: int) -> NewRating:
    return NewRating(stars, 61.8, "base-int8 0123abcd", DATE)


def make_raw(path: Path, number: int) -> Path:
    """A RAW file that differs from those of other numbers."""
    upright = scene(96, 128)
    upright[:16, :16] = number
    path.write_bytes(dng(upright, preview=encode(upright)))
    return path


def state(session: MetadataSession, photo: Path) -> RatingState:
    """What aesth reads."""
    found = next(session.read([photo]))
    assert isinstance(found, RatingState), found
    return found


def _rated(session: MetadataSession, folder: Path) -> Iterator[tuple[str, int]]:
    for kind in EMBEDDED:
        yield make_photo(folder / f"unrated.{kind}", 95).name, 0
        for given in STARS:
            photo = make_photo(folder / f"embedded{given}.{kind}", 40 + 8 * given)
            assert session.write(photo, new(given)) == [photo]
            yield photo.name, given
    for number, given in enumerate(STARS):
        photos = [make_photo(folder / f"sidecar{given}.{kind}", 41 + 8 * given) for kind in ("jpg", "gif", "heic")]
        for photo in (*photos, make_raw(folder / f"raw{given}.dng", 10 + number)):
            assert session.write(photo, new(given), sidecar=True) == [photo.with_name(f"{photo.name}.xmp")]
            yield photo.name, given


def _undone(session: MetadataSession, folder: Path) -> dict[str, int]:
    """A photo that a person rated, and one that nobody did, after a run that is taken back."""
    by_person, by_nobody = make_photo(folder / "undone2.jpg", 33), make_photo(folder / "undone0.png", 34)
    raw = make_raw(folder / "undone0.dng", 20)
    rate_by_hand(by_person, "-XMP-xmp:Rating=2")
    session.begin_run()
    for photo in (by_person, by_nobody, raw):
        session.write(photo, new(5))
    assert all(outcome.error is None for outcome in undo(session, find_undoable(session)))
    return {by_person.name: 2, by_nobody.name: 0, raw.name: 0}
