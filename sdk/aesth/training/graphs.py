"""An ONNX graph by what is computed from what, for those that rewrite it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, helper, numpy_helper


class Graph:
    """A graph, which is changed in place.

    Args:
        graph: of a model.
    """

    def __init__(self, graph: GraphProto) -> None:
        self._graph = graph
        self._constants = {one.name: one for one in graph.initializer}

    def nodes(self, kind: str) -> list[NodeProto]:
        """Those of a kind, in the order in which they run."""
        return [node for node in self._graph.node if node.op_type == kind]

    def users(self, name: str) -> list[NodeProto]:
        """The nodes that take the output called ``name``."""
        return [node for node in self._graph.node if name in node.input]

    def maker(self, name: str) -> NodeProto | None:
        """The node whose output is called ``name``; None of constants and of what the model is given."""
        return next((node for node in self._graph.node if name in node.output), None)

    def given(self) -> dict[str, list[int]]:
        """What the model is given, by name, with its lengths; 0 where one is open."""
        return {one.name: [axis.dim_value for axis in one.type.tensor_type.shape.dim] for one in self._graph.input}

    def has(self, name: str) -> bool:
        """Whether there is such a constant."""
        return name in self._constants

    def values(self, name: str) -> NDArray[Any]:
        """A constant."""
        found: NDArray[Any] = numpy_helper.to_array(self._constants[name])
        return found

    def put(self, name: str, values: NDArray[Any] | np.generic) -> str:
        """Keep a constant, in place of one of that name if there is one; its name."""
        constant = self._constants.get(name)
        if constant is None:
            constant = self._constants[name] = self._graph.initializer.add()
        constant.CopyFrom(numpy_helper.from_array(np.asarray(values), name))
        return name

    def insert(self, behind: NodeProto | None, nodes: Sequence[NodeProto]) -> None:
        """Put ``nodes`` behind another one, or before all."""
        first = 0 if behind is None else list(self._graph.node).index(behind) + 1
        for place, node in enumerate(nodes, first):
            self._graph.node.insert(place, node)

    def tidy(self) -> None:
        """Forget nodes and constants that nothing takes any more, and shapes, which may be others now."""
        asked = {one.name for one in self._graph.output}
        while idle := [node for node in self._graph.node if not set(node.output) & (self._taken() | asked)]:
            for node in idle:
                self._graph.node.remove(node)
        for name in self._constants.keys() - self._taken():
            self._graph.initializer.remove(self._constants.pop(name))
        del self._graph.value_info[:]

    def _taken(self) -> set[str]:
        return {name for node in self._graph.node for name in node.input}


def attribute(node: NodeProto, name: str, default: Any = None) -> Any:
    """An attribute of ``node``."""
    found = [helper.get_attribute_value(one) for one in node.attribute if one.name == name]
    return found[0] if found else default


def set_attribute(node: NodeProto, name: str, values: Sequence[int]) -> None:
    """Give ``node`` an attribute, in place of one of that name if there is one."""
    kept = [one for one in node.attribute if one.name != name]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, [int(value) for value in values])])
