"""Photos that are known already, and how long it takes until there is anything to see."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture

from aesth import registry
from aesth.cache import ScoreCache
from aesth.encoder import OnnxEncoder
from aesth.metadata import MetadataSession
from aesth.scorer import Scorer
from aesth.tagging import Action, tag
from measuring.measure import Task, compression, measure
from support.models import brightness_model

LIBRARY = 1000
"""Photos of a library that was scored before."""


@pytest.fixture
def library(tmp_path: Path, quick: bool) -> list[Path]:
    """Small photos, all different: known ones are not opened, so that their size does not count."""
    folder = tmp_path / "library"
    folder.mkdir()
    photos = [folder / f"{number}.jpg" for number in range(30 if quick else LIBRARY)]
    for number, photo in enumerate(photos):
        Image.new("RGB", (16, 16), (number % 256, number // 256, 99)).save(photo)
    return photos


@pytest.fixture
def small(tmp_path: Path) -> OnnxEncoder:
    """An encoder of almost no arithmetic, so that a library is scored for the first time at once."""
    return OnnxEncoder(registry.find(str(brightness_model(tmp_path / "small.onnx"))))


@pytest.mark.benchmark(group="known")
def test_scores_remembered(
    benchmark: BenchmarkFixture, library: list[Path], small: OnnxEncoder, tmp_path: Path, seconds: float
) -> None:
    def run() -> list[float | None]:
        with ScoreCache(tmp_path / "scores.sqlite") as cache, Scorer(encoder=small, cache=cache) as scorer:
            return [scored.score for scored in scorer.score(library, embeddings=False)]

    first = run()
    again = measure(
        benchmark,
        Task(run, len(library)),
        label="score what was scored before",
        unit="photo",
        seconds=seconds / 2,
        load=compression(),
    )
    assert again == first
    assert None not in again


@pytest.mark.benchmark(group="known")
def test_ratings_remembered(
    benchmark: BenchmarkFixture, library: list[Path], small: OnnxEncoder, tmp_path: Path, seconds: float
) -> None:
    photos = library[:64]  # the first run writes each

    def run() -> list[Action]:
        with (
            ScoreCache(tmp_path / "scores.sqlite") as cache,
            MetadataSession(memory=cache) as session,
            Scorer(encoder=small, cache=cache) as scorer,
        ):
            return [outcome.action for outcome in tag(photos, scorer, session)]

    assert set(run()) == {Action.WRITTEN}
    actions = measure(
        benchmark,
        Task(run, len(photos)),
        label="tag what was tagged before, ExifTool's start included",
        unit="photo",
        seconds=seconds / 2,
        load=compression(),
    )
    assert set(actions) == {Action.SKIPPED}


COMMANDS: dict[str, Callable[[Path], list[str]]] = {
    "aesth --help": lambda _: ["--help"],
    "aesth score of one photo": lambda photo: ["score", "--format", "csv", "--no-cache", str(photo)],
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.benchmark(group="start")
def test_start(benchmark: BenchmarkFixture, library: list[Path], seconds: float, command: str) -> None:
    arguments = COMMANDS[command](library[0])

    def run() -> str:
        program = [sys.executable, "-m", "aesth.cli", *arguments]
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout

    output = measure(
        benchmark, Task(run), label=command, unit="start", seconds=seconds, load=compression(), rounds=(3, 10)
    )
    assert ("undo" if "--help" in arguments else "path,score,rating") in output
