"""`aesth cache`: what is remembered of photos, and how it is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aesth.cli.options import ReportFormat
from aesth.cli.text import printable

if TYPE_CHECKING:
    from aesth.cache import CacheFacts


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Forget everything.")] = False,
    format: Annotated[ReportFormat, typer.Option("--format", help="How it is printed.")] = ReportFormat.TABLE,  # noqa: A002
) -> None:
    """Tell what is remembered, so that no photo is scored twice, or forget it."""
    from aesth import cache as scores

    if clear:
        freed = scores.clear()
        typer.echo(f"Forgot everything: {_size(freed)} freed.", err=True)
        return
    facts = scores.facts()
    if format is ReportFormat.JSON:
        typer.echo(json.dumps(asdict(facts), indent=2))
        return
    typer.echo(
        f"{printable(facts.path)}: {_size(facts.size)} of about {_size(facts.size_limit)} at most,"
        f" {facts.photos} of at most {facts.limit} photos"
    )
    for table in _tables(facts):
        Console(highlight=False).print(table)


def _tables(facts: CacheFacts) -> Iterator[Table]:
    if facts.models:
        models = Table("Model", "Provider", "Scores", box=None, pad_edge=False, header_style="bold")
        for model in facts.models:
            models.add_row(Text(printable(model.model)), model.provider, str(model.scores))
        yield models
    if facts.views:
        views = Table("Besides", "Photos", "Size", box=None, pad_edge=False, header_style="bold")
        for view in facts.views:
            views.add_row(view.what, str(view.photos), _size(view.size))
        yield views


def _size(number: int) -> str:
    return f"{number / 1e6:.1f} MB"
