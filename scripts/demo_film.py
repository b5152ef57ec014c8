"""Make a short film of photographs, for looking at what `aesth video` does: slow moves over each, lost between them.

    python scripts/demo_photos.py demo-photos
    python scripts/demo_film.py demo-photos demo-film.mp4

The camera finds a photo out of the blur, moves over it, sharp and steady for a while, and swings on to the next one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

SEARCHING = 0.25
"""Share of the time of each photo, at its beginning and its end, in which the camera is lost."""


def main() -> None:
    """Read the photographs in a folder, write the film."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("film", type=Path)
    parser.add_argument("--size", type=int, nargs=2, default=(960, 540), metavar=("WIDTH", "HEIGHT"))
    parser.add_argument("--seconds", type=float, default=6.0, help="of each photo")
    parser.add_argument("--rate", type=int, default=30)
    parser.add_argument("--options", default="crf=21:preset=veryfast", help="of the encoder, NAME=VALUE:...")
    given = parser.parse_args()
    photos = [path for path in sorted(given.photos.iterdir()) if path.suffix.lower() in (".jpg", ".png")]
    options = dict(option.split("=", 1) for option in given.options.split(":"))
    with av.open(str(given.film), "w") as container:
        stream = container.add_stream("libx264", rate=given.rate, options=options)
        stream.width, stream.height = given.size
        stream.pix_fmt = "yuv420p"
        for number, path in enumerate(photos):
            for frame in shots(Image.open(path).convert("RGB"), number, given.size, round(given.seconds * given.rate)):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def shots(photo: Image.Image, number: int, size: tuple[int, int], frames: int) -> Iterator[NDArray[np.uint8]]:
    """The frames of one photo."""
    for step in range(frames):
        at = step / (frames - 1)
        lost = max(0.0, 1 - min(at, 1 - at) / SEARCHING)
        window = photo.resize(size, Image.Resampling.BICUBIC, box=view(photo.size, size, at, lost, number))
        yield np.asarray(window.filter(ImageFilter.GaussianBlur(lost**2 * size[0] / 60)) if lost else window)


def view(
    photo: tuple[int, int], size: tuple[int, int], at: float, lost: float, number: int
) -> tuple[float, float, float, float]:
    """What of the photo is seen: left, top, right, bottom."""
    widest = min(photo[0], photo[1] * size[0] / size[1])
    width = widest * (0.98 - 0.25 * lost - 0.1 * (at if number % 2 else 1 - at))
    height = width * size[1] / size[0]
    swing = (0.5 + (at - 0.5) * 0.5 * (-1 if number % 3 else 1), 0.5 + 0.4 * lost * (1 if number % 2 else -1))
    left, top = (photo[0] - width) * swing[0], (photo[1] - height) * min(1.0, max(0.0, swing[1]))
    return (left, top, left + width, top + height)


if __name__ == "__main__":
    main()
