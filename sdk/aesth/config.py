"""Settings of the command line: defaults, overridden by a TOML file, overridden by flags."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from aesth import places
from aesth.errors import ConfigError
from aesth.metadata.policy import Policy
from aesth.metadata.ratings import Colour
from aesth.metadata.sidecars import SidecarStyle
from aesth.replacing import replace_file

if TYPE_CHECKING:
    from aesth.scale import CutPoints

FILE_NAME = "config.toml"

_Choice = TypeVar("_Choice", bound=Enum)


class Format(Enum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"
    TSV = "tsv"


@dataclass(frozen=True)
class Settings:
    """What a run goes by. Each field is a key of the config file.

    Attributes:
        model: name of a model, or path of an ONNX file.
        provider: execution providers, best first; empty takes the CPU.
        threads: of the network; None takes every core.
        jobs: photos decoded at a time; None takes every core.
        taste: file of a person's taste, of `aesth learn`; empty scores by the taste of all.
        format: how results are printed.
        quiet: neither progress nor summary.
        include: globs; only photos that match one are found in folders.
        exclude: globs; photos and folders that match one are passed over.
        recursive: go into the folders of folders.
        policy: whose rating wins.
        sidecar: write sidecars only.
        touch: let the modification time of photos tell that they were written.
        relative: stars by rank within the run.
        rescore: renew our ratings of an older model.
        reject_below: photos of a lower score are rejected; None rejects none.
        sidecar_style: how new sidecars are called.
        label: a colour label for photos that get stars; None gives none.
        keyword: write a hierarchical keyword with the stars.
        pick: write digiKam's pick label with the stars.
        cut_points: scores at which a photo gets 2, 3, 4 and 5 stars; None takes those of `aesth.scale`.
        max_pixels: photos of more pixels are refused; None takes the limit of `aesth.decode`.
        previews: score photos by previews that cameras store in them, where these show the same.
        cache: remember scores, and take those that are remembered.
    """

    model: str = "default"
    provider: tuple[str, ...] = ()
    threads: int | None = None
    jobs: int | None = None
    taste: str = ""
    format: Format = Format.TABLE
    quiet: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    recursive: bool = True
    policy: Policy = Policy.OURS
    sidecar: bool = False
    touch: bool = False
    relative: bool = False
    rescore: bool = False
    reject_below: float | None = None
    sidecar_style: SidecarStyle = SidecarStyle.DARKTABLE
    label: Colour | None = None
    keyword: bool = False
    pick: bool = False
    cut_points: CutPoints | None = None
    max_pixels: int | None = None
    previews: bool = True
    cache: bool = True

    def override(self, flags: Mapping[str, object]) -> Settings:
        """These settings with those of ``flags`` that were given, that is, are not None."""
        known = {field.name for field in fields(self)}
        given: dict[str, Any] = {name: flag for name, flag in flags.items() if name in known and flag is not None}
        return replace(self, **given)


def config_file() -> Path:
    """Where the config file lies, whether there is one or not."""
    return places.config_folder() / FILE_NAME


def load(path: Path) -> Settings:
    """The settings in a config file; the defaults if there is no such file.

    Raises:
        ConfigError: the file is no TOML, or a key or value makes no sense.
    """
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise ConfigError(f"cannot be read ({error.strerror}); make it readable or move it away", path) from error
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8; save it as UTF-8 text", path) from error
    except ConfigError as error:
        raise ConfigError(error.message, path) from error


def parse(text: str) -> Settings:
    """The settings in the text of a config file.

    Raises:
        ConfigError: the text is no TOML, or a key or value makes no sense.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"is not valid TOML: {error}") from error
    values: dict[str, Any] = {key: _parse_value(key, value) for key, value in table.items()}
    return Settings(**values)


