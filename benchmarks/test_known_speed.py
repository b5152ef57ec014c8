"""Photos that are known already, and how long it takes until there is anything to see."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
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
        label="tag what was tagged before",
        unit="photo",
        seconds=seconds / 2,
        load=compression(),
    )
    assert set(actions) == {Action.SKIPPED}


@dataclass(frozen=True)
class Command:
    """A command over one photo.

    Attributes:
        arguments: what it is started with, but for the photo.
        told: a part of what it prints.
        takes_photo: whether it is about the photo at all.
    """

    arguments: tuple[str, ...]
    told: str
    takes_photo: bool = True


COMMANDS = {
    "aesth --help": Command(("--help",), "undo", takes_photo=False),
    "aesth score of one photo": Command(("score", "--format", "csv", "--no-cache"), ",scored,"),
    "aesth score of one photo, base": Command(
        ("score", "--format", "csv", "--no-cache", "--model", "base"), ",scored,"
    ),
    "aesth score of a known photo": Command(("score", "--format", "csv"), ",scored,"),
    "aesth tag of a known photo": Command(("tag", "--format", "csv"), ",skipped,"),
}


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.benchmark(group="start")
def test_start(benchmark: BenchmarkFixture, library: list[Path], seconds: float, name: str) -> None:
    command = COMMANDS[name]
    program = [sys.executable, "-m", "aesth.cli", *command.arguments, *([str(library[0])] * command.takes_photo)]

    def run() -> str:
        return subprocess.run(program, capture_output=True, text=True, check=True).stdout

    run()  # what is known from here on is known to the others
    output = measure(
        benchmark,
        Task(run),
        label=name,
        unit="start",
        seconds=seconds,
        load=compression(),
        beside={"Python that imports numpy": Task(import_numpy)},
        rounds=(3, 10),
    )
    assert command.told in output


def import_numpy() -> None:
    """The least that any program takes that looks at pixels."""
    subprocess.run([sys.executable, "-c", "import numpy"], check=True)
