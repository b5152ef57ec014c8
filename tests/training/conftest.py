"""One thread for torch, so that tests share the machine, and what several tests look at: a tiny data folder."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from aesth.training import run
from aesth.training.logs import draw_curves
from support.training import make_data


@pytest.fixture(scope="module", autouse=True)
def single_thread() -> Iterator[None]:
    """Sums come out the same, bit by bit, only where they are made in one order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", autouse=True)
def one_operator_library() -> Iterator[None]:
    """Torch puts its library of ONNX operators together anew for each export: a second's work, here done once."""
    registry = pytest.importorskip("torch.onnx._internal.exporter._registration").ONNXRegistry
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "from_torchlib", staticmethod(functools.cache(registry.from_torchlib)))
        yield


@pytest.fixture(scope="session", autouse=True)
def undrawn_curves() -> Iterator[None]:
    """Runs draw no curves, at which few tests look: those ask for `drawn_curves`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "draw_curves", lambda folder: None)
        yield


@pytest.fixture
def drawn_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs draw their curves, as they do."""
    monkeypatch.setattr(run, "draw_curves", draw_curves)


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rated pictures and photos of 80 x 60 pixels; nobody may change them."""
    return make_data(tmp_path_factory.mktemp("tiny"))