def dump(settings: Settings) -> str:
    """The text of a config file: what differs from the defaults, and the defaults as comments.

    Raises:
        ConfigError: a value is no Unicode text, which TOML cannot hold.
    """
    defaults = Settings()
    examples = _default_texts(defaults)
    lines = ["# Settings of aesth; flags override them. A line that starts with # is a default."]
    for field in fields(settings):
        value = getattr(settings, field.name)
        changed = value != getattr(defaults, field.name)
        lines.append(f"{'' if changed else '# '}{field.name} = {_toml(value) if changed else examples[field.name]}")
    text = "\n".join(lines) + "\n"
    if not _is_unicode(text):
        raise ConfigError("a setting holds bytes that are no UTF-8, which a config file cannot hold; rename that file")
    return text


def save(settings: Settings, path: Path) -> None:
    """Write ``settings`` to a config file, whole or not at all. Paths of a model and of a taste are made absolute.

    Raises:
        ConfigError: the file cannot be written.
    """
    if settings.model.lower().endswith(".onnx"):
        settings = replace(settings, model=_absolute(settings.model))
    if settings.taste:
        settings = replace(settings, taste=_absolute(settings.taste))
    text = dump(settings)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
    except OSError as error:
        raise ConfigError(f"cannot be written ({error.strerror}); check the folder's permissions", path) from error


def _absolute(path: str) -> str:
    return os.path.abspath(Path(path).expanduser())  # noqa: PTH100


def _parse_value(key: str, value: object) -> object:
    if key not in _PARSERS:
        close = get_close_matches(key, _PARSERS, 1)
        hint = f"did you mean '{close[0]}'?" if close else f"known: {', '.join(_PARSERS)}"
        raise ConfigError(f"unknown key '{key}'; {hint}")
    try:
        return _PARSERS[key](value)
    except ValueError as error:
        raise ConfigError(f"'{key}' must be {error}, not {value!r}") from error


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("text in quotes")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('a list of texts, such as ["*.jpg"]')
    return tuple(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a whole number of at least 1")
    return value


def _score(value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 100:
        raise ValueError("a number from 0 to 100")
    return float(value)


def _choice(kind: type[_Choice]) -> Callable[[object], _Choice]:
    def parse_choice(value: object) -> _Choice:
        for choice in kind:
            if choice.value == value:
                return choice
        raise ValueError("one of " + ", ".join(repr(choice.value) for choice in kind))

    return parse_choice


def _cut_points(value: object) -> CutPoints:
    if isinstance(value, list) and len(value) == 4 and all(type(point) in (int, float) for point in value):
        low, fair, good, best = (float(point) for point in value)
        if 0 <= low < fair < good < best <= 100:
            return low, fair, good, best
    raise ValueError("four increasing numbers from 0 to 100")


_PARSERS: Mapping[str, Callable[[object], object]] = {
    "model": _text,
    "provider": _texts,
    "threads": _count,
    "jobs": _count,
    "taste": _text,
    "format": _choice(Format),
    "quiet": _flag,
    "include": _texts,
    "exclude": _texts,
    "recursive": _flag,
    "policy": _choice(Policy),
    "sidecar": _flag,
    "touch": _flag,
    "relative": _flag,
    "rescore": _flag,
    "reject_below": _score,
    "sidecar_style": _choice(SidecarStyle),
    "label": _choice(Colour),
    "keyword": _flag,
    "pick": _flag,
    "cut_points": _cut_points,
    "max_pixels": _count,
    "previews": _flag,
    "cache": _flag,
}


def _default_texts(defaults: Settings) -> dict[str, str]:
    """How each default is shown; those that are None stand for a value that is known elsewhere."""
    # Here, since a run that saves nothing should not wait for numpy.
    from aesth.decode import DEFAULT_MAX_PIXELS
    from aesth.scale import DEFAULT_CUT_POINTS

    shown = replace(defaults, cut_points=DEFAULT_CUT_POINTS, max_pixels=DEFAULT_MAX_PIXELS)
    texts = {field.name: _toml(getattr(shown, field.name)) for field in fields(shown)}
    return texts | {
        "threads": "4  # without it, every core",
        "jobs": "4  # without it, every core",
        "taste": '"/home/me/taste.json"  # without it, that of all',
        "reject_below": "3.0  # without it, none",
        "label": '"green"  # without it, none',
    }


def _toml(value: object) -> str:
    if isinstance(value, Enum):
        value = value.value
    # JSON's texts, numbers, booleans and lists are TOML's, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
