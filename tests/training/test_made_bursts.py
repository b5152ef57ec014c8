"""Made bursts with a known best, how often it is found, and the weights that find it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from aesth.apps.ranking import WEIGHTS
from aesth.training.bursts import FRAMES, Fault, make_burst
from aesth.training.bursts_run import Part, Seen, fitted_weights, found_by_fault, interval, measure_bursts, sources
from aesth.training.logit import fit_choices
from support.cli import aesth_in_process
from support.training import make_data

PHOTO = np.kron(np.random.default_rng(0).integers(30, 220, (20, 25, 3), np.uint8), np.ones((10, 10, 1), np.uint8))


@pytest.mark.parametrize("fault", Fault)
def test_no_frame_is_the_photo_or_another_frame_and_the_best_is_anywhere(fault: Fault) -> None:
    bursts = [make_burst(PHOTO, fault, np.random.default_rng(seed)) for seed in range(6)]
    assert len({burst.best for burst in bursts}) > 2
    for burst in bursts[:2]:
        assert len(burst.frames) == FRAMES
        assert {frame.shape for frame in burst.frames} == {(144, 180, 3)}
        assert len({frame.tobytes() for frame in burst.frames}) == FRAMES
    again = make_burst(PHOTO, fault, np.random.default_rng(0))
    assert [frame.tobytes() for frame in again.frames] == [frame.tobytes() for frame in bursts[0].frames]


@pytest.mark.parametrize("fault", [Fault.SHAKE, Fault.FOCUS, Fault.EXPOSURE])
def test_the_best_has_least_of_the_fault(fault: Fault) -> None:
    """Told by means of its own: how much of fine detail is left, and how far the mean is from the photo's."""
    hits = 0
    for seed in range(8):
        burst = make_burst(PHOTO, fault, np.random.default_rng(seed))
        greys = [frame.mean(axis=-1) for frame in burst.frames]
        if fault is Fault.EXPOSURE:
            told = int(np.argmin([abs(grey.mean() - PHOTO.mean()) for grey in greys]))
        else:
            told = int(np.argmax([min((np.diff(grey, axis=axis) ** 2).mean() for axis in (0, 1)) for grey in greys]))
        hits += told == burst.best
    assert hits >= 6


@settings(max_examples=8)
@given(st.integers(0, 1000))
def test_weights_are_those_of_the_likeliest_choices(seed: int) -> None:
    """Against a general search over the likelihood, written down literally."""
    rng = np.random.default_rng(seed)
    features, chosen, ridge = rng.normal(size=(30, 4, 2)), rng.integers(0, 4, 30), 0.1

    def unlikely(weights: np.ndarray) -> float:
        total = 0.0
        for things, choice in zip(features, chosen, strict=True):
            odds = [math.exp(float(thing @ weights)) for thing in things]
            total -= math.log(odds[choice] / sum(odds))
        return total / len(chosen) + ridge / 2 * float(weights @ weights)

    assert fit_choices(features, chosen, ridge) == pytest.approx(optimize.minimize(unlikely, [0, 0]).x, abs=1e-3)


def seen(fault: Fault, best: int, **features: list[float]) -> Seen:
    zeros = [0.0, 0.0]
    given_ = {name: np.array(features.get(name, zeros)) for name in WEIGHTS}
    return Seen(fault, True, best, given_, np.array([2.0, 1.0]))


def test_what_is_found_is_counted_by_fault_and_by_means() -> None:
    bursts = [
        seen(Fault.SHAKE, 1, score=[3, 2], sharpness=[0, 1]),
        seen(Fault.SHAKE, 0, score=[3, 2], sharpness=[0, 1]),
        seen(Fault.FOCUS, 1, score=[0, 0.1], highlights=[0.5, 0]),
    ]
    found = found_by_fault(bursts)
    shares = {fault: {means: row["found"] for means, row in rows.items()} for fault, rows in found.items()}
    assert shares == {
        "shake": {"score": 0.5, "laplacian": 0.5, "sharpness": 0.5, "together": 0.5},
        "focus": {"score": 1, "laplacian": 0, "sharpness": 0, "together": 1},
    }


def test_the_interval_of_a_share_is_wilsons() -> None:
    """By his formula's definition: the shares p from which the hits are just 1.96 deviations away."""
    for hits, of in ((0, 10), (7, 10), (10, 10), (55, 80)):
        for bound in interval(hits, of):
            distance = abs(hits / of - bound)
            assert distance == pytest.approx(1.96 * math.sqrt(bound * (1 - bound) / of), abs=1e-9)


def test_a_feature_that_tells_the_best_gets_the_weight() -> None:
    rng = np.random.default_rng(0)
    bursts = []
    for _ in range(60):
        features = {name: rng.normal(size=3) for name in WEIGHTS}
        bursts.append(Seen(Fault.SHAKE, True, int(np.argmax(features["sharpness"])), features, np.zeros(3)))
    weights = fitted_weights(bursts)
    assert max(weights, key=lambda name: weights[name]) == "sharpness"
    assert weights["sharpness"] > 5 * max(abs(weights[name]) for name in weights if name != "sharpness")


def test_weights_are_chosen_and_measured_on_different_photos(tmp_path: Path) -> None:
    data = make_data(tmp_path)
    chosen, kept = (sources(data, part, 1000) for part in Part)
    assert chosen
    assert kept
    assert not {path for path, _ in chosen} & {path for path, _ in kept}
    few = sources(data, Part.CHOICE, 2)
    assert len(few) == 4
    assert few == sources(data, Part.CHOICE, 2)


def test_the_command_prints_the_figures(tmp_path: Path, brightness: Path) -> None:
    data = make_data(tmp_path)
    options = ("--data", data, "--model", brightness, "--most", "1", "--fault", "shake", "--fault", "exposure")
    done = aesth_in_process("train", "evaluate", "bursts", *options, "--part", "choice")
    figures = json.loads(done.stdout)
    assert set(figures["all"]) == {"shake", "exposure"}
    assert figures["all"]["shake"]["together"]["bursts"] == 2
    assert set(figures["weights"]) == set(WEIGHTS)
    assert "weights" not in measure_bursts(data, Part.TEST, str(brightness), [Fault.FOCUS], 1)
    wrong = aesth_in_process("train", "evaluate", "bursts", "--data", data, "--fault", "rain")
    assert wrong.returncode == 2
