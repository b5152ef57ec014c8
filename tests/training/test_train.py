"""The training loop: it learns, it can be killed, and it sees only what it may."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from aesth.errors import CatalogueError, ConfigError
from aesth.scale import norm
from aesth.training import train as loop
from aesth.training.checkpoint import Checkpoint, fingerprint
from aesth.training.evaluate import torch_encode
from aesth.training.features import Extractor, frozen_features, kept_features
from aesth.training.metrics import srcc
from aesth.training.networks import AestheticEncoder, Architecture
from aesth.training.recipe import Recipe
from aesth.training.source import TripletSource
from aesth.training.study import Study
from aesth.training.train import Step, train
from support.training import make_study, recipe, same_weights, without

STUDY, PIXELS = make_study()


def features_for(how: Recipe, pixels: NDArray[np.uint8] = PIXELS) -> NDArray[np.float16]:
    return _features_for(how.encoder, how.seed, pixels.tobytes())


@cache
def _features_for(architecture: Architecture, seed: int, pixels: bytes) -> NDArray[np.float16]:
    torch.manual_seed(seed)
    extractor = Extractor(AestheticEncoder(architecture))
    return frozen_features(extractor, np.frombuffer(pixels, np.uint8).reshape(PIXELS.shape))


def trained(how: Recipe, folder: Path, study: Study = STUDY, **options: Any) -> Mapping[str, Tensor]:
    """The weights that come of a training."""
    return train(how, study, PIXELS, folder, features=features_for(how), **options).state_dict()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Tensor]:
    """The weights of a training by the tiny recipe that nothing stopped."""
    return trained(recipe(), tmp_path_factory.mktemp("whole"))


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every second step."""
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)


def test_the_error_falls_and_norms_come_to_agree_with_ratings(tmp_path: Path) -> None:
    how = without("fine_tune", recipe(warm_up={"steps": 60, "rated": 32, "damaged": 16, "patience": 30}))
    steps: list[Step] = []
    encoder = train(how, STUDY, PIXELS, tmp_path, features=features_for(how), on_step=steps.append)
    errors = [step.error for step in steps]
    assert np.mean(errors[-10:]) < 0.5 * errors[0]
    norms = norm(torch_encode(encoder)(PIXELS))
    assert srcc(norms[: len(STUDY.ratings)], STUDY.ratings) > 0.95
    original, weak, strong = norms[STUDY.damage].T
    assert (original > weak).all()
    assert (weak > strong).all()


def test_the_loop_tells_of_every_step_of_both_stages(tmp_path: Path) -> None:
    steps: list[Step] = []
    trained(recipe(), tmp_path, on_step=steps.append)
    told = [(step.stage, step.step, step.steps) for step in steps]
    assert told == [("warm_up", n, 6) for n in range(1, 7)] + [("fine_tune", n, 4) for n in range(1, 5)]
    assert all(np.isfinite(step.error) for step in steps)


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(
    tmp_path: Path, whole: Mapping[str, Tensor]
) -> None:
    assert same_weights(whole, trained(recipe(), tmp_path / "same"))
    assert not same_weights(whole, trained(recipe(seed=4), tmp_path / "other"))


def test_what_chance_torch_had_before_does_not_matter(tmp_path: Path, whole: Mapping[str, Tensor]) -> None:
    torch.rand(99)
    np.random.default_rng().random(9)
    assert same_weights(whole, trained(recipe(), tmp_path / "again"))


@pytest.mark.parametrize("killed_at", [1, 2, 3, 6, 7, 9, 10])
def test_a_training_that_was_stopped_ends_at_the_same_weights(
    tmp_path: Path, often: None, whole: Mapping[str, Tensor], killed_at: int
) -> None:
    """6 steps of warm-up and 4 of fine-tuning; stopped before, at and behind checkpoints and the change of stage."""
    seen: list[Step] = []

    def stop(step: Step) -> None:
        seen.append(step)
        if len(seen) == killed_at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(recipe(), tmp_path / "stopped", on_step=stop)
    after: list[Step] = []
    resumed = trained(recipe(), tmp_path / "stopped", on_step=after.append)
    assert len(after) == 10 - killed_at // 2 * 2
    assert same_weights(resumed, whole)


