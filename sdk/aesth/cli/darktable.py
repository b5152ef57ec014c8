"""`aesth darktable install`: put the plugin where darktable finds it, or take it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aesth.cli.text import printable


def install_darktable(
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take back what the installation did.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Write nothing; show what would be.")] = False,
    config_dir: Annotated[
        Path | None,
        typer.Option("--config-dir", metavar="DIR", help="darktable's configuration.", show_default="found"),
    ] = None,
) -> None:
    """Install the plugin for darktable: copy it, and add the line to `luarc` that starts it. Nothing else is changed.

    It can be run again, which brings it up to date. `--uninstall` takes exactly that back; files that you changed since
    are left, and named.
    """
    from aesth.install import darktable

    program = darktable.find_program()
    for config in darktable.find_config_folders(config_dir):
        if uninstall:
            plan = darktable.plan_uninstall(config)
        else:
            plan = darktable.plan_install(config, darktable.plugin_folder(), program)
        if plan is None:
            _say(f"{config}: the plugin was not installed by this command; nothing to take back.")
            continue
        if not plan.steps:
            _say(f"{config}: the plugin is installed and up to date.")
            continue
        doing = "take it back from" if uninstall else "install it into"
        _say(f"Would {doing} {config}:" if dry_run else f"{doing.capitalize()} {config}:")
        for words in plan.told:
            _say(f"  {words}")
        if not dry_run:
            plan.carry_out()
            _say("Done. If darktable is running, restart it.")
        if darktable.is_flatpak(config) and not uninstall:
            _say(f"Allow the Flatpak to run aesth: {darktable.PERMISSION}")
    if program is None and not uninstall:
        _say("The program aesth was not found; choose it in darktable's preferences > Lua options.")


def _say(words: str) -> None:
    typer.echo(printable(words))
