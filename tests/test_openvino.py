"""OpenVINO in place of ONNX Runtime: the same scores, the same on every CPU, and nothing sent to anybody."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from aesth.encoder import OnnxEncoder
from aesth.errors import ConfigError, ModelError
from aesth.openvino import OpenVinoSession, load_openvino, pixels, session
from aesth.openvino.sums import adds_exactly
from aesth.providers import OPENVINO, offered_providers, resolve_providers
from aesth.registry import MODELS_FOLDER, ModelFile, find
from aesth.runtime import has_vnni
from aesth.training.first_layer import see_blocks
from support.eyes import Seeing, changed, first_colours, in_bytes, pictures, seen
from support.models import CHANNELS, SUM_STEP, int8_sum
from support.photos import landscape

# Not by importing it: it would tell its maker.
pytestmark = pytest.mark.skipif(OPENVINO not in offered_providers(), reason="the extra openvino is not installed")


def views(size: tuple[int, int], count: int = 6) -> NDArray[np.uint8]:
    return np.stack([np.asarray(landscape(seed, max(size)).resize(size[::-1])) for seed in range(count)])


@pytest.mark.parametrize("name", ["lite-int8", "base-int8"])
def test_scores_are_those_of_onnx_runtime_but_for_the_rounding_of_8_bits(name: str) -> None:
    other, ours = OnnxEncoder(find(name)), OnnxEncoder(find(name), ["openvino"])
    batch = views(ours.record.preprocess.size)
    theirs, found = other.encode(batch), ours.encode(batch)
    assert (found.shape, found.dtype) == (theirs.shape, theirs.dtype)
    cosines = (found * theirs).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosines.min() > 0.99
    norms = np.linalg.norm([found, theirs], axis=2)
    assert np.abs(norms[0] / norms[1] - 1).max() < 0.03
    assert ours.providers == [OPENVINO]


def test_what_is_float_in_a_model_stays_float32() -> None:
    other, ours = OnnxEncoder(find("lite-fp16")), OnnxEncoder(find("lite-fp16"), ["openvino"])
    batch = views(ours.record.preprocess.size, 2)
    assert ours.encode(batch) == pytest.approx(other.encode(batch), abs=1e-4)


def test_each_photo_of_a_batch_has_its_own_place_and_threads_share_it() -> None:
    encoder = OnnxEncoder(find("lite-int8"), ["openvino"], calls=2)
    batch = views(encoder.record.preprocess.size)
    together = encoder.encode(batch)
    assert len(np.unique(together, axis=0)) == len(batch)
    with ThreadPoolExecutor(4) as pool:
        alone = list(pool.map(lambda number: encoder.encode(batch[number : number + 1])[0], range(len(batch))))
    assert np.array_equal(alone, together)


def test_pixels_need_not_lie_in_order_in_memory() -> None:
    encoder = OnnxEncoder(find("lite-int8"), ["openvino"])
    batch = views(encoder.record.preprocess.size, 2)[:, :, ::-1]
    assert np.array_equal(encoder.encode(batch), encoder.encode(batch.copy()))


@pytest.mark.parametrize("told", [True, False], ids=["as this CPU is", "told of a CPU without VNNI"])
@pytest.mark.parametrize("value", [1, 128, 200, 255])
def test_sums_of_int8_products_are_not_cut_off_on_any_cpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: int, told: bool
) -> None:
    if not told:
        monkeypatch.setattr("aesth.openvino.session.adds_exactly", lambda _: False)
    path = tmp_path / "sum.onnx"
    onnx.save(int8_sum(), str(path))
    found = OpenVinoSession(path, 1).run(np.full((1, CHANNELS, 8, 8), value, np.float32))  # type: ignore[arg-type]
    assert set(found.ravel()) == {SUM_STEP * round(value * CHANNELS / SUM_STEP)}


OPTION = "LP_TRANSFORMS_MODE"


def test_a_cpu_that_cuts_sums_off_computes_in_float() -> None:
    assert OPTION not in session._options(None, 1, exact=True)
    assert session._options(None, 1, exact=False)[OPTION] == "NO"


@pytest.mark.skipif(sys.platform != "linux" or platform.machine() != "x86_64", reason="only there it is told as well")
def test_what_this_cpu_does_with_sums_is_found_as_the_system_tells_it() -> None:
    assert adds_exactly(load_openvino()) == has_vnni()


class TestBlocks:
    """Convolutions that see blocks of pixels, for ONNX Runtime's sake, see pixels again."""

    @pytest.mark.parametrize(
        ("kernel", "stride", "right"), [(3, 2, 1), (3, 1, 2), (1, 1, 0), (2, 2, 0), (3, 4, 0), (6, 4, 2), (5, 2, 3)]
    )
    def test_pixels_give_what_blocks_of_them_gave(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: int, stride: int, right: int
    ) -> None:
        before = changed(in_bytes(Seeing(kernel, stride, 0, right), tmp_path, monkeypatch), see_blocks)
        assert first_colours(before) == 12
        model = read(before)
        assert colours_seen(model) == {12}
        assert pixels.see_pixels(model, load_openvino().opset13) == 1
        assert colours_seen(model) == {3}
        assert computed(model) == pytest.approx(seen(before, pictures()), abs=1e-5)

    def test_a_model_that_sees_pixels_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        model = read(in_bytes(Seeing(3, 2, 0, 1), tmp_path, monkeypatch))
        assert pixels.see_pixels(model, load_openvino().opset13) == 0
        assert colours_seen(model) == {3}

    def test_in_lite_both_convolutions_that_see_the_picture_see_pixels(self) -> None:
        model = load_openvino().Core().read_model(str(MODELS_FOLDER / "lite-int8.onnx"))
        assert pixels.see_pixels(model, load_openvino().opset13) == 2


