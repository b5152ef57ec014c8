"""`aesth sort`: put photos into a folder, under names that begin with their rank."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from aesth.apps.placing import How
from aesth.cli.choosing import PANEL, RANK, TARGET, Counted, Diverse, row_of_target
from aesth.cli.options import DryRun, OutputFlags, Paths, PhotoFlags, ScoringFlags, begin
from aesth.cli.output import layouts

_WRITING = "Writing"

Out = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="A new or empty folder to put them into.", rich_help_panel=_WRITING)
]
By = Annotated[
    How,
    typer.Option(
        "--by",
        help="copy (default); hardlink and symlink take no space; move takes the photos from where they are.",
        rich_help_panel=_WRITING,
        show_default=False,
    ),
]
Best = Annotated[
    int | None,
    typer.Option("--top", metavar="N", min=1, help="The best N alone.", rich_help_panel=PANEL, show_default=False),
]


def sort(
    scoring: ScoringFlags,
    which: PhotoFlags,
    output: OutputFlags,
    out: Out,
    paths: Paths = None,
    by: By = How.COPY,
    top: Best = None,
    diverse: Diverse = False,
    dry_run: DryRun = False,
) -> None:
    """Put photos into a folder, the best first: under names that begin with their rank.

    Copies, unless --by says otherwise; photos are moved only by --by move. A RAW and its JPEG share a rank, and
    sidecars go along. Fields for programs: those of `aesth score`, then rank and target.

        aesth sort ~/Photos/2026-05 --out ~/Best

        aesth sort ~/Photos --out ~/Wall --top 30 --diverse --by symlink
    """
    settings, photos = begin(paths, which, output, scoring)
    from aesth import collecting
    from aesth.apps.bursts import SAME_SCENE
    from aesth.cli.running import Telling, make_scorer, remembered_scores, report
    from aesth.occupied import refuse_occupied_folder

    refuse_occupied_folder(out)
    counted = Counted()
    with remembered_scores(settings) as cache, make_scorer(settings, cache) as scorer:
        report(
            photos,
            lambda watched: collecting.sort(
                counted.all_of(watched),
                scorer,
                out,
                how=by,
                number=top,
                apart=SAME_SCENE if diverse else None,
                relative=settings.relative,
                dry_run=dry_run,
                would_block=photos.would_block,
            ),
            settings,
            writes=True,
            telling=Telling(layouts([RANK, TARGET]), row_of_target, counted.found, looked_at=counted.so_far),
        )
