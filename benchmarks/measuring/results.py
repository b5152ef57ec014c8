"""One run of the benchmarks: what was measured, where, kept as a small JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class Beside:
    """What was measured in turns with something.

    Attributes:
        seconds: its fastest time for a unit.
        ratio: how many times as long the thing itself took; the median over the rounds.
    """

    seconds: float
    ratio: float


@dataclass(frozen=True)
class Result:
    """One thing that was measured; times are seconds for one unit.

    Attributes:
        name: of the benchmark, by which pytest finds it.
        group: what it belongs to.
        label: what it is called in tables.
        unit: what is counted: photo, frame.
        count: units that one call gets done.
        calls: how often it was called; of fewer than 100, p99 is the slowest.
        seconds: the fastest.
        p50: half of the calls took no longer.
        p95: 95 of 100 took no longer.
        p99: 99 of 100 took no longer.
        load: the fixed work beside it.
        load_seconds: the fastest time of that.
        beside: by name, what else was measured in turns with it.
        notes: what else there is to tell, such as ``limit``, the least seconds that the arithmetic takes.
    """

    name: str
    group: str
    label: str
    unit: str
    count: int
    calls: int
    seconds: float
    p50: float
    p95: float
    p99: float
    load: str
    load_seconds: float
    beside: Mapping[str, Beside] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        """Units a second, in an ordinary call."""
        return 1 / self.p50

    @property
    def in_loads(self) -> float:
        """How many times the fixed work takes as long: the figure that is compared, as the machine cancels out."""
        return self.seconds / self.load_seconds


@dataclass(frozen=True)
class Run:
    """A run of the benchmarks.

    Attributes:
        date: ISO 8601.
        machine: what it ran on, by name.
        results: what was measured, in order.
    """

    date: str
    machine: Mapping[str, str]
    results: tuple[Result, ...]

    def by_name(self) -> dict[str, Result]:
        """The results by the names of their benchmarks."""
        return {result.name: result for result in self.results}

    def updated(self, other: Run) -> Run:
        """This run with what the other one measured in its place, or added."""
        return Run(other.date, other.machine, tuple((self.by_name() | other.by_name()).values()))

    def with_better(self, other: Run) -> Run:
        """This run, with what the other one measured to be faster in its place: the machine disturbed it less."""
        again = other.by_name()
        best = (min(one, again.get(one.name, one), key=lambda each: each.in_loads) for one in self.results)
        return replace(self, results=tuple(best))


def read_report(path: Path, machine: Mapping[str, str]) -> Run:
    """The run that pytest-benchmark reported in a JSON file; benchmarks that did not use `measure` are left out."""
    report = json.loads(path.read_text(encoding="utf-8"))
    results = (_result(one) for one in report["benchmarks"] if "label" in one["extra_info"])
    return Run(report["datetime"].split("T")[0], machine, tuple(results))


def save(run: Run, path: Path) -> None:
    """Keep a run in a file."""
    record = {"format": FORMAT, **asdict(run)}
    path.write_text(json.dumps(_rounded(record), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(path: Path) -> Run:
    """A run that was kept in a file.

    Raises:
        ValueError: it is none, or one of another format; measure it again.
    """
    record = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ValueError(f"{path} is no run of these benchmarks; make one with: make bench")
    return Run(record["date"], record["machine"], tuple(map(_restored, record["results"])))


def digits(value: float) -> str:
    """A number with three digits, or all that are before its point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}".rstrip(".")


def _result(report: Mapping[str, Any]) -> Result:
    known = {one for one in Result.__dataclass_fields__ if one not in ("name", "group", "beside", "notes")}
    info = report["extra_info"]
    return _restored(
        {
            "name": report["fullname"].removeprefix("benchmarks/"),
            "group": report["group"] or "other",
            **{key: value for key, value in info.items() if key in known},
            "beside": info["beside"],
            "notes": {key: value for key, value in info.items() if key not in known | {"beside"}},
        }
    )


def _restored(record: Mapping[str, Any]) -> Result:
    beside = {name: Beside(**one) for name, one in record["beside"].items()}
    return Result(**{**record, "beside": beside})


def _rounded(value: Any) -> Any:
    """Floats to four digits: more say nothing, and make a difference between files that is none."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, Mapping):
        return {key: _rounded(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_rounded(one) for one in value]
    return value
