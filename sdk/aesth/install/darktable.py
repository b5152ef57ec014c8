"""The plugin for darktable: into the folder of its configuration, and a line into ``luarc`` that starts it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path

from aesth.errors import AesthError, ConfigError, MissingDependencyError
from aesth.install.copies import (
    RECORD,
    Plan,
    Record,
    missing_folders,
    plan_copies,
    plan_folders_removal,
    plan_removals,
    read,
    read_record,
    removal,
    write,
    write_record,
)

PACKAGE = Path(__file__).parents[1]
FLATPAK = "org.darktable.Darktable"
LINE = b'require "aesth/aesth"'
"""What starts the plugin, in ``luarc``."""
PROGRAM_FILE = "program.txt"
"""In the plugin's folder: the path of the program that the plugin runs, unless its preferences say otherwise."""
ON_HOST = "aesth-on-host"
"""In the plugin's folder of a Flatpak, which cannot run programs outside: a script that asks the system to do it."""
PERMISSION = f"flatpak override --user --talk-name=org.freedesktop.Flatpak {FLATPAK}"

_STARTS = re.compile(rb"""^(?:(?!--).)*?\brequire\s*[(,]?\s*(["'])aesth[/.]aesth\1""", re.MULTILINE)


def config_folders(system: str, home: Path, environment: Mapping[str, str]) -> list[Path]:
    """Where darktable may keep its configuration.

    Args:
        system: as in ``sys.platform``.
        home: the person's folder.
        environment: variables that move it.
    """
    if system == "win32":
        return [Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "darktable"]
    own = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "darktable"
    return [own] if system == "darwin" else [own, home / ".var" / "app" / FLATPAK / "config" / "darktable"]


def find_config_folders(named: Path | None = None) -> list[Path]:
    """The folders that there are: the one that was ``named``, or all of `config_folders`.

    Raises:
        ConfigError: there is no folder of that name.
        MissingDependencyError: there is none.
    """
    if named is not None:
        if not named.is_dir():
            raise ConfigError("there is no such folder; name the one in which darktable keeps its darktablerc", named)
        return [named.absolute()]
    places = config_folders(sys.platform, Path.home(), os.environ)
    found = [place for place in places if place.is_dir()]
    if not found:
        looked = " and ".join(map(str, places))
        raise MissingDependencyError(
            f"darktable's configuration is not in {looked}; start darktable once, or name its folder with --config-dir"
        )
    return found


def plugin_folder(package: Path = PACKAGE) -> Path:
    """The plugin that belongs to ``package``, this one unless it is said: in the wheel, or in the checkout.

    Raises:
        MissingDependencyError: this installation lacks it.
    """
    places = [root / "darktable" / "aesth" for root in (package / "_plugins", package.parents[1] / "plugins")]
    found = next((place for place in places if (place / "aesth.lua").is_file()), None)
    if found is None:
        raise MissingDependencyError("the plugin for darktable is missing here; install aesth anew", places[0])
    return found


def find_program() -> Path | None:
    """The program `aesth` that is running, or that belongs to this Python; None if there is no such file."""
    name = "aesth.exe" if os.name == "nt" else "aesth"
    started = Path(sys.argv[0])
    user = sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user"))
    places = [started if started.name == name else None, Path(sysconfig.get_path("scripts"), name), Path(user, name)]
    on_path = shutil.which(name)
    places.append(Path(on_path) if on_path else None)
    # Links are kept: what they lead to may have another name after an update.
    return next((place.absolute() for place in places if place is not None and place.is_file()), None)


def starts_plugin(luarc: bytes) -> bool:
    """Whether a line of ``luarc`` that is no comment starts the plugin."""
    return _STARTS.search(luarc) is not None


def addition(luarc: bytes) -> bytes:
    """What is appended to ``luarc``: the line, with the line ends that are used there."""
    end = b"\r\n" if b"\r\n" in luarc else b"\n"
    return (b"" if not luarc or luarc.endswith(b"\n") else end) + LINE + end


