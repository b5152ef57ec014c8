"""Two runs, compared by ratio: what takes longer than it did, once the speed of the machine is divided out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from measuring.results import Result, Run

TOLERANCE = 0.15
"""What takes longer by a greater share than this is a regression."""


@dataclass(frozen=True)
class Change:
    """One benchmark in two runs.

    Attributes:
        before: in the saved run.
        after: in the new one.
    """

    before: Result
    after: Result

    @property
    def ratio(self) -> float:
        """How many times as long it takes now, each time divided by that of the fixed load beside it."""
        return self.after.in_loads / self.before.in_loads

    @property
    def regressed(self) -> bool:
        """Whether it takes longer by more than `TOLERANCE`."""
        return self.ratio > 1 + TOLERANCE


def changes(before: Run, after: Run) -> list[Change]:
    """What both runs measured in the same way."""
    found = after.by_name()
    pairs = ((one, found[one.name]) for one in before.results if one.name in found)
    return [Change(one, other) for one, other in pairs if _is_same_work(one, other)]


def believed(before: Run, after: Run, measure_again: Callable[[Sequence[str]], Run], times: int = 2) -> Run:
    """The new run, with what looks slower measured again, so often, and the best of it taken.

    What is slower by chance is not so three times.

    Args:
        before: the saved run.
        after: the new one.
        measure_again: measures the benchmarks of these names.
        times: how often at most.
    """
    for _ in range(times):
        slower = [change.after.name for change in changes(before, after) if change.regressed]
        if not slower:
            break
        after = after.with_better(measure_again(slower))
    return after


def missing(before: Run, after: Run) -> list[str]:
    """What the new run lacks, or measured in another way."""
    compared = {change.before.name for change in changes(before, after)}
    return [result.label for result in before.results if result.name not in compared]


def table(found: Sequence[Change]) -> Iterator[str]:
    """Lines that tell of all changes, the regressions marked."""
    width = max((len(change.after.label) for change in found), default=0)
    for change in found:
        mark = "  <- slower" if change.regressed else ""
        times = f"{_milliseconds(change.before)} -> {_milliseconds(change.after)}"
        yield f"{change.after.label:{width}}  {times:>26} ms  x {change.ratio:4.2f}{mark}"


def _is_same_work(one: Result, other: Result) -> bool:
    return (one.unit, one.count, one.load) == (other.unit, other.count, other.load)


def _milliseconds(result: Result) -> str:
    return f"{1000 * result.seconds:.4g}"
