"""ExifTool, kept open: ratings are read in batches and written one by one, each file whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self, TypeAlias

from aesth.ahead import WouldBlock, never, take
from aesth.cores import usable_cores
from aesth.errors import AesthError, JournalError, MetadataError
from aesth.metadata import files, sidecars
from aesth.metadata.capture import Capture, read_captures
from aesth.metadata.exiftool import ExifTool, check_version, find_program
from aesth.metadata.journal import Entry, Journal, State
from aesth.metadata.lately import LatelyRead
from aesth.metadata.memory import NOTHING_KNOWN, KnownFiles, KnownPrograms, Memory, just_read
from aesth.metadata.ratings import NewPick, NewRating, RatingState, clean_model
from aesth.metadata.reader import read_batch
from aesth.metadata.sidecars import SidecarStyle
from aesth.metadata.undoing import Plan, as_entry, carry_out, make_plan, settle
from aesth.metadata.workplace import Workplace, Workplaces
from aesth.metadata.writer import Tell, stage_all
from aesth.pairs import Folders

BATCH_SIZE = 64

_WORTH_A_LIST = 8
"""For so many photos at once their folders are listed."""

Rewritten: TypeAlias = Callable[[os.stat_result, os.stat_result], None]
"""Told of a photo that was written itself: how the file was before, and how it is now."""

_FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG})


class MetadataSession:
    """Reads and writes ratings. A context manager.

    Threads may share it: each that reads or writes has an ExifTool of its own meanwhile. Photos that share files (see
    `aesth.pairs.families`) must not be written at the same time.

    What it writes is recorded as a run of the journal, so that `aesth.undo` can take it back.

    Args:
        exiftool: the executable; None takes the one on the PATH.
        style: how new sidecars are called.
        journal: the file of the journal; None takes that of this person.
        command: what the journal tells of who wrote.
        touch: let the modification time of photos tell that they were written; it is kept otherwise.
        memory: what it reads is kept there, and known by the next session: files that are as they were are not opened,
            and ExifTool is started only when there is something to open.
        processes: so many ExifTools run at most, each started when all others are in use; None takes as many as pay.

    Raises:
        MissingDependencyError: ExifTool is not installed or too old; the message says how to install it. That it is too
            old is told by its first use where its version is remembered.
    """

    def __init__(
        self,
        exiftool: str | None = None,
        style: SidecarStyle = SidecarStyle.DARKTABLE,
        *,
        journal: Path | None = None,
        command: str = "MetadataSession",
        touch: bool = False,
        memory: Memory | None = None,
        processes: int | None = None,
    ) -> None:
        self._program = exiftool
        self._style = style
        self._journal_file = journal
        self._command = command
        self._touch = touch
        self._memory = memory
        self._known = NOTHING_KNOWN
        self._lately = LatelyRead()
        self._journal: Journal | None = None
        self._run: int | None = None
        self._recording = Lock()
        self._workplaces: Workplaces | None = None
        self.processes = processes or processes_that_pay(usable_cores())
        self._cleaned: set[Path] = set()
        self.version = ""
        self._has_met = False

    def __enter__(self) -> Self:
        program = find_program(self._program)
        try:
            folder = files.make_private_folder()
        except OSError as error:
            message = f"no temporary folder can be made ({error.strerror}): free some space, or name another in TMPDIR"
            raise MetadataError(message, error.filename) from error
        self._has_met = False
        self._workplaces = Workplaces(Workplace(folder, ExifTool(program, folder, self._meet)), self.processes)
        version = KnownPrograms(self._memory).version(Path(program))
        try:
            if version is None:
                self._open().exiftool.start()
            else:
                self._trust(version)
        except BaseException:
            self.close()
            raise
        return self

    def _meet(self, exiftool: ExifTool) -> None:
        """See that an ExifTool that was started is new enough, and remember its version for sessions that need none.

        A script that starts another program looks as it did while that is replaced, so that a remembered version is
        believed only until here. Those that are started after the first of the session are the same program.
        """
        if self._has_met:
            return
        version = check_version(exiftool)
        self._has_met = True
        KnownPrograms(self._memory).note(Path(exiftool.program), version)
        if version != self.version:
            self._trust(version)

    def _trust(self, version: str) -> None:
        self.version = version
        self._known = KnownFiles(self._memory, version)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End ExifTool. Files are whole at any time."""
        workplaces, self._workplaces = self._workplaces, None
        if workplaces is not None:
            workplaces.close()
            shutil.rmtree(workplaces.first.folder, ignore_errors=True)
        journal, self._journal, self._run = self._journal, None, None
        if journal is not None:
            journal.close()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """End what other threads do this very moment: their writes fail, and so do those that are begun inside."""
        workplaces = self._opened()
        workplaces.stop()
        try:
            yield
        finally:
            workplaces.resume()

    def open_journal(self) -> Journal:
        """The journal, opened by the first call; what killed programs left open in it is settled then.

        Raises:
            JournalError: it cannot be kept, so that nothing can be written.
        """
        self._opened()
        with self._recording:
            if self._journal is None:
                self._journal = Journal(self._journal_file)
                with self._one() as workplace:
                    settle(workplace, self._journal)
            return self._journal

    def begin_run(self) -> None:
        """What is written from here on is a run of its own, which is recorded with its first write.

        Raises:
            JournalError: it could not be recorded.
        """
        self.open_journal().check_writable()
        self._run = None

    def tidy(self, folder: Path) -> None:
        """Remove temporary files that killed runs left in a folder, once in this session."""
        self._clean_litter({Path(os.path.abspath(folder))})  # noqa: PTH100 - as `write` has it

    def read(
        self, paths: Iterable[Path], would_block: WouldBlock = never, *, fresh: bool = False, to_write: bool = False
    ) -> Iterator[RatingState | AesthError]:
        """The rating of each photo as photo managers see it, in input order, lazily, in batches that grow.

        An existing sidecar wins over what is embedded, as it does in digiKam and darktable. Where taking the next path
        ``would_block``, those taken are read first. ``fresh`` opens files also where what they say is remembered.
        Where most photos are ``to_write`` soon, what a write needs is read as well, and not again then.
        """
        known = NOTHING_KNOWN if fresh else self._known
        lately = self._lately if to_write else None
        folders = Folders()
        source = iter(paths)
        size = 1
        while batch := list(take(source, size, would_block)):
            folders.refresh()
            with self._one() as workplace:
                listed = folders if len(batch) >= _WORTH_A_LIST else None
                states = list(read_batch(workplace, batch, known, listed, lately))
            yield from states
            size = min(2 * size, BATCH_SIZE)

    def read_captures(self, paths: Iterable[Path]) -> Iterator[Capture | AesthError]:
        """When and with what each photo was taken, in input order, lazily, in batches; sidecars are not asked."""
        source = iter(paths)
        while batch := list(islice(source, BATCH_SIZE)):
            with self._one() as workplace:
                captures = list(read_captures(workplace, batch))
            yield from captures

    def write(
        self,
        path: Path,
        new: NewRating | NewPick,
        *,
        sidecar: bool = False,
        expected: RatingState | None = None,
        tell: Tell = lambda _: None,
        rewritten: Rewritten = lambda _before, _now: None,
    ) -> list[Path]:
        """Write stars and score, or a pick label alone, into a photo, or its sidecar where it must not be touched.

        A symbolic link is followed to the file. The photo keeps its owner, permissions, attributes and, unless the
        session is to ``touch`` it, its modification time.

        Args:
            path: the photo.
            new: what to write.
            sidecar: write a sidecar even where the photo could hold the rating.
            expected: what the photo said when it was decided that it gets this rating; None accepts anything.
            tell: told what a person may want to know of the write.
            rewritten: told of the photo itself, if it was written.

        Returns:
            The files that were changed.

        Raises:
            ChangedError: nothing was changed, as the photo does not say what was ``expected``, or another program
                wrote this moment.
            MetadataError: nothing was changed; the message says why.
            JournalError: the same, and so will it be for every photo: the write cannot be recorded.
        """
        staged: list[files.Staged] = []
        photo = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the link, away from its sidecars
        try:
            sidecars.refuse(photo)
            beside = [found for found in sidecars.find(photo) if not found.shared]
            target = Path(os.path.realpath(photo, strict=True))
            self._clean_litter({photo.parent, target.parent})
            existing = [found.path for found in beside]
            journal = self.open_journal()
            with self._one() as workplace:
                stage_all(
                    workplace,
                    photo,
                    target,
                    existing,
                    new,
                    staged,
                    sidecar_only=sidecar,
                    style=self._style,
                    touch=self._touch,
                    tell=tell,
                    lately=self._lately,
                )
                if expected is not None:
                    _require(workplace, photo, expected, staged)
            for item, now in self._commit(journal, photo, staged, new):
                if item.destination == target and item.before is not None:
                    rewritten(item.before, now)
            return [item.destination for item in staged]
        except OSError as error:
            raise MetadataError(_explain(error, photo), path) from error
        finally:
            files.discard(staged)

    def plan_undo(self, photo: Path, entries: Sequence[Entry]) -> Plan:
        """What is to be done to take ``entries`` of one photo, all of one run, back.

        Raises:
            RatedSinceError: somebody rated the photo since.
            MetadataError: a file is damaged, cannot be read, or is not there any more.
        """
        try:
            with self._one() as workplace:
                return make_plan(workplace, photo, entries)
        except OSError as error:
            raise MetadataError(_explain(error, photo), photo) from error

    def undo(self, plan: Plan, run: int) -> None:
        """Do what ``plan`` says; it becomes a part of this session's run, which undoes ``run``.

        Raises:
            RatedSinceError: somebody rated the photo this moment.
            ChangedError: another program changed a file this moment; a new plan tells what is left to do.
            MetadataError: a file cannot be written; the message says why.
            JournalError: nothing was changed, and nothing will be: it cannot be recorded.
        """
        journal = self.open_journal()
        self._clean_litter({step.file.parent for step in plan.steps})
        if self._run is None:
            self._run = journal.begin(self._command, "", undoes=run)
        try:
            with self._one() as workplace:
                carry_out(workplace, journal, self._run, plan, touch=self._touch)
        except OSError as error:
            raise MetadataError(_explain(error, plan.photo), plan.photo) from error

    def _commit(
        self, journal: Journal, photo: Path, staged: Sequence[files.Staged], new: NewRating | NewPick
    ) -> list[tuple[files.Staged, os.stat_result]]:
        """Put all files in their places; the journal knows before the first and after the last.

        Returns:
            each file, and how it is now.
        """
        files.prepare(staged)
        entries = [as_entry(photo, item) for item in staged]
        with self._recording:
            if self._run is None:
                self._run = journal.begin(self._command, clean_model(new.model))
            run = self._run
            numbers = journal.plan(run, entries)
        done: list[int] = []
        written: list[tuple[files.Staged, os.stat_result]] = []
        try:
            for number, item in zip(numbers, staged, strict=True):
                staged_as = item.temporary.stat()
                files.commit(item)
                done.append(number)
                written.append((item, staged_as))
                self._know(item, staged_as)
        except files.ChangedError as error:
            if done:
                names = ", ".join(item.destination.name for item, _ in written)
                raise MetadataError(f"{error.message}; {names} was written already", error.path) from error
            self._withdraw(journal, run, entries, numbers)
            raise
        finally:
            with suppress(JournalError):  # what is not told now, also of a file that failed, is found out by `settle`
                journal.mark(done, State.DONE)
        return written

    def _know(self, item: files.Staged, written: os.stat_result) -> None:
        """Remember what we wrote into a file, unless another program has written there by now."""
        state = self._known.state(item.destination)
        if files.is_as_written(item.destination, written):
            self._known.note(item.destination, state, item.new)

    def _withdraw(self, journal: Journal, run: int, entries: Sequence[Entry], numbers: Sequence[int]) -> None:
        """Forget what was announced and did not happen, and the run if nothing else is left of it."""
        with self._recording, suppress(JournalError):
            journal.drop([replace(entry, id=number, run=run) for entry, number in zip(entries, numbers, strict=True)])
            if not journal.entries(run):
                self._run = None

    def _opened(self) -> Workplaces:
        if self._workplaces is None:
            raise MetadataError("a MetadataSession is used inside a `with` statement only")
        return self._workplaces

    def _open(self) -> Workplace:
        """The first workplace, for who knows that no other thread is at work."""
        return self._opened().first

    def _one(self) -> AbstractContextManager[Workplace]:
        """A workplace that no other thread has meanwhile."""
        return self._opened().one()

    def _clean_litter(self, folders: set[Path]) -> None:
        for folder in folders - self._cleaned:
            files.clean_litter(folder)
            self._cleaned.add(folder)


