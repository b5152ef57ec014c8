"""Where explanations are kept: new files that are whole, and never in the place of somebody's."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from aesth.errors import ConfigError
from aesth.occupied import refuse_occupied_file
from aesth.replacing import replacing

_OURS = re.compile(r"-explained(-\d+)?\.png$", re.IGNORECASE)


def is_explanation(path: Path) -> bool:
    """Whether a file is called as explanations are; they are not explained in turn."""
    return _OURS.search(path.name) is not None


def name_of(photo: Path, folder: Path | None, taken: set[Path]) -> Path:
    """The PNG that explains ``photo``, beside it or in ``folder``: numbered where its name is one of ``taken``."""
    place = photo.parent if folder is None else folder
    number, path = 1, place / f"{photo.stem}-explained.png"
    while path in taken:
        number += 1
        path = place / f"{photo.stem}-explained-{number}.png"
    taken.add(path)
    return path


def write(path: Path, save: Callable[[Path], object], *, overwrite: bool) -> None:
    """Let ``save`` write a file beside ``path``, which takes its place once it is whole; the folder is made.

    Raises:
        ConfigError: there is something already, or nothing can be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial:
            save(partial)
            refuse_occupied_file(path, overwrite=overwrite)
    except OSError as error:
        raise ConfigError(
            f"cannot be written ({error.strerror or error}); give another folder with --out", path
        ) from error
