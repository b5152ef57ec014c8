"""What files say of their ratings, known from earlier runs: a file that nobody touched since is not opened."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aesth.metadata.files import Staged, identity
from aesth.metadata.ratings import Values

READING = 1
"""To be raised when other keys are read, or are read otherwise: what is remembered by the old rules is then no use."""


class Memory(Protocol):
    """Keeps texts between runs, as `aesth.cache.ScoreCache` does. Whatever goes wrong there, it raises nothing."""

    def recall(self, file: Path, state: str) -> str | None:
        """What was noted of a file in this state; None if nothing was."""

    def note(self, file: Path, state: str, said: str) -> None:
        """Keep what a file says in this state, in place of what it said in any other."""


@dataclass(frozen=True)
class KnownFiles:
    """The files whose tags are known while they stay as they are: size, times of both kinds, and inode.

    That a file changed without a trace is possible, if hardly ever. So nothing is written by what is known here alone.

    Attributes:
        memory: where that is kept; None knows nothing.
        reader: the version of the program that reads them.
    """

    memory: Memory | None = None
    reader: str = ""

    def recall(self, file: Path) -> Values | None:
        """What a file says by the keys of `aesth.metadata.ratings.READ_KEYS`, if it is known."""
        if self.memory is None or not (state := self.state(file)):
            return None
        said = self.memory.recall(file, state)
        return None if said is None else json.loads(said)

    def note(self, file: Path, state: str, values: Values) -> None:
        """Remember what a file said while it was in ``state``; nothing, where that is empty."""
        if self.memory is not None and state:
            self.memory.note(file, state, json.dumps(dict(values)))

    def state(self, file: Path) -> str:
        """What a change of the file would change; empty for one that cannot be looked at, and without a memory."""
        if self.memory is None or not (now := _state(file)):
            return ""
        return f"{READING} {self.reader} {now}"


@dataclass(frozen=True)
class KnownPrograms:
    """The version of the program that reads files, known while it lies there as it did.

    Attributes:
        memory: where that is kept; None knows nothing.
    """

    memory: Memory | None = None

    def version(self, program: Path) -> str | None:
        """The version of a program, if it is known."""
        state = _state(program)
        return self.memory.recall(program, f"version {state}") if self.memory is not None and state else None

    def note(self, program: Path, version: str) -> None:
        """Remember the version of a program as it lies there."""
        if self.memory is not None and (state := _state(program)):
            self.memory.note(program, f"version {state}", version)


def _state(file: Path) -> str:
    try:
        now = os.stat(file)  # noqa: PTH116 - a library's worth of them
    except (OSError, ValueError):
        return ""
    return f"{now.st_size} {now.st_mtime_ns} {now.st_ctime_ns} {now.st_ino}"


NOTHING_KNOWN = KnownFiles()


@dataclass(frozen=True)
class JustRead(KnownFiles):
    """The files that were read for a write, as long as they are as they were before that. Nothing else is known.

    Attributes:
        said: how each file was -> what it said.
    """

    said: Mapping[tuple[int, ...] | None, Values] = field(default_factory=dict)

    def recall(self, file: Path) -> Values | None:
        """What a file says, if it was read."""
        try:
            return self.said.get(identity(os.stat(file)))  # noqa: PTH116
        except (OSError, ValueError):
            return None


def just_read(staged: Sequence[Staged]) -> JustRead:
    """The files that are to be replaced."""
    return JustRead(said={identity(item.before): item.old for item in staged if item.before is not None})
