"""`aesth train evaluate` with all but `folds`, and `aesth train saliency`: what a model is worth, and why."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from aesth.cli.options import ReportFormat
from aesth.cli.train import Catalogues, Config, Data, Device, Folds, Out, Resume, Where
from aesth.errors import ConfigError
from aesth.extras import needs_extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aesth.training.user_study import Row

DEFAULT = "folds"


class EvaluateGroup(TyperGroup):
    """Without the name of a command, what is given goes to `DEFAULT`: `evaluate CONFIG.toml` stays what it was."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command first where none is named."""
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


Backbones = Annotated[
    Path, typer.Option("--backbones", metavar="DIR", file_okay=False, help="ImageNet weights, used without --weights.")
]
Weights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="What `aesth train run` wrote. Default: ImageNet weights.",
    ),
]


def evaluate_simple(
    config: Config,
    data: Data,
    out: Out = Path("runs"),
    fold: Folds = None,
    catalogue: Catalogues = None,
    device: Where = Device.AUTO,
) -> None:
    """What simpler means make of a recipe's backbones as ImageNet left them; print the figures as JSON.

    Ridge regression on the ratings, alone and with pairs of photos and their damaged copies, on the features of each
    backbone and of all, by the same folds; and how well one person agrees with the crowd. Needs no `folds` before.
    """
    with needs_extra("train", "training"):
        from aesth.training import baselines
        from aesth.training.catalogue import FOLDS

        path = baselines.evaluate_baselines(
            config=config,
            data=data,
            out=out,
            device=device.value,
            folds=fold or range(FOLDS),
            catalogues=catalogue or (),
        )
    typer.echo(path.read_text("utf-8"), nl=False)


def print_card(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="RUN_FOLDER", exists=True, file_okay=False, help="The --out of `evaluate folds`, with figures.json."
        ),
    ],
    baselines: Annotated[
        Path | None,
        typer.Option(
            "--baselines",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="What `evaluate baselines` wrote. Default: baselines.json of the folder, if it is there.",
        ),
    ] = None,
    fairness: Annotated[
        Path | None,
        typer.Option(
            "--fairness", metavar="FILE", exists=True, dir_okay=False, help="What `evaluate fairness` printed."
        ),
    ] = None,
) -> None:
    """Print the figures of a run as the Markdown tables of a model card."""
    with needs_extra("train", "training"):
        from aesth.training.card import card

        text = card(folder, baselines, fairness)
    # Markdown files are UTF-8 wherever they are made.
    typer.echo(text.encode(), nl=False)


def evaluate_ava(
    labels: Annotated[
        Path, typer.Option("--labels", metavar="AVA.txt", exists=True, dir_okay=False, help="AVA's list of ratings.")
    ],
    images: Annotated[
        Path, typer.Option("--images", metavar="DIR", exists=True, file_okay=False, help="The pictures, NUMBER.jpg.")
    ],
    test_list: Annotated[
        Path | None,
        typer.Option(
            "--test-list",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Pictures to measure on. Default: aesthetics_image_lists/generic_test.jpgl beside AVA.txt.",
        ),
    ] = None,
    train_list: Annotated[
        Path | None,
        typer.Option(
            "--train-list",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Pictures to learn from. Default: all others.",
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            "--recipe",
            metavar="CONFIG.toml",
            exists=True,
            dir_okay=False,
            help="Says what the encoder is made of. Default: the paper's.",
        ),
    ] = None,
    weights: Weights = None,
    backbones: Backbones = Path("backbones"),
    epochs: Annotated[int, typer.Option("--epochs", min=0, help="Times that every picture is shown.")] = 2,
    batch: Annotated[int, typer.Option("--batch", min=1, help="Pictures in a step.")] = 32,
    rate: Annotated[float, typer.Option("--rate", min=0, help="Learning rate of the encoder at the start.")] = 1e-3,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Learn from so many pictures at most. 0: all.")] = 0,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Pictures decoded at a time. Default: every core.")
    ] = None,
    out: Out = Path("runs"),
    resume: Resume = True,
    device: Where = Device.AUTO,
) -> None:
    """Fine-tune an encoder to AVA; print accuracy at 5, SRCC and PLCC on the official split as JSON."""
    with needs_extra("train", "training"):
        from aesth.training import ava_benchmark
        from aesth.training.fine_tuning import Plan

        path = ava_benchmark.evaluate_ava(
            labels=labels,
            images=images,
            test_list=test_list,
            train_list=train_list,
            config=recipe,
            weights=weights,
            backbones=backbones,
            plan=Plan(epochs=epochs, batch=batch, rate=rate, limit=limit),
            jobs=jobs,
            out=out,
            resume=resume,
            device=device.value,
        )
    typer.echo(path.read_text("utf-8"), nl=False)


