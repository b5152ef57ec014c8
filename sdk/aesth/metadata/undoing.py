"""Taking changes back: what each file of a photo must hold then, or why it must not be touched; and doing it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aesth.errors import JournalError, MetadataError
from aesth.metadata import files, sidecars
from aesth.metadata.exiftool import ask
from aesth.metadata.files import Staged
from aesth.metadata.journal import Entry, Journal, State
from aesth.metadata.ratings import (
    RatingState,
    Values,
    are_same,
    combine,
    given_back,
    marks,
    still_stands,
    values_of,
)
from aesth.metadata.workplace import Workplace
from aesth.metadata.writer import Declined, stage_undone


class RatedSinceError(MetadataError):
    """Somebody changed a rating after we wrote it: an undo would lose what they said."""


@dataclass(frozen=True)
class Step:
    """What an undo does with one file.

    Attributes:
        file: the photo or a sidecar.
        entries: the numbers of the changes that it takes back.
        now: what the file says now.
        after: what it will say.
        digest: it goes, being a sidecar of our making with this content; None for files that stay.
        done: it says that already, or is not there any more; nothing is to be done.
    """

    file: Path
    entries: tuple[int, ...]
    now: Values
    after: Values
    digest: str | None = None
    done: bool = False


@dataclass(frozen=True)
class Plan:
    """What an undo does with one photo.

    Attributes:
        photo: the photo.
        steps: what happens to its files, the photo first.
        before: what it says now, as photo managers see it.
        after: what it will say.
    """

    photo: Path
    steps: tuple[Step, ...]
    before: RatingState
    after: RatingState

    @property
    def nothing(self) -> bool:
        """Whether no file changes."""
        return all(step.done for step in self.steps)


def as_entry(photo: Path, staged: Staged) -> Entry:
    """What the journal records of a file of ``photo`` that is about to be replaced or made."""
    written = _digest(staged.temporary) if sidecars.is_sidecar(staged.destination) else None
    return Entry(photo, staged.destination, staged.before is None, written, staged.old, staged.new)


def make_plan(workplace: Workplace, photo: Path, entries: Sequence[Entry]) -> Plan:
    """What is to be done to take ``entries`` of one ``photo``, all of one run, back.

    Raises:
        RatedSinceError: somebody rated the photo since; the message tells in which file.
        MetadataError: a file is damaged or cannot be read, or the photo is not there any more.
    """
    if not photo.exists():
        raise MetadataError("no such file; was it moved or renamed since?", photo)
    beside = sidecars.find(photo)
    for sidecar in beside:
        sidecars.check(sidecar.path)
    target = Path(os.path.realpath(photo))
    now = _read(workplace, [*(sidecar.path for sidecar in beside), target])
    by_file = _by_file(entries)
    pending = any(entry.state is not State.UNDONE for entry in entries)
    for sidecar in beside:
        if pending and not sidecar.shared and sidecar.path not in by_file and marks(now[sidecar.path]).by_person:
            raise RatedSinceError("this sidecar, made since, holds another rating; nothing was changed", sidecar.path)
    now |= _read(workplace, [file for file in by_file if file not in now and file.exists()])
    steps = [_step(file, group, now.get(file)) for file, group in by_file.items()]
    steps.sort(key=lambda step: sidecars.is_sidecar(step.file))
    then = now | {step.file: step.after for step in steps}
    removed = {step.file for step in steps if step.digest}
    sources = [*((sidecar.path, sidecar.shared) for sidecar in beside), (target, False)]
    return Plan(
        photo,
        tuple(steps),
        combine([marks(now[file], shared=shared) for file, shared in sources]),
        combine([marks(then[file], shared=shared) for file, shared in sources if file not in removed]),
    )


def carry_out(workplace: Workplace, journal: Journal, run: int, plan: Plan, *, touch: bool = False) -> None:
    """Take the changes of ``plan`` back, as a part of ``run``; each file whole or not at all.

    Raises:
        RatedSinceError: somebody rated the photo this moment.
        ChangedError: another program changed one of its files this moment; a new plan tells what is left to do.
        MetadataError: a file cannot be written; the message says why.
    """
    staged: list[Staged] = []
    try:
        for step in plan.steps:
            if not step.done and not step.digest:
                _stage(workplace, step, staged, touch=touch)
        files.prepare(staged)
        ready = {item.destination: item for item in staged}
        journal.mark([number for step in plan.steps if not step.done for number in step.entries], State.UNDOING, run)
        for step in plan.steps:
            if step.digest:
                _remove(step)
            elif not step.done:
                files.commit(ready[step.file])
            with suppress(JournalError):  # what is not told now is found out by `settle`
                journal.mark(step.entries, State.UNDONE, run)
    finally:
        files.discard(staged)


def settle(workplace: Workplace, journal: Journal) -> None:
    """Find out by the files themselves how far changes came whose programs were killed, and record it.

    What cannot be looked at now, because its disk is not connected, say, is left for another time.
    """
    for entry in journal.unsettled():
        with suppress(MetadataError, OSError):
            found = _settled(workplace, entry)
            if found is None:
                journal.drop([entry])
            else:
                journal.mark([entry.id], found)


def _settled(workplace: Workplace, entry: Entry) -> State | None:
    """How far a change came: None where it never happened."""
    undoing = entry.state is State.UNDOING
    if entry.created and not os.path.lexists(entry.file) and entry.file.parent.is_dir():
        return State.UNDONE if undoing else None
    now = _read(workplace, [entry.file])[entry.file]
    if not still_stands(now, entry.new) and are_same(now, given_back(now, entry.new, entry.old)):
        return State.UNDONE if undoing else None
    return State.DONE


def _by_file(entries: Iterable[Entry]) -> dict[Path, list[Entry]]:
    found: dict[Path, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.file, []).append(entry)
    return found


def _step(file: Path, entries: Sequence[Entry], now: Values | None) -> Step:
    """What happens to a ``file`` that a run wrote once or several times, in this order; None where it is gone."""
    open_ones = [entry for entry in entries if entry.state is not State.UNDONE]
    numbers = tuple(entry.id for entry in open_ones)
    if now is None or not open_ones:  # a sidecar that a person removed took our rating with it
        return Step(file, numbers, now or {}, now or {}, done=True)
    last = next((at for at in reversed(range(len(open_ones))) if still_stands(now, open_ones[at].new)), None)
    if last is None:
        if any(are_same(now, given_back(now, entry.new, entry.old)) for entry in open_ones):
            return Step(file, numbers, now, now, done=True)
        raise RatedSinceError("its rating was changed since; it was left as it is", file)
    first = last
    while first and are_same(open_ones[first - 1].new, open_ones[first].old):
        first -= 1
    after = {key: value for key, value in given_back(now, open_ones[last].new, open_ones[first].old).items() if value}
    ours = open_ones[last].digest if open_ones[first].created else None
    if ours and _digest(file) == ours:
        return Step(file, numbers, now, {}, digest=ours)
    return Step(file, numbers, now, after, done=are_same(now, after))


def _stage(workplace: Workplace, step: Step, staged: list[Staged], *, touch: bool) -> None:
    try:
        stage_undone(workplace, step.file, step.after, staged, touch=touch)
    except Declined as error:
        raise MetadataError(f"the old rating cannot be written ({error.message})", step.file) from error
    if not are_same(staged[-1].old, step.now):
        raise RatedSinceError("its rating was changed this moment; it was left as it is", step.file)


def _remove(step: Step) -> None:
    before = step.file.stat()
    if _digest(step.file) != step.digest:
        raise files.ChangedError("another program changed this sidecar meanwhile; it was left as it is", step.file)
    files.remove(step.file, before)


def _read(workplace: Workplace, paths: Sequence[Path]) -> dict[Path, Values]:
    if not paths:
        return {}
    tags = ask(paths[0], lambda: workplace.read_tags(paths))
    for path, found in zip(paths, tags, strict=True):
        if found is None:
            raise MetadataError("ExifTool cannot open this file; check that it can be read", path)
    return {path: values_of(found or {}) for path, found in zip(paths, tags, strict=True)}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
