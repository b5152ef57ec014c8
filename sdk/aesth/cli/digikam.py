"""`aesth digikam`: score a library of digiKam, sort it by score, stack its bursts, and take that back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.best import COLUMNS, Gap, row_of_group
from aesth.cli.options import EngineFlags, OutputFlags, ScoringFlags, WritingFlags, option, settle
from aesth.cli.text import command_line, printable
from aesth.errors import ConfigError, MissingDependencyError
from aesth.metadata.policy import Policy

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.digikam.database import Database, Place
    from aesth.digikam.library import Chosen
    from aesth.digikam.ranking import Ranked
    from aesth.digikam.settings import DigikamSettings

_LIBRARY = "digiKam's library"


_option = partial(option, panel=_LIBRARY)


@dataclass(frozen=True)
class DatabaseFlags:
    """Which database of digiKam."""

    database: Annotated[
        Path | None,
        _option("--database", metavar="PATH", help="digikam4.db or its folder. Default: what digiKam's settings name."),
    ] = None
    config: Annotated[
        Path | None, _option("--config", metavar="FILE", help="digiKam's settings, digikamrc. Default: found.")
    ] = None


@dataclass(frozen=True)
class AlbumFlags(DatabaseFlags):
    """Which albums of it."""

    album: Annotated[
        list[str] | None,
        _option("--album", metavar="NAME|DIR", help="Only this album, with those below it. Repeatable."),
    ] = None


@dataclass(frozen=True)
class LibraryFlags(AlbumFlags):
    """Which photos of it."""

    tag: Annotated[
        list[str] | None, _option("--tag", metavar="NAME", help="Only photos with this tag, or one below. Repeatable.")
    ] = None
    unrated: Annotated[bool, _option("--unrated", help="Only photos without stars in digiKam.")] = False


DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Change nothing; show what would be.", show_default=False)
]


def tag_library(writing: WritingFlags, scoring: ScoringFlags, which: LibraryFlags, output: OutputFlags) -> None:
    """Score the photos that digiKam knows, and write their stars into them, as `aesth tag` does.

    digiKam's database is read alone, so digiKam may be open. Collections that are not there now are named and left out,
    and stars that digiKam alone knows are kept. Run it again to go on where it was stopped: what is rated is not scored
    again.
    """
    settings = settle(output, scoring, writing, save=output.save_config)
    from aesth.cli.running import KnownPhotos
    from aesth.cli.tag import write_stars
    from aesth.digikam.database import open_database
    from aesth.digikam.kept import kept_to_itself
    from aesth.digikam.library import Selection, choose, read_library

    place, digikam = _find(which)
    selection = Selection(tuple(which.album or ()), tuple(which.tag or ()), which.unrated)
    with open_database(place) as database:
        library = read_library(database)
        chosen = choose(library, database, selection)
    _tell_left_out(chosen)
    photos = [item.path for item in chosen.items]
    shown = {item.path: item.rating for item in chosen.items if item.rating}
    if settings.policy is Policy.OVERWRITE or (digikam is not None and not digikam.metadata.keeps_stars):
        shown = {}
    with _afterwards(lambda: [] if settings.quiet or writing.dry_run else _how_seen(digikam)):
        write_stars(
            KnownPhotos(photos),
            settings,
            dry_run=writing.dry_run,
            may_write=library.covers,
            known_kept=lambda session: kept_to_itself(shown, session) if shown else {},
        )


def rank_library(
    engine: EngineFlags,
    which: AlbumFlags,
    output: OutputFlags,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Also albums that somebody sorted by hand.", show_default=False)
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Sort each album by exact score where digiKam sorts by hand: View > Sort Items > By Manual and Name.

    Close digiKam first; its database is backed up, and `aesth digikam undo` takes it back. Albums that somebody sorted
    by hand are kept.
    """
    settings = settle(output, engine, save=output.save_config)
    from aesth.cli.output import Column, layouts
    from aesth.cli.running import KnownPhotos, Telling, make_scorer, remembered_scores, report
    from aesth.digikam.changes import Work
    from aesth.digikam.library import Selection, choose, read_library
    from aesth.digikam.ranking import rank
    from aesth.digikam.record import LibraryRecord
    from aesth.metadata import MetadataSession

    with (
        _closed(which, dry_run=dry_run) as database,
        LibraryRecord() as record,
        remembered_scores(settings) as cache,
        MetadataSession(command=command_line(), memory=cache) as session,
        make_scorer(settings, cache) as scorer,
    ):
        library = read_library(database)
        chosen = choose(library, database, Selection(tuple(which.album or ())))
        _tell_left_out(chosen)
        work = Work(database, record, command_line(), dry_run)
        with _afterwards(lambda: [] if settings.quiet or dry_run else [_SORTED]):
            report(
                KnownPhotos([item.path for item in chosen.items]),
                lambda watched: rank(library.items, watched, scorer, session, work, overwrite=overwrite),
                settings,
                writes=True,
                telling=Telling(layouts([Column("order", _order)]), _row),
            )


