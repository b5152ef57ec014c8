"""Take back what a run wrote: what `aesth undo` does, for programs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from aesth.errors import AesthError, JournalError
from aesth.metadata import ChangedError, MetadataSession
from aesth.metadata.journal import Entry
from aesth.metadata.undoing import Plan, RatedSinceError
from aesth.tagging import MOST_TRIES, Action, Outcome


@dataclass(frozen=True)
class Undoable:
    """What an undo is about.

    Attributes:
        run: the number of the run that is taken back.
        photos: its photos, with what it wrote for each; with nothing for a path that it did not write to.
        later: files that later runs wrote, each with the number of the last one.
    """

    run: int
    photos: Mapping[Path, Sequence[Entry]]
    later: Mapping[Path, int]


def find_undoable(session: MetadataSession, run: int | None = None, paths: Sequence[Path] = ()) -> Undoable:
    """What is to be taken back.

    Args:
        session: an open one.
        run: the number of a run; None takes the last one that gave ratings, also where it has been taken back already.
        paths: photos, their sidecars, or folders; none takes all of the run.

    Raises:
        JournalError: the journal cannot be opened, or there is no such run, or it is an undo itself.
    """
    journal = session.open_journal()
    if run is None and (run := journal.last()) is None:
        raise JournalError("there is no run to undo", journal.path)
    found = next((known for known in journal.runs() if known.id == run), None)
    if found is None:
        raise JournalError(f"there is no run {run} in it; `aesth history` lists them", journal.path)
    if found.undoes is not None:
        raise JournalError(f"run {run} is an undo itself; `aesth tag` gives the stars again", journal.path)
    return Undoable(found.id, _chosen(journal.entries(found.id), paths), journal.later(found.id))


def undo(
    session: MetadataSession, what: Undoable, photos: Iterable[Path] | None = None, *, dry_run: bool = False
) -> Iterator[Outcome]:
    """Give photos their old metadata back: lazily, one outcome a photo, the last one first.

    ``WRITTEN`` photos have it back, ``SKIPPED`` ones had it already, and ``KEPT`` ones stay as they are, because
    somebody rated them since, as the error tells. ``score`` and ``rating`` are those after the undo. It can be stopped
    at any time, and done again: every file is whole, and nothing happens twice.

    Args:
        session: reads and writes ratings; its command line is what the journal tells of this undo.
        what: what is to be taken back; see `find_undoable`.
        photos: only these of ``what.photos``.
        dry_run: write nothing; a photo that would be written is ``SCORED``.

    Raises:
        JournalError: the undo cannot be recorded; nothing is written from here on.
    """
    session.begin_run()
    for photo in what.photos if photos is None else photos:
        yield _undo(session, what, photo, dry_run=dry_run)


def _undo(session: MetadataSession, what: Undoable, photo: Path, *, dry_run: bool) -> Outcome:
    entries = what.photos[photo]
    if not entries:
        error = AesthError(f"run {what.run} did not write to this", photo)
        return Outcome(photo, None, None, None, Action.FAILED, error)
    try:
        plan = _taken_back(session, what.run, photo, entries, dry_run=dry_run)
    except RatedSinceError as error:
        return _refused(session, photo, Action.KEPT, _reason(error, entries, what.later))
    except JournalError:
        raise
    except AesthError as error:
        return _refused(session, photo, Action.FAILED, error)
    action = Action.SKIPPED if plan.nothing else Action.SCORED if dry_run else Action.WRITTEN
    return Outcome(photo, plan.after.our_score, plan.after.rating, plan.before.rating, action)


def _taken_back(
    session: MetadataSession, run: int, photo: Path, entries: Sequence[Entry], *, dry_run: bool, tries: int = MOST_TRIES
) -> Plan:
    """What was done with one photo, or would be; tried again where another program changes it this moment."""
    plan = session.plan_undo(photo, entries)
    try:
        if not plan.nothing and not dry_run:
            session.undo(plan, run)
    except ChangedError:
        if tries == 1:
            raise
        return _taken_back(session, run, photo, entries, dry_run=dry_run, tries=tries - 1)
    return plan


def _refused(session: MetadataSession, photo: Path, action: Action, error: AesthError) -> Outcome:
    state = next(session.read([photo]))
    rating = None if isinstance(state, AesthError) else state.rating
    return Outcome(photo, None, rating, rating, action, error)


def _reason(error: AesthError, entries: Sequence[Entry], later: Mapping[Path, int]) -> AesthError:
    run = max((later.get(entry.file, 0) for entry in entries), default=0)
    if not run:
        return error
    return RatedSinceError(f"run {run} rated it since; undo that one first (aesth undo {run})", error.path)


def _chosen(entries: Sequence[Entry], paths: Sequence[Path]) -> dict[Path, list[Entry]]:
    """The entries of each photo, of those that ``paths`` name, the last one first."""
    photos: dict[Path, list[Entry]] = {}
    for entry in reversed(entries):
        photos.setdefault(entry.photo, []).insert(0, entry)
    if not paths:
        return photos
    wanted = {path: _names(path) for path in paths}
    chosen: dict[Path, list[Entry]] = {}
    meant: set[Path] = set()
    for photo, its in photos.items():
        names = {photo, *photo.parents, *(entry.file for entry in its)}
        if matching := [path for path, absolute in wanted.items() if not names.isdisjoint(absolute)]:
            chosen[photo] = its
            meant.update(matching)
    return chosen | {path: [] for path in paths if path not in meant}


def _names(path: Path) -> set[Path]:
    return {Path(os.path.abspath(path)), Path(os.path.realpath(path))}  # noqa: PTH100 - the journal's are as given
