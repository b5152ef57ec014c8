"""The data of a training: what is kept apart stays apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aesth.errors import CatalogueError
from aesth.training.catalogue import fold, kept_for_damage, read_oasis, unrated_photos
from aesth.training.damage import DAMAGES
from aesth.training.evaluate import DamageTest
from aesth.training.study import Study, assemble, damaged_views
from support.training import make_data


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Path]:
    data = make_data(tmp_path_factory.mktemp("study"), photos=6, kept=3)
    return assemble(data, damage_kinds=3, seed=1), data


def test_rated_pictures_come_first_with_their_ratings_and_folds(study: tuple[Study, Path]) -> None:
    made, data = study
    rated = read_oasis(data / "oasis")
    assert [view.path for view in made.views[: len(rated)]] == [picture.path for picture in rated]
    assert all(view.kind is None and not view.recompressed for view in made.views[: len(rated)])
    assert made.ratings.tolist() == [picture.score for picture in rated]
    assert made.folds.tolist() == [fold(picture.theme) for picture in rated]


def test_a_triple_is_a_photo_and_a_weak_and_a_strong_copy_of_one_kind(study: tuple[Study, Path]) -> None:
    made, _ = study
    assert made.damage.shape == (6 * 3, 3)
    for triple in made.damage:
        original, weak, strong = (made.views[index] for index in triple)
        assert original.path == weak.path == strong.path
        assert (original.kind, original.strength) == (None, None)
        assert weak.kind == strong.kind in DAMAGES
        assert (weak.strength, strong.strength) == ("weak", "strong")
        assert original.recompressed == weak.recompressed == strong.recompressed is True


def test_every_photo_is_shown_in_as_many_different_kinds_as_asked(study: tuple[Study, Path]) -> None:
    made, _ = study
    kinds = [made.views[weak].kind for _, weak, _ in made.damage]
    assert all(len(set(kinds[index : index + 3])) == 3 for index in range(0, len(kinds), 3))
    assert len(set(kinds)) > 3


def test_every_view_is_used(study: tuple[Study, Path]) -> None:
    made, _ = study
    used = set(range(len(made.ratings))) | set(made.damage.ravel().tolist())
    assert used == set(range(len(made.views)))


def test_the_kinds_follow_from_the_seed(study: tuple[Study, Path]) -> None:
    made, data = study
    assert assemble(data, damage_kinds=3, seed=1).views == made.views
    assert assemble(data, damage_kinds=3, seed=2).views != made.views


def test_kept_photos_are_never_in_a_training_and_the_others_never_in_the_test(study: tuple[Study, Path]) -> None:
    made, data = study
    test = DamageTest.of(data)
    learned = {view.path for view in made.views[len(made.ratings) :]}
    measured = {view.path for view in test.views}
    assert not learned & measured
    assert learned | measured == set(unrated_photos(data / "photos"))
    assert all(kept_for_damage(path.name) for path in measured)


def test_a_test_has_every_kind_at_both_strengths_of_every_kept_photo(study: tuple[Study, Path]) -> None:
    test = DamageTest.of(study[1])
    assert len(test.triples) == 3 * len(DAMAGES)
    assert {kind: list(test.kinds).count(kind) for kind in DAMAGES} == dict.fromkeys(DAMAGES, 3)


def test_a_fold_is_either_learned_from_or_held_out(study: tuple[Study, Path]) -> None:
    made, _ = study
    for held_out in range(5):
        inside, outside = made.held_out_pictures(held_out), made.training_pictures(held_out)
        assert sorted([*inside, *outside]) == list(range(len(made.ratings)))
        assert set(made.folds[inside].tolist()) == {held_out}
        assert held_out not in made.folds[outside]
    assert made.training_pictures(None).tolist() == list(range(len(made.ratings)))


def test_no_damage_can_be_asked_for() -> None:
    views, triples = damaged_views([Path("a.jpg")], kinds=0, first=7)
    assert len(views) == 1
    assert triples.shape == (0, 3)


def test_indices_count_from_where_they_are_told_to() -> None:
    _, from_zero = damaged_views([Path("a.jpg"), Path("b.jpg")], kinds=2)
    _, from_seven = damaged_views([Path("a.jpg"), Path("b.jpg")], kinds=2, first=7)
    assert np.array_equal(from_zero + 7, from_seven)


def test_missing_parts_of_a_data_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"ratings\.csv"):
        assemble(tmp_path, damage_kinds=1)
    make_data(tmp_path, photos=0, kept=0)
    with pytest.raises(CatalogueError, match="no pictures in this folder"):
        assemble(tmp_path, damage_kinds=1)


def test_the_real_folds_share_no_theme_and_no_kept_photo_is_learned_from(data: Path) -> None:
    made = assemble(data, damage_kinds=4)
    rated = read_oasis(data / "oasis")
    for held_out in range(5):
        inside = {rated[index].theme for index in made.held_out_pictures(held_out)}
        outside = {rated[index].theme for index in made.training_pictures(held_out)}
        assert inside
        assert not inside & outside
    assert not any(kept_for_damage(view.path.name) for view in made.views[len(rated) :])
