"""What a worker of `aesth.ray.score_to_parquet` does: one part after the other."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn

from aesth import errors
from aesth.errors import AesthError, ConfigError, DecodeError
from aesth.ray.batches import BatchScorer
from aesth.ray.locations import text_of
from aesth.ray.parts import Basis, Parts
from aesth.ray.tables import PATH, arrow, table_of
from aesth.scorer import Scored

HASTY_TRIES = 2
"""After so many workers died over a part, its photos are scored one by one, to find the one that kills."""


class PartWriter:
    """A callable for ``ray.data.Dataset.map``: scores the photos of a part and writes it.

    What keeps it from its work is told in the row that it returns, since Ray would tell of it at great length.

    Args:
        folder: of the parts.
        basis: what the scores must have in common with those that are there.
        options: of `BatchScorer`.
    """

    def __init__(self, folder: str, basis: Basis, options: Mapping[str, Any]) -> None:
        self._parts = Parts(folder, basis)
        self._problem: AesthError | None = None
        try:
            self._scorer = BatchScorer(**options)
        except AesthError as error:
            self._problem = error
            return
        if self._scorer.model != basis.model:
            self._problem = ConfigError(
                f"the model is '{self._scorer.model}' on a worker, and '{basis.model}' where the run was started;"
                " install the same aesth on every machine"
            )

    def __call__(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Score what a part lacks: photos that are not in it, or that failed. The rest of it stays.

        Args:
            task: ``part``, its name, and ``locations``, as of `encoded`.

        Returns:
            Numbers of photos, ``scored`` and ``failed``, and ``problem``, for `raise_problem`, or None.
        """
        try:
            if self._problem is not None:
                raise self._problem
            scored, failed = self._make(str(task["part"]), decoded(task["locations"]))
        except AesthError as error:
            return {"scored": 0, "failed": 0, "problem": f"{type(error).__name__}: {error}"}
        return {"scored": scored, "failed": failed, "problem": None}

    def close(self) -> None:
        """Stop the worker's threads."""
        self._scorer.close()

    def _make(self, part: str, locations: Sequence[str]) -> tuple[int, int]:
        """The part, of which these photos are; the numbers of those that are in it with a score, and with an error."""
        there = self._parts.read(part)
        done = set() if there is None else _done(there)
        results = list(self._results(part, [location for location in locations if text_of(location) not in done]))
        if results:
            table = table_of(results, self._parts.basis.model)
            self._parts.write(part, table if there is None else _merged(there, table))
        self._parts.remove_note(part)
        failed = sum(scored.error is not None for _, scored in results)
        return len(locations) - failed, failed

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


def raise_problem(problem: str) -> NoReturn:
    """Raise what kept a worker from its work.

    Raises:
        AesthError: that.
    """
    kind, _, message = problem.partition(": ")
    raise getattr(errors, kind)(message)


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
