"""The targets that people and continuous integration call are there, and the scripts behind them are sound."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.desktop import NEEDED

PROJECT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


def make(*arguments: str) -> str:
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    "target", ["install", "format", "lint", "check", "test", "apps", "demo", "bench", "bench-compare", "docs"]
)
def test_help_lists_every_target(target: str) -> None:
    assert f"make {target} " in make("help")


def test_the_demo_takes_a_folder_of_ones_own_instead_of_fetching_photos() -> None:
    assert '"$PHOTOS_FOLDER" != demo-photos' in make("--dry-run", "demo", "PHOTOS=~/My Photos")


def test_the_demo_installs_no_extra() -> None:
    lines = [line for line in make("--dry-run", "--always-make", "demo").splitlines() if "pip install" in line]
    assert len(lines) == 1
    assert lines[0].endswith("--editable .")


def test_the_tests_leave_the_real_applications_out() -> None:
    assert '-m "not apps"' in make("--dry-run", "test")


def test_the_real_applications_are_installed_and_none_may_be_missing() -> None:
    lines = make("--dry-run", "apps").splitlines()
    installed = {line.split()[1] for line in lines if line.startswith("scripts/install-program")}
    assert installed >= {"chromium", "darktable", "digikam", "exiv2", *NEEDED}
    assert any("-m apps --need-apps" in line for line in lines)


def test_a_python_that_is_too_old_is_told(tmp_path: Path) -> None:
    old = tmp_path / "python-old"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.9.2" && exit 0\nexit 1\n')
    old.chmod(0o755)
    done = subprocess.run(["scripts/make-venv", old, tmp_path / "venv"], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 3
    assert "Python 3.9.2 is too old: aesth needs 3.11 or newer" in done.stderr


@pytest.mark.parametrize("formula", [["brew-name"], []])
def test_a_missing_program_is_told_where_it_cannot_be_installed(tmp_path: Path, formula: list[str]) -> None:
    for tool in ("sh", "id"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    done = subprocess.run(
        ["scripts/install-program", "no-such-program", "debian-name", *formula],
        cwd=PROJECT,
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert done.stderr.startswith("no-such-program is missing. Install it")


def test_the_demo_script_needs_nothing_but_the_standard_library() -> None:
    tree = ast.parse((PROJECT / "scripts" / "demo_photos.py").read_text())
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    assert {str(module).split(".")[0] for module in modules} <= {*sys.stdlib_module_names}