def processes_that_pay(cores: int) -> int:
    """How many ExifTools are worth their memory, some 50 MB each.

    A write takes a sixth of what a core does for a photo, and a third of its time it waits for the disk: so one for two
    cores keeps up, of which there are two even where cores are few, as one works while the other waits.
    """
    return min(4, max(2, cores // 2))


def _require(workplace: Workplace, photo: Path, expected: RatingState, staged: Sequence[files.Staged]) -> None:
    """Make sure of the rating, now that any change of the files since they were read will be noticed by `files.commit`.

    Files that are to be replaced were read for that already; sidecars are looked for anew, and the others read.
    """
    (now,) = read_batch(workplace, [photo], just_read(staged))
    if isinstance(now, AesthError):
        raise now
    if (now, now.pick) != (expected, expected.pick):
        raise files.ChangedError("somebody rated this photo meanwhile; it was left as it is", photo)


def _explain(error: OSError, photo: Path) -> str:
    reason = error.strerror or str(error)
    if isinstance(error, FileNotFoundError):
        return files.missing(photo)
    if error.errno in _FULL:
        return f"nothing was written, the disk is full ({reason}): free some space, and run it again"
    if isinstance(error, PermissionError):
        return f"nothing was written, this photo or its folder cannot be written to ({reason}): change its permissions"
    return f"nothing was written ({reason})"
