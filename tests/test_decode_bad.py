"""Bad input: one `DecodeError` of one line, that names the file, and nothing else on any stream."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from aesth.decode import load
from aesth.decode.quiet import quiet_decoders
from aesth.errors import DecodeError
from support.people import ordinary_user, public_folder
from support.photos import SUFFIXES, dng, encode, exif_of, noise, photo, png, scene


def refusal(path: Path, **options: object) -> str:
    """Why a file is refused; checked to be one line that names the file."""
    with pytest.raises(DecodeError) as caught:
        load(path, **options)
    assert caught.value.path == path
    assert len(caught.value.message.splitlines()) == 1
    return caught.value.message


def outcome(path: Path, **options: object) -> np.ndarray | DecodeError:
    try:
        return load(path, **options)
    except DecodeError as error:
        return error


def is_picture_or_one_line(result: np.ndarray | DecodeError) -> bool:
    if isinstance(result, DecodeError):
        return result.path is not None and len(result.message.splitlines()) == 1
    return result.ndim == 3 and result.shape[2] == 3


def written(folder: Path, content: bytes, name: str = "photo.jpg") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_empty(tmp_path: Path) -> None:
    assert "empty" in refusal(written(tmp_path, b""))


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".heic"])
def test_text_that_is_named_like_a_photo(tmp_path: Path, suffix: str) -> None:
    assert "not a picture" in refusal(written(tmp_path, b"Dear diary,\n" * 100, f"photo{suffix}"))


def test_text_that_is_named_like_a_raw_file(tmp_path: Path) -> None:
    refusal(written(tmp_path, b"Dear diary,\n" * 100, "photo.nef"))


def test_documents_that_pillow_would_hand_to_other_programs(tmp_path: Path) -> None:
    assert "not a picture" in refusal(written(tmp_path, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"))


@pytest.mark.parametrize(("width", "height"), [(0, 0), (0, 10), (10, 0)])
def test_no_pixels(tmp_path: Path, width: int, height: int) -> None:
    refusal(written(tmp_path, png(width, height), "photo.png"))


def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    assert "limit" in refusal(written(tmp_path, png(60_000, 60_000), "bomb.png"))


@pytest.mark.parametrize("form", SUFFIXES)
def test_the_limit_can_be_set(tmp_path: Path, form: str) -> None:
    path = photo(tmp_path / "photo", form=form)
    pixels = scene().shape[0] * scene().shape[1]
    assert "limit" in refusal(path, max_pixels=pixels - 1)
    assert load(path, max_pixels=pixels).shape == scene().shape


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "HEIF", "AVIF", "progressive JPEG", "LZW TIFF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.98])
def test_a_picture_that_is_cut_short_is_refused_not_filled_with_grey(
    tmp_path: Path, form: str, share: float, capfd: pytest.CaptureFixture[str]
) -> None:
    options = {"progressive JPEG": {"progressive": True}, "LZW TIFF": {"compression": "tiff_lzw"}}.get(form, {})
    whole = encode(noise(), form.split()[-1], **options)
    refusal(written(tmp_path, whole[: int(len(whole) * share)]), at_least=(20, 20))
    assert capfd.readouterr().err == ""


def test_missing(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "missing.jpg")


def test_names_that_no_file_can_have(tmp_path: Path) -> None:
    refusal(tmp_path / ("n" * 300))
    refusal(tmp_path / "nul\0byte.jpg")
    refusal(photo(tmp_path / "photo.jpg") / "below.jpg")


def test_a_folder(tmp_path: Path) -> None:
    assert "folder" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "regular file" in refusal(tmp_path / "pipe.jpg")


@pytest.mark.skipif(os.name == "nt", reason="rules of access are not kept in the mode here")
def test_unreadable() -> None:
    with public_folder() as folder:
        path = photo(folder / "photo.jpg")
        path.chmod(0)
        with ordinary_user():
            assert "permission" in refusal(path)


def test_a_link_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    refusal(tmp_path / "loop.jpg")


WHOLE = {form: encode(noise(), form) for form in SUFFIXES} | {
    "turned JPEG": encode(noise(), exif=exif_of(6)),
    "LZW": encode(noise(), "TIFF", compression="tiff_lzw"),
    "RAW": dng(noise()),
}


@pytest.mark.parametrize("form", WHOLE)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_ends_in_a_picture_or_in_one_clear_line(tmp_path: Path, form: str, data: st.DataObject) -> None:
    content = bytearray(WHOLE[form])
    for _ in range(data.draw(st.integers(1, 8))):
        reach = data.draw(st.sampled_from([64, 600, len(content)]))
        content[data.draw(st.integers(0, reach - 1)) % len(content)] = data.draw(st.integers(0, 255))
    path = written(
        tmp_path,
        bytes(content[: data.draw(st.sampled_from([len(content), len(content) * 2 // 3]))]),
        "photo.dng" if form == "RAW" else "photo",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert is_picture_or_one_line(outcome(path, max_pixels=1_000_000))


def test_a_program_can_keep_its_stderr_clear_of_what_decoders_print(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # pytest's
    with quiet_decoders():
        os.write(2, b"JPEGLib: Bogus marker length.\n")
        logging.getLogger("PIL.TiffImagePlugin").error("More samples per pixel than can be decoded")
        warnings.warn_explicit("Corrupt EXIF data", UserWarning, "TiffImagePlugin.py", 1, "PIL.TiffImagePlugin")
    os.write(2, b"a line of ours\n")
    assert capfd.readouterr().err == "a line of ours\n"


def test_every_file_of_the_cameras_is_decoded_or_refused_with_one_line(
    data: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = [path for path in sorted((data / "camera_files").rglob("*")) if path.is_file()]
    outcomes = {path.name: outcome(path, at_least=(224, 224)) for path in paths}
    assert all(is_picture_or_one_line(result) for result in outcomes.values())
    refused = [name for name, result in outcomes.items() if isinstance(result, DecodeError)]
    assert capfd.readouterr() == ("", "")
    assert len(paths) > 200
    assert not [name for name in refused if name.endswith((".jpg", ".png", ".tif", ".gif", ".heif", ".webp"))]


def test_real_photos_are_decoded_as_pillow_decodes_them(data: Path) -> None:
    for path in sorted((data / "oasis" / "images").iterdir())[::20]:
        with Image.open(path) as image:
            expected = image.convert("RGB").tobytes()
        pixels = load(path)
        assert pixels.tobytes() == expected or "icc_profile" in image.info
