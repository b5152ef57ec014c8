"""The entries of digiKam's Open With: desktop files that start aesth with the selected photos."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from aesth.digikam.culling import Pick
from aesth.errors import AesthError, MissingDependencyError
from aesth.formats import PICTURE_SUFFIXES, RAW_SUFFIXES

PACKAGE = Path(__file__).parents[1]
ENDING = ".desktop"

_JPEG, _TIFF, _HEIF = ("image/jpeg",), ("image/tiff",), ("image/heif", "image/heic")
_ANY_RAW = ("image/x-dcraw", "image/x-kde-raw")
"""What systems call RAW files of kinds that they have no name for."""

MIME_TYPES: Mapping[str, tuple[str, ...]] = {
    ".jpg": _JPEG,
    ".jpeg": _JPEG,
    ".jpe": _JPEG,
    ".jfif": _JPEG,
    ".png": ("image/png",),
    ".tif": _TIFF,
    ".tiff": _TIFF,
    ".webp": ("image/webp",),
    ".heic": _HEIF,
    ".heif": _HEIF,
    ".hif": _HEIF,
    ".avif": ("image/avif", "image/avif-sequence"),
    ".gif": ("image/gif",),
    ".cr2": ("image/x-canon-cr2",),
    ".cr3": ("image/x-canon-cr3",),
    ".crw": ("image/x-canon-crw",),
    ".nef": ("image/x-nikon-nef",),
    ".nrw": ("image/x-nikon-nrw",),
    ".arw": ("image/x-sony-arw",),
    ".sr2": ("image/x-sony-sr2",),
    ".srf": ("image/x-sony-srf",),
    ".raf": ("image/x-fuji-raf",),
    ".orf": ("image/x-olympus-orf",),
    ".rw2": ("image/x-panasonic-rw2", "image/x-panasonic-raw2"),
    ".rwl": ("image/x-leica-rwl",),
    ".dng": ("image/x-adobe-dng",),
    ".pef": ("image/x-pentax-pef",),
    ".srw": ("image/x-samsung-srw",),
    ".3fr": ("image/x-hasselblad-3fr",),
    ".fff": ("image/x-hasselblad-fff",),
    ".dcr": ("image/x-kodak-dcr",),
    ".kdc": ("image/x-kodak-kdc",),
    ".erf": ("image/x-epson-erf",),
    ".iiq": ("image/x-phaseone-iiq",),
    ".mef": ("image/x-mamiya-mef",),
    ".mos": ("image/x-leaf-mos",),
    ".mrw": ("image/x-minolta-mrw",),
    ".x3f": ("image/x-sigma-x3f",),
}
"""Suffixes of photos -> what shared-mime-info calls such files, in its versions so far."""

_NEEDS_ESCAPE = re.compile(r'(["`$\\])')
_AWKWARD = re.compile(r'["`$\\%=\n\t\r]')
"""What digiKam, which splits command lines itself, and the Desktop Entry rules do not agree on."""


def find_program_menu() -> Path | None:
    """The menu of programs of this desktop (Desktop Menu Specification); None where it has none.

    From digiKam 8 on, KDE's libraries know of no program that no menu names, and Open With offers none. Each desktop
    brings a menu, and says by ``XDG_MENU_PREFIX`` which of several is its own; bare window managers do not.
    """
    own = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    others = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    name = f"{os.environ.get('XDG_MENU_PREFIX', '')}applications.menu"
    menus = (Path(folder) / "menus" / name for folder in (own, *others.split(os.pathsep)) if folder)
    return next(filter(Path.is_file, menus), None)


def mime_types() -> list[str]:
    """Of all that is read here, in order, each once."""
    suffixes = sorted(PICTURE_SUFFIXES) + sorted(RAW_SUFFIXES)
    return list(dict.fromkeys([*(kind for suffix in suffixes for kind in MIME_TYPES[suffix]), *_ANY_RAW]))


def make_entries(program: Path, others: Pick = Pick.PENDING, before: tuple[str, ...] = ()) -> dict[str, bytes]:
    """The desktop files, by their names.

    Args:
        program: the absolute path of `aesth`.
        others: the pick label of photos of a burst that are not its best.
        before: a program, with arguments, that starts others.

    Raises:
        AesthError: the path cannot be told to every program; see `is_awkward`.
        MissingDependencyError: this installation lacks the templates.
    """
    if is_awkward(program):
        raise AesthError("a program of such a name cannot be started from menus; install aesth elsewhere", program)
    start = " ".join(quoted(part) for part in (*before, str(program), "digikam", "open"))
    options = {"cull": " --reject-others" if others is Pick.REJECTED else ""}
    made = {}
    for template in sorted(templates_folder().glob(f"*{ENDING}")):
        action = template.stem.rpartition("-")[2]
        text = template.read_text(encoding="utf-8")
        text = text.replace("@COMMAND@", escaped(f"{start} {action}{options.get(action, '')} %F"))
        made[template.name] = text.replace("@MIME_TYPES@", "".join(f"{kind};" for kind in mime_types())).encode()
    return made


def is_awkward(program: Path) -> bool:
    """Whether the path holds characters that digiKam and others understand differently, or that are no text."""
    text = os.fspath(program)
    return bool(_AWKWARD.search(text)) or any("\ud800" <= character <= "\udfff" for character in text)


def quoted(argument: str) -> str:
    """An argument of ``Exec``, by the rules of the Desktop Entry Specification; plain words stay as they are."""
    text = argument.replace("%", "%%")
    if re.fullmatch(r"[\w./:@+,%-]+", text):
        return text
    return '"' + _NEEDS_ESCAPE.sub(r"\\\1", text) + '"'


def escaped(value: str) -> str:
    """A value of a desktop file."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def templates_folder(package: Path = PACKAGE) -> Path:
    """The plugin for digiKam that belongs to ``package``: in the wheel, or in the checkout.

    Raises:
        MissingDependencyError: this installation lacks it.
    """
    places = [root / "digikam" for root in (package / "_plugins", package.parents[1] / "plugins")]
    found = next((place for place in places if any(place.glob(f"*{ENDING}"))), None)
    if found is None:
        raise MissingDependencyError("the plugin for digiKam is missing here; install aesth anew", places[0])
    return found
