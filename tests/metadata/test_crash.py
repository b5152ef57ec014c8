"""A run that is killed at any moment leaves every file whole, and nothing behind after the next run."""

import os
import subprocess
import sys
from pathlib import Path

from aesth.metadata import MetadataSession, RatingState
from support.desktop import wait_until
from support.metadata import DARKTABLE, NEW, make_rich_photos

TESTS = Path(__file__).parent.parent
MOMENTS = 10


def contents(folder: Path) -> dict[str, bytes]:
    """The files that a person has there, by their names."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".aesth-")}


def test_a_run_that_is_killed_leaves_every_file_whole(tmp_path: Path) -> None:
    photos, seen = tmp_path / "photos", tmp_path / "seen"
    photos.mkdir()
    written = make_rich_photos(*(photos / name for name in ("0.jpg", "1.png", "2.jpg")))
    written += [photos / "3.CR2", photos / "4.CR2"]
    for raw in written[3:]:
        raw.write_bytes(b"II*\0")
    for photo in written[2:4]:
        photo.with_name(f"{photo.name}.xmp").write_text(DARKTABLE.format(rating=2))
    command = [sys.executable, "-m", "support.killing", photos, seen, str(MOMENTS)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)])}
    subprocess.run(command, env=environment, check=True, timeout=300)

    old, new = contents(seen / "old"), contents(seen / "new")
    assert new.keys() - old.keys() == {"4.CR2.xmp"}
    assert {name for name in old if old[name] != new[name]} == {"0.jpg", "1.png", "2.jpg", "2.jpg.xmp", "3.CR2.xmp"}
    moments = [path for path in seen.iterdir() if path.name not in ("old", "new")]
    assert len(moments) == MOMENTS
    for moment in moments:
        found = contents(moment)
        for name in found.keys() | old.keys():
            assert found[name] in (old.get(name), new[name]), (moment.name, name)
        for photo in written[: int(moment.name.partition("-")[2])]:
            sidecar = f"{photo.name}.xmp"
            assert (found[photo.name], found.get(sidecar)) == (new[photo.name], new.get(sidecar)), moment.name

    def start_once_more() -> bool:
        """An ExifTool that was left alone may have been about to write for a moment more."""
        with MetadataSession() as session:
            session.tidy(photos)
            for photo in written:
                session.write(photo, NEW)
            assert all(isinstance(state, RatingState) and state.rating == 4 for state in session.read(written))
        return {path.name for path in photos.iterdir()} == new.keys()

    wait_until(start_once_more, "the end of all litter")
