"""What the page knows: photos by score, as the JSON that its script reads."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from aesth.scale import DEFAULT_CUT_POINTS, CutPoints

_IN_SCRIPT = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
"""Such that no text ends the element, or begins a comment in it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is to be seen of a photo.

    Attributes:
        thumbnail: the URL of a small picture.
        full: the URL of the photo, or of as large a picture as there is; None where there is the small one alone.
        size: width and height of the small one in pixels.
    """

    thumbnail: str
    full: str | None
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """A photo of the sheet; of a RAW and its JPEG, one.

    Attributes:
        files: absolute paths.
        score: 0-100.
        rating: stars 1-5.
        picture: what is to be seen.
        taken: when, by the camera's clock; None if it is unknown.
        group: the number of its burst or bracket; None if it is in none.
        kind: ``burst`` or ``bracket``; None if it is in none.
        best: whether it is the best of its burst; None elsewhere.
    """

    files: tuple[Path, ...]
    score: float
    rating: int
    picture: Picture
    taken: datetime | None = None
    group: int | None = None
    kind: str | None = None
    best: bool | None = None


@dataclass(frozen=True)
class Sheet:
    """All that a page shows.

    Attributes:
        title: what it is called.
        frames: in the order in which they are shown, the best first.
        cut_points: scores at which a photo gets 2, 3, 4 and 5 stars.
    """

    title: str
    frames: Sequence[Frame]
    cut_points: CutPoints = DEFAULT_CUT_POINTS

    def to_json(self) -> str:
        """The sheet in ASCII, safe inside a ``script`` element; bytes of a path that are no UTF-8 as surrogates."""
        parents = [frame.files[0].parent for frame in self.frames]
        root = _common(parents)
        folders = sorted(set(parents))
        numbers = {folder: number for number, folder in enumerate(folders)}
        photos = [_photo(frame, numbers[frame.files[0].parent]) for frame in self.frames]
        told = {
            "id": _identity(self.frames),
            "title": self.title,
            "folders": [_below(folder, root) for folder in folders],
            "cutPoints": self.cut_points,
            "lineEnd": os.linesep,
            "photos": photos,
        }
        return json.dumps(told, separators=(",", ":")).translate(_IN_SCRIPT)


def _photo(frame: Frame, folder: int) -> dict[str, object]:
    return {
        "name": frame.files[0].name,
        "files": [str(file) for file in frame.files],
        "folder": folder,
        "score": round(frame.score, 2),
        "stars": frame.rating,
        "width": frame.picture.size[0],
        "height": frame.picture.size[1],
        "thumbnail": frame.picture.thumbnail,
        "full": frame.picture.full,
        "taken": None if frame.taken is None else frame.taken.replace(tzinfo=None).isoformat(timespec="seconds"),
        "group": frame.group,
        "kind": frame.kind,
        "best": frame.best,
    }


def _common(folders: Sequence[Path]) -> Path | None:
    """The folder that all are in; None where there is none, as on several drives of Windows."""
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:
        return None


def _below(folder: Path, root: Path | None) -> str:
    """A folder as people call it: below what all photos have in common, with slashes."""
    if root is None:
        return folder.as_posix()
    parts = [root.name, *folder.relative_to(root).parts]
    return "/".join(filter(None, parts)) or root.as_posix()


def _identity(frames: Sequence[Frame]) -> str:
    """The same for a page of the same photos, so that what a person chose is still chosen when it is made anew."""
    paths = sorted(os.fsencode(file) for frame in frames for file in frame.files)
    return blake2b(b"\0".join(paths), digest_size=8).hexdigest()
