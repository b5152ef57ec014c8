"""Which models there are: name -> ONNX file, with its licence, size and checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aesth.errors import ConfigError, ModelError

MODELS_FOLDER = Path(__file__).parent / "models"
DEFAULT_MODEL = "lite-int8"
DEFAULT_PRECISION = "int8"


@dataclass(frozen=True)
class ModelFile:
    """An ONNX file that a name stands for.

    Attributes:
        name: ``NAME-PRECISION``, such as ``base-int8``; for a file of the user's own, its stem.
        path: where the file lies.
    """

    name: str
    path: Path

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of the file, in hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        return self.path.stat().st_size

    @property
    def tag(self) -> str:
        """What photos remember of the model that scored them: its name and the start of its checksum."""
        return f"{self.name} {self.checksum[:8]}"


def bundled() -> Iterator[ModelFile]:
    """The models inside this package, by name."""
    for path in sorted(MODELS_FOLDER.glob("*.onnx")):
        yield ModelFile(path.stem, path)


def find(name: str = "default") -> ModelFile:
    """The model called ``name``: ``default``, a bundled name, or the path of an ONNX file.

    A bundled name may leave out its precision: ``base`` is ``base-int8``.

    Raises:
        ConfigError: there is no such name; the message lists those that there are.
        ModelError: there is no such file, or the default model is not bundled here.
    """
    models = {model.name: model for model in bundled()}
    wanted = DEFAULT_MODEL if name == "default" else name
    meanings = (wanted, f"{wanted}-{DEFAULT_PRECISION}")
    for meaning in meanings:
        if meaning in models:
            return models[meaning]
    path = Path(wanted).expanduser()
    if path.suffix.lower() == ".onnx":
        if path.is_file():
            return ModelFile(path.stem, path)
        raise ModelError("no such model file; give the path of an ONNX file that aesth exported", path)
    if DEFAULT_MODEL in meanings:
        raise ModelError(
            f"the model '{DEFAULT_MODEL}' is not bundled here; reinstall aesth, or give the path of an .onnx file"
        )
    known = ", ".join(models) or "none is bundled here"
    raise ConfigError(f"unknown model '{wanted}'; known: {known}, or the path of an .onnx file")
