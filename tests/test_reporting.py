"""From files to a page: scores, bursts, times of capture, and pictures of those that can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aesth import Scorer
from aesth.apps.report import PageFile
from aesth.cache import ScoreCache
from aesth.metadata import MetadataSession
from aesth.reporting import report
from aesth.tagging import Action
from aesth.taste import Taste
from support.bursts import taken
from support.cli import grey_raw
from support.pages import read_page


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataSession]:
    with MetadataSession(journal=tmp_path_factory.mktemp("journal") / "journal.sqlite") as session:
        yield session


@pytest.fixture(scope="module")
def scorer(brightness: Path) -> Iterator[Scorer]:
    with Scorer(str(brightness), jobs=1, threads=1) as scorer:
        yield scorer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A burst of two, a RAW with its JPEG, and a photo that tells no time."""
    folder = tmp_path / "photos"
    folder.mkdir()
    taken(folder / "a1.jpg", 0, 50)
    taken(folder / "a2.jpg", 0.5, 55)
    taken(folder / "B.JPG", 600, 80)
    grey_raw(folder / "B.DNG", 10)
    taken(folder / "c.jpg", None, 20)
    return folder


def shown(out: PageFile) -> list[dict[str, Any]]:
    return read_page(out.out).data["photos"]


def test_the_page_shows_each_shot_once_the_best_first_with_bursts_and_times(
    folder: Path, scorer: Scorer, session: MetadataSession
) -> None:
    out = PageFile(folder.parent / "report.html")
    outcomes = list(report(sorted(folder.iterdir()), scorer, session, out, title="Holidays"))
    assert {outcome.path.name: outcome.action for outcome in outcomes} == dict.fromkeys(
        ("B.DNG", "B.JPG", "a1.jpg", "a2.jpg", "c.jpg"), Action.SCORED
    )
    told = [(photo["name"], photo["stars"], photo["group"], photo["best"]) for photo in shown(out)]
    assert told == [("B.DNG", 4, None, None), ("a2.jpg", 3, 1, True), ("a1.jpg", 3, 1, False), ("c.jpg", 2, None, None)]
    both, best, _, undated = shown(out)
    assert [Path(path).name for path in both["files"]] == ["B.DNG", "B.JPG"]
    assert (both["full"], both["score"]) == ("photos/B.JPG", pytest.approx(80, abs=1))
    assert (best["taken"], best["kind"], undated["taken"]) == ("2026-05-31T12:00:00", "burst", None)


def test_remembered_scores_change_nothing(folder: Path, brightness: Path, session: MetadataSession) -> None:
    pages = []
    for name in ("first.html", "second.html"):
        out = PageFile(folder.parent / name)
        with ScoreCache() as cache, Scorer(str(brightness), cache=cache) as scorer:
            list(report(sorted(folder.iterdir()), scorer, session, out, title="Holidays"))
        pages.append(out.out.read_bytes())
    assert pages[0] == pages[1]


def test_photos_of_bursts_are_scored_by_the_taste_as_all_others_are(
    folder: Path, scorer: Scorer, session: MetadataSession
) -> None:
    """This one likes each photo by 25 points more."""
    taste = Taste(scorer.tag, 1.0, 0.25 * 255, np.zeros(1000))
    photos = sorted(folder.iterdir())

    def scores(scorer: Scorer) -> list[float]:
        out = PageFile(folder.parent / "report.html", overwrite=True)
        found = {photo.path: photo.score for photo in report(photos, scorer, session, out, title="Holidays")}
        return [found[photo] for photo in photos]

    with Scorer(encoder=scorer.encoder, jobs=1, taste=taste) as personal:
        assert scores(personal) == pytest.approx([min(score + 25, 100) for score in scores(scorer)], abs=0.01)


def test_photos_that_cannot_be_read_fail_alone(folder: Path, scorer: Scorer, session: MetadataSession) -> None:
    (folder / "text.jpg").write_text("hello")
    out = PageFile(folder.parent / "report.html")
    outcomes = list(report([*sorted(folder.iterdir()), folder / "no.jpg"], scorer, session, out, title="Holidays"))
    assert {outcome.path.name for outcome in outcomes if outcome.error} == {"text.jpg", "no.jpg"}
    assert {photo["name"] for photo in shown(out)} == {"B.DNG", "a1.jpg", "a2.jpg", "c.jpg"}


def test_a_photo_that_vanishes_once_it_is_scored_fails(folder: Path, scorer: Scorer, session: MetadataSession) -> None:
    class Vanishing(PageFile):
        def picture(self, files, of):
            if of.name == "c.jpg":
                of.unlink()
            return super().picture(files, of)

    out = Vanishing(folder.parent / "report.html")
    outcomes = list(report(sorted(folder.iterdir()), scorer, session, out, title="Holidays"))
    assert [(outcome.path.name, outcome.score) for outcome in outcomes if outcome.error] == [("c.jpg", None)]
    assert "c.jpg" not in {photo["name"] for photo in shown(out)}


def test_stars_can_be_given_by_rank(folder: Path, scorer: Scorer, session: MetadataSession) -> None:
    out = PageFile(folder.parent / "report.html")
    list(report(sorted(folder.iterdir()), scorer, session, out, title="Holidays", relative=True))
    assert [photo["stars"] for photo in shown(out)] == [4, 3, 2, 2]


@pytest.mark.parametrize(("names", "dry_run"), [(["no.jpg"], False), ([], False), (["c.jpg"], True)])
def test_no_page_is_made_of_nothing_or_in_a_dry_run(
    folder: Path, scorer: Scorer, session: MetadataSession, names: list[str], dry_run: bool
) -> None:
    out = PageFile(folder.parent / "report.html", beside=True)
    photos = [folder / name for name in names]
    assert len(list(report(photos, scorer, session, out, title="Holidays", dry_run=dry_run))) == len(names)
    assert not out.is_made
    assert [path.name for path in folder.parent.iterdir()] == ["photos"]


def test_a_run_that_is_left_off_leaves_nothing(folder: Path, scorer: Scorer, session: MetadataSession) -> None:
    many = [taken(folder / f"{number}.jpg", 1000 * number, 50) for number in range(1, 30)]
    outcomes = report(many, scorer, session, PageFile(folder.parent / "report.html", beside=True), title="Holidays")
    next(outcomes)
    assert (folder.parent / "report-thumbnails").exists()
    outcomes.close()
    assert [path.name for path in folder.parent.iterdir()] == ["photos"]
