"""Ratings of a batch of photos with one call of ExifTool; of each photo alone where that call fails."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from aesth.errors import AesthError, MetadataError
from aesth.metadata import sidecars
from aesth.metadata.exiftool import ExifToolDied
from aesth.metadata.ratings import RatingState, combine, marks
from aesth.metadata.sidecars import Sidecar
from aesth.metadata.workplace import Workplace


def read_batch(workplace: Workplace, photos: Sequence[Path]) -> Iterator[RatingState | AesthError]:
    """The state of each photo, or what went wrong with it, in order."""
    found = [_try_find(photo) for photo in photos]
    ready = [(photo, beside) for photo, beside in zip(photos, found, strict=True) if isinstance(beside, list)]
    states = _read_all(workplace, ready)
    for beside in found:
        yield next(states) if isinstance(beside, list) else beside


def _read_all(workplace: Workplace, photos: Sequence[tuple[Path, list[Sidecar]]]) -> Iterator[RatingState | AesthError]:
    try:
        yield from _read(workplace, photos)
    except (ExifToolDied, MetadataError):
        for photo in photos:
            yield _read_alone(workplace, photo)


def _read_alone(workplace: Workplace, photo: tuple[Path, list[Sidecar]]) -> RatingState | AesthError:
    try:
        return _read(workplace, [photo])[0]
    except (ExifToolDied, MetadataError) as error:
        return MetadataError(error.message, photo[0])


def _read(workplace: Workplace, photos: Sequence[tuple[Path, list[Sidecar]]]) -> list[RatingState | AesthError]:
    files = [file for photo, beside in photos for file in (*(sidecar.path for sidecar in beside), photo)]
    tags = iter(workplace.read_tags(files))
    states: list[RatingState | AesthError] = []
    for photo, beside in photos:
        sources = [(next(tags), sidecar.path, sidecar.shared) for sidecar in beside] + [(next(tags), photo, False)]
        unread = next((path for found, path, _ in sources if found is None), None)
        if unread is not None:
            states.append(MetadataError("ExifTool cannot open this file; check that it can be read", unread))
        else:
            states.append(combine([marks(found or {}, shared=shared) for found, _, shared in sources]))
    return states


def _try_find(photo: Path) -> list[Sidecar] | AesthError:
    try:
        sidecars.refuse(photo)
        mode = photo.stat().st_mode
        if not stat.S_ISREG(mode):
            return MetadataError("this is no regular file", photo)
        if not os.access(photo, os.R_OK):
            return MetadataError("this file may not be read; change its permissions", photo)
        beside = sidecars.find(photo)
        for sidecar in beside:
            sidecars.check(sidecar.path)
    except FileNotFoundError:
        return MetadataError("no such file", photo)
    except (OSError, ValueError) as error:
        return MetadataError(f"this file cannot be read ({getattr(error, 'strerror', None) or error})", photo)
    except MetadataError as error:
        return error
    return beside
