"""A polar head solved for, rather than trained step by step, on features of frozen backbones.

With hundreds of ratings and tens of thousands of features, a few seconds of linear algebra end nearer to the optimum
than hours of steps. What people like is learned by kernel ridge regression on their ratings. Technique is learned by a
linear part and by detectors of faults, which rank each photo above its damaged copies, and are kept near 0 on photos as
they are, so that they say nothing of their subjects.

A head may have several members, each of which sees some branches only. The first learns from people, the others also
from what the first says of photos that nobody rated: two that see differently and are taught to agree err less than
one (co-training: Blum and Mitchell 1998).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from aesth.errors import ConfigError
from aesth.training.damage import DAMAGES
from aesth.training.heads import Faults, Polar, Standardise
from aesth.training.networks import AestheticEncoder
from aesth.training.recipe import FitRecipe

ITERATIONS = 120
BATCH = 1024

SETTLING = 40
"""Iterations that linear part and detectors of faults are improved together."""

FIRST_RIDGE, UNSUSPECTED, LEFT = 0.01, 0.7, 0.2
"""How detectors begin: the ridge of each, the share of photos in which it sees nothing, what the linear part keeps."""


@dataclass(frozen=True)
class Examples:
    """What a head is fitted to: frozen features, and what is known of the pictures.

    Attributes:
        features: of views, (n, f).
        rated: indices of rated pictures, (r,).
        ratings: of those, in standard deviations from the mean, (r,).
        mirrored: features of the rated pictures, left and right exchanged, (r, f).
        damage: indices of a photo, its weakly and its strongly damaged copy, (d, 3).
        kinds: of the damage, (d,).
        pairs: indices of the better and the worse picture of compared pairs, (p, 2).
        grey: features of some views in black and white, (g, f).
        grey_of: indices of those views, (g,).
        teacher: what another encoder says of the views, in deviations of the ratings, (n,); None where there is none.
    """

    features: NDArray[np.float16]
    rated: NDArray[np.int64]
    ratings: NDArray[np.float64]
    mirrored: NDArray[np.float16]
    damage: NDArray[np.int64]
    kinds: Sequence[str]
    pairs: NDArray[np.int64] = field(default_factory=lambda: np.empty((0, 2), np.int64))
    grey: NDArray[np.float16] | None = None
    grey_of: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    teacher: NDArray[np.float32] | None = None

    @property
    def photos(self) -> NDArray[np.int64]:
        """Indices of the photos that are shown beside damaged copies, (o,)."""
        return np.unique(self.damage[:, 0])

    def only(self, columns: Sequence[int]) -> Examples:
        """The same with some of the features."""
        if len(columns) == self.features.shape[1]:
            return self
        grey = None if self.grey is None else self.grey[:, columns]
        return replace(self, features=self.features[:, columns], mirrored=self.mirrored[:, columns], grey=grey)


@torch.no_grad()
def fit_head(encoder: AestheticEncoder, examples: Examples, recipe: FitRecipe, *, offset: float, seed: int = 0) -> None:
    """Solve for the head of ``encoder``: standardisation, landmarks, linear part and directions.

    Args:
        encoder: with a polar head.
        examples: what it is fitted to.
        recipe: how the parts are weighed.
        offset: norm of a picture of average rating; a deviation of the ratings adds 1 to it.
        seed: of the choice of landmarks, and of what is random in the search for principal components.

    Raises:
        ConfigError: the encoder has no polar head.
    """
    head = encoder.head
    if not isinstance(head, Polar):
        raise ConfigError('a head that is fitted must be of the polar kind; set head = "polar" in [encoder]')
    torch.manual_seed(seed)
    judged = np.concatenate([examples.rated, np.unique(examples.pairs)])
    shown = np.concatenate([judged, examples.photos])
    # Photos of another resolution would pull the statistics away from the pictures that the landmarks know.
    typical = judged if len(judged) else shown
    encoder.standardise.fit(torch.cat([_floats(examples.features[typical]), _floats(examples.mirrored)]))
    _place_landmarks(encoder, head, examples, recipe, seed)
    _fit_members(encoder, head, examples, recipe)
    head.liking.bias.fill_(offset)
    _fit_directions(head, torch.cat(list(_standardised(encoder.standardise, examples.features[shown]))))


def _place_landmarks(encoder: AestheticEncoder, head: Polar, examples: Examples, recipe: FitRecipe, seed: int) -> None:
    """Landmarks stand half way between rated pictures and their mirror images; of some, where there are more."""
    landmarks = head.landmarks
    landmarks.sharpness.fill_(recipe.sharpness)
    landmarks.places.zero_()
    count = min(len(examples.rated), len(landmarks.places))
    if count:
        places = _places_of_rated(encoder.standardise, head, examples)
        chosen = np.sort(np.random.default_rng(seed).permutation(len(places))[:count])
        # On a grid they take a byte each, and the heights are solved for where they then are.
        landmarks.places[:count] = of_a_byte(places[chosen])


def _places_of_rated(standardise: Standardise, head: Polar, examples: Examples) -> Tensor:
    whole, mirror = (
        torch.cat([head.places(part) for part in _standardised(standardise, rows)])
        for rows in (examples.features[examples.rated], examples.mirrored)
    )
    return (whole + mirror) / 2


def _fit_members(encoder: AestheticEncoder, head: Polar, examples: Examples, recipe: FitRecipe) -> None:
    """Fit each member as if it were alone, and put them together."""
    for part in (head.liking.weight, head.landmarks.heights, *(head.faults.parameters() if head.faults else ())):
        part.zero_()
    teacher = examples.teacher
    for number in range(len(head.landmarks.members)):
        member = _Member.of(encoder, head, number)
        own = replace(examples.only(member.columns), teacher=teacher)
        _fit_landmarks(member, own, recipe)
        _fit_liking(member, own, recipe)
        member.join(head)
        if teacher is None and number + 1 < len(head.landmarks.members):
            teacher = _opinion(member, own)


@dataclass(frozen=True)
class _Member:
    """A member of a head as one that sees nothing else.

    Attributes:
        number: among the members of the head.
        columns: indices of the features that it sees, (f',).
        standardise: of these features.
        head: of one member.
    """

    number: int
    columns: Sequence[int]
    standardise: Standardise
    head: Polar

    @classmethod
    def of(cls, encoder: AestheticEncoder, whole: Polar, number: int) -> _Member:
        """The member ``number`` of the head ``whole``, nothing of which is fitted but where landmarks stand."""
        landmarks = whole.landmarks
        blocks = landmarks.members[number]
        columns = encoder.seen_by(blocks)
        places = {feature: place for place, feature in enumerate(columns)}
        standardise = Standardise(len(columns))
        standardise.mean.copy_(encoder.standardise.mean[columns])
        standardise.scale.copy_(encoder.standardise.scale[columns] * cls._stretch(whole, columns))
        near = torch.split(whole.near, landmarks.widths)
        head = Polar(
            len(columns),
            1,
            [[places[feature] for feature in near[block].tolist()] for block in blocks],
            len(landmarks.places),
            len(DAMAGES) if whole.faults is not None else 0,
        )
        seen = torch.cat([torch.split(landmarks.places, landmarks.widths, 1)[block] for block in blocks], 1)
        head.landmarks.places.copy_(seen * landmarks.scale(blocks))
        head.landmarks.sharpness.copy_(landmarks.sharpness)
        return cls(number, columns, standardise, head)

    @staticmethod
    def _stretch(whole: Polar, columns: Sequence[int]) -> float:
        """Standardised features are of length about 1, however many there are."""
        return (whole.liking.in_features / len(columns)) ** 0.5  # type: ignore[no-any-return]

    def join(self, whole: Polar) -> None:
        """Put what is fitted into the head ``whole``, whose members have equal shares."""
        members = len(whole.landmarks.members)
        whole.landmarks.heights[self.number] = self.head.landmarks.heights[0]
        share = self._stretch(whole, self.columns) / members
        whole.liking.weight[:, self.columns] += share * self.head.liking.weight
        if whole.faults is not None and self.head.faults is not None:
            first = self.number * len(DAMAGES)
            detectors = torch.arange(first, first + len(DAMAGES))
            whole.faults.weight[detectors[:, None], torch.tensor(self.columns)] = share * self.head.faults.weight
            whole.faults.bias[detectors] = self.head.faults.bias / members


def _opinion(member: _Member, examples: Examples) -> NDArray[np.float32]:
    """What a member says of the photos, in deviations of the ratings; of all other views, nothing: (n,)."""
    known = _known(member, examples.features[examples.photos])
    said = np.zeros(len(examples.features), np.float32)
    said[examples.photos] = (known.known + member.head.technique(known.rows)).numpy()
    return said


def _fit_landmarks(member: _Member, examples: Examples, recipe: FitRecipe) -> None:
    """Kernel ridge regression on the ratings; where there are more pictures than landmarks, on a subset (Nystroem)."""
    landmarks = member.head.landmarks
    count = min(len(examples.rated), len(landmarks.places))
    if not count:
        return
    (near,) = landmarks.nearness(_places_of_rated(member.standardise, member.head, examples))
    (among,) = landmarks.nearness(landmarks.places[:count])
    near, among = near[:, :count].double(), among[:, :count].double()
    target = torch.from_numpy(examples.ratings)
    normal = near.t() @ near + recipe.smoothing * among + 1e-6 * torch.eye(count, dtype=torch.float64)
    landmarks.heights[0, :count] = torch.linalg.solve(normal, near.t() @ target).float()


@dataclass(frozen=True)
class Squares:
    """Rows x whose w x should be near ``wanted``.

    Attributes:
        rows: (n, f).
        wanted: (n,).
        weight: of the mean of the squares.
    """

    rows: Tensor
    wanted: Tensor
    weight: float

    def error(self, values: Tensor) -> Tensor:
        """Weighted squared differences, of w x (n,)."""
        return self.weight * (values - self.wanted).square().mean()


@dataclass(frozen=True)
class Hinges:
    """Rows x, differences of a better and a worse picture, whose w x should be at least ``wanted``.

    Attributes:
        rows: (n, f).
        wanted: (n,).
        weights: of each row, (n,).
    """

    rows: Tensor
    wanted: Tensor
    weights: Tensor

    def error(self, values: Tensor) -> Tensor:
        """Weighted squares of what is lacking, of w x (n,)."""
        return self.weights @ functional.relu(self.wanted - values).square()


def least(
    parts: Sequence[Squares | Hinges], width: int, ridge: float, start: Tensor | None = None, tolerance: float = 1e-9
) -> Tensor:
    """The w (width,) of least error: what ``parts`` say of it, and ``ridge`` times its squared length; by L-BFGS.

    Args:
        parts: each with rows of ``width`` features.
        width: how many features there are.
        ridge: above 0.
        start: a w (width,) that may be near; 0 by default.
        tolerance: change of the error in a step that ends the search.
    """
    weight = (torch.zeros(width) if start is None else start.detach().clone()).requires_grad_()
    optimiser = torch.optim.LBFGS(
        [weight],
        max_iter=ITERATIONS,
        history_size=20,
        tolerance_grad=1e-6,
        tolerance_change=tolerance,
        line_search_fn="strong_wolfe",
    )

    def error() -> Tensor:
        # Each product with the rows is made once, and its gradient by hand: autograd would keep copies of the rows.
        gradient = 2 * ridge * weight.detach()
        total = ridge * weight.detach().square().sum()
        for part in parts:
            values = (part.rows @ weight.detach()).requires_grad_()
            with torch.enable_grad():
                lack = part.error(values)
            (slope,) = torch.autograd.grad(lack, values)
            gradient += part.rows.t() @ slope
            total += lack.detach()
        weight.grad = gradient
        return total

    if parts:
        optimiser.step(error)  # type: ignore[no-untyped-call]
    return weight.detach()


def _fit_liking(member: _Member, examples: Examples, recipe: FitRecipe) -> None:
    """The linear part: squared hinges on pairs, and squares that hold still what is only content."""
    head = member.head
    views = _Views.of(member, examples)
    terms = _terms(views, examples, recipe)
    weight = least([term.part for term in terms], head.liking.in_features, recipe.ridge)
    head.liking.weight.copy_(weight[None])
    if head.faults is not None and terms:
        _start_faults(head, head.faults, views, examples, recipe)
        _settle(head, head.faults, views, terms, recipe.ridge)


@dataclass(frozen=True)
class _Views:
    """What a head is fitted to, standardised, and what the landmarks say of it.

    Attributes:
        rows: standardised features of all views that are used, of mirror images and of grey copies, (n, f).
        known: what the landmarks say of them, (n,).
        places: index of a view -> its row, -1 where it is not used.
        mirrored: rows of the mirror images.
        grey: rows of the grey copies.
    """

    rows: Tensor
    known: Tensor
    places: Tensor
    mirrored: Tensor
    grey: Tensor

    @classmethod
    def of(cls, member: _Member, examples: Examples) -> _Views:
        used = np.unique(
            np.concatenate([one.ravel() for one in (examples.rated, examples.damage, examples.pairs, examples.grey_of)])
        )
        greys = examples.features[:0] if examples.grey is None else examples.grey
        places = torch.full((len(examples.features),), -1)
        places[used] = torch.arange(len(used))
        shown = [examples.features[used], examples.mirrored, greys]
        known = [_known(member, one) for one in shown]
        first, second = len(used), len(used) + len(examples.mirrored)
        return cls(
            torch.cat([one.rows for one in known]),
            torch.cat([one.known for one in known]),
            places,
            torch.arange(first, second),
            torch.arange(second, second + len(greys)),
        )


@dataclass(frozen=True)
class _Term:
    """What is wanted of the rows ``of``, or of how far these stand above the rows ``above``."""

    part: Squares | Hinges
    of: Tensor
    above: Tensor | None = None


def _terms(views: _Views, examples: Examples, recipe: FitRecipe) -> list[_Term]:
    """What the linear part is fitted to."""
    terms: list[_Term] = []

    def near(of: Tensor, wanted: Tensor, weight: float) -> None:
        if len(of):
            terms.append(_Term(Squares(views.rows[of], wanted, weight), of))

    def ranked(pairs: NDArray[np.int64], margin: float, weights: Tensor) -> None:
        if len(pairs):
            better, worse = views.places[pairs].T
            lacking = margin - (views.known[better] - views.known[worse])
            terms.append(_Term(Hinges(views.rows[better] - views.rows[worse], lacking, weights), better, worse))

    photos = views.places[examples.photos]
    wanted = torch.zeros(len(photos))
    if examples.teacher is not None:
        wanted = torch.from_numpy(examples.teacher[examples.photos]) - views.known[photos]
    near(photos, wanted, recipe.photos)
    for pictures in (views.places[examples.rated], views.mirrored):
        near(pictures, torch.zeros(len(pictures)), recipe.rated / 2)
    counts = {kind: examples.kinds.count(kind) for kind in set(examples.kinds)}
    weights = torch.tensor([recipe.damage * recipe.kinds.get(kind, 1.0) / counts[kind] for kind in examples.kinds])
    for column, margin in ((1, recipe.weak_margin), (2, recipe.strong_margin)):
        ranked(examples.damage[:, [0, column]], margin, weights)
    ranked(examples.pairs, recipe.strong_margin, torch.full((len(examples.pairs),), 1 / max(1, len(examples.pairs))))
    if len(views.grey):
        plain = views.places[examples.grey_of]
        part = Squares(
            views.rows[views.grey] - views.rows[plain], views.known[plain] - views.known[views.grey], recipe.grey
        )
        terms.append(_Term(part, views.grey, plain))
    return terms


def _start_faults(head: Polar, faults: Faults, views: _Views, examples: Examples, recipe: FitRecipe) -> None:
    """Each detector sees one kind of damage alone, and little in most photos; the linear part leaves it to them."""
    undamaged = views.rows[views.places[np.concatenate([examples.photos, examples.rated])]]
    faults.weight.zero_()
    faults.bias.zero_()
    for detector, kind in enumerate(DAMAGES):
        triples = views.places[examples.damage[[one == kind for one in examples.kinds]]]
        if len(triples) and recipe.kinds.get(kind, 1.0) > 0:
            weights = torch.full((len(triples),), 1 / len(triples))
            parts = [
                Hinges(
                    views.rows[triples[:, column]] - views.rows[triples[:, 0]],
                    torch.full_like(weights, margin),
                    weights,
                )
                for column, margin in ((1, recipe.weak_margin), (2, recipe.strong_margin))
            ]
            faults.weight[detector] = least(parts, faults.in_features, FIRST_RIDGE)
            faults.bias[detector] = -(undamaged @ faults.weight[detector]).quantile(UNSUSPECTED)
    head.liking.weight.mul_(LEFT)


def _settle(head: Polar, faults: Faults, views: _Views, terms: Sequence[_Term], ridge: float) -> None:
    """Improve linear part and detectors together until all ``terms`` are met as well as may be; by L-BFGS."""
    weights = [head.liking.weight, faults.weight]
    optimiser = torch.optim.LBFGS(
        [*weights, faults.bias], max_iter=SETTLING, history_size=10, line_search_fn="strong_wolfe"
    )

    def error() -> Tensor:
        optimiser.zero_grad()
        with torch.enable_grad():
            said = head.technique(views.rows)
            total = ridge * sum((one.square().sum() for one in weights), torch.zeros(()))
            for term in terms:
                total = total + term.part.error(said[term.of] - (0 if term.above is None else said[term.above]))
            total.backward()  # type: ignore[no-untyped-call]
        return total.detach()

    optimiser.step(error)  # type: ignore[no-untyped-call]
    optimiser.zero_grad()


@dataclass(frozen=True)
class _Known:
    """Standardised features (n, f), and what the landmarks say of them, (n,)."""

    rows: Tensor
    known: Tensor


def _known(member: _Member, features: NDArray[np.float16]) -> _Known:
    head = member.head
    parts = list(_standardised(member.standardise, features))
    if not parts:
        return _Known(torch.empty(0, head.liking.in_features), torch.empty(0))
    return _Known(torch.cat(parts), torch.cat([head.landmarks(head.places(part)) for part in parts]))


def _standardised(standardise: Standardise, features: NDArray[np.float16]) -> Iterator[Tensor]:
    for begin in range(0, len(features), BATCH):
        yield standardise(_floats(features[begin : begin + BATCH]))


def _fit_directions(head: Polar, standardised: Tensor) -> None:
    """Directions are the principal components of the pictures' places: what is alike points alike."""
    places = head.places(standardised)
    inner = head.direction.inner
    count = min(inner.out_features, *places.shape)
    _, _, components = torch.pca_lowrank(places, q=count, niter=4)
    inner.weight.zero_()
    inner.weight[:count] = components.t()
    inner.bias.copy_(-inner.weight @ places.mean(0))


def of_a_byte(values: Tensor) -> Tensor:
    """``values`` rounded to a grid of at most 255 steps, a power of two apart: a model's file takes a byte for each."""
    if not values.any():
        return values
    grid = 2.0 ** math.ceil(math.log2(float(values.abs().max()) / 127))
    rounded: Tensor = (values / grid).round() * grid
    return rounded


def _floats(features: NDArray[np.float16]) -> Tensor:
    return torch.from_numpy(np.asarray(features, np.float32))
