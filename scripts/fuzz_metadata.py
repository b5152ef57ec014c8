"""Damage photos and sidecars in every way, have them scored, rated and undone, and see that nothing is ever lost.

    python scripts/fuzz_metadata.py [--count 10000] [--seed 0] [--seconds 600] [--files FOLDER] [--keep FOLDER]
    python scripts/fuzz_metadata.py --seed 0 --case 1234

The seeds are photos that the tests make, the small ones of ``demo-photos``, and those of ``--files``. What each case
is depends on its number, ``--seed`` and the seeds alone. Files over which something went wrong are kept. The last line
is a summary, also after Ctrl-C; the exit code is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import numpy as np

PROJECT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(PROJECT / "sdk"), str(PROJECT / "tests")]

from aesth.decode import load  # noqa: E402 - found by the line above, also where aesth is not installed
from aesth.decode.quiet import quiet_decoders  # noqa: E402
from aesth.errors import AesthError, DecodeError, JournalError  # noqa: E402
from aesth.formats import PICTURE_SUFFIXES, RAW_SUFFIXES  # noqa: E402
from aesth.metadata import Colour, Extras, MetadataSession, NewRating, RatingState, xmp  # noqa: E402
from aesth.metadata.sidecars import lost  # noqa: E402
from aesth.preprocess import UInt8Image  # noqa: E402
from aesth.tagging import Action, Outcome  # noqa: E402
from aesth.undo import Undoable, find_undoable, undo  # noqa: E402
from support.camera import make_camera_photos  # noqa: E402
from support.metadata import DARKTABLE, EMBEDDED, make_photo, make_rich_photos  # noqa: E402
from support.mutation import mutated  # noqa: E402
from support.photos import dng, scene  # noqa: E402

BATCH = 40
LARGEST_SEED = 60_000
MAX_PIXELS = 20_000_000
PATIENCE = 6
"""So many times ``--longest`` may pass until a process counts as hung and is ended."""


@dataclass(frozen=True)
class Seed:
    """A sound photo to damage; with a ``sidecar``, it is that which is damaged."""

    name: str
    content: bytes
    sidecar: bytes | None = None

    @property
    def kind(self) -> str:
        """What is damaged, by which cases are shared out."""
        suffix = Path(self.name).suffix.lower()
        if self.sidecar is not None or suffix in RAW_SUFFIXES:
            return "raw" if self.sidecar is None else "xmp"
        return suffix[:4].replace(".hif", ".hei").replace(".tiff", ".tif")


@dataclass(frozen=True)
class Case:
    """A damaged photo, and how it is rated."""

    number: int
    seed: str
    files: Mapping[str, bytes]
    new: NewRating
    sidecar_only: bool

    @property
    def photo(self) -> str:
        """The name of the photo among ``files``."""
        return next(iter(self.files))


@dataclass
class Report:
    """What came of the cases so far."""

    counts: Counter[str] = field(default_factory=Counter)
    findings: list[tuple[int, str]] = field(default_factory=list)


class Lost(AssertionError):  # noqa: N818 - what was found
    """Something went wrong that never may."""


def main() -> None:
    """Do what the command line says."""
    options = parse()
    with tempfile.TemporaryDirectory(prefix="aesth-fuzz-") as name:
        seeds = [*made_seeds(Path(name)), *found_seeds(PROJECT / "demo-photos"), *found_seeds(options.files)]
        numbers = (
            [options.case] if options.case is not None else list(range(options.first, options.first + options.count))
        )
        start = time.monotonic()
        report = supervise(numbers, seeds, options, Path(name), start + options.seconds)
    told = ", ".join(f"{count} {what}" for what, count in sorted(report.counts.items()))
    for number, what in report.findings:
        sys.stdout.write(f"case {number}: {what}\n")
    found = f"{len(report.findings)} findings" + (f", kept in {options.keep}" if report.findings else "")
    sys.stdout.write(f"seed {options.seed}: {told}; {found}; {time.monotonic() - start:.0f} s\n")
    sys.exit(bool(report.findings))


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Damage photos in every way and see that nothing is lost.")
    parser.add_argument("--count", type=int, default=10_000, help="how many cases")
    parser.add_argument("--seed", type=int, default=0, help="what the cases are drawn from")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--case", type=int, help="this case alone")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--longest", type=float, default=10.0, help="seconds that one case may take; more if busy")
    parser.add_argument("--files", type=Path, help="folder with more photos to damage")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="where files are kept that were lost")
    return parser.parse_args()


def made_seeds(folder: Path) -> Iterator[Seed]:
    """Photos and sidecars of every kind that the tests make."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        there = Path(name)
        paths = [*make_camera_photos(there), *make_rich_photos(*(there / f"rich.{kind}" for kind in EMBEDDED))]
        paths += [make_photo(there / f"plain.{kind}") for kind in EMBEDDED]
        photos = [Seed(path.name, path.read_bytes()) for path in paths]
    photos.append(Seed("raw.dng", dng(scene())))
    photo = next(seed for seed in photos if seed.name == "plain.jpg")
    sidecars = [DARKTABLE.format(rating=3).encode(), xmp.EMPTY]
    sidecars.append(DARKTABLE.format(rating=0).replace("UTF-8", "UTF-16").encode("utf-16"))
    yield from photos
    yield from (replace(photo, sidecar=sidecar) for sidecar in sidecars)


