"""`aesth models`: which models there are."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from aesth.cli.options import ReportFormat

if TYPE_CHECKING:
    from aesth.doctor import ModelFacts


def models(
    format: Annotated[ReportFormat, typer.Option("--format", help="How they are printed.")] = ReportFormat.TABLE,  # noqa: A002
) -> None:
    """List the models that come with aesth: size, licence, checksum."""
    from aesth.doctor import bundled_models

    facts = list(bundled_models())
    if format is ReportFormat.JSON:
        typer.echo(json.dumps([asdict(model) for model in facts], indent=2))
    elif not facts:
        typer.echo("No model is bundled here; give an ONNX file with --model.", err=True)
    else:
        Console(highlight=False).print(_table(facts))


def _table(facts: list[ModelFacts]) -> Table:
    table = Table("Model", "Size", "Licence", "SHA-256", "", box=None, pad_edge=False, header_style="bold")
    for model in facts:
        size = f"{model.size / 1e6:.1f} MB"
        table.add_row(model.name, size, model.licence, model.checksum[:16], "default" if model.default else "")
    return table
