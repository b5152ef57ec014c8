"""What a run does with each photo: scored, written, kept, skipped or failed; in order, lazily, losing nothing."""

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aesth import Scorer
from aesth.ahead import WouldBlock, never
from aesth.errors import AesthError
from aesth.metadata import MetadataSession, Policy, RatingState, files
from aesth.metadata.journal import State
from aesth.scale import relative_percentiles, stars
from aesth.scorer import Scored
from aesth.scoring import score_photos
from aesth.tagging import PATIENCE, Action, Outcome, tag
from support.metadata import DARKTABLE, NEW, exiv2, make_photo, process_of, rate_by_exiv2, rate_by_hand
from support.models import brightness_model
from support.moments import before_commit, before_reading


@pytest.fixture(scope="module")
def session() -> Iterator[MetadataSession]:
    with MetadataSession(processes=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def wide_session() -> Iterator[MetadataSession]:
    """One that writes several photos at a time."""
    with MetadataSession(processes=3) as opened:
        yield opened


@pytest.fixture(scope="module")
def scorer(brightness: Path) -> Iterator[Scorer]:
    with Scorer(str(brightness), jobs=2, threads=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def other_scorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scorer]:
    """Another model that sees as the first does."""
    path = brightness_model(tmp_path_factory.mktemp("models") / "other-fp32.onnx", name="other")
    with Scorer(str(path), jobs=2, threads=1) as opened:
        yield opened


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def by_action(outcomes: list[Outcome]) -> list[Action]:
    return [outcome.action for outcome in outcomes]


def by_hand(path: Path, rating: int, brightness: float = 50) -> Path:
    rate_by_exiv2(make_photo(path, brightness), rating)
    return path


def test_photos_get_the_stars_of_their_score(scorer: Scorer, session: MetadataSession, tmp_path: Path) -> None:
    photos = [make_photo(tmp_path / f"{percent}.jpg", percent) for percent in (5, 95, 50, 20, 80)]
    outcomes = list(tag(photos, scorer, session))
    assert [outcome.path for outcome in outcomes] == photos
    assert [outcome.rating for outcome in outcomes] == [1, 5, 3, 2, 4]
    assert [outcome.score for outcome in outcomes] == pytest.approx([5, 95, 50, 20, 80], abs=1)
    assert {(outcome.action, outcome.old_rating, outcome.error) for outcome in outcomes} == {
        (Action.WRITTEN, None, None)
    }
    states = list(session.read(photos))
    for outcome, state in zip(outcomes, states, strict=True):
        assert isinstance(state, RatingState)
        assert outcome.score is not None
        assert state == RatingState(outcome.rating, outcome.rating, round(outcome.score, 2), scorer.tag)


def test_a_second_run_writes_and_decodes_nothing(scorer: Scorer, session: MetadataSession, tmp_path: Path) -> None:
    photos = [make_photo(tmp_path / f"{percent}.jpg", percent) for percent in (5, 95)]
    first = list(tag(photos, scorer, session))
    before = bytes_of(tmp_path)
    second = list(tag(photos, scorer, session))
    assert by_action(second) == [Action.SKIPPED] * 2
    assert [(outcome.score, outcome.rating, outcome.old_rating) for outcome in second] == [
        (pytest.approx(outcome.score, abs=0.005), outcome.rating, outcome.rating) for outcome in first
    ]
    assert bytes_of(tmp_path) == before


def test_what_a_person_rated_stays_to_the_byte(scorer: Scorer, session: MetadataSession, tmp_path: Path) -> None:
    photos = [by_hand(tmp_path / f"{rating}.jpg", rating) for rating in (-1, 1, 5)]
    before = bytes_of(tmp_path)
    for policy in (Policy.UNRATED, Policy.OURS):
        outcomes = list(tag(photos, scorer, session, policy=policy))
        assert by_action(outcomes) == [Action.KEPT] * 3
        assert [(outcome.rating, outcome.old_rating, outcome.score) for outcome in outcomes] == [
            (-1, -1, None),
            (1, 1, None),
            (5, 5, None),
        ]
    assert bytes_of(tmp_path) == before


def test_stars_of_ours_that_a_person_changed_are_the_persons(
    scorer: Scorer, session: MetadataSession, tmp_path: Path
) -> None:
    photo = make_photo(tmp_path / "a.jpg", 50)
    list(tag([photo], scorer, session))
    rate_by_exiv2(photo, 1)
    (outcome,) = tag([photo], scorer, session, rescore=True)
    assert (outcome.action, outcome.rating) == (Action.KEPT, 1)


def test_overwrite_takes_all_and_raise_never_lowers(scorer: Scorer, session: MetadataSession, tmp_path: Path) -> None:
    low, high, rejected = (by_hand(tmp_path / f"{rating}.jpg", rating) for rating in (1, 5, -1))
    photos = [low, high, rejected]
    raised = list(tag(photos, scorer, session, policy=Policy.RAISE))
    assert by_action(raised) == [Action.WRITTEN, Action.KEPT, Action.KEPT]
    assert [(outcome.old_rating, outcome.rating) for outcome in raised] == [(1, 3), (5, 5), (-1, -1)]
    overwritten = list(tag(photos, scorer, session, policy=Policy.OVERWRITE))
    assert [(outcome.old_rating, outcome.rating) for outcome in overwritten] == [(3, 3), (5, 3), (-1, 3)]
    assert [state.rating for state in session.read(photos) if isinstance(state, RatingState)] == [3, 3, 3]


def test_another_model_renews_our_stars_only_when_asked(
    scorer: Scorer, other_scorer: Scorer, session: MetadataSession, tmp_path: Path
) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    list(tag([photo], scorer, session))
    assert by_action(list(tag([photo], other_scorer, session))) == [Action.SKIPPED]
    assert by_action(list(tag([photo], other_scorer, session, rescore=True))) == [Action.WRITTEN]
    assert by_action(list(tag([photo], other_scorer, session, rescore=True))) == [Action.SKIPPED]


def test_a_dry_run_writes_nothing(scorer: Scorer, session: MetadataSession, tmp_path: Path) -> None:
    photos = [make_photo(tmp_path / "a.jpg", 95), by_hand(tmp_path / "b.jpg", 2), make_photo(tmp_path / "c.gif", 5)]
    before = bytes_of(tmp_path)
    outcomes = list(tag(photos, scorer, session, dry_run=True))
    assert by_action(outcomes) == [Action.SCORED, Action.KEPT, Action.SCORED]
    assert [(outcome.old_rating, outcome.rating) for outcome in outcomes] == [(None, 5), (2, 2), (None, 1)]
    assert bytes_of(tmp_path) == before


def test_sidecars_only(scorer: Scorer, session: MetadataSession, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg", 95)
    before = photo.read_bytes()
    list(tag([photo], scorer, session, sidecar=True))
    assert photo.read_bytes() == before
    assert by_action(list(tag([photo], scorer, session))) == [Action.SKIPPED]


def test_each_bad_photo_is_one_line_and_the_run_goes_on(
    scorer: Scorer, session: MetadataSession, tmp_path: Path
) -> None:
    good = make_photo(tmp_path / "good.jpg", 95)
    text, empty, missing = tmp_path / "text.jpg", tmp_path / "empty.jpg", tmp_path / "missing.jpg"
    text.write_text("no picture")
    empty.touch()
    sick = make_photo(tmp_path / "sick.jpg")
    (tmp_path / "sick.jpg.xmp").write_text("<x")
    rated = by_hand(tmp_path / "rated.jpg", 4)
    rated.write_bytes(rated.read_bytes()[:-200])
    photos = [text, good, empty, missing, sick, rated, good]
    before = bytes_of(tmp_path)
    outcomes = list(tag(photos, scorer, session, policy=Policy.RAISE))
    failed = Action.FAILED
    assert by_action(outcomes)[:5] == [failed, Action.WRITTEN, failed, failed, failed]
    assert [outcome.path for outcome in outcomes] == photos
    for outcome in outcomes:
        assert isinstance(outcome.error, AesthError) == (outcome.action is failed)
        assert "\n" not in str(outcome.error)
    after = bytes_of(tmp_path)
    assert {name for name in after if after[name] != before.get(name)} <= {"good.jpg", "rated.jpg"}


class TestRelative:
    def test_stars_are_those_of_the_rank_and_the_score_stays_absolute(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path
    ) -> None:
        percents = [40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 49]
        photos = [make_photo(tmp_path / f"{number}.png", percent) for number, percent in enumerate(percents)]
        outcomes = list(tag(photos, scorer, session, relative=True))
        scores = [outcome.score for outcome in outcomes if outcome.score is not None]
        assert scores == pytest.approx(percents, abs=1)
        assert [outcome.rating for outcome in outcomes] == [stars(rank) for rank in relative_percentiles(scores)]
        assert outcomes[-1].rating == outcomes[-2].rating

    def test_kept_and_skipped_photos_count_in_the_rank_but_are_not_written(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path
    ) -> None:
        best, ours, worst = (
            by_hand(tmp_path / "best.jpg", 1, 90),
            make_photo(tmp_path / "ours.jpg", 60),
            make_photo(tmp_path / "worst.jpg", 30),
        )
        list(tag([ours], scorer, session))
        before = bytes_of(tmp_path)
        outcomes = list(tag([best, ours, worst], scorer, session, relative=True))
        assert by_action(outcomes) == [Action.KEPT, Action.SKIPPED, Action.WRITTEN]
        assert [outcome.rating for outcome in outcomes] == [1, 3, stars(100 / 6)]
        after = bytes_of(tmp_path)
        assert {name for name in after if after[name] != before[name]} == {"worst.jpg"}

    def test_none_is_written_before_all_are_scored(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path
    ) -> None:
        made = [make_photo(tmp_path / f"{number}.jpg") for number in range(30)]
        unseen = set(made)

        def photos() -> Iterator[Path]:
            for photo in made:
                assert all(session.read([first]) for first in made[:1])
                unseen.discard(photo)
                yield photo

        run = tag(photos(), scorer, session, relative=True)
        next(run)
        assert not unseen
        run.close()


def test_it_is_lazy(scorer: Scorer, session: MetadataSession, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    taken = itertools.count()
    run = tag((photo for _ in taken), scorer, session, policy=Policy.OVERWRITE, dry_run=True)
    for _ in range(5):
        next(run)
    run.close()
    assert next(taken) < 200


def test_a_long_run_of_photos_that_need_nothing_is_told_as_it_goes(
    scorer: Scorer, session: MetadataSession, tmp_path: Path
) -> None:
    rated = by_hand(tmp_path / "a.jpg", 3)
    taken = itertools.count()
    run = tag((rated for _ in taken), scorer, session)
    assert next(run).action is Action.KEPT
    assert next(taken) <= 3 * PATIENCE
    run.close()


def test_a_run_that_is_stopped_leaves_whole_photos_and_no_litter(
    scorer: Scorer, session: MetadataSession, tmp_path: Path
) -> None:
    photos = [make_photo(tmp_path / f"{number}.jpg", 95) for number in range(12)]
    run = tag(photos, scorer, session)
    done = [next(run).path for _ in range(3)]
    run.close()
    ratings = [state.rating for state in session.read(photos) if isinstance(state, RatingState)]
    written = ratings.count(5)
    assert ratings == [5] * written + [None] * (12 - written)
    assert done == photos[:3]
    assert 3 <= written <= 12
    assert sorted(tmp_path.iterdir()) == sorted(photos)
    left = 12 - written
    assert by_action(list(tag(photos, scorer, session))) == [Action.SKIPPED] * written + [Action.WRITTEN] * left


class Reaching(Scorer):
    """A scorer that tells when it has scored a file."""

    last: Path
    reached: Event

    def score(self, paths: Iterable[object], would_block: WouldBlock = never, **asked: Any) -> Iterator[Scored]:
        for scored in super().score(paths, would_block, **asked):
            if scored.path == self.last:
                self.reached.set()
            yield scored


class TestWritesGoOnMeanwhile:
    """Photos are read and scored while those before them are written."""

    def test_more_photos_are_scored_while_some_are_written(
        self, brightness: Path, wide_session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photos = [make_photo(tmp_path / f"{number}.jpg", 95) for number in range(12)]
        with Reaching(str(brightness), jobs=2, threads=1) as scorer:
            scorer.last, scorer.reached = photos[-1], Event()
            reached = [lambda: scorer.reached.wait(60) or pytest.fail("none was scored meanwhile")] * 3
            before_commit(monkeypatch, *reached)
            outcomes = list(tag(photos, scorer, wide_session))
        journal = wide_session.open_journal()
        entries = journal.entries(journal.last() or 0)
        assert {entry.photo for entry in entries} == set(photos)
        assert {entry.state for entry in entries} == {State.DONE}
        assert [(outcome.path, outcome.action) for outcome in outcomes] == [(photo, Action.WRITTEN) for photo in photos]

    def test_a_slow_disk_holds_up_a_long_list(
        self, scorer: Scorer, wide_session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo, taken, freed = make_photo(tmp_path / "0.jpg"), list[Path](), Event()
        write = wide_session.write

        def write_slowly(*arguments: Any, **options: Any) -> Any:
            assert freed.wait(60)
            return write(*arguments, **options)

        monkeypatch.setattr(wide_session, "write", write_slowly)

        def source() -> Iterator[Path]:
            while len(taken) < 200:
                taken.append(Path(shutil.copy(photo, tmp_path / f"{len(taken) + 1}.jpg")))
                yield taken[-1]

        run = tag(source(), scorer, wide_session)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(next, run)
            settled = held(lambda: len(taken), end=200)
            freed.set()
            assert first.result(60).action is Action.WRITTEN
        run.close()
        assert settled < 100

    def test_photos_that_share_files_are_written_one_after_the_other(
        self, scorer: Scorer, wide_session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo, raw = make_photo(tmp_path / "a.jpg", 95), tmp_path / "a.CR2"
        raw.write_bytes(b"II*\0")
        link = tmp_path / "z.jpg"
        link.symlink_to(photo)
        at_work, write = 0, wide_session.write

        def counted(*arguments: Any, **options: Any) -> Any:
            nonlocal at_work
            at_work += 1
            assert at_work == 1
            time.sleep(0.01)
            try:
                return write(*arguments, **options)
            finally:
                at_work -= 1

        monkeypatch.setattr(wide_session, "write", counted)
        outcomes = list(tag([raw, photo, photo, link, raw], scorer, wide_session))
        assert by_action(outcomes) == [Action.WRITTEN] * 2 + [Action.SKIPPED] * 3

    def test_stopping_begins_no_other_and_tells_of_all_that_are_written(
        self, scorer: Scorer, wide_session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photos = [make_photo(tmp_path / f"{number:02}.jpg", 95) for number in range(30)]
        write, asked = wide_session.write, itertools.count()

        def slowly(*arguments: Any, **options: Any) -> list[Path]:
            time.sleep(0.5)
            return write(*arguments, **options)

        monkeypatch.setattr(wide_session, "write", slowly)
        told = [outcome.path for outcome in tag(photos, scorer, wide_session, stopping=lambda: next(asked) >= 9)]
        assert told == photos[: len(told)]
        assert 1 <= len(told) <= wide_session.processes < 9, "those that wait for a writer are not begun"
        states = [state for state in wide_session.read(photos) if isinstance(state, RatingState)]
        assert [state.rating for state in states] == [5] * len(told) + [None] * (30 - len(told))

    def test_who_insists_on_the_end_does_not_wait_for_a_write(
        self, scorer: Scorer, wide_session: MetadataSession, tmp_path: Path
    ) -> None:
        """ExifTool hangs here; it would get minutes."""
        photos = [make_photo(tmp_path / f"{number}.jpg", 95) for number in range(4)]
        before = bytes_of(tmp_path)
        list(tag([make_photo(tmp_path / "first.jpg", 95)], scorer, wide_session))
        hanging = [process_of(workplace.exiftool) for workplace in wide_session._opened()._all]

        def source() -> Iterator[Path]:
            yield from photos[:3]
            for process in hanging:
                process.send_signal(signal.SIGSTOP)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(tag(source(), scorer, wide_session))
        assert before.keys() | {"first.jpg"} == bytes_of(tmp_path).keys()
        assert {outcome.action for outcome in tag(photos, scorer, wide_session)} <= {Action.WRITTEN, Action.SKIPPED}


def held(counted: Callable[[], int], end: int) -> int:
    """What a number comes to that has not changed for a while, or has reached its end."""
    last, since = counted(), time.monotonic()
    while last < end and time.monotonic() - since < 3:
        time.sleep(0.02)
        if (now := counted()) != last:
            last, since = now, time.monotonic()
    return last


@pytest.mark.parametrize("relative", [False, True])
def test_a_rating_given_during_the_run_stands(
    scorer: Scorer, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, relative: bool
) -> None:
    first, second, third = (make_photo(tmp_path / f"{number}.jpg", 95) for number in range(3))

    def act() -> None:
        rate_by_exiv2(second, 2)
        third.unlink()

    before_commit(monkeypatch, act)
    written, kept, gone = tag([first, second, third], scorer, session, relative=relative)
    assert written.action is Action.WRITTEN
    assert (kept.action, kept.rating, kept.old_rating) == (Action.KEPT, 2, 2)
    assert gone.action is Action.FAILED


class TestAtOnce:
    def test_a_rating_given_at_the_very_moment_stands(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second, third = (make_photo(tmp_path / name, 95) for name in ("a.jpg", "b.jpg", "c.gif"))
        before_reading(monkeypatch, lambda: rate_by_exiv2(first, 2))
        before_commit(
            monkeypatch,
            lambda: rate_by_exiv2(second, 1),
            lambda: (tmp_path / "c.gif.xmp").write_text(DARKTABLE.format(rating=3)),
        )
        outcomes = list(tag([first, second, third], scorer, session))
        assert [(outcome.action, outcome.rating, outcome.old_rating) for outcome in outcomes] == [
            (Action.KEPT, stars, stars) for stars in (2, 1, 3)
        ]
        assert set(bytes_of(tmp_path)) == {"a.jpg", "b.jpg", "c.gif", "c.gif.xmp"}

    def test_what_else_was_written_stays_and_the_stars_come_too(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo, edited = make_photo(tmp_path / "a.jpg", 95), make_photo(tmp_path / "b.jpg", 95)
        sidecar = tmp_path / "b.jpg.xmp"
        sidecar.write_text(DARKTABLE.format(rating=0))
        edit = DARKTABLE.format(rating=0).replace("sharpen", "colorin")
        before_commit(
            monkeypatch,
            lambda: subprocess.run(["exiv2", "-M", "set Xmp.dc.title mine", photo], check=True),
            lambda: None,
            lambda: sidecar.write_text(edit),
        )
        outcomes = list(tag([photo, edited], scorer, session))
        assert [(outcome.action, outcome.rating) for outcome in outcomes] == [(Action.WRITTEN, 5)] * 2
        assert "mine" in exiv2(photo)["Xmp.dc.title"]
        found = exiv2(sidecar)
        assert (found["Xmp.xmp.Rating"], found["Xmp.darktable.history[2]/darktable:operation"]) == ("5", "colorin")
        assert exiv2(edited)["Xmp.xmp.Rating"] == "5"

    def test_one_that_is_written_without_end_fails_and_is_as_it_was_left(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        before = photo.read_bytes()
        before_commit(monkeypatch, *[lambda: photo.write_bytes(before)] * 100)
        (outcome,) = tag([photo], scorer, session)
        assert outcome.action is Action.FAILED
        assert "another program" in str(outcome.error)
        assert bytes_of(tmp_path) == {"a.jpg": before}


def test_what_a_killed_run_left_goes_also_where_nothing_is_written(
    scorer: Scorer, session: MetadataSession, tmp_path: Path
) -> None:
    photo = by_hand(tmp_path / "a.jpg", 3)
    dead = subprocess.Popen([sys.executable, "-S", "-c", ""])
    dead.wait()
    left = tmp_path / files.temporary_name("jpg").replace(f"-{os.getpid()}-", f"-{dead.pid}-")
    left.write_bytes(b"a part of a photo")
    for dry_run in (True, False):
        assert by_action(list(tag([photo], scorer, session, dry_run=dry_run))) == [Action.KEPT]
        assert left.exists() == dry_run


def test_what_is_known_of_a_photo_besides_its_rating_is_noted(
    scorer: Scorer, session: MetadataSession, tmp_path: Path
) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    os.link(photo, tmp_path / "snapshot")
    (outcome,) = tag([photo], scorer, session)
    assert outcome.action is Action.WRITTEN
    assert "hard links" in (outcome.note or "")


class TestRejectBelow:
    def test_photos_of_a_lower_score_are_rejected(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path
    ) -> None:
        photos = [make_photo(tmp_path / f"{percent}.jpg", percent) for percent in (5, 20, 95)]
        outcomes = list(tag(photos, scorer, session, reject_below=15))
        assert [outcome.rating for outcome in outcomes] == [-1, 2, 5]
        assert [state.rating for state in session.read(photos) if isinstance(state, RatingState)] == [-1, 2, 5]
        assert by_action(list(tag(photos, scorer, session, reject_below=15))) == [Action.SKIPPED] * 3

    def test_the_score_counts_rather_than_the_rank(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path
    ) -> None:
        photos = [make_photo(tmp_path / f"{percent}.jpg", percent) for percent in (50, 60, 70)]
        outcomes = tag(photos, scorer, session, reject_below=55, relative=True, dry_run=True)
        assert [outcome.rating for outcome in outcomes] == [-1, 3, 4]

    def test_raise_rejects_no_photo_that_has_stars(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path
    ) -> None:
        photo = by_hand(tmp_path / "a.jpg", 1, 5)
        (outcome,) = tag([photo], scorer, session, policy=Policy.RAISE, reject_below=50)
        assert (outcome.action, outcome.rating) == (Action.KEPT, 1)


class Noting(Scorer):
    """A scorer that notes which files it is given."""

    def score(self, paths: Iterable[object], would_block: WouldBlock = never, **asked: Any) -> Iterator[Scored]:
        self.given = getattr(self, "given", [])

        def noted() -> Iterator[object]:
            for path in paths:
                self.given.append(path)
                yield path

        return super().score(noted(), would_block, **asked)


class TestPairs:
    @pytest.fixture
    def noting(self, brightness: Path) -> Iterator[Noting]:
        with Noting(str(brightness), jobs=2, threads=1) as opened:
            yield opened

    @pytest.mark.parametrize("picture", ["a.JPG", "a.heic"])
    def test_a_raw_is_scored_by_the_cameras_picture_once_and_rated_alike(
        self, noting: Noting, session: MetadataSession, tmp_path: Path, picture: str
    ) -> None:
        raw, beside, other = tmp_path / "a.CR3", make_photo(tmp_path / picture, 95), make_photo(tmp_path / "b.jpg", 20)
        raw.write_bytes(b"nobody can decode this")
        for photos in ([raw, beside, other], [beside, raw, other]):
            noting.given = []
            scored = list(score_photos(photos, noting))
            assert [outcome.path for outcome in scored] == photos
            assert noting.given == [beside, other]
        outcomes = list(tag([raw, beside, other], noting, session))
        assert [(outcome.action, outcome.rating) for outcome in outcomes] == [
            (Action.WRITTEN, 5),
            (Action.WRITTEN, 5),
            (Action.WRITTEN, 2),
        ]
        assert outcomes[0].score == outcomes[1].score
        assert (tmp_path / "a.CR3.xmp").exists()

    def test_where_that_cannot_be_decoded_the_raw_itself_is_tried(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path
    ) -> None:
        raw = make_photo(tmp_path / "a.jpg", 95).rename(tmp_path / "a.CR2")
        broken = tmp_path / "a.jpg"
        broken.touch()
        outcomes = list(tag([raw, broken], scorer, session, dry_run=True))
        assert by_action(outcomes) == [Action.SCORED, Action.FAILED]

    def test_exports_frames_of_a_burst_and_films_are_no_pairs(
        self, noting: Noting, session: MetadataSession, tmp_path: Path
    ) -> None:
        photos = [make_photo(tmp_path / name) for name in ("a.jpg", "a.tif", "b_1.jpg", "b_2.jpg", "c.heic")]
        (tmp_path / "c.MOV").write_bytes(b"a film")
        (tmp_path / "b.CR2").write_bytes(b"II*\0")
        list(tag(photos, noting, session))
        assert noting.given == photos
        assert (tmp_path / "c.MOV").read_bytes() == b"a film"
        assert not list(tmp_path.glob("c*.xmp"))

    def test_what_a_person_gave_one_of_them_keeps_both(
        self, scorer: Scorer, session: MetadataSession, tmp_path: Path
    ) -> None:
        jpeg, raw = by_hand(tmp_path / "a.jpg", 2, 95), tmp_path / "a.CR2"
        raw.write_bytes(b"II*\0")
        before = bytes_of(tmp_path)
        assert by_action(list(tag([raw, jpeg], scorer, session))) == [Action.KEPT] * 2
        assert bytes_of(tmp_path) == before


def test_ratings_that_disagree_are_noted(scorer: Scorer, session: MetadataSession, tmp_path: Path) -> None:
    photo = by_hand(tmp_path / "a.jpg", 3)
    (agreed,) = tag([photo], scorer, session)
    rate_by_hand(photo, "-IFD0:Rating=5")
    (kept,) = tag([photo], scorer, session)
    (written,) = tag([photo], scorer, session, policy=Policy.OVERWRITE)
    assert agreed.note is None
    assert kept.note == written.note == "ratings disagree: IFD0:Rating is 5 in a.jpg; taken as 3"
    (afterwards,) = tag([photo], scorer, session)
    assert afterwards.note is None


KINDS = ["new", "rated", "ours", "broken"]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(KINDS), max_size=40), st.booleans())
def test_one_outcome_a_photo_in_order_whatever_they_are(
    scorer: Scorer, session: MetadataSession, tmp_path_factory: pytest.TempPathFactory, kinds: list[str], relative: bool
) -> None:
    folder = tmp_path_factory.mktemp("mixed")
    originals = {
        "new": make_photo(folder / "new.jpg", 95),
        "rated": by_hand(folder / "rated.jpg", 2),
        "ours": make_photo(folder / "ours.jpg", 50),
        "broken": folder / "broken.jpg",
    }
    list(tag([originals["ours"]], scorer, session))
    originals["broken"].touch()
    outcomes = list(tag((originals[kind] for kind in kinds), scorer, session, relative=relative, dry_run=True))
    expected = {"new": Action.SCORED, "rated": Action.KEPT, "ours": Action.SKIPPED, "broken": Action.FAILED}
    assert [(outcome.path, outcome.action) for outcome in outcomes] == [
        (originals[kind], expected[kind]) for kind in kinds
    ]


def test_a_model_is_named_with_its_checksum(scorer: Scorer) -> None:
    assert scorer.tag.startswith("brightness-fp32 ")
    assert scorer.tag != NEW.model
