"""`aesth explain`: show which parts of a photo raise and lower its score."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.options import EngineFlags, OutputFlags, Paths, PhotoFlags, begin
from aesth.cli.output import Column, layouts

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.explaining import Explained

_WRITING = "Writing"

FACTS = (
    "raises",
    "lowers",
    "sharpness",
    "exposure",
    "shadows",
    "highlights",
    "contrast",
    "colourfulness",
    "noise",
    "tilt",
    "area",
    "edges_area",
    "chance_area",
)
"""Fields for programs after ``picture``: see `aesth.explaining.Explanation.facts`."""

Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder of the pictures. Default: each beside its photo.",
        rich_help_panel=_WRITING,
        show_default=False,
    ),
]
CurvesFile = Annotated[
    Path | None,
    typer.Option(
        "--curves",
        metavar="FILE",
        help="Also measure how far each picture can be believed, and write the curves as JSON.",
        rich_help_panel=_WRITING,
        show_default=False,
    ),
]
BesideModel = Annotated[
    str | None,
    typer.Option(
        "--beside",
        metavar="NAME|FILE",
        help="Also draw what another model's score depends on: the name of one, or an ONNX file.",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there.", rich_help_panel=_WRITING)]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Write nothing.", rich_help_panel=_WRITING)]


def _fact(name: str) -> Column:
    """A number of `aesth.explaining.Explanation.facts`; nothing where a photo has no explanation."""
    return Column(name, lambda photo: None if photo.explanation is None else photo.explanation.facts[name])


COLUMNS = (Column("picture", lambda photo: None if photo.picture is None else str(photo.picture)), *map(_fact, FACTS))


def explain(
    engine: EngineFlags,
    which: PhotoFlags,
    output: OutputFlags,
    paths: Paths = None,
    out: Out = None,
    curves: CurvesFile = None,
    beside: BesideModel = None,
    overwrite: Overwrite = False,
    dry_run: DryRun = False,
) -> None:
    """Show which parts of a photo raise and lower its score, and what can be measured of it, as a picture.

    IMG.jpg is explained by IMG-explained.png. No file is replaced without --overwrite, and such pictures are not
    explained in turn. It takes as long as 120 scores, with --curves 200. Fields for programs: those of `aesth score`,
    then picture; raises and lowers, the points that hiding the strongest parts costs and brings; sharpness, exposure,
    shadows, highlights, contrast, colourfulness, noise and tilt; area, edges_area and chance_area, with --curves.

        aesth explain IMG_1.jpg

        aesth explain --out explained ~/Photos/best

        aesth explain --dry-run --format json --curves curves.json IMG_1.jpg

        aesth explain --beside base IMG_1.jpg
    """
    settings, photos = begin(paths, which, output, engine)
    from aesth import registry
    from aesth.cli.running import Telling, make_scorer, report
    from aesth.encoder import OnnxEncoder
    from aesth.explaining import Explaining, explain_photos, keep_curves
    from aesth.occupied import refuse_occupied_file

    if curves is not None and not dry_run:
        refuse_occupied_file(curves, overwrite=overwrite)
    other = OnnxEncoder(registry.find(beside), settings.provider or None, settings.threads) if beside else None
    how = Explaining(out=out, overwrite=overwrite, curves=curves is not None, dry_run=dry_run, beside=other)

    with make_scorer(settings) as scorer:

        def run(watched: Iterable[Path]) -> Iterator[Explained]:
            explained = explain_photos(watched, scorer, how, photos.would_block)
            return explained if curves is None or dry_run else keep_curves(explained, curves, overwrite=overwrite)

        report(
            photos, run, settings, writes=not dry_run, telling=Telling(layouts(COLUMNS), row_with_remarks, at_once=True)
        )


def row_with_remarks(photo: Explained, *, ascii_only: bool) -> Text:
    """A photo, and below it what was found."""
    from aesth.cli import table

    row = table.row(photo, ascii_only=ascii_only)
    if photo.explanation is None:
        return row
    for remark in photo.explanation.remarks:
        value = remark.value.replace("°", " degrees") if ascii_only else remark.value
        row.append(f"\n{'':<12}{remark.name:<10}  ", "dim").append(f"{value:<22}  {remark.words}")
    return row
