"""Any catalogue, told by its first line."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from aesth.training.catalogue.faves import COLUMNS, popular_lines
from aesth.training.catalogue.lines import Numbered, read_text, require_differences, wrong_line
from aesth.training.catalogue.pictures import Catalogue, RatedPicture
from aesth.training.catalogue.tables import oasis_lines, read_pairs, score_lines

PAIRS = ("better", "worse")

_RATED: Mapping[tuple[str, ...], Callable[[Path], list[Numbered[RatedPicture]]]] = MappingProxyType(
    {("file", "score"): score_lines, COLUMNS: popular_lines, ("file", "theme", "beauty_mean"): oasis_lines}
)

FORMS = "a CSV file whose header has file,score or better,worse or file,faves,views; or lines url_or_file;faves;views"


def read_catalogue(listing: Path) -> Catalogue:
    """The judgements in a file of one of these forms, told apart by its first line.

    - CSV with the columns ``file,score`` and perhaps ``theme``: `read_scores`;
    - CSV with ``better,worse`` and perhaps ``theme``: `read_pairs`;
    - CSV with ``file,faves,views``, or lines ``url_or_file;faves;views`` without a header: `read_faves`;
    - ``ratings.csv`` of OASIS: `read_oasis`.

    Raises:
        CatalogueError: the file cannot be read or is of another form, a line of it is wrong, repeats a picture or names
            a missing one, or all scores are the same.
    """
    head = read_text(listing).lstrip("\n").partition("\n")[0]
    columns = {name.strip() for name in next(csv.reader([head]), [])}
    if columns.issuperset(PAIRS):
        return Catalogue(_name(listing), pairs=read_pairs(listing))
    read = next((reader for form, reader in _RATED.items() if columns.issuperset(form)), None)
    if read is None and ";" not in head:
        raise wrong_line(listing, 1, f"not a form of catalogue that is known, which is {FORMS}")
    numbered = (read or popular_lines)(listing)
    require_differences(listing, numbered)
    return Catalogue(_name(listing), pictures=[picture for _, picture in numbered])


def _name(listing: Path) -> str:
    """OASIS has a name; other catalogues are known by their file and its folder."""
    folder = listing.absolute().parent.name
    return "OASIS beauty ratings" if folder == "oasis" else f"{folder}/{listing.name}"
