"""Lists as lines: reading them, and telling what is wrong with which line."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from aesth.errors import CatalogueError
from aesth.training.catalogue.pictures import RatedPicture

_NAMED_AT_MOST = 3

_Item = TypeVar("_Item")

Numbered = tuple[int, _Item]
"""What a line of a list says, after the number of that line."""


def read_text(listing: Path) -> str:
    """The text of a list; bytes that are no UTF-8 become surrogate escapes, as they do in file names.

    Raises:
        CatalogueError: it cannot be read.
    """
    try:
        text = listing.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise CatalogueError(f"the list of rated pictures cannot be read ({reason})", listing) from error
    return text.replace("\r\n", "\n")


def table(listing: Path, needed: Iterable[str]) -> Iterator[Numbered[Mapping[str, str]]]:
    """The lines of a CSV file with a header as column -> field, each with the number of its (last) line.

    Raises:
        CatalogueError: it cannot be read, a needed column is missing, or a line has not one field for each column.
    """
    rows = csv.DictReader(io.StringIO(read_text(listing), newline=""), restkey="", restval=None)
    try:
        _require_columns(listing, rows.fieldnames or (), needed)
        for row in rows:
            if None in row.values() or "" in row:
                raise wrong_line(listing, rows.line_num, "it must have one field for each column of the header")
            yield rows.line_num, row
    except csv.Error as error:
        raise wrong_line(listing, rows.line_num + 1, f"this is not CSV ({error})") from error


def number(listing: Path, line: int, text: str, what: str) -> float:
    """A finite number.

    Raises:
        CatalogueError: the text is none.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise wrong_line(listing, line, f"the {what} {text!r} is not a number")
    return value


def require_text(listing: Path, line: int, row: Mapping[str, str], *columns: str) -> None:
    """Check that fields are not empty.

    Raises:
        CatalogueError: one of them is.
    """
    if not all(row[column].strip() for column in columns):
        raise wrong_line(listing, line, f"{' and '.join(columns)} must not be empty")


def require_once(listing: Path, files: Iterable[Numbered[Path]], what: str = "") -> None:
    """Check that no file is listed twice, or nothing else that ``what`` says and paths stand for.

    Raises:
        CatalogueError: one is; the message has both lines.
    """
    seen: dict[str, int] = {}
    for line, path in files:
        earlier = seen.setdefault(os.path.normpath(path), line)
        if earlier != line:
            raise wrong_line(listing, line, f"{what or path.name} is listed twice, first in line {earlier}")


def require_files(listing: Path, files: Iterable[Numbered[Path]]) -> None:
    """Check that there are files, and all that are listed.

    Raises:
        CatalogueError: there are none, or some are missing; the message has the first few lines.
    """
    listed = list(files)
    if not listed:
        raise CatalogueError("there is no rated picture in this list", listing)
    missing = [f"line {line} ({path.name})" for line, path in listed if not path.is_file()]
    if missing:
        more = f" and {len(missing) - _NAMED_AT_MOST} more" if len(missing) > _NAMED_AT_MOST else ""
        named = ", ".join(missing[:_NAMED_AT_MOST])
        raise CatalogueError(f"there is no picture for {named}{more}; add the files or remove the lines", listing)


def require_differences(listing: Path, pictures: Sequence[Numbered[RatedPicture]]) -> None:
    """Check that some pictures please more than others.

    Raises:
        CatalogueError: all have one score.
    """
    if len({picture.score for _, picture in pictures}) == 1:
        (first, picture), (last, _) = pictures[0], pictures[-1]
        lines = f"lines {first} to {last}: all {len(pictures)} pictures have" if last > first else f"line {first}: has"
        raise CatalogueError(
            f"{lines} the score {picture.score:g}, which does not tell what pleases more; add pictures of other scores",
            listing,
        )


def checked(listing: Path, pictures: Sequence[Numbered[RatedPicture]]) -> list[Numbered[RatedPicture]]:
    """``pictures``, of which each is there and listed once.

    Raises:
        CatalogueError: they are not.
    """
    files = [(line, picture.path) for line, picture in pictures]
    require_once(listing, files)
    require_files(listing, files)
    return list(pictures)


def wrong_line(listing: Path, line: int, what: str) -> CatalogueError:
    """The error that a line of a list is wrong."""
    return CatalogueError(f"line {line}: {what}; correct or remove the line", listing)


def _require_columns(listing: Path, there: Iterable[str], needed: Iterable[str]) -> None:
    missing = sorted(set(needed) - set(there))
    if missing:
        raise wrong_line(listing, 1, f"the column {' and '.join(missing)} is missing")