def found_seeds(folder: Path | None) -> Iterator[Seed]:
    """The photos and sidecars below ``folder`` that are small enough to be damaged often."""
    photo = b"II*\0"
    for path in sorted(folder.rglob("*")) if folder else []:
        if not path.is_file() or not 0 < path.stat().st_size <= LARGEST_SEED:
            continue
        if path.suffix.lower() in PICTURE_SUFFIXES | RAW_SUFFIXES:
            yield Seed(f"{path.name}", path.read_bytes())
        elif path.suffix.lower() == ".xmp":
            yield Seed("raw.CR2", photo, path.read_bytes())


def make_case(number: int, seed: int, seeds: Sequence[Seed]) -> Case:
    """Case ``number``; every kind of file is damaged equally often, however many seeds there are of it."""
    draw = Random(f"{seed} {number}")  # noqa: S311 - to be drawn again
    kind = draw.choice(sorted({seed.kind for seed in seeds}))
    chosen = draw.choice([seed for seed in seeds if seed.kind == kind])
    stars = draw.choice((-1, 1, 2, 3, 4, 5))
    extras = Extras(draw.choice((None, Colour.RED)), keyword=draw.random() < 0.3, pick=draw.random() < 0.3)
    new = NewRating(stars, 87.125, "fuzz 0123abcd", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), extras)
    others = [other.sidecar or other.content for other in seeds]
    files = {chosen.name: chosen.content}
    if chosen.sidecar is None:
        files[chosen.name] = mutated(chosen.content, draw, others)
    else:
        files[f"{chosen.name}.xmp"] = mutated(chosen.sidecar, draw, others)
    return Case(number, chosen.name, files, new, sidecar_only=draw.random() < 0.15)


def supervise(
    numbers: Sequence[int], seeds: Sequence[Seed], options: argparse.Namespace, folder: Path, end: float
) -> Report:
    """Examine cases in another process, which may crash or hang; the next one goes on behind the case that ended it."""
    report = Report()
    context = multiprocessing.get_context("spawn")
    waiting = list(numbers)
    while waiting and time.monotonic() < end:
        ours, theirs = context.Pipe(duplex=False)
        work = (waiting, seeds, options.seed, options.longest, folder, theirs, end)
        process = context.Process(target=examine_all, args=work)
        process.start()
        theirs.close()
        current = waiting[0]
        hung = False
        try:
            while not (hung := not ours.poll(options.longest * PATIENCE)):
                message = ours.recv()
                if isinstance(message, int):
                    current = message
                    continue
                done, counts, findings = message
                waiting = [number for number in waiting if number not in done]
                current = waiting[0] if waiting else current
                report.counts += counts
                for number, what in findings:
                    keep(options, seeds, number, what, report)
        except EOFError:
            pass
        except KeyboardInterrupt:  # which the process gets as well
            process.kill()
            process.join()
            return report
        if hung:
            process.kill()
        process.join()
        if process.exitcode:
            what = "hung" if hung else f"the process ended with exit code {process.exitcode}"
            keep(options, seeds, current, what, report)
            waiting = [number for number in waiting if number != current]
        elif time.monotonic() < end and waiting:
            raise RuntimeError("the process ended before all was done")
    return report


