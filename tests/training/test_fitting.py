"""Solving for a polar head: by literal algebra and slow oracles, and what the weights of its parts are for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize

from aesth.errors import ConfigError
from aesth.training.damage import DAMAGES
from aesth.training.fitting import Examples, fit_head
from aesth.training.heads import Polar
from aesth.training.metrics import srcc
from aesth.training.networks import AestheticEncoder, Architecture, Branch
from aesth.training.recipe import FitRecipe

WIDTH = 32
NO_PAIRS = np.empty((0, 2), np.int64)
RATED, PHOTOS, KINDS = 24, 8, ("noise", "tilt")
DAMAGED = 2 * len(KINDS) + 1
"""Views of a photo: itself, and a weak and a strong copy of each kind."""


def encoder_of(landmarks: int = 0, rank: int = 6, **fields: Any) -> AestheticEncoder:
    """An encoder with 32 features, all of which the landmarks see."""
    torch.manual_seed(0)
    given: dict[str, Any] = {"layers": ("stem",), "head": "polar", "size": (64, 64), **fields}
    return AestheticEncoder(Architecture("mobilenet_v2", rank=rank, landmarks=landmarks, **given)).eval()


def examples_of(seed: int = 0, pairs: int = 5, grey: int = 4, width: int = WIDTH) -> Examples:
    """Rated pictures, the higher their first feature, the better; photos, and copies that lie in one direction each."""
    generator = np.random.default_rng(seed)
    rated = generator.normal(0, 1, (RATED, width))
    ratings = rated[:, 0] + 0.1 * generator.normal(0, 1, RATED)
    compared = generator.normal(0, 1, (2 * pairs, width))
    directions = generator.normal(0, 0.5, (len(KINDS), width))
    views, damage, kinds = [*rated, *compared], [], []
    for photo in generator.normal(0, 1, (PHOTOS, width)):
        original = len(views)
        views.append(photo)
        for kind, direction in zip(KINDS, directions, strict=True):
            damage.append((original, len(views), len(views) + 1))
            kinds.append(kind)
            views += [photo + direction, photo + 2 * direction]
    features = np.array(views).astype(np.float16)
    grey_of = np.unique(np.array(damage)[:, 0])[:grey]
    return Examples(
        features,
        np.arange(RATED),
        (ratings - ratings.mean()) / ratings.std(),
        (rated + generator.normal(0, 0.1, rated.shape)).astype(np.float16),
        np.array(damage, np.int64),
        kinds,
        RATED + np.arange(2 * pairs, dtype=np.int64).reshape(-1, 2),
        (features[grey_of] + generator.normal(0, 0.5, (grey, width))).astype(np.float16),
        grey_of,
    )


def fitted(
    examples: Examples,
    recipe: FitRecipe | None = None,
    *,
    landmarks: int = 0,
    offset: float = 4.0,
    seed: int = 0,
    faults: bool = False,
) -> AestheticEncoder:
    encoder = encoder_of(landmarks, faults=faults)
    fit_head(encoder, examples, recipe or FitRecipe(), offset=offset, seed=seed)
    return encoder


def head_of(encoder: AestheticEncoder) -> Polar:
    assert isinstance(encoder.head, Polar)
    return encoder.head


@torch.no_grad()
def norms(encoder: AestheticEncoder, features: NDArray[np.float16]) -> NDArray[np.float64]:
    return encoder.project(torch.from_numpy(features.astype(np.float32))).double().norm(dim=1).numpy()


@torch.no_grad()
def linear(encoder: AestheticEncoder, features: NDArray[np.float16]) -> NDArray[np.float64]:
    """What the linear part says, without its offset."""
    rows = standardised(encoder, features)
    return rows @ head_of(encoder).liking.weight[0].double().numpy()


@torch.no_grad()
def standardised(encoder: AestheticEncoder, features: NDArray[np.float16]) -> NDArray[np.float64]:
    return encoder.standardise(torch.from_numpy(features.astype(np.float32))).double().numpy()


@torch.no_grad()
def known(encoder: AestheticEncoder, features: NDArray[np.float16]) -> NDArray[np.float64]:
    """What the landmarks say."""
    head = head_of(encoder)
    rows = encoder.standardise(torch.from_numpy(features.astype(np.float32)))
    return head.landmarks(head.places(rows)).double().numpy()


def kernel(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([[np.exp(-((x - y) ** 2).sum()) for y in other] for x in one])


def between(encoder: AestheticEncoder, examples: Examples) -> NDArray[np.float64]:
    """Places half way between the rated pictures and their mirror images."""
    whole = standardised(encoder, examples.features[examples.rated])
    return (whole + standardised(encoder, examples.mirrored)) / 2


@pytest.mark.parametrize("smoothing", [0.1, 2.0])
@pytest.mark.parametrize("landmarks", [RATED, RATED + 7])
def test_with_a_landmark_for_each_picture_it_is_kernel_ridge_regression(smoothing: float, landmarks: int) -> None:
    """Minimises |y - K a|² + s aᵀ K a, that is (K + s) a = y."""
    examples = examples_of()
    encoder = fitted(examples, FitRecipe(smoothing=smoothing), landmarks=landmarks)
    places = between(encoder, examples)
    heights = np.linalg.solve(kernel(places, places) + smoothing * np.eye(RATED), examples.ratings)
    elsewhere = examples.features[RATED:]
    expected = kernel(standardised(encoder, elsewhere), places) @ heights
    assert np.abs(expected).max() > 0.1
    # To what it makes that landmarks stand on a grid, not quite where the pictures are.
    assert known(encoder, elsewhere) == pytest.approx(expected, abs=0.05)
    assert not head_of(encoder).landmarks.heights[0, RATED:].any()


def test_with_fewer_landmarks_it_is_the_same_regression_on_a_subset() -> None:
    """Nystroem: minimises |y - K_nm a|² + s aᵀ K_mm a."""
    examples = examples_of()
    encoder = fitted(examples, FitRecipe(smoothing=0.5), landmarks=9)
    pictures, chosen = between(encoder, examples), head_of(encoder).landmarks.places.detach().double().numpy()
    grid = 2.0 ** np.ceil(np.log2(np.abs(chosen).max() / 127))
    assert np.array_equal(chosen / grid, np.round(chosen / grid))
    assert all(min(np.abs(picture - place).max() for picture in pictures) < 0.51 * grid for place in chosen)
    assert len(np.unique(chosen, axis=0)) == 9
    near, among = kernel(pictures, chosen), kernel(chosen, chosen)
    heights = np.linalg.solve(near.T @ near + 0.5 * among, near.T @ examples.ratings)
    expected = kernel(standardised(encoder, examples.features), chosen) @ heights
    assert known(encoder, examples.features) == pytest.approx(expected, abs=1e-3)


def test_the_seed_chooses_the_landmarks() -> None:
    one, same, other = (fitted(examples_of(), landmarks=5, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(head_of(one).landmarks.places, head_of(same).landmarks.places)
    assert not torch.equal(head_of(one).landmarks.places, head_of(other).landmarks.places)


def objective(
    encoder: AestheticEncoder,
    examples: Examples,
    recipe: FitRecipe,
    content: float | NDArray[np.float64] = 0.0,
) -> Callable[[NDArray[np.float64]], float]:
    """What the linear part minimises, term by term, beside what landmarks and the linear part ``content`` know."""
    rows, says = standardised(encoder, examples.features), known(encoder, examples.features)
    mirrors = standardised(encoder, examples.mirrored)
    assert examples.grey is not None
    greys, grey_says = standardised(encoder, examples.grey), known(encoder, examples.grey)
    says, grey_says = says + (rows * content).sum(1), grey_says + (greys * content).sum(1)

    def lacks(margin: float, liked: Sequence[float], better: int, worse: int) -> float:
        return max(0.0, margin - (liked[better] - liked[worse])) ** 2

    def value(w: NDArray[np.float64]) -> float:
        said = [float(w @ row) for row in rows]
        liked = [own + content for own, content in zip(said, says, strict=True)]
        total = recipe.ridge * float(w @ w)
        for photo in examples.photos:
            wanted = 0.0 if examples.teacher is None else examples.teacher[photo] - says[photo]
            total += recipe.photos * (said[photo] - wanted) ** 2 / len(examples.photos)
        for picture, mirror in zip(examples.rated, mirrors, strict=True):
            total += recipe.rated * (said[picture] ** 2 + float(w @ mirror) ** 2) / 2 / len(examples.rated)
        for (photo, weak, strong), kind in zip(examples.damage, examples.kinds, strict=True):
            weight = recipe.damage * recipe.kinds.get(kind, 1.0) / list(examples.kinds).count(kind)
            total += weight * lacks(recipe.weak_margin, liked, photo, weak)
            total += weight * lacks(recipe.strong_margin, liked, photo, strong)
        for better, worse in examples.pairs:
            total += lacks(recipe.strong_margin, liked, better, worse) / len(examples.pairs)
        for place, row, content in zip(examples.grey_of, greys, grey_says, strict=True):
            total += recipe.grey * (float(w @ row) + content - liked[place]) ** 2 / len(greys)
        return total

    return value


@pytest.mark.parametrize("taught", [False, True])
@pytest.mark.parametrize(
    "recipe",
    [FitRecipe(), FitRecipe(ridge=0.1, rated=0.3, photos=2.0, grey=0.5, damage=3.0, kinds={"tilt": 0.2})],
    ids=["by default", "weighed"],
)
def test_the_linear_part_is_the_minimum_of_its_objective(recipe: FitRecipe, taught: bool) -> None:
    examples = examples_of()
    if taught:
        generator = np.random.default_rng(5)
        examples = replace(examples, teacher=generator.normal(0, 1, len(examples.features)).astype(np.float32))
    encoder = fitted(examples, recipe, landmarks=7)
    value = objective(encoder, examples, recipe)
    least = minimize(value, np.zeros(WIDTH), method="L-BFGS-B", options={"maxfun": 10**6}).fun
    assert least < 0.95 * value(np.zeros(WIDTH))
    assert value(head_of(encoder).liking.weight.detach()[0].double().numpy()) == pytest.approx(least, rel=1e-3)


@pytest.mark.parametrize("landmarks", [0, RATED])
def test_damaged_copies_end_below_their_photos(landmarks: int) -> None:
    examples = examples_of()
    photo, weak, strong = norms(fitted(examples, FitRecipe(damage=10), landmarks=landmarks), examples.features)[
        examples.damage
    ].T
    assert (photo > weak).all()
    assert (weak > strong).all()


@pytest.mark.parametrize("how", [FitRecipe(), FitRecipe(ridge=0.1, rated=9, photos=9, damage=3, kinds={"tilt": 0.5})])
def test_detectors_of_faults_meet_what_is_asked_for_better_than_a_linear_part_alone(how: FitRecipe) -> None:
    """By the literal objective, in which what is said is no longer linear."""
    examples = examples_of()
    plain, gated = fitted(examples, how, landmarks=7), fitted(examples, how, landmarks=7, faults=True)
    weight, faults = head_of(plain).liking.weight.detach()[0].double().numpy(), head_of(gated).faults
    assert faults is not None
    value = objective(plain, examples, how)
    squares = float((head_of(gated).liking.weight.square().sum() + faults.weight.square().sum()).detach())
    assert said_by_technique(gated, examples, how) + how.ridge * squares < value(weight)


def said_by_technique(encoder: AestheticEncoder, examples: Examples, how: FitRecipe) -> float:
    """The literal objective, without its ridge, of linear part and detectors."""
    head = head_of(encoder)

    class Said:
        """Stands for a weight: its product with a row is what the head says of the row."""

        def __matmul__(self, row: NDArray[np.float64]) -> float:
            if isinstance(row, Said):
                return 0.0
            with torch.no_grad():
                return float(head.technique(torch.from_numpy(row).float()[None]))

    return objective(encoder, examples, how)(Said())  # type: ignore[arg-type]


def test_detectors_leave_photos_alone_and_take_off_where_there_is_damage() -> None:
    examples, how = examples_of(), FitRecipe(damage=10, photos=30, rated=30, ridge=1e-3)
    encoder = fitted(examples, how, landmarks=RATED, faults=True)
    faults = head_of(encoder).faults
    assert faults is not None
    with torch.no_grad():
        found = faults(torch.from_numpy(standardised(encoder, examples.features)).float()).numpy()
    photo, weak, strong = found[examples.damage].T
    assert (found >= 0).all()
    assert photo.mean() < 0.3 * weak.mean() < 0.6 * strong.mean()


def test_detectors_of_kinds_that_are_not_shown_see_nothing() -> None:
    faults = head_of(fitted(examples_of(), faults=True)).faults
    assert faults is not None
    seen = [kind for kind, weight in zip(DAMAGES, faults.weight, strict=True) if weight.any()]
    assert sorted(seen) == sorted(KINDS)


def test_a_kind_of_damage_without_weight_teaches_nothing() -> None:
    examples, how = examples_of(), FitRecipe(kinds={"noise": 0.0})
    changed = examples.features.copy()
    noisy = examples.damage[np.array(examples.kinds) == "noise", 1:]
    changed[noisy] += 1
    weights = [
        head_of(fitted(replace(examples, features=features), how)).liking.weight
        for features in (examples.features, changed)
    ]
    assert torch.allclose(*weights, atol=1e-4)
    plain = head_of(fitted(replace(examples, features=changed))).liking.weight
    assert not torch.allclose(plain, weights[0], atol=1e-2)


def test_with_a_big_weight_the_linear_part_says_nothing_of_photos() -> None:
    examples = examples_of()
    little, much = (
        np.abs(linear(fitted(examples, FitRecipe(photos=photos)), examples.features[examples.photos])).max()
        for photos in (0.0, 1e5)
    )
    assert much < 1e-3 < 0.1 < little


def test_grey_copies_keep_their_norms_with_a_big_weight() -> None:
    examples = examples_of()
    assert examples.grey is not None
    differences = []
    for weight in (0.0, 1e5):
        encoder = fitted(examples, FitRecipe(grey=weight), landmarks=RATED)
        plain, style = norms(encoder, examples.features[examples.grey_of]), norms(encoder, examples.grey)
        differences.append(np.abs(plain - style).max())
    assert differences[1] < 0.01 < 0.1 < differences[0]


def test_a_teachers_values_are_reached_on_photos_with_a_big_weight() -> None:
    examples = examples_of()
    teacher = np.random.default_rng(3).normal(0, 1, len(examples.features)).astype(np.float32)
    encoder = fitted(replace(examples, teacher=teacher), FitRecipe(photos=1e6), landmarks=RATED, offset=5.0)
    expected = np.log1p(np.exp(5.0 + teacher[examples.photos].astype(np.float64)))
    assert norms(encoder, examples.features[examples.photos]) == pytest.approx(expected, abs=0.02)


SMALLER = Branch("mobilenet_v2", ("stem",), shrink=2)
CONTENT = FitRecipe(damage=0, grey=0)
"""Nothing of technique is taught: what remains is what is known of content."""


@torch.no_grad()
def liked(encoder: AestheticEncoder, features: NDArray[np.float16]) -> NDArray[np.float64]:
    """What norms are the softplus of."""
    said = norms(encoder, features)
    return said + np.log(-np.expm1(-said))


def of_members(
    examples: Examples, members: Sequence[Sequence[int]], recipe: FitRecipe, *, landmarks: int = RATED, **fields: Any
) -> AestheticEncoder:
    encoder = encoder_of(landmarks, beside=(SMALLER,), members=tuple(map(tuple, members)), **fields)
    fit_head(encoder, examples, recipe, offset=4.0)
    return encoder


def test_members_say_the_mean_of_what_each_says_alone_and_the_first_teaches_the_others() -> None:
    """To what it makes that landmarks stand on another grid."""
    examples = examples_of(width=2 * WIDTH, pairs=0)
    whole = encoder_of(RATED, beside=(SMALLER,))
    fit_head(whole, examples, CONTENT, offset=4.0)
    first = liked(whole, examples.features)

    part = encoder_of(RATED)
    own = examples.only(range(WIDTH))
    fit_head(part, replace(own, teacher=(first - 4).astype(np.float32)), CONTENT, offset=4.0)
    second = liked(part, own.features)

    both = liked(of_members(examples, [(0, 1), (0,)], CONTENT), examples.features)
    assert both == pytest.approx((first + second) / 2, abs=0.01)
    assert np.abs(first - second).max() > 0.1


def test_a_teacher_from_outside_teaches_all_members() -> None:
    """Until they agree with it where nothing else is wanted of them; technique has no say."""
    examples = examples_of(width=2 * WIDTH, pairs=0)
    teacher = np.random.default_rng(5).normal(0, 1, len(examples.features)).astype(np.float32)
    how = replace(CONTENT, photos=1e5, rated=0, agreement=1e-3, ridge=1e8)
    encoder = of_members(replace(examples, teacher=teacher), [(0, 1), (0,)], how)
    assert liked(encoder, examples.features)[examples.photos] == pytest.approx(4 + teacher[examples.photos], abs=1e-2)


def test_the_smaller_the_agreements_ridge_the_nearer_members_come_to_the_first_on_photos() -> None:
    examples = examples_of(width=2 * WIDTH, pairs=0)
    photos = examples.features[examples.photos]
    first = liked(of_members(examples, [(0, 1)], CONTENT), photos)
    apart = [
        np.abs(liked(of_members(examples, [(0, 1), (0,)], replace(CONTENT, agreement=ridge)), photos) - first).mean()
        for ridge in (10.0, 1e-1, 1e-3)
    ]
    assert apart[0] > 1.5 * apart[1] > 4 * apart[2], apart


def test_a_member_alone_sees_its_own_branches() -> None:
    examples = examples_of(width=2 * WIDTH, pairs=0)
    encoder = of_members(examples, [(1,)], CONTENT)
    changed = examples.features.copy()
    changed[:, :WIDTH] += 1
    assert norms(encoder, changed) == pytest.approx(norms(encoder, examples.features), abs=1e-5)
    changed[:, WIDTH:] += 1
    assert norms(encoder, changed) != pytest.approx(norms(encoder, examples.features), abs=0.1)


@pytest.mark.parametrize("how", [FitRecipe(), FitRecipe(ridge=0.1, agreement=0.03, rated=0.3, photos=2, damage=3)])
def test_technique_is_the_minimum_of_its_objective_beside_what_members_say(how: FitRecipe) -> None:
    examples, members = examples_of(width=2 * WIDTH), [(0, 1), (0,), (1,)]
    content = of_members(replace(examples, pairs=NO_PAIRS), members, replace(how, damage=0, grey=0))
    known_linear = head_of(content).liking.weight.detach()[0].double().numpy()
    assert np.abs(known_linear).max() > 0.05
    encoder = of_members(examples, members, how)
    value = objective(encoder, examples, how, known_linear)
    least = minimize(value, np.zeros(2 * WIDTH), method="L-BFGS-B", options={"maxfun": 10**6}).fun
    assert least < 0.95 * value(np.zeros(2 * WIDTH))
    technique = head_of(encoder).liking.weight.detach()[0].double().numpy() - known_linear
    assert value(technique) == pytest.approx(least, rel=3e-3)


def test_pairs_alone_are_ranked_without_ratings() -> None:
    examples = examples_of(pairs=9, grey=0)
    nothing = np.empty(0, np.int64)
    alone = Examples(
        examples.features,
        nothing,
        nothing.astype(np.float64),
        examples.mirrored[:0],
        np.empty((0, 3), np.int64),
        [],
        examples.pairs,
    )
    encoder = fitted(alone, FitRecipe(ridge=1e-3), landmarks=5)
    better, worse = norms(encoder, examples.features)[examples.pairs].T
    assert (better > worse).all()
    assert not head_of(encoder).landmarks.heights.any()


NOTHING = np.empty(0, np.int64)


@pytest.mark.parametrize(
    "without",
    [
        {"rated": NOTHING, "ratings": NOTHING.astype(np.float64), "mirrored": np.empty((0, WIDTH), np.float16)},
        {"damage": np.empty((0, 3), np.int64), "kinds": []},
        {"pairs": np.empty((0, 2), np.int64)},
        {"grey": None},
        {"grey": np.empty((0, WIDTH), np.float16), "grey_of": NOTHING},
    ],
    ids=["ratings", "damage", "pairs", "grey", "empty grey"],
)
def test_any_kind_of_examples_may_be_missing(without: dict[str, Any]) -> None:
    encoder = fitted(replace(examples_of(), **without), landmarks=RATED)
    assert all(torch.isfinite(one).all() for one in encoder.head.state_dict().values())
    assert np.isfinite(norms(encoder, examples_of().features)).all()


def test_ratings_alone_leave_the_linear_part_at_zero() -> None:
    examples = replace(
        examples_of(), damage=np.empty((0, 3), np.int64), kinds=[], pairs=np.empty((0, 2), np.int64), grey=None
    )
    assert head_of(fitted(examples, landmarks=RATED)).liking.weight.abs().max() < 1e-6


def test_the_order_of_norms_becomes_that_of_ratings() -> None:
    examples = examples_of()
    found = norms(
        fitted(examples, FitRecipe(smoothing=0.01, rated=100), landmarks=RATED), examples.features[examples.rated]
    )
    assert srcc(found, examples.ratings) > 0.95


def test_a_deviation_of_the_ratings_is_a_step_of_one_from_the_offset() -> None:
    examples = examples_of(grey=0)
    encoder = fitted(examples, FitRecipe(smoothing=1e-4, damage=0, rated=1e4), landmarks=RATED, offset=9.0)
    found = norms(encoder, examples.features[examples.rated])
    assert found == pytest.approx(9 + examples.ratings, abs=0.2)


def test_directions_are_the_principal_components_of_the_pictures() -> None:
    examples = examples_of()
    scaled = replace(
        examples,
        features=(examples.features @ mixing()).astype(np.float16),
        mirrored=(examples.mirrored @ mixing()).astype(np.float16),
    )
    encoder = fitted(scaled)
    inner = head_of(encoder).direction.inner
    shown = np.concatenate([scaled.rated, np.unique(scaled.pairs), scaled.photos])
    places = standardised(encoder, scaled.features[shown])
    _, _, components = np.linalg.svd(places - places.mean(0))
    found = inner.weight.detach().double().numpy()
    assert found @ found.T == pytest.approx(np.eye(6), abs=1e-4)
    assert found.T @ found == pytest.approx(components[:6].T @ components[:6], abs=0.02)
    mean = torch.from_numpy(places.mean(0)).float()
    assert inner(mean).abs().max() < 1e-5


def mixing() -> NDArray[np.float64]:
    """A map that leaves but a few dimensions in which pictures differ much."""
    generator = np.random.default_rng(9)
    return (generator.normal(0, 1, (WIDTH, 6)) * [6, 5, 4, 3, 2.5, 2]) @ generator.normal(
        0, 1, (6, WIDTH)
    ) + 0.05 * generator.normal(0, 1, (WIDTH, WIDTH))


def test_pictures_that_are_not_shown_change_nothing() -> None:
    """Neither those of a held-out fold, nor their mirror images, which are not among the examples."""
    examples = examples_of()
    fewer = replace(examples, rated=examples.rated[4:], ratings=examples.ratings[4:], mirrored=examples.mirrored[4:])
    changed = examples.features.copy()
    changed[:4] = 7
    one, other = fitted(fewer, landmarks=9), fitted(replace(fewer, features=changed), landmarks=9)
    assert all(torch.equal(one.state_dict()[name], value) for name, value in other.state_dict().items())


def test_what_chance_torch_had_before_does_not_matter() -> None:
    encoders = [encoder_of(9), encoder_of(9)]
    for draws, encoder in enumerate(encoders):
        torch.rand(draws)
        fit_head(encoder, examples_of(), FitRecipe(), offset=4.0)
    one, other = (encoder.state_dict() for encoder in encoders)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_head_of_another_kind_is_refused() -> None:
    encoder = encoder_of(head="projection")
    with pytest.raises(ConfigError, match='must be of the polar kind; set head = "polar"'):
        fit_head(encoder, examples_of(), FitRecipe(), offset=4.0)