def evaluate_study(
    pairs: Annotated[
        Path, typer.Argument(metavar="PAIRS.csv", exists=True, dir_okay=False, help="Pairs, votes and scores.")
    ],
    distance: Annotated[
        list[float] | None,
        typer.Option(
            "--distance",
            metavar="D",
            min=0,
            help="Count pairs whose scores are further apart. Repeatable. Default: 0.1 to 0.6.",
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="Where the pictures are. Default: where the list is.",
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", metavar="NAME|FILE", help="Scores the pictures where the list has no scores.")
    ] = "default",
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE.png", dir_okay=False, help="Draw the agreement.")
    ] = None,
    format: Annotated[ReportFormat, typer.Option("--format", help="How it is printed.")] = ReportFormat.TABLE,  # noqa: A002
) -> None:
    """Do people prefer the picture with the higher score? Agreement by score distance, and its significance."""
    with needs_extra("train", "training"):
        from aesth.scorer import Scorer
        from aesth.training.user_study import DISTANCES, agreement_by_distance, read_preferences, scores_of

        found = read_preferences(pairs, images)
        if any(pair.scores is None for pair in found):
            with Scorer(model) as scorer:
                scores = scores_of(found, scorer)
        else:
            scores = scores_of(found)
        votes = [(pair.votes_left, pair.votes_right) for pair in found]
        rows = agreement_by_distance(scores, votes, distance or DISTANCES)
        if plot is not None:
            from aesth.training.plots import plot_study

            plot_study(rows, plot)
    if format is ReportFormat.JSON:
        typer.echo(json.dumps([row.to_dict() for row in rows], indent=2))
    else:
        Console(highlight=False).print(_study_table(rows))


def evaluate_fairness(
    data: Data,
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="CONFIG.toml",
            exists=True,
            dir_okay=False,
            help="A recipe, measured fold by fold. Default: a model.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME|FILE", help="The model, in place of a recipe. Default: the bundled one."),
    ] = None,
    out: Out = Path("runs"),
    catalogue: Catalogues = None,
    device: Where = Device.AUTO,
) -> None:
    """Are black-and-white photos, or people with darker skin, marked down? Print the figures as JSON.

    --out and --device are for a recipe, whose folds are trained where `evaluate folds` did not do so.
    """
    if config is not None and model is not None:
        raise ConfigError("a recipe and a model are measured one at a time; leave out one of the two")
    if config is None and catalogue:
        raise ConfigError("--catalogue is what a recipe learned from; name the recipe, or leave it out")
    with needs_extra("train", "training"):
        from aesth.training import fairness_run

        if config is not None:
            figures = fairness_run.fairness_of_recipe(config, data, out, device.value, catalogue or ())
        else:
            figures = fairness_run.fairness_of_model(model or "default", data)
    typer.echo(json.dumps(figures, indent=2))


def evaluate_bursts(
    data: Data,
    part: Annotated[
        str,
        typer.Option("--part", metavar="test|choice", help="Photos that are kept out, or that weights are chosen on."),
    ] = "test",
    fault: Annotated[
        list[str] | None,
        typer.Option(
            "--fault", metavar="NAME", help="shake, focus, exposure, framing, mixed. Repeatable. Default: all."
        ),
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, help="Rated pictures, and photos without, at most.")] = 60,
    model: Annotated[str, typer.Option("--model", metavar="NAME|FILE", help="What scores the frames.")] = "default",
) -> None:
    """How often is the best photo of a burst found? Of made bursts, by kind of fault; print the figures as JSON.

    With --part choice, also the weights of `aesth.apps.ranking` that find it most likely there.
    """
    with needs_extra("train", "training"):
        from aesth.training.bursts import Fault
        from aesth.training.bursts_run import Part, measure_bursts

        try:
            faults = [Fault(name) for name in fault or ()] or list(Fault)
            photos = Part(part)
        except ValueError as error:
            raise ConfigError(f"{error}; see --help") from error
        figures = measure_bursts(data, photos, model, faults, most)
    typer.echo(json.dumps(figures, indent=2))


def draw_saliency(
    config: Config,
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO", exists=True, dir_okay=False, help="Photos to look at.")
    ],
    weights: Annotated[
        Path,
        typer.Option("--weights", metavar="FILE", exists=True, dir_okay=False, help="What `aesth train run` wrote."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where the overlays go.")],
    backbones: Annotated[
        Path | None,
        typer.Option(
            "--backbones",
            metavar="DIR",
            file_okay=False,
            help="ImageNet weights of the plain backbone. Default: no comparison.",
        ),
    ] = None,
) -> None:
    """Draw where an encoder looks (guided ReLU), beside its backbone before training; print the files as JSON."""
    with needs_extra("train", "training"):
        from aesth.training import saliency_run

        found = saliency_run.draw_saliency(config=config, weights=weights, photos=photos, out=out, backbones=backbones)
    typer.echo(os.fsencode(json.dumps([one.to_dict() for one in found], indent=2)))


def _study_table(rows: Sequence[Row]) -> Table:
    columns = ("Distance", "Pairs", "Votes", "Mean", "Variance", "KS", "KS p", "U", "U p")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, justify="right")
    for row in rows:
        shown = (row.mean, row.variance, row.ks_statistic, row.ks_p)
        figures = ["-" if math.isnan(value) else f"{value:.3g}" for value in (*shown, row.u_statistic, row.u_p)]
        table.add_row(f"> {row.distance:g}", str(row.pairs), str(row.votes), *figures)
    return table
