"""Folders -> photos: hidden files, sidecars, backups and the folders of photo managers are passed over."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import translate
from pathlib import Path

from aesth.errors import AesthError
from aesth.formats import has_photo_name

MANAGED_FOLDERS = frozenset(
    {
        "@eadir",
        "@recycle",
        "#recycle",
        "#snapshot",
        "$recycle.bin",
        "system volume information",
        "lost+found",
        "__macosx",
    }
)
"""Folders of thumbnails, bins and snapshots, in lower case; names with a leading dot are hidden anyway."""

MANAGED_SUFFIXES = (".photoslibrary", ".photolibrary", ".aplibrary", ".migratedphotolibrary", ".lrdata", ".cocatalogdb")
"""Libraries that look like a file to their owner and belong to one program."""


def find_photos(
    paths: Iterable[Path],
    *,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    recursive: bool = True,
    since: datetime | None = None,
    on_error: Callable[[AesthError], None] | None = None,
) -> Iterator[Path]:
    """The photos named by ``paths``, lazily; folders in the order of their names.

    A file that is named itself is always yielded, also when it is missing or no photo: what reads it will say so.
    Each photo is yielded once, whatever way leads to it.

    Args:
        paths: files and folders.
        include: globs, matched against the name and the path; only photos that match one are found in folders.
            Upper and lower case are the same, and ``*`` crosses folders.
        exclude: globs; photos and folders that match one are passed over.
        recursive: go into the folders of folders.
        since: only photos modified at or after this moment; without a time zone it is local time.
        on_error: told of folders that cannot be read; without it they are passed over.
    """
    walk = _Walk(
        compile_globs(include),
        compile_globs(exclude),
        recursive,
        since.timestamp() if since else None,
        on_error or _ignore,
    )
    for path in map(Path, paths):
        if path.is_dir():
            yield from walk.folder(path)
        elif walk.is_new(_real_place(path)):
            yield path


@dataclass
class _Walk:
    """One search: its rules, and the real places that it has already been to."""

    include: list[re.Pattern[str]]
    exclude: list[re.Pattern[str]]
    recursive: bool
    since: float | None
    on_error: Callable[[AesthError], None]
    seen: set[str] = field(default_factory=set)

    def folder(self, root: Path) -> Iterator[Path]:
        """The photos in a folder that was named, and in its folders; deep trees and loops of links do no harm."""
        waiting = [self._open(str(root), _real_place(root))]
        while waiting:
            place, entries = waiting[-1]
            entry = next(entries, None)
            if entry is None:
                waiting.pop()
            elif _is_folder(entry):
                if self.recursive and self._may_enter(entry, root):
                    waiting.append(self._open(entry.path, _place_of(entry, place)))
            elif self._wants(entry, root) and self.is_new(_place_of(entry, place)):
                yield Path(entry.path)

    def is_new(self, place: str) -> bool:
        """Whether a real place was not met before; it is now."""
        known = place in self.seen
        self.seen.add(place)
        return not known

    def _open(self, folder: str, place: str) -> tuple[str, Iterator[os.DirEntry[str]]]:
        """The real place of a folder, and what lies in it, by name; nothing if it was met before or cannot be read."""
        if not self.is_new(place):
            return place, iter(())
        try:
            with os.scandir(folder) as found:
                return place, iter(sorted(found, key=lambda entry: entry.name))
        except OSError as error:
            self.on_error(AesthError(f"this folder cannot be read ({error.strerror}); check its permissions", folder))
            return place, iter(())

    def _may_enter(self, entry: os.DirEntry[str], root: Path) -> bool:
        return not is_managed(entry.name) and not _matches(self.exclude, entry, root)

    def _wants(self, entry: os.DirEntry[str], root: Path) -> bool:
        return (
            not entry.name.startswith(".")
            and has_photo_name(entry.name)
            and (not self.include or _matches(self.include, entry, root))
            and not _matches(self.exclude, entry, root)
            and _is_file_since(entry, self.since)
        )


def is_managed(folder: str) -> bool:
    """Whether a folder of this name is hidden, or belongs to another program."""
    name = folder.lower()
    return name.startswith(".") or name in MANAGED_FOLDERS or name.endswith(MANAGED_SUFFIXES)


def compile_globs(globs: Iterable[str]) -> list[re.Pattern[str]]:
    """Globs as patterns: upper and lower case are the same, and ``*`` crosses folders."""
    return [re.compile(translate(glob.rstrip("/") or glob), re.IGNORECASE) for glob in globs]


def _matches(globs: list[re.Pattern[str]], entry: os.DirEntry[str], root: Path) -> bool:
    """Whether a glob matches the name, the path, or the path below the folder that was named."""
    if not globs:
        return False
    return matches_any(globs, entry.name, Path(entry.path).as_posix(), Path(entry.path).relative_to(root).as_posix())


def matches_any(globs: list[re.Pattern[str]], *spellings: str) -> bool:
    """Whether a glob matches one of the ways to write a name."""
    return any(glob.match(spelling) for glob in globs for spelling in spellings)


def _real_place(path: Path | str) -> str:
    try:
        return os.path.realpath(path)
    except (OSError, ValueError):
        return str(path)


def _place_of(entry: os.DirEntry[str], folder: str) -> str:
    """The real place of what lies in a real ``folder``, looked up only for links."""
    return _real_place(entry.path) if entry.is_symlink() else str(Path(folder, entry.name))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file_since(entry: os.DirEntry[str], since: float | None) -> bool:
    """Whether this is a file, old ones left out. A link that leads nowhere counts as one: who reads it will tell."""
    try:
        recent = since is None or entry.stat().st_mtime >= since
        return (entry.is_file() and recent) or _is_broken_link(entry)
    except OSError:
        return True


def _is_broken_link(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not Path(entry.path).exists()


def _ignore(error: AesthError) -> None:
    """Pass over a folder that cannot be read."""
