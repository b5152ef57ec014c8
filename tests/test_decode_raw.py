"""RAW files: the embedded preview, upright; developed where there is none; refused where nothing is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aesth.decode import load
from aesth.errors import DecodeError
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
    pixels = load(raw_file(tmp_path, orientation=orientation), at_least=SIZE)
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
    assert load(raw_file(tmp_path, cut=0.5), at_least=SIZE).shape == (HEIGHT, WIDTH, 3)


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
