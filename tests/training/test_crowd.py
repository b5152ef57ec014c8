"""One person against the crowd: the estimate from deviations, against raters that are simulated one by one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from aesth.errors import CatalogueError
from aesth.training.crowd import crowd_figures, one_person

PICTURES = 4000


def simulated(raters: int, own: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ratings of a crowd (PICTURES, raters), and of one person more (PICTURES,), who differ by about ``own``."""
    generator = np.random.default_rng(seed)
    liked, spread = generator.normal(4, 0.8, (PICTURES, 1)), own * generator.uniform(0.5, 1.5, (PICTURES, 1))
    ratings = liked + spread * generator.normal(size=(PICTURES, raters + 1))
    return ratings[:, 1:], ratings[:, 0]


@pytest.mark.parametrize("raters", [4, 100])
@pytest.mark.parametrize("own", [0.3, 1.2])
def test_the_estimate_is_what_simulated_people_agree_by(raters: int, own: float) -> None:
    crowd, person = simulated(raters, own)
    means, deviations = crowd.mean(axis=1), crowd.std(axis=1, ddof=1)
    agreement = np.corrcoef(person, means)[0, 1]
    assert one_person(means, deviations, np.full(PICTURES, raters)) == pytest.approx(agreement, abs=0.02)


def test_without_the_number_of_raters_they_are_taken_for_many() -> None:
    crowd, person = simulated(200, 1.0)
    found = one_person(crowd.mean(axis=1), crowd.std(axis=1, ddof=1))
    assert found == pytest.approx(np.corrcoef(person, crowd.mean(axis=1))[0, 1], abs=0.02)


def test_people_of_one_mind_agree_and_means_that_chance_alone_moves_say_nothing() -> None:
    assert one_person([1, 2, 4], [0, 0, 0]) == 1
    assert math.isnan(one_person([1, 2, 4], [9, 9, 9], [2, 2, 2]))


def test_the_first_list_with_deviations_is_taken(tmp_path: Path) -> None:
    scores, ratings = tmp_path / "scores.csv", tmp_path / "ratings.csv"
    scores.write_text("file,score\na.jpg,1\n")
    ratings.write_text("file,theme,beauty_mean,beauty_sd\na.jpg,A,2,1\nb.jpg,B,4,1\n")
    assert crowd_figures([scores]) is None
    figures = crowd_figures([scores, ratings])
    assert figures is not None
    assert (figures["correlation"], figures["pictures"]) == (round(math.sqrt(2 / 3), 4), 2)


@pytest.mark.parametrize(("sd", "raters", "told"), [("much", "9", "deviation 'much'"), ("1", "0", "at least one")])
def test_a_wrong_deviation_is_told_with_its_line(sd: str, raters: str, told: str, tmp_path: Path) -> None:
    listing = tmp_path / "ratings.csv"
    listing.write_text(f"file,theme,beauty_mean,beauty_sd,raters\na.jpg,A,2,{sd},{raters}\n")
    with pytest.raises(CatalogueError, match=f"line 2: .*{told}"):
        crowd_figures([listing])
