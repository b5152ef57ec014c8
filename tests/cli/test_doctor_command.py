"""`aesth doctor` tells what is installed, what is missing and what to do about it."""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from aesth import __version__
from aesth.doctor import EXTRAS
from support.cli import aesth, aesth_in_process

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


Findings = dict[tuple[str, str], dict[str, str]]


def findings(*arguments: str | Path, env: dict[str, str] | None = None) -> tuple[int, Findings]:
    """What it finds: with ``env`` in a process of its own, else in this one."""
    command = ("doctor", "--format", "json", *arguments)
    done = aesth_in_process(*command) if env is None else aesth(*command, env=env)
    assert b"Traceback" not in done.stderr
    return done.returncode, {(one["section"], one["name"]): one for one in json.loads(done.stdout)}


def test_a_machine_with_everything_is_well(brightness: Path) -> None:
    code, found = findings("--model", brightness, env={})
    assert code == 0
    assert found["versions", "aesth"]["value"] == __version__
    assert found["versions", "onnxruntime"]["value"].startswith(version("onnxruntime"))
    assert found["programs", "ExifTool"]["value"].endswith(str(shutil.which("exiftool")))
    assert found["providers", "cpu"]["status"] == "ok"
    assert found["model", "name"]["value"] == "brightness-fp32"
    assert found["model", "licence"]["value"] == "CC0-1.0"
    assert found["model", "trial"]["value"].startswith("a test picture scores ")


def test_the_checksum_is_that_of_the_file(brightness: Path) -> None:
    import hashlib

    assert (
        findings("--model", brightness)[1]["model", "SHA-256"]["value"]
        == hashlib.sha256(brightness.read_bytes()).hexdigest()
    )


def test_a_missing_exiftool_exits_with_3_and_a_line_that_installs_it(
    brightness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    code, found = findings("--model", brightness)
    assert code == 3
    assert found["programs", "ExifTool"]["status"] == "missing"
    assert found["programs", "ExifTool"]["advice"]


def test_a_missing_model_exits_with_3(tmp_path: Path) -> None:
    code, found = findings("--model", tmp_path / "none.onnx")
    assert code == 3
    assert found["model", str(tmp_path / "none.onnx")]["status"] == "missing"


def test_a_missing_provider_exits_with_3_and_tells_how_to_install_it(brightness: Path) -> None:
    code, found = findings("--model", brightness, "--provider", "tensorrt")
    assert code == 3
    assert "onnxruntime-gpu" in found["providers", "tensorrt"]["advice"]


@pytest.mark.parametrize(("option", "kind"), [("--provider", "provider"), ("--model", "model")])
def test_a_name_that_nobody_knows_is_wrong_usage(option: str, kind: str) -> None:
    done = aesth_in_process("doctor", option, "abacus")
    assert done.returncode == 2
    assert done.stdout == b""
    assert f"unknown {kind} 'abacus'; known: ".encode() in done.stderr


@pytest.mark.parametrize("name", ["tensorrt", "TensorRT", "TensorrtExecutionProvider"])
def test_a_provider_may_be_named_as_elsewhere(brightness: Path, name: str) -> None:
    code, found = findings("--model", brightness, "--provider", name)
    assert (code, found["providers", "tensorrt"]["status"]) == (3, "missing")


def test_two_builds_of_onnx_runtime_are_a_warning_with_its_cure(
    brightness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "onnxruntime_gpu-1.22.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: 1.22.0\n")
    monkeypatch.syspath_prepend(tmp_path)
    code, found = findings("--model", brightness)
    assert code == 0
    assert found["providers", "builds"]["status"] == "warning"
    assert "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime-gpu" in str(found)


def test_a_broken_onnx_runtime_is_told_rather_than_raised(tmp_path: Path, brightness: Path) -> None:
    (tmp_path / "onnxruntime").mkdir()
    (tmp_path / "onnxruntime" / "__init__.py").touch()
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    code, found = findings("--model", brightness, env={"PYTHONPATH": path})
    assert code == 3
    assert found["providers", "ONNX Runtime"]["status"] == "missing"
    assert "onnxruntime" in found["providers", "ONNX Runtime"]["advice"]


def test_every_package_that_is_needed_is_told_with_its_version(brightness: Path) -> None:
    needed = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    _, found = findings("--model", brightness)
    for package in (re.split("[<>=]", requirement)[0] for requirement in needed):
        assert found["versions", package]["value"].startswith(version(package))


def test_every_extra_that_installs_something_is_explained(brightness: Path) -> None:
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    assert set(EXTRAS) == {extra for extra, packages in extras.items() if packages}
    _, found = findings("--model", brightness)
    assert {name for section, name in found if section == "extras"} == set(EXTRAS)
    assert found["extras", "test"]["status"] == "ok"


def test_the_places_are_told_and_a_wrong_config_file_is_a_warning(brightness: Path, own_places: Path) -> None:
    (own_places / "config").mkdir()
    (own_places / "config" / "config.toml").write_text("threads = 0\n")
    code, found = findings("--model", brightness)
    assert code == 0
    assert found["places", "cache"]["value"] == str(own_places / "cache")
    assert found["places", "config"]["status"] == "warning"
    assert "'threads' must be" in found["places", "config"]["value"]


def test_the_table_is_for_people(brightness: Path) -> None:
    text = aesth_in_process("doctor", "--model", brightness).stdout.decode()
    assert [line for line in text.splitlines() if line and line[0] != " "] == [
        "Versions",
        "Programs",
        "Providers",
        "Model",
        "Extras",
        "Places",
    ]
