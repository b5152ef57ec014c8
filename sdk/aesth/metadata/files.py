"""Replacing a file whole or not at all: a temporary file of ours beside it, synced, then renamed over it."""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from aesth.errors import MetadataError
from aesth.metadata.ratings import Values

_NAME = re.compile(r"\.aesth-(?P<host>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}\.[a-z0-9]+(_exiftool_tmp)?")
_FOLDER = re.compile(r"aesth-(?P<host>[0-9a-f]{8})-(?P<process>\d+)-\w+")
_OLD = 24 * 3600.0
_KEPT_ATTRIBUTES = ("user.", "system.posix_acl_access")
_COPYFILE_ACL, _COPYFILE_XATTR = 1 << 0, 1 << 2
"""Of macOS's copyfile(3)."""


class ChangedError(MetadataError):
    """Another program changed a file between our read and our write; it is as that program left it."""


class NotKept(MetadataError):  # noqa: N818 - an answer rather than a failure, as `Declined` is
    """A file cannot be replaced without losing whose it is, or what is attached to it."""


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
    """Give ``target`` the owner, permissions, access list and extended attributes of another; also its ``times``.

    Raises:
        NotKept: we may not, as only root can give files away; nothing is left to another owner.
    """
    before, written = source.stat(), target.stat()
    if hasattr(os, "chown") and (before.st_uid, before.st_gid) != (written.st_uid, written.st_gid):
        try:
            os.chown(target, before.st_uid, before.st_gid)
        except OSError as error:
            raise NotKept(f"its owner and group would change ({error.strerror})", source) from error
    wanted = _attributes(source)
    for name in _attributes(target).keys() - wanted.keys():  # such as what a folder hands down to new files
        os.removexattr(target, name)
    shutil.copystat(source, target)
    if sys.platform == "darwin":
        _copy_attributes_of_macos(source, target)
    if _attributes(target) != wanted:
        raise NotKept("its extended attributes or access list would be lost", source)
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
        ChangedError: it changed; it is left as it is.
    """
    _check_unchanged(path, before)
    path.unlink()
    _sync_folder(path.parent)


def prepare(staged: Sequence[Staged]) -> None:
    """Have the content of all files on disk, so that their `commit` takes no time in which others could change them.

    Raises:
        ChangedError: one of them changed since it was read; none was replaced.
    """
    for item in staged:
        with item.temporary.open("rb+" if os.name == "nt" else "rb") as file:
            os.fsync(file.fileno())
    for item in staged:
        _check_unchanged(item.destination, item.before)


def commit(staged: Staged) -> None:
    """Put a file that was prepared (see `prepare`) in its place, durably.

    Raises:
        ChangedError: the destination changed since it was read; it is left as it is.
    """
    _check_unchanged(staged.destination, staged.before)
    if staged.before is None:
        _put_new(staged.temporary, staged.destination)
    else:
        staged.temporary.replace(staged.destination)
    _sync_folder(staged.destination.parent)


def is_as_written(path: Path, written: os.stat_result) -> bool:
    """Whether a file is the one that was put there, with the content that it had then."""
    now = _state(path)
    return now is not None and all(
        getattr(now, field) == getattr(written, field) for field in ("st_ino", "st_size", "st_mtime_ns")
    )


def identity(state: os.stat_result | None) -> tuple[int, ...] | None:
    """What tells a file from any other state of it; the time of its attributes tells of permissions and hard links."""
    if state is None:
        return None
    return (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


def discard(staged: Iterable[Staged]) -> None:
    """Remove temporary files that are still there; those that cannot be removed now are litter, see `clean_litter`."""
    for item in staged:
        with suppress(OSError):
            item.temporary.unlink(missing_ok=True)


def is_read_only(path: Path) -> bool:
    """Whether a person protected the file against writing, also from root."""
    return not os.access(path, os.W_OK) or not stat.S_IMODE(path.stat().st_mode) & 0o222


def has_other_names(path: Path) -> bool:
    """Whether the file has hard links, from which replacing it would part it."""
    return path.stat().st_nlink > 1


def require_readable(path: Path) -> None:
    """Refuse what is not handed to ExifTool, which would wait for ever for a pipe.

    Raises:
        MetadataError: it is missing, no regular file, or may not be read.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise MetadataError(missing(path), path) from error
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error
    if not stat.S_ISREG(mode):
        raise MetadataError("this is no regular file", path)
    if not os.access(path, os.R_OK):
        raise MetadataError("this file may not be read; change its permissions", path)


def unreadable(path: Path, error: OSError | ValueError) -> MetadataError:
    """What to say of a file that the system does not let us read."""
    return MetadataError(f"this file cannot be read ({getattr(error, 'strerror', None) or error})", path)


def missing(path: Path) -> str:
    """What to say of a file that is not there."""
    if not path.parent.is_dir():
        return "the folder has vanished; nothing was written: is the disk still connected?"
    return "no such file"


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
    now = _state(path)
    if before is not None and now is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    if identity(before) != identity(now):
        raise ChangedError("another program changed this file meanwhile; it was left as it is", path)


def _put_new(temporary: Path, destination: Path) -> None:
    """Give a new file its name without ever replacing one that another program makes at this very moment."""
    try:
        os.link(temporary, destination)
    except FileExistsError as error:
        raise ChangedError("another program made this file meanwhile; it was left as it is", destination) from error
    except (OSError, NotImplementedError, AttributeError):  # no hard links here
        temporary.replace(destination)
    else:
        with suppress(OSError):
            temporary.unlink()


def _state(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _attributes(path: Path) -> dict[str, bytes]:
    """The extended attributes that a person or a program attached to a file, and its access list."""
    if sys.platform != "linux":
        return {}
    try:
        return {name: os.getxattr(path, name) for name in os.listxattr(path) if name.startswith(_KEPT_ATTRIBUTES)}
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENODATA, errno.EINVAL):  # as `shutil.copystat` has it
            raise
        return {}


def _copy_attributes_of_macos(source: Path, target: Path) -> None:
    """Tags, comments and access lists, which Python copies on Linux alone."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.copyfile(os.fsencode(source), os.fsencode(target), None, _COPYFILE_ACL | _COPYFILE_XATTR):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(target))


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
    # The rename itself has been done: a folder that may not be listed, or a network's, can do no more.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
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
