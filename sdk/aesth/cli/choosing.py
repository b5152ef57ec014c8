"""Which of the photos that were scored are chosen: the options of `aesth top` and `aesth sort`, and how they tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.output import Column

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.collecting import Ranked

PANEL = "Which of them"

Diverse = Annotated[
    bool,
    typer.Option(
        "--diverse",
        help="Pass over photos that look like a better one: of each scene the best alone.",
        rich_help_panel=PANEL,
        show_default=False,
    ),
]

RANK = Column("rank", lambda photo: photo.rank)
TARGET = Column("target", lambda photo: None if photo.target is None else str(photo.target))


@dataclass
class Counted:
    """How many photos were taken."""

    number: int = 0

    def all_of(self, photos: Iterable[Path]) -> Iterator[Path]:
        """``photos``, counted."""
        for photo in photos:
            self.number += 1
            yield photo

    def so_far(self) -> int:
        """How many were taken until now."""
        return self.number

    def found(self) -> list[str]:
        """What the summary says of it."""
        return [f"the best of {self.number}"]


def row_of_target(photo: Ranked, *, ascii_only: bool) -> Text:
    """A photo, and under what name it was put, or would be."""
    from aesth.cli import table
    from aesth.cli.text import printable

    row = table.row(photo, ascii_only=ascii_only)
    return row if photo.target is None else row.append(f"  as {printable(photo.target.name)}", "green")
