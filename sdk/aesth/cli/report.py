"""`aesth report`: make a page that shows photos by score."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.best import COLUMNS, Gap
from aesth.cli.options import OutputFlags, Paths, PhotoFlags, ScoringFlags, begin
from aesth.cli.output import layouts

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.apps.report import PageFile
    from aesth.picking import Picked

_PANEL = "Writing"

Out = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The page.", rich_help_panel=_PANEL)]
Title = Annotated[
    str | None,
    typer.Option(
        "--title", metavar="TEXT", help="Default: the folder's name.", rich_help_panel=_PANEL, show_default=False
    ),
]
Thumbnails = Annotated[
    bool,
    typer.Option(
        "--thumbnails",
        help="Keep thumbnails in a folder beside the page, rather than in it; for thousands of photos.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
Overwrite = Annotated[
    bool,
    typer.Option("--overwrite", help="Replace a page that is there.", rich_help_panel=_PANEL, show_default=False),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", "-n", help="Make no page.", rich_help_panel=_PANEL, show_default=False),
]


def report(
    scoring: ScoringFlags,
    which: PhotoFlags,
    output: OutputFlags,
    paths: Paths = None,
    out: Out = Path("report.html"),
    title: Title = None,
    thumbnails: Thumbnails = False,
    gap: Gap = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
) -> None:
    """Make a page that shows photos by score, to look at, filter and choose from.

    It opens from disk in any browser and asks no server for anything. What is kept there can be saved as a list, which
    --files-from of every command reads. Fields for programs: those of `aesth best`.

        aesth report ~/Photos/2026-05 -o may.html

        aesth report ~/Photos -o all.html --thumbnails
    """
    settings, photos = begin(paths, which, output, scoring)
    from aesth import reporting
    from aesth.apps.bursts import GAP
    from aesth.apps.report import PageFile
    from aesth.cli.running import Telling, how_to_score, make_scorer, remembered_scores
    from aesth.cli.running import report as tell
    from aesth.metadata import MetadataSession

    page = PageFile(out, beside=thumbnails, overwrite=overwrite, max_pixels=how_to_score(settings)["max_pixels"])
    with (
        remembered_scores(settings) as page.cache,
        MetadataSession(memory=page.cache) as session,
        make_scorer(settings, page.cache) as scorer,
    ):
        tell(
            photos,
            lambda watched: reporting.report(
                watched,
                scorer,
                session,
                page,
                title=title or _title(paths),
                gap=GAP if gap is None else gap,
                relative=settings.relative,
                dry_run=dry_run,
            ),
            settings,
            writes=False,
            telling=Telling(layouts(COLUMNS), row_of_failure, lambda: [_made(page)], at_once=True),
        )


def row_of_failure(photo: Picked, *, ascii_only: bool) -> Text | None:
    """A photo that failed; the others are on the page."""
    from aesth.cli import table

    return table.row(photo, ascii_only=ascii_only) if photo.error is not None else None


def _made(page: PageFile) -> str:
    from aesth.cli.text import printable

    return printable(str(page.out)) if page.is_made else "no page made"


def _title(paths: list[Path] | None) -> str:
    """The name of the folder, where there is one."""
    return (paths[0].resolve().name if paths and len(paths) == 1 else "") or "Photos"