def test_a_finished_training_is_not_done_again(tmp_path: Path) -> None:
    first = trained(recipe(), tmp_path)
    steps: list[Step] = []
    assert same_weights(first, trained(recipe(), tmp_path, on_step=steps.append))
    assert steps == []
    trained(recipe(), tmp_path, on_step=steps.append, resume=False)
    assert len(steps) == 10


@pytest.mark.parametrize(
    "options",
    [
        {"how": recipe(seed=4)},
        {"how": recipe(warm_up={"rate": 0.2})},
        {"held_out": 1},
        {"study": make_study(rated=39)[0]},
    ],
    ids=["seed", "rate", "fold", "data"],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path, options: dict[str, Any]) -> None:
    trained(recipe(), tmp_path)
    with pytest.raises(ConfigError, match="of another recipe, data or fold") as raised:
        trained(options.pop("how", recipe()), tmp_path, **options)
    assert raised.value.path == tmp_path / "checkpoint.pt"


def test_a_checkpoint_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    trained(recipe(), tmp_path)
    path = tmp_path / "checkpoint.pt"
    for content in (b"", b"no checkpoint", path.read_bytes()[:1000]):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"cannot be read .* remove it to begin again"):
            trained(recipe(), tmp_path)


def test_a_checkpoint_is_replaced_as_a_whole(tmp_path: Path) -> None:
    checkpoint = Checkpoint(tmp_path / "checkpoint.pt", fingerprint(recipe(), STUDY, None))
    checkpoint.save(step=1)
    with pytest.raises(Exception, match="pickle"):
        checkpoint.save(step=lambda: None)
    state = checkpoint.load("cpu")
    assert state is not None
    assert state["step"] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


PLATEAU = without(
    "fine_tune",
    recipe(
        warm_up={"steps": 12, "damaged": 0, "rate": 1e-4, "patience": 3},
        loss={"margin": 0, "direction_margin": 0, "direction_weight": 0},
    ),
)
RATES_AT_PLATEAU = [1e-4] * 5 + [1e-5] * 3 + [1e-6] * 3 + [1e-7]


def rates_of_pictures_that_look_the_same(folder: Path, stop_at: int = 12) -> list[float]:
    """The rate after each step, where the loss is 0 from the start."""
    flat = np.broadcast_to(PIXELS[:1], PIXELS.shape).copy()
    rates: list[float] = []

    def tell(step: Step) -> None:
        rates.append(step.rate)
        if step.step == stop_at < 12:
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        train(PLATEAU, STUDY, flat, folder, features=features_for(PLATEAU, flat), on_step=tell)
    return rates


def test_the_rate_is_divided_by_ten_where_the_error_no_longer_falls(tmp_path: Path) -> None:
    assert rates_of_pictures_that_look_the_same(tmp_path) == pytest.approx(RATES_AT_PLATEAU)


@pytest.mark.parametrize("stop_at", [5, 9, 11])
def test_a_resumed_training_knows_how_the_error_went_before(tmp_path: Path, often: None, stop_at: int) -> None:
    assert len(rates_of_pictures_that_look_the_same(tmp_path, stop_at)) == stop_at
    after = rates_of_pictures_that_look_the_same(tmp_path)
    assert after == pytest.approx(RATES_AT_PLATEAU[-len(after) :])


def test_the_rate_stays_where_the_error_falls(tmp_path: Path) -> None:
    how = without("fine_tune", recipe(warm_up={"steps": 8, "rated": 64, "damaged": 32, "rate": 0.02, "patience": 2}))
    steps: list[Step] = []
    train(how, STUDY, PIXELS, tmp_path, features=features_for(how), on_step=steps.append)
    assert [step.rate for step in steps] == [0.02] * 8


def test_fine_tuning_changes_every_layer(tmp_path: Path) -> None:
    fine_tune = {"steps": 2, "rated": 3, "damaged": 2, "weight_decay": 0.0}
    how = without("warm_up", recipe(encoder={"backbone": "resnet50", "layers": ["layer4"]}, fine_tune=fine_tune))
    torch.manual_seed(how.seed)
    before = AestheticEncoder(how.encoder).state_dict()
    after = train(how, STUDY, PIXELS, tmp_path).state_dict()
    fixed = {name for name in before if torch.equal(before[name], after[name])}
    normalise = {"normalise.resnet50.mean", "normalise.resnet50.deviation"}
    assert fixed == {*normalise, "standardise.mean", "standardise.scale"}


