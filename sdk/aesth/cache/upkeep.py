"""What `aesth cache` does: telling what is remembered, and forgetting it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from aesth import places
from aesth.cache.rows import ModelScores, Views
from aesth.cache.store import LIMIT, SIZE_LIMIT, NewerFileError, Store
from aesth.databases import files_beside, is_locked, size_of
from aesth.errors import AesthError

FILE_NAME = "scores.sqlite"

_PATIENCE = 5.0


@dataclass(frozen=True)
class CacheFacts:
    """What is remembered.

    Attributes:
        path: the file, whether there is one or not.
        size: in bytes, with what SQLite keeps beside it.
        photos: photos that are known at once.
        limit: how many these may become.
        models: the scores, by model.
        size_limit: how large the file may become, in bytes, before views are forgotten.
        views: what is remembered besides scores, by kind.
    """

    path: str
    size: int
    photos: int
    limit: int
    models: tuple[ModelScores, ...] = ()
    size_limit: int = SIZE_LIMIT
    views: tuple[Views, ...] = ()


def default_path() -> Path:
    """The file in the cache folder."""
    return places.cache_folder() / FILE_NAME


def facts(path: Path | None = None) -> CacheFacts:
    """What is remembered in a file; None takes the one in the cache folder.

    Raises:
        AesthError: the file is damaged, locked, made by a newer version, or may not be read.
    """
    path = path or default_path()
    if not path.exists():
        return CacheFacts(str(path), 0, 0, LIMIT)
    try:
        with closing(Store(path, _PATIENCE)) as store:
            models, views = tuple(store.models()), tuple(store.views())
            return CacheFacts(str(path), size_of(path), store.photos(), LIMIT, models, views=views)
    except (sqlite3.Error, OSError, NewerFileError) as error:
        raise translated(error, path) from error


def clear(path: Path | None = None, *, patience: float = _PATIENCE) -> int:
    """Forget everything, also where the file is damaged or made by a newer version; runs that use it go on.

    Returns:
        By how many bytes the cache became smaller.

    Raises:
        AesthError: another process keeps it locked, or it may not be changed.
    """
    path = path or default_path()
    before = size_of(path)
    try:
        if path.exists():
            with closing(Store(path, patience)) as store:
                store.empty()
    except sqlite3.Error as error:
        if is_locked(error):
            raise translated(error, path) from error
        _remove(path)
    except NewerFileError:
        _remove(path)
    except OSError as error:
        raise translated(error, path) from error
    return max(0, before - size_of(path))


def translated(error: sqlite3.Error | OSError | NewerFileError, path: Path) -> AesthError:
    """An error of this package in place of one of SQLite's or of the system's."""
    if isinstance(error, NewerFileError):
        return AesthError(
            "a newer aesth made this file of scores, and it stays as it is; use that version, or forget what it"
            " remembers with `aesth cache --clear`",
            path,
        )
    if is_locked(error):
        return AesthError("scores cannot be remembered, as another program keeps this file locked", path)
    reason = getattr(error, "strerror", None) or str(error)
    return AesthError(f"scores cannot be remembered here ({reason}); `aesth cache --clear` makes the file anew", path)


def _remove(path: Path) -> None:
    try:
        # The file itself last: without it, nothing would be made of what lies beside it.
        for place in (*files_beside(path), path):
            place.unlink(missing_ok=True)
    except OSError as error:
        raise translated(error, path) from error
