"""`aesth tag` as a whole: against only reading and writing the photos, and against the plain way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.cores import usable_cores
from aesth.encoder import OnnxEncoder
from aesth.metadata import MetadataSession, Policy
from aesth.scorer import Scorer
from aesth.tagging import Action, Outcome, tag
from measuring.copies import Copies, MakeCopies
from measuring.encoders import BY, FindEncoder, is_offered
from measuring.measure import Task, float_product, measure
from measuring.plain import PlainWay, ReadAndWrite, decode_all

KINDS = ["24 MP", "yours"]

MANY = 32
"""Photos of a run. While the first is decoded and the last is written, nothing is done beside: of few, that is much."""

PhotosOf = Callable[[str], list[Path]]


class Tagging:
    """Tags copies of photos, which are new each time."""

    def __init__(
        self, encoder: OnnxEncoder, photos: Copies, session: MetadataSession, *, previews: bool = False
    ) -> None:
        self._scorer = Scorer(encoder=encoder, previews=previews)
        self._session = session
        self._photos = photos

    def run(self) -> list[Outcome]:
        """One outcome for each photo."""
        return list(tag(self._photos.files, self._scorer, self._session, policy=Policy.OVERWRITE))

    @property
    def task(self) -> Task:
        """A run over photos as they were before."""
        return Task(self.run, len(self._photos.files), self._photos.renew)


@pytest.fixture
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as opened:
        yield opened


@pytest.mark.parametrize("previews", [False, True], ids=["whole", "previews"])
@pytest.mark.parametrize("model", ["lite", "base"])
@pytest.mark.parametrize("provider", BY)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.benchmark(group="pipeline")
def test_tag(
    benchmark: BenchmarkFixture,
    photos_of: PhotosOf,
    copies: MakeCopies,
    sharing_encoder: FindEncoder,
    session: MetadataSession,
    tmp_path: Path,
    seconds: float,
    kind: str,
    quick: bool,
    provider: str,
    model: str,
    previews: bool,
) -> None:
    photos = photos_of(kind)
    encoder = sharing_encoder(model, provider)
    many = len(photos) if quick else MANY
    ours = Tagging(encoder, copies(photos, many), session, previews=previews)
    beside = {}
    if kind != "yours":  # files of every kind, some of which cannot be written, are not for a yardstick
        others = copies(photos, many)
        alone = ReadAndWrite(tmp_path, encoder.record.preprocess.size, usable_cores())
        beside = {"only decoding and writing": Task(lambda: alone.run(others.files), len(others.files), others.renew)}
    which = "your photos" if kind == "yours" else f"JPEGs of {kind}"
    outcomes = measure(
        benchmark,
        ours.task,
        label=f"tag with {model}{BY[provider]}, {which}{' by previews' if previews else ''}",
        unit="photo",
        seconds=2 * seconds,
        load=float_product(),
        beside=beside,
        rounds=(3, 10),
    )
    if kind != "yours":
        alone.close()
        assert {outcome.action for outcome in outcomes} == {Action.WRITTEN}
        scores = np.array([outcome.score for outcome in outcomes]).reshape(-1, len(photos))
        assert np.ptp(scores, axis=0).max() < 0.1, "copies of a photo are scored alike"
        assert np.ptp(scores, axis=1).min() > 0.1, "and photos are not"


@pytest.mark.benchmark(group="pipeline")
def test_plain_way(
    benchmark: BenchmarkFixture,
    photos_of: PhotosOf,
    copies: MakeCopies,
    sharing_encoder: FindEncoder,
    session: MetadataSession,
    seconds: float,
    quick: bool,
) -> None:
    pytest.importorskip("torchvision")
    many = 2 if quick else MANY
    photos = copies(photos_of("24 MP"))
    ours = {
        f"tag with {name}{BY[provider]}": Tagging(
            sharing_encoder(name, provider), copies(photos_of("24 MP"), many), session
        ).task
        for name in ("lite", "base")
        for provider in filter(is_offered, BY)
    }
    plain = PlainWay()
    scores = measure(
        benchmark,
        Task(lambda: plain.tag(photos.files), len(photos.files), photos.renew),
        label="the plain way, JPEGs of 24 MP",
        unit="photo",
        seconds=2 * seconds,
        load=float_product(),
        beside=ours,
        rounds=(3, 10),
    )
    assert all(score > 0 for score in scores)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.benchmark(group="pipeline")
def test_decode_alone(
    benchmark: BenchmarkFixture, photos_of: PhotosOf, sharing_encoder: FindEncoder, seconds: float, kind: str
) -> None:
    photos = photos_of(kind) * (1 if kind == "yours" else 2)
    size = sharing_encoder("lite").record.preprocess.size
    count = measure(
        benchmark,
        Task(lambda: decode_all(photos, size, usable_cores()), len(photos)),
        label="only decoding, on all cores",
        unit="photo",
        seconds=seconds,
        load=float_product(),
    )
    assert count == len(photos)
