"""Photos that a camera took as one: a RAW and its JPEG or HEIF beside it, told by their names."""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from aesth.formats import OTHER_RAW_SUFFIXES, PICTURE_SUFFIXES, RAW_SUFFIXES

RAW_EXTENSIONS = RAW_SUFFIXES | OTHER_RAW_SUFFIXES

_SORTED_RAW = sorted(RAW_EXTENSIONS)

CAMERA_PICTURES = (".jpg", ".jpeg", ".heic", ".heif", ".hif", ".jpe", ".jfif")
"""What cameras write beside a RAW, the one to look at first. Other kinds are somebody's exports."""


_KEPT = 4
_UNSETTLED = 2.0
"""Seconds in which a folder may change without another time of modification; FAT's are the coarsest."""


@dataclass
class Folders:
    """What lies in the folders of many photos, each folder listed once rather than asked for every name.

    It is good for a look around: a name that it lacks is not there, or not yet. Names that it has are to be asked for.
    """

    _listed: dict[str, tuple[int, dict[str, set[str]] | None]] = field(default_factory=dict)
    _current: set[str] = field(default_factory=set)

    def refresh(self) -> None:
        """Look anew, before its next use, at the folders that have changed."""
        self._current.clear()

    def suffixes(self, folder: str, stem: str) -> Collection[str] | None:
        """The lower-case extensions of what may be called ``stem`` there; None where the folder cannot be listed."""
        if folder not in self._current:
            self._look(folder)
        names = self._listed[folder][1]
        return None if names is None else names.get(_in_one_case(stem), ())

    def _look(self, folder: str) -> None:
        changed = _time_of(folder)
        listed = self._listed.pop(folder, None)
        if listed is None or not changed or listed[0] != changed:
            settled = changed if abs(time.time_ns() - changed) > _UNSETTLED * 1e9 else -1
            listed = (settled, _names_in(folder))
        self._listed[folder] = listed
        self._current.add(folder)
        while len(self._listed) > _KEPT:
            oldest = next(iter(self._listed))
            del self._listed[oldest]
            self._current.discard(oldest)


def is_raw(photo: Path) -> bool:
    """Whether the name is that of a camera's RAW file."""
    return photo.suffix.lower() in RAW_EXTENSIONS


def partners(photo: Path, folders: Folders | None = None) -> list[Path]:
    """The files that a camera took together with ``photo``: ``IMG_1.JPG`` of ``IMG_1.CR3``, and the other way round."""
    if is_raw(photo):
        return _siblings(photo, CAMERA_PICTURES, folders)
    return raws_beside(photo, folders) if photo.suffix.lower() in CAMERA_PICTURES else []


def raws_beside(photo: Path, folders: Folders | None = None) -> list[Path]:
    """RAW files with the name of ``photo``, whatever kind it is; not itself."""
    return _siblings(photo, _SORTED_RAW, folders)


def pictures_beside(photo: Path) -> list[Path]:
    """Photos other than RAW with the name of ``photo``; not itself."""
    return _siblings(photo, sorted(PICTURE_SUFFIXES))


def scored_by(photo: Path) -> Path:
    """The file by whose pixels a photo is scored: itself, or for a RAW the camera's own picture of it."""
    return next((beside for beside in partners(photo) if beside.is_file()), photo) if is_raw(photo) else photo


def families(photo: Path) -> set[str]:
    """Names of what a write of ``photo`` may read or change; photos with one in common may share a file.

    They are coarse: the folder and what stands before the first dot, in one case, of the photo and of where it leads.
    """
    places = (os.path.join(os.path.realpath(photo.parent), photo.name), os.path.realpath(photo))  # noqa: PTH118
    halves = (os.path.split(place) for place in places)
    found = (os.path.join(folder, name.partition(".")[0]) for folder, name in halves)  # noqa: PTH118
    return set(map(_in_one_case, found))


def _siblings(photo: Path, suffixes: Iterable[str], folders: Folders | None = None) -> list[Path]:
    folder, stem = os.path.dirname(photo), photo.stem  # noqa: PTH120 - paths are made of hundreds of names here
    found: list[str] = []
    there = None if folders is None else folders.suffixes(folder, stem)
    if there is not None:
        suffixes = [suffix for suffix in suffixes if suffix in there]
    start, own = os.path.join(folder, stem), photo.suffix  # noqa: PTH118
    for suffix in suffixes:
        for ending in (suffix, suffix.upper()):
            path = start + ending
            if ending != own and os.path.lexists(path) and not _is_known(path, [*found, str(photo)]):
                found.append(path)
    return [Path(path) for path in found]


def _in_one_case(name: str) -> str:
    """The same for all names that some system takes for one."""
    return (name if name.isascii() else unicodedata.normalize("NFC", name)).casefold()


def _time_of(folder: str) -> int:
    """When a folder changed, in nanoseconds; 0 where nobody tells."""
    try:
        return os.stat(folder or os.curdir).st_mtime_ns  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def _names_in(folder: str) -> dict[str, set[str]] | None:
    """Stem -> extensions, of all that lies in a folder."""
    found: dict[str, set[str]] = {}
    try:
        with os.scandir(folder or os.curdir) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(_in_one_case(entry.name))  # noqa: PTH122
                found.setdefault(stem, set()).add(suffix)
    except (OSError, ValueError):
        return None
    return found


def _is_known(path: str, others: Iterable[str]) -> bool:
    """Whether a name leads to one of ``others``, as where upper and lower case are the same."""
    try:
        return any(os.path.samestat(os.lstat(path), os.lstat(other)) for other in others)
    except OSError:
        return False
