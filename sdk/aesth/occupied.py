"""Refusing to write where something lies already: nothing of a person's is ever replaced or mixed with unasked.

Messages name the file or folder too, since they are shown beside the photo or video that was looked at.
"""

from __future__ import annotations

import os
from pathlib import Path

from aesth.errors import ConfigError


def refuse_occupied_file(path: Path, *, overwrite: bool) -> None:
    """See that nothing is lost where the file ``path`` is to be written: what is there may be replaced, if at all.

    Args:
        path: the file.
        overwrite: another file may be replaced; a folder never is.

    Raises:
        ConfigError: there is something already.
    """
    if os.path.isdir(path):  # noqa: PTH112 - names may be too long
        raise ConfigError(f"{path.name} is a folder; name a file", path)
    if os.path.lexists(path) and not overwrite:
        raise ConfigError(f"{path.name} is there already; replace it with --overwrite, or name another place", path)


def refuse_occupied_folder(folder: Path, advice: str = "name a new folder") -> None:
    """See that a folder is empty, or not there.

    Args:
        folder: the folder.
        advice: what to do otherwise.

    Raises:
        ConfigError: something lies in it, or it is no folder, or cannot be read.
    """
    try:
        occupied = any(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{folder.name} cannot be used ({error.strerror}); {advice}", folder) from error
    if occupied:
        raise ConfigError(f"{folder.name} is not empty, and nothing there is mixed with or replaced; {advice}", folder)
