"""A preview stands in for its photo where it is large enough and shows the same; the photo itself is decoded else."""

from __future__ import annotations

import io
import json
import os
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter, JpegImagePlugin

from aesth import Scorer
from aesth.cache import ScoreCache
from aesth.decode import load
from aesth.decode.mpf import previews
from aesth.decode.picture import Wanted
from aesth.decode.previews import DEPTHS, MOST_BYTES, preview_of
from aesth.errors import DecodeError
from support.camera import profile
from support.cli import aesth_in_process
from support.photos import as_stored, corners, encode, exif_of, noise, scene
from support.previews import FULL_HD, GAIN_MAP, VGA, of_size, with_pictures

HEIGHT, WIDTH = 480, 640
SMALL = (120, 160)
WANTED = (20, 20)
AS_PREVIEW, WHOLE = (30, 40, 3), (20, 27, 3)
"""Of 160 x 120 pixels a quarter is decoded, of 640 x 480 a third of an eighth is left, when 20 x 20 are wanted."""


def view(seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> Image.Image:
    """A soft picture of many colours."""
    colours = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)


def reduced(image: Image.Image, size: tuple[int, int] = SMALL) -> Image.Image:
    return image.resize(size[::-1], Image.Resampling.BOX)


def photo(folder: Path, preview: Image.Image | bytes | None = None, image: Image.Image | None = None) -> Path:
    """A photo with a preview, which is of the same picture unless it is given."""
    image = image or view()
    preview = reduced(image) if preview is None else preview
    path = folder / "photo.jpg"
    path.write_bytes(with_pictures(encode(image), [preview if isinstance(preview, bytes) else encode(preview)]))
    return path


def shape(path: Path, at_least: tuple[int, int] = WANTED) -> tuple[int, ...]:
    return load(path, at_least=at_least, previews=True).shape


def nearly_equal(pixels: NDArray[np.uint8], others: NDArray[np.uint8], tolerance: float = 2) -> bool:
    size = pixels.shape[1::-1]
    return bool(np.abs(pixels.astype(int) - np.asarray(Image.fromarray(others).resize(size))).mean() < tolerance)


def test_a_preview_stands_in_for_its_photo(tmp_path: Path) -> None:
    path = photo(tmp_path)
    assert shape(path) == AS_PREVIEW
    assert nearly_equal(load(path, at_least=WANTED, previews=True), load(path, at_least=WANTED, headroom=2))


def test_headroom_is_kept_of_a_preview_and_decides_about_none(tmp_path: Path) -> None:
    assert load(photo(tmp_path), at_least=WANTED, headroom=2, previews=True).shape == (60, 80, 3)


def test_only_who_asks_gets_a_preview_and_never_in_place_of_every_pixel(tmp_path: Path) -> None:
    path = photo(tmp_path)
    assert load(path, at_least=WANTED).shape == WHOLE
    assert load(path, previews=True).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_preview_is_turned_as_its_photo(tmp_path: Path, orientation: int) -> None:
    path = tmp_path / "photo.jpg"
    stored = [Image.fromarray(as_stored(scene(*size), orientation)) for size in ((HEIGHT, WIDTH), SMALL)]
    # What a preview tells of itself is passed over: it is as its photo is, which is seen.
    content = encode(stored[0], exif=exif_of(orientation)), encode(stored[1], exif=exif_of(7))
    path.write_bytes(with_pictures(content[0], [content[1]]))
    pixels = load(path, at_least=WANTED, previews=True)
    assert pixels.shape == AS_PREVIEW
    assert np.abs(corners(pixels).astype(int) - corners(scene())).max() < 5


def test_a_preview_is_as_tall_and_wide_as_is_wanted_of_the_upright_photo(tmp_path: Path) -> None:
    stored = Image.fromarray(as_stored(np.asarray(view()), 6))
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_pictures(encode(stored, exif=exif_of(6)), [encode(reduced(stored, (160, 120)))]))
    assert shape(path, (80, 100)) == (*SMALL, 3)
    assert load(path, at_least=(100, 80), headroom=2, previews=True).shape == (240, 320, 3)


@pytest.mark.parametrize("order", "<>")
def test_directories_come_in_either_order_of_bytes(tmp_path: Path, order: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_pictures(encode(view()), [encode(reduced(view()))], order=order))
    assert shape(path) == AS_PREVIEW


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "another picture": lambda image: reduced(view(1)),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "paler": lambda image: ImageEnhance.Color(image).enhance(0.7),
    "grey": lambda image: image.convert("L"),
    "warmer": lambda image: image.point([min(255, value + 8) for value in range(256)] + [*range(256)] * 2),
    "cropped": lambda image: image.resize(image.size, box=(8, 6, 152, 114)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "upside down": lambda image: image.transpose(Image.Transpose.ROTATE_180),
    "bars above": lambda image: framed(image, (0, 6)),
    "bars beside": lambda image: framed(image, (8, 0)),
    "another shape": lambda image: image.resize((160, 128)),
    "on its side": lambda image: image.transpose(Image.Transpose.ROTATE_90),
    "too small": lambda image: image.resize((39, 29)),
    "hardly smaller": lambda image: view().resize((324, 243)),
}  # fmt: skip


