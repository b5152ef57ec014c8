"""One run over photos: results on stdout as they come, progress and summary on stderr."""

from __future__ import annotations

import io
import os
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Protocol, TextIO, TypedDict

import typer
from rich.console import Console
from rich.text import Text

from aesth.ahead import never
from aesth.cache import ScoreCache
from aesth.cli import table
from aesth.cli.inputs import listed_paths
from aesth.cli.options import PhotoFlags
from aesth.cli.output import LAYOUTS, Layout, encode
from aesth.cli.progress import Meter, Tally, same_terminal
from aesth.cli.stopping import GracefulStop
from aesth.cli.text import printable
from aesth.config import Format, Settings
from aesth.decode import DEFAULT_MAX_PIXELS
from aesth.decode.quiet import quiet_decoders
from aesth.discover import find_photos
from aesth.errors import AesthError
from aesth.scale import DEFAULT_CUT_POINTS, CutPoints
from aesth.scorer import Scorer
from aesth.tagging import Action, Outcome
from aesth.taste import Taste, read

Run = Callable[[Iterable[Path]], Iterator[Outcome]]


class Source(Protocol):
    """What `report` needs to know of the photos of a run; see `Photos`."""

    total: int | None
    unreadable: deque[Outcome]

    def __iter__(self) -> Iterator[Path]: ...


class GivenPlaces:
    """Files and folders that were given, of which each gives leave to write there, and a link to where it leads."""

    def __init__(self) -> None:
        self._given: set[str] = set()

    def add(self, path: Path) -> None:
        """One more was given."""
        self._given.update(_places(path))

    def cover(self, photo: Path) -> bool:
        """Whether a photo, and the sidecar beside it, lie in a place that was given, which links may lead out of."""
        return all(
            place in self._given or not self._given.isdisjoint(map(str, Path(place).parents))
            for place in _places(photo)
        )


class Photos:
    """The photos that a run is about, found at once, or as a list on standard input names them.

    Attributes:
        total: how many there are; None while a list is still coming in.
        would_block: whether taking the next photo would wait for who writes the list.
        cover: whether a photo, and the sidecar beside it, lie in a place that was given.
        unreadable: failures for the folders that could not be read; it grows as the photos are taken.
    """

    def __init__(self, paths: Iterable[Path] | None, flags: PhotoFlags, settings: Settings) -> None:
        if not paths and flags.files_from is None:
            raise typer.BadParameter(
                "name photos or folders, or a list of them with --files-from", param_hint="PATH..."
            )
        self.unreadable: deque[Outcome] = deque()
        self._given = GivenPlaces()
        self.cover = self._given.cover
        paths = list(self._noted(paths or ()))
        listed = None if flags.files_from is None else listed_paths(flags.files_from, null=flags.null)
        self.would_block = listed.would_block if listed else never
        found = find_photos(
            chain(paths, self._noted(listed or ())),
            include=settings.include,
            exclude=settings.exclude,
            recursive=settings.recursive,
            since=flags.since,
            on_error=self._note,
        )
        self._found: Iterable[Path] = found if flags.files_from == "-" else list(found)
        self.total = len(self._found) if isinstance(self._found, list) else None

    def __iter__(self) -> Iterator[Path]:
        return iter(self._found)

    def _noted(self, paths: Iterable[Path]) -> Iterator[Path]:
        for path in paths:
            self._given.add(path)
            yield path

    def _note(self, error: AesthError) -> None:
        self.unreadable.append(Outcome(error.path or Path(), None, None, None, Action.FAILED, error))


class KnownPhotos:
    """The photos of a run that need not be looked for, such as those of a journal or of another program's database."""

    def __init__(self, photos: Sequence[Path]) -> None:
        self.total: int | None = len(photos)
        self.unreadable: deque[Outcome] = deque()
        self._photos = photos

    def __iter__(self) -> Iterator[Path]:
        return iter(self._photos)


def _places(path: Path) -> set[str]:
    """Where a file lies, and where the link to it if ``path`` is one."""
    try:
        return {os.path.realpath(path), str(Path(os.path.realpath(path.parent), path.name))}
    except (OSError, ValueError):  # no name of a file; who reads it will tell
        return {str(path)}


@contextmanager
def remembered_scores(settings: Settings) -> Iterator[ScoreCache | None]:
    """The scores of earlier runs, unless the settings say no; that they cannot be used is told, and no more."""
    if not settings.cache:
        yield None
        return
    with ScoreCache() as cache:
        told = cache.failure
        if told is not None:
            _warn(told)
        yield cache
    if cache.failure is not told and cache.failure is not None:
        _warn(cache.failure)


def _warn(failure: AesthError) -> None:
    typer.echo(f"aesth: warning: {printable(str(failure))}; this run does without", err=True)


class Scoring(TypedDict):
    """What every way to score photos is told of the settings; see `Scorer`."""

    model: str
    providers: Sequence[str] | None
    jobs: int | None
    cut_points: CutPoints
    max_pixels: int
    previews: bool
    taste: Taste | None


def how_to_score(settings: Settings) -> Scoring:
    """How photos are scored by the settings."""
    return Scoring(
        model=settings.model,
        providers=settings.provider or None,
        jobs=settings.jobs,
        cut_points=settings.cut_points or DEFAULT_CUT_POINTS,
        max_pixels=settings.max_pixels or DEFAULT_MAX_PIXELS,
        previews=settings.previews,
        taste=read(Path(settings.taste).expanduser()) if settings.taste else None,
    )


