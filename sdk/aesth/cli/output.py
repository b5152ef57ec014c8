"""Outcomes as text that other programs read: json, ndjson, csv and tsv. Pure functions."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aesth.config import Format

if TYPE_CHECKING:
    from aesth.tagging import Outcome

FIELDS = ("path", "score", "rating", "old_rating", "action", "error")

_TSV_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_TSV_UNESCAPES = {escaped: plain for plain, escaped in _TSV_ESCAPES.items()}


@dataclass(frozen=True)
class Column:
    """A field that one command has after those that all have; ``value`` tells it of an outcome of that command."""

    name: str
    value: Callable[[Any], str | float | bool | None]


@dataclass(frozen=True)
class Layout:
    """A format of outcomes: ``head``, the lines with ``between`` them, ``tail``."""

    head: str
    line: Callable[[Outcome], str]
    between: str
    tail: str


def to_json(outcome: Outcome, also: Sequence[Column] = ()) -> str:
    r"""One JSON object, in ASCII and on one line; bytes of a path that are no UTF-8 appear as ``\udcXX``."""
    error = None if outcome.error is None else outcome.error.message
    values = (str(outcome.path), outcome.score, outcome.rating, outcome.old_rating, outcome.action.value, error)
    return json.dumps(dict(zip(FIELDS, values, strict=True)) | {column.name: column.value(outcome) for column in also})


def to_csv(outcome: Outcome, also: Sequence[Column] = ()) -> str:
    """One record as in RFC 4180, with its line end."""
    return csv_record(_texts(outcome, also))


def to_tsv(outcome: Outcome, also: Sequence[Column] = ()) -> str:
    """One line of tab-separated, escaped fields, with its line end."""
    return tsv_line(_texts(outcome, also))


def escape_tsv(text: str) -> str:
    r"""``text`` with tab, newline, carriage return and backslash as ``\t \n \r \\``."""
    return re.sub(r"[\\\t\n\r]", lambda match: _TSV_ESCAPES[match[0]], text)


def tsv_line(fields: Iterable[str]) -> str:
    """One line of tab-separated, escaped fields, with its line end."""
    return "\t".join(map(escape_tsv, fields)) + "\n"


def unescape_tsv(field: str) -> str:
    """The text that `escape_tsv` made ``field`` of."""
    return re.sub(r"\\[\\tnr]", lambda match: _TSV_UNESCAPES[match[0]], field)


def encode(text: str) -> bytes:
    """UTF-8, with bytes of a path that are no UTF-8 as they are."""
    return text.encode("utf-8", "surrogateescape")


def _texts(outcome: Outcome, also: Sequence[Column]) -> tuple[str, ...]:
    return (
        str(outcome.path),
        "" if outcome.score is None else f"{outcome.score:.2f}",
        "" if outcome.rating is None else str(outcome.rating),
        "" if outcome.old_rating is None else str(outcome.old_rating),
        outcome.action.value,
        "" if outcome.error is None else outcome.error.message,
        *(_text(column.value(outcome)) for column in also),
    )


def _text(value: str | float | bool | None) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def csv_record(fields: Iterable[str]) -> str:
    """One record as in RFC 4180, with its line end."""
    text = io.StringIO()
    csv.writer(text).writerow(fields)
    return text.getvalue()


def layouts(also: Sequence[Column] = ()) -> dict[Format, Layout]:
    """How outcomes are printed in each format, with fields ``also`` after those of all commands."""
    names = (*FIELDS, *(column.name for column in also))
    return {
        Format.JSON: Layout("[", lambda outcome: "\n  " + to_json(outcome, also), ",", "\n]\n"),
        Format.NDJSON: Layout("", lambda outcome: to_json(outcome, also) + "\n", "", ""),
        Format.CSV: Layout(csv_record(names), lambda outcome: to_csv(outcome, also), "", ""),
        Format.TSV: Layout(tsv_line(names), lambda outcome: to_tsv(outcome, also), "", ""),
    }


LAYOUTS = layouts()
