"""Catalogues of published photos: how many people saw one, and how many of them liked it (paper, section 4.1)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from aesth.training.catalogue.lines import Numbered, checked, read_text, require_text, table, wrong_line
from aesth.training.catalogue.pictures import RatedPicture
from aesth.training.popularity import popularity

COLUMNS = ("file", "faves", "views")

_COUNT = re.compile(r"\s*[0-9]{1,18}\s*")


@dataclass(frozen=True)
class FavesLine:
    """A line of a list of published photos.

    Attributes:
        line: its number, from 1.
        name: a URL or the name of a file.
        faves: F, how many people liked the photo.
        views: V, how many saw it.
    """

    line: int
    name: str
    faves: int
    views: int


def read_faves(listing: Path, folder: Path | None = None, *, skip_missing: bool = False) -> list[RatedPicture]:
    """The pictures of a list of lines ``url_or_file;faves;views``, with their popularity as scores (Eq. 1).

    Also of a CSV file with the columns file, faves and views, such as `aesth train fetch` leaves. A URL stands for the
    file of its last part in ``folder``. Each picture is a theme of its own. Pictures whose popularity is unknown, such
    as those seen by nobody, are left out.

    Args:
        listing: the list, in UTF-8; lines with semicolons have no header.
        folder: what file names are relative to; the list's own folder if not given.
        skip_missing: leave out lines whose file is not there (links die) instead of raising.

    Raises:
        CatalogueError: the list cannot be read, or a line of it is wrong, repeats or names a missing picture, or none
            is left.
    """
    return [picture for _, picture in popular_lines(listing, folder, skip_missing=skip_missing)]


def read_faves_lines(listing: Path) -> list[FavesLine]:
    """The lines of a list as of `read_faves`, whatever their popularity, and whether the pictures are there or not.

    Raises:
        CatalogueError: the list cannot be read, or a line of it is wrong.
    """
    return list(_of_table(listing) if has_header(listing) else _of_semicolons(listing))


def popular_lines(
    listing: Path, folder: Path | None = None, *, skip_missing: bool = False
) -> list[Numbered[RatedPicture]]:
    """As `read_faves`, with line numbers."""
    home = listing.parent if folder is None else folder
    entries = read_faves_lines(listing)
    scores = popularity([entry.faves for entry in entries], [entry.views for entry in entries]).tolist()
    numbered = []
    for entry, score in zip(entries, scores, strict=True):
        path = home / _local_name(entry.name)
        if not math.isnan(score) and (not skip_missing or path.is_file()):
            numbered.append((entry.line, RatedPicture(path, score, path.name)))
    return checked(listing, numbered)


def has_header(listing: Path) -> bool:
    """Whether a list of faves and views is CSV with a header."""
    return set(COLUMNS) <= set(read_text(listing).partition("\n")[0].split(","))


def _of_table(listing: Path) -> Iterator[FavesLine]:
    for line, row in table(listing, COLUMNS):
        require_text(listing, line, row, "file")
        yield FavesLine(line, row["file"], _count(listing, line, row, "faves"), _count(listing, line, row, "views"))


def _count(listing: Path, line: int, row: Mapping[str, str], column: str) -> int:
    text = row[column]
    if not _COUNT.fullmatch(text):
        raise wrong_line(listing, line, f"{column} must be a whole number that is not negative, not {text!r}")
    return int(text)


def _of_semicolons(listing: Path) -> Iterator[FavesLine]:
    """A URL may hold semicolons itself."""
    for line, text in enumerate(read_text(listing).split("\n"), start=1):
        if not text.strip():
            continue
        name, *counts = text.strip().rsplit(";", 2)
        if not name or len(counts) != 2 or not all(_COUNT.fullmatch(count) for count in counts):
            raise wrong_line(
                listing, line, f"expected url_or_file;faves;views with whole numbers, not {text.strip()!r}"
            )
        yield FavesLine(line, name, int(counts[0]), int(counts[1]))


def _local_name(name: str) -> str:
    return PurePosixPath(urlsplit(name).path).name if "://" in name else name
