"""`aesth score`: score photos and write nothing, or with many machines, write Parquet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from aesth.cli.options import OutputFlags, PhotoFlags, ScoringFlags, begin, option
from aesth.errors import ConfigError
from aesth.ray.locations import is_url

_option = partial(option, panel="Many machines")

Places = Annotated[
    list[str] | None,
    typer.Argument(metavar="PATH...", help="Photos, and folders of photos; URLs with Ray.", show_default=False),
]


class Engine(Enum):
    """What shares the photos out."""

    LOCAL = "local"
    RAY = "ray"


@dataclass(frozen=True)
class ClusterFlags:
    """Which machines score."""

    engine: Annotated[Engine, _option("--engine", help="local: this program (default); ray: workers of Ray.")] = (
        Engine.LOCAL
    )
    out: Annotated[
        str | None,
        _option("--out", metavar="DIR|URL", help="Folder that Ray's workers write Parquet files to."),
    ] = None
    address: Annotated[
        str | None,
        _option("--address", help="Of a Ray cluster. Default: RAY_ADDRESS, else this machine alone."),
    ] = None
    workers: Annotated[int | None, _option("--workers", min=1, help="Ray's workers. Default: as many as fit.")] = None
    gpus: Annotated[float | None, _option("--gpus", min=0, help="GPUs of each worker, such as 1 or 0.25.")] = None

    def given(self) -> list[str]:
        """The options that are there for Ray alone, and were given."""
        return [f"--{name}" for name in ("out", "address", "workers", "gpus") if getattr(self, name) is not None]


def score(
    scoring: ScoringFlags, which: PhotoFlags, output: OutputFlags, cluster: ClusterFlags, paths: Places = None
) -> None:
    """Score photos and write nothing: 0-100, the share of ordinary photos that a photo surpasses.

    With --engine ray, workers on one or many machines write the scores and embeddings to --out, a folder of Parquet
    files. The same command goes on where it was stopped.
    """
    if cluster.engine is Engine.RAY:
        from aesth.cli.cluster import score_on_ray

        score_on_ray(paths, scoring, which, output, cluster)
        return
    if cluster.given():
        raise ConfigError(f"{', '.join(cluster.given())} goes with --engine ray")
    if urls := [path for path in paths or () if is_url(path)]:
        raise ConfigError(f"{urls[0]} is a URL, which --engine ray can score")
    settings, photos = begin([Path(path) for path in paths or ()], which, output, scoring)
    from aesth.cli.running import make_scorer, remembered_scores, report
    from aesth.scoring import score_photos

    with remembered_scores(settings) as cache, make_scorer(settings, cache, photos.total) as scorer:
        report(
            photos,
            lambda watched: score_photos(watched, scorer, relative=settings.relative, would_block=photos.would_block),
            settings,
            writes=False,
        )
