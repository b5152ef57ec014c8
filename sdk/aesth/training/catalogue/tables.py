"""Catalogues as CSV files with a header: of scores, of pairs, and of OASIS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aesth.training.catalogue.lines import (
    Numbered,
    checked,
    number,
    require_files,
    require_text,
    table,
    wrong_line,
)
from aesth.training.catalogue.pictures import PicturePair, RatedPicture


def read_oasis(folder: Path) -> list[RatedPicture]:
    """The pictures of the Open Affective Standardized Image Set with their mean beauty ratings (1-7) as scores.

    Args:
        folder: holds ``images/`` and ``ratings.csv``, which has the columns file, theme and beauty_mean among others.

    Returns:
        In the order of the list.

    Raises:
        CatalogueError: the list cannot be read, or a line of it is wrong or names a missing picture.
    """
    return [picture for _, picture in oasis_lines(folder / "ratings.csv")]


def read_scores(listing: Path) -> list[RatedPicture]:
    """The pictures of a CSV file with the columns ``file`` and ``score``, and ``theme`` if pictures look alike.

    Args:
        listing: the file. Names in it are relative to its folder. Scores are on any scale, the greater the better.
            Without a theme, a picture is a theme of its own, by its base name.

    Raises:
        CatalogueError: the list cannot be read, or a line of it is wrong, repeats or names a missing picture.
    """
    return [picture for _, picture in score_lines(listing)]


def read_pairs(listing: Path) -> list[PicturePair]:
    """The pairs of a CSV file with the columns ``better`` and ``worse``, and ``theme`` (of both) if given.

    A pair may be listed again, or the other way round: those are votes of several people.

    Args:
        listing: the file. Names in it are relative to its folder. Without a theme, a picture is a theme of its own,
            by its base name.

    Raises:
        CatalogueError: the list cannot be read, or a line of it is wrong or names a missing picture.
    """
    numbered, themes = [], dict[Path, str]()
    for line, row in table(listing, ("better", "worse")):
        require_text(listing, line, row, "better", "worse")
        better, worse = listing.parent / row["better"], listing.parent / row["worse"]
        if better == worse:
            raise wrong_line(listing, line, f"{row['better']} is compared with itself")
        both = (_theme(listing, line, row, better), _theme(listing, line, row, worse))
        for path, theme in zip((better, worse), both, strict=True):
            if themes.setdefault(path, theme) != theme:
                raise wrong_line(listing, line, f"the theme of {path.name} was {themes[path]} before, not {theme}")
        numbered.append((line, PicturePair(better, worse, both)))
    first_seen = {path: line for line, pair in reversed(numbered) for path in (pair.better, pair.worse)}
    require_files(listing, sorted((line, path) for path, line in first_seen.items()))
    return [pair for _, pair in numbered]


def oasis_lines(listing: Path) -> list[Numbered[RatedPicture]]:
    """As `read_oasis`, with line numbers."""
    numbered = []
    for line, row in table(listing, ("file", "theme", "beauty_mean")):
        require_text(listing, line, row, "file", "theme")
        score = number(listing, line, row["beauty_mean"], "rating")
        numbered.append((line, RatedPicture(listing.parent / "images" / row["file"], score, row["theme"])))
    return checked(listing, numbered)


def score_lines(listing: Path) -> list[Numbered[RatedPicture]]:
    """As `read_scores`, with line numbers."""
    numbered = []
    for line, row in table(listing, ("file", "score")):
        require_text(listing, line, row, "file")
        path = listing.parent / row["file"]
        score = number(listing, line, row["score"], "score")
        numbered.append((line, RatedPicture(path, score, _theme(listing, line, row, path))))
    return checked(listing, numbered)


def _theme(listing: Path, line: int, row: Mapping[str, str], path: Path) -> str:
    if "theme" not in row:
        return path.name
    require_text(listing, line, row, "theme")
    return row["theme"]
