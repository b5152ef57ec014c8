"""Installing the plugin into darktable's configuration, again, over changes, and taking exactly that back."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aesth.errors import AesthError, ConfigError, MissingDependencyError
from aesth.install import darktable
from aesth.install.darktable import (
    LINE,
    addition,
    config_folders,
    find_config_folders,
    find_program,
    plan_install,
    plan_uninstall,
    plugin_folder,
    starts_plugin,
    without_addition,
)

PROGRAM = Path("/opt/my programs/aesth")
FILES = {"aesth.lua": "return 1\n", "lib/core.lua": "return 2\n", "locale/de/aesth.mo": "3"}


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return written(tmp_path / "plugin" / "aesth", FILES)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """darktable's configuration, with files of the person and of darktable."""
    folder = tmp_path / "config" / "darktable"
    return written(folder, {"darktablerc": "key=value\n", "luarc": 'require "tools/script_manager"\n'})


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode())
    return folder


def tree(folder: Path) -> dict[str, bytes | None]:
    """All that is in a folder: contents of files, None for folders."""
    return {
        path.relative_to(folder).as_posix(): None if path.is_dir() else path.read_bytes() for path in folder.rglob("*")
    }


def install(config: Path, plugin: Path, program: Path | None = PROGRAM) -> list[str]:
    plan = plan_install(config, plugin, program)
    plan.carry_out()
    return plan.told


def uninstall(config: Path) -> list[str]:
    plan = plan_uninstall(config)
    assert plan is not None
    plan.carry_out()
    return plan.told


def test_the_plugin_is_copied_started_by_one_line_and_told_where_the_program_is(config: Path, plugin: Path) -> None:
    before = tree(config)
    told = install(config, plugin)
    after = tree(config)
    copied = {f"lua/aesth/{name}": content.encode() for name, content in FILES.items()}
    assert copied.items() <= after.items()
    assert after["luarc"] == b'require "tools/script_manager"\nrequire "aesth/aesth"\n'
    assert after["lua/aesth/program.txt"] == b"/opt/my programs/aesth\n"
    assert after["darktablerc"] == before["darktablerc"]
    assert told == [f"copy 4 files in {config}/lua/aesth", f'append to {config}/luarc: require "aesth/aesth"']


def test_a_second_installation_changes_nothing(config: Path, plugin: Path) -> None:
    install(config, plugin)
    before = tree(config)
    plan = plan_install(config, plugin, PROGRAM)
    assert (plan.told, plan.steps) == ([], [])
    assert tree(config) == before


def test_a_plan_alone_writes_nothing(config: Path, plugin: Path) -> None:
    before = tree(config)
    plan_install(config, plugin, PROGRAM)
    assert tree(config) == before
    install(config, plugin)
    before = tree(config)
    plan_uninstall(config)
    assert tree(config) == before


@pytest.mark.parametrize("luarc", [None, "", "-- mine", 'require "a"\r\nrequire "b"\r\n', "\n\n", "caf\u00e9 = 1"])
def test_uninstalling_leaves_everything_as_it_was(config: Path, plugin: Path, luarc: str | None) -> None:
    (config / "luarc").unlink()
    if luarc is not None:
        (config / "luarc").write_bytes(luarc.encode("latin-1"))
    before = tree(config)
    install(config, plugin)
    install(config, plugin)
    assert starts_plugin((config / "luarc").read_bytes())
    uninstall(config)
    assert tree(config) == before
    assert plan_uninstall(config) is None


LUARCS = st.lists(st.sampled_from([b"x = 1", b"\n", b"\r\n", b"-- " + LINE, b"\xff\xfe", b" ", b"\r"])).map(b"".join)


@given(LUARCS, LUARCS)
@example(b"", b"-- " + LINE + b"\n")
def test_a_line_is_appended_once_and_taken_back_to_the_byte(luarc: bytes, later: bytes) -> None:
    added = addition(luarc)
    assert starts_plugin(luarc + added)
    assert added.count(LINE) == 1
    assert without_addition(luarc + added, added) == luarc
    start = luarc + added.removesuffix(LINE + b"\r\n").removesuffix(LINE + b"\n")
    assert without_addition(luarc + added + later, added).removesuffix(later) in (luarc, start)


@pytest.mark.parametrize(
    ("luarc", "starts"),
    [
        (b'require "aesth/aesth"', True),
        (b"x = 1\n  require('aesth.aesth') -- mine\n", True),
        (b'local ok = pcall(require, "aesth/aesth")', True),
        (b'local a = require "aesth/aesth"\r\n', True),
        (b'-- require "aesth/aesth"', False),
        (b'x = 1 -- require "aesth/aesth"', False),
        (b'require "aesth/aesthetics"', False),
        (b'require "contrib/aesth"', False),
        (b"", False),
    ],
)
def test_a_line_that_starts_the_plugin_is_known(luarc: bytes, starts: bool) -> None:
    assert starts_plugin(luarc) is starts


