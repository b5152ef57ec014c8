"""A polar head solved for, rather than trained step by step, on features of frozen backbones.

With hundreds of ratings and tens of thousands of features, a few seconds of linear algebra end nearer to the optimum
than hours of steps. What people like is learned by kernel ridge regression on their ratings. Technique is learned by a
linear part and by detectors of faults, which rank each photo above its damaged copies, and are kept near 0 on photos as
they are, so that they say nothing of their subjects.

What people like may be said by several members, each of which sees some branches only. The first learns from people,
the others also from what the first says of photos that nobody rated: those that see differently and are taught to
agree err less than one (co-training: Blum and Mitchell 1998). Technique is learned once, by what sees everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aesth.errors import ConfigError
from aesth.training.damage import DAMAGES
from aesth.training.heads import Faults, Landmarks, Polar, Standardise, of_a_byte, places_of
from aesth.training.networks import AestheticEncoder
from aesth.training.recipe import FitRecipe
from aesth.training.regression import Hinges, Squares, least, ridge_regression

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
    """Solve for the head of ``encoder``, where it is: standardisation, landmarks, linear part and directions.

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
    with encoder.device:  # what is made of features is made there
        encoder.standardise.fit(torch.cat([_floats(examples.features[typical]), _floats(examples.mirrored)]))
        _place_landmarks(encoder, head, examples, recipe, seed)
        content = _fit_members(encoder, head, examples, recipe)
        _fit_technique(encoder.standardise, head, examples, recipe, content)
        head.liking.bias.fill_(offset)
        _fit_directions(head, torch.cat(list(_standardised(encoder.standardise, examples.features[shown]))))


def _place_landmarks(encoder: AestheticEncoder, head: Polar, examples: Examples, recipe: FitRecipe, seed: int) -> None:
    """Landmarks stand half way between rated pictures and their mirror images; of some, where there are more."""
    landmarks = head.landmarks
    landmarks.sharpness.fill_(recipe.sharpness)
    landmarks.places.zero_()
    count = min(len(examples.rated), len(landmarks.places))
    if count:
        places = _between_mirrors(encoder.standardise, head.places, examples)
        chosen = np.sort(np.random.default_rng(seed).permutation(len(places))[:count])
        # On a grid they take a byte each, and the heights are solved for where they then are.
        landmarks.places[:count] = of_a_byte(places[chosen])


def _between_mirrors(standardise: Standardise, places: Callable[[Tensor], Tensor], examples: Examples) -> Tensor:
    """Half way between the places of the rated pictures and of their mirror images, (r, places)."""
    whole, mirror = (
        torch.cat([places(part) for part in _standardised(standardise, rows)])
        for rows in (examples.features[examples.rated], examples.mirrored)
    )
    return (whole + mirror) / 2


def _fit_members(encoder: AestheticEncoder, head: Polar, examples: Examples, recipe: FitRecipe) -> Tensor:
    """Fit what each member says of content, and return the mean of their linear parts, of standardised features, (f,).

    Members after the first learn what the first says of photos, or all of them what the teacher says if there is one.
    """
    members = len(head.landmarks.members)
    content = torch.zeros(head.liking.in_features)
    taught = None if examples.teacher is None else torch.as_tensor(examples.teacher[examples.photos])
    for number in range(members):
        member = _Member.of(encoder, head, number)
        own = examples.only(member.columns)
        _fit_landmarks(member, own, recipe)
        head.landmarks.heights[number] = member.landmarks.heights[0]
        if members > 1 and taught is not None:
            content[member.columns] += member.stretch / members * _agreement(member, own, taught, recipe)
        elif members > 1:
            taught = member.known(own.features[own.photos]).known
    return content


@dataclass(frozen=True)
class _Member:
    """A member of a head as one that sees nothing else.

    Attributes:
        columns: indices of the features that it sees, (f',).
        stretch: what its features are larger by than those of the whole head: vectors are of length about 1.
        standardise: of its features.
        near: indices of those that the landmarks see.
        landmarks: in its places.
    """

    columns: Sequence[int]
    stretch: float
    standardise: Standardise
    near: Tensor
    landmarks: Landmarks

    @classmethod
    def of(cls, encoder: AestheticEncoder, head: Polar, number: int) -> _Member:
        """The member ``number`` of ``head``, whose landmarks have their places, but no heights."""
        whole = head.landmarks
        blocks = whole.members[number]
        columns = encoder.seen_by(blocks)
        stretch = (head.liking.in_features / len(columns)) ** 0.5
        standardise = Standardise(len(columns))
        standardise.mean.copy_(encoder.standardise.mean[columns])
        standardise.scale.copy_(stretch * encoder.standardise.scale[columns])
        order = {feature: place for place, feature in enumerate(columns)}
        near = [order[feature] for block in blocks for feature in torch.split(head.near, whole.widths)[block].tolist()]
        landmarks = Landmarks([len(near)], len(whole.places))
        seen = torch.cat([torch.split(whole.places, whole.widths, 1)[block] for block in blocks], 1)
        landmarks.places.copy_(whole.scale(blocks) * seen)
        landmarks.sharpness.copy_(whole.sharpness)
        return cls(columns, stretch, standardise, torch.tensor(near), landmarks)

    def known(self, features: NDArray[np.float16]) -> _Known:
        """Its features, standardised, and what its landmarks say, of all its features (n, f')."""
        parts = [(part, self.landmarks(self.places(part))) for part in _standardised(self.standardise, features)]
        return _Known.of(parts, len(self.columns))

    def rows(self, features: NDArray[np.float16]) -> Tensor:
        """All its features, standardised, (n, f')."""
        return torch.cat([torch.empty(0, len(self.columns)), *_standardised(self.standardise, features)])

    def places(self, features: Tensor) -> Tensor:
        """Where the landmarks see standardised features (n, f'), (n, f'')."""
        return places_of(features, self.near)