def make_scorer(settings: Settings, cache: ScoreCache | None = None, photos: int | None = None) -> Scorer:
    """The scorer that the settings ask for, for so many photos, if that is known."""
    settings = replace(settings, jobs=1) if photos == 1 else settings
    return Scorer(threads=settings.threads, cache=cache, **how_to_score(settings))


@dataclass(frozen=True)
class Telling:
    """How the outcomes of a command are told.

    Attributes:
        layouts: for programs.
        row: for people, a row of the table; None passes over the outcome.
        found: what the summary says besides.
        at_once: Ctrl-C need not wait for the next outcome, since nothing is written, or nothing by halves.
        noun: what each outcome is about.
        unit: what the progress bar counts.
        steer: takes the bar of a command that moves it itself, rather than by one for each outcome.
        metered: a bar shows how far the run is, for people.
        looked_at: how many photos were taken, in a run that takes all and then tells of some; None in all others.
    """

    layouts: Mapping[Format, Layout]
    row: Callable[..., Text | None]
    found: Callable[[], Sequence[str]] = tuple
    at_once: bool = False
    noun: str = "photo"
    unit: str = "photos"
    steer: Callable[[Meter], None] | None = None
    metered: bool = True
    looked_at: Callable[[], int] | None = None


PLAIN = Telling(LAYOUTS, table.row)


@quiet_decoders()
def report(
    photos: Source,
    run: Run,
    settings: Settings,
    *,
    writes: bool,
    undoes: bool = False,
    telling: Telling = PLAIN,
    stop: GracefulStop | None = None,
) -> None:
    """Print what ``run`` makes of ``photos``, then the summary, and exit with the code that tells how it went.

    A run that winds up by itself what it has begun, once it is asked to ``stop``, has handed that in; any other is
    closed after the outcome that comes next.
    """
    tally = Tally(telling.noun)
    winds_up, stop = stop is not None, stop or GracefulStop()
    stopped = False
    is_table = settings.format is Format.TABLE
    console = console_of(sys.stdout if is_table and same_terminal() else sys.stderr)
    shown = telling.metered and not settings.quiet and console.is_terminal and (is_table or not sys.stdout.isatty())
    meter = Meter(console, photos.total, shown=shown, doing="Undoing" if undoes else "Scoring", unit=telling.unit)
    with meter, stop, _printer(settings.format, console, telling) as show:
        watched = stop.until(photos) if winds_up else stop.between(photos)
        if telling.steer is None:
            watched = meter.count_begun(watched)
        else:
            telling.steer(meter)
        try:
            with closing(_interleaved(run(watched), photos.unreadable)) as outcomes:
                for outcome in stop.between(outcomes) if telling.at_once else outcomes:
                    show(outcome)
                    if outcome.note is not None:
                        console.print(
                            Text(printable(f"aesth: {outcome.path}: {outcome.note}"), "yellow"), soft_wrap=True
                        )
                    tally.add(outcome)
                    if telling.steer is None and telling.looked_at is None:
                        meter.advance()
                    if not winds_up:
                        stop.check()
            stop.check()
        except KeyboardInterrupt:
            stopped = True
    if stopped or not settings.quiet:
        summary = tally.summary(
            writes=writes,
            undoes=undoes,
            stopped=stopped,
            found=telling.found(),
            looked_at=telling.looked_at() if telling.looked_at else None,
        )
        typer.echo(summary, err=True)
    if stopped or tally.failed:
        raise typer.Exit(stop.exit_code if stopped else 1)


def _interleaved(outcomes: Iterator[Outcome], failures: deque[Outcome]) -> Generator[Outcome]:
    for outcome in outcomes:
        while failures:
            yield failures.popleft()
        yield outcome
    yield from failures


class _Lines:
    """Prints outcomes in a format for programs, flushed one by one; what is begun is ended, whatever happens."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._separator = ""

    def __enter__(self) -> _Lines:
        self._write(self._layout.head)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, BrokenPipeError):
            self._write(self._layout.tail)

    def __call__(self, outcome: Outcome) -> None:
        self._write(self._separator + self._layout.line(outcome))
        self._separator = self._layout.between

    def _write(self, text: str) -> None:
        sys.stdout.buffer.write(encode(text))
        sys.stdout.buffer.flush()


class _Table:
    """Prints outcomes as rows, above the progress bar where both are on one terminal."""

    def __init__(self, console: Console, row: Callable[..., Text | None]) -> None:
        self._console = console
        self._row = row
        self._ascii_only = not _can_print("★☆")
        self._begun = False

    def __enter__(self) -> _Table:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __call__(self, outcome: Outcome) -> None:
        row = self._row(outcome, ascii_only=self._ascii_only)
        if row is None:
            return
        if not self._begun:
            self._console.print(table.header(), soft_wrap=True)
            self._begun = True
        self._console.print(row, soft_wrap=True)


def _printer(format: Format, console: Console, telling: Telling) -> _Table | _Lines:  # noqa: A002 - the option's name
    if format is not Format.TABLE:
        return _Lines(telling.layouts[format])
    return _Table(console if console.file is sys.stdout else console_of(sys.stdout), telling.row)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the caller, rather than exit with 1."""
        raise BrokenPipeError


def console_of(stream: TextIO) -> Console:
    """What draws on ``stream``, plain text as it is."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return _Console(file=stream, highlight=False, markup=False, emoji=False)


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError:
        return False
    return True
