"""What is said where a package of an extra is missing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aesth.errors import MissingDependencyError
from aesth.extras import needs_extra


def test_a_missing_package_is_told_with_the_line_that_installs_it() -> None:
    with pytest.raises(MissingDependencyError) as raised, needs_extra("video", "a video"):
        import no_such_package.part  # type: ignore[import-not-found]  # noqa: F401
    assert (
        str(raised.value) == "a video needs the package 'no_such_package'; install it with: pip install 'aesth[video]'"
    )


@pytest.mark.parametrize("error", [ModuleNotFoundError(name="aesth.gone"), ImportError("other"), ValueError("other")])
def test_no_other_error_is_blamed_on_an_extra(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, needs_extra("train", "training"):
        raise error
    assert raised.value is error


def test_a_process_that_torchrun_starts_says_the_same(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('gone', name='torch')")
    path = os.pathsep.join([str(tmp_path), str(Path(__file__).parents[1] / "sdk")])
    command = [sys.executable, "-m", "aesth.training", "recipe.toml", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "aesth: training needs the package 'torch'; install it with: pip install 'aesth[train]'\n"
