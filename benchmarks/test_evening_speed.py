"""What a photographer does of an evening over one folder: each command again, when what it saw is remembered."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.apps.report import PageFile
from aesth.cache import ScoreCache
from aesth.encoder import OnnxEncoder
from aesth.learning import look_at
from aesth.matching import find_similar
from aesth.metadata import MetadataSession
from aesth.picking import pick_best
from aesth.reporting import report
from aesth.scorer import Scorer
from aesth.scoring import score_photos
from aesth.tagging import Outcome
from measuring.measure import Task, measure

PhotosOf = Callable[[str], list[Path]]


class Evening:
    """Runs of commands over some photos, each by a scorer of its own, that remember what they see in one file."""

    def __init__(self, encoder: OnnxEncoder, photos: list[Path], session: MetadataSession, file: Path) -> None:
        self.file = file
        self._encoder = encoder
        self._photos = photos
        self._session = session

    def run(self, command: str) -> object:
        """What a command makes of the photos."""
        with ScoreCache(self.file) as cache, Scorer(encoder=self._encoder, cache=cache) as scorer:
            return getattr(self, command)(scorer)

    def task(self, command: str, before: Path | None = None) -> Task:
        """A run of a command that knows what is in the file ``before``."""

        def prepare() -> None:
            for path in self.file.parent.glob(f"{self.file.name}*"):
                path.unlink()
            if before is not None:
                shutil.copyfile(before, self.file)

        return Task(lambda: self.run(command), len(self._photos), prepare)

    def score(self, scorer: Scorer) -> object:
        return _told(score_photos(self._photos, scorer))

    def best(self, scorer: Scorer) -> object:
        return _told(pick_best(self._photos, scorer, self._session))

    def similar(self, scorer: Scorer) -> object:
        return _told(find_similar(self._photos, scorer, self._session))

    def report(self, scorer: Scorer) -> object:
        out = PageFile(self.file.parent / "report.html", overwrite=True, cache=scorer.cache)
        return _told(report(self._photos, scorer, self._session, out, title="An evening"))

    def learn(self, scorer: Scorer) -> object:
        return sum(lesson.embedding is not None for lesson in look_at(self._photos, scorer))


def _told(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes without digits that depend on which photos were encoded together."""
    return [replace(one, score=None if one.score is None else round(one.score, 2)) for one in outcomes]


@pytest.fixture
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as opened:
        yield opened


@pytest.mark.parametrize("command", ["best", "similar", "report", "learn"])
@pytest.mark.parametrize("kind", ["24 MP", "yours"])
@pytest.mark.benchmark(group="known")
def test_again(
    benchmark: BenchmarkFixture,
    photos_of: PhotosOf,
    encoder: Callable[[str], OnnxEncoder],
    session: MetadataSession,
    tmp_path: Path,
    seconds: float,
    kind: str,
    command: str,
) -> None:
    photos = photos_of(kind)
    scored, known = tmp_path / "scored.sqlite", tmp_path / "known.sqlite"
    Evening(encoder("base"), photos, session, scored).run("score")
    Evening(encoder("base"), photos, session, known).run(command)
    new = Evening(encoder("base"), photos, session, tmp_path / "new.sqlite")
    again = measure(
        benchmark,
        Evening(encoder("base"), photos, session, tmp_path / "again.sqlite").task(command, known),
        label=f"aesth {command} again, {'your photos' if kind == 'yours' else f'JPEGs of {kind} by previews'}",
        unit="photo",
        seconds=2 * seconds,
        beside={"the first time": new.task(command), "after aesth tag": new.task(command, scored)},
        rounds=(3, 10),
    )
    assert again == new.run(command)
