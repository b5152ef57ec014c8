"""`aesth learn`: a person's taste, from the stars that they gave or from choices between two photos."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aesth import config, places
from aesth.cli.options import ComputeFlags, OutputFlags, Paths, PhotoFlags, begin, option
from aesth.cli.text import printable
from aesth.config import Format, Settings

if TYPE_CHECKING:
    from aesth.apps.personal.learning import Learnt
    from aesth.cli.running import Photos
    from aesth.learning import Lesson
    from aesth.metadata import MetadataSession
    from aesth.scorer import Scorer

FILE_NAME = "taste.json"
FIELDS = ("verdict", "from", "answers", "groups", "general", "personal", "low", "high", "taste")


_option = partial(option, panel="Learning")


@dataclass(frozen=True)
class LearningFlags:
    """What is learnt from, and where the taste goes."""

    out: Annotated[
        Path | None,
        _option("--out", metavar="FILE", help="The taste. Default: taste.json in the folder of the config file."),
    ] = None
    compare: Annotated[
        bool, _option("--compare", help="Choose the better of two photos in the browser, for a few minutes.")
    ] = False
    choices: Annotated[
        int,
        _option("--choices", metavar="N", min=1, help="So many choices are asked for; more are welcome. Default: 100."),
    ] = 100
    most: Annotated[
        int, _option("--most", metavar="N", min=2, help="Choose from so many photos, drawn at random. Default: 200.")
    ] = 200
    no_open: Annotated[
        bool, _option("--no-open", help="Tell the address of the page, and leave opening it to you.")
    ] = False
    dry_run: Annotated[bool, _option("--dry-run", "-n", help="Write no taste; tell how much it would gain.")] = False


def learn(
    learning: LearningFlags, compute: ComputeFlags, which: PhotoFlags, output: OutputFlags, paths: Paths = None
) -> None:
    """Learn your own taste from stars that you gave, or from choices between two photos.

    Stars that aesth gave teach nothing. How much your taste gains over the general score is measured on days that it
    was not learnt from; where it gains nothing for sure, or you gave fewer than 30 ratings, there is none, and the
    general score is kept. With --save-config, later runs score by it.

    aesth learn ~/Photos; aesth tag --taste ~/.config/aesth/taste.json ~/Photos

    aesth learn --compare --out ann.json ~/Photos/2025
    """
    settings, photos = begin(paths, which, output, compute)
    from aesth.cli.running import make_scorer, remembered_scores
    from aesth.metadata import MetadataSession
    from aesth.taste import refuse_other_file

    out = learning.out or places.config_folder() / FILE_NAME
    refuse_other_file(out)
    gathering = Gathering(photos, settings)
    with (
        remembered_scores(settings) as cache,
        MetadataSession(memory=cache) as session,
        make_scorer(replace(settings, taste=""), cache) as scorer,
    ):
        if learning.compare:
            from aesth.cli.learn_compare import compare

            learnt = compare(gathering, learning, out, scorer, session)
        else:
            learnt = learn_from_ratings(gathering, scorer, session)
            keep(learnt, out, dry_run=learning.dry_run)
    tell(learnt, out, settings.format, learning)
    if output.save_config and learnt.taste is not None and not learning.dry_run:
        config.save(config.load(config.config_file()).override({"taste": str(out)}), config.config_file())
    if gathering.failed:
        raise typer.Exit(1)


class Gathering:
    """Looks at the photos of a run, with progress; those that fail are told on stderr.

    Attributes:
        photos: of the run.
        settings: of the run.
        failed: how many photos failed.
    """

    def __init__(self, photos: Photos, settings: Settings) -> None:
        self.photos = photos
        self.settings = settings
        self.failed = 0

    def gather(self, lessons: Iterable[Lesson], total: int | None, doing: str) -> list[Lesson]:
        """All ``lessons`` but those that failed.

        Raises:
            typer.Exit: a signal stopped it.
        """
        from aesth.cli.progress import Meter
        from aesth.cli.running import console_of
        from aesth.cli.stopping import GracefulStop
        from aesth.decode.quiet import quiet_decoders

        console, stop = console_of(sys.stderr), GracefulStop()
        meter = Meter(console, total, shown=not self.settings.quiet and console.is_terminal, doing=doing)
        found: list[Lesson] = []
        with quiet_decoders(), meter, _exiting(stop), stop:
            for lesson in stop.between(lessons):
                meter.advance()
                if lesson.error is None:
                    found.append(lesson)
                else:
                    self.tell_failure(str(lesson.error))
        for outcome in self.photos.unreadable:
            self.tell_failure(str(outcome.error))
        return found

    def tell_failure(self, message: str) -> None:
        """Tell of a photo that failed, and count it."""
        self.failed += 1
        typer.echo(f"aesth: {printable(message)}", err=True)


@contextmanager
def _exiting(stop: Any) -> Iterator[None]:
    """End the program with the code that tells of the signal, where one came."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(stop.exit_code) from None


