"""`aesth train fetch | popularity`: from a list of URLs to a catalogue to learn from."""

from __future__ import annotations

import json
import os
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aesth.cli.stopping import GracefulStop
from aesth.extras import needs_extra

if TYPE_CHECKING:
    from aesth.training.fetch import Fetched

Listing = Annotated[
    Path, typer.Argument(metavar="LIST", exists=True, dir_okay=False, help="Lines url;faves;views, as AROD's.")
]


def fetch_pictures(
    listing: Listing,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where pictures are kept.")],
    side: Annotated[
        int, typer.Option(min=1, metavar="PIXELS", help="Short side that larger pictures are reduced to.")
    ] = 320,
    quality: Annotated[int, typer.Option(min=1, max=95, help="Of the JPEG files that are kept.")] = 92,
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Pictures at a time.")] = 8,
    rate: Annotated[float, typer.Option(metavar="N", help="Requests to one host in a second.")] = 5.0,
    retries: Annotated[int, typer.Option(min=0, help="Further tries after a failure that may pass.")] = 4,
    back_off: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Wait before the first of them; it doubles each time.")
    ] = 1.0,
    longest_wait: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="A picture whose server asks for a longer wait is given up.")
    ] = 120.0,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", help="A try fails after as long without an answer or data.")
    ] = 30.0,
    max_size: Annotated[float, typer.Option(metavar="MB", help="Larger files are not fetched.")] = 50.0,
) -> None:
    """Fetch the pictures of a list, those that are not there yet; print where the catalogue of them is.

    DIR/failures.csv tells what could not be had, and why; the same command tries that again.
    """
    with needs_extra("train", "training"):
        from aesth.decode.quiet import quiet_decoders
        from aesth.training.fetch import CATALOGUE, FAILURES, FetchOptions, fetch_list, read_list
        from aesth.training.progress import counted

        options = FetchOptions(
            jobs=jobs,
            rate=rate,
            retries=retries,
            back_off=back_off,
            longest_wait=longest_wait,
            timeout=timeout,
            max_bytes=round(max_size * 1e6),
            side=side,
            quality=quality,
        )
        entries = read_list(listing)
    tally: Counter[str] = Counter()
    stop, stopped = GracefulStop(), False
    with quiet_decoders(), counted("pictures", len(entries)) as advance, stop:
        try:
            with closing(fetch_list(entries, out, options)) as outcomes:
                for fetched in stop.between(outcomes):
                    tally[_outcome(fetched)] += 1
                    advance(1)
        except KeyboardInterrupt:
            stopped = True
    typer.echo(os.fsencode(out / CATALOGUE))
    typer.echo(_summary(tally, len(entries), out / FAILURES, stopped=stopped), err=True)
    if stopped or tally["failed"]:
        raise typer.Exit(stop.exit_code if stopped else 1)


def tell_popularity(
    listing: Annotated[
        Path,
        typer.Argument(
            metavar="CATALOGUE",
            exists=True,
            dir_okay=False,
            help="Lines url;faves;views, or the catalogue.csv of `fetch`.",
        ),
    ],
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="FILE", dir_okay=False, help="Draw the histogram: .png, .svg or .pdf."),
    ] = None,
    bins: Annotated[int, typer.Option(min=1, max=1000, help="Bars of the histogram.")] = 20,
) -> None:
    """Tell how popularity, S = log F / log V, is spread over a catalogue, as JSON; --plot draws it."""
    with needs_extra("train", "training"):
        from aesth.training.histogram import plot_popularity, popularity_report

        report = popularity_report(listing, bins)
        if plot is not None:
            plot_popularity(report, plot)
    typer.echo(json.dumps(report.to_dict(), indent=2))


def _outcome(fetched: Fetched) -> str:
    if fetched.failure is not None:
        return "failed"
    return "fetched" if fetched.new else "there"


def _summary(tally: Counter[str], total: int, failures: Path, *, stopped: bool) -> str:
    line = f"{total} pictures: {tally['fetched']} fetched, {tally['there']} there before, {tally['failed']} failed"
    if tally["failed"]:
        line += f"; {failures} tells why"
    return f"Stopped; {line}. The same command goes on." if stopped else line
