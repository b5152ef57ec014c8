"""AVA: a photographic community's ratings of 255,000 pictures (Murray et al., CVPR 2012), in its own files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aesth.errors import CatalogueError

RATINGS = 10
GOOD = 5.0
"""A mean rating above this makes a picture a good one: the label whose accuracy the paper's Table 3 compares."""

TEST_LIST = Path("aesthetics_image_lists") / "generic_test.jpgl"
"""Where AVA's own archive has the official test list, beside ``AVA.txt``."""

_COLUMNS = 15


@dataclass(frozen=True)
class AvaPictures:
    """Rated pictures.

    Attributes:
        ids: AVA's numbers of the pictures, (n,); files are named after them.
        counts: how many people gave 1, 2, ... 10, (n, 10).
    """

    ids: NDArray[np.int64]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def distribution(self) -> NDArray[np.float32]:
        """Share of people who gave each rating, (n, 10); rows sum to 1."""
        shares: NDArray[np.float32] = (self.counts / self.counts.sum(1, keepdims=True)).astype(np.float32)
        return shares

    @property
    def means(self) -> NDArray[np.float64]:
        """Mean ratings, 1 to 10, (n,)."""
        return mean_rating(self.counts)

    def only(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> AvaPictures:
        """Those that a mask or indices choose."""
        return AvaPictures(self.ids[chosen], self.counts[chosen])


@dataclass(frozen=True)
class AvaSplit:
    """AVA as the official split parts it, pictures without a file left out.

    Attributes:
        train: to learn from.
        test: to measure on.
        missing_train: pictures to learn from that have no file.
        missing_test: the same of those to measure on.
    """

    train: AvaPictures
    test: AvaPictures
    missing_train: int
    missing_test: int


def mean_rating(weights: NDArray[np.generic]) -> NDArray[np.float64]:
    """Mean rating, 1 to 10, of counts or shares of the ratings, (n, 10) -> (n,)."""
    weight = np.asarray(weights, np.float64)
    means: NDArray[np.float64] = weight @ np.arange(1, RATINGS + 1) / weight.sum(1)
    return means


def read_labels(listing: Path) -> AvaPictures:
    """The pictures of ``AVA.txt``: index, picture, counts of the ratings 1 to 10, two tags, challenge; by spaces.

    Raises:
        CatalogueError: the list cannot be read, or a line of it is wrong; the message names the line.
    """
    rows: list[list[int]] = []
    lines: dict[int, int] = {}
    for number, line in _lines(listing):
        fields = line.split()
        if len(fields) != _COLUMNS or not all(_is_count(field) for field in fields):
            raise _wrong(
                listing,
                number,
                f"expected {_COLUMNS} whole numbers (index, picture, 10 counts, 2 tags, challenge), not {_short(line)}",
            )
        values = [int(field) for field in fields[1 : 2 + RATINGS]]
        if not sum(values[1:]):
            raise _wrong(listing, number, f"picture {values[0]} has no ratings")
        if (first := lines.setdefault(values[0], number)) != number:
            raise _wrong(listing, number, f"picture {values[0]} is in line {first} already")
        rows.append(values)
    if not rows:
        raise CatalogueError("there are no rated pictures in this list", listing)
    table = np.array(rows, np.int64)
    return AvaPictures(table[:, 0], table[:, 1:])


def read_ids(listing: Path) -> NDArray[np.int64]:
    """The numbers of pictures in a list of AVA's own, one to a line, such as ``generic_test.jpgl``.

    Raises:
        CatalogueError: the list cannot be read or is empty, or a line of it is no number.
    """
    ids = []
    for number, line in _lines(listing):
        name = line.strip().removesuffix(".jpg")
        if not _is_count(name):
            raise _wrong(listing, number, f"expected the number of a picture, not {_short(line)}")
        ids.append(int(name))
    if not ids:
        raise CatalogueError("there are no pictures in this list", listing)
    return np.array(ids, np.int64)


def split(labels: Path, images: Path, test_list: Path | None = None, train_list: Path | None = None) -> AvaSplit:
    """AVA's rated pictures, parted by its official lists; pictures without a file are counted and left out.

    Args:
        labels: ``AVA.txt``.
        images: folder of the pictures, ``NUMBER.jpg``.
        test_list: numbers of the pictures to measure on; None takes `TEST_LIST` beside ``labels``.
        train_list: numbers of the pictures to learn from; None takes all others. Those to measure on never are.

    Raises:
        CatalogueError: a list is missing or wrong, names a picture that ``labels`` has not, or leaves too few pictures.
    """
    pictures = read_labels(labels)
    if test_list is None:
        test_list = labels.parent / TEST_LIST
        if not test_list.is_file():
            raise CatalogueError("the official test list is not here; name it with --test-list", test_list)
    is_test = _chosen(pictures, test_list)
    is_train = ~is_test if train_list is None else _chosen(pictures, train_list) & ~is_test
    there = np.array([picture_file(images, number).is_file() for number in pictures.ids], np.bool_)
    found = AvaSplit(
        pictures.only(is_train & there),
        pictures.only(is_test & there),
        int((is_train & ~there).sum()),
        int((is_test & ~there).sum()),
    )
    if len(found.train) < 1 or len(found.test) < 2:
        raise CatalogueError(
            f"{len(found.train)} pictures to learn from and {len(found.test)} to measure on have a file here "
            f"({found.missing_train + found.missing_test} have none); name the folder of NUMBER.jpg",
            images,
        )
    return found


def picture_file(images: Path, number: int) -> Path:
    """Where a picture lies."""
    return images / f"{number}.jpg"


def _chosen(pictures: AvaPictures, listing: Path) -> NDArray[np.bool_]:
    ids = read_ids(listing)
    unknown = ~np.isin(ids, pictures.ids)
    if unknown.any():
        raise CatalogueError(f"picture {ids[unknown][0]} has no ratings; these lists belong to different data", listing)
    return np.isin(pictures.ids, ids)


def _lines(listing: Path) -> Sequence[tuple[int, str]]:
    """The lines that are not empty, with their numbers."""
    try:
        text = listing.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise CatalogueError(f"this list cannot be read ({error.strerror})", listing) from error
    return [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _short(line: str) -> str:
    return repr(line if len(line) <= 80 else f"{line[:77]}...")


def _wrong(listing: Path, line: int, what: str) -> CatalogueError:
    return CatalogueError(f"line {line}: {what}; correct or remove the line", listing)
