"""`aesth similar`: find photos that are one picture, and write nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aesth.cli.options import OutputFlags, Paths, PhotoFlags, RememberingFlags, begin
from aesth.cli.output import Column, layouts

if TYPE_CHECKING:
    from rich.text import Text

    from aesth.matching import Matched

COLUMNS = (Column("group", lambda photo: photo.group), Column("keep", lambda photo: photo.keep))


def similar(engine: RememberingFlags, which: PhotoFlags, output: OutputFlags, paths: Paths = None) -> None:
    """Find photos that are one picture, at other sizes, crops or edits; write nothing.

    Of each group the one to keep comes first: of those with half of the most pixels or more, the one of the highest
    score. A RAW and its JPEG are one photo. Shots of different moments are different pictures, however alike: `aesth
    best` finds bursts. Fields for programs: those of `aesth score`, then group and keep (true or false in groups).

    Examples: `aesth similar ~/Photos`; `aesth similar --format ndjson ~/Photos | jq -r 'select(.keep == false).path'`.
    """
    settings, photos = begin(paths, which, output, engine)
    from aesth.cli.groups import Groups
    from aesth.cli.running import Telling, make_scorer, remembered_scores, report
    from aesth.matching import find_similar
    from aesth.metadata import MetadataSession

    groups = Groups()
    with (
        remembered_scores(settings) as cache,
        MetadataSession() as session,
        make_scorer(settings, cache) as scorer,
    ):
        report(
            photos,
            lambda watched: groups.noted(find_similar(watched, scorer, session)),
            settings,
            writes=False,
            telling=Telling(layouts(COLUMNS), row_of_group, groups.found, at_once=True),
        )


def row_of_group(photo: Matched, *, ascii_only: bool) -> Text | None:
    """A photo of which there is another, with the group, or that failed."""
    from aesth.cli.groups import row_beside

    group = None if photo.group is None else f"picture {photo.group}"
    return row_beside(photo, group, chosen="keep" if photo.keep else None, ascii_only=ascii_only)
