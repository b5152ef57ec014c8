"""`aesth tag`: score photos and write their stars."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aesth.ahead import WouldBlock, never
from aesth.cli.options import OutputFlags, Paths, PhotoFlags, ScoringFlags, WritingFlags, begin

if TYPE_CHECKING:
    from aesth.cli.running import Source, Telling
    from aesth.config import Settings
    from aesth.metadata import MetadataSession
    from aesth.tagging import Outcome


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
    write_stars(photos, settings, dry_run=writing.dry_run, may_write=photos.cover, would_block=photos.would_block)


def write_stars(
    photos: Source,
    settings: Settings,
    *,
    dry_run: bool,
    may_write: Callable[[Path], bool],
    would_block: WouldBlock = never,
    known_kept: Callable[[MetadataSession], Mapping[Path, Outcome]] = lambda _: {},
    noting: Callable[[Iterator[Outcome]], Iterator[Outcome]] = iter,
    telling: Telling | None = None,
) -> None:
    """Score photos and write their stars as the settings say; the program ends with the code that tells how it went.

    Args:
        photos: which ones.
        settings: how.
        dry_run: write nothing.
        may_write: whether a photo lies where something may be written.
        would_block: whether taking the next photo would wait.
        known_kept: tells the photos that are kept whatever their files say.
        noting: hands outcomes on, each as soon as it is there.
        telling: how outcomes are told, where that is not as of other commands.
    """
    from aesth import tagging
    from aesth.cli.running import PLAIN, make_scorer, remembered_scores, report
    from aesth.cli.stopping import GracefulStop
    from aesth.cli.text import command_line
    from aesth.metadata import Extras, MetadataSession

    with (
        remembered_scores(settings) as cache,
        MetadataSession(
            style=settings.sidecar_style, command=command_line(), touch=settings.touch, memory=cache
        ) as session,
        make_scorer(settings, cache, photos.total) as scorer,
    ):
        kept = known_kept(session)
        stop = GracefulStop()

        def run(watched: Iterable[Path]) -> Iterator[Outcome]:
            return tagging.tag(
                watched,
                scorer,
                session,
                policy=settings.policy,
                relative=settings.relative,
                rescore=settings.rescore,
                sidecar=settings.sidecar,
                dry_run=dry_run,
                reject_below=settings.reject_below,
                extras=Extras(settings.label, settings.keyword, settings.pick),
                may_write=may_write,
                would_block=would_block,
                stopping=lambda: stop.is_asked,
            )

        def outcomes(watched: Iterable[Path]) -> Iterator[Outcome]:
            return noting(_passing(watched, kept, run) if kept else run(watched))

        report(photos, outcomes, settings, writes=True, telling=telling or PLAIN, stop=stop)


def _passing(
    photos: Iterable[Path], kept: Mapping[Path, Outcome], run: Callable[[Iterable[Path]], Iterator[Outcome]]
) -> Iterator[Outcome]:
    """What ``run`` makes of ``photos``, one outcome for each in order, with those of ``kept`` passed by it."""
    passed: deque[tuple[int, Outcome]] = deque()
    begun = 0

    def left() -> Iterator[Path]:
        nonlocal begun
        for photo in photos:
            if photo in kept:
                passed.append((begun, kept[photo]))
            else:
                begun += 1
                yield photo

    for done, outcome in enumerate(run(left())):
        while passed and passed[0][0] <= done:
            yield passed.popleft()[1]
        yield outcome
    yield from (outcome for _, outcome in passed)
