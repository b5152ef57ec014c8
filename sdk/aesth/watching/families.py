"""What belongs to one photo in a folder: a RAW, its JPEG, their sidecars, and what a copier has not renamed yet."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from aesth.formats import OTHER_RAW_SUFFIXES, PICTURE_SUFFIXES, RAW_SUFFIXES

TEMPORARY_SUFFIXES = frozenset(
    {".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".!ut", ".incomplete"}
)
"""How browsers, file managers and sync programs call what is not complete. Names with a leading dot are hidden."""

_SIDECAR = ".xmp"
_SUFFIXES = PICTURE_SUFFIXES | RAW_SUFFIXES | OTHER_RAW_SUFFIXES | TEMPORARY_SUFFIXES | {_SIDECAR}

_NAMESPACE = b"urn:aesth:xmp/1.0/"

State: TypeAlias = frozenset[tuple[str, int, int, int]]
"""Name, size, time of modification in nanoseconds and inode of each file."""


@dataclass(frozen=True, slots=True)
class Family:
    """The files of one name: ``IMG_1.CR3``, ``img_1.jpg``, ``IMG_1.CR3.xmp``, ``IMG_1.JPG.part``.

    Attributes:
        folder: where they lie.
        stem: what they have in common, in one case.
    """

    folder: str
    stem: str


@dataclass(frozen=True, slots=True)
class Members:
    """A family as it is in a folder.

    Attributes:
        photos: those that are to be tagged.
        state: how each of its files is.
    """

    photos: tuple[Path, ...]
    state: State


def family_of(path: Path) -> Family:
    """The family that a file belongs to, by its name alone."""
    folder, name = os.path.split(path)  # thousands of them: pathlib takes several times as long
    return Family(folder, _stem_of(name))


def find_families(photos: Iterable[Path]) -> dict[Family, Members]:
    """The families of ``photos`` that have no empty photo, with all their files; each folder is listed once."""
    found: dict[Family, list[Path]] = {}
    for photo in photos:
        found.setdefault(family_of(photo), []).append(photo)
    states: dict[Family, list[tuple[str, int, int, int]]] = {family: [] for family in found}
    for folder in {family.folder: None for family in found}:
        for name in _names_in(folder):
            if (state := states.get(Family(folder, _stem_of(name)))) is not None:
                state += _state_of(folder, [name])
    members = {family: Members(tuple(paths), frozenset(states[family])) for family, paths in found.items()}
    return {family: each for family, each in members.items() if _is_begun(each)}


def state_after_write(family: Family, members: Members) -> State:
    """How a family is after its photos were tagged: the files that it had, and the sidecars that we made."""
    had = {name for name, *_ in members.state}
    possible = {photo.name + _SIDECAR for photo in members.photos} | {photo.stem + _SIDECAR for photo in members.photos}
    made = {name for name in possible - had if _is_ours(Path(family.folder, name))}
    return frozenset(_state_of(family.folder, had | made))


def files_of(family: Family, state: State) -> list[Path]:
    """The files of a family in a state."""
    return [Path(family.folder, name) for name, *_ in state]


def _stem_of(name: str) -> str:
    stem = name.casefold()
    while (suffix := os.path.splitext(stem)[1]) in _SUFFIXES:  # noqa: PTH122
        stem = stem[: -len(suffix)]
    return stem


def _is_begun(members: Members) -> bool:
    sizes: Mapping[str, int] = {name: size for name, size, *_ in members.state}
    return all(sizes.get(photo.name, 0) for photo in members.photos)


def _names_in(folder: str) -> list[str]:
    try:
        return os.listdir(folder or os.curdir)  # noqa: PTH208 - names are wanted
    except OSError:
        return []


def _state_of(folder: str, names: Iterable[str]) -> Iterator[tuple[str, int, int, int]]:
    for name in names:
        try:
            found = os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118 - for thousands of names
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(found.st_mode):
            yield name, found.st_size, found.st_mtime_ns, found.st_ino


def _is_ours(sidecar: Path) -> bool:
    """Whether a sidecar that was not there before holds what we write, rather than what another program brought."""
    try:
        return sidecar.is_file() and _NAMESPACE in sidecar.read_bytes()
    except OSError:
        return False
