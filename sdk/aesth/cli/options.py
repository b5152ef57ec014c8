"""The options that commands share: declared once, as fields of dataclasses."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from aesth import config
from aesth.config import Format, Settings
from aesth.errors import ConfigError
from aesth.metadata.policy import Policy
from aesth.metadata.ratings import Colour
from aesth.metadata.sidecars import SidecarStyle

if TYPE_CHECKING:
    from aesth.cli.running import Photos

_SCORING, _PHOTOS, _OUTPUT, _WRITING = "Scoring", "Which photos", "Output and settings", "Writing"

Paths = Annotated[
    list[Path] | None, typer.Argument(metavar="PATH...", help="Photos, and folders of photos.", show_default=False)
]


class ReportFormat(Enum):
    """How facts are printed that are no outcomes of photos."""

    TABLE = "table"
    JSON = "json"


def option(*names: str, panel: str, help: str, **more: Any) -> Any:  # noqa: A002 - typer's word
    """An option in the part ``panel`` of the help, whose default the text tells if it matters."""
    return typer.Option(*names, help=help, rich_help_panel=panel, show_default=False, **more)


def parse_date(text: str) -> datetime:
    """The moment that a person writes as a date, with or without a time.

    Raises:
        typer.BadParameter: it is no date.
    """
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"'{text}' is no date; write it as 2026-05-31 or 2026-05-31T18:00") from error


Model = Annotated[
    str | None,
    option(
        "--model",
        panel=_SCORING,
        metavar="NAME|FILE",
        help="A model of `aesth models`, or an ONNX file; `base` means `base-int8`.",
    ),
]
Provider = Annotated[
    list[str] | None,
    option(
        "--provider",
        panel=_SCORING,
        metavar="NAME",
        help="Where to compute: cpu, openvino, cuda, coreml, ... Repeat to rank them.",
    ),
]


Touch = Annotated[
    bool | None,
    option(
        "--touch/--no-touch",
        panel=_WRITING,
        help="Let the modification time of photos tell that they were written; it is kept otherwise.",
    ),
]
PolicyChoice = Annotated[
    Policy | None,
    option(
        "--policy",
        panel=_WRITING,
        help="Which may change. unrated; ours: those and what we rated (default); raise: never to fewer stars;"
        " overwrite: all.",
    ),
]
SidecarsOnly = Annotated[
    bool | None,
    option("--sidecar/--no-sidecar", panel=_WRITING, help="Write XMP sidecars, never into the photos."),
]
Style = Annotated[
    SidecarStyle | None,
    option(
        "--sidecar-style",
        panel=_WRITING,
        help="How new sidecars are called. darktable: IMG.CR2.xmp (default); adobe: IMG.xmp.",
    ),
]
DryRun = Annotated[bool, option("--dry-run", "-n", panel=_WRITING, help="Write nothing; show what would be.")]


@dataclass(frozen=True)
class TouchFlags:
    """What times tell."""

    touch: Touch = None


@dataclass(frozen=True)
class ComputeFlags:
    """What computes embeddings."""

    model: Model = None
    provider: Provider = None
    threads: Annotated[
        int | None, option("--threads", panel=_SCORING, min=1, help="Threads of the network. Default: every core.")
    ] = None
    jobs: Annotated[
        int | None, option("--jobs", panel=_SCORING, min=1, help="Photos decoded at a time. Default: every core.")
    ] = None
    previews: Annotated[
        bool | None,
        option(
            "--previews/--no-previews",
            panel=_SCORING,
            help="Score JPEG, HEIF, AVIF and RAW by a smaller preview in them, where it shows the same (default).",
        ),
    ] = None


@dataclass(frozen=True)
class EngineFlags(ComputeFlags):
    """What computes scores."""

    taste: Annotated[
        str | None,
        option(
            "--taste",
            panel=_SCORING,
            metavar="FILE",
            help="Score by your taste, a file of `aesth learn`; '' by that of all, whatever the config file says.",
        ),
    ] = None


@dataclass(frozen=True)
class RememberingFlags(EngineFlags):
    """What computes scores, and whether they are remembered."""

    cache: Annotated[
        bool | None,
        option(
            "--cache/--no-cache",
            panel=_SCORING,
            help="Remember scores and what else was seen in photos, and take what is remembered (default).",
        ),
    ] = None


@dataclass(frozen=True)
class ScoringFlags(RememberingFlags):
    """How photos are scored."""

    relative: Annotated[
        bool | None,
        option("--relative/--no-relative", panel=_SCORING, help="Stars by rank among the photos of this run."),
    ] = None


@dataclass(frozen=True)
class FolderFlags:
    """Which photos of folders a run is about."""

    include: Annotated[
        list[str] | None,
        option("--include", panel=_PHOTOS, metavar="GLOB", help="In folders, only photos that match. Repeatable."),
    ] = None
    exclude: Annotated[
        list[str] | None,
        option("--exclude", panel=_PHOTOS, metavar="GLOB", help="Pass over photos and folders that match. Repeatable."),
    ] = None
    recursive: Annotated[
        bool | None, option("--recursive/--no-recursive", panel=_PHOTOS, help="Go into the folders of folders.")
    ] = None
    since: Annotated[
        datetime | None,
        option(
            "--since", panel=_PHOTOS, metavar="DATE", parser=parse_date, help="In folders, only photos modified since."
        ),
    ] = None


@dataclass(frozen=True)
class PhotoFlags(FolderFlags):
    """Which photos a run is about."""

    files_from: Annotated[
        str | None,
        option("--files-from", panel=_PHOTOS, metavar="FILE|-", help="Read paths from a file or standard input."),
    ] = None
    null: Annotated[
        bool, option("--null", "-0", panel=_PHOTOS, help="Paths of --files-from end with NUL, as of `find -print0`.")
    ] = False


@dataclass(frozen=True)
class OutputFlags:
    """How results are told, and whether the settings are kept."""

    format: Annotated[
        Format | None, option("--format", panel=_OUTPUT, help="How results are printed. Default: table.")
    ] = None
    quiet: Annotated[
        bool | None, option("--quiet/--no-quiet", "-q", panel=_OUTPUT, help="Neither progress nor summary.")
    ] = None
    save_config: Annotated[
        bool, option("--save-config", panel=_OUTPUT, help="Keep these settings for later runs, in the config file.")
    ] = False


@dataclass(frozen=True)
class WritingFlags:
    """What may be written, and where."""

    policy: PolicyChoice = None
    overwrite: Annotated[bool, option("--overwrite", panel=_WRITING, help="Same as --policy overwrite.")] = False
    rescore: Annotated[
        bool | None,
        option("--rescore/--no-rescore", panel=_WRITING, help="Renew our ratings that another model gave."),
    ] = None
    sidecar: SidecarsOnly = None
    touch: Touch = None
    sidecar_style: Style = None
    reject_below: Annotated[
        float | None,
        option("--reject-below", panel=_WRITING, metavar="SCORE", min=0, max=100, help="Reject photos of less."),
    ] = None
    label: Annotated[
        Colour | None, option("--label", panel=_WRITING, help="Also a colour label, where there is none.")
    ] = None
    keyword: Annotated[
        bool | None,
        option("--keyword/--no-keyword", panel=_WRITING, help="Also a hierarchical keyword, such as aesth|4 stars."),
    ] = None
    pick: Annotated[
        bool | None,
        option(
            "--pick/--no-pick",
            panel=_WRITING,
            help="Also digiKam's pick label, where there is none: accepted for 4 and 5 stars, pending for fewer.",
        ),
    ] = None
    dry_run: DryRun = False


@dataclass(frozen=True)
class PickFlags:
    """What may be written into the photos of bursts, and where."""

    accept: Annotated[
        bool,
        option("--pick", panel=_WRITING, help="Give the best of each burst digiKam's pick label, where it has none."),
    ] = False
    reject_rest: Annotated[
        bool,
        option(
            "--reject-rest",
            panel=_WRITING,
            help="Reject the others of each burst, where --policy lets their rating change.",
        ),
    ] = False
    policy: PolicyChoice = None
    sidecar: SidecarsOnly = None
    touch: Touch = None
    sidecar_style: Style = None
    dry_run: DryRun = False

    @property
    def writes(self) -> bool:
        """Whether anything is to be written, or in a dry run would be."""
        return self.accept or self.reject_rest


def settle(*groups: object, save: bool = False) -> Settings:
    """The settings of a run: defaults, then the config file, then the flags in ``groups``; kept with ``save``.

    Raises:
        ConfigError: the config file or a combination of flags makes no sense, or the file cannot be written.
    """
    flags: dict[str, Any] = {}
    for group in groups:
        flags |= {name: tuple(flag) if isinstance(flag, list) else flag for name, flag in asdict(group).items()}  # type: ignore[call-overload]
    if flags.get("overwrite"):
        if flags["policy"] not in (None, Policy.OVERWRITE):
            raise ConfigError(f"--overwrite contradicts --policy {flags['policy'].value}; give one of the two")
        flags["policy"] = Policy.OVERWRITE
    # A repeatable option that was not given arrives as an empty list.
    settings = config.load(config.config_file()).override({name: flag for name, flag in flags.items() if flag != ()})
    if save:
        config.save(settings, config.config_file())
        typer.echo(f"Settings saved to {config.config_file()}", err=True)
    return settings


def begin(paths: list[Path] | None, which: PhotoFlags, output: OutputFlags, *groups: object) -> tuple[Settings, Photos]:
    """The settings and the photos of a run; the program ends here where it was only to keep the settings."""
    settings = settle(which, output, *groups, save=output.save_config)
    if output.save_config and not paths and which.files_from is None:
        raise typer.Exit
    from aesth.cli.running import Photos

    return settings, Photos(paths, which, settings)


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """``command`` with each parameter that is a dataclass of options replaced by those options, as typer wants them."""
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @functools.wraps(command)
    def flat(**given: Any) -> None:
        made = {name: group(**{f.name: given.pop(f.name) for f in fields(group)}) for name, group in groups.items()}
        command(**made, **given)

    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        parameters += _flat_parameters(groups[name]) if name in groups else [parameter.replace(annotation=hints[name])]
    keyword_only = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    flat.__signature__ = inspect.Signature(keyword_only)  # type: ignore[attr-defined]
    flat.__annotations__ = {parameter.name: parameter.annotation for parameter in keyword_only}
    return flat


def _flat_parameters(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[field.name],
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
        )
        for field in fields(group)
    ]
