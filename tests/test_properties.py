"""What an ONNX file says about itself is read as the library onnx reads it, without its network."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth import registry
from aesth.properties import read_properties


def model_with(properties: dict[str, str], network: bytes = b"") -> bytes:
    model = onnx.ModelProto(ir_version=9, producer_name="a test")
    model.graph.name = "network"
    model.graph.initializer.append(onnx.TensorProto(raw_data=network))
    onnx.helper.set_model_props(model, properties)
    return model.SerializeToString()


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=300), max_size=8), st.binary(max_size=400))
def test_texts_are_those_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, properties: dict[str, str], network: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "model.onnx"
    path.write_bytes(model_with(properties, network))
    assert read_properties(path) == properties


@pytest.mark.parametrize("model", [*registry.bundled()], ids=lambda model: model.name)
def test_bundled_models_say_what_the_library_reads(model: registry.ModelFile) -> None:
    theirs = {one.key: one.value for one in onnx.load(str(model.path)).metadata_props}
    assert read_properties(model.path) == theirs != {}


def test_the_network_is_not_read(tmp_path: Path) -> None:
    """A file of two gigabytes that is hardly there: nothing but its ends was ever written."""
    whole = model_with({"name": "large"})
    graph = onnx.ModelProto(graph=onnx.GraphProto(name="network")).SerializeToString()
    length = 1 << 31
    huge = graph[:1] + bytes([*(0x80 | (length >> 7 * place & 0x7F) for place in range(4)), length >> 28])
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.write(huge)
        file.seek(len(huge) + length)
        file.write(whole)
    assert read_properties(path) == {"name": "large"}


@pytest.mark.parametrize("cut", [1, 50, 200], ids=["at its end", "amid a text", "amid the network"])
def test_a_file_that_is_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(model_with({"name": "x" * 90}, bytes(300))[:-cut])
    with pytest.raises(ValueError, match="cut short"):
        read_properties(path)


@given(st.binary(max_size=200))
def test_nothing_else_does_harm(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "other.onnx"
    path.write_bytes(content)
    with suppress(ValueError):
        read_properties(path)