def test_small_differences_count_where_there_is_little_contrast(tmp_path: Path) -> None:
    pale = Image.blend(Image.new("RGB", (WIDTH, HEIGHT), (128, 128, 128)), view(), 0.125)
    assert shape(photo(tmp_path, image=pale)) == AS_PREVIEW
    assert shape(photo(tmp_path, reduced(pale).transpose(Image.Transpose.FLIP_LEFT_RIGHT), pale)) == WHOLE


def test_a_spot_that_is_missing_counts(tmp_path: Path) -> None:
    spotless = reduced(view())
    spotted = view()
    colour = spotted.getpixel((248, 8))
    spotted.paste(tuple((value + 80) if value < 128 else value - 80 for value in colour), (240, 4, 256, 16))
    assert shape(photo(tmp_path, image=spotted)) == AS_PREVIEW
    assert shape(photo(tmp_path, spotless, spotted)) == WHOLE


def framed(image: Image.Image, bars: tuple[int, int]) -> Image.Image:
    """The image made smaller, on black."""
    black = Image.new("RGB", image.size)
    inner = image.resize((image.width - 2 * bars[0], image.height - 2 * bars[1]))
    black.paste(inner, bars)
    return black


@pytest.mark.parametrize("change", CHANGES)
def test_a_preview_that_shows_something_else_is_passed_over(tmp_path: Path, change: str) -> None:
    assert shape(photo(tmp_path, CHANGES[change](reduced(view())))) == WHOLE


@pytest.mark.parametrize("quality", [85, 95])
@pytest.mark.parametrize("how", [Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.LANCZOS])
def test_a_camera_may_reduce_sharpen_and_compress_as_it_likes(
    tmp_path: Path, how: Image.Resampling, quality: int
) -> None:
    preview = view().resize(SMALL[::-1], how).filter(ImageFilter.UnsharpMask(1, 100, 0))
    assert shape(photo(tmp_path, encode(preview, quality=quality))) == AS_PREVIEW


@pytest.mark.parametrize(("quality", "expected"), [(85, AS_PREVIEW), (80, WHOLE)])
def test_a_preview_that_is_compressed_much_is_passed_over(
    tmp_path: Path, quality: int, expected: tuple[int, ...]
) -> None:
    assert shape(photo(tmp_path, encode(reduced(view()), quality=quality))) == expected


def test_the_steps_that_count_are_those_of_brightness(tmp_path: Path) -> None:
    """Of colours, cameras keep less, and eyes and encoders see less."""
    fine, coarse = [4] * 64, [40] * 64
    for tables, expected in (([fine, coarse], AS_PREVIEW), ([coarse, fine], WHOLE)):
        preview = encode(reduced(view()), qtables=tables, quality=50)  # which leaves the steps as they are
        assert shape(photo(tmp_path, preview)) == expected


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "nothing there": lambda preview: bytes(len(preview)),
    "cut short": lambda preview: preview[:-300].ljust(len(preview), b"\0"),
    "another format": lambda preview: encode(reduced(view()), "PNG"),
    "of four inks": lambda preview: encode(reduced(view()).convert("CMYK")),
    "of other colours": lambda preview: encode(reduced(view()), icc_profile=profile()),
    "a bomb": lambda preview: of_size(preview, 60000, 45000),
    "cut off": lambda preview: b"",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_preview_that_is_damaged_is_passed_over(tmp_path: Path, damage: str) -> None:
    assert shape(photo(tmp_path, DAMAGES[damage](encode(reduced(view()))))) == WHOLE


def test_a_file_that_ends_before_its_preview_does_is_decoded_without(tmp_path: Path) -> None:
    path = photo(tmp_path)
    path.write_bytes(path.read_bytes()[:-300])
    assert shape(path) == WHOLE


def test_a_preview_that_claims_too_many_bytes_is_not_read(tmp_path: Path) -> None:
    path = photo(tmp_path)
    length = len(encode(reduced(view())))
    content = path.read_bytes().replace(struct.pack(">I", length), struct.pack(">I", MOST_BYTES + 1), 1)
    path.write_bytes(content + bytes(MOST_BYTES))
    assert shape(path) == WHOLE


