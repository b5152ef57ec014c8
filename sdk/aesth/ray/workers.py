"""What a worker of `aesth.ray.score_to_parquet` does: one part after the other."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from aesth.errors import ConfigError, DecodeError
from aesth.ray.batches import BatchScorer
from aesth.ray.locations import text_of
from aesth.ray.parts import Basis, Parts
from aesth.ray.tables import PATH, arrow, table_of
from aesth.scorer import Scored

HASTY_TRIES = 2
"""After so many workers died over a part, its photos are scored one by one, to find the one that kills."""


class PartWriter:
    """A callable for ``ray.data.Dataset.map``: scores the photos of a part and writes it.

    Args:
        folder: of the parts.
        basis: what the scores must have in common with those that are there.
        options: of `BatchScorer`.

    Raises:
        ConfigError: the model is another one on this machine.
    """

    def __init__(self, folder: str, basis: Basis, options: Mapping[str, Any]) -> None:
        self._scorer = BatchScorer(**options)
        if self._scorer.model != basis.model:
            raise ConfigError(
                f"the model is '{self._scorer.model}' on a worker, and '{basis.model}' where the run was started;"
                " install the same aesth on every machine"
            )
        self._parts = Parts(folder, basis)

    def __call__(self, task: Mapping[str, Any]) -> dict[str, int]:
        """Score what the part lacks: photos that are not in it, or that failed. The rest of it stays."""
        part, locations = str(task["part"]), decoded(task["locations"])
        there = self._parts.read(part)
        done = set() if there is None else _done(there)
        results = list(self._results(part, [location for location in locations if text_of(location) not in done]))
        if results:
            table = table_of(results, self._parts.basis.model)
            self._parts.write(part, table if there is None else _merged(there, table))
        self._parts.remove_note(part)
        failed = sum(scored.error is not None for _, scored in results)
        return {"scored": len(locations) - failed, "failed": failed}

    def close(self) -> None:
        """Stop the worker's threads."""
        self._scorer.close()

    def _results(self, part: str, locations: Sequence[str]) -> Iterator[tuple[str, Scored]]:
        note = self._parts.note(part)
        tries, killers = note.get("tries", 0), note.get("killers", [])
        if "at" in note:
            killers.append(note["at"])
        note = {"worker": f"{socket.gethostname()}:{os.getpid()}", "tries": tries + 1, "killers": killers}
        self._parts.write_note(part, note)
        if tries < HASTY_TRIES:
            yield from self._scorer.score(locations)
            return
        for location in locations:
            if text_of(location) in killers:
                yield location, Scored(None, error=DecodeError(f"{tries} workers died while they read this photo"))
                continue
            self._parts.write_note(part, note | {"at": text_of(location)})
            yield from self._scorer.score([location])


def encoded(locations: Iterable[str]) -> bytes:
    """Locations as one value of a table, bytes that are no UTF-8 included."""
    return b"\0".join(map(os.fsencode, locations))


def decoded(value: bytes) -> list[str]:
    """The locations that `encoded` made ``value`` of."""
    return [os.fsdecode(location) for location in value.split(b"\0")]


def _done(table: Any) -> set[str]:
    paths, errors = table.column(PATH).to_pylist(), table.column("error").to_pylist()
    return {path for path, error in zip(paths, errors, strict=True) if error is None}


def _merged(there: Any, new: Any) -> Any:
    """The rows of both, those of ``new`` in the place of those of the same photos."""
    renewed = set(new.column(PATH).to_pylist())
    kept = [path not in renewed for path in there.column(PATH).to_pylist()]
    return arrow().concat_tables([there.filter(arrow().array(kept)), new])
