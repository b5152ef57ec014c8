"""`aesth doctor`: what is installed, what is missing, and what to do about it."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aesth.cli.options import Model, Provider, ReportFormat
from aesth.cli.text import printable

if TYPE_CHECKING:
    from aesth.doctor import Finding

_MARKS = {
    "ok": ("ok", "green"),
    "warning": ("warning", "yellow"),
    "absent": ("-", "dim"),
    "missing": ("missing", "bold red"),
}


def doctor(
    model: Model = None,
    provider: Provider = None,
    format: Annotated[ReportFormat, typer.Option("--format", help="How it is printed.")] = ReportFormat.TABLE,  # noqa: A002
) -> None:
    """Tell what is installed, what is missing and what to do; exit with 3 if something needed is missing."""
    from aesth.doctor import Status, diagnose

    findings = list(diagnose(model or "default", provider or ()))
    if format is ReportFormat.JSON:
        typer.echo(json.dumps([asdict(finding) | {"status": finding.status.value} for finding in findings], indent=2))
    else:
        _show(findings)
    if any(finding.status is Status.MISSING for finding in findings):
        raise typer.Exit(3)


def _show(findings: list[Finding]) -> None:
    console = Console(highlight=False)
    for section, lines in groupby(findings, lambda finding: finding.section):
        console.print(Text(section.capitalize(), "bold"))
        console.print(_table(list(lines)))
        console.print()


def _table(findings: list[Finding]) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(min_width=9)
    table.add_column(min_width=12)
    table.add_column(overflow="fold")
    for finding in findings:
        mark, style = _MARKS[finding.status.value]
        quiet = style == "dim"
        text = Text(printable(finding.value), "dim" if quiet else "")
        if finding.advice:
            text.append(f"\n-> {printable(finding.advice)}", "dim" if quiet else "yellow")
        table.add_row(Text(f"  {mark}", style), finding.name, text)
    return table
