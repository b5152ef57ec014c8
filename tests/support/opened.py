"""Which files below a folder are opened, by this process or by the ExifTool of a session."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aesth.metadata.workplace import Workplace

_listeners: list[Callable[[object], None]] = []
_hooked: list[bool] = []


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open":
        for listener in _listeners:
            listener(arguments[0])


def files_opened(folder: Path, monkeypatch: pytest.MonkeyPatch, *, by_exiftool: bool = True) -> set[Path]:
    """A set of the files below ``folder`` that grows as they are opened, or told to ExifTool, until the test ends."""
    opened: set[Path] = set()

    def note(path: object) -> None:
        if isinstance(path, str | bytes | os.PathLike) and Path(os.fsdecode(path)).is_relative_to(folder):
            opened.add(Path(os.fsdecode(path)))

    alias = Workplace.alias

    def told(workplace: Workplace, name: str, target: Path) -> str:
        note(target)
        return alias(workplace, name, target)

    if by_exiftool:
        monkeypatch.setattr(Workplace, "alias", told)
    if not _hooked:
        _hooked.append(True)
        sys.addaudithook(_hear)  # for ever
    monkeypatch.setattr(sys.modules[__name__], "_listeners", [*_listeners, note])
    return opened
