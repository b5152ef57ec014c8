"""Replacing a file whole or not at all: a temporary file of ours beside it, synced, then renamed over it."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aesth.errors import MetadataError
from aesth.metadata.ratings import Values

_NAME = re.compile(r"\.aesth-(?P<host>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}\.[a-z0-9]+(_exiftool_tmp)?")
_FOLDER = re.compile(r"aesth-(?P<host>[0-9a-f]{8})-(?P<process>\d+)-\w+")
_OLD = 24 * 3600.0


@dataclass(frozen=True)
class Staged:
    """A file that is ready to take another's place.

    Attributes:
        temporary: the new content, in the same folder.
        destination: the file to replace or to make.
        before: how the destination was when its content was read, None where it did not exist.
        old: what the journal keeps of the destination; of a new sidecar, what the photo said before.
        new: the same of the new content.
    """

    temporary: Path
    destination: Path
    before: os.stat_result | None
    old: Values = field(default_factory=dict)
    new: Values = field(default_factory=dict)


def temporary_name(extension: str) -> str:
    """A short name that tells who made the file, so that what a killed run left can be told from everything else."""
    return f".aesth-{host()}-{os.getpid()}-{secrets.token_hex(4)}.{extension}"


def clean_litter(folder: Path) -> None:
    """Remove temporary files that runs left here when they were killed: ours by name, and of no living process."""
    with suppress(OSError), os.scandir(folder) as entries:  # a folder that cannot be listed can still be written to
        for entry in entries:
            match = _NAME.fullmatch(entry.name)
            if match and entry.is_file(follow_symlinks=False) and _is_dead(match, entry.stat(follow_symlinks=False)):
                Path(entry.path).unlink(missing_ok=True)


def make_private_folder() -> Path:
    """A folder of this process alone among the system's temporary ones; those of killed runs are removed."""
    parent = Path(tempfile.gettempdir())
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            match = _FOLDER.fullmatch(entry.name)
            if match and entry.is_dir(follow_symlinks=False) and _is_abandoned(match, entry):
                shutil.rmtree(entry.path, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"aesth-{host()}-{os.getpid()}-", dir=parent))


def copy_attributes(source: Path, target: Path, *, times: bool) -> None:
    """Give ``target`` the permissions, extended attributes and, where we may, owner of another; also its ``times``."""
    before = source.stat()
    written = target.stat()
    if hasattr(os, "chown") and (before.st_uid, before.st_gid) != (written.st_uid, written.st_gid):
        _try_chown(target, before)
    shutil.copystat(source, target)
    if not times:
        os.utime(target)


def make_alike(photo: Path, sidecar: Path) -> None:
    """Give a new sidecar the owner and the permissions of its photo, writable for the owner and never executable."""
    if os.name == "posix":
        state = photo.stat()
        _try_chown(sidecar, state)
        sidecar.chmod((stat.S_IMODE(state.st_mode) & 0o666) | stat.S_IWUSR)


def remove(path: Path, before: os.stat_result) -> None:
    """Remove a file, durably, as long as it is still as it was ``before``.

    Raises:
        MetadataError: it changed; it is left as it is.
    """
    _check_unchanged(path, before)
    path.unlink()
    _sync_folder(path.parent)


def commit(staged: Staged) -> None:
    """Put the staged file in its place, durably.

    Raises:
        MetadataError: the destination changed since it was read; it is left as it is.
    """
    _check_unchanged(staged.destination, staged.before)
    with staged.temporary.open("rb+" if os.name == "nt" else "rb") as file:
        os.fsync(file.fileno())
    staged.temporary.replace(staged.destination)
    _sync_folder(staged.destination.parent)


def is_read_only(path: Path) -> bool:
    """Whether a person protected the file against writing, also from root."""
    return not os.access(path, os.W_OK) or not stat.S_IMODE(path.stat().st_mode) & 0o222


def host() -> str:
    """A short name of this machine, told to nobody who does not know the long one."""
    return hashlib.sha256(platform.node().encode()).hexdigest()[:8]


def is_over(machine: str, process: int, since: float) -> bool:
    """Whether the process that did something ``since`` (seconds of `time.time`) on ``machine`` has ended.

    Where this cannot be seen, a day counts as over.
    """
    if machine == host() and os.name == "posix":
        return not _is_alive(process)
    return time.time() - since > _OLD and process != os.getpid()


def _check_unchanged(path: Path, before: os.stat_result | None) -> None:
    if _identity(before) != _identity(_state(path)):
        raise MetadataError("another program changed this file meanwhile; it was left as it is", path)


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _identity(state: os.stat_result | None) -> tuple[int, ...] | None:
    return None if state is None else (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)


def _try_chown(path: Path, state: os.stat_result) -> None:
    for owner, group in ((state.st_uid, state.st_gid), (-1, state.st_gid)):
        try:
            os.chown(path, owner, group)
        except OSError:  # only root may give files away; one's own groups are allowed
            continue
        return


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:  # some network file systems cannot; the rename itself has been done
        return
    finally:
        os.close(descriptor)


def _is_dead(match: re.Match[str], state: os.stat_result) -> bool:
    return is_over(match["host"], int(match["process"]), state.st_mtime)


def _is_abandoned(match: re.Match[str], entry: os.DirEntry[str]) -> bool:
    state = entry.stat(follow_symlinks=False)
    return (os.name != "posix" or state.st_uid == os.getuid()) and _is_dead(match, state)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
