"""The record that travels inside the ONNX file: what it does to pixels, and how it is stored."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from aesth.preprocess import Preprocess, averaged
from support.photos import picture

records = st.builds(
    Preprocess,
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
    st.just("squash"),
    st.sampled_from(["bilinear", "bicubic"]),
)
images = st.tuples(st.integers(1, 30), st.integers(1, 30), st.just(3)).flatmap(lambda shape: arrays(np.uint8, shape))


@given(records, images)
def test_any_picture_gets_the_size_of_the_input(record: Preprocess, image: np.ndarray) -> None:
    result = record(image)
    assert (result.shape, result.dtype) == ((*record.size, 3), np.uint8)


@given(records, st.integers(0, 255), st.tuples(st.integers(1, 30), st.integers(1, 30)))
def test_a_plain_picture_keeps_its_colour(record: Preprocess, value: int, size: tuple[int, int]) -> None:
    assert (record(np.full((*size, 3), value, np.uint8)) == value).all()


@given(images)
def test_a_picture_of_the_right_size_is_left_alone(image: np.ndarray) -> None:
    assert np.array_equal(Preprocess((image.shape[0], image.shape[1]))(image), image)


def test_nothing_is_cropped_and_the_frame_is_squashed() -> None:
    image = np.zeros((100, 400, 3), np.uint8)
    image[:, :200] = 255
    small = Preprocess((50, 50), resample="bilinear")(image)
    assert (small[:, :24] > 250).all()
    assert (small[:, 26:] < 5).all()


def test_reduction_is_antialiased() -> None:
    stripes = np.zeros((256, 256, 3), np.uint8)
    stripes[:, ::2] = 255
    for resample in ("bilinear", "bicubic"):
        small = Preprocess((16, 16), resample=resample)(stripes)
        assert np.abs(small.astype(int) - 128).max() <= 8


def test_it_is_pillow_s_resize() -> None:
    image = np.random.default_rng(0).integers(0, 256, (19, 51, 3), np.uint8)
    expected = np.asarray(Image.fromarray(image).resize((20, 10), Image.Resampling.BICUBIC))
    assert np.array_equal(Preprocess((10, 20))(image), expected)


@pytest.mark.parametrize("size", [224, 320, 448])
def test_pictures_as_trained_on_are_resized_by_the_filter_alone(size: int) -> None:
    image = picture(0.5, 1, 400, 500)
    plain = Image.fromarray(image).resize((size, size), Image.Resampling.BICUBIC)
    assert np.array_equal(Preprocess((size, size))(image), np.asarray(plain))


def test_a_picture_twice_as_large_and_more_is_averaged_over_whole_blocks_first() -> None:
    image = picture(0.5, 1, 500, 900)
    expected = Image.fromarray(image).reduce(5).resize((100, 100), Image.Resampling.BICUBIC)
    assert np.array_equal(Preprocess((100, 100))(image), np.asarray(expected))


@pytest.mark.parametrize("shape", [(200, 200), (300, 300), (3000, 310), (700, 1900)])
def test_averaging_first_hardly_changes_what_is_seen(shape: tuple[int, int]) -> None:
    image = picture(0.5, 1, *shape)
    plain = Image.fromarray(image).resize((100, 100), Image.Resampling.BICUBIC)
    difference = np.abs(Preprocess((100, 100))(image).astype(int) - np.asarray(plain))
    assert 0 < difference.mean() < 1


def test_a_picture_that_is_much_larger_one_way_alone_is_left_to_the_filter() -> None:
    image = picture(0.5, 1, 190, 2000)
    plain = Image.fromarray(image).resize((100, 100), Image.Resampling.BICUBIC)
    assert np.array_equal(Preprocess((100, 100))(image), np.asarray(plain))


@given(st.integers(20, 400), st.integers(20, 400))
def test_pixels_in_memory_are_seen_as_those_of_a_file_that_came_reduced(height: int, width: int) -> None:
    image, see = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8), Preprocess((20, 20))
    reduced = np.asarray(averaged(Image.fromarray(image), *see.size))
    assert np.array_equal(see(reduced), see(image))


@given(records)
def test_stored_and_read_back(record: Preprocess) -> None:
    assert Preprocess.from_json(record.to_json()) == record


@pytest.mark.parametrize("change", [{"resize": "crop"}, {"resample": "nearest"}, {"size": [1]}, {"size": "x"}])
def test_a_rule_that_this_version_does_not_know_is_refused(change: dict[str, object]) -> None:
    fields = json.loads(Preprocess((10, 20)).to_json()) | change
    with pytest.raises(ValueError):
        Preprocess.from_json(json.dumps(fields))
