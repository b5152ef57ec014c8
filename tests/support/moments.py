"""What other programs and people do at the very moment at which a photo is about to be replaced."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from aesth.metadata import files, session


def before_commit(monkeypatch: pytest.MonkeyPatch, *acts: Callable[[], object]) -> None:
    """Do ``acts``, one each time that files were read and made anew, and are about to take the places of the old."""
    waiting, prepare = iter(acts), files.prepare

    def acting(staged: Sequence[files.Staged]) -> None:
        next(waiting, lambda: None)()
        prepare(staged)

    monkeypatch.setattr(files, "prepare", acting)


def at_rename(monkeypatch: pytest.MonkeyPatch, file: Path, act: Callable[[], object]) -> None:
    """Do ``act`` when the journal has been told that ``file`` is about to be replaced, which is then done."""
    commit = files.commit

    def acting(staged: files.Staged) -> None:
        if staged.destination == file:
            act()
        commit(staged)

    monkeypatch.setattr(files, "commit", acting)


def before_reading(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do ``act`` once, after it was decided that a photo is to be written and before the write looks at it."""
    waiting, stage_all = iter([act]), session.stage_all

    def acting(*arguments: object, **options: object) -> None:
        next(waiting, lambda: None)()
        stage_all(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(session, "stage_all", acting)
