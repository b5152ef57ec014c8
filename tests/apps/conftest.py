"""What the tests of real programs share: a screen, photos that aesth rated, and models that rate more."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aesth import Scorer
from aesth.metadata import MetadataSession
from support.desktop import NEEDED, Desktop, desktop, need
from support.models import brightness_model
from support.rated import Rated, make_rated


@pytest.fixture(scope="session")
def screen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desktop]:
    need(request.config, *NEEDED)
    with desktop(tmp_path_factory.mktemp("screen")) as made:
        yield made


@pytest.fixture(scope="session")
def rated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rated:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AESTH_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        return make_rated(tmp_path_factory.mktemp("rated"), request.config.getoption("--data"))


@pytest.fixture
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as opened:
        yield opened


@pytest.fixture(scope="session")
def scorers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scorer, Scorer]]:
    """Two models, so that a run by one renews the stars that the other gave."""
    folder = tmp_path_factory.mktemp("models")
    files = [brightness_model(folder / f"{name}-fp32.onnx", name=name) for name in ("first", "second")]
    with Scorer(str(files[0])) as first, Scorer(str(files[1])) as second:
        yield first, second
