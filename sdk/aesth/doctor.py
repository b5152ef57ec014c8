"""What is installed, what is missing and what to do about it: the facts behind `aesth doctor` and `aesth models`."""

from __future__ import annotations

import platform
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from types import MappingProxyType

import numpy as np

from aesth import config, places, registry
from aesth._version import __version__
from aesth.encoder import OnnxEncoder
from aesth.errors import AesthError, ModelError
from aesth.metadata import MetadataSession
from aesth.metadata.exiftool import find_program
from aesth.providers import INSTALL_PROVIDER, PROVIDERS, full_provider_name, offered_providers
from aesth.scorer import Scorer

RUNTIMES = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-directml",
    "onnxruntime-openvino",
    "onnxruntime-silicon",
    "onnxruntime-rocm",
)

PLATFORMS: Mapping[str, str] = MappingProxyType({"coreml": "darwin", "directml": "win32"})

EXTRAS: Mapping[str, str] = MappingProxyType(
    {
        "openvino": "scoring much faster on CPUs with VNNI or AMX: `--provider openvino`",
        "train": "training and exporting models: `aesth train`",
        "video": "the best spots of videos, and the best frame of a camera",
        "watch": "tagging photos as they arrive",
        "cluster": "scoring on more than one machine",
        "mysql": "digiKam's database on a server of MySQL or MariaDB",
        "test": "running the tests",
        "bench": "running the benchmarks",
        "docs": "building the documentation as a site",
        "dev": "linting and type checking",
    }
)


class Status(Enum):
    """Of one finding: ``MISSING`` is needed, ``ABSENT`` is optional."""

    OK = "ok"
    WARNING = "warning"
    ABSENT = "absent"
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One line of a diagnosis.

    Attributes:
        section: what it belongs to.
        name: what was looked at.
        status: whether it is as it should be.
        value: what was found.
        advice: what to do; empty if nothing.
    """

    section: str
    name: str
    status: Status
    value: str
    advice: str = ""


@dataclass(frozen=True)
class ModelFacts:
    """A bundled model.

    Attributes:
        name: ``NAME-PRECISION``.
        path: of the file.
        size: in bytes.
        licence: SPDX name, or what is wrong with the file.
        checksum: SHA-256 in hexadecimal.
        default: whether it is the one that is used unless another is asked for.
    """

    name: str
    path: str
    size: int
    licence: str
    checksum: str
    default: bool


def diagnose(model: str = "default", providers: Sequence[str] = ()) -> Iterator[Finding]:
    """Look at everything that a run needs, and try the model on a picture made for it.

    Raises:
        ConfigError: there is no model or provider of that name.
    """
    asked = {full_provider_name(name) for name in providers}
    with suppress(ModelError):  # a missing model is a finding
        registry.find(model)
    yield from _versions()
    yield _exiftool()
    yield from _providers(asked)
    yield _runtimes()
    yield from _model(model, providers)
    yield from _extras()
    yield from _places()


def bundled_models() -> Iterator[ModelFacts]:
    """The models inside this package."""
    for model in registry.bundled():
        default = model.name == registry.DEFAULT_MODEL
        yield ModelFacts(model.name, str(model.path), model.size, _licence(model), model.checksum, default)


def _versions() -> Iterator[Finding]:
    yield Finding("versions", "aesth", Status.OK, __version__)
    yield Finding("versions", "Python", Status.OK, f"{platform.python_version()} on {platform.platform(terse=True)}")
    for package in _requirements().get("", ()):
        builds = RUNTIMES if package == "onnxruntime" else (package,)
        version = ", ".join(f"{_version(build)}{_suffix(build, package)}" for build in builds if _version(build))
        advice = "" if version else f"{sys.executable} -m pip install {package}"
        yield Finding("versions", package, Status.OK if version else Status.MISSING, version or "not installed", advice)


def _exiftool() -> Finding:
    try:
        with MetadataSession() as session:
            return Finding("programs", "ExifTool", Status.OK, f"{session.version} at {find_program(None)}")
    except AesthError as error:
        return Finding("programs", "ExifTool", Status.MISSING, "does not work", error.message)


def _providers(asked: Set[str]) -> Iterator[Finding]:
    try:
        offered = offered_providers()
    except (ImportError, AttributeError) as error:
        # AttributeError: what is left of two builds after one of them was removed.
        advice = "pip install --force-reinstall --no-deps onnxruntime"
        yield Finding("providers", "ONNX Runtime", Status.MISSING, f"does not load ({error})", advice)
        return
    for name, full_name in PROVIDERS.items():
        if full_name in offered:
            yield Finding("providers", name, Status.OK, full_name)
        elif full_name in asked or PLATFORMS.get(name, sys.platform) == sys.platform:
            status = Status.MISSING if full_name in asked else Status.ABSENT
            yield Finding("providers", name, status, "not offered here", INSTALL_PROVIDER.get(name, ""))


def _runtimes() -> Finding:
    installed = [name for name in RUNTIMES if _version(name)]
    if len(installed) < 2:
        return Finding("providers", "builds", Status.OK, ", ".join(installed) or "onnxruntime (another build)")
    best = next(name for name in reversed(installed) if name != "onnxruntime")
    advice = f"keep one: pip uninstall -y {' '.join(installed)} && pip install {best}"
    return Finding("providers", "builds", Status.WARNING, f"{' and '.join(installed)} overwrite each other", advice)


def _model(name: str, providers: Sequence[str]) -> Iterator[Finding]:
    try:
        model = registry.find(name)
        yield Finding("model", "name", Status.OK, model.name)
        yield Finding("model", "file", Status.OK, f"{model.path} ({model.size / 1e6:.1f} MB)")
        yield Finding("model", "SHA-256", Status.OK, model.checksum)
        with Scorer(str(name), providers or None, jobs=1) as scorer:
            yield Finding("model", "licence", Status.OK, scorer.encoder.record.licence)
            yield _trial(scorer)
    except (AesthError, ImportError, AttributeError) as error:
        advice = "reinstall aesth, or give an ONNX file with --model" if name == "default" else "see `aesth models`"
        yield Finding("model", name, Status.MISSING, str(error), advice)


def _trial(scorer: Scorer) -> Finding:
    scorer.score_one(_test_picture())
    start = time.perf_counter()
    scored = scorer.score_one(_test_picture())
    took = 1000 * (time.perf_counter() - start)
    if scored.error is not None or scored.score is None:
        return Finding("model", "trial", Status.MISSING, f"a test picture failed: {scored.error}", "reinstall aesth")
    return Finding("model", "trial", Status.OK, f"a test picture scores {scored.score:.2f}, in {took:.0f} ms")


def _test_picture() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A sky above a field, 480 x 640."""
    row, column = np.mgrid[0:480, 0:640]
    ripple = 20 * np.sin(column / 25) * (row > 280)
    sky = np.stack([90 + row / 4, 140 + row / 4, 220 - row / 8], -1)
    field = np.stack([60 + ripple, 120 + ripple, 40 + row / 16], -1)
    return np.where(row[..., None] > 280, field, sky).clip(0, 255).astype(np.uint8)


