"""Whether somebody is still writing a file, as far as the system can tell."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path


def is_open_for_writing(file: Path) -> bool:
    """Whether a program has ``file`` open for writing; False as well where nobody can tell.

    Linux is asked for a lease, which it gives on local disks for files of one's own that nobody writes. Windows does
    not open a file that its writer does not share.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    except PermissionError:
        return sys.platform == "win32"
    except (OSError, ValueError):
        return False
    try:
        return sys.platform == "linux" and _lease_is_refused(descriptor)
    finally:
        os.close(descriptor)


def _lease_is_refused(descriptor: int) -> bool:
    import fcntl

    try:
        # Who opens the file at this very moment has us told by a signal, which ends a program unless it is this one.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False
