"""Ratings of a batch of photos with one call of ExifTool; of each photo alone where that call fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aesth import pairs
from aesth.errors import AesthError, MetadataError
from aesth.metadata import sidecars
from aesth.metadata.exiftool import ExifToolDied
from aesth.metadata.files import missing, require_readable, unreadable
from aesth.metadata.lately import LatelyRead
from aesth.metadata.memory import NOTHING_KNOWN, KnownFiles
from aesth.metadata.ratings import Marks, RatingState, combine, marks, values_of
from aesth.metadata.sidecars import Sidecar
from aesth.metadata.workplace import Tags, Workplace
from aesth.pairs import Folders


def read_batch(
    workplace: Workplace,
    photos: Sequence[Path],
    known: KnownFiles = NOTHING_KNOWN,
    folders: Folders | None = None,
    lately: LatelyRead | None = None,
) -> Iterator[RatingState | AesthError]:
    """The state of each photo, or what went wrong with it, in order.

    Args:
        workplace: where ExifTool runs.
        photos: the photos.
        known: files that are not opened.
        folders: what lies beside them.
        lately: keeps what is read for a write that follows; None keeps nothing.
    """
    look = _Look(workplace, known, folders, lately)
    found = [_try_find(photo, look) for photo in photos]
    ready = [(photo, beside) for photo, beside in zip(photos, found, strict=True) if isinstance(beside, list)]
    states = _read_all(look, ready)
    for beside in found:
        yield next(states) if isinstance(beside, list) else beside


@dataclass(frozen=True)
class _Look:
    """By what a batch is read."""

    workplace: Workplace
    known: KnownFiles
    folders: Folders | None
    lately: LatelyRead | None

    def read_tags(self, files: Sequence[Path]) -> list[Tags | None]:
        """What each file says, None where ExifTool cannot open it."""
        return self.workplace.read_tags(files) if self.lately is None else self.lately.read_tags(self.workplace, files)


def _read_all(look: _Look, photos: Sequence[tuple[Path, list[Sidecar]]]) -> Iterator[RatingState | AesthError]:
    try:
        yield from _read(look, photos)
    except (ExifToolDied, MetadataError):
        for photo in photos:
            yield _read_alone(look, photo)


def _read_alone(look: _Look, photo: tuple[Path, list[Sidecar]]) -> RatingState | AesthError:
    try:
        return _read(replace(look, lately=None), [photo])[0]
    except (ExifToolDied, MetadataError) as error:
        return MetadataError(error.message, photo[0])


def _read(look: _Look, photos: Sequence[tuple[Path, list[Sidecar]]]) -> list[RatingState | AesthError]:
    own = [[*beside, Sidecar(photo)] for photo, beside in photos]
    others = [_others(photo, beside, look) for photo, beside in photos]
    tags = _tags(look, [source.path for sources in [*own, *others] for source in sources])
    states: list[RatingState | AesthError] = []
    for mine, theirs in zip(own, others, strict=True):
        unread = next((source.path for source in mine if tags[source.path] is None), None)
        if unread is not None:
            states.append(MetadataError("ExifTool cannot open this file; check that it can be read", unread))
        else:
            states.append(combine([_marks(source, tags[source.path] or {}) for source in [*mine, *theirs]]))
    return states


def _tags(look: _Look, files: Iterable[Path]) -> dict[Path, Tags | None]:
    """What each file says, None where ExifTool cannot open it; what is read now is known from here on."""
    known = look.known
    found: dict[Path, Tags | None] = {file: known.recall(file) for file in files}
    unknown = [file for file, said in found.items() if said is None]
    states = [known.state(file) for file in unknown]
    for file, state, tags in zip(unknown, states, look.read_tags(unknown), strict=True):
        found[file] = tags
        if tags is not None:
            known.note(file, state, values_of(tags))
    return found


def _marks(source: Sidecar, tags: Tags) -> Marks:
    return marks(tags, shared=source.shared, name=source.path.name)


def _others(photo: Path, own: Sequence[Sidecar], look: _Look) -> list[Sidecar]:
    """The files of the RAW or JPEG that the camera took with a photo; those that cannot be read say nothing here."""
    found: list[Path] = []
    for partner in pairs.partners(photo, look.folders):
        beside = _try_find(partner, look)
        if isinstance(beside, list):
            found += [*(sidecar.path for sidecar in beside if not sidecar.shared), partner]
    mine = {sidecar.path for sidecar in own}
    return [Sidecar(path, shared=True) for path in found if path not in mine]


def _try_find(photo: Path, look: _Look) -> list[Sidecar] | AesthError:
    try:
        sidecars.refuse(photo)
        require_readable(photo)
        beside = sidecars.find(photo, look.folders)
        for sidecar in beside:
            if look.known.recall(sidecar.path) is None:  # or it was sound
                sidecars.check(sidecar.path)
    except FileNotFoundError:
        return MetadataError(missing(photo), photo)
    except (OSError, ValueError) as error:
        return unreadable(photo, error)
    except MetadataError as error:
        return error
    return beside
