"""Fixtures for every test: folders of our own, a small model, the optional folder of real data."""

from __future__ import annotations

import gc
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

if "PYTEST_XDIST_WORKER" in os.environ:  # first of all: numpy and torch look at it when they are loaded
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from hypothesis import HealthCheck, settings

from support.models import brightness_model

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # for tests that import ONNX Runtime themselves

# How long an example takes says more of what else the machine does than of the code.
settings.register_profile("unhurried", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


gc.set_threshold(100_000, 50, 100)


def pytest_collection_finish() -> None:
    """Look no more for garbage among modules and tests, which stay to the end: a tenth of the time went there."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--data", type=Path, default=None, help="folder with oasis/, photos/, camera_files/, backbones/")
    parser.addoption("--need-apps", action="store_true", help="fail, not skip, where darktable or digiKam is missing")


@pytest.fixture(scope="session")
def numbered_places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder each time, without `mktemp`, which looks at all that there are before it makes one."""
    root = tmp_path_factory.mktemp("places")
    return (root / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def own_places(numbered_places: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test sees or changes the config, cache or state of the person who runs it."""
    places = next(numbered_places)
    places.mkdir()
    for kind in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"AESTH_{kind}_DIR", str(places / kind.lower()))
    return places


@pytest.fixture(scope="session")
def data(request: pytest.FixtureRequest) -> Path:
    """The folder of real data; the test is skipped where there is none."""
    folder: Path | None = request.config.getoption("--data")
    if folder is None or not folder.is_dir():
        pytest.skip("needs the folder of rated pictures and camera files: pytest --data=DIR")
    return folder


@pytest.fixture(scope="session")
def brightness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ONNX file whose score is the mean brightness of the photo in percent."""
    return brightness_model(tmp_path_factory.mktemp("models") / "brightness-fp32.onnx")
