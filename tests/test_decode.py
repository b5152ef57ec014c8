"""A photo of any format is decoded to upright sRGB pixels, and to no more of them than needed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from aesth.decode import from_array, from_pil, load
from aesth.errors import DecodeError
from aesth.preprocess import PIXELS, Preprocess
from support.photos import SUFFIXES, as_stored, corners, encode, exif_of, photo, picture, scene

LOSSLESS = ("PNG", "TIFF", "WEBP")
TOLERANCE = {"JPEG": 4, "HEIF": 8, "AVIF": 8, "GIF": 30} | dict.fromkeys(LOSSLESS, 0)


def difference(pixels: np.ndarray, expected: np.ndarray) -> int:
    assert pixels.shape == expected.shape
    assert pixels.dtype == np.uint8
    return int(np.abs(pixels.astype(int) - expected.astype(int)).max())


@pytest.mark.parametrize("form", SUFFIXES)
def test_every_format_is_decoded(tmp_path: Path, form: str) -> None:
    path = photo(tmp_path / f"photo{SUFFIXES[form]}", form=form)
    assert difference(corners(load(path)), corners(scene())) <= TOLERANCE[form]


@pytest.mark.parametrize("form", SUFFIXES)
def test_the_content_tells_the_format_whatever_the_name_says(tmp_path: Path, form: str) -> None:
    for suffix in (".jpg", ".nef", ".heic", ""):
        path = tmp_path / f"photo{suffix}"
        if form == "TIFF" and suffix == ".nef":
            continue
        path.write_bytes(encode(scene(), form))
        assert load(path).shape == scene().shape


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_a_photo_comes_upright_however_the_camera_was_held(tmp_path: Path, form: str, orientation: int) -> None:
    stored = as_stored(scene(), orientation)
    path = photo(tmp_path / "photo", stored, form, exif=exif_of(orientation))
    assert difference(corners(load(path)), corners(scene())) <= TOLERANCE[form]


@pytest.mark.parametrize(("orientation", "quarters"), [(3, 2), (6, 3), (8, 1)])
def test_a_heif_photo_is_turned_by_its_own_property(tmp_path: Path, orientation: int, quarters: int) -> None:
    upright = scene(128, 192)
    content = encode(as_stored(upright, orientation), "HEIF")
    # The property "pixi" becomes "irot": quarter turns against the clock. Pillow-HEIF writes none.
    path = tmp_path / "photo.heic"
    path.write_bytes(content.replace(b"pixi\0", b"irot" + bytes([quarters])))
    assert load(path).shape == upright.shape
    assert difference(corners(load(path)), corners(upright)) <= TOLERANCE["HEIF"]


def test_exif_does_not_turn_a_heif_photo_as_its_standard_demands(tmp_path: Path) -> None:
    assert load(photo(tmp_path / "photo.heic", form="HEIF", exif=exif_of(6))).shape == scene().shape


def test_libtiff_turns_compressed_pictures_no_second_time(tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.tif", as_stored(scene(), 6), "TIFF", exif=exif_of(6), compression="tiff_lzw")
    assert difference(load(path), scene()) == 0


@pytest.mark.parametrize("exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b""])
@pytest.mark.filterwarnings("ignore")
def test_broken_exif_is_no_reason_to_lose_the_photo(tmp_path: Path, exif: bytes) -> None:
    path = photo(tmp_path / "photo.jpg", exif=exif)
    assert difference(corners(load(path)), corners(scene())) <= TOLERANCE["JPEG"]


def test_an_orientation_that_does_not_exist_is_passed_over(tmp_path: Path) -> None:
    assert load(photo(tmp_path / "photo.jpg", exif=exif_of(77))).shape == scene().shape


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_pictures_counts(tmp_path: Path, form: str) -> None:
    others = [Image.new("RGB", (64, 48), "black"), Image.new("RGB", (64, 48), "white")]
    path = photo(tmp_path / "photo", form=form, save_all=True, append_images=others)
    assert difference(corners(load(path)), corners(scene())) <= TOLERANCE[form]


def test_the_first_of_two_pictures_in_a_jpeg_counts(tmp_path: Path) -> None:
    path = photo(tmp_path / "photo.jpg", form="MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    assert difference(corners(load(path)), corners(scene())) <= TOLERANCE["JPEG"]


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_who_asks_for_headroom_gets_as_much_more_where_the_file_has_it(tmp_path: Path, form: str) -> None:
    path = photo(tmp_path / "large", scene(480, 640), form)
    assert load(path, at_least=(60, 60)).shape == (60, 80, 3)
    assert load(path, at_least=(60, 60), headroom=2).shape == (120, 160, 3)
    assert load(path, at_least=(60, 60), headroom=20).shape == (480, 640, 3)


@given(
    height=st.integers(1, 700),
    width=st.integers(1, 700),
    wanted=st.tuples(st.integers(1, 300), st.integers(1, 300)),
    form=st.sampled_from(["JPEG", "PNG"]),
    orientation=st.sampled_from([1, 6]),
)
@example(height=1200, width=300, wanted=(30, 140), form="JPEG", orientation=6)
@example(height=1200, width=300, wanted=(30, 140), form="PNG", orientation=6)
@settings(max_examples=60, deadline=None)
def test_a_reduced_picture_has_at_least_the_size_asked_for_where_the_file_has_it(
    tmp_path_factory: pytest.TempPathFactory,
    height: int,
    width: int,
    wanted: tuple[int, int],
    form: str,
    orientation: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "reduced"
    photo(path, as_stored(scene(height, width), orientation), form, exif=exif_of(orientation))
    reduced = load(path, at_least=wanted).shape
    for side, full, least in zip(reduced, (height, width), wanted, strict=False):
        assert min(full, least) <= side <= full
    if height >= wanted[0] and width >= wanted[1]:
        assert min(side / least for side, least in zip(reduced, wanted, strict=False)) < 2, "and no more than it takes"


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_no_more_pixels_come_than_needed(tmp_path: Path, form: str) -> None:
    path = photo(tmp_path / "large", scene(1600, 2400), form)
    reduced = load(path, at_least=(100, 100))
    assert reduced.size < scene(1600, 2400).size / 20
    assert difference(corners(reduced), corners(scene())) <= TOLERANCE[form]


def test_without_a_size_every_pixel_comes(tmp_path: Path) -> None:
    assert load(photo(tmp_path / "large.jpg", scene(1600, 2400))).shape == (1600, 2400, 3)


def test_reduction_changes_a_photo_hardly_at_the_size_of_the_encoder(tmp_path: Path) -> None:
    smooth = Image.fromarray(scene(6, 8)).resize((1600, 1200), Image.Resampling.BICUBIC)
    path = photo(tmp_path / "smooth.jpg", smooth)
    small = [
        np.asarray(Image.fromarray(pixels).resize((224, 224), Image.Resampling.BICUBIC)).astype(int)
        for pixels in (load(path), load(path, at_least=(224, 224)))
    ]
    assert np.abs(small[0] - small[1]).mean() < 1


def test_any_name_a_file_system_takes_is_read(tmp_path: Path) -> None:
    for name in ["new\nline.jpg", "-dash.jpg", "quote'\"`$#.jpg", "sp ace.jpg", "n" * 246 + ".jpg", "latin-\udce9.jpg"]:
        assert load(photo(tmp_path / name)).shape == scene().shape


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    paths = [photo(tmp_path / f"{form}{SUFFIXES[form]}", form=form) for form in SUFFIXES] * 8
    alone = [load(path) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(load, paths))
    assert all(np.array_equal(*pair) for pair in zip(alone, together, strict=True))


def test_pillow_s_own_limit_is_neither_asked_nor_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert load(photo(tmp_path / "photo.png", form="PNG")).shape == scene().shape
    assert Image.MAX_IMAGE_PIXELS == 10


def test_a_pil_image_gives_the_same_as_its_file(tmp_path: Path) -> None:
    for orientation in range(1, 9):
        path = photo(tmp_path / "photo.jpg", as_stored(scene(), orientation), exif=exif_of(orientation))
        with Image.open(path) as image:
            assert np.array_equal(from_pil(image), load(path))


def test_a_pil_image_is_left_as_it_was() -> None:
    image = Image.fromarray(scene())
    image.getexif()[0x0112] = 6
    before = image.tobytes()
    assert from_pil(image).shape == (64, 48, 3)
    assert (image.size, image.tobytes()) == ((64, 48), before)


def test_an_empty_pil_image_is_refused() -> None:
    with pytest.raises(DecodeError, match="empty"):
        from_pil(Image.new("RGB", (0, 5)))


def test_arrays_of_every_kind_that_means_a_picture_are_taken() -> None:
    pixels = scene()
    grey = pixels[..., 0]
    opaque = np.dstack([pixels, np.full(grey.shape, 255, np.uint8)])
    assert np.array_equal(from_array(pixels), pixels)
    assert np.array_equal(from_array(opaque), pixels)
    assert np.array_equal(from_array(grey), np.dstack([grey] * 3))
    assert np.array_equal(from_array(grey[..., None]), np.dstack([grey] * 3))
    assert np.array_equal(from_array(pixels.astype(np.uint16) * 257), pixels)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 3), bool),
        np.zeros((3, 4, 4), np.uint8)[:, :, :2],
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
    ],
    ids=["float", "bool", "two channels", "batch", "empty", "line"],
)
def test_other_arrays_are_refused_and_told_what_to_give(pixels: np.ndarray) -> None:
    with pytest.raises(DecodeError, match="give"):
        from_array(pixels)


def test_pixels_are_those_of_their_version(tmp_path: Path) -> None:
    """Whoever changes them raises `aesth.preprocess.PIXELS`, and writes the new version and digest here."""
    see_through = Image.fromarray(np.dstack([scene(90, 120), scene(90, 120)[..., 0]]))
    pictures = [
        Image.fromarray(as_stored(scene(300, 400), 6)),
        see_through,
        see_through.convert("LA"),
        Image.fromarray(scene(90, 120)[..., 0].astype(np.uint16) * 257),
    ]
    digest = sha256()
    for image in pictures:
        path = photo(tmp_path / "a.png", image, "PNG", exif=exif_of(6))
        digest.update(Preprocess((24, 32))(load(path, at_least=(24, 32))).tobytes())
    digest.update(Preprocess((24, 32))(picture(0.5, 1, 150, 250)).tobytes())
    assert (PIXELS, digest.hexdigest()[:16]) == (5, "ce3f759a686c6b79")
