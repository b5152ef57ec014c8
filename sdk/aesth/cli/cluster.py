"""`aesth score --engine ray`: progress and summary on stderr, everything else in Parquet."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import closing, redirect_stdout
from itertools import chain
from typing import TYPE_CHECKING

import typer

from aesth.cli.inputs import listed_paths
from aesth.cli.options import OutputFlags, PhotoFlags, ScoringFlags, settle
from aesth.cli.progress import Meter, Tally
from aesth.cli.running import console_of, how_to_score
from aesth.cli.stopping import GracefulStop
from aesth.cli.text import printable
from aesth.config import Settings
from aesth.decode.quiet import quiet_decoders
from aesth.errors import AesthError, ConfigError
from aesth.ray import Advance, Cluster, find_locations, score_to_parquet
from aesth.tagging import Action

if TYPE_CHECKING:
    from aesth.cli.score import ClusterFlags


def score_on_ray(
    paths: list[str] | None, scoring: ScoringFlags, which: PhotoFlags, output: OutputFlags, cluster: ClusterFlags
) -> None:
    """Score photos by workers of Ray, into a folder of Parquet files."""
    settings = settle(which, output, scoring, save=output.save_config)
    if output.save_config and not paths and which.files_from is None:
        return
    if not paths and which.files_from is None:
        raise typer.BadParameter("name photos or folders, or a list of them with --files-from", param_hint="PATH...")
    if cluster.out is None:
        raise ConfigError("--engine ray needs --out, the folder that Parquet files go to")
    if output.format is not None:
        raise ConfigError("--format is not for --engine ray, which writes Parquet files to --out")
    if settings.relative:
        raise ConfigError(
            "--relative needs all scores at once, which no worker has; rank the column `score` afterwards"
        )
    tally = Tally()
    listed = () if which.files_from is None else listed_paths(which.files_from, null=which.null).names()

    def note(error: AesthError) -> None:
        typer.echo(f"aesth: {printable(str(error))}", err=True)
        tally.count(Action.FAILED)

    locations = find_locations(
        chain(paths or (), listed),
        include=settings.include,
        exclude=settings.exclude,
        recursive=settings.recursive,
        since=which.since,
        on_error=note,
    )
    machines = Cluster(cluster.address, cluster.workers, settings.threads or 1, cluster.gpus or 0.0)
    run = score_to_parquet(locations, cluster.out, cluster=machines, **how_to_score(settings))
    _report(run, tally, settings)


@quiet_decoders()
def _report(run: Generator[Advance], tally: Tally, settings: Settings) -> None:
    """Show how far the run is, then the summary, and exit with the code that tells how it went."""
    console = console_of(sys.stderr)
    stop = GracefulStop()
    stopped = False
    found = 0
    meter = Meter(console, None, shown=not settings.quiet and console.is_terminal)
    with redirect_stdout(sys.stderr), meter, stop, closing(run):  # Ray prints on stdout that a worker died
        try:
            for advance in stop.between(run):
                found += advance.found
                meter.expect(found)
                meter.advance(advance.there + advance.scored + advance.failed)
                tally.count(Action.SCORED, advance.scored, scored=advance.scored)
                tally.count(Action.FAILED, advance.failed)
                tally.count(Action.SKIPPED, advance.there)
        except KeyboardInterrupt:
            stopped = True
    if stopped or not settings.quiet:
        before = [f"{tally.counts[Action.SKIPPED]} scored before"] if tally.counts[Action.SKIPPED] else []
        typer.echo(tally.summary(writes=False, stopped=stopped, found=before), err=True)
    if stopped or tally.failed:
        raise typer.Exit(stop.exit_code if stopped else 1)
