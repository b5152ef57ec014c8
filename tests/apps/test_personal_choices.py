"""Choices between two photos to a taste, and which two to ask for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth.apps.personal.asking import next_pair
from aesth.apps.personal.choices import (
    CHOICE_RIDGE,
    LEAST_SHARE,
    SHARE_RIDGE,
    USUAL_SHARE,
    Looks,
    Pairs,
    fit_preference,
    foretell_choices,
    learn_from_choices,
)
from aesth.apps.personal.learning import Verdict
from support.tastes import Person, person

seeds = st.integers(0, 2**32 - 1)
NONE = np.empty((0, 2), np.intp)


def chosen(of: Person, choices: int, seed: int = 0, noise: float = 0.3) -> Pairs:
    """What a person chooses of pairs drawn at random."""
    random = np.random.default_rng(seed)
    drawn = [random.choice(len(of.liked), 2, replace=False) for _ in range(choices)]
    pairs = np.array(drawn, np.intp).reshape(-1, 2)
    felt = of.liked[pairs] + noise * random.standard_normal(pairs.shape)
    return np.where((felt[:, 0] > felt[:, 1])[:, None], pairs, pairs[:, ::-1])


def uphill(looks: Looks, pairs: Pairs, share: float, weights: np.ndarray) -> np.ndarray:
    """The gradient of the penalised log likelihood by share and weights, written out."""
    slope = np.concatenate([[-SHARE_RIDGE * (share - USUAL_SHARE)], -CHOICE_RIDGE * weights])
    for better, worse in pairs:
        norms = looks.norms[better] - looks.norms[worse]
        pointing = looks.directions[better] - looks.directions[worse]
        surprise = 1 / (1 + np.exp(share * norms + pointing @ weights))
        slope += surprise * np.concatenate([[norms], pointing])
    return slope


@given(seeds, st.integers(1, 40))
def test_a_preference_is_where_the_likelihood_is_highest(seed: int, choices: int) -> None:
    """The likelihood is concave: the only place where its gradient is nothing."""
    of = person(ratings=20, seed=seed)
    looks, pairs = Looks.of(of.embeddings), chosen(of, choices, seed)
    found = fit_preference(looks, pairs)
    assert uphill(looks, pairs, found.share, found.weights) == pytest.approx(0, abs=1e-4) or found.share == LEAST_SHARE


def test_without_choices_people_are_as_usual() -> None:
    found = fit_preference(Looks.of(person().embeddings), NONE)
    assert found.share == USUAL_SHARE
    assert not found.weights.any()


def test_a_choice_and_its_contrary_teach_nothing_of_directions() -> None:
    looks = Looks.of(person(ratings=20).embeddings)
    found = fit_preference(looks, np.array([[0, 1], [1, 0]]))
    assert abs(found.weights @ (looks.directions[0] - looks.directions[1])) < abs(looks.norms[0] - looks.norms[1])


@settings(max_examples=5)
@given(seeds)
def test_choices_of_the_same_group_never_change_what_is_foretold(seed: int) -> None:
    of = person(ratings=40, per_day=2, seed=seed)
    looks, pairs = Looks.of(of.embeddings), chosen(of, 30, seed)
    before = foretell_choices(looks, pairs, of.groups)
    of_pairs = of.groups[pairs]
    same = np.isin(of_pairs, of_pairs[0]).any(axis=1)
    turned = np.where(same[:, None], pairs[:, ::-1], pairs)
    # Turned itself, it is foretold the contrary of the same.
    assert -foretell_choices(looks, turned, of.groups)[0] == pytest.approx(before[0], abs=1e-9)


def test_who_differs_gets_a_taste_and_who_chooses_at_random_or_as_all_does_not() -> None:
    verdicts: dict[str, list[Verdict]] = {"differs": [], "agrees": [], "random": []}
    for seed in range(3):
        differs, agrees = person(seed=seed, own=0.9), person(seed=seed, own=0)
        pairs = chosen(differs, 120, seed)
        random = np.where(np.random.default_rng(seed).random(120)[:, None] < 0.5, pairs, pairs[:, ::-1])
        for name, of, made in (
            ("differs", differs, pairs),
            ("agrees", agrees, chosen(agrees, 120, seed)),
            ("random", differs, random),
        ):
            verdicts[name].append(learn_from_choices(made, of.embeddings, of.groups, "m").verdict)
    assert verdicts["differs"].count(Verdict.LEARNT) >= 2
    assert verdicts["agrees"].count(Verdict.NO_GAIN) >= 2
    assert verdicts["random"].count(Verdict.NO_GAIN) >= 2


def test_a_taste_by_choices_orders_new_photos_as_the_person_would() -> None:
    of, new = person(seed=1, own=0.9), person(seed=2, own=0.9)
    found = learn_from_choices(chosen(of, 150), of.embeddings, of.groups, "m")
    assert found.taste is not None
    pairs = chosen(new, 500, noise=0)
    general = np.linalg.norm(new.embeddings, axis=1)
    personal = found.taste.norms(new.embeddings)
    hits = [float(np.mean(norms[pairs[:, 0]] > norms[pairs[:, 1]])) for norms in (general, personal)]
    assert hits[1] > hits[0] + 0.1
    assert found.taste.learnt["from"] == "choices"


@pytest.mark.parametrize(
    ("choices", "groups", "verdict"),
    [(0, 50, Verdict.TOO_FEW), (29, 50, Verdict.TOO_FEW), (60, 4, Verdict.TOO_FEW_GROUPS)],
)
def test_without_enough_choices_the_general_score_is_kept(choices: int, groups: int, verdict: Verdict) -> None:
    of = person(ratings=200)
    found = learn_from_choices(chosen(of, choices), of.embeddings, of.groups % groups, "m")
    assert (found.verdict, found.taste) == (verdict, None)


@settings(max_examples=10)
@given(seeds, st.integers(2, 12), st.integers(0, 30))
def test_two_different_photos_are_asked_for_whatever_was_shown(seed: int, photos: int, times: int) -> None:
    looks, random = Looks.of(person(ratings=photos, seed=seed).embeddings), np.random.default_rng(seed)
    shown: list[tuple[int, int]] = []
    for _ in range(times):
        shown.append(next_pair(looks, NONE, shown, random))
    one, other = next_pair(looks, NONE, shown, random)
    assert one != other
    assert {one, other} <= set(range(photos))


def test_photos_come_in_turn_and_no_pair_twice_while_there_are_others() -> None:
    looks, random = Looks.of(person(ratings=20).embeddings), np.random.default_rng(0)
    shown: list[tuple[int, int]] = []
    for _ in range(60):
        shown.append(next_pair(looks, NONE, shown, random))
    often = np.bincount(np.array(shown).ravel(), minlength=20)
    assert often.max() - often.min() <= 6
    assert len({frozenset(pair) for pair in shown}) == 60


def test_what_is_asked_teaches_more_than_what_is_drawn() -> None:
    """By how well the direction that the person likes is found, on average over people."""
    asked, drawn = [], []
    for seed in range(6):
        of = person(ratings=80, dimensions=12, seed=seed, shared=0.4, own=0.9)
        looks, random = Looks.of(of.embeddings), np.random.default_rng(seed)
        shown: list[tuple[int, int]] = []
        made = NONE
        for _ in range(40):
            one, other = next_pair(looks, made, shown, random)
            shown.append((one, other))
            better = (one, other) if of.liked[one] > of.liked[other] else (other, one)
            made = np.vstack([made, [better]])
        for pairs, found in ((made, asked), (chosen(of, 40, seed, noise=0), drawn)):
            weights = fit_preference(looks, pairs).weights
            found.append(weights[0] / np.linalg.norm(weights))
    assert np.mean(asked) > max(0.92, float(np.mean(drawn)))
