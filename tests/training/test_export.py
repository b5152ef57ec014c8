"""Export: what ONNX Runtime says is what torch says, and the file says everything about itself."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from aesth.encoder import ModelRecord, OnnxEncoder
from aesth.errors import ConfigError, ModelError
from aesth.preprocess import Preprocess
from aesth.registry import ModelFile
from aesth.scale import Scale
from aesth.training.evaluate import norms_of, torch_encode
from aesth.training.export import describe, export, greatest_difference, onnx_encode, prove
from aesth.training.half import store_as_half
from aesth.training.networks import AestheticEncoder, Architecture, Branch
from aesth.training.quantize import quantize
from support.photos import picture

SIZE = (64, 80)
RECORD = ModelRecord(
    "tiny", "3", "CC0-1.0", Preprocess(SIZE), Scale((0.5, 1.0, 4.0), "nine photos"), {"seed": 1, "figures": None}
)


@pytest.fixture(scope="module")
def encoder() -> AestheticEncoder:
    """Of several layers of a backbone, whose random weights are enlarged so that pictures differ in what they give."""
    torch.manual_seed(1)
    layers = ("bottleneck_2", "bottleneck_4")
    made = AestheticEncoder(Architecture("mobilenet_v2", layers, pooling="mean_deviation", rank=8, size=SIZE))
    with torch.no_grad():
        for name, parameter in made.trunks.named_parameters():
            parameter *= 2.5 if name.endswith("weight") else 1
        made.standardise.fit(made.features(torch.from_numpy(pixels(24))))
        made.head.inner.weight *= 10
        made.head.start_at(3)
    return made.eval()


@pytest.fixture(scope="module")
def exported(encoder: AestheticEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The float file, described."""
    path = export(encoder, tmp_path_factory.mktemp("export") / "new" / "tiny-fp32.onnx")
    describe(path, RECORD)
    return path


