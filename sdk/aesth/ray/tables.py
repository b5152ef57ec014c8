"""Scores as Arrow tables, the form in which Ray and Parquet hold them.

path: string; score: double; rating: int8; norm: float; embedding: fixed-size list of 1000 floats; error: string;
model: string, its name and the start of its checksum. A photo that failed has an error, and nulls otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from aesth.encoder import DIMENSIONS
from aesth.errors import ConfigError
from aesth.extras import needs_extra
from aesth.ray.locations import text_of
from aesth.scorer import Scored

PATH = "path"


def arrow() -> Any:
    """The module ``pyarrow``."""
    with needs_extra("cluster", "scoring on Ray"):
        import pyarrow
    return pyarrow


def as_table(batch: Mapping[str, Any] | Any) -> Any:
    """A batch of Ray, in whichever form it came, as an Arrow table.

    Raises:
        ConfigError: it has no column ``path``.
    """
    pa = arrow()
    table = batch if isinstance(batch, pa.Table) else pa.table({name: pa.array(batch[name]) for name in batch})
    if PATH not in table.column_names:
        raise ConfigError(f"a batch needs a column 'path' of paths and URLs; this one has {table.column_names}")
    return table


def locations_in(table: Any) -> list[str]:
    """The paths and URLs of a table."""
    return [os.fsdecode(location) for location in table.column(PATH).to_pylist()]


def with_scores(table: Any, results: Sequence[Scored], model: str) -> Any:
    """``table`` with what became of each of its photos; columns of these names are replaced."""
    names = table.column_names
    columns: dict[str, Any] = {name: table.column(name) for name in names} | _columns(results, model)
    return arrow().table(columns)


def table_of(results: Iterable[tuple[str, Scored]], model: str) -> Any:
    """Locations and what became of them, as a table."""
    results = list(results)
    paths = arrow().array([text_of(location) for location, _ in results], arrow().string())
    return arrow().table({PATH: paths} | _columns([scored for _, scored in results], model))


def _columns(results: Sequence[Scored], model: str) -> dict[str, Any]:
    pa = arrow()
    errors = [None if scored.error is None else text_of(scored.error.message) for scored in results]
    return {
        "score": pa.array([scored.score for scored in results], pa.float64()),
        "rating": pa.array([scored.rating for scored in results], pa.int8()),
        "norm": pa.array([scored.norm for scored in results], pa.float32()),
        "embedding": _embeddings(results),
        "error": pa.array(errors, pa.string()),
        "model": pa.array([text_of(model)] * len(results), pa.string()),
    }


def _embeddings(results: Sequence[Scored]) -> Any:
    pa = arrow()
    values = np.zeros((len(results), DIMENSIONS), np.float32)
    missing = np.ones(len(results), bool)
    for row, scored in enumerate(results):
        if scored.embedding is not None:
            values[row], missing[row] = scored.embedding, False
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), DIMENSIONS, mask=pa.array(missing))
