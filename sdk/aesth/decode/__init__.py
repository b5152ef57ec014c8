"""Photo file -> upright sRGB pixels, at least the encoder's input size and no more pixels than needed."""

from aesth.decode.arrays import from_array
from aesth.decode.files import DEFAULT_MAX_PIXELS, count_pixels, from_pil, load

__all__ = ["DEFAULT_MAX_PIXELS", "count_pixels", "from_array", "from_pil", "load"]
