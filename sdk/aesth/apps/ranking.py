"""Which frame of a burst is the best: by its score, together with what a photographer looks at in its pixels.

The score of a photo is about the whole scene, which the frames of a burst share, so that it ranks them badly by itself.
Sharpness is compared in the same places of all frames. Light is told by the highlights that are lost and by contrast:
the best exposed frame is as light as it can be without losing anything. A frame that shows another view than the others
cannot be compared so, and competes by its score.

Merits are those of a conditional logit (McFadden, Conditional logit analysis of qualitative choice behavior, 1974): the
odds that a frame is the best of its burst grow with the exponential of its merit. `aesth.training.bursts` makes the
bursts that the weights were fitted to; how often the best is found is told in ``docs/bursts.md``.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aesth import qualities
from aesth.apps.moves import Small, most_typical, move, small_copy
from aesth.preprocess import UInt8Image
from aesth.qualities import Edges
from aesth.remembering import LookAt

Merits = NDArray[np.float64]

SIDE = 512
"""Frames are looked at with so many pixels on their short side, if they have so many."""

SAME_VIEW = 0.6
"""Correlation of what two frames both show, at least, if they can be compared place by place."""

_HEAD = "<ddHHHH"

WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"score": 11.7, "sharpness": 16.4, "highlights": -13.9, "contrast": 6.8}
)
"""What each of `features` adds to the merit of a frame."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What is known of a frame besides its score, in some 20 kB.

    Attributes:
        edges: how sharp it is, place by place.
        highlights: the share of pixels that are at their end, 0-1.
        contrast: the spread of lightness, 0-50.
        view: a small copy, which tells how the camera was moved.
    """

    edges: Edges
    highlights: float
    contrast: float
    view: Small


def look_at(frame: UInt8Image) -> Look:
    """What is known of ``frame``, upright sRGB pixels (h, w, 3), besides its score."""
    small = qualities.at_most(frame, SIDE)
    return Look(
        edges=qualities.edges_of(small),
        highlights=qualities.highlights(small),
        contrast=qualities.contrast(small),
        view=small_copy(small),
    )


def _packed(look: Look) -> bytes:
    """Everything as it is; the small copy is of whole numbers."""
    head = struct.pack(_HEAD, look.highlights, look.contrast, *look.edges.fine.shape[1:], *look.view.shape)
    edges = np.stack([look.edges.fine, look.edges.coarse]).astype("<f4")
    return zlib.compress(head + edges.tobytes() + look.view.astype("<i2").tobytes(), 1)


def _unpacked(packed: bytes) -> Look:
    content = zlib.decompress(packed)
    highlights, contrast, rows, columns, height, width = struct.unpack_from(_HEAD, content)
    start, number = struct.calcsize(_HEAD), 2 * 4 * rows * columns
    edges = np.frombuffer(content, "<f4", number, start).reshape(2, 4, rows, columns).astype(np.float32)
    view = np.frombuffer(content, "<i2", height * width, start + edges.nbytes).reshape(height, width)
    return Look(Edges(*edges), highlights, contrast, view.astype(np.float32))


FRAME = LookAt("frames of bursts", 1, look_at, _packed, _unpacked)
"""`look_at`, so that what it sees can be remembered, in some 4 kB."""


def merits(norms: ArrayLike, looks: Sequence[Look]) -> Merits:
    """How good each of some frames of one scene is, (n,); only the differences between them mean something.

    Args:
        norms: of the embeddings of the frames, (n,).
        looks: what was seen of them.
    """
    return combine(features(norms, looks))


def features(norms: ArrayLike, looks: Sequence[Look]) -> Mapping[str, Merits]:
    """What merits are made of: of each frame, (n,), by the names of `WEIGHTS`."""
    lengths = np.asarray(norms, np.float64)
    typical = looks[most_typical([look.view for look in looks])]
    moves = [move(typical.view, look.view) for look in looks]
    alike = np.array([look is typical or moved.likeness >= SAME_VIEW for look, moved in zip(looks, moves, strict=True)])
    edges = [qualities.moved(look.edges, at.down, at.right) for look, at in zip(looks, moves, strict=True)]
    return {
        "score": np.log(np.maximum(lengths, np.finfo(np.float32).tiny)),
        "sharpness": _among(alike, qualities.relative_sharpness([edges[place] for place in np.flatnonzero(alike)])),
        "highlights": _among(alike, np.array([look.highlights for look in looks])[alike]),
        "contrast": _among(alike, np.log([max(look.contrast, 1.0) for look in looks])[alike]),
    }


def _among(alike: NDArray[np.bool_], values: Merits) -> Merits:
    """``values`` of the frames that are alike, about their mean, and nothing of the others: (n,)."""
    found = np.zeros(len(alike))
    found[alike] = values - values.mean()
    return found


def combine(found: Mapping[str, Merits]) -> Merits:
    """The merits of frames, (n,), with these features."""
    merits: Merits = np.sum([weight * found[name] for name, weight in WEIGHTS.items()], axis=0)
    return merits
