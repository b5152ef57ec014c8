"""What can be measured of a photo, in plain words with the values: facts to look at, no reasons for its score."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from aesth.preprocess import UInt8Image
from aesth.qualities import SIDE, Horizon, Qualities, horizon, measure

_SHARP = ((0.12, 0.25, 0.5), ("blurred", "soft", "sharp", "sharp to the last pixel"))
"""Of the pixels of the short side, looked at on a large screen: each blur that everybody sees halves it."""
_LIGHT = ((20.0, 35.0, 60.0, 75.0), ("very dark", "dark", "well exposed", "bright", "very bright"))
_SPREAD = ((10.0, 15.0, 30.0), ("flat", "low", "ordinary", "strong"))
_COLOURFUL = (
    (7.5, 24.0, 39.0, 52.0, 70.5, 95.5),
    ("hardly any", "slight", "moderate", "average", "quite colourful", "highly colourful", "extremely colourful"),
)
"""What most people called it, in the words of Hasler & Süsstrunk: see `aesth.qualities.colourfulness`."""
_LOST = 0.02
"""Share of pixels from which on it is told that they are black or white to the end."""
_LEVEL = 0.5
"""Degrees up to which hardly anybody sees that a horizon leans."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One line about a photo.

    Attributes:
        name: what was measured, such as ``Sharpness``.
        value: what came out, with its unit.
        words: what that means.
    """

    name: str
    value: str
    words: str


@dataclass(frozen=True, slots=True)
class Measured:
    """All that is measured of a photo.

    Attributes:
        qualities: see `aesth.qualities`.
        horizon: how far it leans; None where there is none that is sure.
        side: pixels of the short side that were looked at, which sharpness cannot exceed.
    """

    qualities: Qualities
    horizon: Horizon | None
    side: int


def measure_all(image: UInt8Image) -> Measured:
    """All measures of ``image``, upright sRGB pixels (h, w, 3)."""
    return Measured(measure(image), horizon(image), min(*image.shape[:2], SIDE))


def remarks(measured: Measured) -> tuple[Remark, ...]:
    """Sharpness, exposure, contrast, colour and horizon of a photo."""
    of = measured.qualities
    return (
        Remark(
            "Sharpness", f"{of.sharpness:.0f} of {measured.side} lines", _word(of.sharpness / measured.side, _SHARP)
        ),
        Remark("Exposure", f"lightness {of.exposure:.0f} of 100", ", ".join([_word(of.exposure, _LIGHT), *_lost(of)])),
        Remark("Contrast", f"{of.contrast:.0f} of 50", _word(of.contrast, _SPREAD)),
        Remark("Colour", f"{of.colourfulness:.0f}", _word(of.colourfulness, _COLOURFUL)),
        _of_horizon(measured.horizon),
    )


def _of_horizon(found: Horizon | None) -> Remark:
    if found is None:
        return Remark("Horizon", "", "none that is sure")
    if abs(found.tilt) <= _LEVEL:
        return Remark("Horizon", f"{abs(found.tilt):.1f}°", "level")
    return Remark("Horizon", f"{abs(found.tilt):.1f}°", f"falls to the {'right' if found.tilt > 0 else 'left'}")


def _lost(of: Qualities) -> list[str]:
    ends = ((of.shadows, "black"), (of.highlights, "burnt out"))
    return [f"{share:.0%} {end}" for share, end in ends if share >= _LOST]


def _word(value: float, scale: tuple[tuple[float, ...], tuple[str, ...]]) -> str:
    limits, words = scale
    return words[bisect_right(limits, value)]