def test_a_preview_does_not_lie_before_the_data_of_its_photo(tmp_path: Path) -> None:
    preview = encode(reduced(view()))
    content = with_pictures(encode(view(), comment=preview), [preview])
    base = content.index(b"MM\0*")
    behind, before = content.rindex(preview) - base, content.index(preview) - base
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert shape(path) == AS_PREVIEW
    path.write_bytes(content.replace(struct.pack(">I", behind), struct.pack(">I", before), 1))
    assert shape(path) == WHOLE


def test_metadata_may_be_large(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    exif = exif_of(1)
    exif[0x010E] = "a description " * 4000
    path.write_bytes(with_pictures(encode(view(), exif=exif, comment=bytes(60000)), [encode(reduced(view()))]))
    assert shape(path) == AS_PREVIEW


@pytest.mark.parametrize("kind", [GAIN_MAP, 0x020002, 0, 1 << 24 | FULL_HD])
def test_pictures_of_another_kind_are_no_previews(tmp_path: Path, kind: int) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_pictures(encode(view()), [encode(reduced(view()))], [kind]))
    assert shape(path) == WHOLE


def test_the_smallest_preview_that_is_large_enough_is_taken_and_the_next_where_it_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    coarse, fair, fine = (encode(reduced(view(), size)) for size in ((24, 32), (96, 128), (180, 240)))
    for fair_one, expected in ((fair, (48, 64, 3)), (fair[:-300] + bytes(300), (45, 60, 3))):
        path.write_bytes(with_pictures(encode(view()), [fine, coarse, fair_one], [FULL_HD, VGA, FULL_HD]))
        assert load(path, at_least=WANTED, headroom=2, previews=True).shape == expected


@pytest.mark.parametrize(("flat", "expected"), [(0.1, AS_PREVIEW), (1.0, WHOLE)], ids=["above", "everywhere"])
def test_what_is_flat_tells_nothing_so_that_more_rows_are_looked_at(
    tmp_path: Path, flat: float, expected: tuple[int, ...]
) -> None:
    image = view()
    image.paste((90, 120, 180), (0, 0, WIDTH, int(HEIGHT * flat)))
    assert DEPTHS[0] < 0.1 < DEPTHS[1]
    assert shape(photo(tmp_path, image=image)) == expected
    below = reduced(image).filter(ImageFilter.GaussianBlur(3))
    below.paste(0, (0, 20, 160, 40))
    assert shape(photo(tmp_path, below, image)) == WHOLE


def test_a_top_of_far_more_detail_than_the_rest_is_not_read_to_its_end_and_tells_nothing(tmp_path: Path) -> None:
    image = Image.new("RGB", (WIDTH, 6400), (128, 128, 128))
    image.paste(Image.blend(view(height=400), Image.fromarray(noise(400, WIDTH)), 0.5), (0, 0))
    path = photo(tmp_path, reduced(image, (1600, 160)), image)
    assert shape(path, (26, 26)) == load(path, at_least=(26, 26)).shape == (267, 27, 3)


@pytest.mark.parametrize(
    ("how", "expected"),
    [({"progressive": True}, WHOLE), ({"restart_marker_rows": 1}, AS_PREVIEW), ({"subsampling": 0}, AS_PREVIEW)],
    ids=["progressive", "with restarts", "all colours"],
)
def test_photos_are_compared_whose_rows_follow_each_other(
    tmp_path: Path, how: dict[str, object], expected: tuple[int, ...]
) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_pictures(encode(view(), **how), [encode(reduced(view()))]))
    assert shape(path) == expected


def test_a_grey_photo_has_a_grey_preview(tmp_path: Path) -> None:
    grey = view().convert("L")
    assert shape(photo(tmp_path, image=grey)) == AS_PREVIEW


def test_inks_are_left_to_who_knows_their_profile(tmp_path: Path) -> None:
    inks = view().convert("CMYK")
    assert shape(photo(tmp_path, reduced(inks).convert("RGB"), inks)) == WHOLE


def test_a_preview_has_the_colours_of_its_photo(tmp_path: Path) -> None:
    """Cameras give it no profile of its own."""
    swapped = swapping_profile()
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_pictures(encode(view(), icc_profile=swapped), [encode(reduced(view()))]))
    pixels = load(path, at_least=WANTED, previews=True)
    assert pixels.shape == AS_PREVIEW
    assert nearly_equal(pixels, load(path, at_least=WANTED, headroom=2))
    assert not nearly_equal(pixels, np.asarray(view()), 20)


def swapping_profile() -> bytes:
    """sRGB with the primaries red and blue exchanged."""
    content = profile()
    return content.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ")


