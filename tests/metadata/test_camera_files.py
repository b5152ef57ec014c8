"""Real files of real cameras: each gets its rating with all else unchanged, or a sidecar, or a clear refusal."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from aesth.errors import MetadataError
from aesth.metadata import MetadataSession, RatingState
from support.metadata import NEW, differences, frames, tags_below


@pytest.fixture(scope="module")
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as opened:
        yield opened


def pixels(path: Path) -> list[np.ndarray] | None:
    """The decoded frames, or None where Pillow cannot decode the file, as many of these are cut off."""
    try:
        return frames(path)
    except (OSError, ValueError, SyntaxError, RuntimeError, EOFError):
        return None


def same_pixels(before: list[np.ndarray] | None, after: list[np.ndarray] | None) -> bool:
    if before is None or after is None:
        return before is after
    return len(before) == len(after) and all(map(np.array_equal, before, after))


def test_every_file(session: MetadataSession, data: Path, tmp_path: Path) -> None:
    originals = sorted(path for path in (data / "camera_files").rglob("*") if path.is_file())
    photos = [copied(original, tmp_path / str(number)) for number, original in enumerate(originals)]
    outcomes = {photo: write(session, photo) for photo in photos}
    count = Counter(outcomes.values())
    assert count["embedded"] >= 85
    assert count["sidecar"] >= 150
    rated = [photo for photo, outcome in outcomes.items() if outcome != "refused"]
    for photo, state in zip(rated, session.read(rated), strict=True):
        assert isinstance(state, RatingState), (photo.name, state)
        assert (state.rating, state.our_rating) == (4, 4), photo.name
    embedded = [photo for photo, outcome in outcomes.items() if outcome == "embedded"]
    found = tags_below(*(photo.parent for photo in embedded))
    for photo in embedded:
        original = original_of(photo)
        assert differences(found[original], found[photo]) == set(), photo.name
        assert same_pixels(pixels(original), pixels(photo)), photo.name


def copied(original: Path, folder: Path) -> Path:
    folder.mkdir()
    photo = folder / original.name
    shutil.copyfile(original, photo)
    return photo


def original_of(photo: Path) -> Path:
    """Where the content is kept that a photo had before a rating was embedded."""
    return photo.with_name(f"original{photo.suffix}")


def write(session: MetadataSession, photo: Path) -> str:
    before = photo.read_bytes()
    try:
        (written,) = session.write(photo, NEW)
    except MetadataError:
        assert photo.suffix == ".xmp"
        assert photo.read_bytes() == before
        return "refused"
    if written == photo:
        assert {entry.name for entry in photo.parent.iterdir()} == {photo.name}
        original_of(photo).write_bytes(before)
        return "embedded"
    assert photo.read_bytes() == before, photo.name
    assert {entry.name for entry in photo.parent.iterdir()} == {photo.name, written.name}
    return "sidecar"
