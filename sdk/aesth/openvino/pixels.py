"""Convolutions that see blocks of pixels, made to see single pixels again.

The int8 models see several pixels of a row as one of more colours (``aesth.training.first_layer.see_blocks``), which
spares ONNX Runtime's CPU half of its first convolution. OpenVINO has faster ones for pictures of three colours, and
computes in floats where bytes are laid out anew between two convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

COLOURS = 3
CHANNELS_FIRST = (0, 3, 1, 2)

_TO_CONVOLUTION = ("Transpose", "Convert", "Subtract", "Multiply", "Convolution")
_OF_WEIGHTS = ("Multiply", "Subtract", "Convert", "Constant")
_TO_BYTES = ("Add", "FakeQuantize", "Convert")
_COMPUTED = {"Subtract": np.subtract, "Multiply": np.multiply}
_AS_IT_IS = ("Convert", "Reshape")
_APART = ("Transpose", "Reshape", "Transpose")


def see_pixels(model: Any, opset: Any) -> int:
    """Let convolutions that see blocks of the picture's pixels see the pixels; what they compute stays the same.

    Args:
        model: an ``openvino.Model``, as read from an ONNX file of ours; it is changed.
        opset: OpenVINO's operations, such as the module ``openvino.opset13``.

    Returns:
        how many convolutions were changed; 0 where none sees blocks.
    """
    found = list(_sights(model))
    for sight in found:
        _see_pixels(sight, opset)
    if found:
        model.validate_nodes_and_infer_types()
    return len(found)


@dataclass(frozen=True)
class _Sight:
    """A convolution that sees blocks of pixels.

    Attributes:
        image: the picture.
        centring: takes the middle of all grey levels off its bytes.
        scaling: multiplies what is left.
        convolution: the node.
        weights: from the node that makes numbers of the weights back to their bytes, (places x o, block x 3, h, w).
        rounding: from the biases to the bytes of the output.
        apart: from there to where places of a block are neighbours; empty where a block gives one place.
    """

    image: Any
    centring: Any
    scaling: Any
    convolution: Any
    weights: Sequence[Any]
    rounding: Sequence[Any]
    apart: Sequence[Any]

    @property
    def block(self) -> int:
        """Pixels that are seen as one."""
        return int(self.convolution.input(0).get_partial_shape()[1].get_length()) // COLOURS

    @property
    def places(self) -> int:
        """Places of the output that a block gives."""
        if not self.apart:
            return 1
        apart, together = (
            one.output(0).get_partial_shape()[1].get_length() for one in (self.apart[-1], self.rounding[0])
        )
        return int(together // apart)


def _sights(model: Any) -> Iterator[_Sight]:
    """The convolutions of what the picture's bytes are reshaped to."""
    image = model.input(0)
    for user in image.get_target_inputs():
        reshape = user.get_node()
        way = _on(reshape, _TO_CONVOLUTION) if reshape.get_type_name() == "Reshape" else []
        if way:
            *_, centring, scaling, convolution = way
            weights, rounding = _back(convolution, 1, _OF_WEIGHTS), _on(convolution, _TO_BYTES)
            if weights and rounding and _is_constant(_maker(rounding[0], 1)):
                apart = _on(rounding[-1], _APART)
                yield _Sight(image.get_node(), centring, scaling, convolution, weights, rounding, apart)


def _see_pixels(sight: _Sight, opset: Any) -> None:
    places, across = sight.places, sight.block // sight.places
    kernel = _of_pixels(sight.weights[-1].get_data(), sight.block, places)
    own = len(kernel)

    permuted = opset.transpose(sight.image, np.array(CHANNELS_FIRST))
    centred = opset.subtract(opset.convert(permuted, "f32"), _maker(sight.centring, 1))
    numbers = opset.multiply(centred, _maker(sight.scaling, 1))
    steps, zeros = (_vector(_maker(node, 1))[:own].reshape(-1, 1, 1, 1) for node in sight.weights[:2])
    weights = opset.multiply(opset.subtract(opset.convert(opset.constant(kernel), "f32"), zeros), steps)

    geometry = sight.convolution.get_attributes()
    width, columns = sight.image.output(0).get_partial_shape()[2].get_length(), _width(sight.rounding[0]) * places
    right = (columns - 1) * across + kernel.shape[3] - width
    convolution = opset.convolution(
        numbers,
        weights,
        strides=[geometry["strides"][0], across],
        pads_begin=[geometry["pads_begin"][0], 0],
        pads_end=[geometry["pads_end"][0], right],
        dilations=[1, 1],
    )
    bias, rounded = sight.rounding[0], sight.rounding[-1]
    added = opset.add(convolution, _vector(_maker(bias, 1))[:own].reshape(1, -1, 1, 1))
    for user in bias.output(0).get_target_inputs():
        user.replace_source_output(added.output(0))
    if sight.apart:
        for user in sight.apart[-1].output(0).get_target_inputs():
            user.replace_source_output(rounded.output(0))


def _of_pixels(weights: NDArray[Any], block: int, places: int) -> NDArray[Any]:
    """Weights (places x o, block x 3, h, w') of blocks as those of pixels, (o, 3, h, w), of a stride block / places."""
    many, _, height, blocks = weights.shape
    first = weights[: many // places].reshape(many // places, block, COLOURS, height, blocks)
    columns = first.transpose(0, 2, 3, 4, 1).reshape(many // places, COLOURS, height, blocks * block)
    seen = np.flatnonzero(columns.any((0, 1, 2)))
    return np.ascontiguousarray(columns[..., : max([block // places, *(seen + 1)])])


def _is_constant(node: Any) -> bool:
    """Whether `_vector` can tell what a node comes to."""
    kind = node.get_type_name()
    if kind in _COMPUTED:
        return all(_is_constant(_maker(node, number)) for number in (0, 1))
    return kind == "Constant" or (kind in _AS_IT_IS and _is_constant(_maker(node, 0)))


def _vector(node: Any) -> NDArray[np.float32]:
    """What a node that constants alone reach comes to, without its shape."""
    kind = node.get_type_name()
    if kind == "Constant":
        return np.asarray(node.get_data(), np.float32).ravel()
    first = _vector(_maker(node, 0))
    return first if kind in _AS_IT_IS else np.asarray(_COMPUTED[kind](first, _vector(_maker(node, 1))), np.float32)


def _width(node: Any) -> int:
    return int(node.output(0).get_partial_shape()[3].get_length())


def _maker(node: Any, number: int) -> Any:
    return node.input(number).get_source_output().get_node()


def _back(node: Any, number: int, kinds: Sequence[str]) -> list[Any]:
    """The nodes behind an input, each the first input of the one before; empty where they are not of such ``kinds``."""
    found = []
    for kind in kinds:
        node, number = _maker(node, number), 0
        if node.get_type_name() != kind:
            return []
        found.append(node)
    return found


def _on(node: Any, kinds: Sequence[str]) -> list[Any]:
    """The nodes after a node, each the only one that computes with it; empty where they are not of such ``kinds``."""
    found = []
    for kind in kinds:
        users = [user.get_node() for user in node.output(0).get_target_inputs()]
        computing = [user for user in users if user.get_type_name() != "ShapeOf"]
        if len(computing) != 1 or computing[0].get_type_name() != kind:
            return []
        node = computing[0]
        found.append(node)
    return found
