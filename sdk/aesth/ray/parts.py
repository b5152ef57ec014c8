"""The folder that scores go to: Parquet files, each whole or not there, each photo in one of them.

A part is named by the photos that it was made for. Whoever scores them once more, after a worker was lost or did not
hear that it had finished, replaces that part by itself: nothing is there twice.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from io import BytesIO
from typing import Any
from uuid import uuid4

from aesth.errors import AesthError, ConfigError
from aesth.extras import needs_extra
from aesth.preprocess import PIXELS
from aesth.ray.locations import is_url, local_path, one_line, storage_of
from aesth.ray.tables import PATH
from aesth.scale import CutPoints

READ_AT_A_TIME = 16

_BUCKETS = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "adl", "az", "oci", "oss", "r2", "tos"})
_PREFIX, _SUFFIX = "part-", ".parquet"
_BASIS = b"aesth.basis"


@dataclass(frozen=True)
class Basis:
    """What scores must have in common to be compared.

    Attributes:
        model: its name and the start of its checksum.
        cut_points: of the ratings.
        previews: whether photos are scored by previews in them.
        pixels: version of the way from files to pixels.
    """

    model: str
    cut_points: CutPoints
    previews: bool = True
    pixels: int = PIXELS

    def to_json(self) -> str:
        """As it is kept in each part."""
        return json.dumps(asdict(self))


@dataclass
class Known:
    """Which photos a folder has already.

    Attributes:
        done: those that have a score.
        failed: those that have an error instead, with the part in which they are.
    """

    done: set[str] = field(default_factory=set)
    failed: dict[str, str] = field(default_factory=dict)


def part_of(locations: Sequence[str]) -> str:
    """The name of the part for these photos."""
    digest = blake2b(digest_size=16)
    for location in locations:
        digest.update(os.fsencode(location) + b"\0")
    return f"{_PREFIX}{digest.hexdigest()}{_SUFFIX}"


class Parts:
    """The parts in a folder.

    Args:
        folder: a path or a URL; it need not be there.
        basis: of the scores that are added; parts of another are refused.
    """

    def __init__(self, folder: str, basis: Basis) -> None:
        self.folder = folder if is_url(folder) else os.path.abspath(folder)  # noqa: PTH100 - links stay
        self.basis = basis
        self._storage, self._root = storage_of(self.folder)
        self._is_local = local_path(self.folder) is not None

    def prepare(self) -> None:
        """Make the folder, see that it can be written to, and remove what killed workers left half-written.

        Raises:
            ConfigError: a file is in its place, or nothing can be written there.
        """
        try:
            is_file = self._storage.isfile(self._root)
            if not is_file:
                if not self._has_buckets():
                    self._storage.makedirs(self._root, exist_ok=True)
                self._storage.pipe_file(self._path(f".{_PREFIX}probe"), b"")
                self.tidy()
        except Exception as error:  # every kind of storage raises classes of its own
            raise ConfigError(f"{self.folder} cannot be written to ({one_line(error)})") from error
        if is_file:
            raise ConfigError(f"{self.folder} is a file; scores go to a folder, to which Parquet files are added")

    def tidy(self) -> None:
        """Remove notes, and what killed workers left half-written."""
        for name in self._listed():
            if name.startswith(f".{_PREFIX}"):
                self._storage.rm_file(self._path(name))

    def known(self) -> Known:
        """Which photos are there.

        Raises:
            ConfigError: their scores are not to be compared with those to come.
            AesthError: a part cannot be read.
        """
        known = Known()
        parts = [name for name in self._listed() if name.startswith(_PREFIX) and name.endswith(_SUFFIX)]
        with ThreadPoolExecutor(READ_AT_A_TIME) as pool:
            for part, table in zip(parts, pool.map(self._read_known, parts), strict=True):
                for path, error in zip(*(column.to_pylist() for column in table.columns), strict=True):
                    if error is None:
                        known.done.add(path)
                    else:
                        known.failed[path] = part
        return known

    def read(self, part: str) -> Any:
        """The table of a part; None if there is none."""
        try:
            data = self._storage.cat_file(self._path(part))
        except FileNotFoundError:
            return None
        return parquet().read_table(BytesIO(data))

    def write(self, part: str, table: Any) -> None:
        """Put a table in the place of a part, whole or not at all.

        Raises:
            AesthError: it cannot be written.
        """
        data = BytesIO()
        table = table.replace_schema_metadata({_BASIS: self.basis.to_json()})
        # Embeddings are as good as random: a dictionary of them takes half as much again.
        parquet().write_table(table, data, compression="zstd", use_dictionary=["error", "model"])
        try:
            if self._is_local:
                _replace(self._path(part), data.getvalue())
            else:
                self._storage.pipe_file(self._path(part), data.getvalue())
        except Exception as error:
            raise AesthError(f"{self.folder}/{part} cannot be written ({one_line(error)})") from error

    def note(self, part: str) -> dict[str, Any]:
        """What workers noted of a part that they had begun; nothing if there is no such note, or half of one."""
        try:
            return dict(json.loads(self._storage.cat_file(self._path(_note_of(part)))))
        except (FileNotFoundError, ValueError):
            return {}

    def write_note(self, part: str, note: Mapping[str, Any]) -> None:
        """Note something of a part that is begun.

        Raises:
            AesthError: nothing can be written there.
        """
        try:
            self._storage.pipe_file(self._path(_note_of(part)), json.dumps(note).encode())
        except Exception as error:
            raise AesthError(f"{self.folder} cannot be written to ({one_line(error)})") from error

    def remove_note(self, part: str) -> None:
        """Forget what was noted of a part, if anything."""
        with suppress(FileNotFoundError):
            self._storage.rm_file(self._path(_note_of(part)))

    def _has_buckets(self) -> bool:
        """Whether folders need not be made here, and making one could make a bucket of a misspelt name."""
        protocols = self._storage.protocol
        return not _BUCKETS.isdisjoint([protocols] if isinstance(protocols, str) else protocols)

    def _path(self, name: str) -> str:
        return f"{self._root.rstrip('/')}/{name}"

    def _listed(self) -> list[str]:
        try:
            return [path.rpartition("/")[2] for path in self._storage.ls(self._root, detail=False)]
        except FileNotFoundError:
            return []

    def _read_known(self, part: str) -> Any:
        place = f"{self.folder}/{part}"
        try:
            with self._storage.open(self._path(part), "rb") as file, parquet().ParquetFile(file) as found:
                basis = (found.schema_arrow.metadata or {}).get(_BASIS, b"").decode("utf-8", "replace")
                self._refuse_other(basis, place)
                return found.read(columns=[PATH, "error"])
        except AesthError:
            raise
        except Exception as error:
            reason = f"{place} cannot be read ({one_line(error)}); move it away, and start again"
            raise AesthError(reason) from error

    def _refuse_other(self, basis: str, place: str) -> None:
        if basis != self.basis.to_json():
            raise ConfigError(
                f"{place} holds scores of another run, {basis or 'unknown'}, which do not go with those of"
                f" {self.basis.to_json()}; name another folder"
            )


def parquet() -> Any:
    """The module ``pyarrow.parquet``."""
    with needs_extra("cluster", "scoring on Ray"):
        import pyarrow.parquet
    return pyarrow.parquet


def _note_of(part: str) -> str:
    return f".{part}.begun"


def _replace(path: str, data: bytes) -> None:
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{uuid4().hex}")  # noqa: PTH118 - as `path` is told
    with open(temporary, "wb") as file:  # noqa: PTH123
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)  # noqa: PTH105
