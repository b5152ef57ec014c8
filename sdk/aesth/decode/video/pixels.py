"""A decoded frame -> upright sRGB pixels."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter

from aesth.decode.picture import as_stored
from aesth.decode.video import tones
from aesth.decode.video.upright import orientation_of, turn
from aesth.preprocess import UInt8Image

_HDR = {int(ColorTrc.SMPTE2084): tones.Transfer.PQ, int(ColorTrc.ARIB_STD_B67): tones.Transfer.HLG}
_FILTER = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
_UNSPECIFIED = 2
_HD = 720
"""Lines from which on a video that does not tell its colours means those of HD (BT.709)."""


class Converter:
    """Turns frames of one video into pixels.

    Args:
        size: height and width that upright frames are squashed to; None keeps the pixels that there are.
        aspect: width of a stored pixel by its height.
        threads: at most.
    """

    def __init__(self, size: tuple[int, int] | None, aspect: Fraction = Fraction(1), threads: int = 1) -> None:
        self._size = size
        self._aspect = aspect
        self._threads = threads
        self._scaler = VideoReformatter()
        self._orientation: int | None = None

    def __call__(self, frame: VideoFrame) -> UInt8Image:
        """Upright sRGB pixels (h, w, 3)."""
        orientation = self._orientation_of(frame)
        height, width = as_stored(self._size, orientation) if self._size else _square(frame, self._aspect)
        transfer = _HDR.get(frame.color_trc)
        scaled = self._scaler.reformat(
            frame,
            width,
            height,
            "rgb24" if transfer is None else "rgb48le",
            src_colorspace=_colours_of(frame),
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.JPEG,
            interpolation=_FILTER,
            threads=self._threads,
        )
        pixels = scaled.to_ndarray()
        srgb = pixels.astype(np.uint8, copy=False) if transfer is None else tones.to_srgb(pixels, transfer)
        return turn(srgb, orientation)

    def _orientation_of(self, frame: VideoFrame) -> int:
        """EXIF orientation 1-8 that the first frame asks for.

        Of no other is it asked: a frame refers to its side data and they to it, so that it would stay in memory until
        Python looks for such circles, which is hundreds of frames later.
        """
        if self._orientation is None:
            matrix = frame.side_data.get("DISPLAYMATRIX")
            self._orientation = orientation_of(bytes(matrix)) if isinstance(matrix, SideData) else 1
        return self._orientation


def _square(frame: VideoFrame, aspect: Fraction) -> tuple[int, int]:
    """Height and width at which pixels are as wide as high, none of them lost."""
    if aspect >= 1:
        return frame.height, round(frame.width * aspect)
    return round(frame.height / aspect), frame.width


def _colours_of(frame: VideoFrame) -> int | None:
    if frame.colorspace != _UNSPECIFIED:
        return None
    return Colorspace.ITU709 if frame.height >= _HD else Colorspace.ITU601
