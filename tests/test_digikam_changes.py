"""What is planned for digiKam's database, and that undoing it restores every row, whatever was there before."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth.digikam.changes import Now, Work, carry_out, read_now, unsound
from aesth.digikam.database import open_database
from aesth.digikam.library import Album, Item
from aesth.digikam.ranking import albums_arranged, order_of, plan_orders
from aesth.digikam.record import Change, Field, LibraryRecord, Recorded, RunKind
from aesth.digikam.roots import Root
from aesth.digikam.settings import SqliteDatabase
from aesth.digikam.stacking import Burst, plan_stacks
from aesth.digikam.undoing import find_undoable, plan_undo, undo
from aesth.errors import JournalError
from aesth.tagging import Action
from support.library import Library, make_library

IMAGES = tuple(range(1, 9))

quick = settings(max_examples=25)

images = st.sampled_from(IMAGES)
orders = st.dictionaries(images, st.integers(-100_001, 300) | st.none())
scores = st.dictionaries(images, st.floats(0, 100))


@st.composite
def groups(draw: st.DrawFn) -> dict[int, int]:
    """Groups as digiKam makes them: a leader is in none, and no photo is in two."""
    return {member: burst.leader for burst in draw(bursts()) for member in burst.members}


@st.composite
def bursts(draw: st.DrawFn) -> list[Burst]:
    """Photos that belong together; none is in two bursts."""
    left = draw(st.permutations(IMAGES))
    found = []
    while len(left) > 1 and draw(st.booleans()):
        size = draw(st.integers(2, len(left)))
        found.append(Burst(left[0], tuple(left[1:size])))
        left = left[size:]
    return found


def now(leaders: Mapping[int, int | None] | None = None, given: Mapping[int, int | None] | None = None) -> Now:
    return Now({image: (given or {}).get(image) for image in IMAGES}, leaders or {})


def item(image: int, album: int = 1) -> Item:
    return Item(image, Album(album, Root(1, "Photos", Path("/photos")), f"/{album}"), f"{image}.jpg")


def made(now: Now, changes: Sequence[Change]) -> Now:
    """What the database says after changes, of which each fits what it said."""
    orders, leaders = dict(now.orders), dict(now.leaders)
    for change in changes:
        assert now.value(change.image, change.field) == change.old
        if change.field is Field.ORDER:
            orders[change.image] = change.new
        elif change.new is None:
            del leaders[change.image]
        else:
            leaders[change.image] = change.new
    return Now(orders, leaders)


def is_flat(leaders: Mapping[int, int | None]) -> bool:
    """Whether no leader is in a group itself, as digiKam wants it."""
    return not set(leaders.values()) & leaders.keys()


@quick
@given(st.floats(0, 100), st.floats(0, 100))
def test_the_better_comes_first_and_all_before_those_without_a_place(one: float, other: float) -> None:
    assert order_of(one) < 0
    if one > other + 0.001:
        assert order_of(one) < order_of(other)
    assert order_of(one) > -(2**31)


@quick
@given(orders, scores)
def test_albums_that_a_person_sorted_stay_as_they_are(before: dict[int, int | None], scored: dict[int, float]) -> None:
    items = [item(image, image % 3) for image in IMAGES]
    state = now(given=before)
    arranged = albums_arranged(items, state, {})
    assert arranged == {image % 3 for image, order in before.items() if order is not None}
    after = made(state, plan_orders({it: scored.get(it.id) for it in items}, state, arranged))
    for it in items:
        ours = it.id in scored and it.album.id not in arranged
        assert after.orders[it.id] == (order_of(scored[it.id]) if ours else before.get(it.id))
    known = {image: frozenset({order}) for image, order in after.orders.items()}
    assert albums_arranged(items, after, known) == set()


@quick
@given(bursts(), groups())
def test_bursts_are_stacked_but_for_those_in_which_a_person_grouped(found: list[Burst], theirs: dict[int, int]) -> None:
    state = now(theirs)
    after = made(state, plan_stacks(found, frozenset(IMAGES), state, {})).leaders
    touched = theirs.keys() | set(theirs.values())
    assert is_flat(after)
    expected = dict(theirs)
    for burst in found:
        if touched.isdisjoint(burst.images):
            expected.update(dict.fromkeys(burst.members, burst.leader))
    assert after == expected


@quick
@given(bursts(), bursts(), groups())
def test_what_we_stacked_is_stacked_anew(before: list[Burst], found: list[Burst], theirs: dict[int, int]) -> None:
    state = now(theirs)
    first = plan_stacks(before, frozenset(IMAGES), state, {})
    stacked = made(state, first)
    ours = {change.image: frozenset({change.new}) for change in first}
    second = plan_stacks(found, frozenset(IMAGES), stacked, ours)
    afresh = made(state, plan_stacks(found, frozenset(IMAGES), state, {}))
    assert made(stacked, second).leaders == afresh.leaders


@quick
@given(bursts(), bursts(), groups(), st.frozensets(images))
def test_photos_that_could_not_be_looked_at_spoil_no_group(
    before: list[Burst], found: list[Burst], theirs: dict[int, int], looked_at: frozenset[int]
) -> None:
    state = now(theirs)
    first = plan_stacks(before, frozenset(IMAGES), state, {})
    stacked = made(state, first)
    ours = {change.image: frozenset({change.new}) for change in first}
    seen = [burst for burst in found if looked_at.issuperset(burst.images)]
    second = plan_stacks(seen, looked_at, stacked, ours)
    assert is_flat(made(stacked, second).leaders)
    assert {change.image for change in second} <= looked_at


@quick
@given(bursts(), bursts(), groups(), st.dictionaries(images, images | st.none()))
def test_undoing_gives_back_what_nobody_touched_and_never_breaks_a_group(
    before: list[Burst], found: list[Burst], theirs: dict[int, int], since: dict[int, int | None]
) -> None:
    state = now(theirs)
    stacked = made(state, plan_stacks(before, frozenset(IMAGES), state, {}))
    ours = {image: frozenset({leader}) for image, leader in stacked.leaders.items()}
    changes = plan_stacks(found, frozenset(IMAGES), stacked, ours)
    after = made(stacked, changes)
    assert made(after, back(changes, after)) == stacked
    leaders = {image: leader for image, leader in {**after.leaders, **since}.items() if leader is not None}
    if is_flat(leaders):
        changed = Now(after.orders, leaders)
        undone = made(changed, back(changes, changed))
        assert is_flat(undone.leaders)
        assert back(changes, undone) == []


@pytest.mark.parametrize(
    ("leaders", "change", "why"),
    [
        ({1: 2}, (3, 1), "its leader would be led"),
        ({1: 2}, (2, 3), "it leads another"),
        ({}, (1, 99), "its leader is gone"),
    ],
)
def test_a_group_that_digikam_could_not_show_is_told(
    leaders: dict[int, int], change: tuple[int, int], why: str
) -> None:
    image, leader = change
    planned = Change(image, Field.LEADER, None, leader)
    assert unsound([planned], now(leaders)) == [planned], why
    assert unsound([Change(image, Field.LEADER, None, 4)], now()) == []


def test_a_stack_stays_whose_best_was_not_looked_at() -> None:
    stacked, ours = now({2: 1}), {2: frozenset({1})}
    assert plan_stacks([], frozenset({2}), stacked, ours) == []
    assert plan_stacks([], frozenset({1, 2}), stacked, ours) == [Change(2, Field.LEADER, 1, None)]


def back(changes: Sequence[Change], now: Now) -> list[Change]:
    return plan_undo([Recorded(number, change, undone=False) for number, change in enumerate(changes)], now)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    library = make_library(tmp_path_factory.mktemp("library") / "library")
    for image in IMAGES:
        library.item(f"{image}.jpg")
    return library


@contextmanager
def working(library: Library) -> Iterator[Work]:
    with open_database(SqliteDatabase(library.database)) as database, LibraryRecord() as record:
        yield Work(database, record, "aesth digikam ...")


def undone(library: Library, run: int | None = None) -> dict[str, Action]:
    items = [item(image) for image in IMAGES]
    with working(library) as work:
        return {outcome.path.name: outcome.action for outcome in undo(items, find_undoable(work, run), work)}


@pytest.mark.parametrize("seed", range(2))
def test_undo_restores_every_row_of_the_database(library: Library, seed: int) -> None:
    """Runs that build on one another, of both kinds, over what persons made, and back."""
    chance = random.Random(seed)
    library.do("DELETE FROM ImageRelations")
    library.do("UPDATE Images SET manualOrder = NULL")
    library.arrange(*chance.sample(IMAGES, 3))
    library.group(*chance.sample(IMAGES, 2))
    contents = [library.content()]
    with working(library) as work:
        for number in range(4):
            shuffled = chance.sample(IMAGES, 6)
            found = [Burst(shuffled[0], tuple(shuffled[1:3])), Burst(shuffled[3], tuple(shuffled[4:]))]
            given = {item(image): chance.uniform(0, 100) for image in shuffled}
            if number % 2:
                ours = work.ours(Field.LEADER)
                carry_out(work, RunKind.GROUP, lambda now: plan_stacks(found, frozenset(IMAGES), now, ours))  # noqa: B023
            else:
                carry_out(work, RunKind.RANK, lambda now: plan_orders(given, now, set()))  # noqa: B023
            if library.content() != contents[-1]:
                contents.append(library.content())
        runs = [run.id for run in work.record.runs()]
    assert len(runs) == len(contents) - 1 >= 2
    for run, before in zip(reversed(runs), reversed(contents[:-1]), strict=True):
        assert set(undone(library, run).values()) <= {Action.WRITTEN}
        assert library.content() == before
    assert set(undone(library, runs[0]).values()) == {Action.SKIPPED}
    assert library.content() == contents[0]


def rank_first_two(library: Library, *, order: int = -5) -> None:
    with working(library) as work:
        carry_out(
            work,
            RunKind.RANK,
            lambda now: [Change(image, Field.ORDER, now.orders[image], order - image) for image in (1, 2)],
        )


@pytest.fixture
def fresh(library: Library) -> Library:
    library.do("DELETE FROM ImageRelations")
    library.do("UPDATE Images SET manualOrder = NULL")
    return library


def test_what_a_person_changed_since_stays(fresh: Library) -> None:
    rank_first_two(fresh)
    fresh.do("UPDATE Images SET manualOrder = 100 WHERE id = 2")
    assert undone(fresh) == {"1.jpg": Action.WRITTEN, "2.jpg": Action.KEPT}
    assert fresh.orders()["1.jpg"] is None
    assert fresh.orders()["2.jpg"] == 100
    assert undone(fresh) == {"1.jpg": Action.SKIPPED, "2.jpg": Action.KEPT}


def test_a_later_run_is_to_be_undone_first(fresh: Library) -> None:
    rank_first_two(fresh)
    rank_first_two(fresh, order=-500)
    assert set(undone(fresh, 1).values()) == {Action.KEPT}
    with working(fresh) as work:
        (outcome, _) = undo([item(image) for image in IMAGES], find_undoable(work, 1), work)
    assert "run 2 changed this since; undo that one first" in str(outcome.error)
    assert set(undone(fresh, 2).values()) == {Action.WRITTEN}
    assert set(undone(fresh, 1).values()) == {Action.WRITTEN}
    assert set(fresh.orders().values()) == {None}


def test_a_run_that_was_recorded_and_never_made_changes_nothing(fresh: Library) -> None:
    """As after a loss of power between the two."""
    rank_first_two(fresh)
    before = fresh.content()
    with working(fresh) as work:
        planned = [Change(image, Field.ORDER, read_now(work.database).orders[image], -900) for image in (1, 2)]
        library = work.record.runs()[0].library
        work.record.plan(library, "it", RunKind.RANK, planned, command="", backup=Path("b"))
        assert work.ours(Field.ORDER)[1] == {-6, -900}
    assert set(undone(fresh).values()) == {Action.SKIPPED}
    assert fresh.content() == before
    assert set(undone(fresh, 1).values()) == {Action.WRITTEN}


def test_nothing_is_changed_that_is_not_recorded(fresh: Library, own_places: Path) -> None:
    before = fresh.content()
    with working(fresh) as work:
        work.record.close()
        with pytest.raises(JournalError):
            carry_out(work, RunKind.RANK, lambda now: [Change(1, Field.ORDER, None, -5)])
    assert fresh.content() == before


def test_a_photo_that_is_gone_needs_nothing(library: Library, tmp_path: Path) -> None:
    other = make_library(tmp_path / "other")
    for image in IMAGES:
        other.item(f"{image}.jpg")
    other.arrange(1, 2)
    rank_first_two(other)
    other.do("DELETE FROM Images WHERE id = 1")
    assert undone(other) == {"1.jpg": Action.SKIPPED, "2.jpg": Action.WRITTEN}


def test_a_record_that_is_damaged_or_newer_stops_everything(own_places: Path) -> None:
    file = own_places / "state" / "digikam.sqlite"
    file.parent.mkdir()
    file.write_bytes(b"no record" * 1000)
    with pytest.raises(JournalError, match="this record is damaged"):
        LibraryRecord()
    file.unlink()
    with LibraryRecord():
        pass
    file.write_bytes(file.read_bytes().replace(b"CREATE TABLE ", b"CREATE TABL\x80 "))
    with pytest.raises(JournalError, match="this record is damaged"):
        LibraryRecord()
    file.unlink()
    with closing(sqlite3.connect(file)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(JournalError, match="written by a newer aesth"):
        LibraryRecord()
