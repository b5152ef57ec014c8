"""`aesth score`: score photos and write nothing."""

from __future__ import annotations

from aesth.cli.options import OutputFlags, Paths, PhotoFlags, ScoringFlags, begin


def score(scoring: ScoringFlags, which: PhotoFlags, output: OutputFlags, paths: Paths = None) -> None:
    """Score photos and write nothing: 0-100, the share of ordinary photos that a photo surpasses."""
    settings, photos = begin(paths, which, output, scoring)
    from aesth.cli.running import make_scorer, remembered_scores, report
    from aesth.scoring import score_photos

    with remembered_scores(settings) as cache, make_scorer(settings, cache) as scorer:
        report(
            photos,
            lambda watched: score_photos(watched, scorer, relative=settings.relative, would_block=photos.would_block),
            settings,
            writes=False,
        )
