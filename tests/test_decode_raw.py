"""RAW files: the embedded preview, upright; developed where there is none; refused where nothing is left.

With ``previews``, the smallest of several previews that is large enough and shows the same stands in for the largest.
"""

from __future__ import annotations

import json
import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aesth.decode import load
from aesth.decode.embedded import Place, jpegs_in
from aesth.errors import DecodeError
from support.metadata import exiftool
from support.photos import as_stored, corners, dng, encode, exif_of, scene

HEIGHT, WIDTH = 240, 320
SIZE = (100, 100)


def raw_file(folder: Path, **options: object) -> Path:
    path = folder / "photo.dng"
    path.write_bytes(dng(scene(HEIGHT, WIDTH), **options))
    return path


def shows_the_scene(pixels: np.ndarray, tolerance: int) -> bool:
    return bool(np.abs(corners(pixels).astype(int) - corners(scene())).max() <= tolerance)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_preview_comes_upright(tmp_path: Path, orientation: int) -> None:
    pixels = load(raw_file(tmp_path, orientation=orientation), at_least=SIZE, headroom=2)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert shows_the_scene(pixels, 4)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_preview_with_its_own_exif_is_turned_once(tmp_path: Path, orientation: int) -> None:
    preview = encode(as_stored(scene(HEIGHT, WIDTH), orientation), exif=exif_of(orientation))
    assert shows_the_scene(load(raw_file(tmp_path, orientation=orientation, preview=preview), at_least=SIZE), 4)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_preview_that_is_upright_already_is_left_so(tmp_path: Path, orientation: int) -> None:
    for options in ({}, {"exif": exif_of(1)}):
        preview = encode(scene(HEIGHT, WIDTH), **options)
        assert shows_the_scene(load(raw_file(tmp_path, orientation=orientation, preview=preview), at_least=SIZE), 4)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_without_a_preview_the_sensor_data_is_developed(tmp_path: Path, orientation: int) -> None:
    pixels = load(raw_file(tmp_path, orientation=orientation, preview=None), at_least=SIZE)
    assert pixels.shape == (HEIGHT // 2, WIDTH // 2, 3)
    assert shows_the_scene(pixels, 60)


def test_a_sensor_without_colours_is_developed_grey(tmp_path: Path) -> None:
    pixels = load(raw_file(tmp_path, preview=None, monochrome=True), at_least=SIZE)
    assert pixels.shape[2] == 3
    assert (pixels[..., :1] == pixels).all()
    assert pixels.std() > 50


def test_a_preview_that_is_too_small_or_damaged_gives_way_to_the_sensor_data(tmp_path: Path) -> None:
    small, damaged = encode(scene(12, 16)), encode(scene(HEIGHT, WIDTH))[:-500]
    for preview in (small, damaged):
        assert load(raw_file(tmp_path, preview=preview), at_least=SIZE).shape == (HEIGHT // 2, WIDTH // 2, 3)


def test_a_preview_is_good_enough_where_the_sensor_data_is_damaged(tmp_path: Path) -> None:
    assert load(raw_file(tmp_path, cut=0.5), at_least=SIZE, headroom=2).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("cut", [0.0, 0.01, 0.5, 0.9, 0.995])
def test_sensor_data_that_is_cut_short_is_refused_in_silence(
    tmp_path: Path, cut: float, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(DecodeError, match="sensor data is damaged"):
        load(raw_file(tmp_path, preview=None, cut=cut), at_least=SIZE)
    assert capfd.readouterr() == ("", "")


def test_sensor_data_that_ends_in_nothing_is_refused(tmp_path: Path) -> None:
    """As a download leaves it that reserved its space and was broken off; LibRaw has nothing to say."""
    path = raw_file(tmp_path, preview=None)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2].ljust(len(whole), b"\0"))
    with pytest.raises(DecodeError, match="sensor data is damaged"):
        load(path, at_least=SIZE)


def test_the_limit_of_pixels_holds(tmp_path: Path) -> None:
    with pytest.raises(DecodeError, match="limit"):
        load(raw_file(tmp_path), max_pixels=HEIGHT * WIDTH - 1)
    assert load(raw_file(tmp_path), max_pixels=HEIGHT * WIDTH).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("preview", [b"", None], ids=["preview", "developed"])
def test_any_name_a_file_system_takes_is_read(tmp_path: Path, preview: bytes | None) -> None:
    for name in ["new\nline.dng", "-dash.dng", "n" * 246 + ".dng", "latin-\udce9.dng"]:
        path = tmp_path / name
        path.write_bytes(dng(scene(HEIGHT, WIDTH), preview=preview))
        assert load(path, at_least=SIZE).shape[2] == 3


LARGE, MEDIUM, SMALL, THUMBNAIL = (480, 640), (216, 288), (96, 128), (48, 64)
HALF_OF_MEDIUM = (108, 144, 3)
WANTED = (48, 48)
"""72 x 72 pixels are enough for it, of which a camera's thumbnail has too few."""


def pictures(*sizes: tuple[int, int], orientation: int = 1) -> list[bytes]:
    """JPEGs of one scene, as a camera reduces it."""
    whole = Image.fromarray(scene(*LARGE))
    reduced = [whole.resize(size[::-1], Image.Resampling.BOX) for size in sizes]
    return [encode(as_stored(np.asarray(picture), orientation)) for picture in reduced]


def with_previews(folder: Path, large: bytes, *smaller: bytes, orientation: int = 1) -> Path:
    return raw_file(folder, orientation=orientation, preview=large, smaller=smaller)


def test_the_smallest_preview_that_is_large_enough_stands_in_for_the_largest(tmp_path: Path) -> None:
    path = with_previews(tmp_path, *pictures(LARGE, THUMBNAIL, MEDIUM, SMALL))
    small, large = (load(path, at_least=WANTED, previews=previews) for previews in (True, False))
    assert (small.shape, large.shape) == ((48, 64, 3), (60, 80, 3))  # a half of one, an eighth of the other
    assert shows_the_scene(small, 8)
    assert load(path, at_least=(100, 100), previews=True).shape == HALF_OF_MEDIUM
    assert load(path, previews=True).shape == (*LARGE, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_smaller_preview_is_turned_as_the_largest(tmp_path: Path, orientation: int) -> None:
    path = with_previews(tmp_path, *pictures(LARGE, MEDIUM, orientation=orientation), orientation=orientation)
    pixels = load(path, at_least=(100, 100), previews=True)
    assert pixels.shape == HALF_OF_MEDIUM
    assert shows_the_scene(pixels, 8)


def test_smaller_previews_of_something_else_are_passed_over(tmp_path: Path) -> None:
    (large, medium), wanted = pictures(LARGE, MEDIUM), (100, 100)
    whole = load(with_previews(tmp_path, large), at_least=wanted, previews=True)
    mirrored, wide = encode(scene(*MEDIUM)[:, ::-1]), encode(scene(200, 320))
    barred = encode(np.pad(scene(180, 320), ((30, 30), (0, 0), (0, 0))))
    for other in (mirrored, wide, barred):
        path = with_previews(tmp_path, large, other)
        assert np.array_equal(load(path, at_least=wanted, previews=True), whole)
    content = with_previews(tmp_path, large, medium).read_bytes()
    for damaged in (medium[:-400] + bytes(400), b"no picture".ljust(len(medium))):
        path.write_bytes(content.replace(medium, damaged))
        assert np.array_equal(load(path, at_least=wanted, previews=True), whole)
    path.write_bytes(content)
    assert not np.array_equal(load(path, at_least=wanted, previews=True), whole)


def test_jpegs_are_found_where_exiftool_finds_them(data: Path) -> None:
    """In the directories of cameras' files, and in the box of a CR3; what ExifTool finds in makers' notes is not."""
    found = 0
    tags = ("PreviewImage", "JpgFromRaw", "Thumbnail")
    for name in ("CanonRaw.cr2", "Nikon.nef", "DNG.dng"):
        path = data / "camera_files" / "exiftool" / name
        said = json.loads(exiftool("-j", "-G1", *(f"-{tag}{end}" for tag in tags for end in ENDS), path))[0]
        with path.open("rb") as file:
            places = {(place.start, place.size) for place in jpegs_in(file)}
        for key, start in said.items():
            tag = key.removesuffix("Start").removesuffix("Offset")
            if tag != key and not key.startswith("PreviewIFD:"):
                assert (start, said[f"{tag}Length"]) in places
                found += 1
    assert found >= 5
    with (data / "camera_files" / "exiftool" / "CanonRaw.cr3").open("rb") as file:
        (place,) = jpegs_in(file)
        file.seek(place.start)
        assert file.read(place.size) == b"<Dummy preview image data>"


ENDS = ("Start", "Offset", "Length")


def test_what_was_found_before_the_damage_counts() -> None:
    entries = [(330, 2, 3, b"ab\0\0"), (513, 4, 1, struct.pack("<I", 90)), (514, 4, 1, struct.pack("<I", 9))]
    whole, text = (
        struct.pack("<H", len(some)) + b"".join(struct.pack("<HHI4s", *entry) for entry in some)
        for some in (entries[1:], entries[:1])
    )
    head = b"II*\0\x08\0\0\0" + whole
    assert jpegs_in(BytesIO(head + struct.pack("<I", len(head) + 4) + text + bytes(4))) == [Place(90, 9)]


@pytest.mark.filterwarnings("ignore:.*EXIF")
@given(st.binary(max_size=200), st.sampled_from([b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"\0\0\0\x18ftypcrx "]))
def test_no_directory_does_harm(content: bytes, head: bytes) -> None:
    for place in jpegs_in(BytesIO(head + content)):
        assert place.size > 0
