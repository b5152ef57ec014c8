"""Simulate people who rate the pictures of OASIS, and measure what learning their taste gains on themes not seen.

OASIS tells mean ratings alone, so people are made: what a person feels for a picture is 0.6 of what all feel (the mean
rating), 0.6 of a trait that they like, and chance, all in standard deviations, cut into stars by the shares that
`aesth.scale` has. Traits are categories (such as pictures of people) and qualities of the pixels (such as dark). Who
agrees has no trait and more chance; who rates at random has chance alone. Ratings and choices are of pictures of the
folds that are not held out, and a theme counts as a day.

    python scripts/taste_curve.py DATA --folds 0 1 2 3      # by which recipes are chosen
    python scripts/taste_curve.py DATA --folds 4 --plot docs/taste.svg
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from aesth import Scorer
from aesth.apps.personal.asking import next_pair
from aesth.apps.personal.choices import CHOICE_RIDGE, Looks, Pairs, learn_from_choices
from aesth.apps.personal.learning import Learnt, learn_from_stars
from aesth.apps.personal.ridge import RIDGE
from aesth.training.catalogue.splits import FOLDS, fold
from aesth.training.metrics import pair_accuracy

Numbers: TypeAlias = NDArray[np.float64]
Numbered: TypeAlias = NDArray[np.intp]

RATINGS = (30, 100, 300)
CHOICES = (30, 60, 120)
TO_CHOOSE_FROM = 200
SHARED, OWN = 0.6, 0.6
STARS = (0.1, 0.35, 0.7, 0.93)
AGREES, RANDOM = "agrees with all", "rates at random"


@dataclass(frozen=True)
class Pictures:
    """OASIS, as the simulation sees it: of each picture its embedding, theme, fold, mean rating and traits."""

    embeddings: NDArray[np.float32]
    themes: NDArray[np.intp]
    folds: NDArray[np.intp]
    beauty: Numbers
    traits: Mapping[str, Numbers]


@dataclass(frozen=True)
class Person:
    """What somebody likes in truth, how much is chance each time, and the stars that they gave to every picture."""

    liked: Numbers
    chance: float
    stars: Numbers


Learner: TypeAlias = Callable[[Pictures, Person, Numbered, int, np.random.Generator, float], Learnt]


@dataclass(frozen=True)
class Run:
    """One person who learnt by so many answers: shares of pairs of the held-out fold that are ordered as they did."""

    person: str
    answers: int
    general: float
    used: float
    kept: bool
    told: float


def main() -> None:
    """Measure, and print tables in Markdown."""
    options = arguments()
    pictures = read(options.data, options.model)
    learners = {"stars": (RATINGS, by_stars, options.ridge), "choices": (CHOICES, by_choices, options.choice_ridge)}
    for source in options.source:
        numbers, learner, ridges = learners[source]
        for ridge in ridges:
            runs = list(simulated(pictures, options.folds, options.repeats, numbers, learner, ridge))
            head = f"{source}, ridge {ridge:g}, held out in turn: folds {options.folds}, {options.repeats} times each"
            sys.stdout.write("\n".join(["", head, "", *table(runs), ""]))
            if options.plot and source == "stars":
                plot(runs, options.plot)


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with oasis/")
    parser.add_argument("--folds", type=int, nargs="+", choices=range(FOLDS), default=[0, 1, 2, 3])
    parser.add_argument("--repeats", type=int, default=5, help="people of each kind for each fold")
    parser.add_argument("--source", nargs="+", choices=("stars", "choices"), default=["stars"])
    parser.add_argument("--ridge", type=float, nargs="+", default=[RIDGE])
    parser.add_argument("--choice-ridge", type=float, nargs="+", default=[CHOICE_RIDGE])
    parser.add_argument("--model", default="default")
    parser.add_argument("--plot", type=Path, help="SVG of the learning curve from stars")
    return parser.parse_args()


def read(data: Path, model: str) -> Pictures:
    """The pictures of OASIS under ``data``, by the embeddings of ``model``."""
    with (data / "oasis" / "ratings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    files = [data / "oasis" / "images" / row["file"] for row in rows]
    with Scorer(model) as scorer:
        embeddings = scorer.embed(files)
    categories = np.array([row["category"] for row in rows])
    traits = {
        f"likes {name}": standard((categories == category).astype(float))
        for name, category in (("animals", "Animal"), ("people", "Person"), ("scenes", "Scene"), ("objects", "Object"))
    }
    qualities = np.array([qualities_of(file) for file in files])
    names = ("colourful", "dark", "warm", "calm")
    traits |= {f"likes {name}": standard(qualities[:, number]) for number, name in enumerate(names)}
    return Pictures(
        embeddings,
        np.unique([row["theme"] for row in rows], return_inverse=True)[1],
        np.array([fold(row["theme"]) for row in rows]),
        standard(np.array([float(row["beauty_mean"]) for row in rows])),
        traits,
    )


def qualities_of(file: Path) -> list[float]:
    """How colourful (Hasler and Süsstrunk 2003), dark, warm, and free of edges a picture is, in units of its own."""
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB").resize((250, 200)), np.float64)
    red, green, blue = np.moveaxis(pixels, -1, 0)
    opponents = (red - green, (red + green) / 2 - blue)
    colourful = np.hypot(*(o.std() for o in opponents)) + 0.3 * np.hypot(*(o.mean() for o in opponents))
    light = pixels @ (0.299, 0.587, 0.114)
    edges = np.abs(np.diff(light, axis=0)).mean() + np.abs(np.diff(light, axis=1)).mean()
    return [float(colourful), -float(light.mean()), float(red.mean() - blue.mean()), -float(edges)]


def simulated(
    pictures: Pictures, folds: Sequence[int], repeats: int, numbers: Sequence[int], learner: Learner, ridge: float
) -> Iterator[Run]:
    """People of every kind, of whom each fold is foretold in turn; fold 4 only where it is held out itself."""
    kinds = (AGREES, RANDOM, *pictures.traits)
    for number in numbers:
        for place, kind in enumerate(kinds):
            for held_out in folds:
                for repeat in range(repeats):
                    random = np.random.default_rng([number, place, held_out, repeat])
                    yield run(pictures, kind, number, held_out, random, learner, ridge)


def run(
    pictures: Pictures,
    kind: str,
    number: int,
    held_out: int,
    random: np.random.Generator,
    learner: Learner,
    ridge: float,
) -> Run:
    """One person."""
    person = make_person(pictures, kind, random)
    seen = np.flatnonzero(~np.isin(pictures.folds, (held_out, FOLDS - 1)))
    learnt = learner(pictures, person, seen, number, random, ridge)
    new = pictures.folds == held_out
    stars = person.stars[new]
    general = pair_accuracy(np.linalg.norm(pictures.embeddings[new], axis=1), stars)
    used = pair_accuracy(learnt.taste.norms(pictures.embeddings[new]), stars) if learnt.taste else general
    told = learnt.gain.personal - learnt.gain.general if learnt.gain else 0.0
    return Run(kind, number, general, used, learnt.taste is not None, told)


def make_person(pictures: Pictures, kind: str, random: np.random.Generator) -> Person:
    """Somebody of this kind."""
    shared, own = {AGREES: (SHARED, 0.0), RANDOM: (0.0, 0.0)}.get(kind, (SHARED, OWN))
    liked = shared * pictures.beauty + own * pictures.traits.get(kind, np.zeros_like(pictures.beauty))
    chance = (1 - shared**2 - own**2) ** 0.5
    felt = liked + chance * random.standard_normal(len(liked))
    return Person(liked, chance, 1.0 + np.searchsorted(np.quantile(felt, STARS), felt))


def by_stars(
    pictures: Pictures, person: Person, seen: Numbered, number: int, random: np.random.Generator, ridge: float
) -> Learnt:
    """Learn from the stars of so many pictures, drawn at random among ``seen``."""
    rated = random.choice(seen, number, replace=False)
    return learn_from_stars(person.stars[rated], pictures.embeddings[rated], pictures.themes[rated], "m", ridge)


def by_choices(
    pictures: Pictures, person: Person, seen: Numbered, number: int, random: np.random.Generator, ridge: float
) -> Learnt:
    """Learn from so many choices between pictures of ``seen``, each of which is felt anew."""
    drawn = random.choice(seen, TO_CHOOSE_FROM, replace=False)
    looks = Looks.of(pictures.embeddings[drawn])
    shown: list[tuple[int, int]] = []
    choices: Pairs = np.empty((0, 2), np.intp)
    for _ in range(number):
        pair = next_pair(looks, choices, shown, random)
        shown.append(pair)
        one, other = person.liked[drawn[list(pair)]] + person.chance * random.standard_normal(2)
        choices = np.vstack([choices, [pair if one > other else pair[::-1]]])
    return learn_from_choices(choices, pictures.embeddings[drawn], pictures.themes[drawn], "m", ridge)


def table(runs: Sequence[Run]) -> Iterator[str]:
    """Means over the runs of each kind of person, in Markdown."""
    yield "| person | answers | general score | as learnt | kept a taste | gain told |"
    yield "|---|---|---|---|---|---|"
    kinds: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for one in runs:
        kinds[one.person, one.answers].append(one)
        if one.person not in (AGREES, RANDOM):
            kinds["mean of those who differ", one.answers].append(one)
    for (person, answers), some in sorted(kinds.items(), key=lambda item: (item[0][0], item[0][1])):
        general, used, kept, told = np.mean([(r.general, r.used, r.kept, r.told) for r in some], axis=0)
        shares = f"{100 * general:.1f} | {100 * used:.1f} | {100 * kept:.0f} % | {100 * told:+.1f}"
        yield f"| {person} | {answers} | {shares} |"


def plot(runs: Sequence[Run], path: Path) -> None:
    """The gain over the number of ratings, as a picture."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "aesth", "font.family": "sans-serif"})
    import matplotlib.pyplot as plt

    gains: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for one in runs:
        gains[one.person][one.answers].append(100 * (one.used - one.general))
    figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
    for person, by_number in gains.items():
        means = [float(np.mean(by_number[number])) for number in RATINGS]
        colour = {AGREES: "#2f6f9f", RANDOM: "#777777"}.get(person, "#c77d1f")
        thick = 2.5 if person in (AGREES, RANDOM) else 1.2
        axes.plot(RATINGS, means, color=colour, linewidth=thick, marker="o", markersize=4)
    for person, height in label_heights({name: float(np.mean(gains[name][RATINGS[-1]])) for name in gains}):
        beside = {"textcoords": "offset points", "va": "center", "fontsize": 9, "annotation_clip": False}
        axes.annotate(person, (RATINGS[-1], height), (8, 0), **beside)
    axes.set(xscale="log", xticks=RATINGS, xticklabels=RATINGS, xlim=(28, 620), xlabel="ratings")
    axes.minorticks_off()
    axes.margins(y=0.12)
    axes.set_ylabel("pairs of 100 ordered better")
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})


def label_heights(ends: Mapping[str, float], apart: float = 0.75) -> Iterator[tuple[str, float]]:
    """Where labels stand, so that none covers another."""
    lowest = -np.inf
    for person, end in sorted(ends.items(), key=lambda item: item[1]):
        lowest = max(end, lowest + apart)
        yield person, lowest


def standard(values: Numbers) -> Numbers:
    """With mean 0 and deviation 1."""
    return (values - values.mean()) / values.std()


if __name__ == "__main__":
    main()
