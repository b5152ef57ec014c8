"""ONNX graphs of encoders whose int8 convolutions take the bytes of a picture as they are.

Pixels are whole numbers. Normalised, rounded to 8 bits again and, for a branch that sees a smaller copy, averaged and
rounded once more, they cost a fifth of the time of a small network, and half of their grey levels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, helper

from aesth.training.graphs import Graph, attribute, set_attribute

CHANNELS_FIRST = (0, 3, 1, 2)
CHANNELS_LAST = (0, 2, 3, 1)


def merge_pooling(model: ModelProto) -> None:
    """Make one convolution of each mean over k x k pixels that convolutions alone follow: of k times the stride.

    What is computed stays the same. Each convolution has weights of its own (`quantize` sees to that).
    """
    graph = Graph(model.graph)
    for pool in graph.nodes("AveragePool"):
        sides = attribute(pool, "kernel_shape")
        convolutions = graph.users(pool.output[0])
        if (
            list(attribute(pool, "strides")) == list(sides)
            and not any(attribute(pool, "pads", (0, 0, 0, 0)))
            and all(_convolves(node) and attribute(node, "group", 1) == 1 for node in convolutions)
        ):
            for convolution in convolutions:
                _stretch(graph, convolution, sides)
                convolution.input[0] = pool.input[0]
    graph.tidy()


def _stretch(graph: Graph, convolution: NodeProto, sides: Sequence[int]) -> None:
    """Let ``convolution`` see every pixel that a mean over ``sides`` made one of."""
    weights = graph.values(convolution.input[1])
    spread = np.kron(weights, np.full((1, 1, *sides), 1 / np.prod(sides), np.float32))
    convolution.input[1] = graph.put(f"{convolution.name}_spread", spread)
    set_attribute(convolution, "kernel_shape", spread.shape[2:])
    for name, default in (("strides", (1, 1)), ("pads", (0, 0, 0, 0))):
        lengths = np.array(attribute(convolution, name, default))
        set_attribute(convolution, name, (lengths * np.resize(sides, len(lengths))).tolist())


@dataclass(frozen=True)
class Normalisation:
    """How pixels become the input of convolutions: (pixels - mean) / deviation, the same for all colours.

    Attributes:
        cast: the node that makes floats of bytes.
        subtract: the node that takes off the mean.
        divide: the node whose output the convolutions see.
        mean: half of 255, or another number.
        deviation: likewise.
    """

    cast: NodeProto
    subtract: NodeProto
    divide: NodeProto
    mean: float
    deviation: float


def centre_on_byte(model: ModelProto) -> None:
    """Take off a whole number where a half is taken off, and let the biases behind it make up for that.

    Bytes are then rounded to 8 bits without loss. Where a convolution sees zeros beyond the picture's edge, its output
    changes by half a grey level of them.
    """
    graph = Graph(model.graph)
    for one in _normalisations(graph):
        centre = np.floor(one.mean + 0.5)
        users = graph.users(one.divide.output[0])
        if centre != one.mean and all(_convolves(node) and len(node.input) > 2 for node in users):
            for convolution in users:
                weights, bias = (graph.values(name) for name in convolution.input[1:3])
                offset = (centre - one.mean) / one.deviation * weights.sum((1, 2, 3))
                convolution.input[2] = graph.put(f"{convolution.name}_bias", (bias + offset).astype(np.float32))
            mean = graph.values(one.subtract.input[1])
            one.subtract.input[1] = graph.put(f"{one.subtract.name}_centre", np.full_like(mean, centre))
    graph.tidy()


def take_bytes(model: ModelProto) -> None:
    """Let what was rounded to 8 bits after `centre_on_byte` be the bytes of the picture themselves."""
    graph = Graph(model.graph)
    for one in _normalisations(graph):
        rounding = graph.users(one.divide.output[0])
        if one.mean == np.floor(one.mean) and all(node.op_type == "QuantizeLinear" for node in rounding):
            for quantised in rounding:
                for back in graph.users(quantised.output[0]):
                    back.input[0] = one.cast.input[0]
                    back.input[1] = graph.put(f"{back.name}_step", np.float32(1 / one.deviation))
                    back.input[2] = graph.put(f"{back.name}_centre", np.uint8(one.mean))
    graph.tidy()


def see_blocks(model: ModelProto, block: int = 4) -> None:
    """Let int8 convolutions that see the picture's bytes see ``block`` pixels of a row as one of more colours.

    Three colours are few: such a convolution spends its time on gathering them. What is computed stays the same: rows
    of pixels lie in memory as rows of blocks do, and so do those of the output, of which a block gives one or several.

    Args:
        model: an int8 model, after `take_bytes`.
        block: pixels that are seen as one.
    """
    graph = Graph(model.graph)
    for convolution in graph.nodes("Conv"):
        sight = Sight.of(graph, convolution)
        if sight and sight.divides_into(block):
            _see_blocks(graph, sight, block)
    graph.tidy()


@dataclass(frozen=True)
class Sight:
    """An int8 convolution that sees the picture's bytes.

    Attributes:
        convolution: the node.
        image: name of the picture.
        back: the node that makes numbers of its bytes.
        weights: the node that makes numbers of its weights; its constants are int8 (o, 3, h, w), and a step for each o.
        bias: the node that makes numbers of its biases, likewise.
        rounding: the node that makes bytes of its output.
        size: height and width of the picture.
    """

    convolution: NodeProto
    image: str
    back: NodeProto
    weights: NodeProto
    bias: NodeProto
    rounding: NodeProto
    size: tuple[int, int]

    @classmethod
    def of(cls, graph: Graph, convolution: NodeProto) -> Sight | None:
        """What ``convolution`` sees; None where that is not the picture, or not in bytes."""
        back, *constants = (graph.maker(name) for name in convolution.input)
        permute = graph.maker(back.input[0]) if back else None
        image = permute.input[0] if permute and permute.op_type == "Transpose" else ""
        given, users = graph.given().get(image), graph.users(convolution.output[0])
        if back is None or given is None or not _convolves(convolution) or len(users) != 1:
            return None
        kinds = [node.op_type for node in (back, *constants, *users) if node]
        if kinds != ["DequantizeLinear"] * 3 + ["QuantizeLinear"]:
            return None
        weights, bias = (node for node in constants if node)
        return cls(convolution, image, back, weights, bias, users[0], (given[1], given[2]))

    @property
    def kernel(self) -> tuple[int, int]:
        """Height and width."""
        height, width = attribute(self.convolution, "kernel_shape")
        return height, width

    @property
    def strides(self) -> tuple[int, int]:
        """Down and across."""
        down, across = attribute(self.convolution, "strides", (1, 1))
        return down, across

    @property
    def pads(self) -> tuple[int, int, int, int]:
        """Zeros at the top, left, bottom and right."""
        top, left, bottom, right = attribute(self.convolution, "pads", (0, 0, 0, 0))
        return top, left, bottom, right

    @property
    def places(self) -> tuple[int, int]:
        """Height and width of the output."""
        (top, left, bottom, right), (down, across) = self.pads, self.strides
        height, width = (
            length + more - own
            for length, more, own in zip(self.size, (top + bottom, left + right), self.kernel, strict=True)
        )
        return height // down + 1, width // across + 1

    def divides_into(self, block: int) -> bool:
        """Whether each block of a row gives as many places of the output as the next one, and no other pixel does."""
        width, across = self.size[1], self.strides[1]
        return width % block == block % across == self.pads[1] == 0 and self.places[1] == width // across


def _see_blocks(graph: Graph, sight: Sight, block: int) -> None:
    convolution, (height, width), across = sight.convolution, sight.size, sight.strides[1]
    top, _, bottom, _ = sight.pads
    lines, columns = sight.places
    whole, *steps = _constants(graph, sight.weights)
    weights, together = _of_blocks(whole, block, across), block // across
    _replace_constants(graph, sight.weights, [weights, *(np.tile(one, together) for one in steps)])
    _replace_constants(graph, sight.bias, [np.tile(one, together) for one in _constants(graph, sight.bias)])
    convolution.input[0] = _blocks(graph, sight, (-1, height, width // block, 3 * block))
    set_attribute(convolution, "kernel_shape", weights.shape[2:])
    set_attribute(convolution, "strides", (sight.strides[0], 1))
    set_attribute(convolution, "pads", (top, 0, bottom, weights.shape[3] - 1))
    if together > 1:
        _set_apart(graph, sight.rounding, (-1, lines, columns, len(whole)))


def _of_blocks(weights: NDArray[Any], block: int, across: int) -> NDArray[Any]:
    """Weights (o, 3, h, w) of a stride ``across`` as such of blocks: (places x o, block x 3, h, w')."""
    many, colours, height, width = weights.shape
    places = block // across
    blocks = -(-(width + (places - 1) * across) // block)
    found = np.zeros((places, many, blocks, block, colours, height), weights.dtype)
    for place in range(places):
        for column in range(width):
            found[place, :, (column + place * across) // block, (column + place * across) % block] = weights[
                ..., column
            ]
    return found.transpose(0, 1, 3, 4, 5, 2).reshape(places * many, block * colours, height, blocks)


def _blocks(graph: Graph, sight: Sight, shape: tuple[int, ...]) -> str:
    """The picture's bytes as numbers of ``shape``, (n, height, width, colours), colours first; the name."""
    laid, first, numbers = (f"{sight.convolution.name}_{part}" for part in ("blocks", "permuted", "numbers"))
    asked = graph.put(f"{laid}_shape", np.array(shape))
    nodes = [
        helper.make_node("Reshape", [sight.image, asked], [laid], laid),
        helper.make_node("Transpose", [laid], [first], first, perm=CHANNELS_FIRST),
        helper.make_node("DequantizeLinear", [first, *sight.back.input[1:]], [numbers], numbers),
    ]
    graph.insert(None, nodes)
    return numbers


def _set_apart(graph: Graph, rounding: NodeProto, shape: tuple[int, ...]) -> None:
    """Make neighbours of the places that a block gave, in bytes of ``shape``: (n, height, width, channels)."""
    given = rounding.output[0]
    last, apart, first = (f"{rounding.name}_{part}" for part in ("last", "apart", "first"))
    for user in graph.users(given):
        user.input[list(user.input).index(given)] = first
    asked = graph.put(f"{apart}_shape", np.array(shape))
    nodes = [
        helper.make_node("Transpose", [given], [last], last, perm=CHANNELS_LAST),
        helper.make_node("Reshape", [last, asked], [apart], apart),
        helper.make_node("Transpose", [apart], [first], first, perm=CHANNELS_FIRST),
    ]
    graph.insert(rounding, nodes)


def _constants(graph: Graph, node: NodeProto) -> list[NDArray[Any]]:
    return [graph.values(name) for name in node.input]


def _replace_constants(graph: Graph, node: NodeProto, values: Sequence[NDArray[Any]]) -> None:
    for number, value in enumerate(values):
        node.input[number] = graph.put(f"{node.name}_of_blocks_{number}", value)


def _normalisations(graph: Graph) -> Iterator[Normalisation]:
    for cast in graph.nodes("Cast"):
        for subtract in graph.users(cast.output[0]):
            for divide in graph.users(subtract.output[0]):
                if (subtract.op_type, divide.op_type) == ("Sub", "Div"):
                    mean, deviation = (_one_number(graph, node.input[1]) for node in (subtract, divide))
                    if mean is not None and deviation:
                        yield Normalisation(cast, subtract, divide, mean, deviation)


def _one_number(graph: Graph, name: str) -> float | None:
    """The value of a constant, where all of its values are the same."""
    values = np.unique(graph.values(name)) if graph.has(name) else np.empty(0)
    return float(values[0]) if len(values) == 1 else None


def _convolves(node: NodeProto) -> bool:
    return node.op_type == "Conv" and attribute(node, "auto_pad", b"NOTSET") == b"NOTSET"
