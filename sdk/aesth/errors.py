"""Everything that can go wrong, as one tree.

Each error says what happened, to which file, and what to do now. Errors of other libraries are translated where they
enter, so that a caller needs to know these classes only.
"""

from __future__ import annotations

import os
from pathlib import Path


class AesthError(Exception):
    """Base of all errors of this package.

    Attributes:
        message: what happened and what to do, without the path.
        path: the file concerned, or None.
    """

    def __init__(self, message: str, path: str | os.PathLike[str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = Path(path) if path is not None else None

    def __str__(self) -> str:
        return self.message if self.path is None else f"{self.path}: {self.message}"


class DecodeError(AesthError):
    """A photo could not be read as a picture."""


class MetadataError(AesthError):
    """A rating could not be read or written."""


class JournalError(AesthError):
    """The journal of what was written cannot be read or kept; nothing is written without it."""


class ModelError(AesthError):
    """A model file is missing, damaged, or not one of ours."""


class ProviderError(AesthError):
    """An execution provider was asked for that this machine does not offer."""


class MissingDependencyError(AesthError):
    """A program or an optional package is needed that is not installed; the message has the line that installs it."""


class ConfigError(AesthError):
    """A setting, in the config file or given as an argument, makes no sense."""


class CatalogueError(AesthError):
    """A catalogue of rated pictures is wrong; the message names the line."""
