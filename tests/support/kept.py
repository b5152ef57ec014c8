"""ExifTools that are kept from one session to the next: starting one, and its first write, take most of a short run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from aesth.metadata import exiftool
from aesth.metadata.process import Process

_CHANGES_NOTHING = ("AESTH_", "PYTEST_", "COLUMNS", "FORCE_COLOR", "NO_COLOR", "PYTHONUNBUFFERED", "TERMINAL_WIDTH")
"""How the names of variables begin that ExifTool does not look at."""


class KeptExifTools:
    """What sessions start and end while they are `used`."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="test-aesth-"))
        self._free: list[_Kept] = []
        self._choosing = Lock()

    @contextmanager
    def used(self) -> Iterator[None]:
        """Sessions get these, and leave them here."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(exiftool, "Process", self._start)
            yield

    def close(self) -> None:
        """End them at last."""
        for kept in self._free:
            Process.close(kept, kill=False)
        shutil.rmtree(self._folder)

    def _start(self, program: str, folder: Path) -> Process:
        began = _as_it_began(program)
        with self._choosing:
            kept = next((one for one in self._free if one.began == began and one.running), None)
            if kept is None:
                return _Kept(program, folder, self)
            self._free.remove(kept)
        _let_it_be(self._home(kept), folder)
        kept.place = folder
        return kept

    def leave(self, kept: _Kept) -> None:
        """Take one from the folder in which it ran."""
        _let_it_be(kept.place, self._home(kept))
        self._free.append(kept)

    def _home(self, kept: _Kept) -> Path:
        return self._folder / str(id(kept))


class _Kept(Process):
    """One that a session leaves to the next, unless it kills it."""

    def __init__(self, program: str, folder: Path, owner: KeptExifTools) -> None:
        self.began, self.place = _as_it_began(program), folder
        self._owner = owner
        super().__init__(program, folder)

    def close(self, *, kill: bool) -> None:
        if kill or not self.running:
            super().close(kill=kill)
        else:
            self._owner.leave(self)


def _as_it_began(program: str) -> tuple[Any, ...]:
    """All that decides how an ExifTool runs."""
    user = os.geteuid() if hasattr(os, "geteuid") else 0
    return program, user, {name: value for name, value in os.environ.items() if not name.startswith(_CHANGES_NOTHING)}


def _let_it_be(folder: Path, path: Path) -> None:
    """Let ``folder``, in which a process runs, be what is called ``path``; what lies in each of the two stays there."""
    path.mkdir(exist_ok=True)
    away = folder.rename(folder.with_name(f"{folder.name}-moved"))
    folder.mkdir(mode=0o700)
    for entry in list(away.iterdir()):
        entry.rename(folder / entry.name)
    for entry in list(path.iterdir()):
        entry.rename(away / entry.name)
    path.rmdir()
    away.rename(path)