def keep(options: argparse.Namespace, seeds: Sequence[Seed], number: int, what: str, report: Report) -> None:
    """Keep the files of a case, and what was found."""
    report.findings.append((number, what.splitlines()[-1]))
    place = options.keep / f"{options.seed}-{number}"
    place.mkdir(parents=True, exist_ok=True)
    for name, content in make_case(number, options.seed, seeds).files.items():
        (place / name).write_bytes(content)
    (place / "finding.txt").write_text(what + "\n", encoding="utf-8")


def examine_all(
    numbers: Sequence[int],
    seeds: Sequence[Seed],
    seed: int,
    longest: float,
    folder: Path,
    teller: Connection,
    end: float,
) -> None:
    """Examine cases batch by batch; what comes of each batch is told, and the number of each case before it begins."""
    tempfile.tempdir = str(folder)
    with quiet_decoders(), tempfile.TemporaryDirectory(dir=folder) as name:
        place = Path(name)
        with MetadataSession(journal=place / "journal.sqlite") as session:
            for start in range(0, len(numbers), BATCH):
                if time.monotonic() > end:
                    break
                cases = [make_case(number, seed, seeds) for number in numbers[start : start + BATCH]]
                report = Examiner(session, place / str(start), longest, teller).examine(cases)
                teller.send(({case.number for case in cases}, report.counts, report.findings))


