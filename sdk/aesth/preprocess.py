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
        reduced = averaged(Image.fromarray(image), height, width)
        return np.asarray(reduced.resize((width, height), _RESAMPLING[self.resample]))

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


def averaged(image: Image.Image, height: int, width: int) -> Image.Image:
    """``image`` averaged over whole blocks of pixels, as large as leaves it so much height and width.

    The filter alone takes two to three times as long. How far scores move, `aesth.decode.picture.Wanted` tells.
    """
    factor = min(image.height // height, image.width // width)
    return image.reduce(factor) if factor > 1 else image
