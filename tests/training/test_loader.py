"""Streamed pictures: the same as rendered ones, decoded ahead, and of no consequence for what is trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aesth import decode
from aesth.encoder import OnnxEncoder
from aesth.errors import DecodeError
from aesth.preprocess import Preprocess
from aesth.registry import ModelFile
from aesth.training import train as loop
from aesth.training.checkpoint import fingerprint
from aesth.training.loader import STREAM_FROM, StreamedViews, load_batches, streams
from aesth.training.publish import export_models
from aesth.training.recipe import LoaderRecipe, read_recipe
from aesth.training.run import Run, run
from aesth.training.study import assemble
from aesth.training.train import Step, train
from aesth.training.views import View, render_all
from support.photos import picture
from support.training import RECIPE_FILE, make_study, recipe, same_weights, without

SIZE = Preprocess((64, 64))
STREAMED = RECIPE_FILE + '[loader]\nviews = "streamed"\nworkers = 1\n'


@pytest.fixture
def views(tiny_data: Path) -> list[View]:
    return list(assemble(tiny_data, damage_kinds=2).views)


def batches_of(count: int, size: int = 5) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, count, (6, size)))


def test_streamed_pictures_are_the_rendered_ones(views: list[View], tmp_path: Path) -> None:
    """They are no more than twice the input's size, so that all their pixels are decoded; damaged ones as well."""
    rendered = render_all(views, SIZE, tmp_path / "views.npy", seed=5)
    streamed = StreamedViews(views, SIZE, seed=5, recipe=LoaderRecipe(workers=2))
    np.testing.assert_array_equal(np.array(streamed), rendered)
    wanted = batches_of(len(views))
    found = list(load_batches(streamed, wanted))
    assert len(found) == len(wanted)
    for index, batch, kept in zip(wanted, found, load_batches(rendered, wanted), strict=True):
        assert batch.dtype == torch.uint8
        assert torch.equal(batch, kept)
        np.testing.assert_array_equal(batch.numpy(), rendered[index])


@pytest.mark.parametrize("how", [LoaderRecipe(workers=1, ahead=1), LoaderRecipe(workers=2, ahead=4)], ids=str)
def test_how_many_workers_there_are_does_not_matter(views: list[View], how: LoaderRecipe) -> None:
    wanted = batches_of(len(views))
    expected = [np.array(StreamedViews(views, SIZE, seed=5)[index]) for index in wanted]
    for batch, right in zip(
        StreamedViews(views, SIZE, seed=5, recipe=how).batches(iter(wanted)), expected, strict=True
    ):
        np.testing.assert_array_equal(batch.numpy(), right)


def test_rows_of_streamed_pictures_are_streamed_pictures(views: list[View]) -> None:
    streamed = StreamedViews(views, SIZE)
    whole = np.array(streamed)
    np.testing.assert_array_equal(np.array(streamed[3:7]), whole[3:7])
    index = np.array([9, 2, 2])
    np.testing.assert_array_equal(np.array(streamed[index]), whole[index])
    assert np.array(streamed[:0]).shape == (0, 64, 64, 3)
    assert (len(streamed), len(streamed[3:7])) == (len(views), 4)


def test_of_a_large_picture_about_as_many_pixels_are_decoded_as_are_needed(tmp_path: Path) -> None:
    """As scoring does; damaged copies are made of the whole picture, as the rendered ones are."""
    path = tmp_path / "large.jpg"
    Image.fromarray(picture(0.5, 1, 900, 1200)).save(path)
    streamed = StreamedViews([View(path), View(path, "noise", "strong", True)], SIZE, seed=5)
    np.testing.assert_array_equal(streamed.image(0), SIZE(decode.load(path, at_least=SIZE.size)))
    np.testing.assert_array_equal(streamed.image(1), render_all(streamed.views, SIZE, tmp_path / "a.npy", seed=5)[1])


