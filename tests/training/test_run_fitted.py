"""A run that adapts the backbones, keeps their features and solves for the head: what is made, and what again."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from aesth.encoder import OnnxEncoder
from aesth.errors import ConfigError
from aesth.registry import ModelFile
from aesth.training.catalogue import fold, unrated_photos
from aesth.training.evaluate import norms_of, projected_norms, torch_encode
from aesth.training.export import onnx_encode
from aesth.training.heads import Polar
from aesth.training.networks import AestheticEncoder
from aesth.training.publish import export_models
from aesth.training.recipe import read_recipe
from aesth.training.run import Run, evaluate, run
from aesth.training.views import View
from support.training import FITTED_FILE, RECIPE_FILE, make_data, same_weights

NOT_ADAPTED = FITTED_FILE.replace("[adapt]\nsteps = 2", "[adapt]\nsteps = 0")

_BESIDE = """[[encoder.beside]]
backbone = "mobilenet_v2"
layers = ["bottleneck_1"]
shrink = 2
"""
assert _BESIDE in NOT_ADAPTED
BORROWER = 'teacher = "tiny"\nbackbones = "teacher"\n' + NOT_ADAPTED.replace(_BESIDE, "")
"""Looks by one of the teacher's two branches, as the teacher has adapted it."""

DISTILLED = (
    'teacher = "tiny"\n'
    + NOT_ADAPTED.replace(_BESIDE, "").replace("size = [64, 64]", "size = [48, 48]")
    + "[distil]\nsteps = 3\nviews = 4\nsides = [32]\ncomponents = 5\n"
)
"""Learns by backbones of its own, on smaller pictures, to see what the teacher sees."""


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recipes beside each other."""
    folder = tmp_path_factory.mktemp("recipes")
    for name, content in {
        "tiny": FITTED_FILE,
        "heavy": FITTED_FILE.replace("[fit]", "[fit]\nridge = 3.0\nphotos = 0.5\nkinds = { noise = 2.0 }"),
        "other": FITTED_FILE.replace("damaged = 4", "damaged = 3"),
        "plain": NOT_ADAPTED,
        "free": NOT_ADAPTED.replace("[fit]", "[fit]\nphotos = 0.0"),
        "student": 'teacher = "plain"\n' + NOT_ADAPTED.replace("[fit]", "[fit]\nphotos = 1e6"),
        "borrower": BORROWER,
        "distilled": DISTILLED,
        "fine": NOT_ADAPTED + "[fine_tune]\nsteps = 1\nrated = 4\ndamaged = 2\n",
    }.items():
        (folder / f"{name}.toml").write_text(content)
    return folder


@pytest.fixture(scope="module")
def out(recipes: Path, tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run after `run`, `evaluate` and `export`."""
    out = tmp_path_factory.mktemp("out")
    run(config=recipes / "tiny.toml", data=tiny_data, out=out)
    evaluate(config=recipes / "tiny.toml", data=tiny_data, out=out, folds=[0, 3])
    export_models(config=recipes / "tiny.toml", data=tiny_data, out=out, models=out / "models")
    return out


