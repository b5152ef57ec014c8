"""Names of models -> files, with what photos remember of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from aesth import registry
from aesth.errors import ConfigError, ModelError


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
