"""A recipe: everything that decides what a training makes of its data, read from a TOML file."""

from __future__ import annotations

import collections.abc
import dataclasses
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

from aesth.errors import ConfigError
from aesth.training.damage import DAMAGES
from aesth.training.networks import SMALLEST, Architecture, Precision

_Record = TypeVar("_Record")
_Kind = TypeVar("_Kind")

_IN_WORDS = {
    int: "a whole number",
    float: "a number",
    str: "text in quotes",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}


@dataclass(frozen=True)
class LossRecipe:
    """The directional triplet loss (Eq. 2, 4, 5) and how its two sources of triplets are weighed.

    Attributes:
        margin: m of Eq. 2, between squared distances.
        direction_margin: m with a tilde of Eq. 4, between norms.
        direction_weight: of Eq. 4 against Eq. 2; 1 is Eq. 5.
        damage_weight: of triplets of a photo and its damaged copies against triplets of rated pictures.
        teacher_weight: of the squared differences from the teacher's norms against all triplets.
    """

    margin: float = 0.5
    direction_margin: float = 0.5
    direction_weight: float = 1.0
    damage_weight: float = 1.0
    teacher_weight: float = 1.0

    def __post_init__(self) -> None:
        _at_least(0, self, "margin", "direction_margin", "direction_weight", "damage_weight", "teacher_weight")


@dataclass(frozen=True)
class SamplingRecipe:
    """Which triplets are shown.

    Attributes:
        alpha: lower bound of Eq. 3.
        beta: upper bound of Eq. 3.
        damage_kinds: kinds of damage that each unrated photo is shown in, of those in `damage.DAMAGES`.
    """

    alpha: float = 0.3
    beta: float = 0.7
    damage_kinds: int = 4

    def __post_init__(self) -> None:
        _at_least(0, self, "alpha", "beta", "damage_kinds")


@dataclass(frozen=True)
class LoaderRecipe:
    """How pixels come to the network. ``workers`` and ``ahead`` change how fast, never what is trained.

    Attributes:
        views: ``rendered`` once into an array on disk, ``streamed`` from the photos in every step, or ``auto``:
            streamed where the array would take more than 20 GB.
        workers: processes that decode streamed pictures, for each process that trains; 0 for one a core.
        ahead: steps that each worker decodes ahead.
    """

    views: Literal["auto", "rendered", "streamed"] = "auto"
    workers: int = 0
    ahead: int = 2

    def __post_init__(self) -> None:
        _at_least(0, self, "workers")
        _at_least(1, self, "ahead")


@dataclass(frozen=True)
class StageRecipe:
    """One run of the training loop.

    Attributes:
        steps: of the optimiser; 0 leaves the stage out.
        rated: triplets of rated pictures in a step.
        among: rated pictures that the triplets of a step are made of, 0 for no limit: where a picture costs much and a
            triplet little, a few pictures give many triplets.
        damaged: triplets of damaged copies in a step.
        rate: learning rate at the start, 1e-3 in the paper.
        momentum: of SGD.
        weight_decay: of SGD.
        patience: steps without a new lowest error, averaged over as many, before the rate is divided by 10.
        precision: of the backbone's arithmetic; weights and loss are float32 always. Gradients in ``float16`` are
            scaled, so that small ones are not lost.
    """

    steps: int = 0
    rated: int = 32
    among: int = 0
    damaged: int = 32
    rate: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 1e-4
    patience: int = 500
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        _at_least(0, self, "steps", "rated", "among", "damaged", "rate", "momentum", "weight_decay")
        _at_least(1, self, "patience")
        if self.steps and not self.rated + self.damaged:
            raise ConfigError("a step takes triplets; set rated or damaged")
        if self.among in (1, 2):
            raise ConfigError(f"among is 0 or at least 3, since a triplet takes three pictures, not {self.among}")


@dataclass(frozen=True)
class AdaptRecipe(StageRecipe):
    """A stage in which every layer learns from damaged copies alone, once for all folds: it sees no ratings.

    Attributes:
        examples: triplets of a photo and its copies that the head is fitted to first.
    """

    rated: int = 0
    examples: int = 300

    def __post_init__(self) -> None:
        super().__post_init__()
        _at_least(1, self, "examples", "damaged")
        if self.rated:
            raise ConfigError(f"rated is 0 here, since what all folds share must see no ratings, not {self.rated}")


