"""How far a run is, and what became of it: on stderr, so that stdout holds results alone."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Self, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from aesth.tagging import Action, Outcome

_Item = TypeVar("_Item")


class RateColumn(ProgressColumn):
    """Photos per second, or what else is counted.

    Args:
        unit: what is counted.
    """

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """The speed of ``task``, or nothing before it is known."""
        return Text(f"{task.speed:.1f} {self._unit}/s" if task.speed else "", "dim")


class Meter:
    """A progress bar on ``console``, or nothing at all.

    Args:
        console: where it is drawn.
        total: number of photos, or None if it is not known yet.
        shown: whether there is a bar.
        doing: what the bar says is done.
        unit: what is counted.
    """

    def __init__(
        self, console: Console, total: int | None, *, shown: bool, doing: str = "Scoring", unit: str = "photos"
    ) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            RateColumn(unit),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not shown,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(doing, total=total)
        self._begun = 0
        self._done = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.stop()

    def count_begun(self, photos: Iterable[_Item]) -> Iterator[_Item]:
        """``photos``; the bar follows them as long as no outcome is there, as in a run that ranks them all first."""
        for photo in photos:
            if not self._done:
                self._progress.update(self._task, completed=self._begun)
            self._begun += 1
            yield photo

    def advance(self, photos: int = 1) -> None:
        """So many photos more have their outcome."""
        self._done += photos
        self._progress.update(self._task, completed=self._done)

    def expect(self, photos: int) -> None:
        """So many photos are known of now."""
        self._progress.update(self._task, total=photos)

    def follow(self, doing: str, done: int, total: int | None) -> None:
        """Tell of something else, of which so much is done."""
        self._progress.update(self._task, description=doing, completed=done, total=total)


class Tally:
    """Counts of a run and the time that it took.

    Args:
        noun: what is counted.
    """

    def __init__(self, noun: str = "photo") -> None:
        self._noun = noun
        self.counts: Counter[Action] = Counter()
        self._scored = 0
        self._start = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        """Count one photo."""
        self.count(outcome.action)
        self._scored += outcome.score is not None and outcome.action is not Action.SKIPPED

    def count(self, action: Action, photos: int = 1, *, scored: int = 0) -> None:
        """Count photos to which the same was done, ``scored`` of them for this run."""
        self.counts[action] += photos
        self._scored += scored

    @property
    def failed(self) -> bool:
        """Whether any photo failed."""
        return self.counts[Action.FAILED] > 0

    def summary(
        self,
        *,
        writes: bool,
        undoes: bool = False,
        stopped: bool = False,
        found: Sequence[str] = (),
        looked_at: int | None = None,
    ) -> str:
        """One line: what became of the photos, what was ``found`` in them, and how fast.

        The speed is that of all that were ``looked_at``, where only some of them are counted.
        """
        seconds = time.monotonic() - self._start
        total = self.counts.total()
        if not total and not stopped:
            return "Nothing to undo." if undoes else f"No {self._noun}s found."
        shown = [Action.WRITTEN, Action.KEPT, Action.SKIPPED, Action.FAILED] if writes else [Action.FAILED]
        parts = [
            *([] if undoes else [f"{self._scored} scored"]),
            *(f"{self.counts[action]} {action.value}" for action in shown),
            *found,
        ]
        rate = f"{(total if looked_at is None else looked_at) / max(seconds, 1e-9):.1f} {self._noun}s/s"
        line = f"{total} {self._noun}{'s' * (total != 1)}: {', '.join(parts)} in {seconds:.1f} s ({rate})"
        return f"Stopped after {line}" if stopped else line


def same_terminal() -> bool:
    """Whether stdout and stderr are one terminal, so that rows and progress bar must make room for each other."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()):
        return False
    return os.path.samestat(os.fstat(sys.stdout.fileno()), os.fstat(sys.stderr.fileno()))
