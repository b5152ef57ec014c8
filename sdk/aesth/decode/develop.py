"""The program that develops a RAW file whose preview is missing or small: ``develop.py FILE HEIGHT WIDTH``.

Writes the pixels, upright sRGB (h, w, 3) or grey (h, w, 1), to stdout as a NumPy file. Imports nothing of this
package, to start fast.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import rawpy

LAST_ROWS = 8
BRIGHT = 0.9
LEAST_BYTES_PER_PIXEL = 0.02


def develop(raw: rawpy.RawPy, at_least: tuple[int, int]) -> np.ndarray:
    """The picture at half its size where that reaches ``at_least`` (height, width), else at its own."""
    half = min(raw.sizes.height, raw.sizes.width) // 2 >= max(at_least)
    return raw.postprocess(half_size=half, use_camera_wb=True, output_bps=8)


def cut_short(raw: rawpy.RawPy, file_bytes: int) -> bool:
    """Whether sensor data ends too early: LibRaw often says nothing and goes on with one value, or with noise.

    Told by a file that is too small for any compression, or by last rows that are all one value below white.
    """
    if file_bytes < LEAST_BYTES_PER_PIXEL * raw.sizes.raw_height * raw.sizes.raw_width:
        return True
    last = raw.raw_image_visible[-LAST_ROWS:]
    return bool(last.min() == last.max() and last.max() < BRIGHT * raw.white_level)


def main() -> None:
    """Develop the file that the command line names."""
    name, height, width = sys.argv[1:]
    path = Path(name)
    with path.open("rb") as file, rawpy.imread(file) as raw:
        if cut_short(raw, path.stat().st_size):
            sys.exit("error: Unexpected end of file")
        pixels = develop(raw, (int(height), int(width)))
    np.save(sys.stdout.buffer, pixels)


if __name__ == "__main__":
    try:
        main()
    except rawpy.LibRawError as error:
        sys.exit(f"error: {error.args[0].decode() if isinstance(error.args[0], bytes) else error}")