def test_a_line_of_ones_own_is_neither_doubled_nor_taken_away(config: Path, plugin: Path) -> None:
    (config / "luarc").write_bytes(b'require("aesth/aesth")\n')
    told = install(config, plugin)
    assert told[-1] == f"leave {config}/luarc as it is: it starts the plugin already"
    told = uninstall(config)
    assert (config / "luarc").read_bytes() == b'require("aesth/aesth")\n'
    assert "remove it yourself" in told[0]


def test_what_was_written_into_luarc_since_stays(config: Path, plugin: Path) -> None:
    install(config, plugin)
    with (config / "luarc").open("ab") as luarc:
        luarc.write(b'require "contrib/other"\n')
    uninstall(config)
    assert (config / "luarc").read_bytes() == b'require "tools/script_manager"\nrequire "contrib/other"\n'


def test_a_new_version_replaces_renews_and_removes_files(config: Path, plugin: Path, tmp_path: Path) -> None:
    install(config, plugin)
    new = written(tmp_path / "new" / "aesth", {"aesth.lua": "return 10\n", "lib/more.lua": "return 4\n"})
    told = install(config, new, Path("/elsewhere/aesth"))
    folder = config / "lua" / "aesth"
    names = {name for name, content in tree(folder).items() if content is not None}
    assert names == {"aesth.lua", "lib/more.lua", "program.txt", "installed.json"}
    assert (folder / "program.txt").read_bytes() == b"/elsewhere/aesth\n"
    assert told == [f"copy 1 file in {folder}", f"renew 2 files in {folder}", f"remove 2 files from {folder}"]
    uninstall(config)
    assert not (config / "lua").exists()


def test_files_that_a_person_changed_are_kept_and_named(config: Path, plugin: Path) -> None:
    install(config, plugin)
    changed = config / "lua" / "aesth" / "lib" / "core.lua"
    changed.write_text("mine")
    assert f"leave {changed}, which somebody changed" in uninstall(config)
    assert tree(config / "lua") == {"aesth": None, "aesth/lib": None, "aesth/lib/core.lua": b"mine"}
    told = install(config, plugin)
    assert told[0] == "keep lib/core.lua, which somebody changed, as core.lua.bak"
    assert changed.read_bytes() == b"return 2\n"
    uninstall(config)
    assert tree(config / "lua") == {"aesth": None, "aesth/lib": None, "aesth/lib/core.lua.bak": b"mine"}


def test_other_scripts_beside_it_stay(config: Path, plugin: Path) -> None:
    written(config / "lua", {"contrib/other.lua": "x", "aesth/own.lua": "y"})
    before = tree(config)
    install(config, plugin)
    uninstall(config)
    assert tree(config) == before


def test_a_folder_for_scripts_that_was_empty_stays(config: Path, plugin: Path) -> None:
    (config / "lua").mkdir()
    before = tree(config)
    install(config, plugin)
    uninstall(config)
    assert tree(config) == before


def test_files_that_were_there_by_hand_are_not_ours_to_remove(config: Path, plugin: Path) -> None:
    written(config / "lua" / "aesth", FILES)
    before = tree(config)
    install(config, plugin)
    uninstall(config)
    assert tree(config) == before


def test_what_was_begun_and_not_ended_is_ended_or_taken_back(config: Path, plugin: Path) -> None:
    before = tree(config)
    for ended in range(len(plan_install(config, plugin, PROGRAM).steps)):
        for step in plan_install(config, plugin, PROGRAM).steps[: ended + 1]:
            step()
        uninstall(config)
        assert tree(config) == before
    for step in plan_install(config, plugin, PROGRAM).steps[:2]:
        step()
    install(config, plugin)
    plan = plan_install(config, plugin, PROGRAM)
    assert plan.steps == []
    uninstall(config)
    assert tree(config) == before


@pytest.mark.skipif(os.name == "nt", reason="needs links")
def test_links_stay_links_and_a_linked_checkout_is_left_alone(config: Path, plugin: Path, tmp_path: Path) -> None:
    dotfile = tmp_path / "dotfiles-luarc"
    (config / "luarc").rename(dotfile)
    (config / "luarc").symlink_to(dotfile)
    dotfile.chmod(0o640)
    install(config, plugin)
    assert (config / "luarc").is_symlink()
    assert starts_plugin(dotfile.read_bytes())
    assert stat.S_IMODE(dotfile.stat().st_mode) == 0o640
    uninstall(config)
    (config / "lua").mkdir()
    (config / "lua" / "aesth").symlink_to(plugin)
    with pytest.raises(AesthError, match="this is a link"):
        plan_install(config, plugin, PROGRAM)
    assert plan_uninstall(config) is None