def test_the_warm_up_changes_the_projection_alone(tmp_path: Path) -> None:
    how = without("fine_tune", recipe())
    torch.manual_seed(how.seed)
    before = AestheticEncoder(how.encoder).state_dict()
    after = trained(how, tmp_path)
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"head", "standardise"}


def test_a_warm_up_without_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs the features"):
        train(recipe(), STUDY, PIXELS, tmp_path)


class Watched(np.ndarray[Any, Any]):
    """An array that remembers which rows were asked for."""

    seen: set[int]

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, np.ndarray) and hasattr(self, "seen"):
            self.seen.update(np.atleast_1d(key).tolist())
        return np.asarray(super().__getitem__(key))


def watched(array: NDArray[Any]) -> Watched:
    view = array.view(Watched)
    view.seen = set()
    return view


@pytest.mark.parametrize("held_out", [0, 3])
@pytest.mark.parametrize("among", [0, 8])
def test_pictures_of_the_held_out_fold_are_never_seen(tmp_path: Path, held_out: int, among: int) -> None:
    stage = {"rated": 32, "among": among, "damaged": 16}
    how = recipe(warm_up={**stage, "steps": 12}, fine_tune={**stage, "steps": 3})
    pixels, features = watched(PIXELS), watched(features_for(how))
    train(how, STUDY, pixels, tmp_path, features=features, held_out=held_out)
    forbidden = set(STUDY.held_out_pictures(held_out).tolist())
    assert forbidden
    for array in (pixels, features):
        assert len(array.seen) > 10
        assert not array.seen & forbidden


def test_triplets_are_drawn_from_a_source_that_is_handed_over(tmp_path: Path) -> None:
    how, few = without("warm_up", recipe(fine_tune={"damaged": 0})), STUDY.training_pictures(None)[:10]
    pixels = watched(PIXELS)
    train(how, STUDY, pixels, tmp_path, source=TripletSource(STUDY, few, how.sampling))
    assert pixels.seen
    assert pixels.seen <= set(few.tolist())


def test_among_limits_the_pictures_of_a_step() -> None:
    source = TripletSource(STUDY, STUDY.training_pictures(None), recipe().sampling)
    drawn = source.rated(200, np.random.default_rng(0), among=6)
    assert len(np.unique(drawn.index)) <= 6
    assert len(np.unique(source.rated(200, np.random.default_rng(0)).index)) > 20


def test_triplets_are_indices_of_views_with_the_sign_of_their_ratings() -> None:
    pictures = STUDY.training_pictures(2)
    drawn = TripletSource(STUDY, pictures, recipe().sampling).rated(100, np.random.default_rng(0))
    assert set(drawn.index.ravel().tolist()) <= set(pictures.tolist())
    anchor, _, negative = STUDY.ratings[drawn.index].T
    assert drawn.sign.tolist() == np.sign(negative - anchor).tolist()


def test_triplets_of_damage_are_read_both_ways() -> None:
    drawn = TripletSource(STUDY, STUDY.training_pictures(None), recipe().sampling).damaged(
        400, np.random.default_rng(0)
    )
    triples = {tuple(triple) for triple in STUDY.damage.tolist()}
    for index, sign in zip(drawn.index.tolist(), drawn.sign.tolist(), strict=True):
        assert tuple(index if sign < 0 else index[::-1]) in triples
    assert 150 < int((drawn.sign < 0).sum()) < 250


def test_a_study_without_damage_is_trained_on_ratings_alone(tmp_path: Path) -> None:
    study, _ = make_study(photos=0)
    assert trained(recipe(), tmp_path, study=study)
    source = TripletSource(study, study.training_pictures(None), recipe().sampling)
    assert source.damaged(5, np.random.default_rng(0)).index.shape == (0, 3)


def test_too_few_rated_pictures_are_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError):
        trained(recipe(), tmp_path, study=make_study(rated=2)[0])


