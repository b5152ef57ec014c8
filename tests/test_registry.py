"""Names of models -> files, with what photos remember of them."""

from __future__ import annotations

import hashlib
import zlib
from pathlib import Path

import pytest

from aesth import registry
from aesth.errors import ConfigError, ModelError

LARGEST_WHEEL = 60_000_000
"""Bytes; packages of that size are still taken by PyPI (100 MB) and fetched without a thought."""


def test_the_path_of_a_file_is_a_model(brightness: Path) -> None:
    model = registry.find(str(brightness))
    assert (model.name, model.path, model.size) == ("brightness-fp32", brightness, brightness.stat().st_size)


def test_the_checksum_is_that_of_the_content(brightness: Path) -> None:
    model = registry.find(str(brightness))
    assert model.checksum == hashlib.sha256(brightness.read_bytes()).hexdigest()
    assert model.tag == f"brightness-fp32 {model.checksum[:8]}"


def test_a_file_in_the_home_folder(brightness: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(brightness.parent))
    monkeypatch.setenv("USERPROFILE", str(brightness.parent))
    assert registry.find(f"~/{brightness.name}").path == brightness


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such model file") as caught:
        registry.find(str(tmp_path / "missing.onnx"))
    assert caught.value.path == tmp_path / "missing.onnx"


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ConfigError, match=r"unknown model 'better'; known: .*\.onnx"):
        registry.find("better")


def test_every_bundled_model_is_found_by_its_name() -> None:
    for model in registry.bundled():
        assert registry.find(model.name).path == model.path
        assert model.path.suffix == ".onnx"


def test_default_is_one_of_the_bundled() -> None:
    if not list(registry.bundled()):
        pytest.skip("no model is bundled here")
    assert registry.find().name == registry.DEFAULT_MODEL


def bundle(folder: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}.onnx").write_bytes(name.encode())


def test_a_name_without_a_precision_is_its_int8_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MODELS_FOLDER", tmp_path)
    bundle(tmp_path, "base-fp16", "base-int8", "lite-fp16", "lite-int8", "old")
    found = {name: registry.find(name).name for name in ("base", "lite", "base-fp16", "base-int8", "old", "default")}
    assert found == {
        "base": "base-int8",
        "lite": "lite-int8",
        "base-fp16": "base-fp16",
        "base-int8": "base-int8",
        "old": "old",
        "default": registry.DEFAULT_MODEL,
    }
    assert registry.find("lite").tag.startswith("lite-int8 "), "photos remember the file, not what it was called by"


@pytest.mark.parametrize("name", ["base-fp32", "bas", "int8", "-int8", ""])
def test_half_a_name_is_no_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "MODELS_FOLDER", tmp_path)
    bundle(tmp_path, "base-fp16", "base-int8")
    with pytest.raises(ConfigError, match="known: base-fp16, base-int8"):
        registry.find(name)


@pytest.mark.parametrize("name", ["default", "lite", "lite-int8"])
def test_a_default_that_is_not_bundled_is_missing_rather_than_unknown(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "MODELS_FOLDER", tmp_path)
    with pytest.raises(ModelError, match="'lite-int8' is not bundled here"):
        registry.find(name)


def test_the_bundled_models_leave_the_wheel_below_60_mb() -> None:
    """A wheel is a zip archive: what counts is the compressed size."""
    assert sum(len(zlib.compress(model.path.read_bytes(), 1)) for model in registry.bundled()) < LARGEST_WHEEL
