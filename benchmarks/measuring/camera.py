"""Photos as a camera writes them, made up: as large, as hard to compress, with the same metadata and previews."""

from __future__ import annotations

import io
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from aesth.metadata.exiftool import find_program

SENSORS = {1: (1224, 816), 12: (4032, 3024), 24: (6000, 4000), 45: (8256, 5504)}
"""Megapixels -> width and height."""

PREVIEW = 1620
"""Longer side of the preview behind the picture, as several makers have it."""

LARGE_THUMBNAIL = 0x010002
"""How MPF (CIPA DC-007) calls a preview of about full HD."""

_COARSEST, _COARSE, _FINEST = 6, 384, 3072
_GRAIN = 512


def scene(width: int, height: int, seed: int) -> Image.Image:
    """A picture with the spectrum of photos: 1/f, edges of things in front of others, and noise."""
    rng = np.random.default_rng(seed)
    luminance = 110 + _octaves(rng, width, height, 60.0, _FINEST)
    luminance += 0.6 * (np.asarray(_things(rng, width, height), np.float32) - 110)
    luminance += grain(rng, width, height) * np.sqrt(np.clip(luminance, 4, 255)) * 0.4  # photons: noise ~ sqrt(light)
    colours = [128 + _octaves(rng, width // 4, height // 4, 12.0, _COARSE) for _ in range(2)]
    light, *colour = [Image.fromarray(np.clip(band, 0, 255).astype(np.uint8)) for band in (luminance, *colours)]
    bands = [light, *(band.resize(light.size, Image.Resampling.BILINEAR) for band in colour)]
    return Image.merge("YCbCr", bands).convert("RGB")


def camera_photo(path: Path, megapixels: int, seed: int, exif: bytes) -> Path:
    """Write a JPEG of a camera, of a made-up scene, with EXIF."""
    path.write_bytes(as_camera(scene(*SENSORS[megapixels], seed), exif))
    return path


def as_camera(picture: Image.Image, exif: bytes = b"", quality: int = 85) -> bytes:
    """A JPEG as a camera makes it, with a preview of `PREVIEW` pixels and of a ``quality`` behind the picture (MPF)."""
    preview = picture.reduce(max(1, picture.width // (2 * PREVIEW)))
    preview.thumbnail((PREVIEW, PREVIEW), Image.Resampling.LANCZOS)
    return with_preview(_jpeg(picture, 95, exif), _jpeg(preview, quality))


def camera_photos(folder: Path, megapixels: int, count: int) -> list[Path]:
    """So many photos in ``folder``, each of another scene; those that are there already are taken as they are."""
    folder.mkdir(parents=True, exist_ok=True)
    photos = [folder / f"{megapixels}mp-{number}.jpg" for number in range(count)]
    if missing := [photo for photo in photos if not photo.exists()]:
        exif = camera_exif(folder)
        for photo in missing:
            partial = camera_photo(photo.with_suffix(".part"), megapixels, photos.index(photo), exif)
            partial.replace(photo)
    return photos


def phone_photo(path: Path, seed: int) -> Path:
    """Write a HEIC of 12 megapixels with a thumbnail, as phones do."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    if not path.exists():
        partial = path.with_suffix(".part")
        scene(*SENSORS[12], seed).save(partial, "HEIF", quality=75, thumbnails=[512])
        partial.replace(path)
    return path


def camera_exif(folder: Path) -> bytes:
    """A block of EXIF as cameras write it, with a thumbnail, by ExifTool."""
    photo, thumbnail = folder / "exif.jpg", folder / "thumbnail.jpg"
    photo.write_bytes(_jpeg(Image.new("RGB", (16, 16)), 90))
    thumbnail.write_bytes(_jpeg(scene(160, 120, 0), 80))
    facts = {
        "Make": "aesth",
        "Model": "Benchmark",
        "Orientation": "Horizontal (normal)",
        "ExposureTime": str(Fraction(1, 250)),
        "FNumber": "5.6",
        "ISO": "200",
        "FocalLength": "35",
        "LensModel": "35mm F2",
        "DateTimeOriginal": "2026:01:02 03:04:05",
        "SubSecTimeOriginal": "12",
        "OffsetTimeOriginal": "+01:00",
        "SerialNumber": "0000001",
    }
    arguments = [f"-EXIF:{name}={value}" for name, value in facts.items()]
    program = find_program()
    subprocess.run(
        [program, "-q", "-overwrite_original", *arguments, f"-ThumbnailImage<={thumbnail}", str(photo)], check=True
    )
    with Image.open(photo) as image:
        exif = bytes(image.info["exif"])
    photo.unlink()
    thumbnail.unlink()
    return exif


def with_preview(jpeg: bytes, preview: bytes) -> bytes:
    """A JPEG followed by its preview, and the index (MPF) that tells where it lies."""
    place = _after_exif(jpeg)
    segment_size = len(_mpf(0, 0, 0))
    size = len(jpeg) + segment_size
    offset = size - (place + 8)  # counted from the byte order mark, which follows marker, length and "MPF\0"
    return jpeg[:place] + _mpf(size, len(preview), offset) + jpeg[place:] + preview


def _mpf(size: int, preview_size: int, preview_offset: int) -> bytes:
    """The segment of the index; CIPA DC-007, section 5.2."""
    first = struct.pack("<LLLHH", 0x030000, size, 0, 0, 0)
    second = struct.pack("<LLLHH", LARGE_THUMBNAIL, preview_size, preview_offset, 0, 0)
    entries = 8 + 2 + 3 * 12 + 4
    directory = struct.pack("<H", 3)
    directory += struct.pack("<HHL4s", 0xB000, 7, 4, b"0100")
    directory += struct.pack("<HHLL", 0xB001, 4, 1, 2)
    directory += struct.pack("<HHLL", 0xB002, 7, 32, entries)
    body = b"MPF\0II*\0" + struct.pack("<L", 8) + directory + struct.pack("<L", 0) + first + second
    return b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body


def _after_exif(jpeg: bytes) -> int:
    """Where the segments APP0 and APP1 at the head of a JPEG end."""
    place = 2
    while jpeg[place : place + 2] in (b"\xff\xe0", b"\xff\xe1"):
        place += 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
    return place


def _jpeg(image: Image.Image, quality: int, exif: bytes = b"") -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, subsampling="4:2:2", exif=exif)
    return file.getvalue()


def _octaves(rng: np.random.Generator, width: int, height: int, amplitude: float, finest: int) -> NDArray[np.float32]:
    """Noise of ever finer grain; each octave half as strong as the one before, which is the 1/f of photos."""
    if finest > _COARSE and width > 4 * _COARSE:  # what is coarse is added up where there are fewer pixels
        small = _octaves(rng, width // 4, height // 4, amplitude, _COARSE)
        total = np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
        begin = _COARSE
    else:
        total, begin = np.zeros((height, width), np.float32), 0
    cells, strength = _COARSEST, amplitude
    while cells <= min(width, finest):
        if cells > begin:
            noise = rng.standard_normal((max(2, cells * height // width), cells), np.float32) * strength
            total += np.asarray(Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC))
        cells, strength = 2 * cells, strength / 2
    return total


def _things(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Disks and boxes in front of each other, of all sizes ("dead leaves"): the edges that photos are full of."""
    picture = Image.new("L", (width, height), 110)
    draw = ImageDraw.Draw(picture)
    for size in np.sort(rng.pareto(1.5, 300) * width / 150)[::-1]:
        x, y, light = rng.uniform(0, width), rng.uniform(0, height), int(rng.integers(20, 235))
        box = (x - size, y - size, x + size, y + size * rng.uniform(0.5, 1))
        (draw.ellipse if rng.random() < 0.6 else draw.rectangle)(box, fill=light)
    return picture


def grain(rng: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Noise of the sensor, (height, width), of deviation 1.

    A tile of it, shifted anew for each place, which costs less than new numbers.
    """
    tile = rng.standard_normal((_GRAIN, _GRAIN), np.float32)
    noise = np.empty((height, width), np.float32)
    for top in range(0, height, _GRAIN):
        row = np.roll(tile, tuple(rng.integers(0, _GRAIN, 2)), (0, 1))
        tiled = np.tile(row, (1, -(-width // _GRAIN)))
        noise[top : top + _GRAIN] = tiled[: height - top, :width]
    return noise