@pytest.mark.parametrize("stage", ["warm_up", "fine_tune"])
def test_norms_come_to_be_those_of_a_teacher(tmp_path: Path, stage: str) -> None:
    """One that sees the opposite of what the ratings say, with a loss that knows the teacher alone."""
    plan = {"steps": 50, "rated": 32, "damaged": 16, "rate": 0.05 if stage == "warm_up" else 0.02, "patience": 50}
    loss = {"margin": 0, "direction_margin": 0, "direction_weight": 0, "teacher_weight": 1}
    how = recipe(**{"warm_up": {"steps": 0}, "fine_tune": {"steps": 0}, stage: plan}, loss=loss)
    brightness = PIXELS.mean((1, 2, 3), dtype=np.float32)
    teaching = (brightness.mean() - brightness) / brightness.std()
    features = features_for(how) if stage == "warm_up" else None
    encoder = train(how, STUDY, PIXELS, tmp_path, features=features, teaching=teaching)
    norms = norm(torch_encode(encoder)(PIXELS))
    assert srcc(norms, teaching) > 0.9
    assert np.abs(norms - (how.offset + teaching)).mean() < 0.5


def test_reduced_precision_trains_as_well(tmp_path: Path) -> None:
    how = without("warm_up", recipe(fine_tune={"steps": 2, "precision": "bfloat16"}))
    steps: list[Step] = []
    weights = train(how, STUDY, PIXELS, tmp_path, on_step=steps.append).state_dict()
    assert all(np.isfinite(step.error) for step in steps)
    assert {value.dtype for value in weights.values()} == {torch.float32}


def test_float16_scales_its_gradients_and_knows_the_scale_behind_a_stop(tmp_path: Path, often: None) -> None:
    """A loss this large overflows float16: steps are left out until the scale is small enough."""
    fine_tune = {"steps": 6, "rated": 2, "damaged": 1, "precision": "float16"}
    how = without("warm_up", recipe(fine_tune=fine_tune, loss={"direction_weight": 10}))

    def stop(step: Step) -> None:
        if step.step == 3:
            raise KeyboardInterrupt

    def scale(folder: str) -> float:
        state = Checkpoint(tmp_path / folder / "checkpoint.pt", fingerprint(how, STUDY, None)).load("cpu")
        assert state is not None
        return float(state["scaler"]["scale"])

    with suppress(KeyboardInterrupt):
        train(how, STUDY, PIXELS, tmp_path / "stopped", on_step=stop)
    assert scale("stopped") < 2.0**16
    resumed = train(how, STUDY, PIXELS, tmp_path / "stopped").state_dict()
    whole = train(how, STUDY, PIXELS, tmp_path / "whole").state_dict()
    assert same_weights(resumed, whole)
    assert scale("stopped") == scale("whole")
    assert {value.dtype for value in whole.values()} == {torch.float32}
    torch.manual_seed(how.seed)
    assert not same_weights(whole, AestheticEncoder(how.encoder).state_dict())


def test_a_compiled_encoder_trains_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced by torch's compiler, but run by torch itself: making machine code takes half a minute."""
    compiled: list[object] = []

    def traced(network: torch.nn.Module) -> Any:
        compiled.append(network)
        return compile_(network, backend="eager")

    compile_ = torch.compile
    monkeypatch.setattr(torch, "compile", traced)
    how = without("warm_up", recipe())
    expected = train(how, STUDY, PIXELS, tmp_path / "plain").state_dict()
    assert not compiled
    found = train(replace(how, compile=True), STUDY, PIXELS, tmp_path / "compiled").state_dict()
    assert len(compiled) == 1
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in expected)


def test_features_are_those_of_the_encoder_in_the_order_of_the_pixels() -> None:
    encoder = AestheticEncoder(recipe().encoder).eval()
    told: list[int] = []
    features = frozen_features(Extractor(encoder), PIXELS[:40], on_progress=told.append)
    assert features.dtype == np.float16
    assert sum(told) == 40
    with torch.no_grad():
        expected = torch.cat([encoder.features(torch.from_numpy(PIXELS[index : index + 1])) for index in range(40)])
    assert features == pytest.approx(expected.numpy(), abs=2e-3)


def test_features_are_kept_until_what_they_were_made_of_changes(tmp_path: Path) -> None:
    path = tmp_path / "features.npy"

    def made(value: float, key: str) -> float:
        return float(kept_features(path, {"made of": key}, lambda: np.full((1, 1), value, np.float16))[0, 0])

    assert [made(1, "a"), made(2, "a"), made(3, "b"), made(4, "b")] == [1, 1, 3, 3]
    path.with_suffix(".json").unlink()
    assert made(5, "b") == 5
    assert sorted(one.name for one in tmp_path.iterdir()) == ["features.json", "features.npy"]
