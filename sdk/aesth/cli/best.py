"""`aesth best`: find bursts and the best photo of each, and write it where that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.best_live import LiveFlags, show_live
from aesth.cli.options import OutputFlags, Paths, PhotoFlags, PickFlags, RememberingFlags, begin, settle
from aesth.cli.output import Column, layouts

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.config import Settings
    from aesth.metadata import MetadataSession
    from aesth.picking import Picked

Gap = Annotated[
    float | None,
    typer.Option(
        "--gap",
        metavar="SECONDS",
        min=0,
        help="Photos of a burst follow one another within this time. Default: 2.",
        rich_help_panel="Bursts",
        show_default=False,
    ),
]


COLUMNS = (
    Column("group", lambda photo: photo.group),
    Column("kind", lambda photo: photo.kind.value if photo.kind else None),
    Column("best", lambda photo: photo.best),
    Column("rank", lambda photo: photo.rank),
)


def best(
    engine: RememberingFlags,
    which: PhotoFlags,
    output: OutputFlags,
    picks: PickFlags,
    live: LiveFlags,
    paths: Paths = None,
    gap: Gap = None,
) -> None:
    """Find bursts, and the best photo of each; write it with --pick and --reject-rest only.

    Photos that one camera took in quick succession, and that look alike, are a burst. Brackets of exposures and
    panoramas are named and left whole. A RAW and its JPEG are one photo. Fields for programs: those of `aesth score`,
    then group, kind (burst, bracket or panorama), best (true or false in bursts) and rank (1 the best).

    Examples: `aesth best ~/Photos` only tells; `aesth best --pick --reject-rest --dry-run ~/Photos` shows what would be
    written; `aesth undo` takes back what was.

    Of a video, or through a camera, the best frame so far is shown live: `aesth best clip.mp4 --out best.jpg`,
    `aesth best --camera 0`. Fields: those of `aesth score`, then time (seconds) and frames.
    """
    if live.are_meant(paths):
        show_live(paths[0] if paths else None, live, settle(output, engine, save=output.save_config))
        return
    settings, photos = begin(paths, which, output, engine, picks)
    from aesth.apps.bursts import GAP
    from aesth.cli.groups import Groups
    from aesth.cli.running import Telling, make_scorer, remembered_scores, report
    from aesth.cli.text import command_line
    from aesth.metadata import MetadataSession
    from aesth.picking import pick_best

    groups = Groups()
    with (
        remembered_scores(settings) as cache,
        MetadataSession(style=settings.sidecar_style, command=command_line(), touch=settings.touch) as session,
        make_scorer(settings, cache) as scorer,
    ):

        def run(watched: Iterable[Path]) -> Iterator[Picked]:
            picked = groups.noted(pick_best(watched, scorer, session, gap=GAP if gap is None else gap))
            return _marked(picked, session, scorer.tag, picks, settings, photos.cover) if picks.writes else picked

        report(
            photos,
            run,
            settings,
            writes=picks.writes,
            telling=Telling(
                layouts(COLUMNS),
                row_of_group,
                groups.found,
                at_once=not picks.writes or picks.dry_run,
            ),
        )


def _marked(
    picked: Iterator[Picked],
    session: MetadataSession,
    model: str,
    picks: PickFlags,
    settings: Settings,
    may_write: Callable[[Path], bool],
) -> Iterator[Picked]:
    from aesth.digikam.culling import Marking, Pick, mark

    marking = Marking(
        best=Pick.ACCEPTED if picks.accept else None,
        others=Pick.REJECTED if picks.reject_rest else None,
        policy=settings.policy,
        sidecar=settings.sidecar,
        dry_run=picks.dry_run,
    )
    return mark(picked, session, model, marking, may_write=may_write)


def row_of_group(photo: Picked, *, ascii_only: bool) -> Text | None:
    """A photo that is in a group, with the group, or that failed."""
    from aesth.cli.groups import row_beside

    group = None if photo.group is None else f"{photo.kind.value if photo.kind else 'group'} {photo.group}"
    return row_beside(photo, group, chosen="the best" if photo.best else None, ascii_only=ascii_only)