def _extras() -> Iterator[Finding]:
    needed = _requirements()
    for extra, gives in EXTRAS.items():
        missing = [package for package in needed.get(extra, ()) if _version(package) is None]
        advice = f"pip install 'aesth[{extra}]'" if missing else ""
        yield Finding("extras", extra, Status.ABSENT if missing else Status.OK, gives, advice)


def _requirements() -> dict[str, list[str]]:
    """Extra -> the packages that it installs; an empty name for those that are always needed."""
    found: dict[str, list[str]] = {}
    try:
        requirements = metadata.requires("aesth") or []
    except metadata.PackageNotFoundError:
        return {}
    for requirement in requirements:
        package = re.match(r"[\w.-]+", requirement)
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", requirement)
        if package:
            found.setdefault(extra[1] if extra else "", []).append(package[0])
    return found


def _places() -> Iterator[Finding]:
    path = config.config_file()
    yield _config(path.is_file())
    yield Finding("places", "cache", Status.OK, str(places.cache_folder()))
    yield Finding("places", "state", Status.OK, str(places.state_folder()))


def _config(exists: bool) -> Finding:
    path = config.config_file()
    try:
        config.load(path)
    except AesthError as error:
        return Finding("places", "config", Status.WARNING, str(error), "correct the file, or move it away")
    return Finding("places", "config", Status.OK, f"{path}{'' if exists else ' (none yet)'}")


def _licence(model: registry.ModelFile) -> str:
    try:
        return OnnxEncoder(model).record.licence
    except AesthError as error:
        return error.message


def _suffix(build: str, package: str) -> str:
    return "" if build == package else f" ({build})"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
