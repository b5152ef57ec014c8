"""`aesth watch`: tag photos as they arrive in folders."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.options import FolderFlags, OutputFlags, ScoringFlags, WritingFlags, option, settle
from aesth.cli.text import printable
from aesth.errors import AesthError, ConfigError

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.config import Settings
    from aesth.tagging import Outcome
    from aesth.watching import Arrivals


_option = partial(option, panel="Watching", metavar="SECONDS")

Folders = Annotated[
    list[Path] | None,
    typer.Argument(metavar="DIR...", help="Folders; those that are not there yet may come.", show_default=False),
]


@dataclass(frozen=True)
class WatchingFlags:
    """When photos are taken, and when that ends."""

    settle: Annotated[
        float | None,
        _option("--settle", min=0, help="A photo is tagged when nothing of it changed for so long. Default: 2."),
    ] = None
    poll: Annotated[
        float | None,
        _option("--poll", min=0.1, help="Look at the folders this often, for network drives, which tell no changes."),
    ] = None
    until_idle: Annotated[
        float | None, _option("--until-idle", min=0, help="End when nothing arrived for so long. Default: never.")
    ] = None


def watch(
    watching: WatchingFlags,
    writing: WritingFlags,
    scoring: ScoringFlags,
    which: FolderFlags,
    output: OutputFlags,
    folders: Folders = None,
) -> None:
    """Tag new photos as they arrive in folders: from cards, tethered cameras, phones that sync.

    What came while nobody watched is tagged first. A photo is taken when it is complete: nothing of it, of its RAW or
    its sidecars changed for a while, and nobody writes it. People are shown what was written or failed, programs every
    photo. Ctrl-C ends it after the photo in work. Needs the extra `watch`, but not with --poll.

    Examples: `aesth watch ~/Pictures/Import`; `aesth watch --poll 10 /mnt/nas/phone`.
    """
    settings = settle(which, output, scoring, writing, save=output.save_config)
    if output.save_config and not folders:
        raise typer.Exit
    given = _checked(folders, settings)
    from aesth.cli.running import PLAIN, GivenPlaces
    from aesth.cli.tag import write_stars
    from aesth.watching import SETTLE, Arrivals

    unreadable: deque[Outcome] = deque()
    places = GivenPlaces()

    def may_write(photo: Path) -> bool:
        for folder in given:  # again and again: a folder that comes later may be a link
            places.add(folder)
        return places.cover(photo)

    with Arrivals(
        given,
        include=settings.include,
        exclude=settings.exclude,
        recursive=settings.recursive,
        since=which.since,
        settle=SETTLE if watching.settle is None else watching.settle,
        poll=watching.poll,
        until_idle=watching.until_idle,
        tell=_tell,
        on_error=lambda error: unreadable.append(_failure(error)),
    ) as arrivals:
        if not settings.quiet:
            typer.echo(f"Watching {printable(', '.join(map(str, given)))}; Ctrl-C ends it.", err=True)
        write_stars(
            _Watched(arrivals, unreadable),
            settings,
            dry_run=writing.dry_run,
            may_write=may_write,
            would_block=arrivals.would_block,
            noting=arrivals.finishing,
            telling=replace(PLAIN, row=row_of_change, metered=False),
        )


def row_of_change(outcome: Outcome, *, ascii_only: bool) -> Text | None:
    """A photo that was written, would be, or failed; not one that was known or that a person rated."""
    from aesth.cli import table
    from aesth.tagging import Action

    stays = outcome.action in (Action.SKIPPED, Action.KEPT)
    return None if stays else table.row(outcome, ascii_only=ascii_only)


@dataclass
class _Watched:
    """What `report` needs to know of arrivals: nobody knows how many will come."""

    arrivals: Arrivals
    unreadable: deque[Outcome]
    total: int | None = None

    def __iter__(self) -> Iterator[Path]:
        return iter(self.arrivals)


def _checked(folders: Sequence[Path] | None, settings: Settings) -> Sequence[Path]:
    if not folders:
        raise typer.BadParameter("name folders to watch", param_hint="DIR...")
    if settings.relative:
        raise ConfigError("--relative ranks the photos of one run, and a watch has no end; give --no-relative")
    for folder in folders:
        if folder.is_file():
            raise ConfigError("this is a file; name the folder that it is in", folder)
    return folders


def _tell(notice: AesthError) -> None:
    typer.echo(f"aesth: {printable(str(notice))}", err=True)


def _failure(error: AesthError) -> Outcome:
    from aesth.tagging import Action, Outcome

    return Outcome(error.path or Path(), None, None, None, Action.FAILED, error)
