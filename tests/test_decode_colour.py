"""Colour spaces, depths, palettes, transparency and embedded profiles all end as sRGB."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageCms

from aesth.decode import from_array, from_pil, load
from aesth.decode.colour import to_srgb
from support.photos import encode, photo, scene


def profile(primaries: list[tuple[float, float, float]], gamma: float, space: bytes = b"RGB ") -> bytes:
    """A small ICC profile: a matrix of D50 ``primaries`` and one ``gamma``; for b"GRAY" the gamma alone."""

    def fixed(value: float) -> bytes:
        return struct.pack(">i", round(value * 65536))

    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    white = b"XYZ " + bytes(4) + fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    tags = [(b"wtpt", white)]
    if space == b"GRAY":
        tags.append((b"kTRC", curve))
    for letter, colour in zip((b"r", b"g", b"b"), primaries, strict=False):
        tags += [(letter + b"XYZ", b"XYZ " + bytes(4) + b"".join(map(fixed, colour))), (letter + b"TRC", curve)]
    position = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += name + struct.pack(">II", position + len(body), len(data))
        body += data
    head = struct.pack(">I", position + len(body)) + bytes(4) + b"\x02\x40\0\0" + b"mntr" + space + b"XYZ "
    head += bytes(12) + b"acsp" + bytes(28) + fixed(0.9642) + fixed(1.0) + fixed(0.8249)
    return head.ljust(128, b"\0") + table + body


ADOBE_RGB = profile([(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)], 2.2)
DARK_GREY = profile([], 3.0, b"GRAY")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def plain(colour: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (16, 16), colour if len(colour) > 1 else colour[0])


def only_colour(pixels: np.ndarray) -> list[int]:
    assert (pixels == pixels[0, 0]).all()
    return [int(value) for value in pixels[0, 0]]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF"])
def test_colours_are_converted_from_the_embedded_profile(tmp_path: Path, form: str) -> None:
    path = photo(tmp_path / "photo", plain((150, 100, 60)), form, icc_profile=ADOBE_RGB)
    # The same colour by the published matrices of Adobe RGB (1998) and sRGB.
    assert load(path)[8, 8].tolist() == pytest.approx([168, 99, 54], abs=6 if form in ("HEIF", "AVIF", "JPEG") else 3)


def test_a_profile_of_srgb_changes_nothing_and_takes_no_time(tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.png", form="PNG", icc_profile=SRGB)
    assert np.array_equal(load(path), scene())
    image = Image.fromarray(scene())
    assert to_srgb(image, SRGB) is image


def test_a_profile_that_is_hardly_another_is_followed() -> None:
    """The primaries of sRGB by a curve of 2.2 alone, which differs from its own in the shadows."""
    primaries = [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)]
    shades = Image.fromarray(np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 256, 3))
    found = np.asarray(to_srgb(shades, profile(primaries, 2.2))).astype(int)
    linear = (np.arange(256) / 255) ** 2.2
    expected = 255 * np.where(linear < 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert np.abs(found[0, :, 1] - expected).max() < 1.5
    assert np.abs(found - np.asarray(shades)).max() > 1


@pytest.mark.parametrize("broken", [b"", b"x", b"garbage" * 50, ADOBE_RGB[:140], DARK_GREY], ids=range(5))
def test_a_broken_or_wrong_profile_is_taken_as_srgb(tmp_path: Path, broken: bytes) -> None:
    path = photo(tmp_path / "photo.png", form="PNG", icc_profile=broken)
    assert np.array_equal(load(path), scene())


def test_a_grey_profile_is_followed(tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.png", plain((128,), "L"), "PNG", icc_profile=DARK_GREY)
    red, green, blue = only_colour(load(path))
    assert red == green == blue
    assert red == pytest.approx(255 * (((128 / 255) ** 3.0) * 1.055**2.4) ** (1 / 2.4) - 0.055 * 255, abs=4)


def test_cmyk_without_a_profile(tmp_path: Path) -> None:
    for form in ("JPEG", "TIFF"):
        path = photo(tmp_path / "photo", plain((0, 255, 255, 0), "CMYK"), form)
        assert load(path)[8, 8].tolist() == pytest.approx([255, 0, 0], abs=3)


def test_lab(tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.tif", plain((137, 128, 128), "LAB"), "TIFF")
    assert only_colour(load(path)) == pytest.approx([128, 128, 128], abs=2)


def test_ycbcr_and_hsv() -> None:
    for mode in ("YCbCr", "HSV"):
        assert np.abs(from_pil(Image.fromarray(scene()).convert(mode)).astype(int) - scene()).max() <= 6


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_brightness(tmp_path: Path, form: str) -> None:
    greys = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    path = photo(tmp_path / "photo", Image.fromarray(greys), form)
    assert np.array_equal(load(path)[..., 0], np.rint(greys / 257).astype(np.uint8))


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bit_grey_of_either_byte_order(order: str) -> None:
    image = Image.frombytes("I;16B" if order == ">" else "I;16", (2, 1), np.array([257, 65535], f"{order}u2").tobytes())
    assert from_pil(image)[0, :, 0].tolist() == [1, 255]


@pytest.mark.parametrize("byte_order", ["<", ">"])
def test_sixteen_bit_colour_keeps_its_brightness(tmp_path: Path, byte_order: str) -> None:
    path = tmp_path / "photo.tif"
    path.write_bytes(deep_tiff(scene().astype(np.uint16) * 257, byte_order))
    assert np.array_equal(load(path), scene())


def deep_tiff(pixels: np.ndarray, order: str) -> bytes:
    """An uncompressed TIFF of 16 bits a channel, which Pillow cannot write."""
    height, width, channels = pixels.shape
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, channels, 8 + 2 + 12 * 9 + 4),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8 + 2 + 12 * 9 + 4 + 6),
        (277, 3, 1, channels),
        (278, 4, 1, height),
        (279, 4, 1, pixels.size * 2),
    ]
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8) + struct.pack(f"{order}H", len(tags))
    for tag, kind, count, value in tags:
        short = kind == 3 and count == 1
        head += struct.pack(f"{order}HHI", tag, kind, count) + struct.pack(
            f"{order}HH" if short else f"{order}I", *((value, 0) if short else (value,))
        )
    return head + bytes(4) + struct.pack(f"{order}HHH", 16, 16, 16) + pixels.astype(f"{order}u2").tobytes()


@pytest.mark.parametrize(
    ("values", "kind"), [([0.0, 0.5, 1.0], "F"), ([0.0, 127.5, 255.0], "F"), ([0, 32768, 65535], "I")]
)
def test_wide_greys_are_scaled_by_what_white_must_be(values: list[float], kind: str) -> None:
    array = np.array([values], np.float32 if kind == "F" else np.int32)
    assert from_pil(Image.fromarray(array))[0, :, 0].tolist() == [0, 128, 255]


def test_numbers_that_are_none_do_no_harm() -> None:
    array = np.array([[np.nan, np.inf, -np.inf, 1.0]], np.float32)
    assert from_pil(Image.fromarray(array))[0, :, 0].tolist() == [0, 0, 0, 255]


def test_one_bit(tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.png", plain((1,), "1"), "PNG")
    assert only_colour(load(path)) == [255, 255, 255]


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF", "HEIF"])
def test_white_shows_through_transparent_pixels(tmp_path: Path, form: str) -> None:
    path = photo(tmp_path / "photo", plain((0, 0, 0, 0), "RGBA"), form)
    assert load(path)[8, 8].tolist() == pytest.approx([255, 255, 255], abs=2)


def test_half_transparent_pixels_are_mixed_with_white(tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.png", plain((200, 100, 0, 128), "RGBA"), "PNG")
    assert only_colour(load(path)) == pytest.approx([227, 177, 127], abs=1)


def test_transparency_of_grey_and_of_one_colour(tmp_path: Path) -> None:
    grey = photo(tmp_path / "grey.png", plain((100, 0), "LA"), "PNG")
    one_colour = photo(tmp_path / "colour.png", plain((9, 9, 9)), "PNG", transparency=(9, 9, 9))
    assert only_colour(load(grey)) == only_colour(load(one_colour)) == [255, 255, 255]


@pytest.mark.parametrize("form", ["GIF", "PNG"])
def test_a_palette_with_transparency(tmp_path: Path, form: str) -> None:
    image = Image.fromarray(scene()).convert("P", palette=Image.Palette.ADAPTIVE)
    hidden = image.getpixel((1, 1))
    path = photo(tmp_path / "photo", image, form, transparency=hidden)
    pixels = load(path)
    assert pixels[1, 1].tolist() == [255, 255, 255]
    assert pixels[40, 60].tolist() == pytest.approx(scene()[40, 60].tolist(), abs=8)


@given(arrays(np.uint8, (6, 5, 4)))
def test_pil_images_and_arrays_agree_on_transparency(pixels: np.ndarray) -> None:
    apart = np.abs(from_array(pixels).astype(int) - from_pil(Image.fromarray(pixels)))
    assert apart.max() <= 1


@given(
    st.sampled_from(
        [
            "1",
            "L",
            "P",
            "RGB",
            "RGBA",
            "CMYK",
            "YCbCr",
            "LAB",
            "HSV",
            "I",
            "F",
            "LA",
            "PA",
            "RGBX",
            "RGBa",
            "La",
            "I;16",
            "I;16L",
            "I;16B",
        ]
    )
)
def test_every_mode_of_pillow_becomes_rgb(mode: str) -> None:
    pixels = from_pil(Image.new(mode, (3, 2)))
    assert (pixels.shape, pixels.dtype) == ((2, 3, 3), np.uint8)


def test_reduction_and_profile_go_together(tmp_path: Path) -> None:
    for form, mode in (
        ("JPEG", "RGB"),
        ("JPEG", "CMYK"),
        ("TIFF", "LAB"),
        ("PNG", "RGBA"),
        ("PNG", "LA"),
        ("PNG", "P"),
    ):
        path = tmp_path / "large"
        path.write_bytes(encode(Image.new(mode, (640, 640)), form))
        small = load(path, at_least=(32, 32))
        assert small.shape == (32, 32, 3) if form != "JPEG" else small.shape[0] < 640
        assert np.abs(small.astype(int)[0, 0] - load(path)[0, 0]).max() <= 1
