"""A decoded frame -> upright sRGB pixels."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
from av.sidedata.sidedata import SideData
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, ColorTrc, Interpolation, VideoReformatter
from numpy.typing import NDArray

from aesth.decode.picture import turned
from aesth.decode.video import tones
from aesth.decode.video.upright import orientation_of, turn
from aesth.preprocess import UInt8Image

_HDR = {int(ColorTrc.SMPTE2084): tones.Transfer.PQ, int(ColorTrc.ARIB_STD_B67): tones.Transfer.HLG}
_SQUASHED = Interpolation.BICUBIC | Interpolation.ACCURATE_RND
_WHOLE = _SQUASHED | Interpolation.FULL_CHR_H_INT
"""With colours interpolated at every pixel, which nobody sees in a frame that is squashed, and takes a third longer."""

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
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
        transfer = _HDR.get(frame.color_trc)
        pixels = self._reformat(frame, orientation, "rgb24" if transfer is None else "rgb48le")
        srgb = pixels.astype(np.uint8, copy=False) if transfer is None else tones.to_srgb(pixels, transfer)
        return turn(srgb, orientation)

    def luma(self, frame: VideoFrame) -> NDArray[np.float32]:
        """The luma of the same pixels, 0-255, (h, w), not turned: colours are not made for it but in HDR."""
        if frame.color_trc in _HDR:
            luma: NDArray[np.float32] = self(frame) @ _LUMA
            return luma
        return self._reformat(frame, self._orientation_of(frame), "gray").astype(np.float32)

    def _reformat(self, frame: VideoFrame, orientation: int, form: str) -> NDArray[np.number[Any]]:
        """The pixels in one of FFmpeg's formats, squashed, in full range, not turned."""
        height, width = turned(self._size, orientation) if self._size else _square(frame, self._aspect)
        scaled = self._scaler.reformat(
            frame,
            width,
            height,
            form,
            src_colorspace=_colours_of(frame),
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.JPEG,
            interpolation=_SQUASHED if self._size else _WHOLE,
            threads=self._threads,
        )
        return scaled.to_ndarray()

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
