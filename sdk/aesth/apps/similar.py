"""Which pictures are one picture: at another size, quality, crop or turn, edited, in colour and in black and white.

Small grey copies are compared, by correlation, so that neither brightness nor contrast nor the sides' ratio counts; one
of two is turned, and cut, to where it fits the other best. That two frames show the same scene is not enough, unless
hardly anything in it moved. How the limits were chosen, and what they find, is told in docs/similar.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aesth.preprocess import UInt8Image
from aesth.remembering import LookAt

SIDE = 32
"""Height and width of the grey copies that are compared."""

NEAR = 0.7
"""Distance of embeddings up to which two pictures are near, in units of `aesth.apps.bursts.distances`."""
SAME_PICTURE, SAME_PICTURE_IF_NEAR = 0.975, 0.95
"""Correlation of two copies, one cut to where it fits best, from which on they are of one picture.

Seas and fields under a bright sky correlate at up to 0.973, and are not near. Small and colourless copies of a picture
are not near it either, but correlate nearly wholly.
"""
WORTH_A_LOOK, WORTH_A_LOOK_IF_NEAR = 0.8, 0.6
"""Correlation of uncut copies of 8 x 8 pixels from which on cuts are tried."""

_COARSE, _FINE = 8, 24
_ZOOMS = (1, 0.97, 0.94, 0.91, 0.88, 0.85, 0.82, 0.78)
_PLACES = (0, 0.25, 0.5, 0.75, 1)
_FLAT = 2.0
"""Grey levels of standard deviation below which a picture shows nothing that could be told again."""
_ROWS, _PAIRS = 512, 256
"""So many pictures, and pairs, are compared in one go: this bounds the memory."""

Thumbnails: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Pair: TypeAlias = tuple[int, int]


def thumbnail(image: UInt8Image) -> Thumbnails:
    """The grey copy, (32, 32), of a picture (h, w, 3)."""
    grey = Image.fromarray(image).convert("L")
    return np.asarray(grey.resize((SIDE, SIDE), Image.Resampling.LANCZOS, reducing_gap=3.0))


def _unpacked(packed: bytes) -> Thumbnails:
    return np.frombuffer(packed, np.uint8).reshape(SIDE, SIDE)


GREY_COPY: LookAt[Thumbnails] = LookAt("grey copies", 1, thumbnail, np.ndarray.tobytes, _unpacked)
"""`thumbnail`, so that it can be remembered."""


def same_pictures(thumbnails: Thumbnails, embeddings: NDArray[np.floating]) -> Iterator[Pair]:
    """The pairs of pictures that are one picture, as numbers, the smaller first.

    Memory does not grow with the number of pairs, only with that of pictures.

    Args:
        thumbnails: of each picture, (n, 32, 32); see `thumbnail`.
        embeddings: the point of each in the aesthetic space, (n, d), of any precision.
    """
    seen: set[Pair] = set()
    for turn, pairs in _candidates(thumbnails, embeddings):
        for start in range(0, len(pairs), _PAIRS):
            some = [pair for pair in pairs[start : start + _PAIRS] if pair not in seen]
            same = [
                pair for pair, is_one in zip(some, _are_one(thumbnails, embeddings, some, turn), strict=True) if is_one
            ]
            seen.update(same)
            yield from same


def groups_of(pairs: Iterable[Pair]) -> list[list[int]]:
    """What hangs together by pairs: lists of numbers in order, the one with the smallest number first."""
    groups: dict[int, list[int]] = {}
    for first, second in pairs:
        one, other = groups.setdefault(first, [first]), groups.setdefault(second, [second])
        if one is not other:
            one += other
            groups.update(dict.fromkeys(other, one))
    return sorted(sorted(group) for group in {id(group): group for group in groups.values()}.values())


def best_fit(one: Floats, other: Floats, side: int = _FINE) -> Floats:
    """How well pictures fit, -1 to 1, (n,): the best correlation of one of each pair with a cut of the other.

    Args:
        one: grey copies (n, 32, 32).
        other: those to compare them with, each with one.
        side: height and width to which both are reduced.
    """
    fit: Floats = np.maximum(_fit_of_cuts(one, other, side), _fit_of_cuts(other, one, side))
    return fit


def _candidates(thumbnails: Thumbnails, embeddings: NDArray[np.floating]) -> Iterator[tuple[int, list[Pair]]]:
    """Quarter turns, and the pairs worth a closer look of which the second is turned by them."""
    coarse = _blocks(thumbnails.astype(np.float32))
    plain = _unit(coarse).reshape(len(coarse), -1)
    for turn in range(4):
        turned = _unit(np.rot90(coarse, turn, (1, 2))).reshape(len(coarse), -1)
        for start in range(0, len(plain), _ROWS):
            likeness = plain[start : start + _ROWS] @ turned[start:].T
            # Embeddings of a picture and of itself turned are far apart.
            rows, columns = np.nonzero(np.triu(likeness >= (WORTH_A_LOOK if turn else WORTH_A_LOOK_IF_NEAR), 1))
            sure = likeness[rows, columns] >= WORTH_A_LOOK
            yield turn, _worthwhile(np.stack([rows, columns], axis=1) + start, sure, embeddings)


def _worthwhile(pairs: NDArray[np.int64], sure: NDArray[np.bool_], embeddings: NDArray[np.floating]) -> list[Pair]:
    for start in range(0, len(pairs), _PAIRS):
        some = slice(start, start + _PAIRS)
        sure[some] |= _are_near(embeddings, pairs[some])
    return [(int(first), int(second)) for first, second in pairs[sure]]


def _are_one(
    thumbnails: Thumbnails, embeddings: NDArray[np.floating], pairs: Sequence[Pair], turn: int
) -> NDArray[np.bool_]:
    """Whether the pictures of each pair are one picture, (n,), the second turned by quarters."""
    numbers = np.array(pairs, np.int64).reshape(-1, 2)
    one, other = (thumbnails[numbers[:, side]].astype(np.float32) for side in (0, 1))
    needed = np.where(_are_near(embeddings, numbers), SAME_PICTURE_IF_NEAR, SAME_PICTURE)
    turned = np.rot90(other, turn, (1, 2))
    # Without its details a picture fits another at least as well: most pairs are out after a cheap look.
    same = best_fit(one, turned, _COARSE) >= needed
    same[same] = best_fit(one[same], turned[same]) >= needed[same]
    return np.asarray(same)


def _are_near(embeddings: NDArray[np.floating], pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    first, second = (embeddings[pairs[:, side]].astype(np.float32) for side in (0, 1))
    lengths = np.sqrt(np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1))
    return np.asarray(np.linalg.norm(first - second, axis=1) <= NEAR * lengths)


def _fit_of_cuts(one: Floats, other: Floats, side: int) -> Floats:
    whole = _unit(np.asarray(_cut(1, 0, side) @ other @ _cut(1, 0, side).T, np.float32))
    centred = one - one.mean((1, 2), keepdims=True)
    best = np.full(len(one), -1, np.float32)
    for zoom in _ZOOMS:
        cuts = np.stack([_cut(zoom, place, side) for place in (_PLACES if zoom < 1 else (0,))])
        for down in cuts:
            parts = (down @ centred).reshape(-1, SIDE) @ cuts.reshape(-1, SIDE).T
            best = np.maximum(best, _correlations(parts.reshape(len(one), side, len(cuts), side), whole).max(1))
    return best


def _correlations(parts: Floats, whole: Floats) -> Floats:
    """Of pictures (n, h, k, w) that stand side by side with one (n, h, w) as `_unit` makes it: (n, k)."""
    pixels = whole[0].size if len(whole) else 1
    product = np.einsum("nhkw,nhw->nk", parts, whole)
    mean = parts.mean((1, 3))
    spread = np.sqrt(np.maximum(np.einsum("nhkw,nhkw->nk", parts, parts) / pixels - mean**2, 0))
    return np.asarray(np.where(spread < _FLAT, 0, product / np.maximum(spread * np.sqrt(pixels), 1e-9)), np.float32)


@cache
def _cut(zoom: float, place: float, side: int) -> Floats:
    """What averages ``zoom`` of the length of 32 cells to ``side``, from the start (``place`` 0) or to the end (1)."""
    ends = ((1 - zoom) * place + zoom * np.arange(side + 1) / side) * SIDE
    cells = np.arange(SIDE)
    overlap = np.minimum(ends[1:, None], cells + 1) - np.maximum(ends[:-1, None], cells)
    weights = np.clip(overlap, 0, None)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def _blocks(images: Floats) -> Floats:
    width = SIDE // _COARSE
    return np.asarray(images.reshape(len(images), _COARSE, width, _COARSE, width).mean((2, 4)), np.float32)


def _unit(images: Floats) -> Floats:
    """Pictures (n, h, w) without their mean, of length 1; those that show nothing are 0, which is like nothing."""
    centred = images - images.mean((1, 2), keepdims=True)
    spread = np.sqrt((centred**2).mean((1, 2), keepdims=True))
    scale = spread * np.sqrt(centred[0].size if len(centred) else 1)
    return np.asarray(np.where(spread < _FLAT, 0, centred / np.maximum(scale, 1e-9)), np.float32)
