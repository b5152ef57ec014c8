"""Putting photos into a folder under new names: copies, links, or the photos themselves; never over what is there."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path

from aesth.errors import AesthError

_ADVICE = {
    errno.EXDEV: "hard links cannot cross disks: take copies or symlinks",
    errno.ENOSPC: "free some space, or take links instead of copies",
}


class How(Enum):
    """How a photo comes into another folder."""

    COPY = "copy"
    HARDLINK = "hardlink"
    SYMLINK = "symlink"
    MOVE = "move"


def place(source: Path, target: Path, how: How) -> None:
    """Have a file at ``target``, whole or not at all, in a folder that is there.

    Raises:
        AesthError: there is something at ``target`` already, or it cannot be made; ``source`` is as it was.
    """
    try:
        _PLACERS[how](source, target)
    except FileExistsError as error:
        raise AesthError(f"there is a file already at {target}; it was left as it is", source) from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0) or _advice_for(how)
        raise AesthError(f"could not come to {target} ({error.strerror or error}); {advice}", source) from error


def _advice_for(how: How) -> str:
    if how in (How.HARDLINK, How.SYMLINK):
        return "not every disk and system allows such links: take copies"
    return "check the permissions of both folders"


def put_new(temporary: Path, target: Path) -> None:
    """Give a finished file its name, unless another has it.

    Raises:
        FileExistsError: another has; the temporary file is left.
        OSError: it cannot be done.
    """
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError, AttributeError):  # no hard links here
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        temporary.rename(target)
    else:
        temporary.unlink()


def temporary_beside(target: Path) -> Path:
    """A short name in the same folder that no other file has."""
    return target.with_name(f".aesth-{secrets.token_hex(4)}.tmp")


def _copy(source: Path, target: Path, *, durable: bool = False) -> None:
    temporary = temporary_beside(target)
    try:
        shutil.copy2(source, temporary)
        if durable:
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
        put_new(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _hardlink(source: Path, target: Path) -> None:
    # A link to a link would lead nowhere from another folder.
    os.link(os.path.realpath(source), target)


def _symlink(source: Path, target: Path) -> None:
    target.symlink_to(os.path.abspath(source))  # noqa: PTH100 - a link of the person is kept as the way


def _move(source: Path, target: Path) -> None:
    """Rename, or where another disk is meant, copy and remove; a link is not moved but what it says."""
    if source.is_symlink():
        _symlink(source.readlink() if source.readlink().is_absolute() else source.parent / source.readlink(), target)
    elif _is_same_disk(source, target):
        put_new(source, target)
        return
    else:
        _copy(source, target, durable=True)
    source.unlink()


def _is_same_disk(source: Path, target: Path) -> bool:
    return source.stat().st_dev == target.parent.stat().st_dev


_PLACERS: Mapping[How, Callable[[Path, Path], None]] = {
    How.COPY: _copy,
    How.HARDLINK: _hardlink,
    How.SYMLINK: _symlink,
    How.MOVE: _move,
}
