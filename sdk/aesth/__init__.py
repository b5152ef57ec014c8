"""Score how pleasing people will find a photo.

>>> import aesth
>>> with aesth.Scorer() as scorer:
...     for scored in scorer.score(["a.jpg", "b.jpg"]):
...         print(scored.path, scored.score, scored.rating)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aesth._version import __version__
from aesth.lazily import loader

if TYPE_CHECKING:
    from aesth.apps.best_shot import BestShot
    from aesth.discover import find_photos
    from aesth.errors import (
        AesthError,
        CatalogueError,
        ConfigError,
        DecodeError,
        JournalError,
        MetadataError,
        MissingDependencyError,
        ModelError,
        ProviderError,
    )
    from aesth.scorer import Scored, Scorer, score

__all__ = [
    "AesthError",
    "BestShot",
    "CatalogueError",
    "ConfigError",
    "DecodeError",
    "JournalError",
    "MetadataError",
    "MissingDependencyError",
    "ModelError",
    "ProviderError",
    "Scored",
    "Scorer",
    "__version__",
    "find_photos",
    "score",
]

# Loaded when they are first used: a program that only asks for the version need not wait for ONNX Runtime.
_HOMES = {
    "AesthError": "aesth.errors",
    "BestShot": "aesth.apps.best_shot",
    "CatalogueError": "aesth.errors",
    "ConfigError": "aesth.errors",
    "DecodeError": "aesth.errors",
    "JournalError": "aesth.errors",
    "MetadataError": "aesth.errors",
    "MissingDependencyError": "aesth.errors",
    "ModelError": "aesth.errors",
    "ProviderError": "aesth.errors",
    "Scored": "aesth.scorer",
    "Scorer": "aesth.scorer",
    "find_photos": "aesth.discover",
    "score": "aesth.scorer",
}

__getattr__ = loader(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
