"""The commands that have commands of their own."""

from __future__ import annotations

import typer

from aesth.cli.darktable import install_darktable
from aesth.cli.digikam import group_bursts, rank_library, tag_library, undo_library
from aesth.cli.digikam_install import install_digikam, open_with
from aesth.cli.guarding import guarded
from aesth.cli.options import with_groups
from aesth.cli.train import (
    evaluate_training,
    export_backbone,
    export_training,
    reproduce_models,
    run_training,
)
from aesth.cli.train_data import fetch_pictures, tell_popularity
from aesth.cli.train_evaluate import (
    EvaluateGroup,
    draw_saliency,
    evaluate_ava,
    evaluate_bursts,
    evaluate_fairness,
    evaluate_simple,
    evaluate_study,
    print_card,
)

train = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Train models on rated photos, and measure them. Needs the extra `train`.",
)
darktable = typer.Typer(no_args_is_help=True, add_completion=False, help="Work with darktable.")
digikam = typer.Typer(no_args_is_help=True, add_completion=False, help="Work with digiKam.")
evaluation = typer.Typer(
    cls=EvaluateGroup,
    no_args_is_help=True,
    help="Measure what a model is worth. `evaluate CONFIG.toml` is short for `evaluate folds CONFIG.toml`.",
)


@darktable.callback()
def _darktable() -> None:
    pass


for _name, _step in (
    ("fetch", fetch_pictures),
    ("popularity", tell_popularity),
    ("run", run_training),
    ("export", export_training),
    ("backbone", export_backbone),
    ("reproduce", reproduce_models),
    ("saliency", draw_saliency),
):
    train.command(_name)(guarded(_step))
for _name, _measure in (
    ("folds", evaluate_training),
    ("baselines", evaluate_simple),
    ("card", print_card),
    ("ava", evaluate_ava),
    ("study", evaluate_study),
    ("fairness", evaluate_fairness),
    ("bursts", evaluate_bursts),
):
    evaluation.command(_name)(guarded(_measure))
darktable.command("install")(guarded(install_darktable))
digikam.command("install")(guarded(install_digikam))
digikam.command("open", hidden=True)(guarded(open_with))
for _name, _act in (
    ("tag", tag_library),
    ("rank", rank_library),
    ("group", group_bursts),
    ("undo", undo_library),
):
    digikam.command(_name)(guarded(with_groups(_act)))
train.add_typer(evaluation, name="evaluate")