def test_a_damaged_record_and_what_cannot_be_read_are_told(config: Path, plugin: Path) -> None:
    install(config, plugin)
    record = config / "lua" / "aesth" / "installed.json"
    for content in ("{", "[]", '{"files": 3}', '{"other": 1}'):
        record.write_text(content)
        with pytest.raises(AesthError, match="damaged; remove the folder by hand"):
            plan_uninstall(config)
    record.unlink()
    (config / "luarc").unlink()
    (config / "luarc").mkdir()
    with pytest.raises(AesthError, match="luarc: cannot be read"):
        plan_install(config, plugin, PROGRAM)


def test_without_a_program_the_plugin_looks_for_it_itself(config: Path, plugin: Path) -> None:
    install(config, plugin, None)
    assert not (config / "lua" / "aesth" / "program.txt").exists()


@pytest.mark.skipif(os.name == "nt", reason="Flatpak is for Linux")
def test_a_flatpak_runs_the_program_outside_by_a_script(tmp_path: Path, plugin: Path) -> None:
    home = tmp_path / "my 'home'"
    config = config_folders("linux", home, {})[1]
    config.mkdir(parents=True)
    install(config, plugin, PROGRAM)
    script = Path((config / "lua" / "aesth" / "program.txt").read_text().removesuffix("\n"))
    (tmp_path / "flatpak-spawn").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "flatpak-spawn").chmod(0o755)
    done = subprocess.run([script, "score", "a b"], capture_output=True, text=True, env={"PATH": f"{tmp_path}:/bin"})
    assert done.stdout.splitlines() == ["--host", "--watch-bus", str(PROGRAM), "score", "a b"]
    uninstall(config)
    assert tree(config) == {}


def test_the_folders_are_where_each_system_has_them() -> None:
    home = Path("/home/ann")
    flatpak = home / ".var/app/org.darktable.Darktable/config/darktable"
    assert config_folders("linux", home, {}) == [home / ".config/darktable", flatpak]
    assert config_folders("linux", home, {"XDG_CONFIG_HOME": "/x"}) == [Path("/x/darktable"), flatpak]
    assert config_folders("darwin", home, {}) == [home / ".config/darktable"]
    assert config_folders("win32", home, {"LOCALAPPDATA": "/local"}) == [Path("/local/darktable")]


def test_every_configuration_that_is_there_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with pytest.raises(MissingDependencyError, match="start darktable once"):
        find_config_folders()
    both = config_folders("linux", tmp_path, {})
    for folder in both:
        folder.mkdir(parents=True)
        assert find_config_folders() == both[: both.index(folder) + 1]
    assert find_config_folders(tmp_path) == [tmp_path]
    with pytest.raises(ConfigError, match="no such folder"):
        find_config_folders(tmp_path / "none")


def test_the_program_is_the_one_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / ("aesth.exe" if os.name == "nt" else "aesth")
    program.touch()
    monkeypatch.setattr(sys, "argv", [str(program), "darktable", "install"])
    assert find_program() == program
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [program.name])
    assert find_program() == program


def test_the_real_plugin_is_found_starts_by_the_line_and_reads_the_program_file() -> None:
    """What this checkout, or the wheel, carries and what the installer says fit together."""
    plugin = plugin_folder()
    assert LINE.decode() == f'require "{plugin.name}/aesth"'
    assert any(darktable.PROGRAM_FILE in path.read_text() for path in plugin.rglob("*.lua"))


@pytest.mark.parametrize("place", ["site-packages/aesth/_plugins/darktable/aesth", "plugins/darktable/aesth"])
def test_the_plugin_is_found_in_a_wheel_and_in_a_checkout(tmp_path: Path, place: str) -> None:
    package = tmp_path / place.split("/")[0].replace("plugins", "sdk") / "aesth"
    package.mkdir(parents=True, exist_ok=True)
    with pytest.raises(MissingDependencyError, match="install aesth anew"):
        plugin_folder(package)
    plugin = written(tmp_path / place, FILES)
    assert plugin_folder(package) == plugin


def test_the_wheel_carries_the_plugins_where_they_are_looked_for() -> None:
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"plugins": "aesth/_plugins"}
