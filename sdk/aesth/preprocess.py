"""From an upright image of any size to what an encoder takes: a record that travels inside the ONNX file.

The record is shared by training and inference, so that both see the same pixels.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

UInt8Image = NDArray[np.uint8]
Resample = Literal["bilinear", "bicubic"]

PIXELS = 5
"""Version of the pixels that encoders see, made by `aesth.decode` and by `Preprocess`.

Whoever changes what comes out of the same file raises it, so that remembered scores are not taken for new ones.
"""

GAP = 1.5
"""Averaged over whole blocks of pixels first, a much larger picture keeps so many times the size asked for.

In pictures sharp to the last pixel, reduced to a third and less, that moves scores of ``lite-int8`` by 0.8 to 1.7
points on average and 12 at worst, where rounding to 8 bits moves them by 1.6 to 2.3 and 14.
"""

_RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


@dataclass(frozen=True)
class Preprocess:
    """How an image becomes the input of an encoder.

    Attributes:
        size: height and width of the input, in pixels.
        resize: the rule. ``"squash"`` resizes plainly, without a crop, since composition counts (paper, section 5).
        resample: the filter, with support scaled to the reduction (antialiased).
    """

    size: tuple[int, int]
    resize: Literal["squash"] = "squash"
    resample: Resample = "bicubic"

    def __call__(self, image: UInt8Image) -> UInt8Image:
        """Resize ``image``, (h, w, 3) of any size, to (height, width, 3)."""
        height, width = self.size
        if image.shape[:2] == (height, width):
            return image
        resample, gap = _RESAMPLING[self.resample], _gap(image.shape[0] / height, image.shape[1] / width)
        return np.asarray(Image.fromarray(image).resize((width, height), resample, reducing_gap=gap))

    def to_json(self) -> str:
        """The record as the text stored under ``aesth.preprocess``."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Preprocess:
        """The record stored in an ONNX file.

        Raises:
            ValueError: the text is no such record, or names a rule that this version does not know.
        """
        fields = json.loads(text)
        height, width = (int(side) for side in fields["size"])
        if fields["resize"] != "squash" or fields["resample"] not in _RESAMPLING:
            raise ValueError(f"unknown resizing rule {fields['resize']}/{fields['resample']}")
        return cls((height, width), fields["resize"], fields["resample"])


def _gap(down: float, across: float) -> float | None:
    """Pillow's ``reducing_gap`` for a picture so many times as large as asked for; None for every pixel by the filter.

    Averaging over blocks of one pixel's height or width would take as long as it saves.
    """
    return GAP if min(down, across) >= 2 * GAP else None
