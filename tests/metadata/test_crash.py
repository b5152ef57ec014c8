"""A run that is killed at any moment leaves every photo whole, and nothing behind after the next run."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from aesth.metadata import MetadataSession, RatingState
from support.metadata import NEW, differences, make_rich_photos, tags_below

RUN = """
import sys
from pathlib import Path
from support.metadata import NEW
from aesth.metadata import MetadataSession
with MetadataSession() as session:
    print("ready", flush=True)
    while True:
        for name in sys.argv[1:]:
            session.write(Path(name), NEW)
"""


def kill_a_run(photos: list[Path], after: float, how: signal.Signals) -> None:
    command = [sys.executable, "-c", RUN, *map(str, photos)]
    tests = Path(__file__).parent.parent
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment(tests))
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(after)
    process.send_signal(how)
    process.wait(30)
    process.stdout.close()


def environment(tests: Path) -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), *filter(None, sys.path)])}


def test_a_run_that_is_killed_leaves_every_photo_whole(tmp_path: Path) -> None:
    photos = make_rich_photos(tmp_path / "0.jpg", tmp_path / "1.jpg")
    photos.append(tmp_path / "raw.CR2")
    photos[-1].write_bytes(b"II*\0")
    before = tags_below(tmp_path)
    assert set(before) == set(photos)
    draw = random.Random(0)
    for how in [signal.SIGKILL] * 3 + [signal.SIGTERM]:
        kill_a_run(photos, draw.uniform(0, 0.3), how)
        now = tags_below(tmp_path)
        for photo, old in before.items():
            assert differences(old, now[photo]) == set()
    with MetadataSession() as session:
        for photo in photos:
            session.write(photo, NEW)
        assert all(isinstance(state, RatingState) and state.rating == 4 for state in session.read(photos))
    assert {entry.name for entry in tmp_path.iterdir()} == {"0.jpg", "1.jpg", "raw.CR2", "raw.CR2.xmp"}
