"""Copies of files in a folder of another program, remembered by their checksums, so that they alone are taken back."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from aesth.errors import AesthError

RECORD = "installed.json"
"""The file, beside the copies, that remembers what was done."""


@dataclass(frozen=True)
class Record:
    """What an installation did.

    Attributes:
        files: SHA-256 of each file that was written, by its path below the folder, with slashes.
        folders: how many folders were made: the folder itself is 1, its parent 2, and so on.
        line: what was appended to the program's start file, to the byte; empty if nothing was.
        made: whether the start file was made for it.
    """

    files: Mapping[str, str] = field(default_factory=dict)
    folders: int = 0
    line: str = ""
    made: bool = False


@dataclass
class Plan:
    """What is to be done, in words and as steps."""

    told: list[str] = field(default_factory=list)
    steps: list[Callable[[], None]] = field(default_factory=list)

    def tell(self, words: str) -> None:
        """Say it to whoever asked."""
        self.told.append(words)

    def add(self, step: Callable[[], None]) -> None:
        """Do it after what was added before."""
        self.steps.append(step)

    def carry_out(self) -> None:
        """Do all of it.

        Raises:
            AesthError: a file cannot be written or removed; it can be tried again.
        """
        for step in self.steps:
            step()


def read_record(folder: Path) -> Record | None:
    """What was done in ``folder``; None if nothing was.

    Raises:
        AesthError: the record cannot be read.
    """
    path = folder / RECORD
    content = read(path)
    if content is None:
        return None
    try:
        record = Record(**json.loads(content))
        return replace(record, files=dict(record.files))
    except (TypeError, ValueError) as error:
        raise AesthError("this record of an installation is damaged; remove the folder by hand", path) from error


def write_record(folder: Path, record: Record) -> None:
    """Remember what is done in ``folder``."""
    write(folder / RECORD, (json.dumps(asdict(record), indent=2) + "\n").encode())


def checksum(content: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def plan_copies(plan: Plan, folder: Path, files: Mapping[str, bytes], before: Record) -> dict[str, str]:
    """Plan to bring ``folder`` to hold ``files``; what a person made or changed there is kept under another name.

    Args:
        plan: gets the steps.
        folder: where they go.
        files: contents by path below it.
        before: what an earlier installation wrote.

    Returns:
        Checksums of the files that are ours then.
    """
    ours: dict[str, str] = {}
    counts = {"copy": 0, "renew": 0}
    for name, content in files.items():
        path, there = folder / name, read(folder / name)
        if there == content and name not in before.files:
            continue  # put there by hand, and theirs
        ours[name] = checksum(content)
        if there == content:
            continue
        counts["copy" if there is None else "renew"] += 1
        if there is not None and before.files.get(name) != checksum(there):
            aside = _free_name(path)
            plan.tell(f"keep {name}, which somebody changed, as {aside.name}")
            plan.add(_moving(path, aside))
        plan.add(_writing(path, content))
    for done, count in counts.items():
        if count:
            plan.tell(f"{done} {count} file{'s' * (count != 1)} in {folder}")
    gone = {name: value for name, value in before.files.items() if name not in files}
    plan_removals(plan, folder, Record(gone))
    return ours


def plan_removals(plan: Plan, folder: Path, record: Record) -> None:
    """Plan to remove the files of ``record`` as long as they are as they were written, and the folders left empty."""
    removed = 0
    for name, value in record.files.items():
        content = read(folder / name)
        if content is None:
            continue
        if checksum(content) == value:
            removed += 1
            plan.add(removal(folder / name))
        else:
            plan.tell(f"leave {folder / name}, which somebody changed")
    if removed:
        plan.tell(f"remove {removed} file{'s' * (removed != 1)} from {folder}")
    for parent in sorted({str(parent) for name in record.files for parent in Path(name).parents}, reverse=True):
        if parent != ".":
            plan.add(_removing_empty(folder / parent))


def plan_folders_removal(plan: Plan, folder: Path, count: int) -> None:
    """Plan to remove ``folder`` and those above it, ``count`` in all, as far as they are empty."""
    for place in (folder, *folder.parents)[:count]:
        plan.add(_removing_empty(place))


def missing_folders(folder: Path) -> int:
    """How many folders are to be made for ``folder`` to be there."""
    return next((count for count, place in enumerate((folder, *folder.parents)) if place.is_dir()), 0)


def read(path: Path) -> bytes | None:
    """The content of a file, None if there is none.

    Raises:
        AesthError: it cannot be read.
    """
    with _told(path, "read"):
        try:
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None


def write(path: Path, content: bytes, *, executable: bool = False) -> None:
    """Write a file whole or not at all, with the permissions it had; a link is followed.

    Raises:
        AesthError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    with _told(path, "written"):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".aesth-{secrets.token_hex(4)}.tmp")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if target.exists():
                shutil.copymode(target, temporary)
            if executable:
                temporary.chmod(temporary.stat().st_mode | 0o111)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def removal(path: Path) -> Callable[[], None]:
    """The step that removes a file, which may be gone already; a link is followed."""

    def remove() -> None:
        with _told(path, "removed"):
            Path(os.path.realpath(path)).unlink(missing_ok=True)

    return remove


def _writing(path: Path, content: bytes) -> Callable[[], None]:
    return lambda: write(path, content, executable=content.startswith(b"#!"))


def _moving(path: Path, aside: Path) -> Callable[[], None]:
    def move() -> None:
        with _told(path, "renamed"):
            path.rename(aside)

    return move


def _removing_empty(folder: Path) -> Callable[[], None]:
    def remove() -> None:
        with suppress(OSError):  # it holds what is not ours
            folder.rmdir()

    return remove


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.bak{number or ''}") for number in range(1000))
    return next(name for name in names if not os.path.lexists(name))


@contextmanager
def _told(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise AesthError(f"cannot be {done} ({reason}); change its permissions, then try again", path) from error
