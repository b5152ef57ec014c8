"""A run as a page of Markdown: the machine, a chart, and a table for each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from measuring import results
from measuring.chart import draw
from measuring.results import Result, Run, digits

TITLES = {
    "decode": "Decoding",
    "preprocess": "Resizing to the encoder's input",
    "encoder": "Encoding",
    "metadata": "Ratings in files",
    "known": "What is known already",
    "start": "Start",
    "pipeline": "`aesth tag` as a whole",
    "video": "Video",
    "previews": "Embedded previews",
    "peers": "Other ways to run such a network",
    "loader": "The loader of a training",
    "training": "Training",
}

HEAD = """# Results of the benchmarks

Measured on {date} by `make bench`; [README.md](README.md) tells what is measured, how, and what it is measured against.

| | |
|---|---|
{machine}

![Milliseconds for a photo or a frame](results.svg)

Times are milliseconds for one photo, frame, picture or start. "Fastest" and the percentiles are over all calls; of
fewer than 100 calls, p99 is the slowest. "A second" is by the median. "Times as long as" compares with what took turns
with it, round by round (median): only these ratios hold on another machine, or on this one tomorrow.
"""


def write(run: Run, folder: Path) -> Path:
    """Write ``results.json``, ``results.svg`` and ``RESULTS.md`` into ``folder``.

    Returns:
        the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    results.save(run, folder / "results.json")
    (folder / "results.svg").write_text(draw(run), encoding="utf-8")
    page = folder / "RESULTS.md"
    page.write_text(page_of(run), encoding="utf-8")
    return page


def page_of(run: Run) -> str:
    """The page as text."""
    machine = "\n".join(f"| {name} | {value} |" for name, value in run.machine.items())
    parts = [HEAD.format(date=run.date, machine=machine)]
    for group in dict.fromkeys([*TITLES, *(result.group for result in run.results)]):
        if members := [result for result in run.results if result.group == group]:
            parts += [f"## {TITLES.get(group, group)}\n", *table(members), ""]
    return "\n".join(parts)


def table(members: Sequence[Result]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| | fastest | p50 | p95 | p99 | calls | a second | times as long as |"
    yield "|---|---|---|---|---|---|---|---|"
    for result in members:
        times = (result.seconds, result.p50, result.p95, result.p99)
        cells = [result.label, *map(milliseconds, times), str(result.calls), rate(result), remarks(result)]
        yield f"| {' | '.join(cells)} |"


def milliseconds(seconds: float) -> str:
    """A time with three digits."""
    return digits(1000 * seconds)


def rate(result: Result) -> str:
    """Units a second."""
    return digits(result.per_second)


def remarks(result: Result) -> str:
    """What else there is to tell of a result, in words."""
    return "; ".join(_remarks(result))


def _remarks(result: Result) -> Iterator[str]:
    for name, other in result.beside.items():
        yield f"{other.ratio:.2f} x {name}"
    if "limit" in result.notes:
        limit, count = result.notes["limit"], result.notes["operations"]
        yield (
            f"{result.seconds / limit:.2f} x its {count / 1e9:.1f} billion operations in a matrix product"
            f" ({count / limit / 1e9:,.0f} billion a second)"
        )
    if "playing" in result.notes:
        yield f"{result.notes['playing'] * result.p50:.2f} x the film plays"
    if "told" in result.notes:
        yield str(result.notes["told"])
