"""What a camera took at once: a photo alone, or a RAW and the picture of it, and what belongs to them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from aesth import pairs

SIDECAR_SUFFIXES = (".xmp", ".pp3", ".arp", ".dop", ".aae")
"""What programs put beside photos, as ``IMG_1.CR2.xmp`` or ``IMG_1.xmp``: ratings, keywords and edits."""

FILM_SUFFIX = ".mov"
"""Of the film of a Live Photo, which phones put beside it."""

_VERSION = re.compile(r"(?P<stem>.+)_[0-9]{2,}(?P<suffix>\.[^.]+)\.xmp", re.IGNORECASE | re.DOTALL)
"""The sidecar of another version of a photo, as darktable calls it: ``IMG_1_02.CR2.xmp`` of ``IMG_1.CR2``."""

_Told = TypeVar("_Told")


@dataclass
class Versions:
    """Sidecars of further versions of photos, as darktable makes them; each folder is listed once."""

    _listed: dict[Path, Mapping[str, list[Path]]] = field(default_factory=dict)

    def of(self, photo: Path) -> list[Path]:
        """Those of ``photo`` that are still there, in order; what is a photo's own sidecar is not among them."""
        folder = photo.parent
        if folder not in self._listed:
            self._listed[folder] = _versions_in(folder)
        return [path for path in self._listed[folder].get(photo.name, ()) if path.is_file()]


def _versions_in(folder: Path) -> dict[str, list[Path]]:
    try:
        names = set(os.listdir(folder))  # noqa: PTH208 - names are all that counts
    except OSError:
        return {}
    found: dict[str, list[Path]] = {}
    for name in sorted(names):
        match = _VERSION.fullmatch(name)
        if match and Path(name).stem not in names:
            found.setdefault(match["stem"] + match["suffix"], []).append(folder / name)
    return found


@dataclass(frozen=True, slots=True)
class Shot:
    """What a camera took at once: one file, or a RAW and the picture of it.

    Attributes:
        files: the photos that were given, in their order.
    """

    files: tuple[Path, ...]

    def first(self, tell: Callable[[Path], _Told | None]) -> _Told | None:
        """What is told of the shot: what ``tell`` does of the first of its files of which it tells anything."""
        return next((told for file in self.files if (told := tell(file)) is not None), None)

    def companions(self, versions: Versions | None = None) -> list[Path]:
        """The files that belong to it and were not given: the other of a RAW and its JPEG, its film, and sidecars.

        Args:
            versions: what lies in the folders, where many shots are asked.
        """
        versions = versions or Versions()
        partners = [partner for photo in self.files for partner in pairs.partners(photo)]
        photos = list(dict.fromkeys([*self.files, *partners]))
        found = [*photos, *(path for photo in photos for path in (*_beside(photo), *versions.of(photo)))]
        return [path for path in dict.fromkeys(found) if path not in self.files]


def shots_of(photos: Iterable[Path]) -> list[Shot]:
    """Photos as the camera took them, in the order of the first of each shot."""
    files: dict[Path, list[Path]] = {}
    for photo in photos:
        files.setdefault(pairs.scored_by(photo), []).append(photo)
    return [Shot(tuple(given)) for given in files.values()]


def _beside(photo: Path) -> list[Path]:
    """The film of a Live Photo, and sidecars."""
    wanted = [(stem, suffix) for suffix in SIDECAR_SUFFIXES for stem in (photo.name, photo.stem)]
    if photo.suffix.lower() in pairs.CAMERA_PICTURES:
        wanted.insert(0, (photo.stem, FILM_SUFFIX))
    found: list[Path] = []
    for stem, suffix in wanted:
        for path in (photo.with_name(stem + suffix), photo.with_name(stem + suffix.upper())):
            if path.is_file() and not any(path.samefile(other) for other in found):
                found.append(path)
    return found
