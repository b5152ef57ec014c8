"""One person's taste: a small file that moves the norms of one model. Knows nothing of photos.

What people like in common is the norm of an embedding (paper, section 5.4). Its direction says what a photo is like. A
taste adds to the norm what a person likes more, or less, than others in that direction:

    norm of a person = slope * norm + weights . direction + shift,    slope > 0

So of two photos of one direction the one that all like better stays the better one, and the score is the same
percentile 0-100 of that norm. The file is JSON: numbers and texts, nothing that could be run.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aesth.errors import ConfigError
from aesth.replacing import replace_file

VERSION = 1
LARGEST = 1 << 20
"""Files of more bytes are no tastes, and are not read."""

_BOUND = 1e6
_NO_TASTE = "this is no taste that `aesth learn` wrote"


@dataclass(frozen=True, eq=False)
class Taste:
    """What one person likes more, or less, than others do.

    Attributes:
        model: the model whose embeddings it is for, as photos remember it: ``NAME-PRECISION`` and checksum.
        slope: of the norm, above 0.
        shift: in units of the norm.
        weights: of the coordinates of the direction, float64 (d,), in units of the norm.
        date: when it was learnt, ISO 8601.
        learnt: how it was learnt and how much it gained, in names and numbers, for people.
    """

    model: str
    slope: float
    shift: float
    weights: NDArray[np.float64]
    date: str = ""
    learnt: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        numbers = (self.slope, self.shift, *self.weights.tolist())
        if self.weights.ndim != 1 or not all(math.isfinite(n) and abs(n) <= _BOUND for n in numbers) or self.slope <= 0:
            raise ValueError("a taste has a slope above 0, and numbers that are finite")

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of what changes scores, in hexadecimal; the same however and whenever it was learnt."""
        said = json.dumps([self.model, self.slope, self.shift, self.weights.tolist()])
        return sha256(said.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def tag(self) -> str:
        """What is remembered of the taste, beside the model, where something was scored by it."""
        return f"taste {self.checksum[:8]}"

    def norms(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The norm that this person gives to each embedding, at least 0: (n, d) -> (n,)."""
        points = embeddings.astype(np.float64)
        lengths = np.linalg.norm(points, axis=-1)
        moved = self.slope * lengths + directions(points) @ self.weights + self.shift
        norms: NDArray[np.float32] = np.maximum(moved, 0).astype(np.float32)
        return norms

    def refuse_other(self, model: str, dimensions: int) -> None:
        """See that this is a taste for ``model``, whose embeddings have so many ``dimensions``.

        Raises:
            ConfigError: it is for another one.
        """
        if self.model != model or len(self.weights) != dimensions:
            raise ConfigError(
                f"this taste was learnt with the model '{self.model}', and photos are scored by '{model}';"
                " name that model with --model, or learn anew with `aesth learn`"
            )

    def to_json(self) -> str:
        """The text of the file."""
        fields = {
            "aesth": "taste",
            "version": VERSION,
            "model": self.model,
            "date": self.date,
            "learnt": dict(self.learnt),
            "slope": self.slope,
            "shift": self.shift,
            "weights": self.weights.tolist(),
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Taste:
        """The taste in the text of a file.

        Raises:
            ConfigError: the text is no taste, or one of another version.
        """
        try:
            fields = json.loads(text)
            if fields["aesth"] != "taste":
                raise ConfigError(_NO_TASTE)
            if fields["version"] != VERSION:
                raise ConfigError("this taste was written by another version of aesth; learn anew with `aesth learn`")
            return cls(
                model=_text(fields["model"]),
                slope=_number(fields["slope"]),
                shift=_number(fields["shift"]),
                weights=np.array([_number(weight) for weight in fields["weights"]], np.float64),
                date=_text(fields["date"]),
                learnt={str(name): value for name, value in fields["learnt"].items()},
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise ConfigError(f"{_NO_TASTE}, or it is damaged") from error


def directions(embeddings: NDArray[Any]) -> NDArray[np.float64]:
    """Where each embedding points, as vectors of length 1, or 0 for those of length 0: (n, d) -> (n, d)."""
    points = embeddings.astype(np.float64)
    lengths = np.linalg.norm(points, axis=-1, keepdims=True)
    pointing: NDArray[np.float64] = points / np.where(lengths > 0, lengths, 1)
    return pointing


def taste_for(model: str, dimensions: int, taste: Taste | str | os.PathLike[str] | None) -> Taste | None:
    """The taste to score by, given itself or by its file; None for none.

    Args:
        model: what is remembered of the model that scores, see `aesth.encoder.tag_of`.
        dimensions: of its embeddings.
        taste: a person's, or its file.

    Raises:
        ConfigError: it is for another model, or no taste.
    """
    found = read(Path(taste)) if isinstance(taste, (str, os.PathLike)) else taste
    if found is not None:
        found.refuse_other(model, dimensions)
    return found


def read(path: Path) -> Taste:
    """The taste in a file.

    Raises:
        ConfigError: the file cannot be read, or holds no taste.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no name of a file"
        raise ConfigError(f"this taste cannot be read ({reason}); `aesth learn` makes one", path) from error
    try:
        if len(content) > LARGEST:
            raise ConfigError(_NO_TASTE)
        return Taste.from_json(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(_NO_TASTE, path) from error
    except ConfigError as error:
        raise ConfigError(error.message, path) from error


def write(taste: Taste, path: Path) -> None:
    """Write a taste, whole or not at all; an earlier taste is replaced.

    Raises:
        ConfigError: something else has that name, or nothing can be written there.
    """
    refuse_other_file(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, taste.to_json())
    except OSError as error:
        raise ConfigError(f"the taste cannot be written ({error.strerror}); name another file", path) from error


def refuse_other_file(path: Path) -> None:
    """See that a taste may be written: nothing is there, or an earlier taste.

    Raises:
        ConfigError: it is a file of another kind.
    """
    try:
        there = path.lstat()
    except (OSError, ValueError):
        return
    if there.st_size:
        try:
            read(path)
        except ConfigError as error:
            raise ConfigError("this is no taste, and stays as it is; name another file with --out", path) from error


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("no number")
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value
