"""How far a run is and what came of it, handed between the thread that works and the one that shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event


@dataclass
class Progress:
    """How far a run is. One thread writes it, others look at it.

    Attributes:
        total: photos in all.
        begun: photos that are in work or done.
        done: photos that have their outcome.
        doing: what is done now, for people.
        stop: set to have the run end after the photos that are in work.
    """

    total: int
    begun: int = 0
    done: int = 0
    doing: str = ""
    stop: Event = field(default_factory=Event)

    @property
    def shown(self) -> int:
        """How far it is, for people: as long as nothing has its outcome, as in a run that ranks, what is in work."""
        return self.done or self.begun

    def following(self, photos: Iterable[Path]) -> Iterator[Path]:
        """``photos`` as they are taken into work; no more once the run is to end."""
        for photo in photos:
            if self.stop.is_set():
                return
            self.begun += 1
            if not self.done:
                self.doing = photo.name
            yield photo

    def advance(self, doing: str) -> None:
        """One photo more has its outcome."""
        self.done += 1
        self.doing = doing


@dataclass(frozen=True)
class Report:
    """What came of a run, for people.

    Attributes:
        summary: one line.
        told: what they should know or do besides.
        failed: whether any photo failed, or all did.
    """

    summary: str
    told: tuple[str, ...] = ()
    failed: bool = False

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join([self.summary, *self.told])
