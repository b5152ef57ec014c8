"""Files that are either whole or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aesth.errors import ConfigError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside ``path`` to write to; once written and on disk, it takes the place of ``path``.

    After an error ``path`` is what it was before, and the other file is gone.

    Raises:
        ConfigError: nothing can be written there.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ConfigError(
            f"this file cannot be written ({error.strerror or error}); give another folder", path
        ) from error
    finally:
        if partial.is_file():
            partial.unlink()


def require_space(path: Path, size: int) -> None:
    """Check that ``size`` bytes can be written to ``path``; its folder is made.

    A mapped file is written long after it was made, and a full disk then ends the process without a word.

    Raises:
        ConfigError: the disk has less, or there can be no such folder.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(path.parent).free
    except OSError as error:
        raise ConfigError(f"this folder cannot be made ({error.strerror}); give another one", path.parent) from error
    if size > free:
        raise ConfigError(
            f"this file takes {size / 1e9:.1f} GB and {free / 1e9:.1f} GB are free; make room or give another folder",
            path,
        )
