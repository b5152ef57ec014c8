"""One run over the selection: one load of the model, photos one by one, then digiKam reads them again."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from aesth import config, formats, tagging
from aesth.cli.progress import Tally
from aesth.cli.running import make_scorer, remembered_scores
from aesth.cli.text import command_line, printable
from aesth.config import Settings
from aesth.decode.quiet import quiet_decoders
from aesth.digikam.bus import find_digikam
from aesth.digikam.culling import Culled, Pick, cull
from aesth.digikam.kept import kept_to_itself
from aesth.digikam.known import Known, known_photos
from aesth.digikam.rereading import IN_MENU, Reread, Waiting, have_reread
from aesth.digikam.settings import DigikamSettings, find_settings_files, read_settings
from aesth.errors import AesthError
from aesth.metadata import Extras, MetadataSession, Policy
from aesth.metadata.ratings import REJECTED
from aesth.tagging import Action, Outcome
from aesth_open_with.progress import Progress, Report

_MOST_TOLD = 20
"""Failures that are named; more are counted."""

_TOLD: Mapping[Reread, str] = {
    Reread.SHOWN: "",
    Reread.ASKED: "",
    Reread.RESCANS: "",
    Reread.NOT_HEARD: f"digiKam could not be asked to read the photos again. {IN_MENU}",
    Reread.UNSAFE: "digiKam keeps stars that you gave in its database alone, so it was not asked to read photos again: "
    "run `aesth digikam install --fix` while it is closed, or reread only these. " + IN_MENU,
}


class What(Enum):
    """What is done with the photos."""

    SCORE = "score"
    CULL = "cull"


@dataclass(frozen=True)
class Shown:
    """What digiKam is set to, and shows, as far as that could be found out."""

    settings: DigikamSettings | None
    known: Mapping[Path, Known]


def run(what: What, files: Sequence[Path], progress: Progress, others: Pick = Pick.PENDING) -> Report:
    """Do it, and tell what came of it; the photos that are written are whole at any time.

    Args:
        what: is done.
        files: the selection; what is no photo by its name is passed over.
        progress: told how far it is, and asked whether to stop.
        others: the pick label of photos of a burst that are not the best.

    Raises:
        AesthError: nothing could be done at all, such as without ExifTool.
    """
    photos = [file for file in files if formats.has_photo_name(file.name)]
    progress.total = len(photos)
    settings = config.load(config.config_file())
    shown = find_shown(photos)
    tally, told, written = Tally(), list[str](), dict[Path, Known]()
    with (
        quiet_decoders(),
        closing(_outcomes(what, photos, settings, shown, others, progress)) as outcomes,
    ):
        for outcome in outcomes:
            tally.add(outcome)
            progress.advance(outcome.path.name)
            if outcome.action is Action.WRITTEN:
                written[outcome.path] = _expected(outcome)
            if outcome.error is not None:
                told.append(f"{outcome.path.name}: {outcome.error.message}")
            if what is What.CULL and progress.stop.is_set():
                break
    stopped = progress.stop.is_set() and progress.done < progress.total
    summary = tally.summary(writes=True, stopped=stopped)
    return Report(summary, (*_shortened(told), *_reread(written, shown, progress)), tally.failed)


def find_shown(photos: Sequence[Path]) -> Shown:
    """The settings of the digiKam that knows these photos, and what it shows of them."""
    first: Shown | None = None
    try:
        for path in find_settings_files():
            settings = read_settings(path)
            first = first or Shown(settings, {})
            try:
                if known := known_photos(settings.database, photos):
                    return Shown(settings, known)
            except AesthError:
                continue  # a database on a server, say: the files are asked alone
    except AesthError:
        return Shown(None, {})
    return first or Shown(None, {})


def _outcomes(
    what: What, photos: Sequence[Path], settings: Settings, shown: Shown, others: Pick, progress: Progress
) -> Generator[Outcome]:
    with (
        remembered_scores(settings) as cache,
        MetadataSession(
            style=settings.sidecar_style, command=command_line(), touch=settings.touch, memory=cache
        ) as session,
        make_scorer(settings, cache) as scorer,
    ):
        if what is What.CULL:
            progress.doing = "looking for bursts"
            yield from cull(photos, scorer, session, others=others, known=shown.known, sidecar=settings.sidecar)
            return
        left, theirs = told_apart(photos, settings, shown, session)
        yield from theirs
        yield from tagging.tag(
            progress.following(left),
            scorer,
            session,
            policy=settings.policy,
            relative=settings.relative,
            rescore=settings.rescore,
            sidecar=settings.sidecar,
            reject_below=settings.reject_below,
            extras=Extras(settings.label, settings.keyword, settings.pick),
            stopping=progress.stop.is_set,
        )


def told_apart(
    photos: Sequence[Path], settings: Settings, shown: Shown, session: MetadataSession
) -> tuple[list[Path], list[Outcome]]:
    """The photos that the files alone decide on, and those of which digiKam alone knows that a person rated them."""
    said = shown.settings.metadata if shown.settings else None
    if said is None or not said.keeps_stars or settings.policy is Policy.OVERWRITE:
        return list(photos), []
    stars = {photo: known.stars for photo, known in shown.known.items() if known.stars is not None}
    theirs = kept_to_itself(stars, session)
    return [photo for photo in photos if photo not in theirs], list(theirs.values())


def _expected(outcome: Outcome) -> Known:
    if isinstance(outcome, Culled):
        return Known(pick=outcome.pick or 0)
    rating = outcome.rating or 0
    return Known(pick=int(Pick.REJECTED)) if rating == REJECTED else Known(rating)


def _reread(written: Mapping[Path, Known], shown: Shown, progress: Progress) -> Iterator[str]:
    if not written:
        return
    progress.doing = "digiKam reads the photos again"
    outcome = have_reread(written, find_digikam(), shown.settings, Waiting(stopped=progress.stop.is_set))
    if _TOLD[outcome]:
        yield _TOLD[outcome]


def _shortened(told: Iterable[str]) -> list[str]:
    lines = [printable(line) for line in told]
    more = len(lines) - _MOST_TOLD
    return [*lines[:_MOST_TOLD], *([f"and {more} more"] if more > 0 else [])]


def failure(error: AesthError) -> Report:
    """What is told where nothing could be done."""
    return Report(printable(str(error)), failed=True)
