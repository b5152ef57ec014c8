"""`aesth tag`: score photos and write their stars."""

from __future__ import annotations

from aesth.cli.options import OutputFlags, Paths, PhotoFlags, ScoringFlags, WritingFlags, begin


def tag(
    writing: WritingFlags,
    scoring: ScoringFlags,
    which: PhotoFlags,
    output: OutputFlags,
    paths: Paths = None,
) -> None:
    """Score photos and write their stars, where photo managers show and sort by them.

    A rating that a person gave is kept. Photos change whole or not at all, and never but for their rating.
    `aesth undo` takes it back.
    """
    settings, photos = begin(paths, which, output, scoring, writing)
    from aesth import tagging
    from aesth.cli.running import make_scorer, remembered_scores, report
    from aesth.cli.text import command_line
    from aesth.metadata import Extras, MetadataSession

    with (
        remembered_scores(settings) as cache,
        MetadataSession(
            style=settings.sidecar_style, command=command_line(), touch=settings.touch, memory=cache
        ) as session,
        make_scorer(settings, cache) as scorer,
    ):
        report(
            photos,
            lambda watched: tagging.tag(
                watched,
                scorer,
                session,
                policy=settings.policy,
                relative=settings.relative,
                rescore=settings.rescore,
                sidecar=settings.sidecar,
                dry_run=writing.dry_run,
                reject_below=settings.reject_below,
                extras=Extras(settings.label, settings.keyword, settings.pick),
                may_write=photos.cover,
                would_block=photos.would_block,
            ),
            settings,
            writes=True,
        )
