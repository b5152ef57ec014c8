"""The program as a whole: help, version, models, train; and what must not be loaded for them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from aesth import __version__
from aesth.cli.app import COMMANDS, app
from support.cli import aesth, aesth_in_process


def test_the_version_is_told() -> None:
    assert aesth("--version").stdout == f"aesth {__version__}\n".encode()


def test_python_runs_the_package_as_the_program() -> None:
    done = subprocess.run([sys.executable, "-m", "aesth", "--version"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"aesth {__version__}\n".encode())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    assert command.encode() in aesth_in_process("--help").stdout
    done = aesth_in_process(command, "--help")
    assert done.returncode == 0
    assert b"Usage" in done.stdout


@pytest.mark.parametrize("command", ["tag", "score"])
def test_the_common_options_are_those_of_the_contract(command: str) -> None:
    done = aesth(command, "--help", env={"COLUMNS": "200"})
    text = done.stdout.decode()
    common = (
        "--model --provider --threads --jobs --format --quiet --include --exclude --no-recursive --since --files-from"
        " -0 --save-config --relative --no-cache"
    )
    tagging = " --policy --overwrite --sidecar --rescore --dry-run" if command == "tag" else ""
    assert [option for option in (common + tagging).split() if option not in text] == []


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {module.split(".")[0] for module in done.stdout.split()}


def test_the_sdk_loads_no_torch_and_nothing_of_the_command_line() -> None:
    assert not {"torch", "typer", "rich"} & loaded_by("from aesth import *")


def test_the_help_waits_for_neither_numpy_nor_onnx_runtime() -> None:
    assert not {"torch", "numpy", "onnxruntime"} & loaded_by("import aesth.cli.app")


def test_the_help_loads_no_command() -> None:
    """Nor what reads and writes metadata, as the names of policies come from there."""
    code = "from aesth.cli import main; import atexit; atexit.register(lambda: print(*sys.modules)); main()"
    command = [sys.executable, "-c", f"import sys; {code}", "--help"]
    loaded = set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert "aesth.cli.app" in loaded
    assert not {"aesth.cli.tag", "aesth.cli.options", "aesth.metadata", "exiftool", "sqlite3"} & loaded
    assert "exiftool" not in loaded_by("import aesth.cli.options")


def test_summaries_are_those_of_the_commands() -> None:
    group = typer.main.get_command(app)
    for name, (_, summary) in COMMANDS.items():
        told = group.get_command(None, name).help
        assert " ".join(told.split("\n\n")[0].split()) == summary


def test_a_command_that_there_is_not_is_told_with_one_that_there_is() -> None:
    done = aesth_in_process("tagg")
    assert done.returncode == 2
    assert b"'tag'" in done.stderr


def test_the_models_are_listed_as_json() -> None:
    done = aesth_in_process("models", "--format", "json")
    assert done.returncode == 0
    for model in json.loads(done.stdout):
        assert list(model) == ["name", "path", "size", "licence", "checksum", "default"]
        assert Path(model["path"]).stat().st_size == model["size"]


def test_training_without_torch_exits_with_3_and_the_line_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "recipe.toml").write_text("")
    (tmp_path / "without" / "torch").mkdir(parents=True)
    (tmp_path / "without" / "torch" / "__init__.py").write_text(
        "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')"
    )
    path = f"{tmp_path / 'without'}:{Path(__file__).parents[2] / 'sdk'}"
    done = aesth("train", "run", tmp_path / "recipe.toml", "--data", tmp_path, env={"PYTHONPATH": path})
    assert done.returncode == 3
    assert b"pip install 'aesth[train]'" in done.stderr
