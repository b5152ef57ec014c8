"""Runs the benchmarks, and makes a page of them or compares them with a saved run; `make bench` calls this.

python benchmarks/bench.py [--photos DIR] [--compare] [--out DIR] [--seconds 2] [--quick] [-k EXPRESSION] [FILE...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from measuring import compare, report, results
from measuring.machine import describe
from measuring.results import Run

HERE = Path(__file__).parent

SLOWER, USAGE = 1, 2


class BenchmarkFailed(Exception):  # noqa: N818 - what happened
    """A benchmark did not pass, so that there is nothing to tell; pytest has told why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and tell.

    Returns:
        0; 1 if something takes longer than it did, or a benchmark failed; 2 if there is nothing to compare with.
    """
    options = _parse(arguments)
    folder = options.out or (HERE / "yours" if options.photos else HERE)
    try:
        if options.quick and not options.out:
            measured(_which(options), options)
            print("all of it works; nothing was saved, as figures of so short a run say nothing")
            return 0
        if options.compare:
            return _compare(results.load(folder / "results.json"), options)
        page = report.write(_with_saved(measured(_which(options), options), folder, options), folder)
    except (OSError, ValueError) as error:
        print(f"no saved run can be read ({error}); make one: make bench", file=sys.stderr)
        return USAGE
    except BenchmarkFailed as error:
        print(error, file=sys.stderr)
        return SLOWER
    print(f"wrote {page}, and results.json and results.svg beside it")
    return 0


def measured(which: Sequence[str], options: Namespace) -> Run:
    """The benchmarks of some files, or by name, run by pytest.

    Raises:
        BenchmarkFailed: one of them did not pass.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "benchmark.json")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=0"]
        command += [f"--rootdir={HERE.parent}"]
        command += ["--benchmark-disable-gc", "--benchmark-columns=min,median,rounds", f"--benchmark-json={out}"]
        command += [f"--seconds={options.seconds}"]
        command += [f"--photos={options.photos.expanduser().absolute()}"] if options.photos else []
        command += ["--quick"] if options.quick else []
        command += ["-k", options.only] if options.only else []
        if subprocess.run([*command, *which], cwd=HERE.parent, check=False).returncode:
            raise BenchmarkFailed("a benchmark failed; nothing was saved")
        return results.read_report(out, describe())


def _with_saved(run: Run, folder: Path, options: Namespace) -> Run:
    """Where only some benchmarks were run, the saved run with these in it, as long as it is of this machine."""
    saved = folder / "results.json"
    if (options.which or options.only) and saved.exists():
        before = results.load(saved)
        return before.updated(run) if before.machine == run.machine else run
    return run


def _which(options: Namespace) -> list[str]:
    return [str(path.absolute()) for path in options.which or [HERE]]


def _compare(before: Run, options: Namespace) -> int:
    after = measured(_which(options), options)
    after = compare.believed(before, after, lambda names: measured([str(HERE / name) for name in names], options))
    found = compare.changes(before, after)
    print(*compare.table(found), sep="\n")
    for label in [] if options.which or options.only else compare.missing(before, after):
        print(f"{label}: not compared, as it was not measured in the same way")
    if (one := before.machine.get("processor")) != (other := after.machine.get("processor")):
        print(f"the saved run is of another processor ({one}, this is {other}): the ratios are rough")
    regressions = sum(change.regressed for change in found)
    print(f"{len(found)} compared, {regressions} slower by more than {compare.TOLERANCE:.0%}")
    return SLOWER if regressions else 0


def _parse(arguments: Sequence[str] | None) -> Namespace:
    parser = ArgumentParser(description="Measure how fast aesth is.")
    parser.add_argument("which", nargs="*", type=Path, help="files of benchmarks; the saved run keeps the others")
    parser.add_argument("--photos", type=Path, help="measure over copies of photos of this folder")
    parser.add_argument("--compare", action="store_true", help="compare with the saved run instead of saving this one")
    parser.add_argument("--out", type=Path, help="where the saved run is")
    parser.add_argument("--seconds", type=float, default=2.0, help="about how long a benchmark may take")
    parser.add_argument("--quick", action="store_true", help="see that all works; the figures say nothing")
    parser.add_argument("-k", dest="only", metavar="EXPRESSION", help="some benchmarks only, as pytest has it")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
