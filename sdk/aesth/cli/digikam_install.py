"""`aesth digikam install`: entries in digiKam's Open With, and a look at its settings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.text import printable

if TYPE_CHECKING:
    from aesth.digikam.culling import Pick
    from aesth.digikam.settings import DigikamSettings
    from aesth.install.copies import Plan

Config = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="digiKam's settings, digikamrc.", show_default="found"),
]

NO_MENU = (
    "This desktop has no menu of programs, as far as this terminal knows: digiKam 8 then offers no program in Open "
    "With. Start it from a desktop such as KDE, GNOME or Xfce, or copy the applications.menu of one to ~/.config/menus."
)


def install_digikam(
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Take back what was installed and fixed.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Set digiKam's settings that are in the way; close it first.")] = (
        False
    ),
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Write nothing; show what would be.")] = False,
    reject_others: Annotated[
        bool, typer.Option("--reject-others", help="Cull bursts: reject the others, rather than leave them pending.")
    ] = False,
    config: Config = None,
) -> None:
    """Put "Score aesthetics" and "Cull bursts" into digiKam's Open With, and tell which of its settings are in the way.

    It can be run again, which brings it up to date. `--uninstall` takes exactly that back, fixed settings as well;
    what you changed since is left, and named.
    """
    if uninstall:
        _uninstall(dry_run=dry_run)
        return
    from aesth.digikam.culling import Pick
    from aesth.digikam.settings import find_settings_files, read_settings
    from aesth.errors import MissingDependencyError

    try:
        found = [read_settings(path) for path in find_settings_files(config)]
    except MissingDependencyError as error:
        if fix:
            raise
        found = []
        _say(str(error))
    _install_entries(found, Pick.REJECTED if reject_others else Pick.PENDING, dry_run=dry_run)
    for settings in found:
        _check(settings, fix=fix, dry_run=dry_run)


def open_with(
    what: Annotated[str, typer.Argument(metavar="score|cull", help="What is done with the photos.")],
    photos: Annotated[list[Path] | None, typer.Argument(metavar="PHOTO...", help="The selection.")] = None,
    reject_others: Annotated[bool, typer.Option("--reject-others", help="Of bursts, reject all but the best.")] = False,
) -> None:
    """What the entries of Open With start: the photos are rated, or their bursts culled, under a window."""
    from aesth.digikam.culling import Pick
    from aesth.digikam.entries import templates_folder

    if what not in ("score", "cull"):
        raise typer.BadParameter("one of score, cull", param_hint="score|cull")
    sys.path.insert(0, str(templates_folder()))
    from aesth_open_with.run import What
    from aesth_open_with.start import start

    others = Pick.REJECTED if reject_others else Pick.PENDING
    report = start(What(what), [path.absolute() for path in photos or ()], others)
    if report.failed:
        raise typer.Exit(1)


def _install_entries(found: list[DigikamSettings], others: Pick, *, dry_run: bool) -> None:
    from aesth.digikam.entries import find_program_menu
    from aesth.digikam.installing import PERMISSION, entry_places, plan_entries
    from aesth.errors import MissingDependencyError
    from aesth.install.darktable import find_program

    flatpak = any(settings.is_flatpak for settings in found)
    native = not found or not all(settings.is_flatpak for settings in found)
    places = entry_places(flatpak, native=native)
    if not places:
        _say("Entries of Open With are made on Linux alone; here, `aesth digikam tag` and `aesth tag` do the same.")
        return
    program = find_program()
    if program is None:
        raise MissingDependencyError("the program aesth was not found; put its folder on the PATH")
    for place in places:
        plan = plan_entries(place, program, others)
        if not plan.steps:
            _say(f"{place.applications}: the entries are installed and up to date.")
            continue
        _carry_out(plan, f"install entries of Open With in {place.applications}", dry_run=dry_run)
    if native and not find_program_menu():
        _say(NO_MENU)
    if flatpak:
        _say(f"Allow the Flatpak to run aesth: {PERMISSION}")


def _check(settings: DigikamSettings, *, fix: bool, dry_run: bool) -> None:
    from aesth import config
    from aesth.digikam.checks import hindrances
    from aesth.digikam.installing import plan_fixes
    from aesth.digikam.running import require_closed

    found = hindrances(settings.metadata, config.load(config.config_file()).sidecar_style)
    if not found:
        _say(f"{settings.path}: no setting is in the way.")
        return
    _say(f"{settings.path}: {len(found)} setting{'s are' if len(found) > 1 else ' is'} in the way:")
    for hindrance in found:
        _say(f"  - {hindrance.why}.")
    if not fix:
        if any(hindrance.value for hindrance in found):
            _say("`aesth digikam install --fix` sets them while digiKam is closed, and keeps a copy.")
        return
    if not dry_run:
        require_closed(doing="Its settings were not changed, as it would write its own over them")
    _carry_out(plan_fixes(settings.path, found), f"change {settings.path}", dry_run=dry_run)
    for hindrance in found:
        if hindrance.then:
            _say(f"Once: {hindrance.then}.")


def _uninstall(*, dry_run: bool) -> None:
    from aesth.digikam.installing import entry_places, plan_entries_removal, plan_fixes_back
    from aesth.digikam.running import require_closed

    settings = plan_fixes_back()
    if settings.steps and not dry_run:
        require_closed(doing="Nothing was taken back, as it would write its own settings over ours")
    done = False
    for place in entry_places(True):
        plan = plan_entries_removal(place)
        if plan is not None:
            _carry_out(plan, f"take the entries back from {place.applications}", dry_run=dry_run)
            done = True
    if settings.steps:
        _carry_out(settings, "take back what was fixed in digiKam's settings", dry_run=dry_run)
    elif not done:
        _say("Nothing was installed by this command; nothing to take back.")


def _carry_out(plan: Plan, doing: str, *, dry_run: bool) -> None:
    _say(f"Would {doing}:" if dry_run else f"{doing[0].upper()}{doing[1:]}:")
    for words in plan.told:
        _say(f"  {words}")
    if not dry_run:
        plan.carry_out()
        _say("Done.")


def _say(words: str) -> None:
    typer.echo(printable(words))