def _agreement(member: _Member, examples: Examples, taught: Tensor, recipe: FitRecipe) -> Tensor:
    """A linear part, (f',), that brings a member near what it is ``taught``, and leaves rated pictures as they are.

    Args:
        member: whose landmarks have heights.
        examples: with its own features alone.
        taught: of the photos, in deviations of the ratings, (o,).
        recipe: how the parts are weighed.
    """
    seen = member.known(examples.features[examples.photos])
    parts = [Squares(seen.rows, taught - seen.known, recipe.photos)]
    for pictures in (examples.features[examples.rated], examples.mirrored):
        rows = member.rows(pictures)
        parts.append(Squares(rows, torch.zeros(len(rows)), recipe.rated / 2))
    return ridge_regression(parts, len(member.columns), recipe.agreement)


def _fit_landmarks(member: _Member, examples: Examples, recipe: FitRecipe) -> None:
    """Kernel ridge regression on the ratings; where there are more pictures than landmarks, on a subset (Nystroem)."""
    landmarks = member.landmarks
    count = min(len(examples.rated), len(landmarks.places))
    if not count:
        return
    (near,) = landmarks.nearness(_between_mirrors(member.standardise, member.places, examples))
    (among,) = landmarks.nearness(landmarks.places[:count])
    near, among = near[:, :count].double(), among[:, :count].double()
    target = torch.as_tensor(examples.ratings)
    normal = near.t() @ near + recipe.smoothing * among + 1e-6 * torch.eye(count, dtype=torch.float64)
    landmarks.heights[0, :count] = torch.linalg.solve(normal, near.t() @ target).float()


def _fit_technique(
    standardise: Standardise, head: Polar, examples: Examples, recipe: FitRecipe, content: Tensor
) -> None:
    """Linear part and faults: squared hinges on pairs, and squares that hold still what is only content.

    ``content`` is the linear part, (f,), of what is known of content; it becomes part of the head's.
    """

    def known(features: NDArray[np.float16]) -> _Known:
        parts = [
            (part, head.landmarks(head.places(part)) + part @ content) for part in _standardised(standardise, features)
        ]
        return _Known.of(parts, head.liking.in_features)

    views = _Views.of(known, examples)
    terms = _terms(views, examples, recipe)
    weight = least([term.part for term in terms], head.liking.in_features, recipe.ridge)
    head.liking.weight.copy_(weight[None])
    if head.faults is not None:
        head.faults.weight.zero_()
        head.faults.bias.zero_()
        if terms:
            _start_faults(head, head.faults, views, examples, recipe)
            _settle(head, head.faults, views, terms, recipe.ridge)
    head.liking.weight += content


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
    def of(cls, known: Callable[[NDArray[np.float16]], _Known], examples: Examples) -> _Views:
        used = np.unique(
            np.concatenate([one.ravel() for one in (examples.rated, examples.damage, examples.pairs, examples.grey_of)])
        )
        greys = examples.features[:0] if examples.grey is None else examples.grey
        places = torch.full((len(examples.features),), -1)
        places[used] = torch.arange(len(used))
        shown = [examples.features[used], examples.mirrored, greys]
        seen = [known(one) for one in shown]
        first, second = len(used), len(used) + len(examples.mirrored)
        return cls(
            torch.cat([one.rows for one in seen]),
            torch.cat([one.known for one in seen]),
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
    """What linear part and faults are fitted to."""
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
        wanted = torch.as_tensor(examples.teacher[examples.photos]) - views.known[photos]
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
    """Standardised features (n, f), and what is known of their content, (n,)."""

    rows: Tensor
    known: Tensor

    @classmethod
    def of(cls, parts: Sequence[tuple[Tensor, Tensor]], width: int) -> _Known:
        """Of batches of both."""
        if not parts:
            return cls(torch.empty(0, width), torch.empty(0))
        rows, known = zip(*parts, strict=True)
        return cls(torch.cat(rows), torch.cat(known))


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


def _floats(features: NDArray[np.float16]) -> Tensor:
    return torch.as_tensor(np.asarray(features, np.float32))
