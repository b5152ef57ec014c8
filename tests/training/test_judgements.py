"""What is learned from several catalogues, and from pairs: triplets within a source, order without distance."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from aesth.encoder import OnnxEncoder
from aesth.errors import CatalogueError
from aesth.registry import ModelFile
from aesth.scale import norm
from aesth.training.catalogue import fold
from aesth.training.checkpoint import fingerprint
from aesth.training.evaluate import torch_encode
from aesth.training.features import Extractor, frozen_features
from aesth.training.figures import fold_figures, mean_kept
from aesth.training.loader import StreamedViews
from aesth.training.metrics import plcc, srcc
from aesth.training.networks import AestheticEncoder
from aesth.training.publish import export_models
from aesth.training.recipe import LoaderRecipe
from aesth.training.run import Run, evaluate, run
from aesth.training.source import TripletSource
from aesth.training.study import assemble
from aesth.training.train import train
from support.catalogues import make_pairs, make_scores
from support.training import RECIPE_FILE, THEMES, make_data, make_study, recipe, same_weights, without

STUDY, PIXELS = make_study()
SAMPLING = recipe().sampling
ALONE = RECIPE_FILE.replace("damage_kinds = 1", "damage_kinds = 0")
NO_RATINGS = replace(STUDY, ratings=np.empty(0), folds=np.empty(0, np.int64))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def ordered_pairs(ratings: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Pairs of different pictures, the better one first."""
    pairs = rng(1).integers(0, len(ratings), (count, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    return np.where((ratings[pairs[:, 0]] > ratings[pairs[:, 1]])[:, None], pairs, pairs[:, ::-1])


# --- pairs as triplets ---


def test_a_pair_is_a_triplet_whose_anchor_is_its_own_positive() -> None:
    pairs = ordered_pairs(STUDY.ratings, 20)
    drawn = TripletSource(NO_RATINGS, np.arange(0), SAMPLING, pairs).rated(400, rng())
    anchor, positive, negative = drawn.index.T
    assert (anchor == positive).all()
    listed = {tuple(pair) for pair in pairs.tolist()}
    better_first = {(a, n) for a, n, sign in zip(anchor, negative, drawn.sign, strict=True) if sign < 0}
    worse_first = {(n, a) for a, n, sign in zip(anchor, negative, drawn.sign, strict=True) if sign > 0}
    assert better_first == worse_first == listed
    assert 150 < np.sum(drawn.sign < 0) < 250


def test_ratings_and_pairs_are_met_as_often_as_their_pictures_say() -> None:
    pairs = ordered_pairs(STUDY.ratings, 200)
    assert len(np.unique(pairs)) == len(STUDY.ratings)
    drawn = TripletSource(STUDY, STUDY.training_pictures(None), SAMPLING, pairs).rated(2000, rng())
    of_pairs = drawn.index[:, 0] == drawn.index[:, 1]
    assert 0.45 < of_pairs.mean() < 0.55
    scored = drawn.index[~of_pairs]
    expected = np.sign(STUDY.ratings[scored[:, 2]] - STUDY.ratings[scored[:, 0]])
    assert np.array_equal(drawn.sign[~of_pairs], expected)
    assert len(drawn.index) == len(drawn.sign) == 2000


@pytest.mark.parametrize("among", [3, 8, 11])
def test_few_pictures_are_enough_where_few_are_asked_for(among: int) -> None:
    pairs = ordered_pairs(STUDY.ratings, 200)
    source = TripletSource(NO_RATINGS, np.arange(0), SAMPLING, pairs)
    for seed in range(20):
        assert len(np.unique(source.rated(50, rng(seed), among).index)) <= among


def test_pairs_alone_make_norms_agree_with_the_order(tmp_path: Path) -> None:
    """The toy problem of the norms, with order alone: pairs of the first half of the pictures teach the other half."""
    count = len(STUDY.ratings)
    pairs = ordered_pairs(STUDY.ratings[: count // 2], 200)
    study = replace(NO_RATINGS, pairs=pairs, pair_folds=np.zeros_like(pairs), damage=np.empty((0, 3), np.int64))
    how = without("fine_tune", recipe(warm_up={"steps": 80, "rated": 32, "damaged": 0, "patience": 40}))
    torch.manual_seed(how.seed)
    features = frozen_features(Extractor(AestheticEncoder(how.encoder)), PIXELS)
    encoder = train(how, study, PIXELS, tmp_path, features=features)
    norms = norm(torch_encode(encoder)(PIXELS[:count]))
    assert srcc(norms[count // 2 :], STUDY.ratings[count // 2 :]) > 0.9


# --- several sources ---


def test_the_pictures_of_a_triplet_are_of_one_source() -> None:
    sources = np.arange(len(STUDY.ratings)) % 2
    scales = np.where(sources == 0, 1.0, 100.0)
    study = replace(STUDY, sources=sources, ratings=STUDY.ratings * scales)
    source = TripletSource(study, study.training_pictures(None), SAMPLING)
    for among in (0, 12):
        drawn = np.concatenate([source.rated(50, rng(seed), among).index for seed in range(6)])
        assert (sources[drawn] == sources[drawn[:, :1]]).all()
        assert set(sources[drawn].ravel()) == {0, 1}


def test_a_source_that_gives_no_triplet_is_told() -> None:
    sources = np.zeros(len(STUDY.ratings), np.int64)
    sources[:2] = 1
    study = replace(STUDY, sources=sources)
    with pytest.raises(CatalogueError, match="three rated pictures, there are 2"):
        TripletSource(study, study.training_pictures(None), SAMPLING)


def test_agreement_is_measured_within_sources(tiny_data: Path) -> None:
    from aesth.training.evaluate import DamageTest

    generator = rng()
    norms, ratings = generator.random(30), generator.random(30)
    sources = np.repeat([0, 1], [10, 20])
    ratings[sources == 1] *= 1000
    nothing = DamageTest([], np.empty((0, 3), np.int64), [])
    figures = fold_figures(norms, ratings, nothing, np.empty(0), sources=sources)
    for name, measure in (("srcc", srcc), ("plcc", plcc)):
        each = [measure(norms[sources == source], ratings[sources == source]) for source in (0, 1)]
        assert figures[name] == pytest.approx((each[0] + 2 * each[1]) / 3, abs=2e-4)
    assert figures["pictures"] == 30


def test_pairs_are_measured_by_their_order() -> None:
    from aesth.training.evaluate import DamageTest

    nothing = DamageTest([], np.empty((0, 3), np.int64), [])
    pairs = np.array([[3.0, 1], [2, 1], [1, 2], [1, 1]])
    figures = fold_figures(np.empty(0), np.empty(0), nothing, np.empty(0), pairs=pairs)
    assert (figures["pairs"], figures["pairs_right"]) == (4, 0.625)
    assert "srcc" not in figures


# --- a study of catalogues ---


def test_a_study_has_rated_then_compared_pictures_then_photos(tmp_path: Path, tiny_data: Path) -> None:
    scores, pairs = make_scores(tmp_path / "scores"), make_pairs(tmp_path / "pairs")
    made = assemble(tiny_data, damage_kinds=1, catalogues=[scores, pairs, tiny_data / "oasis" / "ratings.csv"])
    paths = [view.path for view in made.views]
    assert {path.parent.name for path in paths[:24]} == {"scores"}
    assert {path.parent.name for path in paths[24:60]} == {"images"}
    assert made.sources is not None
    assert made.sources.tolist() == [0] * 24 + [1] * 36
    assert made.judged == 90
    assert {path.parent.name for path in paths[60:90]} == {"pairs"}
    assert made.damage.min() == 90
    assert list(made.names) == ["scores/catalogue.csv", "pairs/catalogue.csv", "OASIS beauty ratings"]
    lines = pairs.read_text().splitlines()[1:]
    for line, pair, folds in zip(lines, made.pairs, made.pair_folds, strict=True):
        better, worse, theme = line.split(",")
        assert [paths[index].name for index in pair] == [better, worse]
        assert folds.tolist() == [fold(theme)] * 2


def test_a_fold_of_pairs_is_either_learned_from_or_held_out(tmp_path: Path) -> None:
    made = assemble(tmp_path / "none", damage_kinds=0, catalogues=[make_pairs(tmp_path / "pairs", 60, themes=False)])
    folds = {index: fold(view.path.name) for index, view in enumerate(made.views)}
    for held_out in range(5):
        learned, measured = made.training_pairs(held_out), made.held_out_pairs(held_out)
        assert held_out not in {folds[index] for index in learned.ravel()}
        assert {folds[index] for index in measured.ravel()} <= {held_out}
    assert len(made.training_pairs(None)) == len(made.pairs)


def test_a_picture_of_two_themes_is_refused(tmp_path: Path) -> None:
    pairs = make_pairs(tmp_path / "pairs")
    scores = tmp_path / "pairs" / "scores.csv"
    scores.write_text("file,score\n0.png,1\n1.png,2\n2.png,4\n")
    with pytest.raises(CatalogueError, match=r"0\.png: this picture has the theme '0\.png' in one .* 'Acorns'"):
        assemble(tmp_path, damage_kinds=0, catalogues=[scores, pairs])


def test_a_data_folder_may_have_its_own_catalogue_or_both(tmp_path: Path) -> None:
    data = make_data(tmp_path / "both")
    assert assemble(data, damage_kinds=1).sources is None
    make_scores(tmp_path / "scores", 9).rename(data / "catalogue.csv")
    for path in (tmp_path / "scores").iterdir():
        path.rename(data / path.name)
    made = assemble(data, damage_kinds=1)
    assert made.sources is not None
    assert np.bincount(made.sources).tolist() == [36, 9]


def test_a_folder_without_ratings_or_photos_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"neither oasis/ratings\.csv nor catalogue\.csv.*--catalogue"):
        assemble(tmp_path, damage_kinds=0)
    scores = make_scores(tmp_path / "scores")
    with pytest.raises(CatalogueError, match="damage_kinds = 0"):
        assemble(tmp_path / "scores", damage_kinds=1)
    assert len(assemble(tmp_path, damage_kinds=0, catalogues=[scores]).views) == 24


def test_checkpoints_of_ratings_alone_stay_valid() -> None:
    how = recipe()
    parts = (dataclasses.asdict(how), 3, STUDY.ratings.tobytes(), STUDY.damage.tobytes())
    assert fingerprint(how, STUDY, 3) == hashlib.sha256(repr(parts).encode()).hexdigest()


@pytest.mark.parametrize("changed", [{"pairs": np.array([[1, 0]])}, {"sources": np.zeros(40, np.int64)}])
def test_checkpoints_know_pairs_and_sources(changed: dict[str, NDArray[np.int64]]) -> None:
    assert fingerprint(recipe(), replace(STUDY, **changed), None) != fingerprint(recipe(), STUDY, None)


def test_streamed_catalogues_train_the_same_as_rendered_ones(tmp_path: Path) -> None:
    catalogues = [
        make_scores(tmp_path / "scores"),
        make_scores(tmp_path / "more", 9, 50),
        make_pairs(tmp_path / "pairs"),
    ]
    made = assemble(tmp_path, damage_kinds=0, catalogues=catalogues)
    how = without("warm_up", recipe())
    pixels = StreamedViews(made.views, how.encoder.preprocess, seed=how.seed, recipe=LoaderRecipe(workers=1))
    streamed = train(how, made, pixels, tmp_path / "streamed", held_out=1)
    rendered = train(how, made, np.array(pixels), tmp_path / "rendered", held_out=1)
    assert same_weights(streamed.state_dict(), rendered.state_dict())


def test_a_step_is_drawn_of_ratings_pairs_and_damage() -> None:
    pairs = ordered_pairs(STUDY.ratings, 200)
    plan = recipe(fine_tune={"rated": 60, "damaged": 8}).fine_tune
    drawn = TripletSource(STUDY, STUDY.training_pictures(None), SAMPLING, pairs).draw(plan, rng())
    index = np.concatenate([drawn.rated.index, drawn.damaged.index])
    np.testing.assert_array_equal(drawn.views[drawn.places], index)
    of_pairs = drawn.places[:60, 0] == drawn.places[:60, 1]
    assert 0 < of_pairs.sum() < 60
    assert len(drawn.damaged.index) == 8


def test_how_much_there_is_to_draw_from_is_told() -> None:
    pairs = ordered_pairs(STUDY.ratings, 20)
    pictures = STUDY.training_pictures(None)
    size = str(TripletSource(STUDY, pictures, SAMPLING).size())
    assert size.startswith("|D| = ")
    assert TripletSource(STUDY, pictures, SAMPLING).summary() == size
    assert TripletSource(STUDY, pictures, SAMPLING, pairs).summary() == f"{size}; {len(pairs)} compared pairs"
    assert TripletSource(NO_RATINGS, np.arange(0), SAMPLING, pairs).summary() == f"{len(pairs)} compared pairs"


# --- from end to end ---


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(ALONE)
    return path


def test_pairs_alone_make_a_model(config: Path, tmp_path: Path) -> None:
    data, out = make_pairs(tmp_path / "data", 48).parent, tmp_path / "out"
    held_out = fold(THEMES[0])
    figures = json.loads(evaluate(config=config, data=data, out=out, folds=[held_out]).read_text())
    measured = figures["folds"][str(held_out)]
    assert measured["pairs"] == 3 * sum(fold(theme) == held_out for theme in THEMES)
    assert 0 <= measured["pairs_right"] <= 1
    assert measured["damage_weak"] is None
    *_, int8 = export_models(config=config, data=data, out=out, models=out)
    told = OnnxEncoder(ModelFile("tiny-int8", int8)).record
    assert told.training["data"] == {  # type: ignore[index]
        "rated": 0,
        "damage_triples": 0,
        "pairs": 36,
        "rated_source": "data/catalogue.csv",
    }
    assert told.scale.reference == "48 pictures of data/catalogue.csv"


def test_catalogues_of_several_kinds_are_learned_from_together(config: Path, tmp_path: Path, tiny_data: Path) -> None:
    catalogues = [
        make_scores(tmp_path / "scores", factor=100),
        make_pairs(tmp_path / "pairs", 24),
        tiny_data / "oasis" / "ratings.csv",
    ]
    with_damage = tmp_path / "damage.toml"
    with_damage.write_text(RECIPE_FILE)
    held_out = fold(THEMES[0])
    path = evaluate(config=with_damage, data=tiny_data, out=tmp_path / "out", folds=[held_out], catalogues=catalogues)
    measured = json.loads(path.read_text())["folds"][str(held_out)]
    assert {"srcc", "pairs_right", "damage_weak"} <= measured.keys()
    assert None not in (measured["srcc"], measured["pairs_right"], measured["damage_weak"])


def test_figures_of_other_catalogues_are_not_mixed(config: Path, tmp_path: Path) -> None:
    one, other = make_scores(tmp_path / "one", 40), make_pairs(tmp_path / "other", 48)
    place = {"config": config, "data": tmp_path, "out": tmp_path / "out"}

    def folds(held_out: int, *catalogues: Path) -> set[str]:
        return set(json.loads(evaluate(**place, folds=[held_out], catalogues=catalogues).read_text())["folds"])

    assert folds(0, one, other) == {"0"}
    assert folds(1, one, other) == {"0", "1"}
    assert folds(3, one) == {"3"}
    this, both = (Run.of(**place, catalogues=catalogues) for catalogues in ([one], [one, other]))
    assert mean_kept(this.out / "figures.json", this.recipe, this.digest) is not None
    assert mean_kept(both.out / "figures.json", both.recipe, both.digest) is None


def test_a_fold_without_pairs_is_told(config: Path, tmp_path: Path) -> None:
    data = make_pairs(tmp_path / "data", 14).parent
    empty = next(one for one in range(5) if one not in {fold(theme) for theme in THEMES[:2]})
    with pytest.raises(CatalogueError, match=f"fold {empty} has no pair of two pictures"):
        evaluate(config=config, data=data, out=tmp_path / "out", folds=[empty])


def test_a_fold_with_too_few_pictures_of_a_catalogue_is_told(config: Path, tmp_path: Path) -> None:
    large, small = make_scores(tmp_path / "large", 40), make_scores(tmp_path / "small", 5)
    empty = next(one for one in range(5) if sum(fold(f"{index}.png") == one for index in range(5)) < 2)
    with pytest.raises(CatalogueError, match=f"fold {empty} has . rated pictures of a catalogue"):
        evaluate(config=config, data=tmp_path, out=tmp_path / "out", folds=[empty], catalogues=[large, small])


def test_a_bad_catalogue_is_told_before_anything_is_made(config: Path, tmp_path: Path) -> None:
    listing = make_scores(tmp_path / "data")
    listing.write_text(listing.read_text() + "gone.png,3\n")
    with pytest.raises(CatalogueError, match=r"line 26 \(gone\.png\)"):
        run(config=config, data=tmp_path / "data", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
