"""From files to groups and the best of each: time by ExifTool, scores and embeddings by the model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from aesth import Scorer
from aesth.apps.bursts import Kind
from aesth.metadata import MetadataSession
from aesth.picking import Picked, pick_best
from aesth.tagging import Action
from support.bursts import taken
from support.photos import dng, picture


@pytest.fixture(scope="module")
def scorer(brightness: Path) -> Iterator[Scorer]:
    with Scorer(str(brightness), jobs=1, threads=1) as scorer:
        yield scorer


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataSession]:
    with MetadataSession(journal=tmp_path_factory.mktemp("journal") / "journal.sqlite") as session:
        yield session


@pytest.fixture
def pick(scorer: Scorer, session: MetadataSession):
    def pick(*photos: Path, **options: float) -> list[Picked]:
        return list(pick_best(photos, scorer, session, **options))

    return pick


def told(picked: list[Picked]) -> list[tuple[str, int | None, bool | None]]:
    return [(photo.path.name, photo.group, photo.best) for photo in picked]


def test_the_best_of_each_burst_is_named_and_photos_alone_are_not_looked_at(tmp_path: Path, pick) -> None:
    photos = [
        taken(tmp_path / "alone.jpg", 900, 70),
        taken(tmp_path / "first.jpg", 0.1, 40),
        taken(tmp_path / "undated.jpg", None, 41),
        taken(tmp_path / "second.jpg", 0.3, 44),
        taken(tmp_path / "other-b.jpg", 61, 90),
        taken(tmp_path / "other-a.jpg", 60, 80),
        taken(tmp_path / "third.jpg", 0.5, 42),
    ]
    picked = pick(*photos)
    assert told(picked) == [
        ("alone.jpg", None, None),
        ("first.jpg", 1, False),
        ("second.jpg", 1, True),
        ("third.jpg", 1, False),
        ("undated.jpg", None, None),
        ("other-a.jpg", 2, False),
        ("other-b.jpg", 2, True),
    ]
    skipped = [photo.path.name for photo in picked if photo.action is Action.SKIPPED]
    assert skipped == ["alone.jpg", "undated.jpg"]
    assert picked[2].score == pytest.approx(44, abs=1)
    assert picked[2].rating == 3
    assert picked[2].kind is Kind.BURST


def test_what_is_near_in_time_and_looks_different_is_scored_and_in_no_group(tmp_path: Path, pick) -> None:
    picked = pick(taken(tmp_path / "dark.jpg", 0, 10), taken(tmp_path / "light.jpg", 1, 90))
    assert told(picked) == [("dark.jpg", None, None), ("light.jpg", None, None)]
    assert {photo.action for photo in picked} == {Action.SCORED}


def test_a_bracket_is_told_as_such_and_has_no_best(tmp_path: Path, pick) -> None:
    steps = [taken(tmp_path / f"{n}.jpg", n / 5, 50 + 10 * bias, bias) for n, bias in enumerate((0, -2, 2))]
    picked = pick(*steps)
    assert told(picked) == [("0.jpg", 1, None), ("1.jpg", 1, None), ("2.jpg", 1, None)]
    assert {photo.kind for photo in picked} == {Kind.BRACKET}


def test_a_raw_and_its_jpeg_are_one_shot(tmp_path: Path, pick, session: MetadataSession) -> None:
    first, second = taken(tmp_path / "IMG_1.JPG", 0, 50), taken(tmp_path / "IMG_2.JPG", 1, 55)
    raws = [path.with_suffix(".DNG") for path in (first, second)]
    for raw in raws:
        raw.write_bytes(dng(picture(0.9, 1)))
    assert told(pick(first, raws[0])) == [("IMG_1.JPG", None, None), ("IMG_1.DNG", None, None)]
    assert told(pick(*raws, first, second)) == [
        ("IMG_1.DNG", 1, False),
        ("IMG_1.JPG", 1, False),
        ("IMG_2.DNG", 1, True),
        ("IMG_2.JPG", 1, True),
    ]


def test_a_bad_photo_fails_alone(tmp_path: Path, pick) -> None:
    good = [taken(tmp_path / f"{n}.jpg", n, 50 + n) for n in range(3)]
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(taken(tmp_path / "whole.jpg", 1.5, 60).read_bytes()[:-30])
    picked = pick(*good, cut, tmp_path / "missing.jpg")
    assert told(picked) == [
        ("0.jpg", 1, False),
        ("1.jpg", 1, False),
        ("2.jpg", 1, True),
        ("cut.jpg", None, None),
        ("missing.jpg", None, None),
    ]
    assert [photo.path.name for photo in picked if photo.error] == ["cut.jpg", "missing.jpg"]
    assert [photo.path.name for photo in picked if photo.action is Action.FAILED] == ["cut.jpg", "missing.jpg"]


def test_photos_of_one_second_follow_one_another_by_their_numbers(tmp_path: Path, pick) -> None:
    names = ["IMG_10.jpg", "IMG_9.jpg", "IMG_8.jpg"]
    picked = pick(*(taken(tmp_path / name, 7, 50) for name in names))
    assert told(picked) == [("IMG_8.jpg", 1, True), ("IMG_9.jpg", 1, False), ("IMG_10.jpg", 1, False)]


def test_the_gap_can_be_set(tmp_path: Path, pick) -> None:
    photos = [taken(tmp_path / "a.jpg", 0), taken(tmp_path / "b.jpg", 8)]
    assert [photo.group for photo in pick(*photos)] == [None, None]
    assert [photo.group for photo in pick(*photos, gap=10)] == [1, 1]


def test_outcomes_of_a_series_do_not_wait_for_the_next(
    tmp_path: Path, scorer: Scorer, session: MetadataSession
) -> None:
    photos = [taken(tmp_path / f"{n:02}.jpg", 60 * (n // 2) + n % 2, 50) for n in range(24)]
    decoded: list[Path] = []
    load = scorer._load

    class Watched(Scorer):
        def _load(self, photo):
            decoded.append(photo)
            return load(photo)

    with Watched(jobs=1, encoder=scorer.encoder) as watched:
        first = next(pick_best(photos, watched, session))
    assert first.group == 1
    assert len(decoded) < len(photos)
