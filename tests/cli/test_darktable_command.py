"""`aesth darktable install`: what it says and does; `tests/test_install_darktable.py` has the details."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cli import aesth_in_process


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only configuration of darktable that this person has."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    folder = tmp_path / "xdg" / "darktable"
    folder.mkdir(parents=True)
    (folder / "luarc").write_bytes(b"-- mine\r\n")
    return folder


def test_it_installs_says_so_can_be_run_again_and_be_taken_back(config: Path) -> None:
    done = aesth_in_process("darktable", "install")
    assert done.returncode == 0
    told = done.stdout.decode()
    assert told.startswith(f"Install it into {config}:\n  copy ")
    assert f'append to {config / "luarc"}: require "aesth/aesth"' in told
    assert "If darktable is running, restart it." in told
    assert (config / "luarc").read_bytes() == b'-- mine\r\nrequire "aesth/aesth"\r\n'
    assert (config / "lua" / "aesth" / "aesth.lua").is_file()
    assert "up to date" in aesth_in_process("darktable", "install").stdout.decode()
    done = aesth_in_process("darktable", "install", "--uninstall")
    assert done.returncode == 0
    assert done.stdout.decode().startswith(f"Take it back from {config}:\n")
    assert [path.name for path in config.iterdir()] == ["luarc"]
    assert (config / "luarc").read_bytes() == b"-- mine\r\n"
    assert "nothing to take back" in aesth_in_process("darktable", "install", "--uninstall").stdout.decode()


def test_a_dry_run_says_the_same_and_writes_nothing(config: Path) -> None:
    would = aesth_in_process("darktable", "install", "--dry-run").stdout.decode().splitlines()
    assert would[0] == f"Would install it into {config}:"
    assert [path.name for path in config.iterdir()] == ["luarc"]
    does = aesth_in_process("darktable", "install").stdout.decode().splitlines()
    assert does[1:-1] == would[1:]


def test_another_folder_can_be_named(config: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    assert aesth_in_process("darktable", "install", "--config-dir", other).returncode == 0
    assert (other / "luarc").read_bytes() == b'require "aesth/aesth"\n'
    assert [path.name for path in config.iterdir()] == ["luarc"]


def test_without_darktable_the_exit_code_is_3_and_with_a_wrong_folder_2(config: Path, tmp_path: Path) -> None:
    done = aesth_in_process("darktable", "install", "--config-dir", tmp_path / "none")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"no such folder" in done.stderr
    (config / "luarc").unlink()
    config.rmdir()
    done = aesth_in_process("darktable", "install")
    assert (done.returncode, done.stdout) == (3, b"")
    assert b"--config-dir" in done.stderr