class Counting(io.BytesIO):
    """Tells how much was read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        piece = super().read(size)
        self.taken += len(piece)
        return piece


def test_little_more_is_read_than_the_preview() -> None:
    image = Image.blend(view(height=1200, width=1600), Image.fromarray(noise(1200, 1600)), 0.4)
    preview = encode(reduced(image))
    content = with_pictures(encode(image), [preview])
    file = Counting(content)
    opened = JpegImagePlugin.JpegImageFile(file)
    assert preview_of(file, opened, Wanted(*WANTED), 10**8) is not None
    assert file.taken < len(content) / 4 + len(preview)


@given(
    directory=st.binary(max_size=80)
    | st.builds(
        lambda order, at, tail: (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", at) + tail,
        st.sampled_from("<>"),
        st.integers(0, 40) | st.integers(0, 2**32 - 1),
        st.binary(max_size=200),
    )
)
def test_no_directory_does_harm(directory: bytes) -> None:
    for preview in previews(directory):
        assert preview.size > 0
        assert preview.start > 0


@given(place=st.floats(0, 1, exclude_max=True), piece=st.binary(min_size=1, max_size=4), near=st.booleans())
@settings(max_examples=30, deadline=None)
def test_damage_to_a_file_makes_a_picture_or_our_own_error(
    tmp_path_factory: pytest.TempPathFactory, place: float, piece: bytes, near: bool
) -> None:
    content = with_pictures(encode(view(0, 240, 320)), [encode(reduced(view(0, 240, 320), (60, 80)))])
    start, length = (content.index(b"MPF\0"), 120) if near else (0, len(content))
    at = start + int(place * length)
    path = tmp_path_factory.getbasetemp() / "damaged.jpg"
    path.write_bytes(content[:at] + piece + content[at + len(piece) :])
    with warnings.catch_warnings(), suppress(DecodeError):
        warnings.simplefilter("ignore")
        assert shape(path, (20, 20))[2] == 3


@pytest.mark.skipif(tuple(map(int, pillow_heif.__version__.split(".")[:2])) < (1, 8), reason="Pillow-HEIF is too old")
def test_a_heif_photo_is_decoded_by_its_thumbnail_where_that_is_large_enough(tmp_path: Path) -> None:
    path = tmp_path / "photo.heic"
    path.write_bytes(encode(scene(240, 320), "HEIF", thumbnails=[80]))
    small, large = (load(path, at_least=(20, 20), headroom=2, previews=previews) for previews in (True, False))
    assert (small.shape, large.shape) == ((60, 80, 3), (40, 54, 3))
    assert np.abs(corners(small).astype(int) - corners(large)).max() < 8
    assert load(path, at_least=(41, 41), headroom=2, previews=True).shape == (120, 160, 3)


def brightened(folder: Path) -> tuple[Path, float, float]:
    """A photo whose preview is a little brighter, and the brightness of both in percent."""
    image = view()
    preview = ImageEnhance.Brightness(reduced(image)).enhance(1.01)
    means = (100 * np.asarray(picture).mean() / 255 for picture in (image, preview))
    return photo(folder, preview, image), *means


@pytest.mark.parametrize("previews", [True, False])
def test_a_scorer_goes_by_previews_unless_told_otherwise(tmp_path: Path, brightness: Path, previews: bool) -> None:
    path, whole, small = brightened(tmp_path)
    with Scorer(str(brightness), **({} if previews else {"previews": False})) as scorer:
        assert scorer.score_one(path).score == pytest.approx(small if previews else whole, abs=0.2)
    assert small - whole > 0.4


def test_scores_by_previews_are_remembered_apart(tmp_path: Path, brightness: Path) -> None:
    path, _, _ = brightened(tmp_path)
    os.utime(path, (10**9, 10**9))
    found = []
    for way in (True, False, True, False):
        with (
            ScoreCache(tmp_path / "scores") as cache,
            Scorer(str(brightness), previews=way, cache=cache) as scorer,
        ):
            found.append(scorer.score_one(path))
    assert found[0].score == found[2].score != found[1].score == found[3].score
    assert [scored.embedding[0] for scored in found] == pytest.approx([scored.norm for scored in found], rel=1e-5)


def score_by(*arguments: str | Path) -> float:
    return json.loads(aesth_in_process(*arguments).stdout)["score"]


def test_the_command_line_and_the_config_file_turn_previews_off(
    tmp_path: Path, brightness: Path, own_places: Path
) -> None:
    path, whole, small = brightened(tmp_path)
    asked = ("score", "--model", brightness, "--format", "ndjson", path)
    scores = [score_by(*asked), score_by(*asked, "--no-previews")]
    (own_places / "config").mkdir()
    (own_places / "config" / "config.toml").write_text("previews = false\n")
    scores += [score_by(*asked), score_by(*asked, "--previews")]
    assert scores == pytest.approx([small, whole, whole, small], abs=0.2)
