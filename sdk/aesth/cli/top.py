"""`aesth top`: the best photos, the best first; writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from aesth.cli.choosing import PANEL, RANK, Counted, Diverse
from aesth.cli.options import OutputFlags, Paths, PhotoFlags, ScoringFlags, begin
from aesth.cli.output import layouts

Number = Annotated[int, typer.Option("--number", "-n", metavar="N", min=1, help="How many.", rich_help_panel=PANEL)]


def top(
    scoring: ScoringFlags,
    which: PhotoFlags,
    output: OutputFlags,
    paths: Paths = None,
    number: Number = 20,
    diverse: Diverse = False,
) -> None:
    """Show the best photos, the best first; write nothing.

    Twenty, unless -n says otherwise. A RAW and its JPEG count once. With --diverse, of photos that look alike the best
    stands for all. Fields for programs: those of `aesth score`, then rank.

        aesth top ~/Photos/2026

        aesth top -n 5 --diverse --format json ~/Photos
    """
    settings, photos = begin(paths, which, output, scoring)
    from aesth import collecting
    from aesth.apps.bursts import SAME_SCENE
    from aesth.cli import table
    from aesth.cli.running import Telling, make_scorer, remembered_scores, report

    counted = Counted()
    with remembered_scores(settings) as cache, make_scorer(settings, cache) as scorer:
        report(
            photos,
            lambda watched: collecting.top(
                counted.all_of(watched),
                scorer,
                number=number,
                apart=SAME_SCENE if diverse else None,
                relative=settings.relative,
                would_block=photos.would_block,
            ),
            settings,
            writes=False,
            telling=Telling(layouts([RANK]), table.row, counted.found, at_once=True, looked_at=counted.so_far),
        )
