"""The program: its commands, each of which is loaded when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from aesth._version import __version__
from aesth.cli.lazy import LazyGroup

COMMANDS: Mapping[str, tuple[str, str]] = {
    "tag": (
        "aesth.cli.tag:tag",
        "Score photos and write their stars, where photo managers show and sort by them.",
    ),
    "watch": (
        "aesth.cli.watch:watch",
        "Tag new photos as they arrive in folders: from cards, tethered cameras, phones that sync.",
    ),
    "score": (
        "aesth.cli.score:score",
        "Score photos and write nothing: 0-100, the share of ordinary photos that a photo surpasses.",
    ),
    "best": (
        "aesth.cli.best:best",
        "Find bursts, and the best photo of each; write it with --pick and --reject-rest only.",
    ),
    "top": (
        "aesth.cli.top:top",
        "Show the best photos, the best first; write nothing.",
    ),
    "sort": (
        "aesth.cli.sort:sort",
        "Put photos into a folder, the best first: under names that begin with their rank.",
    ),
    "report": (
        "aesth.cli.report:report",
        "Make a page that shows photos by score, to look at, filter and choose from.",
    ),
    "video": (
        "aesth.cli.video:video",
        "Find the best spots of videos: the peaks of their smoothed score curve.",
    ),
    "learn": (
        "aesth.cli.learn:learn",
        "Learn your own taste from stars that you gave, or from choices between two photos.",
    ),
    "explain": (
        "aesth.cli.explain:explain",
        "Show which parts of a photo raise and lower its score, and what can be measured of it, as a picture.",
    ),
    "similar": (
        "aesth.cli.similar:similar",
        "Find photos that are one picture, at other sizes, crops or edits; write nothing.",
    ),
    "undo": (
        "aesth.cli.undo:undo",
        "Give photos the metadata back that they had before a run of `aesth tag`.",
    ),
    "history": (
        "aesth.cli.history:history",
        "List the runs that wrote into photos: when, what, and how many of the photos have been undone since.",
    ),
    "cache": (
        "aesth.cli.cache:cache",
        "Tell what is remembered, so that no photo is scored twice, or forget it.",
    ),
    "doctor": (
        "aesth.cli.doctor:doctor",
        "Tell what is installed, what is missing and what to do; exit with 3 if something needed is missing.",
    ),
    "models": (
        "aesth.cli.models:models",
        "List the models that come with aesth: size, licence, checksum.",
    ),
    "darktable": (
        "aesth.cli.trees:darktable",
        "Work with darktable.",
    ),
    "digikam": (
        "aesth.cli.trees:digikam",
        "Work with digiKam.",
    ),
    "train": (
        "aesth.cli.trees:train",
        "Train models on rated photos, and measure them. Needs the extra `train`.",
    ),
}
"""Where each command is found, and its summary: the first paragraph of its help."""


class _Commands(LazyGroup):
    places = COMMANDS


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Score how pleasing people will find a photo, and write star ratings where photographers look.",
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"aesth {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version.")
    ] = False,
) -> None:
    pass
