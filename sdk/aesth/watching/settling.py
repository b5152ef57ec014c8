"""Which families have settled: nothing of them changed for a while, and nobody has them open for writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from aesth.watching.families import Family, Members, State, family_of, files_of, state_after_write


@dataclass(frozen=True, slots=True)
class _Waiting:
    state: State
    since: float


class Settling:
    """What was seen of each family so far. No clock and no folder is asked here: both are handed in.

    Args:
        quiet: seconds in which no file of a family changes before it has settled.
        is_open: whether somebody has a file open for writing.
    """

    def __init__(self, quiet: float, is_open: Callable[[Path], bool]) -> None:
        self._quiet = quiet
        self._is_open = is_open
        self._waiting: dict[Family, _Waiting] = {}
        self._in_work: dict[Family, tuple[Members, set[Path]]] = {}
        self._done: dict[Family, State] = {}

    @property
    def due(self) -> float | None:
        """When the first of those that wait may have settled; None if none waits."""
        return min((each.since + self._quiet for each in self._waiting.values()), default=None)

    @property
    def is_idle(self) -> bool:
        """Whether no photo waits or is in work."""
        return not self._waiting and not self._in_work

    def look(self, found: Mapping[Family, Members], now: float) -> list[Path]:
        """The photos of families that have settled since the last look; they are in work from here on.

        Args:
            found: all families that there are now.
            now: the time, in seconds.
        """
        self._waiting = {family: each for family, each in self._waiting.items() if family in found}
        self._done = {family: state for family, state in self._done.items() if family in found}
        settled: list[Path] = []
        for family, members in found.items():
            if self._has_settled(family, members.state, now):
                self._in_work[family] = (members, set(members.photos))
                settled += members.photos
        return settled

    def finish(self, photo: Path) -> None:
        """Take note that a photo is tagged: how its family is now is no reason to tag it again."""
        family = family_of(photo)
        if family not in self._in_work:
            return
        members, left = self._in_work[family]
        left.discard(photo)
        if not left:
            del self._in_work[family]
            self._done[family] = state_after_write(family, members)

    def _has_settled(self, family: Family, state: State, now: float) -> bool:
        if family in self._in_work or self._done.get(family) == state:
            self._waiting.pop(family, None)
            return False
        before = self._waiting.get(family)
        if before is None or before.state != state:
            self._waiting[family] = _Waiting(state, now)
            return False
        if now - before.since < self._quiet:
            return False
        if any(map(self._is_open, files_of(family, state))):
            self._waiting[family] = _Waiting(state, now)
            return False
        del self._waiting[family]
        return True