def read(model: onnx.ModelProto) -> Any:
    return load_openvino().Core().read_model(model.SerializeToString())


def computed(model: Any) -> NDArray[np.float32]:
    """What a model says of the pictures, in float32."""
    network = load_openvino().Core().compile_model(model, "CPU", {OPTION: "NO", "INFERENCE_PRECISION_HINT": "f32"})
    return np.asarray(network({0: pictures()})[0])


def colours_seen(model: Any) -> set[int]:
    """Of the convolutions that see the picture: how many colours it has for them."""
    lengths = [
        int(node.input(0).get_partial_shape()[1].get_length())
        for node in model.get_ordered_ops()
        if node.get_type_name() == "Convolution"
    ]
    return {length for length in lengths if length % 3 == 0}


def test_a_damaged_network_is_told_with_its_file(brightness: Path, tmp_path: Path) -> None:
    model = onnx.load(str(brightness))
    model.graph.node[0].op_type = "Nonsense"
    onnx.save(model, str(tmp_path / "broken.onnx"))
    encoder = OnnxEncoder(ModelFile("broken", tmp_path / "broken.onnx"), ["openvino"])
    with pytest.raises(ModelError, match="OpenVINO cannot load this model") as caught:
        encoder.encode(np.zeros((1, 32, 32, 3), np.uint8))
    assert caught.value.path == tmp_path / "broken.onnx"


@pytest.mark.parametrize("others", [["openvino", "cpu"], ["cpu", "openvino"], ["openvino", "cuda"]])
def test_it_is_named_alone(others: list[str]) -> None:
    with pytest.raises(ConfigError, match="name it alone"):
        resolve_providers(others)


@pytest.mark.parametrize("name", ["openvino", "OpenVINO", OPENVINO])
def test_it_may_be_named_as_others_are(name: str) -> None:
    assert resolve_providers([name]) == [OPENVINO]


@pytest.fixture
def as_a_program(tmp_path: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs lines of Python by a person whose home is empty."""

    def run(program: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "home").mkdir()
        environment = {"HOME": str(tmp_path / "home"), "PYTHONPATH": ":".join(filter(None, sys.path))}
        return subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)

    return run


SCORE = """
import socket, sys
def refuse(*_):
    raise SystemExit("the network was asked for")
socket.socket.connect = socket.getaddrinfo = refuse
import numpy as np
from aesth import Scorer
with Scorer("lite", ["openvino"]) as scorer:
    assert scorer.score_one(np.zeros((64, 64, 3), np.uint8)).error is None
assert "openvino_telemetry" not in sys.modules
import openvino_telemetry
"""


def test_nothing_is_sent_and_no_id_of_the_person_is_made(
    tmp_path: Path, as_a_program: Callable[[str], subprocess.CompletedProcess[str]]
) -> None:
    done = as_a_program(SCORE)
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "home").rglob("*")) == []


MISSING = """
import sys
sys.modules["openvino"] = None
from aesth import Scorer, ProviderError
try:
    Scorer("lite", ["openvino"])
except ProviderError as error:
    print(error)
"""


def test_where_it_is_not_installed_the_line_that_does_it_is_told(
    as_a_program: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = as_a_program(MISSING)
    assert "pip install 'aesth[openvino]'" in done.stdout, done.stderr


def test_its_own_threads_are_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "usable_cores", lambda: 8)

    def told(threads: int | None, calls: int) -> tuple[int, int]:
        options = session._options(threads, calls, exact=True)
        return options["NUM_STREAMS"], options["INFERENCE_NUM_THREADS"]

    assert [told(None, 4), told(2, 4), told(4, 1), told(3, 1)] == [(4, 8), (2, 2), (1, 4), (1, 3)]