def learn_from_ratings(gathering: Gathering, scorer: Scorer, session: MetadataSession) -> Learnt:
    """What the stars of all photos teach."""
    from aesth.learning import learn, read_lessons

    photos = gathering.photos
    lessons = gathering.gather(
        read_lessons(photos, scorer, session, photos.would_block), photos.total, "Looking for your stars"
    )
    learnt = learn(lessons, session, scorer.tag)
    if not gathering.settings.quiet:
        typer.echo(f"{len(lessons) + gathering.failed} photos, {learnt.answers} of which you rated", err=True)
    return learnt


def keep(learnt: Learnt, out: Path, *, dry_run: bool) -> None:
    """Write the taste, where there is one."""
    from aesth.taste import write

    if learnt.taste is not None and not dry_run:
        write(learnt.taste, out)


def tell(learnt: Learnt, out: Path, format: Format, learning: LearningFlags) -> None:  # noqa: A002 - the option's name
    """Print what came of learning."""
    from aesth.cli.listing import print_records

    if format is Format.TABLE:
        for line in lines(learnt, out, by_choices=learning.compare, dry_run=learning.dry_run):
            typer.echo(printable(line))
        return
    written = learnt.taste is not None and not learning.dry_run
    gain = learnt.gain
    shares = (gain.general, gain.personal, gain.low, gain.high) if gain else (None,) * 4
    values = (
        *(learnt.verdict.value, "choices" if learning.compare else "stars", learnt.answers, learnt.groups),
        *(None if share is None else round(share, 4) for share in shares),
        str(out) if written else None,
    )
    print_records(FIELDS, [dict(zip(FIELDS, values, strict=True))], format, _no_table)


def lines(learnt: Learnt, out: Path, *, by_choices: bool, dry_run: bool) -> Iterator[str]:
    """What came of learning, in sentences."""
    from aesth.apps.personal.groups import LEAST_GROUPS
    from aesth.apps.personal.learning import LEAST_RATINGS, Verdict

    what = "choice" if by_choices else "rating"
    said = f"{learnt.answers} {what}{'s' * (learnt.answers != 1)} of yours"
    why = {
        Verdict.TOO_FEW: f"{said}; {LEAST_RATINGS} are needed to learn a taste",
        Verdict.ALL_EQUAL: f"{said}, all the same: they do not tell what you like better",
        Verdict.TOO_FEW_GROUPS: f"{said}, in fewer than {LEAST_GROUPS} days or takes: that tells nothing of others",
    }
    yield why.get(learnt.verdict, f"{said}, in {learnt.groups} days, takes or scenes") + "."
    if learnt.gain is not None:
        yield sentence_of(learnt, by_choices=by_choices)
    if by_choices and learnt.verdict is Verdict.TOO_FEW:
        yield "They are kept: the same command goes on from here."
    if learnt.taste is None:
        yield "There is no taste to score by; the general score is kept."
    elif dry_run:
        yield f"Your taste would be written to {out}."
    else:
        yield f"Your taste is in {out}: use it with --taste, or for ever with `aesth learn --save-config`."


def sentence_of(learnt: Learnt, *, by_choices: bool) -> str:
    """The gain in a sentence."""
    gain = learnt.gain
    if gain is None:
        return ""
    pairs = "choices that were hard to foretell" if by_choices else "pairs of photos that you rated differently"
    general, personal = round(100 * gain.general), round(100 * gain.personal)
    between = f"{100 * gain.low:+.1f} to {100 * gain.high:+.1f}"
    sure = "a gain" if gain.is_sure else "no sure gain"
    return (
        f"Of 100 {pairs}, the general score orders {general} as you do, and your taste {personal}: {sure}"
        f" ({between} in 95 of 100 cases), measured on photos of days that it was not learnt from."
    )


def _no_table() -> Any:
    raise AssertionError("a table is told in sentences")