def without_addition(luarc: bytes, added: bytes) -> bytes:
    """``luarc`` as it was before ``added`` was appended, with what was written since; unchanged if it is not there."""
    before = luarc.removesuffix(added)
    if before != luarc and (not added.startswith(LINE) or not before or before.endswith(b"\n")):
        return before
    lines = luarc.splitlines(keepends=True)
    ours = next((number for number, line in enumerate(lines) if line.rstrip(b"\r\n") == LINE), None)
    return luarc if ours is None else b"".join(lines[:ours] + lines[ours + 1 :])


def plan_install(config: Path, plugin: Path, program: Path | None) -> Plan:
    """What installs the plugin into a configuration, or brings it up to date.

    Args:
        config: darktable's folder.
        plugin: the folder of the plugin.
        program: the program that the plugin runs; None leaves it to look on the PATH.

    Raises:
        AesthError: something is in the way, or cannot be read.
    """
    folder, luarc = config / "lua" / "aesth", config / "luarc"
    if folder.is_symlink():
        raise AesthError("this is a link, such as to a checkout, and left as it is; remove it to install", folder)
    before = read_record(folder) or Record()
    start = read(luarc)
    plan = Plan()
    copies = Plan()
    files = plan_copies(copies, folder, _contents(plugin) | _program_files(folder, program), before)
    line, made = before.line, before.made
    if not starts_plugin(start or b""):
        added = addition(start or b"")
        line, made = added.decode(), start is None
        copies.tell(f"append to {luarc}: {LINE.decode()}")
        copies.add(lambda: write(luarc, (start or b"") + added))
    elif not line:
        copies.tell(f"leave {luarc} as it is: it starts the plugin already")
    record = Record(files, before.folders or missing_folders(folder), line, made)
    if record != before:
        # First of all, so that whatever was done can be taken back even if this is ended halfway.
        plan.add(lambda: write_record(folder, record))
    plan.told += copies.told
    plan.steps += copies.steps
    return plan


def plan_uninstall(config: Path) -> Plan | None:
    """What takes an installation back, and nothing else; None if there is none.

    Raises:
        AesthError: something cannot be read.
    """
    folder, luarc = config / "lua" / "aesth", config / "luarc"
    record = None if folder.is_symlink() else read_record(folder)
    if record is None:
        return None
    plan = Plan()
    start = read(luarc) or b""
    left = without_addition(start, record.line.encode()) if record.line else start
    if left != start:
        if record.made and not left:
            plan.tell(f"remove {luarc}, which was made for it")
            plan.add(removal(luarc))
        else:
            plan.tell(f"remove from {luarc}: {LINE.decode()}")
            plan.add(lambda: write(luarc, left))
    if starts_plugin(left):
        plan.tell(f"leave a line of {luarc} that somebody wrote, and that starts the plugin: remove it yourself")
    plan_removals(plan, folder, record)
    plan.add(removal(folder / RECORD))
    plan_folders_removal(plan, folder, record.folders)
    return plan


def is_flatpak(config: Path) -> bool:
    """Whether a configuration is that of darktable's Flatpak, which may run programs only where it is allowed to."""
    return FLATPAK in config.parts


def _contents(plugin: Path) -> dict[str, bytes]:
    """The files of a folder by their paths below it, hidden ones left out."""
    paths = sorted(path for path in plugin.rglob("*") if path.is_file())
    names = {path.relative_to(plugin): path for path in paths}
    return {
        name.as_posix(): path.read_bytes()
        for name, path in names.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def _program_files(folder: Path, program: Path | None) -> dict[str, bytes]:
    if program is None:
        return {}
    if not is_flatpak(folder):
        return {PROGRAM_FILE: os.fsencode(program) + b"\n"}
    script = f'#!/bin/sh\nexec flatpak-spawn --host --watch-bus {shlex.quote(str(program))} "$@"\n'
    return {
        PROGRAM_FILE: os.fsencode(folder / ON_HOST) + b"\n",
        ON_HOST: script.encode("utf-8", "surrogateescape"),
    }
