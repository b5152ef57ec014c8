"""Camera-like JPEGs of 24 megapixels of small real pictures, for which nobody has the real thing at hand.

    python benchmarks/measuring/enlarged.py PICTURES FOLDER

A picture is cropped to 3:2 and enlarged. Detail finer than its own is made up: octaves of noise as strong as its finest
detail is nearby, each weaker than the one before, and the noise of a sensor.
"""

from __future__ import annotations

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from aesth.discover import find_photos
from measuring.camera import SENSORS, as_camera, grain

_FALLING = 0.6
_NEARBY = 8
_SENSOR = 0.3


def enlarged(picture: Image.Image, seed: int, megapixels: int = 24) -> Image.Image:
    """A picture as large as a camera's of a small one."""
    longer, shorter = SENSORS[megapixels]
    size = (longer, shorter) if picture.width >= picture.height else (shorter, longer)
    scale = min(picture.width / size[0], picture.height / size[1])
    small = ImageOps.fit(picture.convert("RGB"), (round(size[0] * scale), round(size[1] * scale)))
    pixels = np.asarray(small.resize(size, Image.Resampling.LANCZOS), np.float32)
    rng = np.random.default_rng(seed)
    detail = _finer(rng, small.width, size) * _contrast(small, size)
    detail += grain(rng, *size) * np.sqrt(np.clip(pixels.mean(axis=2), 4, 255)) * _SENSOR
    return Image.fromarray(np.clip(pixels + detail[..., None] + 0.5, 0, 255).astype(np.uint8))


def _contrast(picture: Image.Image, size: tuple[int, int]) -> NDArray[np.float32]:
    """How strong the finest detail of a picture is, by place, at another size (width, height)."""
    light = picture.convert("L").convert("F")
    coarse = light.resize((picture.width // 2, picture.height // 2), Image.Resampling.BOX)
    fine = np.asarray(light) - np.asarray(coarse.resize(light.size, Image.Resampling.BICUBIC))
    nearby = (max(1, picture.width // _NEARBY), max(1, picture.height // _NEARBY))
    power = Image.fromarray(fine * fine).resize(nearby, Image.Resampling.BOX)
    return np.sqrt(np.asarray(power.resize(size, Image.Resampling.BILINEAR)))


def _finer(rng: np.random.Generator, cells: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """Noise in all octaves between so many cells in a row and as many as there are pixels."""
    total, strength = np.zeros(size[::-1], np.float32), _FALLING
    while 2 * cells <= size[0]:
        cells *= 2
        octave = Image.fromarray(grain(rng, cells, cells * size[1] // size[0]))
        total += strength * np.asarray(octave.resize(size, Image.Resampling.BICUBIC))
        strength *= _FALLING
    return total


def main() -> None:
    """Make files of the pictures in one folder, evenly chosen, in another."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, help="the folder of small pictures")
    parser.add_argument("folder", type=Path, help="where the files are made")
    parser.add_argument("--count", type=int, default=200, help="how many pictures are taken, at most (%(default)s)")
    parser.add_argument("--quality", type=int, default=85, help="of the previews (%(default)s)")
    options = parser.parse_args()
    found = list(find_photos([options.pictures]))
    options.folder.mkdir(parents=True, exist_ok=True)
    for number in np.linspace(0, len(found) - 1, min(options.count, len(found))).astype(int).tolist():
        with Image.open(found[number]) as picture:
            content = as_camera(enlarged(picture, number), quality=options.quality)
        (options.folder / f"{number:05}-{found[number].stem}.jpg").write_bytes(content)


if __name__ == "__main__":
    main()
