"""`aesth similar`: find photos that are one picture, and write nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from aesth.cli.options import EngineFlags, OutputFlags, Paths, PhotoFlags, begin
from aesth.cli.output import Column, layouts

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.matching import Matched

COLUMNS = (Column("group", lambda photo: photo.group), Column("keep", lambda photo: photo.keep))


def similar(engine: EngineFlags, which: PhotoFlags, output: OutputFlags, paths: Paths = None) -> None:
    """Find photos that are one picture, at other sizes, crops or edits; write nothing.

    Of each group the one to keep comes first: of those with half of the most pixels or more, the one of the highest
    score. A RAW and its JPEG are one photo. Shots of different moments are different pictures, however alike: `aesth
    best` finds bursts. Fields for programs: those of `aesth score`, then group and keep (true or false in groups).

    Examples: `aesth similar ~/Photos`; `aesth similar --format ndjson ~/Photos | jq -r 'select(.keep == false).path'`.
    """
    settings, photos = begin(paths, which, output, engine)
    from aesth.cli.running import Telling, make_scorer, report
    from aesth.matching import find_similar
    from aesth.metadata import MetadataSession

    kept: set[int | None] = set()

    def noted(matched: Iterator[Matched]) -> Iterator[Matched]:
        for photo in matched:
            kept.add(photo.group)
            yield photo

    def found() -> list[str]:
        groups = len(kept - {None})
        return [f"{groups} group{'s' * (groups != 1)}"]

    with MetadataSession() as session, make_scorer(settings) as scorer:
        report(
            photos,
            lambda watched: noted(find_similar(watched, scorer, session)),
            settings,
            writes=False,
            telling=Telling(layouts(COLUMNS), row_of_group, found, at_once=True),
        )


def row_of_group(photo: Matched, *, ascii_only: bool) -> Text | None:
    """A photo of which there is another, with the group, or that failed."""
    from aesth.cli import table

    if photo.group is None:
        return table.row(photo, ascii_only=ascii_only) if photo.error is not None else None
    row = table.row(photo, ascii_only=ascii_only)
    row.append(f"  picture {photo.group}", "dim")
    return row.append("  keep", "green") if photo.keep else row
