"""How frames are turned for display, by the matrix that cameras store when they are held sideways."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from aesth.decode.picture import SIDEWAYS
from aesth.preprocess import UInt8Image

_ONE = 1 << 16
"""1 in the fixed-point numbers of the matrix."""

_ORIENTATIONS: Mapping[tuple[int, int, int, int], int] = MappingProxyType(
    {
        (1, 0, 0, 1): 1,
        (-1, 0, 0, 1): 2,
        (-1, 0, 0, -1): 3,
        (1, 0, 0, -1): 4,
        (0, 1, 1, 0): 5,
        (0, 1, -1, 0): 6,
        (0, -1, -1, 0): 7,
        (0, -1, 1, 0): 8,
    }
)
"""(a, b, c, d) of the matrix, which shows a stored pixel (x, y) at (a x + c y, b x + d y) -> EXIF orientation."""


def orientation_of(matrix: bytes) -> int:
    """EXIF orientation 1-8 that a display matrix, nine numbers of 32 bits, means; 1 for one that is slanted."""
    a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
    signs = tuple(_sign(value) for value in (a, b, c, d))
    return _ORIENTATIONS.get(signs, 1)  # type: ignore[arg-type]


def turn(image: UInt8Image, orientation: int) -> UInt8Image:
    """Pixels (h, w, 3) as they are meant to be seen."""
    if orientation in SIDEWAYS:
        image = image.transpose(1, 0, 2)
    flips = {2: (1,), 3: (0, 1), 4: (0,), 6: (1,), 7: (0, 1), 8: (0,)}.get(orientation)
    return np.ascontiguousarray(np.flip(image, flips) if flips else image)


def _sign(value: int) -> int:
    """-1, 0 or 1; what is small beside 1 comes of rounding."""
    return 0 if abs(value) < _ONE // 4 else (1 if value > 0 else -1)
