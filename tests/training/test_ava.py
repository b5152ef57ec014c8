"""AVA's own files, its official split, and fine-tuning to it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aesth.errors import CatalogueError, ConfigError
from aesth.training.ava import AvaPictures, mean_rating, read_ids, read_labels, split
from aesth.training.ava_benchmark import ava_figures, evaluate_ava
from aesth.training.checkpoint import Checkpoint
from aesth.training.fine_tuning import Plan, RatingPredictor, distribution_loss, fine_tune, pictures_in_batches
from aesth.training.networks import AestheticEncoder
from aesth.training.recipe import read_recipe
from support.ava import TEST, TRAIN, ava_line, counts_around, make_ava
from support.training import RECIPE_FILE, same_weights

PLAN = Plan(epochs=6, batch=10, rate=0.01, head_rate=0.1)


@pytest.fixture(scope="module")
def ava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_ava(tmp_path_factory.mktemp("ava"))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "tiny.toml"
    path.write_text(RECIPE_FILE)
    return path


@settings(deadline=None)
@given(
    st.dictionaries(
        st.integers(0, 10**9), st.lists(st.integers(0, 5000), min_size=10, max_size=10).filter(any), min_size=1
    )
)
def test_what_is_written_in_avas_format_is_read(
    tmp_path_factory: pytest.TempPathFactory, pictures: dict[int, list[int]]
) -> None:
    listing = tmp_path_factory.mktemp("labels") / "AVA.txt"
    lines = [ava_line(index, number, counts) for index, (number, counts) in enumerate(pictures.items(), 1)]
    listing.write_text("\n".join(lines))
    found = read_labels(listing)
    assert found.ids.tolist() == list(pictures)
    assert found.counts.tolist() == list(pictures.values())
    assert found.distribution.sum(1) == pytest.approx(np.ones(len(pictures)))
    people = [[rating for rating, count in enumerate(c, 1) for _ in range(count)] for c in pictures.values()]
    assert found.means == pytest.approx([np.mean(ratings) for ratings in people])


def test_the_mean_rating_by_hand() -> None:
    assert mean_rating(np.array([[0, 1, 0, 0, 0, 0, 0, 0, 0, 3]])) == pytest.approx([(2 + 30) / 4])
    assert mean_rating(np.full((1, 10), 0.1)) == pytest.approx([5.5])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 8 0 1 2 3 4 5 6 7 8 9 1 22", r"line 3: expected 15 whole numbers .* not '2 8 0"),
        ("2 8 0 1 2 3 4 5 6 7 8 9 1 22 1396 5", "line 3: expected 15"),
        ("2 8 0 1 -2 3 4 5 6 7 8 9 1 22 1396", "line 3: expected 15"),
        ("2 8 0 1 nan 3 4 5 6 7 8 9 1 22 1396", "line 3: expected 15"),
        ("2 8 0 1 2.5 3 4 5 6 7 8 9 1 22 1396", "line 3: expected 15"),
        ("2 8 0 0 0 0 0 0 0 0 0 0 1 22 1396", "line 3: picture 8 has no ratings"),
        ("2 7 0 1 2 3 4 5 6 7 8 9 1 22 1396", "line 3: picture 7 is in line 1 already"),
    ],
)
def test_a_wrong_line_is_named(line: str, message: str, tmp_path: Path) -> None:
    listing = tmp_path / "AVA.txt"
    listing.write_text(f"{ava_line(1, 7, counts_around(5))}\n\n{line}\n")
    with pytest.raises(CatalogueError, match=message):
        read_labels(listing)


def test_a_list_of_pictures_has_one_number_in_a_line(tmp_path: Path) -> None:
    listing = tmp_path / "test.jpgl"
    listing.write_text("12\n\n34.jpg\r\n")
    assert read_ids(listing).tolist() == [12, 34]
    listing.write_text("12\nten\n")
    with pytest.raises(CatalogueError, match="line 2: expected the number of a picture, not 'ten'"):
        read_ids(listing)
    listing.write_text("")
    with pytest.raises(CatalogueError, match="no pictures"):
        read_ids(listing)
    with pytest.raises(CatalogueError, match="cannot be read"):
        read_ids(tmp_path / "none.jpgl")


def test_the_official_split_is_found_beside_the_labels(ava: Path) -> None:
    found = split(ava / "AVA.txt", ava / "images")
    assert (len(found.train), len(found.test)) == (TRAIN, TEST)
    assert not set(found.train.ids) & set(found.test.ids)
    assert (found.missing_train, found.missing_test) == (0, 0)


def test_a_picture_to_measure_on_is_never_learned_from(ava: Path, tmp_path: Path) -> None:
    everything = read_labels(ava / "AVA.txt").ids
    (tmp_path / "train").write_text("\n".join(map(str, everything)))
    (tmp_path / "test").write_text("\n".join(map(str, everything[:5])))
    found = split(ava / "AVA.txt", ava / "images", tmp_path / "test", tmp_path / "train")
    assert set(found.test.ids) == set(everything[:5])
    assert set(found.train.ids) == set(everything[5:])


def test_lists_that_do_not_fit_are_told(ava: Path, tmp_path: Path) -> None:
    (tmp_path / "test").write_text("1\n")
    with pytest.raises(CatalogueError, match="picture 1 has no ratings"):
        split(ava / "AVA.txt", ava / "images", tmp_path / "test")
    with pytest.raises(CatalogueError, match="0 pictures to learn from and 0 to measure on"):
        split(ava / "AVA.txt", tmp_path)
    alone = tmp_path / "AVA.txt"
    alone.write_bytes((ava / "AVA.txt").read_bytes())
    with pytest.raises(CatalogueError, match="name it with --test-list"):
        split(alone, ava / "images")


def test_accuracy_counts_pictures_on_the_right_side_of_5() -> None:
    said = np.array([5.1, 4.0, 6.0, np.nan, 5.0, 7.0])
    meant = np.array([5.2, 5.1, 8.0, 9.0, 5.0, 4.9])
    figures = ava_figures(said, meant)
    assert (figures["pictures"], figures["accuracy"], figures["always_good"]) == (5, 0.6, 0.6)
    assert ava_figures(meant, meant)["srcc"] == ava_figures(meant, meant)["plcc"] == 1


def test_the_loss_is_the_cross_entropy_of_distributions() -> None:
    shares = np.array([[0.5, 0.5] + [0.0] * 8, [0.0] * 9 + [1.0]])
    logits = np.random.default_rng(0).normal(size=(2, 10))
    predicted = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    by_hand = -np.mean([0.5 * np.log(predicted[0, 0]) + 0.5 * np.log(predicted[0, 1]), np.log(predicted[1, 9])])
    assert float(distribution_loss(torch.from_numpy(logits), torch.from_numpy(shares))) == pytest.approx(by_hand)


def test_before_anything_is_learned_everybodys_ratings_are_predicted(config: Path) -> None:
    prior = np.arange(1, 11) / 55
    predictor = RatingPredictor(AestheticEncoder(read_recipe(config).encoder), prior).eval()
    shares = predictor(torch.zeros(2, 64, 64, 3, dtype=torch.uint8)).softmax(1).detach().numpy()
    assert shares == pytest.approx(np.stack([prior, prior]), abs=1e-5)


def test_batches_keep_the_order_and_leave_out_what_cannot_be_read(ava: Path, config: Path, tmp_path: Path) -> None:
    preprocess = read_recipe(config).encoder.preprocess
    files = sorted((ava / "images").iterdir())[:7]
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    files.insert(3, tmp_path / "broken.jpg")
    order = np.array([5, 3, 0, 1, 7, 2])
    batches = list(pictures_in_batches(files, order, 2, preprocess, 2))
    assert [index.tolist() for index, _, _ in batches] == [[5], [0, 1], [7, 2]]
    assert [failed for _, _, failed in batches] == [1, 0, 0]
    assert [pixels.shape for _, pixels, _ in batches] == [(1, 64, 64, 3), (2, 64, 64, 3), (2, 64, 64, 3)]


def test_fine_tuning_learns_what_people_rate(ava: Path, config: Path, tmp_path: Path) -> None:
    path = evaluate_ava(labels=ava / "AVA.txt", images=ava / "images", out=tmp_path, config=config, plan=PLAN, jobs=2)
    figures = json.loads(path.read_text())
    assert (figures["pictures"], figures["trained_on"]) == (TEST, TRAIN)
    assert figures["srcc"] > 0.9
    assert figures["plcc"] > 0.9
    assert figures["accuracy"] > figures["always_good"]


def test_missing_and_broken_pictures_are_counted(config: Path, tmp_path: Path) -> None:
    ava = make_ava(tmp_path / "ava", train=8, test=5)
    files = [ava / "images" / f"{number}.jpg" for number in read_labels(ava / "AVA.txt").ids]
    files[0].unlink()
    files[1].write_bytes(b"")
    files[8].unlink()
    files[9].unlink()
    files[10].write_bytes(b"no picture")
    plan = Plan(epochs=2, batch=3)
    path = evaluate_ava(labels=ava / "AVA.txt", images=ava / "images", out=tmp_path, config=config, plan=plan)
    figures = json.loads(path.read_text())
    assert figures["missing"] == {"train": 1, "test": 2}
    assert figures["unreadable"] == {"train": 1, "test": 1}
    assert (figures["pictures"], figures["trained_on"]) == (2, 7)


def test_a_stopped_fine_tuning_ends_where_it_would_have(
    ava: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aesth.training.fine_tuning.CHECKPOINT_EVERY", 1)
    pictures = split(ava / "AVA.txt", ava / "images").train.only(np.arange(10))
    plan = Plan(epochs=3, batch=4)

    def train(folder: str, stop: int | None = None) -> RatingPredictor:
        def on_step(step: int, _steps: int, _error: float) -> None:
            if step == stop:
                raise KeyboardInterrupt

        torch.manual_seed(0)
        predictor = RatingPredictor(AestheticEncoder(read_recipe(config).encoder), np.full(10, 0.1))
        checkpoint = Checkpoint(tmp_path / folder / "ava.pt", "same")
        fine_tune(predictor, pictures, ava / "images", plan, checkpoint, on_step=on_step)
        return predictor

    whole = train("whole")
    for stop in (2, 5):  # within an epoch, and after its first step
        with pytest.raises(KeyboardInterrupt):
            train("stopped", stop)
    assert same_weights(whole.state_dict(), train("stopped").state_dict())


def test_weights_of_a_run_are_where_it_starts(ava: Path, config: Path, tmp_path: Path) -> None:
    torch.manual_seed(7)
    encoder = AestheticEncoder(read_recipe(config).encoder)
    torch.save(encoder.state_dict(), tmp_path / "encoder.pt")
    arguments = {"labels": ava / "AVA.txt", "images": ava / "images", "config": config, "plan": Plan(epochs=0)}
    evaluate_ava(out=tmp_path / "a", weights=tmp_path / "encoder.pt", **arguments)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no such weights"):
        evaluate_ava(out=tmp_path / "b", weights=tmp_path / "none.pt", **arguments)  # type: ignore[arg-type]


def test_another_plan_in_the_same_folder_is_refused(ava: Path, config: Path, tmp_path: Path) -> None:
    arguments = {"labels": ava / "AVA.txt", "images": ava / "images", "config": config, "out": tmp_path}
    evaluate_ava(plan=Plan(epochs=1, limit=4, batch=4), **arguments)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="another recipe, data or fold"):
        evaluate_ava(plan=Plan(epochs=1, limit=5, batch=4), **arguments)  # type: ignore[arg-type]


def test_pictures_are_chosen_together_with_their_counts() -> None:
    pictures = AvaPictures(np.array([3, 1, 2]), np.arange(30).reshape(3, 10))
    chosen = pictures.only(np.array([2, 0]))
    assert chosen.ids.tolist() == [2, 3]
    assert chosen.counts[0].tolist() == list(range(20, 30))
