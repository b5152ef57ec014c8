"""`aesth train`: make a model. Its commands import the training when they run; the rest of the program never does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from aesth.cli.stopping import GracefulStop, said_aside
from aesth.extras import needs_extra


class Device(Enum):
    """Where the training computes."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


Config = Annotated[
    Path, typer.Argument(metavar="CONFIG.toml", exists=True, dir_okay=False, help="The recipe, a TOML file.")
]
Data = Annotated[
    Path,
    typer.Option(
        "--data", metavar="DIR", exists=True, file_okay=False, help="Rated pictures, photos and weights to start from."
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where checkpoints and results go.")]
Resume = Annotated[
    bool, typer.Option("--resume/--no-resume", help="Go on where a stopped run left off, or begin again.")
]
Where = Annotated[Device, typer.Option("--device", help="Where to compute; auto takes a GPU if there is one.")]
Catalogues = Annotated[
    list[Path] | None,
    typer.Option(
        "--catalogue",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="Rated pictures (file,score), pairs (better,worse) or popular ones (file,faves,views), instead of those of"
        " --data. Repeatable.",
    ),
]
Folds = Annotated[
    list[int] | None,
    typer.Option("--fold", metavar="N", min=0, help="Only this fold, 0 to 4. Repeatable. Default: all."),
]

_RUNS = Path("runs")

STOPPING = "Stopping after this step, picture or fit; Ctrl-C again stops at once."


@contextmanager
def stoppable() -> Iterator[None]:
    """Let one Ctrl-C or SIGTERM end the training inside where its state is kept, and a second one end it at once.

    Raises:
        typer.Exit: a signal came, with the code that shells expect.
    """
    from aesth.training.stopping import stopped_by

    with said_aside(STOPPING) as say, GracefulStop(say) as stop, stopped_by(stop.check):
        try:
            yield
            stop.check()
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(stop.exit_code) from interrupt


def run_training(
    config: Config,
    data: Data,
    out: Out = _RUNS,
    catalogue: Catalogues = None,
    resume: Resume = True,
    device: Where = Device.AUTO,
) -> None:
    """Train an encoder by a recipe, on all rated pictures; print where its weights are."""
    with needs_extra("train", "training"), stoppable():
        from aesth.training.run import run

        path = run(config=config, data=data, out=out, resume=resume, device=device.value, catalogues=catalogue or ())
    typer.echo(os.fsencode(path))


def evaluate_training(
    config: Config,
    data: Data,
    out: Out = _RUNS,
    fold: Folds = None,
    catalogue: Catalogues = None,
    resume: Resume = True,
    device: Where = Device.AUTO,
) -> None:
    """Train without each fold of the rated pictures in turn, and measure on it; print the figures as JSON.

    This is what `evaluate` does when it is given a recipe. Folds measured before are kept.
    """
    with needs_extra("train", "training"), stoppable():
        from aesth.training.catalogue import FOLDS
        from aesth.training.run import evaluate

        folds = fold or range(FOLDS)
        path = evaluate(
            config=config,
            data=data,
            out=out,
            resume=resume,
            device=device.value,
            folds=folds,
            catalogues=catalogue or (),
        )
    typer.echo(path.read_text("utf-8"), nl=False)


def export_training(
    config: Config,
    data: Data,
    models: Annotated[
        Path | None,
        typer.Option(
            "--models", metavar="DIR", file_okay=False, help="Where the fp16 and int8 models go. Default: as --out."
        ),
    ] = None,
    out: Out = _RUNS,
    catalogue: Catalogues = None,
    resume: Resume = True,
    device: Where = Device.AUTO,
) -> None:
    """Export the encoder trained on all rated pictures as ONNX files, fp32, fp16 and int8; print where they are.

    What `run` has not trained to its end is trained first. Figures that `evaluate` left in --out go into the files.
    """
    with needs_extra("train", "training"), stoppable():
        from aesth.training.publish import export_models

        paths = export_models(
            config=config,
            data=data,
            out=out,
            models=models or out,
            resume=resume,
            device=device.value,
            catalogues=catalogue or (),
        )
    for path in paths:
        typer.echo(os.fsencode(path))


def export_backbone(
    name: Annotated[str, typer.Argument(metavar="NAME", help="mobilenet_v2, inception_v3 or resnet50.")],
    data: Data,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where the model goes.")] = _RUNS,
) -> None:
    """Export a backbone as it came, with no training of ours, as an ONNX file to set beside a model; print where it is.

    Its score is the norm of its pooled features, on the scale of --data's photos: it means nothing for the beauty of a
    photo. `aesth explain --beside FILE` draws what it depends on.
    """
    with needs_extra("train", "training"):
        from aesth.training.plain import export_plain

        path = export_plain(name, data, out)
    typer.echo(os.fsencode(path))


def reproduce_models(
    data: Data,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Bundled recipes. Default: all whose model ships.")
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Where each model gets a folder, DIR/NAME.")
    ] = _RUNS,
    models: Annotated[
        Path | None,
        typer.Option(
            "--models",
            metavar="DIR",
            file_okay=False,
            help="Where the fp16 and int8 models go. Default: DIR/NAME of --out.",
        ),
    ] = None,
    measured: Annotated[
        bool, typer.Option("--evaluate/--no-evaluate", help="Measure each first, as `evaluate folds` does.")
    ] = True,
    resume: Resume = True,
    device: Where = Device.AUTO,
) -> None:
    """Make the models that ship again, from the recipes that ship; print where they are.

    Each is measured by folds, trained on all rated pictures and exported; DIR/NAME/figures.json holds its figures.
    """
    with needs_extra("train", "training"), stoppable():
        from aesth.training.reproduce import reproduce

        made = reproduce(
            names or (), data=data, out=out, models=models, measured=measured, resume=resume, device=device.value
        )
        for path in made:
            typer.echo(os.fsencode(path))