def group_bursts(
    engine: EngineFlags, which: AlbumFlags, output: OutputFlags, gap: Gap = None, dry_run: DryRun = False
) -> None:
    """Stack each burst under its best photo, as a group of digiKam.

    Close digiKam first; its database is backed up, and `aesth digikam undo` takes it back. Bursts are those of
    `aesth best`, within an album; brackets are left alone, and so is each burst of which somebody grouped photos.
    """
    settings = settle(output, engine, save=output.save_config)
    from aesth.apps.bursts import GAP
    from aesth.cli.output import layouts
    from aesth.cli.running import KnownPhotos, Telling, make_scorer, remembered_scores, report
    from aesth.digikam.changes import Work
    from aesth.digikam.library import Selection, choose, read_library
    from aesth.digikam.record import LibraryRecord
    from aesth.digikam.stacking import stack
    from aesth.metadata import MetadataSession

    with (
        _closed(which, dry_run=dry_run) as database,
        LibraryRecord() as record,
        remembered_scores(settings) as cache,
        MetadataSession(command=command_line()) as session,
        make_scorer(settings, cache) as scorer,
    ):
        chosen = choose(read_library(database), database, Selection(tuple(which.album or ())))
        _tell_left_out(chosen)
        work = Work(database, record, command_line(), dry_run)
        with _afterwards(lambda: [] if settings.quiet or dry_run else [_STACKED]):
            report(
                KnownPhotos([item.path for item in chosen.items]),
                lambda watched: stack(chosen.items, watched, scorer, session, work, gap=GAP if gap is None else gap),
                settings,
                writes=True,
                telling=Telling(layouts(COLUMNS), row_of_group),
            )


def undo_library(
    which: DatabaseFlags,
    output: OutputFlags,
    run: Annotated[
        int | None,
        typer.Argument(metavar="RUN", help="A number of --list, else the last run.", show_default=False),
    ] = None,
    list_runs: Annotated[
        bool, typer.Option("--list", help="List the runs, and undo none.", show_default=False)
    ] = False,
    dry_run: DryRun = False,
) -> None:
    """Give digiKam's database back what it had before a run of `aesth digikam rank` or `group`.

    Close digiKam first. What somebody changed since is left as it is, and named. It can be done again: nothing happens
    twice. Stars that `aesth digikam tag` wrote are taken back by `aesth undo`.
    """
    settings = settle(output, save=output.save_config)
    from aesth.cli.output import LAYOUTS
    from aesth.cli.running import KnownPhotos, Telling, report
    from aesth.cli.table import row
    from aesth.digikam.changes import Work
    from aesth.digikam.library import read_library
    from aesth.digikam.record import LibraryRecord
    from aesth.digikam.undoing import find_undoable, undo

    with LibraryRecord() as record:
        if list_runs:
            from aesth.cli import digikam_runs
            from aesth.cli.listing import print_records, runs_table

            runs = record.runs()
            records = [digikam_runs.fields_of(known) for known in runs]
            print_records(digikam_runs.FIELDS, records, settings.format, lambda: runs_table(runs))
            _say(f"{_counted(len(runs), 'run')} in {record.path}")
            return
        with _closed(which, dry_run=dry_run) as database:
            work = Work(database, record, command_line(), dry_run)
            found = find_undoable(work, run)
            items = read_library(database).items
            paths = {item.id: item.path for item in items}
            report(
                KnownPhotos([paths.get(done.change.image, Path()) for done in found.changes]),
                lambda _: undo(items, found, work),
                settings,
                writes=True,
                undoes=True,
                telling=Telling(LAYOUTS, row),
            )


