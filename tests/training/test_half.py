"""Weights stored as float16: the file is half as large, and says exactly what rounded float32 weights say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

from aesth.errors import ConfigError
from aesth.runtime import load_runtime
from aesth.training.half import store_as_half

Float = NDArray[np.float32]

GENERATOR = np.random.default_rng(5)
KERNEL = GENERATOR.normal(0, 0.2, (64, 3, 3, 3)).astype(np.float32)
BIAS = GENERATOR.normal(0, 0.2, 64).astype(np.float32)
MATRIX = GENERATOR.normal(0, 0.2, (64, 500)).astype(np.float32)
WEIGHTS = {"kernel": KERNEL, "bias": BIAS, "matrix": MATRIX}
GREATEST = MATRIX.max() == MATRIX
LEAST = 2.0**-14
"""The least normal float16."""


def write_model(path: Path, **weights: Float) -> Path:
    """A convolution, its mean over all places, and a matrix."""
    held = WEIGHTS | weights
    nodes = [
        helper.make_node("Conv", ["x", "kernel", "bias"], ["map"]),
        helper.make_node("Relu", ["map"], ["positive"]),
        helper.make_node("ReduceMean", ["positive"], ["pooled"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["pooled", "matrix"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 9, 9])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", held["matrix"].shape[1]])],
        [numpy_helper.from_array(values, name) for name, values in held.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"aesth.name": "small", "other": "kept"})
    onnx.save(model, str(path))
    return path


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_model(tmp_path / "small-fp32.onnx")


def said_by(path: Path, optimised: Path | None = None) -> Float:
    ort = load_runtime()
    options = ort.SessionOptions()
    if optimised:
        options.log_severity_level = 3
        options.optimized_model_filepath = str(optimised)
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(1).normal(size=(4, 3, 9, 9)).astype(np.float32)
    said: Float = session.run(["y"], {"x": pixels})[0]
    return said


def stored(path: Path) -> dict[str, str]:
    """Name of each weight -> the kind of number that it is stored as."""
    graph = onnx.load(str(path)).graph
    casts = {node.input[0]: node.output[0] for node in graph.node if node.op_type == "Cast"}
    return {casts.get(one.name, one.name): numpy_helper.to_array(one).dtype.name for one in graph.initializer}


def operators(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


@pytest.mark.parametrize("far", [127, 128])
def test_weights_on_a_grid_are_stored_as_whole_numbers_and_lose_nothing(tmp_path: Path, far: int) -> None:
    steps = np.random.default_rng(2).integers(-100, 100, (64, 500))
    steps[3, 4] = far
    source = write_model(tmp_path / "grid-fp32.onnx", matrix=(steps / 512).astype(np.float32))
    half = store_as_half(source, tmp_path / "grid-fp16.onnx")
    graph = onnx.load(str(half)).graph
    held = next(one for one in graph.initializer if one.name.startswith("matrix") and len(one.dims) > 1)
    assert numpy_helper.to_array(held).dtype == (np.int8 if far == 127 else np.float16)
    kernel = write_model(
        tmp_path / "rounded.onnx",
        kernel=KERNEL.astype(np.float16).astype(np.float32),
        matrix=(steps / 512).astype(np.float32),
    )
    assert np.array_equal(said_by(half), said_by(kernel))


def test_it_says_exactly_what_float32_weights_rounded_to_float16_say(source: Path, tmp_path: Path) -> None:
    rounded = {name: WEIGHTS[name].astype(np.float16).astype(np.float32) for name in ("kernel", "matrix")}
    expected = said_by(write_model(tmp_path / "rounded.onnx", **rounded))
    found = said_by(store_as_half(source, tmp_path / "small-fp16.onnx"))
    assert np.array_equal(found, expected)
    assert not np.array_equal(found, said_by(source))
    assert found == pytest.approx(said_by(source), abs=1e-3)


def test_it_is_half_as_large(source: Path, tmp_path: Path) -> None:
    half = store_as_half(source, tmp_path / "small-fp16.onnx")
    assert half.stat().st_size == pytest.approx(source.stat().st_size / 2, rel=0.02)


def test_nothing_of_it_but_the_weights_is_changed(source: Path, tmp_path: Path) -> None:
    before, after = onnx.load(str(source)), onnx.load(str(store_as_half(source, tmp_path / "small-fp16.onnx")))
    onnx.checker.check_model(after, full_check=True)
    assert after.metadata_props == before.metadata_props
    assert (after.graph.input, after.graph.output) == (before.graph.input, before.graph.output)
    assert [node for node in after.graph.node if node.op_type != "Cast"] == list(before.graph.node)


def test_the_casts_are_gone_once_it_is_loaded(source: Path, tmp_path: Path) -> None:
    half, loaded = store_as_half(source, tmp_path / "small-fp16.onnx"), tmp_path / "loaded.onnx"
    assert operators(onnx.load(str(half))).count("Cast") == 2
    said_by(half, optimised=loaded)
    model = onnx.load(str(loaded))
    assert "Cast" not in operators(model)
    assert {one.data_type for one in model.graph.initializer} == {TensorProto.FLOAT}


def test_vectors_and_small_matrices_stay_as_they_are(source: Path, tmp_path: Path) -> None:
    assert stored(store_as_half(source, tmp_path / "half.onnx")) == {
        "kernel": "float16",
        "bias": "float32",
        "matrix": "float16",
    }
    small = write_model(tmp_path / "few.onnx", kernel=KERNEL[:7, :, :1, :1], bias=BIAS[:7], matrix=MATRIX[:7, :9])
    before = small.read_bytes()
    store_as_half(small, tmp_path / "half.onnx")
    assert set(stored(tmp_path / "half.onnx").values()) == {"float32"}
    assert (tmp_path / "half.onnx").stat().st_size == pytest.approx(len(before), abs=16)


@pytest.mark.parametrize(
    ("name", "matrix", "kind"),
    [
        ("greatest", np.where(GREATEST, 65504, MATRIX), "float16"),
        ("overflow", np.where(GREATEST, 65536, MATRIX), "float32"),
        ("infinite", np.where(GREATEST, np.inf, MATRIX), "float32"),
        ("no number", np.where(GREATEST, np.nan, MATRIX), "float32"),
        ("least", MATRIX / np.abs(MATRIX).min() * LEAST, "float16"),
        ("subnormal", MATRIX / np.abs(MATRIX).max() * LEAST / 64, "float32"),
        ("would be zero", MATRIX / np.abs(MATRIX).max() * LEAST / 4096, "float32"),
    ],
)
def test_what_float16_cannot_hold_stays_float32(name: str, matrix: Float, kind: str, tmp_path: Path) -> None:
    held = matrix.astype(np.float32)
    half = store_as_half(write_model(tmp_path / "extreme.onnx", matrix=held), tmp_path / "half.onnx")
    assert stored(half)["matrix"] == kind, name
    (found,) = (one for one in onnx.load(str(half)).graph.initializer if one.name.startswith("matrix"))
    expected = held if kind == "float32" else held.astype(np.float16)
    assert np.array_equal(numpy_helper.to_array(found), expected, equal_nan=True)


def test_zeros_and_a_few_tiny_weights_among_large_ones_are_no_reason_to_stay_float32(tmp_path: Path) -> None:
    pruned = MATRIX * (np.arange(500) % 2)
    pruned[0, 1] = 1e-30
    for matrix in (pruned.astype(np.float32), np.zeros_like(MATRIX)):
        path = write_model(tmp_path / "zeros.onnx", matrix=matrix)
        assert stored(store_as_half(path, tmp_path / "half.onnx"))["matrix"] == "float16"


def test_a_second_time_changes_nothing(source: Path, tmp_path: Path) -> None:
    half = store_as_half(source, tmp_path / "half.onnx")
    assert store_as_half(half, tmp_path / "again.onnx").read_bytes() == half.read_bytes()


def test_a_file_can_take_its_own_place(source: Path, tmp_path: Path) -> None:
    expected = store_as_half(source, tmp_path / "half.onnx").read_bytes()
    assert store_as_half(source, source).read_bytes() == expected
    assert not list(tmp_path.glob("*.partial"))


def test_weights_that_are_an_output_keep_their_kind(source: Path, tmp_path: Path) -> None:
    model = onnx.load(str(source))
    model.graph.output.append(helper.make_tensor_value_info("matrix", TensorProto.FLOAT, MATRIX.shape))
    onnx.save(model, str(source))
    assert stored(store_as_half(source, tmp_path / "half.onnx"))["matrix"] == "float32"


def test_a_place_that_cannot_be_written_is_told(source: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        store_as_half(source, tmp_path / "file" / "half.onnx")
