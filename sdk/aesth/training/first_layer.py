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
from onnx import GraphProto, ModelProto, NodeProto, helper, numpy_helper

Array = NDArray[np.float32]


def merge_pooling(model: ModelProto) -> None:
    """Make one convolution of each mean over k x k pixels that convolutions alone follow: of k times the stride.

    What is computed stays the same. Each convolution has weights of its own (`quantize` sees to that).
    """
    graph = _Graph(model.graph)
    for pool in graph.nodes("AveragePool"):
        sides = _attribute(pool, "kernel_shape")
        convolutions = graph.users(pool.output[0])
        if (
            list(_attribute(pool, "strides")) == list(sides)
            and not any(_attribute(pool, "pads", (0, 0, 0, 0)))
            and all(_convolves(node) and _attribute(node, "group", 1) == 1 for node in convolutions)
        ):
            for convolution in convolutions:
                _stretch(graph, convolution, sides)
                convolution.input[0] = pool.input[0]
            model.graph.node.remove(pool)
    graph.drop_unused()


def _stretch(graph: _Graph, convolution: NodeProto, sides: Sequence[int]) -> None:
    """Let ``convolution`` see every pixel that a mean over ``sides`` made one of."""
    weights = graph.values(convolution.input[1])
    spread = np.kron(weights, np.full((1, 1, *sides), 1 / np.prod(sides), np.float32))
    convolution.input[1] = graph.put(f"{convolution.name}_spread", spread)
    _set(convolution, "kernel_shape", spread.shape[2:])
    for name, default in (("strides", (1, 1)), ("pads", (0, 0, 0, 0))):
        lengths = np.array(_attribute(convolution, name, default))
        _set(convolution, name, (lengths * np.resize(sides, len(lengths))).tolist())


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
    graph = _Graph(model.graph)
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
    graph.drop_unused()


def take_bytes(model: ModelProto) -> None:
    """Let what was rounded to 8 bits after `centre_on_byte` be the bytes of the picture themselves."""
    graph = _Graph(model.graph)
    for one in _normalisations(graph):
        rounding = graph.users(one.divide.output[0])
        if one.mean == np.floor(one.mean) and all(node.op_type == "QuantizeLinear" for node in rounding):
            for quantised in rounding:
                for back in graph.users(quantised.output[0]):
                    back.input[0] = one.cast.input[0]
                    back.input[1] = graph.put(f"{back.name}_step", np.float32(1 / one.deviation))
                    back.input[2] = graph.put(f"{back.name}_centre", np.uint8(one.mean))
                model.graph.node.remove(quantised)
            for node in (one.divide, one.subtract, one.cast):
                if not graph.users(node.output[0]):
                    model.graph.node.remove(node)
    graph.drop_unused()


class _Graph:
    """A graph by what is computed from what."""

    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self._constants = {one.name: one for one in graph.initializer}

    def nodes(self, kind: str) -> list[NodeProto]:
        """Those of a kind, in the order in which they run."""
        return [node for node in self._graph.node if node.op_type == kind]

    def users(self, name: str) -> list[NodeProto]:
        """The nodes that take the output called ``name``."""
        return [node for node in self._graph.node if name in node.input]

    def values(self, name: str) -> Array:
        """A constant."""
        found: Array = numpy_helper.to_array(self._constants[name])
        return found

    def has(self, name: str) -> bool:
        """Whether there is such a constant."""
        return name in self._constants

    def drop_unused(self) -> None:
        """Take out constants that no node takes any more."""
        taken = {name for node in self._graph.node for name in node.input}
        for name in self._constants.keys() - taken:
            self._graph.initializer.remove(self._constants.pop(name))

    def put(self, name: str, values: NDArray[np.generic] | np.generic) -> str:
        """Keep a constant, in place of one of that name if there is one; its name."""
        constant = self._constants.get(name)
        if constant is None:
            constant = self._constants[name] = self._graph.initializer.add()
        constant.CopyFrom(numpy_helper.from_array(np.asarray(values), name))
        return name


def _normalisations(graph: _Graph) -> Iterator[Normalisation]:
    for cast in graph.nodes("Cast"):
        for subtract in graph.users(cast.output[0]):
            for divide in graph.users(subtract.output[0]):
                if (subtract.op_type, divide.op_type) == ("Sub", "Div"):
                    mean, deviation = (_one_number(graph, node.input[1]) for node in (subtract, divide))
                    if mean is not None and deviation:
                        yield Normalisation(cast, subtract, divide, mean, deviation)


def _one_number(graph: _Graph, name: str) -> float | None:
    """The value of a constant, where all of its values are the same."""
    values = np.unique(graph.values(name)) if graph.has(name) else np.empty(0)
    return float(values[0]) if len(values) == 1 else None


def _convolves(node: NodeProto) -> bool:
    return node.op_type == "Conv" and _attribute(node, "auto_pad", b"NOTSET") == b"NOTSET"


def _attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    found = [helper.get_attribute_value(one) for one in node.attribute if one.name == name]
    return found[0] if found else default


def _set(node: NodeProto, name: str, values: Sequence[int]) -> None:
    kept = [one for one in node.attribute if one.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, list(values))])