_SORTED = (
    "To see it, start digiKam and choose View > Sort Items > By Manual and Name, and View > Item Sort Order > "
    "Ascending."
)
_STACKED = (
    "To see it, start digiKam: a number beside a photo tells how many are in its stack, and View > Show All Grouped "
    "Items As Open shows all."
)


@contextmanager
def _closed(which: DatabaseFlags, *, dry_run: bool) -> Iterator[Database]:
    """The database, and digiKam closed, as is best known before hours of scoring."""
    from aesth.digikam.database import open_database
    from aesth.digikam.running import require_closed

    with open_database(_find(which)[0]) as database:
        if not dry_run:
            require_closed(database.file)
        yield database


def _find(which: DatabaseFlags) -> tuple[Place, DigikamSettings | None]:
    """The database that is meant, and digiKam's settings if they name it."""
    from aesth.digikam.running import DATABASE
    from aesth.digikam.settings import SqliteDatabase, find_settings_file, read_settings

    if which.database is not None:
        place = SqliteDatabase(which.database / DATABASE if which.database.is_dir() else which.database)
        with suppress(ConfigError, MissingDependencyError):
            found = read_settings(find_settings_file(which.config))
            return place, found if which.config is not None or found.database == place else None
        return place, None
    settings = read_settings(find_settings_file(which.config))
    if settings.database is None:
        raise ConfigError(
            "digiKam's settings name no database that is known here; name it with --database", settings.path
        )
    return settings.database, settings


def _tell_left_out(chosen: Chosen) -> None:
    """Name the collections that are not there, and count what is no photo to us."""
    for root, photos in chosen.offline.items():
        _say(f"aesth: the collection {root.label} is not there ({root.absent}): {_counted(photos, 'photo')} left out")
    if chosen.others:
        _say(f"aesth: {_counted(chosen.others, 'file')} of kinds that are not read here left out")


def _how_seen(settings: DigikamSettings | None) -> list[str]:
    """What a person does for digiKam to show what was written into files."""
    from aesth.digikam.rereading import IN_MENU

    if settings is None:
        return []
    said: list[str] = []
    if not (settings.metadata.rescans and settings.metadata.scans_at_start):
        said.append(
            "digiKam does not look at files again that changed, and keeps stars that you gave in its database alone: "
            "`aesth digikam install` tells what to set."
            if settings.metadata.keeps_stars
            else f"digiKam does not look at files again that changed. {IN_MENU} Or run "
            "`aesth digikam install --fix` once."
        )
    if not settings.metadata.reads_sidecars:
        said.append(
            "digiKam does not read sidecars, in which the stars of RAW files are: `aesth digikam install --fix` "
            "changes that."
        )
    return said


@contextmanager
def _afterwards(said: Callable[[], Sequence[str]]) -> Iterator[None]:
    """Say something once the block is done, also where photos failed."""
    try:
        yield
    except typer.Exit as end:
        if end.exit_code == 1:
            _say(*said())
        raise
    _say(*said())


def _say(*lines: str) -> None:
    for line in lines:
        typer.echo(printable(line), err=True)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _order(photo: Ranked) -> int | None:
    return photo.order


def _row(photo: Ranked, *, ascii_only: bool) -> Text:
    from aesth.cli import table

    return table.row(photo, ascii_only=ascii_only)
