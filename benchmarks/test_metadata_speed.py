"""Ratings in files: reading them in batches, and writing them one by one, with ExifTool kept open."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aesth.errors import MetadataError
from aesth.metadata import MetadataSession, RatingState
from aesth.metadata.exiftool import find_program
from measuring.copies import Copies
from measuring.measure import Task, compression, measure
from measuring.plain import RATING, write_alone

KINDS = ["24 MP", "yours"]

PhotosOf = Callable[[str], list[Path]]
MakeCopies = Callable[[list[Path]], Copies]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.benchmark(group="metadata")
def test_read_ratings(
    benchmark: BenchmarkFixture, photos_of: PhotosOf, copies: MakeCopies, seconds: float, kind: str
) -> None:
    photos = copies(photos_of(kind))
    photos.renew()
    with MetadataSession() as session:
        states = measure(
            benchmark,
            Task(lambda: list(session.read(photos.files)), len(photos.files)),
            label="read ratings, in one batch",
            unit="photo",
            seconds=seconds,
            load=compression(),
        )
    assert len(states) == len(photos.files)
    assert any(isinstance(state, RatingState) for state in states)
    if kind != "yours":
        assert {state.rating for state in states} == {None}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.benchmark(group="metadata")
def test_write_stars(
    benchmark: BenchmarkFixture, photos_of: PhotosOf, copies: MakeCopies, seconds: float, kind: str
) -> None:
    photos, others = copies(photos_of(kind)), copies(photos_of(kind))
    others.renew()
    program, other = find_program(), cycle(others.files)
    beside = {} if kind == "yours" else {"an ExifTool a photo": Task(lambda: write_alone(program, next(other)))}
    failed: list[Path] = []
    with MetadataSession() as session:

        def write() -> None:
            failed.clear()
            for photo in photos.files:
                try:
                    session.write(photo, RATING)
                except MetadataError:
                    failed.append(photo)

        measure(
            benchmark,
            Task(write, len(photos.files), photos.renew),
            label="write stars, verified and journalled",
            unit="photo",
            seconds=seconds,
            load=compression(),
            beside=beside,
            rounds=(3, 20),
        )
        written = [photo for photo in photos.files if photo not in failed]
        assert kind == "yours" or not failed
        assert {state.rating for state in session.read(written) if isinstance(state, RatingState)} == {4}
