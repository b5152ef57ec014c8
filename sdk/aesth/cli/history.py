"""`aesth history`: which runs wrote into photos, and forgetting the old ones."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from aesth.cli.options import parse_date
from aesth.cli.output import csv_record, encode, tsv_line
from aesth.cli.text import printable
from aesth.config import Format

if TYPE_CHECKING:
    from aesth.metadata.journal import Run

FIELDS = ("run", "date", "photos", "undone", "undoes", "model", "version", "command")


def history(
    format: Annotated[Format, typer.Option("--format", help="How they are printed.")] = Format.TABLE,  # noqa: A002
    forget: Annotated[
        datetime | None,
        typer.Option(
            "--forget",
            metavar="DATE",
            parser=parse_date,
            help="Forget the runs that began before; what they wrote stays, and cannot be undone any more.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """List the runs that wrote into photos: when, what, and how many of the photos have been undone since."""
    from aesth.databases import size_of
    from aesth.metadata.journal import Journal, journal_file

    path = journal_file()
    runs: list[Run] = []
    if path.exists():
        with Journal(path) as journal:
            if forget is not None:
                gone = journal.forget(forget.astimezone())
                typer.echo(f"{gone} {'run' if gone == 1 else 'runs'} forgotten.", err=True)
            runs = journal.runs()
    if format is Format.TABLE and runs:
        Console(highlight=False, markup=False).print(_table(runs))
    elif format is not Format.TABLE:
        sys.stdout.buffer.write(encode(_LAYOUTS[format](runs)))
        sys.stdout.buffer.flush()
    number = {0: "No runs", 1: "1 run"}.get(len(runs), f"{len(runs)} runs")
    typer.echo(f"{number} in {printable(str(path))} ({size_of(path) / 1e6:.1f} MB)", err=True)


def _record(run: Run) -> dict[str, Any]:
    date = run.started.isoformat(timespec="seconds")
    values = (run.id, date, run.photos, run.undone, run.undoes, run.model, run.version, run.command)
    return dict(zip(FIELDS, values, strict=True))


def _texts(run: Run) -> list[str]:
    return ["" if value is None else str(value) for value in _record(run).values()]


def _json(runs: Sequence[Run]) -> str:
    return json.dumps([_record(run) for run in runs], indent=2) + "\n"


def _ndjson(runs: Sequence[Run]) -> str:
    return "".join(json.dumps(_record(run)) + "\n" for run in runs)


def _csv(runs: Sequence[Run]) -> str:
    return "".join(map(csv_record, [FIELDS, *map(_texts, runs)]))


def _tsv(runs: Sequence[Run]) -> str:
    return "".join(map(tsv_line, [FIELDS, *map(_texts, runs)]))


_LAYOUTS: dict[Format, Callable[[Sequence[Run]], str]] = {
    Format.JSON: _json,
    Format.NDJSON: _ndjson,
    Format.CSV: _csv,
    Format.TSV: _tsv,
}


def _table(runs: Sequence[Run]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("Run", justify="right")
    table.add_column("Date", no_wrap=True)
    table.add_column("Photos", justify="right")
    table.add_column("Undone", justify="right")
    table.add_column("Command", overflow="fold")
    for run in runs:
        date = run.started.astimezone().strftime("%Y-%m-%d %H:%M")
        undone = "" if run.undoes else str(run.undone)
        table.add_row(str(run.id), date, str(run.photos), undone, printable(run.command))
    return table
