"""A run as a chart: milliseconds for a photo or frame, on a logarithmic scale; readable on light and on dark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from measuring.results import Result, Run, digits

GROUPS = ("decode", "preprocess", "encoder", "metadata", "pipeline", "video", "peers")
"""What is drawn, in this order; of the encoder, batches of 8 alone."""

WIDTH, NAMES, NUMBERS = 970, 470, 60
"""Of the chart, its names and its numbers, in pixels."""

ROW, BAR, GAP, TOP = 20, 12, 10, 40

STYLE = """
.ground { fill: #ffffff } .text { fill: #1f2328; font: 12px sans-serif } .line { stroke: #d1d9e0 }
.ours { fill: #1a7f64 } .other { fill: #9a6700 }
@media (prefers-color-scheme: dark) {
.ground { fill: #0d1117 } .text { fill: #e6edf3 } .line { stroke: #3d444d }
.ours { fill: #3fb78f } .other { fill: #d29922 }
}
"""


def draw(run: Run) -> str:
    """The chart as SVG."""
    rows = [[result for result in run.results if result.group == group and _is_drawn(result)] for group in GROUPS]
    rows = [members for members in rows if members]
    height = TOP + sum(len(members) * ROW + GAP for members in rows) + ROW
    scale = Scale([result.p50 for members in rows for result in members])
    parts = [*_axis(scale, height), *_bars(rows, scale)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="Milliseconds for a photo or a frame">\n<style>{STYLE}</style>\n'
        f'<rect class="ground" width="{WIDTH}" height="{height}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class Scale:
    """Seconds to pixels, by the logarithm, from the power of ten below the shortest to that above the longest."""

    def __init__(self, times: Sequence[float]) -> None:
        self.first = math.floor(math.log10(1000 * min(times, default=0.001)))
        self.last = max(self.first + 1, math.ceil(math.log10(1000 * max(times, default=1.0))))

    def __call__(self, seconds: float) -> float:
        """Where a time lies."""
        share = (math.log10(1000 * seconds) - self.first) / (self.last - self.first)
        return NAMES + max(share, 0.002) * (WIDTH - NAMES - NUMBERS)


def is_other(result: Result) -> bool:
    """Whether a result is not ours, but what ours is compared with."""
    return result.group == "peers" or "plain way" in result.label


def _is_drawn(result: Result) -> bool:
    return result.group != "encoder" or result.count == 8


def _axis(scale: Scale, height: int) -> Iterator[str]:
    for power in range(scale.first, scale.last + 1):
        x = scale(10.0 ** (power - 3))
        yield f'<line class="line" x1="{x:.0f}" x2="{x:.0f}" y1="{TOP - 8}" y2="{height - ROW}"/>'
        yield f'<text class="text" x="{x:.0f}" y="{TOP - 14}" text-anchor="middle">{10.0**power:,g} ms</text>'


def _bars(rows: Sequence[Sequence[Result]], scale: Scale) -> Iterator[str]:
    y = TOP
    for members in rows:
        for result in members:
            end, kind = scale(result.p50), "other" if is_other(result) else "ours"
            name = escape(_short(result.label))
            yield f'<text class="text" x="{NAMES - 8}" y="{y + 11}" text-anchor="end">{name}</text>'
            yield f'<rect class="{kind}" x="{NAMES}" y="{y}" width="{end - NAMES:.1f}" height="{BAR}"/>'
            yield f'<text class="text" x="{end + 5:.0f}" y="{y + 11}">{digits(1000 * result.p50)}</text>'
            y += ROW
        y += GAP


def _short(label: str, longest: int = 72) -> str:
    return label if len(label) <= longest else f"{label[: longest - 1]}…"
