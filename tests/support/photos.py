"""A small photo factory: one scene whose corners differ, in every format, orientation, mode and state of damage."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import Image

pillow_heif.register_heif_opener()

CORNERS = {
    "top left": (200, 40, 40),
    "top right": (40, 160, 40),
    "bottom left": (40, 40, 200),
    "bottom right": (220, 220, 60),
}
ORIENTATION_TAG = 0x0112

SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "GIF": ".gif",
    "HEIF": ".heic",
    "AVIF": ".avif",
}


def scene(height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A picture (height, width, 3) of four plain quarters, each of a colour of its own."""
    pixels = np.empty((height, width, 3), np.uint8)
    top, left = slice(0, height // 2), slice(0, width // 2)
    bottom, right = slice(height // 2, height), slice(width // 2, width)
    pixels[top, left], pixels[top, right] = CORNERS["top left"], CORNERS["top right"]
    pixels[bottom, left], pixels[bottom, right] = CORNERS["bottom left"], CORNERS["bottom right"]
    return pixels


def picture(grey: float, seed: int, height: int = 60, width: int = 80) -> NDArray[np.uint8]:
    """A coloured gradient, (height, width, 3), of a mean brightness of ``grey`` (0-1)."""
    generator = np.random.default_rng(seed)
    tint = 1 + 0.15 * (generator.random(3) - 0.5)
    slope = np.linspace(0.8, 1.2, width)[None, :, None] * np.ones((height, 1, 3))
    grain = generator.normal(0, 0.02, (height, width, 3))
    return np.clip(255 * (grey * tint * slope + grain), 0, 255).astype(np.uint8)


def noise(height: int = 64, width: int = 64, seed: int = 0) -> NDArray[np.uint8]:
    """A picture that hardly compresses, so that every part of its file matters."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def landscape(seed: int, side: int = 320) -> Image.Image:
    """A picture of its own, with large and small things in it."""
    generator = np.random.default_rng(seed)
    layers = [Image.fromarray(generator.integers(0, 256, (n, n, 3), np.uint8)) for n in (4, 11, 40)]
    first, second, third = (layer.resize((side, side * 3 // 4), Image.Resampling.BICUBIC) for layer in layers)
    return Image.blend(Image.blend(first, second, 0.4), third, 0.2)


def corners(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The colours in the middle of the four quarters of a picture, (2, 2, 3)."""
    height, width = pixels.shape[:2]
    return pixels[height // 4 :: height // 2, width // 4 :: width // 2][:2, :2]


def as_stored(upright: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """What a camera that was held in ``orientation`` (EXIF, 1-8) stores of a scene."""
    store: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
        1: lambda pixels: pixels,
        2: lambda pixels: pixels[:, ::-1],
        3: lambda pixels: pixels[::-1, ::-1],
        4: lambda pixels: pixels[::-1],
        5: lambda pixels: pixels.transpose(1, 0, 2),
        6: lambda pixels: np.rot90(pixels, 1),
        7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: lambda pixels: np.rot90(pixels, -1),
    }
    return np.ascontiguousarray(store[orientation](upright))


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    return exif


def encode(pixels: NDArray[np.uint8] | Image.Image, form: str = "JPEG", **options: object) -> bytes:
    """The bytes of a file of Pillow's format ``form``."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    if form in ("JPEG", "HEIF", "AVIF"):
        options.setdefault("quality", 95)
    if form == "WEBP":
        options.setdefault("lossless", True)
    file = BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def photo(
    path: Path, pixels: NDArray[np.uint8] | Image.Image | None = None, form: str = "JPEG", **options: object
) -> Path:
    """Write a photo to ``path``; the scene, unless other ``pixels`` are given."""
    path.write_bytes(encode(scene() if pixels is None else pixels, form, **options))
    return path


def png_chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels to show for it."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": b"", b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(kind, body) for kind, body in chunks.items())


def dng(
    upright: NDArray[np.uint8],
    *,
    orientation: int = 1,
    preview: bytes | None = b"",
    smaller: Sequence[bytes] = (),
    cut: float = 1.0,
    monochrome: bool = False,
) -> bytes:
    """A RAW file in Adobe's DNG, uncompressed: sensor data of a scene, and a preview in JPEG.

    Args:
        upright: the scene, sRGB (h, w, 3).
        orientation: how the camera was held.
        preview: the JPEG inside; empty for one of the scene, stored like the sensor data; None for none.
        smaller: further previews, each in a directory of its own.
        cut: share of the sensor data that is there.
        monochrome: the sensor has no colour filter.
    """
    stored = as_stored(upright, orientation)
    if preview == b"":
        preview = encode(stored, "JPEG")
    sensor = _bayer(stored)
    sensor_data = sensor.astype("<u2").tobytes()
    height, width = sensor.shape
    raw_tags = [
        (254, "I", [0]),
        (256, "I", [width]),
        (257, "I", [height]),
        (258, "H", [16]),
        (259, "H", [1]),
        (262, "H", [32803]),
        (277, "H", [1]),
        (278, "I", [height]),
        (279, "I", [len(sensor_data)]),
        (33421, "H", [2, 2]),
        (33422, "B", [0, 1, 1, 2]),
        (50717, "I", [65535]),
    ]
    if monochrome:
        raw_tags = [tag for tag in raw_tags if tag[0] not in (262, 33421, 33422)] + [(262, "H", [34892])]
    main_tags = [
        (271, "s", b"Aesth\0"),
        (272, "s", b"Synthetic\0"),
        (274, "H", [orientation]),
        (50706, "B", [1, 4, 0, 0]),
        (50707, "B", [1, 1, 0, 0]),
        (50708, "s", b"Aesth Synthetic\0"),
        (
            50721,
            "r",
            [3134, 1000, -1617, 1000, -491, 1000, -979, 1000, 1916, 1000, 33, 1000, 72, 1000, -229, 1000, 1405, 1000],
        ),
        (50728, "R", [1, 1, 1, 1, 1, 1]),
        (50778, "H", [21]),
    ]
    if preview is None:
        return _tiff([sorted(main_tags + raw_tags)], [sensor_data[: int(len(sensor_data) * cut)]])
    return _tiff(
        [sorted(main_tags + _preview_tags(preview)), raw_tags, *map(_preview_tags, smaller)],
        [preview, sensor_data[: int(len(sensor_data) * cut)], *smaller],
    )


def _preview_tags(jpeg: bytes) -> list[tuple[int, str, object]]:
    width, height = Image.open(BytesIO(jpeg)).size
    return [
        (254, "I", [1]),
        (256, "I", [width]),
        (257, "I", [height]),
        (258, "H", [8, 8, 8]),
        (259, "H", [7]),
        (262, "H", [6]),
        (277, "H", [3]),
        (278, "I", [height]),
        (279, "I", [len(jpeg)]),
    ]


def _bayer(pixels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Linear sensor data (h, w) of an sRGB picture behind a red, green / green, blue filter."""
    encoded = pixels / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    mosaic = linear[..., 1].copy()
    mosaic[::2, ::2] = linear[::2, ::2, 0]
    mosaic[1::2, 1::2] = linear[1::2, 1::2, 2]
    return np.rint(mosaic * 60000).astype(np.uint16)


def _tiff(directories: list[list[tuple[int, str, object]]], data: list[bytes]) -> bytes:
    """A TIFF whose first directory names the others as its children, each with one strip of ``data``."""
    sizes = {"B": (1, 1), "H": (3, 2), "I": (4, 4), "s": (2, 1), "R": (5, 8), "r": (10, 8)}
    entries = [
        sorted(
            [
                *tags,
                (273, "I", [0]),
                *([(330, "I", [0] * (len(directories) - 1))] if index == 0 and len(directories) > 1 else []),
            ]
        )
        for index, tags in enumerate(directories)
    ]
    starts, position = [], 8
    for tags in entries:
        starts.append(position)
        position += 2 + 12 * len(tags) + 4
    blob_start, blobs = position, b""

    def body(kind: str, values: object) -> bytes:
        if isinstance(values, bytes):
            return values
        assert isinstance(values, list)
        code = {"R": "I", "r": "i"}.get(kind, kind)
        return struct.pack(f"<{len(values)}{code}", *values)

    def long_ones(tags: list[tuple[int, str, object]]) -> int:
        return sum(len(body(kind, values)) + 1 & ~1 for _, kind, values in tags if len(body(kind, values)) > 4)

    data_start = blob_start + sum(long_ones(tags) for tags in entries)
    strips = [data_start + sum(map(len, data[:index])) for index in range(len(data))]
    out = b"II*\0" + struct.pack("<I", 8)
    for index, tags in enumerate(entries):
        out += struct.pack("<H", len(tags))
        for tag, kind, values in tags:
            value = {273: [strips[index]], 330: starts[1:]}.get(tag, values)
            raw = body(kind, value)
            count = len(raw) // sizes[kind][1]
            if len(raw) <= 4:
                out += struct.pack("<HHI", tag, sizes[kind][0], count) + raw.ljust(4, b"\0")
            else:
                out += struct.pack("<HHII", tag, sizes[kind][0], count, blob_start + len(blobs))
                blobs += raw + b"\0" * (len(raw) & 1)
        out += b"\0\0\0\0"
    return out + blobs + b"".join(data)