class Examiner:
    """Has a batch of cases scored, rated and undone, and looks at the files after each step.

    Args:
        session: reads and writes ratings.
        folder: a new folder for the photos.
        longest: seconds that a step of one case may take.
        teller: is told the number of each case before something is done with it.
    """

    def __init__(
        self, session: MetadataSession, folder: Path, longest: float = float("inf"), teller: Connection | None = None
    ) -> None:
        self._session = session
        self._folder = folder
        self._longest = longest
        self._teller = teller
        self._report = Report()

    def examine(self, cases: Sequence[Case]) -> Report:
        """What came of ``cases``."""
        photos = {self._lay_out(case): case for case in cases}
        before = dict(zip(photos, self._session.read(photos), strict=True))
        self._session.begin_run()
        pixels: dict[Path, UInt8Image | None] = {}
        written: list[Path] = []
        for photo, case in photos.items():
            with self._watched(case):
                pixels[photo] = self._decoded(photo)
                if self._written(photo, case, before[photo]):
                    written.append(photo)
        after = dict(zip(written, self._session.read(written), strict=True))
        for photo in written:
            with self._watched(photos[photo]):
                self._check_rated(photo, photos[photo], before[photo], after[photo], pixels[photo])
        if written:
            self._undo(photos, find_undoable(self._session), before, pixels)
        self._report.counts["cases"] += len(cases)
        return self._report

    def _lay_out(self, case: Case) -> Path:
        folder = self._folder / str(case.number)
        folder.mkdir(parents=True)
        for name, content in case.files.items():
            (folder / name).write_bytes(content)
        return folder / case.photo

    @contextmanager
    def _watched(self, case: Case) -> Iterator[None]:
        """Take anything that is raised, and slowness, for a finding."""
        if self._teller:
            self._teller.send(case.number)
        start = time.monotonic()
        try:
            yield
            if (took := time.monotonic() - start) > self._longest:
                raise Lost(f"it took {took:.0f} s")
        except Exception as error:  # noqa: BLE001 - any is a finding
            text = str(error) if isinstance(error, Lost) else traceback.format_exc().strip()
            self._report.findings.append((case.number, f"{case.seed}: {text}"))

    def _decoded(self, photo: Path) -> UInt8Image | None:
        """The pixels, or None where the file cannot be decoded, as is to be told in one line."""
        try:
            return load(photo, max_pixels=MAX_PIXELS)
        except DecodeError as error:
            require(error.path == photo, "the error names no file")
            require(len(error.message.splitlines()) == 1, f"an error of several lines: {error.message!r}")
            return None

    def _written(self, photo: Path, case: Case, before: RatingState | AesthError) -> bool:
        """Rate the photo; whether that was possible."""
        try:
            changed = self._session.write(photo, case.new, sidecar=case.sidecar_only)
        except JournalError:
            raise
        except AesthError as error:
            self._report.counts["refused"] += 1
            require(error.path is not None, "the error names no file")
            require(contents(photo.parent) == dict(case.files), "a write that failed changed something")
            return False
        self._report.counts["embedded" if photo in changed else "sidecar"] += 1
        require(isinstance(before, RatingState), f"written, although it could not be read: {before}")
        names = {photo.name, *(path.name for path in changed)}
        require(set(contents(photo.parent)) <= {*case.files, *names}, "a file was left behind")
        require(photo in changed or photo.read_bytes() == case.files[photo.name], "a photo changed beside a sidecar")
        for path in changed:
            if path != photo and path.name in case.files:
                missing = lost(case.files[path.name], path.read_bytes())
                require(not missing, f"the sidecar lost {missing[:1]}")
        return True

    def _check_rated(
        self,
        photo: Path,
        case: Case,
        before: RatingState | AesthError,
        after: RatingState | AesthError,
        pixels: UInt8Image | None,
    ) -> None:
        """Our rating is read, and counts unless a person's stands in the photo, which got a sidecar."""
        self._check_pixels(photo, case, pixels)
        if isinstance(before, AesthError) or isinstance(after, AesthError):
            raise Lost(f"it cannot be read after a write: {after}")
        untouched = photo.read_bytes() == case.files[photo.name]
        allowed = {case.new.rating, before.rating} if untouched else {case.new.rating}
        told = f"a second read gives {after}"
        require(after.our_rating == case.new.rating and after.rating in allowed, told)

    def _check_pixels(self, photo: Path, case: Case, pixels: UInt8Image | None) -> None:
        if pixels is not None and photo.read_bytes() != case.files[photo.name]:
            now = self._decoded(photo)
            require(now is not None and np.array_equal(now, pixels), "the pixels changed")

    def _undo(
        self,
        photos: Mapping[Path, Case],
        what: Undoable,
        before: Mapping[Path, RatingState | AesthError],
        pixels: Mapping[Path, UInt8Image | None],
    ) -> None:
        undone: list[Path] = []
        for photo in what.photos:
            with self._watched(photos[photo]):
                rated = contents(photo.parent)
                (outcome,) = undo(self._session, what, [photo])
                if outcome.action is Action.FAILED and pixels[photo] is None:  # `aesth tag` rates no such file
                    self._report.counts["not undone"] += 1
                    require(contents(photo.parent) == rated, "an undo that failed changed something")
                    continue
                self._check_undone(photos[photo], outcome)
                undone.append(photo)
        states = dict(zip(undone, self._session.read(undone), strict=True))
        for photo in undone:
            with self._watched(photos[photo]):
                require(states[photo] == before[photo], f"after the undo: {states[photo]}; before: {before[photo]}")
                self._check_pixels(photo, photos[photo], pixels[photo])

    def _check_undone(self, case: Case, outcome: Outcome) -> None:
        require(outcome.action is Action.WRITTEN, f"the undo {outcome.action.value}: {outcome.error}")
        self._report.counts["undone"] += 1
        require(set(contents(outcome.path.parent)) == set(case.files), "the undo left a file behind")


def require(holds: bool, what: str) -> None:
    """Raise `Lost` unless something holds."""
    if not holds:
        raise Lost(what)


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a folder with their content."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


if __name__ == "__main__":
    main()