@pytest.fixture(scope="module")
def quantised(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The int8 file, described."""
    path = quantize(exported, tmp_path_factory.mktemp("quantize") / "tiny-int8.onnx", pixels(24))
    describe(path, RECORD)
    return path


@pytest.fixture(scope="module")
def halved(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The float file with weights stored as float16."""
    return store_as_half(exported, tmp_path_factory.mktemp("half") / "tiny-fp16.onnx")


def pixels(count: int, first: int = 0) -> NDArray[np.uint8]:
    greys = np.random.default_rng(first).uniform(0.1, 0.9, count)
    return np.stack([picture(grey, first + index, *SIZE) for index, grey in enumerate(greys)])


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_onnx_runtime_says_what_torch_says_for_any_number_of_pictures(
    encoder: AestheticEncoder, exported: Path, count: int
) -> None:
    batch = pixels(count, first=50)
    expected = torch_encode(encoder)(batch)
    found = onnx_encode(exported)(batch)
    assert found.shape == expected.shape == (count, 1000)
    assert np.abs(expected).max() > 0.1
    assert found == pytest.approx(expected, abs=1e-4)


def test_the_form_is_that_of_the_contract(exported: Path, halved: Path, quantised: Path) -> None:
    for path in (exported, halved, quantised):
        model = onnx.load(str(path))
        (given,), (gives,) = model.graph.input, model.graph.output
        assert (given.name, given.type.tensor_type.elem_type) == ("image", onnx.TensorProto.UINT8)
        assert (gives.name, gives.type.tensor_type.elem_type) == ("embedding", onnx.TensorProto.FLOAT)
        number, *sizes = given.type.tensor_type.shape.dim
        assert number.dim_param
        assert [size.dim_value for size in sizes] == [*SIZE, 3]
        assert gives.type.tensor_type.shape.dim[1].dim_value == 1000
        assert list(path.parent.iterdir()) == [path], "no weights in files of their own, nothing half"


def test_what_a_file_says_about_itself_is_read_by_the_encoder(exported: Path, halved: Path, quantised: Path) -> None:
    for path in (exported, halved, quantised):
        assert OnnxEncoder(ModelFile(path.stem, path)).record == RECORD


def test_the_keys_are_those_of_the_contract(exported: Path) -> None:
    keys = {entry.key for entry in onnx.load(str(exported)).metadata_props}
    names = ("name", "version", "licence", "preprocess", "scale", "training")
    assert {f"aesth.{name}" for name in names} <= keys


def test_a_second_description_replaces_the_first(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "copy.onnx"
    path.write_bytes(exported.read_bytes())
    describe(path, replace(RECORD, version="4", training={"proofs": {"difference": 0.5}}))
    record = OnnxEncoder(ModelFile("copy", path)).record
    assert (record.version, record.training) == ("4", {"proofs": {"difference": 0.5}})


def test_what_is_no_json_is_not_written(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "copy.onnx"
    path.write_bytes(exported.read_bytes())
    with pytest.raises(ValueError, match="JSON"):
        describe(path, replace(RECORD, training={"srcc": float("nan")}))
    assert path.read_bytes() == exported.read_bytes()


def test_a_proof_gives_the_greatest_difference(encoder: AestheticEncoder, exported: Path) -> None:
    batch = pixels(20, first=70)
    expected = np.abs(torch_encode(encoder)(batch) - onnx_encode(exported)(batch)).max()
    assert prove(exported, torch_encode(encoder), batch, 1e-2) == pytest.approx(float(expected), abs=1e-5)
    assert greatest_difference(lambda one: one + np.float32(0), lambda one: one * np.float32(1.5), batch) == 127.5


def test_a_proof_fails_where_weights_were_altered(encoder: AestheticEncoder, exported: Path, tmp_path: Path) -> None:
    model = onnx.load(str(exported))
    weights = max(model.graph.initializer, key=lambda one: len(one.raw_data))
    values = onnx.numpy_helper.to_array(weights).copy()
    values += 1
    weights.CopyFrom(onnx.numpy_helper.from_array(values, weights.name))
    path = tmp_path / "altered.onnx"
    onnx.save(model, str(path))
    with pytest.raises(ModelError, match="embeddings differ from torch's by up to") as raised:
        prove(path, torch_encode(encoder), pixels(4), 1e-2)
    assert raised.value.path == path


def test_a_proof_fails_where_an_embedding_is_no_number(encoder: AestheticEncoder, exported: Path) -> None:
    with pytest.raises(ModelError):
        prove(exported, lambda batch: np.full((len(batch), 1000), np.nan, np.float32), pixels(2), 1e-2)


def test_a_place_that_cannot_be_written_is_told(encoder: AestheticEncoder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be written"):
        export(encoder, tmp_path / "file" / "model.onnx")


def test_float16_says_nearly_what_torch_says(encoder: AestheticEncoder, halved: Path) -> None:
    batch = pixels(20, first=70)
    assert 0 < prove(halved, torch_encode(encoder), batch, 1e-2) < 1e-2


def test_float16_is_half_and_int8_smaller(exported: Path, halved: Path, quantised: Path) -> None:
    def weights(path: Path) -> int:
        return sum(len(one.raw_data) for one in onnx.load(str(path)).graph.initializer)

    assert weights(halved) == pytest.approx(0.5 * weights(exported), rel=0.05)
    assert weights(quantised) < 0.7 * weights(halved)


def test_int8_embeddings_are_near_and_rank_pictures_alike(exported: Path, quantised: Path) -> None:
    """Random weights tell pictures apart by small differences, so rounding costs more here than in a trained one."""
    batch = pixels(24, first=90)
    exact, rounded = onnx_encode(exported)(batch), onnx_encode(quantised)(batch)
    assert np.linalg.norm(exact - rounded, axis=1).mean() < 0.2 * np.linalg.norm(exact, axis=1).mean()
    one, other = (norms_of(onnx_encode(path), batch) for path in (exported, quantised))
    assert np.corrcoef(one, other)[0, 1] > 0.7


def test_int8_gives_the_same_whatever_comes_with_a_picture(quantised: Path) -> None:
    encode, batch = onnx_encode(quantised), pixels(3, first=40)
    assert encode(batch) == pytest.approx(np.concatenate([encode(one[None]) for one in batch]), abs=1e-4)


def test_convolutions_take_and_give_int8_with_a_scale_for_each_channel(quantised: Path) -> None:
    graph = onnx.load(str(quantised)).graph
    made_by = {output: node for node in graph.node for output in node.output}
    constants = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert len(convolutions) > 8
    assert {node.op_type for node in graph.node} >= {"QuantizeLinear", "DequantizeLinear"}
    for node in convolutions:
        activation, weight = (made_by[name] for name in node.input[:2])
        assert activation.op_type == weight.op_type == "DequantizeLinear"
        values, scales = (constants[name] for name in weight.input[:2])
        assert values.dtype == np.int8
        assert scales.shape == values.shape[:1]


def from_statistics_on(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """The nodes that pool feature maps over all places, and all that follow them."""
    reached: set[str] = set()
    nodes = []
    for node in graph.node:
        if node.op_type.startswith("Reduce") or reached & set(node.input):
            reached.update(node.output)
            nodes.append(node)
    return nodes


def weight_kinds(graph: onnx.GraphProto) -> dict[str, str]:
    """Name of each matrix and kernel -> what it is stored as."""
    arrays = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
    return {name: values.dtype.name for name, values in arrays.items() if values.ndim > 1 and values.size > 64}


class Landmarks(nn.Module):
    """A head that is not affine: nearness to a few points of the space of features, and what softplus makes of it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.places = nn.Parameter(torch.randn(24, width) * 0.3)
        self.turn = nn.Linear(24, 1000)

    def forward(self, features: Tensor) -> Tensor:
        squares = features.square().sum(1, keepdim=True) + self.places.square().sum(1)
        nearness = torch.exp(2 * features @ self.places.T - squares)
        return self.turn(nn.functional.softplus(nearness))


@pytest.mark.parametrize("head", ["projection", "landmarks"])
def test_from_the_statistics_on_all_is_float_and_stored_as_float16(
    head: str, exported: Path, quantised: Path, tmp_path: Path
) -> None:
    if head == "landmarks":
        layers = ("stem", "bottleneck_1")
        other = AestheticEncoder(Architecture("mobilenet_v2", layers, pooling="mean_deviation", rank=8, size=SIZE))
        other.head = Landmarks(len(other.standardise.mean))  # type: ignore[assignment]
        exported = export(other, tmp_path / "other-fp32.onnx")
        quantised = quantize(exported, tmp_path / "other-int8.onnx", pixels(4))
    graph = onnx.load(str(quantised)).graph
    before, after = from_statistics_on(onnx.load(str(exported)).graph), from_statistics_on(graph)
    operators = {node.op_type for node in after}
    assert operators.isdisjoint({"QuantizeLinear", "DequantizeLinear", "QGemm"})
    assert operators >= {"ReduceMean", "Sqrt"} | ({"Exp", "Softplus"} if head == "landmarks" else set())
    assert after[-1].output[0] == before[-1].output[0] == "embedding"
    kinds = weight_kinds(graph)
    assert {kind for name, kind in kinds.items() if "conv.weight" in name} == {"int8"}
    assert {kind for name, kind in kinds.items() if "conv.weight" not in name} == {"float16"}


def test_branches_of_one_backbone_make_an_int8_file_that_can_be_loaded(tmp_path: Path) -> None:
    """ONNX Runtime cannot rewrite weights that two convolutions share: each has its own, which are stored once.

    All but those of the first layer, which sees pixels in another way in each branch.
    """
    torch.manual_seed(1)
    beside = (Branch("mobilenet_v2", ("bottleneck_1",), shrink=2),)
    made = AestheticEncoder(Architecture("mobilenet_v2", ("bottleneck_1",), beside, head="polar", rank=8, size=SIZE))
    whole = export(made, tmp_path / "branches-fp32.onnx")
    quantised = quantize(whole, tmp_path / "branches-int8.onnx", pixels(4))
    found, expected = onnx_encode(quantised)(pixels(3)), torch_encode(made.eval())(pixels(3))
    assert np.linalg.norm(found - expected, axis=1).max() < 0.2 * np.linalg.norm(expected, axis=1).min()
    convolutions = [node for node in onnx.load(str(quantised)).graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 2 * 3
    assert len({node.input[1] for node in convolutions}) == len(convolutions)
    stored = {
        one.name: math.prod(one.dims)
        for one in onnx.load(str(quantised)).graph.initializer
        if one.data_type == onnx.TensorProto.INT8 and math.prod(one.dims) > 64
    }
    first = [name for name in stored if "of_blocks" in name]
    assert len(first) == 2
    assert sorted(size for name, size in stored.items() if name not in first) == sorted(
        math.prod(one.dims)
        for one in onnx.load(str(whole)).graph.initializer
        if "conv.weight" in one.name and "stem" not in one.name
    )
    shared = [node for node in onnx.load(str(whole)).graph.node if node.op_type == "Conv"]
    assert len({node.input[1] for node in shared}) == 3


def test_a_convolution_and_its_relu_are_rounded_once(exported: Path, quantised: Path) -> None:
    """Bits for what a ReLU cuts off would be lost."""
    assert "Clip" in {node.op_type for node in onnx.load(str(exported)).graph.node}
    assert "Clip" not in {node.op_type for node in onnx.load(str(quantised)).graph.node}


def test_quantising_leaves_the_log_of_the_program_as_it_was(exported: Path, tmp_path: Path) -> None:
    import logging

    before = logging.getLogger().level
    quantize(exported, tmp_path / "again.onnx", pixels(2))
    assert logging.getLogger().level == before