def test_only_the_pictures_of_the_steps_to_come_are_asked_for(views: list[View]) -> None:
    asked: list[int] = []

    def wanted() -> Iterator[np.ndarray]:
        for step in range(100):
            asked.append(step)
            yield np.array([step % len(views)])

    batches = StreamedViews(views, SIZE, recipe=LoaderRecipe(workers=1, ahead=3)).batches(wanted())
    next(batches)
    assert 1 < len(asked) <= 4
    next(batches)
    assert len(asked) <= 5


def test_a_picture_that_cannot_be_read_is_told_by_its_name(views: list[View], tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"\xff\xd8\xff\xe0no picture")
    streamed = StreamedViews([*views[:3], View(bad)], SIZE, recipe=LoaderRecipe(workers=1))
    batches = streamed.batches([np.array([0]), np.array([1, 3])])
    next(batches)
    with pytest.raises(DecodeError) as raised:
        next(batches)
    assert raised.value.path == bad
    assert "Traceback" not in str(raised.value)


def test_pictures_are_streamed_where_an_array_would_be_too_large() -> None:
    most = STREAM_FROM // (3 * 64 * 64)
    for recipe_, count, expected in (
        (LoaderRecipe(), most, False),
        (LoaderRecipe(), most + 1, True),
        (LoaderRecipe("rendered"), 10 * most, False),
        (LoaderRecipe("streamed"), 1, True),
    ):
        assert streams(recipe_, count, SIZE) is expected


def test_a_run_on_streamed_pictures_trains_the_same_and_keeps_none(tiny_data: Path, tmp_path: Path) -> None:
    rendered, streamed = tmp_path / "rendered.toml", tmp_path / "streamed.toml"
    rendered.write_text(RECIPE_FILE)
    streamed.write_text(STREAMED)
    one = run(config=rendered, data=tiny_data, out=tmp_path / "one")
    other = run(config=streamed, data=tiny_data, out=tmp_path / "other")
    assert same_weights(torch.load(one, weights_only=True), torch.load(other, weights_only=True))
    assert not (tmp_path / "other" / "views.npy").exists()
    assert isinstance(Run(read_recipe(streamed), tiny_data, tmp_path).pixels, StreamedViews)


def test_a_streamed_run_is_exported_as_well(tiny_data: Path, tmp_path: Path) -> None:
    config = tmp_path / "streamed.toml"
    config.write_text(STREAMED.replace("steps = 3", "steps = 0"))
    paths = export_models(config=config, data=tiny_data, out=tmp_path / "out", models=tmp_path / "out")
    assert [OnnxEncoder(ModelFile(path.stem, path)).record.name for path in paths] == ["tiny"] * 3


def test_a_streamed_training_that_was_stopped_ends_at_the_same_weights(
    views: list[View], tiny_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "CHECKPOINT_EVERY", 2)
    how = without("warm_up", recipe())
    study = assemble(tiny_data, damage_kinds=2)
    pixels = StreamedViews(study.views, SIZE, seed=3, recipe=LoaderRecipe(workers=1))

    def stop(step: Step) -> None:
        if step.step == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(how, study, pixels, tmp_path / "stopped", on_step=stop)
    resumed = train(how, study, pixels, tmp_path / "stopped")
    whole = train(how, study, np.array(pixels), tmp_path / "whole")
    assert same_weights(resumed.state_dict(), whole.state_dict())


def test_a_checkpoint_does_not_depend_on_how_fast_pictures_are_loaded() -> None:
    study, _ = make_study()

    def of(loader: LoaderRecipe) -> str:
        return fingerprint(replace(recipe(), loader=loader), study, None)

    assert of(LoaderRecipe(workers=3, ahead=9)) == of(LoaderRecipe())
    assert of(LoaderRecipe("streamed")) != of(LoaderRecipe())


def test_the_global_generator_is_left_alone(views: list[View]) -> None:
    before = torch.get_rng_state()
    next(StreamedViews(views, SIZE, recipe=LoaderRecipe(workers=1)).batches([np.array([0])]))
    assert torch.equal(before, torch.get_rng_state())
