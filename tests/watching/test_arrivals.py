"""Photos come when they have settled, whatever way they arrive; between two of them the test is the other program."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aesth.errors import AesthError
from aesth.tagging import Action, Outcome
from aesth.watching import Arrivals

pytest.importorskip("watchdog")

SETTLE = 0.05
NEVER_IDLE = None


@contextmanager
def watched(*folders: Path, **options: object) -> Iterator[tuple[Arrivals, Iterator[Path]]]:
    """A watch, and what it yields: the next photo, however long that takes."""
    with Arrivals(folders, settle=SETTLE, **options) as arrivals:  # type: ignore[arg-type]
        yield arrivals, iter(arrivals)


def finish(arrivals: Arrivals, *photos: Path) -> None:
    list(arrivals.finishing(Outcome(photo, None, None, None, Action.WRITTEN) for photo in photos))


@pytest.mark.parametrize("poll", [None, 0.1], ids=["told", "polled"])
def test_first_come_those_that_are_there_and_then_those_that_arrive(tmp_path: Path, poll: float | None) -> None:
    (tmp_path / "a.jpg").write_bytes(b"there")
    with watched(tmp_path, poll=poll) as (arrivals, photos):
        assert next(photos) == tmp_path / "a.jpg"
        assert arrivals.would_block()
        (tmp_path / "new" / "deep").mkdir(parents=True)
        (tmp_path / "new" / "deep" / "b.cr3").write_bytes(b"arrived")
        assert next(photos) == tmp_path / "new" / "deep" / "b.cr3"


def test_it_ends_when_it_was_idle_and_not_while_a_photo_is_in_work(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"there")
    with watched(tmp_path, until_idle=0) as (arrivals, photos):
        assert next(photos) == tmp_path / "a.jpg"
        (tmp_path / "a.jpg").write_bytes(b"with stars")
        finish(arrivals, tmp_path / "a.jpg")
        assert list(photos) == []


def test_a_file_comes_when_it_was_renamed_to_a_photo_or_closed_by_its_writer(tmp_path: Path) -> None:
    part = tmp_path / "a.jpg.part"
    part.write_bytes(b"half")
    with watched(tmp_path) as (_, photos), (tmp_path / "b.jpg").open("wb", buffering=0) as writer:
        writer.write(b"half")
        part.rename(tmp_path / "a.jpg")
        assert next(photos) == tmp_path / "a.jpg"
        writer.close()
        assert next(photos) == tmp_path / "b.jpg"


def test_a_sidecar_that_comes_late_brings_its_raw_and_jpeg_again(tmp_path: Path) -> None:
    both = [tmp_path / "a.cr3", tmp_path / "a.jpg"]
    for path in both:
        path.write_bytes(b"there")
    with watched(tmp_path) as (arrivals, photos):
        assert [next(photos), next(photos)] == both
        finish(arrivals, *both)
        (tmp_path / "a.cr3.xmp").write_bytes(b"rated on a phone")
        assert [next(photos), next(photos)] == both


def test_a_folder_may_come_late_and_vanish_and_come_back(tmp_path: Path) -> None:
    card, away = tmp_path / "card", tmp_path / "away"
    told: list[str] = []

    def tell(notice: AesthError) -> None:
        """The other program does the next step as soon as it is told of the last."""
        told.append(notice.message)
        if len(told) == 1:
            card.mkdir()
            (card / "one.jpg").write_bytes(b"arrived")
        if len(told) == 3:
            (away / "two.jpg").write_bytes(b"arrived")
            away.rename(card)

    with watched(card, tell=tell) as (_, photos):
        assert next(photos) == card / "one.jpg"
        card.rename(away)
        assert next(photos).parent == card
        assert [message.split(";")[0] for message in told] == ["is not there", "is there now, and watched"] * 2


def test_what_find_photos_passes_over_does_not_come(tmp_path: Path) -> None:
    for name in (".hidden.jpg", "a.txt", "not.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"there")
    with watched(tmp_path, exclude=["not*"], until_idle=0) as (_, photos):
        assert next(photos) == tmp_path / "b.jpg"