def weights(path: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return found


def times(folder: Path, pattern: str) -> dict[str, int]:
    return {path.relative_to(folder).as_posix(): path.stat().st_mtime_ns for path in folder.glob(pattern)}


def test_a_run_leaves_features_an_adaptation_and_weights(recipes: Path, out: Path) -> None:
    assert set(times(out, "features*.npy")) == {
        "features.npy",
        "features-mirrored.npy",
        "features-grey.npy",
        "features-damage-test.npy",
    }
    assert (out / "adapted" / "checkpoint.pt").is_file()
    assert (out / "adapted" / "log.csv").read_text().count("adapt,") == 2
    assert not list(out.glob("fold-*/checkpoint.pt"))
    assert not list(out.rglob("*.partial"))
    encoder = AestheticEncoder(read_recipe(recipes / "tiny.toml").encoder)
    encoder.load_state_dict(weights(out / "all" / "encoder.pt"))


def test_the_backbones_are_the_adapted_ones(out: Path) -> None:
    adapted = torch.load(out / "adapted" / "checkpoint.pt", weights_only=True)["encoder"]
    found = weights(out / "all" / "encoder.pt")
    trunks = [name for name in found if name.startswith("trunks.")]
    assert trunks
    assert all(torch.equal(found[name], adapted[name]) for name in trunks)


def test_figures_are_of_the_folds_asked_for_and_of_the_encoders_norms(
    recipes: Path, tiny_data: Path, out: Path
) -> None:
    figures = json.loads((out / "figures.json").read_text())
    assert list(figures["folds"]) == ["0", "3"]
    assert all(np.isfinite([one["srcc"], one["damage_strong"]]).all() for one in figures["folds"].values())
    this = Run.of(recipes / "tiny.toml", tiny_data, out)
    encoder = this.train(3, resume=True)
    rows = this.study.held_out_pictures(3)
    from_pixels = np.linalg.norm(torch_encode(encoder)(np.array(this.pixels[rows])), axis=1)
    assert this.norms(encoder, "features", this.study.views, this.pixels, rows) == pytest.approx(from_pixels, rel=1e-2)


def test_what_is_exported_says_what_torch_says(recipes: Path, tiny_data: Path, out: Path) -> None:
    this = Run.of(recipes / "tiny.toml", tiny_data, out)
    pixels = np.array(this.pixels[:6])
    encoder = this.train(None, resume=True)
    assert isinstance(encoder.head, Polar)
    encoder.head.round_directions()
    expected = torch_encode(encoder)(pixels)
    assert onnx_encode(out / "tiny-fp32.onnx")(pixels) == pytest.approx(expected, abs=1e-4)
    assert onnx_encode(out / "models" / "tiny-fp16.onnx")(pixels) == pytest.approx(expected, abs=1e-2)
    assert (out / "models" / "tiny-int8.onnx").is_file()


def test_the_scale_is_that_of_the_photos_though_their_features_were_kept(
    recipes: Path, tiny_data: Path, out: Path
) -> None:
    this = Run.of(recipes / "tiny.toml", tiny_data, out)
    views = [View(photo, recompressed=True) for photo in unrated_photos(tiny_data / "photos")]
    kept = this.kept_norms(this.train(None, resume=True))
    assert 0 < sum(view in kept for view in views) < len(views)
    norms = norms_of(onnx_encode(out / "tiny-fp32.onnx"), this.render("reference", views))
    for path in (out / "tiny-fp32.onnx", out / "models" / "tiny-fp16.onnx"):
        scale = OnnxEncoder(ModelFile(path.stem, path)).record.scale
        assert (scale.norms[0], scale.norms[-1]) == pytest.approx((norms.min(), norms.max()), abs=5e-3)


def test_a_second_run_adapts_and_computes_nothing_again_and_ends_at_the_same_weights(
    recipes: Path, tiny_data: Path, out: Path
) -> None:
    before, kept = weights(out / "all" / "encoder.pt"), times(out, "[fva]*/*.*") | times(out, "*.npy")
    torch.rand(5)
    run(config=recipes / "tiny.toml", data=tiny_data, out=out)
    after = times(out, "[fva]*/*.*") | times(out, "*.npy")
    assert {name for name in kept if kept[name] != after[name]} == {"all/encoder.pt"}
    assert same_weights(before, weights(out / "all" / "encoder.pt"))


def test_another_fit_takes_the_features_that_are_there(recipes: Path, tiny_data: Path, out: Path) -> None:
    before, kept = weights(out / "all" / "encoder.pt"), times(out, "*.npy") | times(out, "adapted/*.*")
    run(config=recipes / "heavy.toml", data=tiny_data, out=out)
    assert times(out, "*.npy") | times(out, "adapted/*.*") == kept
    assert not same_weights(before, weights(out / "all" / "encoder.pt"))


def test_another_adaptation_is_refused_and_begun_anew_when_asked_for(recipes: Path, tiny_data: Path, out: Path) -> None:
    before = times(out, "features*.npy")
    with pytest.raises(ConfigError, match="of another recipe, data or fold; give another folder, or --no-resume"):
        run(config=recipes / "other.toml", data=tiny_data, out=out)
    run(config=recipes / "other.toml", data=tiny_data, out=out, resume=False)
    after = times(out, "features*.npy")
    again = {"features.npy", "features-mirrored.npy", "features-grey.npy"}
    assert {name for name in before if before[name] != after[name]} == again


def with_other_ratings(data: Path, held_out: int) -> int:
    """Turn the ratings of a fold round; how many there are."""
    path = data / "oasis" / "ratings.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    changed = 0
    for row in rows:
        if fold(row["theme"]) == held_out:
            row["beauty_mean"] = f"{8 - float(row['beauty_mean']):.3f}"
            changed += 1
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return changed


def test_ratings_of_the_held_out_fold_change_nothing_of_the_encoder(recipes: Path, tmp_path: Path) -> None:
    data, config, out = make_data(tmp_path / "data"), recipes / "plain.toml", tmp_path / "out"
    held_out, all_pictures = (weights(run(config=config, data=data, out=out, held_out=one)) for one in (3, None))
    assert with_other_ratings(data, 3) == 6
    again, all_again = (weights(run(config=config, data=data, out=out, held_out=one)) for one in (3, None))
    assert same_weights(held_out, again)
    assert not same_weights(all_pictures, all_again)


def test_a_student_learns_from_the_teacher_that_was_trained_without_the_same_fold(
    recipes: Path, tiny_data: Path, tmp_path: Path
) -> None:
    student = Run.of(recipes / "student.toml", tiny_data, tmp_path / "student")
    encoder = student.train(3, resume=True)
    assert student.features is not None
    teacher = Run.of(recipes / "plain.toml", tiny_data, tmp_path / "plain")
    assert (tmp_path / "plain" / "features.npy").is_file()
    assert teacher.features is not None
    rows = np.arange(len(student.study.views))
    said = {
        held_out: projected_norms(teacher.train(held_out, resume=True), teacher.features, rows=rows)
        for held_out in (3, None)
    }
    taught = student.teaching(3)
    assert taught is not None
    assert np.array_equal(taught, said[3] - teacher.recipe.offset)
    photos = np.unique(student.study.damage[:, 0])
    own = projected_norms(encoder, student.features, rows=photos)
    assert own == pytest.approx(np.log1p(np.exp(student.recipe.offset + taught[photos])), abs=0.02)
    assert np.abs(said[3] - said[None])[photos].max() > 1e-3


def test_backbones_and_features_of_a_teacher_are_taken(recipes: Path, tiny_data: Path, tmp_path: Path) -> None:
    this = Run.of(recipes / "borrower.toml", tiny_data, tmp_path / "borrower")
    encoder = this.train(3, resume=True)
    assert [path.name for path in (tmp_path / "borrower").rglob("*.*")] == ["head.pt"]
    adapted = torch.load(tmp_path / "tiny" / "adapted" / "checkpoint.pt", weights_only=True)["encoder"]
    for name, value in encoder.trunks.state_dict().items():
        assert torch.equal(value, adapted[f"trunks.{name}"])
    with torch.no_grad():
        expected = encoder.features(torch.from_numpy(np.array(this.pixels[:5]))).numpy()
    assert this.features is not None
    assert this.features[:5].astype(np.float32) == pytest.approx(expected, rel=1e-2, abs=1e-3)
    assert len(this.features) == len(this.study.views)


def test_a_distillation_serves_all_folds_and_is_of_what_the_teacher_sees(
    recipes: Path, tiny_data: Path, tmp_path: Path
) -> None:
    def learned(
        recipe: str = "distilled", data: Path = tiny_data, held_out: int | None = 3
    ) -> Mapping[str, torch.Tensor]:
        this = Run.of(recipes / f"{recipe}.toml", data, tmp_path / "distilled")
        state: Mapping[str, torch.Tensor] = this.train(held_out, resume=True).trunks.state_dict()
        return state

    first = learned()
    checkpoint = tmp_path / "distilled" / "distilled" / "checkpoint.pt"
    made = times(checkpoint.parent, "*.*")
    assert set(made) >= {"checkpoint.pt", "wanted.npy"}
    assert (tmp_path / "tiny" / "features.npy").is_file()
    assert same_weights(first, learned(held_out=None))
    assert times(checkpoint.parent, "*.*") == made
    this = Run.of(recipes / "distilled.toml", tiny_data, tmp_path / "distilled")
    saved = torch.load(checkpoint, weights_only=True)["student"]
    assert all(torch.equal(value, saved[f"encoder.trunks.{name}"]) for name, value in first.items())
    assert this.features is not None
    with torch.no_grad():
        expected = this.fresh_encoder().features(torch.from_numpy(np.array(this.pixels[:5]))).numpy()
    assert this.features[:5].astype(np.float32) == pytest.approx(expected, rel=1e-2, abs=1e-3)
    assert 0 < this.first_distilled == this.study.judged
    assert len(np.load(checkpoint.parent / "wanted.npy")) == len(this.study.views) - this.study.judged
    (tmp_path / "tiny.toml").write_text(FITTED_FILE.replace("damaged = 4", "damaged = 3"))
    (tmp_path / "distilled.toml").write_text(DISTILLED)
    elsewhere = Run.of(tmp_path / "distilled.toml", tiny_data, tmp_path / "distilled")
    assert elsewhere.distillation != this.distillation


@pytest.mark.parametrize("old", ['pooling = "mean_deviation"', '"stem", ', "size = [64, 64]"])
def test_backbones_of_a_teacher_that_looks_otherwise_are_refused(
    recipes: Path, tiny_data: Path, tmp_path: Path, old: str
) -> None:
    assert old in BORROWER
    (tmp_path / "tiny.toml").write_text((recipes / "tiny.toml").read_text())
    (tmp_path / "other.toml").write_text(BORROWER.replace(old, ""))
    with pytest.raises(ConfigError, match="'tiny' cannot lend its backbones: take size, pooling and branches of it"):
        run(config=tmp_path / "other.toml", data=tiny_data, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_head_is_fitted_once_for_each_fold(recipes: Path, tiny_data: Path, tmp_path: Path) -> None:
    def head(recipe: str, *, resume: bool = True) -> tuple[int, torch.Tensor]:
        encoder = Run.of(recipes / f"{recipe}.toml", tiny_data, tmp_path, resume=resume).train(3, resume=resume)
        return (tmp_path / "fold-3" / "head.pt").stat().st_mtime_ns, encoder.head.state_dict()["liking.weight"]

    (first, weight), (second, same), (third, other) = head("plain"), head("plain"), head("free")
    assert first == second < third
    assert torch.equal(weight, same)
    assert not torch.equal(weight, other)
    assert head("free", resume=False)[0] > third


def test_a_head_is_fitted_anew_where_a_photo_has_changed(recipes: Path, tmp_path: Path) -> None:
    data, out = make_data(tmp_path / "data"), tmp_path / "out"
    made = []
    for _ in range(2):
        Run.of(recipes / "plain.toml", data, out).train(3, resume=True)
        made.append((out / "fold-3" / "head.pt").stat().st_mtime_ns)
        photo = next(iter(unrated_photos(data / "photos")))
        with Image.open(photo) as picture:
            ImageOps.invert(picture.convert("RGB")).save(photo)
    assert made[0] < made[1]


def test_a_student_may_be_trained_step_by_step(recipes: Path, tiny_data: Path, tmp_path: Path) -> None:
    """Another network, of other features, whose norms are measured against the teacher's."""
    (tmp_path / "plain.toml").write_text((recipes / "plain.toml").read_text())
    other = RECIPE_FILE.replace("rank = 8", "rank = 7").replace("rate = 0.1", "rate = 0.01")
    for name, start in {"alone": "", "taught": 'teacher = "plain"\n'}.items():
        (tmp_path / f"{name}.toml").write_text(start + other)
    alone, taught = (
        weights(run(config=tmp_path / f"{name}.toml", data=tiny_data, out=tmp_path / name, held_out=3))
        for name in ("alone", "taught")
    )
    assert (tmp_path / "plain" / "features.npy").is_file()
    assert not same_weights(alone, taught)


@pytest.mark.parametrize(
    ("teacher", "message"),
    [
        ("", r"cannot read this recipe"),
        (
            NOT_ADAPTED.replace("seed = 3", "seed = 4"),
            r"'big' cannot teach: give it \[fit\], and the same \[sampling\]",
        ),
        (NOT_ADAPTED.replace("kinds = 1", "kinds = 2"), r"'big' cannot teach"),
        (NOT_ADAPTED[: NOT_ADAPTED.index("[fit]")], r"'big' cannot teach"),
        ('teacher = "small"\n' + NOT_ADAPTED, r"'big' would be its own teacher"),
        ('teacher = "big"\n' + NOT_ADAPTED, r"'big' would be its own teacher"),
    ],
    ids=["missing", "seed", "sampling", "no fit", "its pupil's pupil", "itself"],
)
def test_a_teacher_that_cannot_teach_is_told_before_anything_is_made(
    tiny_data: Path, tmp_path: Path, teacher: str, message: str
) -> None:
    (tmp_path / "small.toml").write_text('teacher = "big"\n' + NOT_ADAPTED)
    if teacher:
        (tmp_path / "big.toml").write_text(teacher)
    with pytest.raises(ConfigError, match=message):
        run(config=tmp_path / "small.toml", data=tiny_data, out=tmp_path / "out" / "small")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pretrained = false", "pretrained = true", "weights to start from are not here"),
        ('"stem", ', '"stern", ', "no layer 'stern'"),
    ],
    ids=["weights", "layer"],
)
def test_what_is_missing_is_told_before_anything_is_adapted(
    tiny_data: Path, tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / "recipe.toml").write_text(FITTED_FILE.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        run(config=tmp_path / "recipe.toml", data=tiny_data, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_fitted_head_can_be_fine_tuned(recipes: Path, tiny_data: Path, tmp_path: Path) -> None:
    """Then norms are measured from pixels, since the features are no longer those of the backbones."""
    this = Run.of(recipes / "fine.toml", tiny_data, tmp_path)
    encoder = this.train(None, resume=True)
    assert (tmp_path / "all" / "checkpoint.pt").is_file()
    expected = np.linalg.norm(torch_encode(encoder)(np.array(this.pixels[:5])), axis=1)
    rows = np.arange(5)
    assert np.array_equal(this.norms(encoder, "features", this.study.views, this.pixels, rows), expected)
    assert same_weights(encoder.state_dict(), this.train(None, resume=True).state_dict())
