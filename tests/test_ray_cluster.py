"""Ray itself, on this machine with two workers: nothing is lost, nothing is there twice, nobody else can reach it."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from PIL import Image

from aesth.ray import BatchScorer, Cluster
from aesth.ray.running import connected
from aesth.scorer import Scorer
from support.cli import aesth_in_process, grey_photo
from support.ray import listening_to_others, rows_in

# Not imported here: a run that starts Ray loads it itself, to keep it from the network.
pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra `cluster`"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
]


@pytest.fixture(scope="module")
def machine() -> Iterator[None]:
    """Ray, as a run starts it; it takes seconds."""
    with connected(Cluster(workers=2)):
        yield


class Killer(Thread):
    """Kills the first worker that has begun a part in a folder, and tells which part that was."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder = folder
        self.part: str | None = None

    def run(self) -> None:
        while self.part is None:
            time.sleep(0.005)
            for note in self.folder.glob(".*.begun"):
                with suppress(ValueError, FileNotFoundError):  # half-written, or done already
                    worker = json.loads(note.read_text())["worker"]
                    part = note.name[1:].removesuffix(".begun")
                    if not (self.folder / part).exists():
                        os.kill(int(worker.rpartition(":")[2]), signal.SIGKILL)
                        self.part = part
                        return


@pytest.mark.usefixtures("machine")
def test_nothing_is_lost_and_nothing_twice_where_a_worker_is_killed(tmp_path: Path, brightness: Path) -> None:
    photos = [tmp_path / "photos" / f"{index:03}.jpg" for index in range(30)]
    photos[0].parent.mkdir()
    Image.new("L", (3000, 2000), 128).save(photos[0], quality=95)
    for photo in photos[1:]:
        os.link(photos[0], photo)
    grey_photo(photos[20].with_suffix(".png"), 90)
    (tmp_path / "photos" / "bad.jpg").write_bytes(b"x")
    out = tmp_path / "scores.parquet"
    killer = Killer(out)
    killer.start()
    command = ["score", "--engine", "ray", "--workers", "2", "--model", brightness, "--out", out, tmp_path / "photos"]
    done = aesth_in_process(*command)
    assert killer.part, "a worker was killed in the middle of a part"
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.splitlines()[-1].startswith(b"32 photos: 31 scored, 1 failed in ")
    wanted = sorted((tmp_path / "photos").iterdir())
    rows = sorted(rows_in(out), key=lambda row: str(row["path"]))
    assert [row["path"] for row in rows] == list(map(str, wanted))
    with Scorer(str(brightness)) as scorer:
        for row, scored in zip(rows, scorer.score(wanted), strict=True):
            assert (row["score"], row["rating"], row["norm"]) == (scored.score, scored.rating, scored.norm)
            assert (row["error"] is None) == (scored.error is None)
            if scored.embedding is not None:
                assert np.array_equal(row["embedding"], scored.embedding)
    assert not list(out.glob(".*")), "notes are gone"


@pytest.mark.usefixtures("machine")
def test_batches_of_any_data_set_of_ray_are_scored(tmp_path: Path, brightness: Path) -> None:
    import ray

    photos = [str(grey_photo(tmp_path / f"{percent}.jpg", percent)) for percent in (10, 50, 90)]
    rows = ray.data.from_items(
        [{"path": photo, "id": index} for index, photo in enumerate(photos)], override_num_blocks=1
    )
    scored = rows.map_batches(
        BatchScorer,
        fn_constructor_kwargs={"model": str(brightness)},
        compute=ray.data.ActorPoolStrategy(size=1),
        num_cpus=1,
        batch_size=2,
    )
    written = sorted(scored.take_all(), key=lambda row: int(row["id"]))
    assert [row["path"] for row in written] == photos
    assert [row["score"] for row in written] == pytest.approx([10, 50, 90], abs=1)
    assert {len(row["embedding"]) for row in written} == {1000}


@pytest.mark.usefixtures("machine")
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_ray_listens_to_this_machine_alone_and_is_not_the_one_of_home() -> None:
    assert not listening_to_others(os.getpid())
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert os.environ["RAY_AUTH_MODE"] == "token"
