"""Files of a training, which are either whole or not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aesth.errors import ConfigError
from aesth.replacing import replacing as whole


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """`aesth.replacing.replacing`, of a name that is always the same; the folder is made.

    Raises:
        ConfigError: nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path, f"{path.name}.partial") as partial:
            yield partial
    except OSError as error:
        raise ConfigError(
            f"this file cannot be written ({error.strerror or error}); give another folder", path
        ) from error


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
