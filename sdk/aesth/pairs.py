"""Photos that a camera took as one: a RAW and its JPEG or HEIF beside it, told by their names."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from aesth.formats import OTHER_RAW_SUFFIXES, PICTURE_SUFFIXES, RAW_SUFFIXES

RAW_EXTENSIONS = RAW_SUFFIXES | OTHER_RAW_SUFFIXES

CAMERA_PICTURES = (".jpg", ".jpeg", ".heic", ".heif", ".hif", ".jpe", ".jfif")
"""What cameras write beside a RAW, the one to look at first. Other kinds are somebody's exports."""


def is_raw(photo: Path) -> bool:
    """Whether the name is that of a camera's RAW file."""
    return photo.suffix.lower() in RAW_EXTENSIONS


def partners(photo: Path) -> list[Path]:
    """The files that a camera took together with ``photo``: ``IMG_1.JPG`` of ``IMG_1.CR3``, and the other way round."""
    if is_raw(photo):
        return _siblings(photo, CAMERA_PICTURES)
    return raws_beside(photo) if photo.suffix.lower() in CAMERA_PICTURES else []


def raws_beside(photo: Path) -> list[Path]:
    """RAW files with the name of ``photo``, whatever kind it is; not itself."""
    return _siblings(photo, sorted(RAW_EXTENSIONS))


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
    return {unicodedata.normalize("NFC", name).casefold() for name in found}


def _siblings(photo: Path, suffixes: Iterable[str]) -> list[Path]:
    folder, stem = os.path.dirname(photo), photo.stem  # noqa: PTH120 - paths are made of hundreds of names here
    found: list[str] = []
    for suffix in suffixes:
        for name in (stem + suffix, stem + suffix.upper()):
            path = os.path.join(folder, name)  # noqa: PTH118
            if name != photo.name and os.path.lexists(path) and not _is_known(path, [*found, str(photo)]):
                found.append(path)
    return [Path(path) for path in found]


def _is_known(path: str, others: Iterable[str]) -> bool:
    """Whether a name leads to one of ``others``, as where upper and lower case are the same."""
    try:
        return any(os.path.samestat(os.lstat(path), os.lstat(other)) for other in others)
    except OSError:
        return False
