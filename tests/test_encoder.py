"""ONNX files as encoders: what they give, what they say about themselves, and which are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import pytest

from aesth.encoder import DIMENSIONS, OnnxEncoder, _refuse_fallback, threads_of_a_call
from aesth.errors import ConfigError, ModelError, ProviderError
from aesth.preprocess import Preprocess
from aesth.providers import PROVIDERS, offered_providers, resolve_providers
from aesth.registry import ModelFile, find
from aesth.runtime import load_runtime
from support.models import SIDE


@pytest.fixture(scope="module")
def encoder(brightness: Path) -> OnnxEncoder:
    return OnnxEncoder(find(str(brightness)))


def batch_of(*values: int) -> np.ndarray:
    return np.stack([np.full((SIDE, SIDE, 3), value, np.uint8) for value in values])


def altered(brightness: Path, path: Path, **metadata: str | None) -> ModelFile:
    """The model with other metadata; None takes a key out."""
    model = onnx.load(str(brightness))
    stored = {entry.key: entry.value for entry in model.metadata_props}
    stored |= {f"aesth.{key}": value for key, value in metadata.items()}
    del model.metadata_props[:]
    onnx.helper.set_model_props(model, {key: value for key, value in stored.items() if value is not None})
    onnx.save(model, str(path))
    return ModelFile(path.stem, path)


def test_a_batch_gives_one_embedding_each(encoder: OnnxEncoder) -> None:
    embeddings = encoder.encode(batch_of(0, 100, 255))
    assert (embeddings.shape, embeddings.dtype) == ((3, DIMENSIONS), np.float32)
    assert np.linalg.norm(embeddings, axis=1) == pytest.approx([0, 100, 255])


def test_an_empty_batch_gives_no_embedding(encoder: OnnxEncoder) -> None:
    assert encoder.encode(np.empty((0, SIDE, SIDE, 3), np.uint8)).shape == (0, DIMENSIONS)


def test_pixels_need_not_lie_in_order_in_memory(encoder: OnnxEncoder) -> None:
    batch = np.random.default_rng(0).integers(0, 256, (2, SIDE, SIDE, 3), np.uint8)
    assert np.array_equal(encoder.encode(batch[:, :, ::-1]), encoder.encode(batch[:, :, ::-1].copy()))


def test_threads_share_it(encoder: OnnxEncoder) -> None:
    with ThreadPoolExecutor(8) as pool:
        norms = pool.map(lambda value: float(np.linalg.norm(encoder.encode(batch_of(value)))), range(100))
    assert list(norms) == pytest.approx(range(100), abs=1e-3)


def test_it_tells_what_the_file_says_about_itself(encoder: OnnxEncoder) -> None:
    record = encoder.record
    assert (record.name, record.version, record.licence, record.training) == ("brightness", "1", "CC0-1.0", {})
    assert record.preprocess == Preprocess((SIDE, SIDE), resample="bilinear")
    assert record.scale.score(255.0) == 100


@pytest.mark.parametrize("key", ["name", "version", "licence", "preprocess", "scale", "training"])
def test_a_model_that_does_not_say_what_is_needed_is_refused(brightness: Path, tmp_path: Path, key: str) -> None:
    with pytest.raises(ModelError, match="not a model exported by aesth"):
        OnnxEncoder(altered(brightness, tmp_path / "other.onnx", **{key: None}))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "7", "{}", '{"size": [9, 9], "resize": "crop", "resample": "bicubic"}']
)
def test_a_model_with_a_preprocessing_that_is_unknown_is_refused(brightness: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelError):
        OnnxEncoder(altered(brightness, tmp_path / "other.onnx", preprocess=text))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_damaged_file_is_refused_in_one_line(brightness: Path, tmp_path: Path, share: float) -> None:
    whole = brightness.read_bytes()
    path = tmp_path / "damaged.onnx"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError) as caught:
        OnnxEncoder(ModelFile("damaged", path))
    assert caught.value.path == path
    assert len(str(caught.value).splitlines()) == 1


def test_a_network_that_is_damaged_in_a_file_that_looks_whole_is_refused_by_who_needs_it(
    brightness: Path, tmp_path: Path
) -> None:
    path = tmp_path / "damaged.onnx"
    path.write_bytes(brightness.read_bytes().replace(b"ReduceMean", b"ReduceTree"))
    encoder = OnnxEncoder(ModelFile("damaged", path))
    for _ in range(2):
        with pytest.raises(ModelError, match="ONNX Runtime cannot load this model") as caught:
            encoder.encode(batch_of(1))
        assert caught.value.path == path


def test_the_network_is_loaded_when_it_is_needed(brightness: Path) -> None:
    encoder = OnnxEncoder(find(str(brightness)))
    assert (encoder.record.name, encoder.providers) == ("brightness", ["CPUExecutionProvider"])
    encoder.encode(np.empty((0, SIDE, SIDE, 3), np.uint8))
    assert not encoder.is_loading
    encoder.encode(batch_of(1))
    assert encoder.is_loading


def test_the_cpu_is_taken_unless_told_otherwise(encoder: OnnxEncoder) -> None:
    assert encoder.providers == ["CPUExecutionProvider"]
    assert resolve_providers(None) == resolve_providers(["cpu"]) == resolve_providers(["CPU"])


def test_a_provider_that_is_missing_is_an_error_that_tells_the_cure(brightness: Path) -> None:
    missing = [name for name, full in PROVIDERS.items() if full not in offered_providers()]
    assert missing
    for name in missing:
        with pytest.raises(ProviderError, match="not available here"):
            OnnxEncoder(find(str(brightness)), [name, "cpu"])


def test_a_provider_that_is_offered_but_does_not_start_is_an_error() -> None:
    """ONNX Runtime goes on with the CPU then, as where CUDA's libraries are missing."""
    with pytest.raises(ProviderError, match="CUDAExecutionProvider could not be started"):
        _refuse_fallback([PROVIDERS["cuda"], PROVIDERS["cpu"]], [PROVIDERS["cpu"]])
    _refuse_fallback([PROVIDERS["cpu"]], [PROVIDERS["cpu"]])


def test_cuda_tells_the_line_that_installs_it() -> None:
    if "CUDAExecutionProvider" in load_runtime().get_available_providers():
        pytest.skip("CUDA is offered here")
    with pytest.raises(ProviderError, match="pip install onnxruntime-gpu"):
        resolve_providers(["cuda"])


def test_an_unknown_provider_is_told_with_those_that_are_known() -> None:
    with pytest.raises(ConfigError, match="unknown provider 'abacus'; known: cpu"):
        resolve_providers(["abacus"])


def test_the_number_of_threads_does_not_change_the_result(brightness: Path, encoder: OnnxEncoder) -> None:
    single = OnnxEncoder(find(str(brightness)), threads=1)
    batch = np.random.default_rng(0).integers(0, 256, (4, SIDE, SIDE, 3), np.uint8)
    assert single.encode(batch) == pytest.approx(encoder.encode(batch))


@pytest.mark.parametrize(("threads", "calls", "inside"), [(None, 1, None), (4, 1, 4), (4, 4, 1), (7, 3, 2), (1, 3, 1)])
def test_calls_share_the_threads(threads: int | None, calls: int, inside: int | None) -> None:
    assert threads_of_a_call(threads, calls) == inside