@dataclass(frozen=True)
class DistilRecipe:
    """A stage in which every layer learns to see what the teacher's backbones see, once for all folds.

    It sees no ratings; how is told in `distillation`.

    Attributes:
        steps: of the optimiser; 0 leaves the stage out.
        views: pictures in a step.
        sides: pixels of a side, each for an equal part of the steps, since small pictures take less time; empty for the
            size of the input.
        components: main components of what the teacher sees, which are to be told.
        rate: highest learning rate of AdamW; reached after a tenth of the steps, then falling to 0 along a cosine.
        weight_decay: of AdamW.
        precision: of the backbone's arithmetic.
    """

    steps: int = 0
    views: int = 32
    sides: tuple[int, ...] = ()
    components: int = 256
    rate: float = 1e-3
    weight_decay: float = 0.05
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        _at_least(0, self, "steps", "weight_decay")
        _at_least(1, self, "components")
        if self.views < 2:
            raise ConfigError(f"views is at least 2, so that a step has a spread, not {self.views}")
        if not 0 < self.rate < math.inf:
            raise ConfigError(f"rate is a number above 0, not {self.rate:g}")
        if small := [side for side in self.sides if side < SMALLEST]:
            raise ConfigError(f"sides are of at least {SMALLEST} pixels, not {small[0]}")

    def side_at(self, step: int) -> int:
        """Pixels of a side in ``step``, from 1; 0 for the size of the input."""
        return self.sides[(step - 1) * len(self.sides) // self.steps] if self.sides else 0


@dataclass(frozen=True)
class FitRecipe:
    """How the parts are weighed that a polar head is fitted to, see `fitting`.

    Ratings are counted in their standard deviations; so are margins.

    Attributes:
        smoothing: of the kernel ridge regression on ratings.
        sharpness: how soon what a landmark says fades with distance; unlike pictures are at about 1.4.
        ridge: weight of the squared length of the linear part.
        agreement: the same of the linear parts by which members of the head agree with their teacher.
        rated: of what the linear part says of rated pictures.
        photos: of what it says of photos as they are; with a teacher, of the difference from that.
        grey: of the difference that black and white makes.
        grey_photos: how many photos are shown in black and white.
        damage: of the pairs of a photo and its damaged copy, each kind and strength alike.
        kinds: kind of damage -> factor of its weight, 1 where it is not named.
        weak_margin: how far a weakly damaged copy should stand behind.
        strong_margin: how far a strongly damaged copy should, or the worse one of a compared pair.
    """

    smoothing: float = 0.1
    sharpness: float = 1.0
    ridge: float = 0.01
    agreement: float = 0.01
    rated: float = 1.0
    photos: float = 1.0
    grey: float = 1.0
    grey_photos: int = 800
    damage: float = 0.1
    kinds: Mapping[str, float] = field(default_factory=dict)
    weak_margin: float = 0.4
    strong_margin: float = 0.8

    def __post_init__(self) -> None:
        _at_least(0, self, "rated", "photos", "grey", "grey_photos", "damage", "weak_margin", "strong_margin")
        for name in ("smoothing", "sharpness", "ridge", "agreement"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} is a number above 0, not {getattr(self, name):g}")
        if unknown := self.kinds.keys() - DAMAGES.keys():
            raise ConfigError(f"unknown kind of damage '{min(unknown)}'; known: {', '.join(DAMAGES)}")
        for kind, factor in self.kinds.items():
            if not 0 <= factor < math.inf:
                raise ConfigError(f"kinds.{kind} is a number of at least 0, not {factor:g}")


@dataclass(frozen=True)
class Recipe:
    """How an encoder is trained.

    Attributes:
        name: of the model, such as ``base``.
        version: of the model.
        licence: of the model's weights, an SPDX name.
        seed: of everything random.
        pretrained: start from the backbone's ImageNet weights.
        compile: compile the encoder by ``torch.compile`` before every layer is trained.
        offset: distance from the origin at which the projection starts, all pictures together: near the origin a norm
            can only grow, at a distance it can move both ways.
        encoder: what the encoder is made of.
        loss: the loss.
        sampling: the triplets.
        loader: how pixels come to the network.
        teacher: name of another recipe beside this one; what its encoder says of photos is learned too.
        backbones: ``own``, or the ``teacher``'s, as it has adapted them, and its features of the same branches.
        distil: trains every layer to see what the ``teacher`` sees, before features are frozen.
        adapt: trains every layer on damaged copies, before features are frozen.
        fit: solves for a polar head on frozen, cached features; instead of a warm-up.
        warm_up: trains the projection on frozen, cached features.
        fine_tune: trains every layer.
    """

    name: str = "base"
    version: str = "1"
    licence: str = "Apache-2.0"
    seed: int = 0
    pretrained: bool = True
    compile: bool = False
    offset: float = 3.0
    encoder: Architecture = field(default_factory=Architecture)
    loss: LossRecipe = field(default_factory=LossRecipe)
    sampling: SamplingRecipe = field(default_factory=SamplingRecipe)
    loader: LoaderRecipe = field(default_factory=LoaderRecipe)
    teacher: str = ""
    backbones: Literal["own", "teacher"] = "own"
    distil: DistilRecipe = field(default_factory=DistilRecipe)
    adapt: AdaptRecipe = field(default_factory=AdaptRecipe)
    fit: FitRecipe | None = None
    warm_up: StageRecipe = field(default_factory=StageRecipe)
    fine_tune: StageRecipe = field(default_factory=StageRecipe)

    def __post_init__(self) -> None:
        _at_least(0, self, "seed", "offset")
        if self.fit and self.warm_up.steps:
            raise ConfigError("a head is fitted or warmed up, not both; leave out [fit] or the steps of [warm_up]")
        if self.teacher and not (self.fit or self.warm_up.steps or self.fine_tune.steps):
            raise ConfigError("a teacher takes somebody who learns; add [fit], [warm_up] or [fine_tune]")
        if self.backbones == "teacher" and (not self.teacher or self.adapt.steps):
            raise ConfigError("backbones of the teacher take a teacher, and are adapted by it; leave out [adapt]")
        if self.distil.steps and (not self.teacher or self.backbones == "teacher" or self.adapt.steps):
            raise ConfigError("to distil takes a teacher, and backbones of one's own that do not [adapt] too")
        if (self.fit or self.adapt.steps) and self.encoder.head != "polar":
            raise ConfigError('a head that is fitted is of the polar kind; set head = "polar" in [encoder]')
        if not self.sampling.damage_kinds:
            for stage in (self.warm_up, self.fine_tune):
                if stage.steps and not stage.rated:
                    raise ConfigError("a step of damaged copies alone takes damage_kinds in [sampling]; or set rated")
        if self.adapt.steps and not self.sampling.damage_kinds:
            raise ConfigError("to adapt takes damaged photos; set damage_kinds in [sampling], or leave out [adapt]")
        if not self.name or set(self.name) & set("/\\") or self.name.startswith("."):
            raise ConfigError(f"name becomes part of file names, which {self.name!r} cannot be")

    @property
    def adaptation(self) -> Recipe:
        """What of the recipe decides about ``adapt``, the rest by default: whatever comes later may change."""
        plain = Recipe()
        encoder = dataclasses.replace(self.encoder, rank=0, landmarks=0, landmark_layers=(), faults=False, members=())
        later = {
            name: getattr(plain, name)
            for name in ("name", "version", "licence", "compile", "distil", "warm_up", "fine_tune")
        }
        return dataclasses.replace(self, encoder=encoder, teacher="", backbones="own", fit=None, **later)


def read_recipe(path: Path) -> Recipe:
    """The recipe in a TOML file; what it leaves out has the defaults of `Recipe`.

    Raises:
        ConfigError: the file cannot be read, or has a key or a value that makes no sense.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        return recipe_from(table)
    except OSError as error:
        raise ConfigError(f"cannot read this recipe ({error.strerror})", path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"not a TOML file ({error})", path) from error
    except ConfigError as error:
        raise ConfigError(error.message, path) from error


def recipe_from(table: Mapping[str, Any]) -> Recipe:
    """The recipe that a parsed TOML file describes.

    Raises:
        ConfigError: a key is unknown, or a value has another type than its default or makes no sense.
    """
    return _record(Recipe, table, "")


def _record(kind: type[_Record], table: Mapping[str, Any], where: str) -> _Record:
    hints = get_type_hints(kind)
    unknown = table.keys() - hints.keys()
    if unknown:
        raise ConfigError(f"unknown key '{where}{min(unknown)}'; known here: {', '.join(sorted(hints))}")
    for one in dataclasses.fields(kind):  # type: ignore[arg-type]
        if one.name not in table and one.default is one.default_factory is dataclasses.MISSING:
            raise ConfigError(f"'{where}{one.name}' is missing")
    values = {key: _value(hints[key], value, f"{where}{key}") for key, value in table.items()}
    try:
        return kind(**values)
    except ConfigError as error:
        raise ConfigError(f"{where}{error.message}" if where else error.message) from error


def _value(hint: Any, value: Any, where: str) -> Any:
    """``value`` of TOML as the type ``hint`` of a field."""
    if isinstance(hint, UnionType):
        hint = next(one for one in get_args(hint) if one is not NoneType)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _record(hint, _checked(dict, value, where), f"{where}.")
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise ConfigError(f"'{where}' must be one of {', '.join(get_args(hint))}, not {value!r}")
        return value
    if get_origin(hint) is collections.abc.Mapping:
        _, kind = get_args(hint)
        return {key: _value(kind, one, f"{where}.{key}") for key, one in _checked(dict, value, where).items()}
    if get_origin(hint) is tuple:
        return _values(get_args(hint), _checked(list, value, where), where)
    if hint is float and type(value) is int:
        return float(value)
    return _checked(hint, value, where)


def _values(hints: tuple[Any, ...], values: list[Any], where: str) -> tuple[Any, ...]:
    if hints[-1] is Ellipsis:
        hints = hints[:1] * len(values)
    if len(values) != len(hints):
        raise ConfigError(f"'{where}' must be a list of {len(hints)}, not {values!r}")
    return tuple(_value(hint, value, where) for hint, value in zip(hints, values, strict=True))


def _checked(kind: type[_Kind], value: Any, where: str) -> _Kind:
    if type(value) is not kind:
        raise ConfigError(f"'{where}' must be {_IN_WORDS[kind]}, not {value!r}")
    return value


def _at_least(least: int, record: Any, *names: str) -> None:
    for name in names:
        value = getattr(record, name)
        if not least <= value < math.inf:
            raise ConfigError(f"{name} is a number of at least {least}, not {value:g}")
