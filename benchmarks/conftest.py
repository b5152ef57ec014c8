"""What every benchmark may ask for: how long it may take, photos, an encoder, folders that are no person's."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from aesth import registry
from aesth.cores import usable_cores
from aesth.discover import find_photos
from aesth.encoder import OnnxEncoder
from measuring.camera import camera_photos, phone_photo
from measuring.copies import Copies, MakeCopies
from measuring.encoders import FindEncoder, is_offered

MADE = Path(__file__).parents[1] / "bench-photos"
MOST_OF_YOURS, MOST_COPIES, FEWEST_COPIES = 48, 12, 8


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("aesth")
    group.addoption("--photos", type=Path, default=None, help="measure over copies of photos of this folder")
    group.addoption("--seconds", type=float, default=2.0, help="about how long a benchmark may take")
    group.addoption("--quick", action="store_true", help="small photos, and few rounds; the figures say nothing")


@pytest.fixture(autouse=True)
def own_places(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No benchmark sees or changes the config, cache or journal of the person who runs it."""
    places = tmp_path_factory.mktemp("places")
    for kind in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"AESTH_{kind}_DIR", str(places / kind.lower()))


@pytest.fixture(scope="session")
def quick(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--quick"))


@pytest.fixture(scope="session")
def seconds(request: pytest.FixtureRequest, quick: bool) -> float:
    """About how long a benchmark may take."""
    return 0.0 if quick else float(request.config.getoption("--seconds"))


@pytest.fixture(scope="session")
def yours(request: pytest.FixtureRequest) -> list[Path]:
    """Photos of the person who runs this, evenly chosen from their folder; none where no folder was named."""
    folder: Path | None = request.config.getoption("--photos")
    if folder is None:
        return []
    photos = list(find_photos([folder.expanduser()]))
    if not photos:
        pytest.exit(f"there are no photos in {folder}", returncode=2)
    return photos[:: -(-len(photos) // MOST_OF_YOURS)]


@pytest.fixture(scope="session")
def photos_of(quick: bool, yours: list[Path]) -> Callable[[str], list[Path]]:
    """Photos by kind: ``24 MP`` and ``45 MP`` JPEGs of cameras, a ``12 MP HEIC`` of a phone, or ``yours``."""

    def photos(kind: str) -> list[Path]:
        if kind == "yours":
            return yours or pytest.skip("no folder was named: make bench PHOTOS=DIR")
        if yours:
            pytest.skip("your photos are measured instead")
        if kind == "12 MP HEIC":
            MADE.mkdir(exist_ok=True)
            return [phone_photo(MADE / "12mp-0.heic", 0)]
        megapixels = int(kind.split()[0])
        return camera_photos(MADE, 1 if quick else megapixels, 2 if quick or megapixels > 24 else 4)

    return photos


@pytest.fixture(scope="session")
def encoder() -> FindEncoder:
    """Encoders by name and provider, each opened once, on all cores."""
    return _encoders(1)


@pytest.fixture(scope="session")
def sharing_encoder() -> FindEncoder:
    """The same, but as a `Scorer` opens them: on all cores, with a call of its own for each."""
    return _encoders(usable_cores())


def _encoders(calls: int) -> FindEncoder:
    @cache
    def opened(name: str, provider: str) -> OnnxEncoder:
        if not is_offered(provider):
            pytest.skip(f"the provider '{provider}' is not installed")
        return OnnxEncoder(registry.find(name), [provider], calls=calls)

    return lambda name, provider="cpu": opened(name, provider)


@pytest.fixture
def copies(tmp_path: Path) -> Iterator[MakeCopies]:
    """Makes copies of photos in a folder of their own, which is removed in the end: photos are large."""
    made: list[Path] = []

    def make(originals: list[Path], least: int = FEWEST_COPIES) -> Copies:
        made.append(tmp_path / f"copies-{len(made)}")
        return Copies(originals[:MOST_COPIES], made[-1], least)

    yield make
    for folder in made:
        shutil.rmtree(folder)
