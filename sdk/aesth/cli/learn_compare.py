"""`aesth learn --compare`: the page in the browser, from the photos to what came of the choices."""

from __future__ import annotations

import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from aesth.apps.personal.choices import Looks
from aesth.apps.personal.learning import Learnt
from aesth.cli.learn import Gathering, LearningFlags, keep, lines
from aesth.cli.stopping import GracefulStop
from aesth.cli.text import printable
from aesth.comparing.kept import Choice, photos_of, read_choices, write_choices
from aesth.comparing.pictures import Pictures
from aesth.comparing.questions import Questions
from aesth.comparing.server import Result, Sitting, serving
from aesth.decode import DEFAULT_MAX_PIXELS
from aesth.errors import ConfigError
from aesth.learning import Lesson, draw, embeddings_of, learn_by_choices, look_at

if TYPE_CHECKING:
    from aesth.metadata import MetadataSession
    from aesth.scorer import Scorer

_OFTEN = 0.2
"""Seconds after which a signal is noticed at the latest."""


def compare(
    gathering: Gathering, learning: LearningFlags, out: Path, scorer: Scorer, session: MetadataSession
) -> Learnt:
    """What a person's choices teach, once they have finished; every choice is kept beside ``out``.

    Raises:
        ConfigError: there are fewer than two photos to choose from.
        typer.Exit: a signal stopped it.
    """
    kept_in = choices_file(out)
    kept = read_choices(kept_in)
    drawn = draw(gathering.photos, learning.most, photos_of(kept))
    photos = gathering.gather(look_at(drawn, scorer), len(drawn), "Looking at photos")
    if len(photos) < 2:
        raise ConfigError("two photos at least are needed to choose from")
    results: list[Learnt] = []

    def finish() -> Result:
        learnt = learn_by_choices(questions.choices(), photos, session, scorer.tag)
        keep(learnt, out, dry_run=learning.dry_run)
        results.append(learnt)
        told = lines(learnt, out, by_choices=True, dry_run=learning.dry_run)
        return Result([printable(line) for line in told], _shares(learnt))

    known, others = _numbered(kept, photos)

    def note(choices: Sequence[tuple[int, int]]) -> None:
        write_choices([*others, *(Choice(photos[one].path, photos[other].path) for one, other in choices)], kept_in)

    questions = Questions(Looks.of(embeddings_of(photos)), known, note)
    pictures = Pictures([photo.path for photo in photos], gathering.settings.max_pixels or DEFAULT_MAX_PIXELS)
    names = [printable(photo.path.name) for photo in photos]
    _sit(Sitting(questions, pictures, names, learning.choices, finish), kept_in, opened=not learning.no_open)
    if not results:
        raise ConfigError("nothing was learnt, as the page told; what you chose is kept", kept_in)
    return results[0]


def choices_file(out: Path) -> Path:
    """Where choices are kept: beside the taste."""
    return out.with_name(f"{out.stem}.choices.ndjson")


def _shares(learnt: Learnt) -> list[tuple[str, float]]:
    gain = learnt.gain
    return [("General score", gain.general), ("Your taste", gain.personal)] if gain else []


def _numbered(kept: Sequence[Choice], photos: Sequence[Lesson]) -> tuple[list[tuple[int, int]], list[Choice]]:
    """Choices between ``photos`` by their numbers, and those between others."""
    numbers = {photo.path: number for number, photo in enumerate(photos)}
    known = [choice for choice in kept if choice.better in numbers and choice.worse in numbers]
    others = [choice for choice in kept if choice not in known]
    return [(numbers[choice.better], numbers[choice.worse]) for choice in known], others


def _sit(sitting: Sitting, kept_in: Path, *, opened: bool) -> None:
    """Show the page until the person has finished."""
    stop = GracefulStop()
    try:
        with stop, serving(sitting) as address:
            typer.echo(f"Choose in the browser: {address} (Ctrl-C stops, and keeps what you chose)", err=True)
            if opened:
                webbrowser.open(address)
            while not sitting.over.wait(_OFTEN):
                stop.check()
    except KeyboardInterrupt:
        typer.echo(f"Stopped; what you chose is kept in {printable(str(kept_in))}", err=True)
        raise typer.Exit(stop.exit_code) from None
