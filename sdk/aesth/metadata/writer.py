"""Making the new content of a photo and of its sidecars, checked, beside the old; nothing is replaced here."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from aesth.errors import MetadataError
from aesth.metadata import formats, sidecars
from aesth.metadata.exiftool import ExifToolDied
from aesth.metadata.files import Staged, copy_attributes, is_read_only, make_alike, temporary_name
from aesth.metadata.ratings import (
    NewRating,
    Values,
    arguments,
    embedded_values,
    for_sidecar,
    holds,
    sidecar_values,
    values_of,
)
from aesth.metadata.workplace import Workplace

HARMLESS_WARNINGS = ("[minor] Text/EXIF chunk(s) found after PNG IDAT", "[minor] Fixed incorrect URI for xmlns")
"""Starts of warnings that tell of nothing lost. Any other warning sends the rating to a sidecar."""


PADDING = 8192
"""So many bytes may a photo shrink by: room that other programs left in its XMP."""


UNDONE_EXIF = 256
"""So many bytes may EXIF shrink by in an undo: the rating, and the block if it was made for it."""

_FAILURE = re.compile(r"Error (writing|creating|closing|renaming|copying)")
"""ExifTool's errors that tell of the disk rather than of the photo."""


class Declined(MetadataError):  # noqa: N818 - an answer rather than a failure: a sidecar can take the rating
    """ExifTool cannot write this file, or not without doubt."""


def stage_all(
    workplace: Workplace,
    photo: Path,
    target: Path,
    beside: Sequence[Path],
    new: NewRating,
    staged: list[Staged],
    *,
    sidecar_only: bool = False,
) -> None:
    """Append to ``staged`` every file that must change for ``photo`` to have its new rating, sidecars first.

    Args:
        workplace: where ExifTool runs.
        photo: the photo, by an absolute path; sidecars lie beside it.
        target: the same, links resolved; this file is written.
        beside: its sidecars, all of which are merged.
        new: what to write.
        staged: filled as it goes, so that the caller can remove the temporary files whatever happens.
        sidecar_only: leave the photo itself alone.

    Raises:
        MetadataError: a sidecar is damaged, or nothing can hold the rating.
    """
    for sidecar in beside:
        sidecars.check(sidecar)
        if is_read_only(sidecar):
            raise MetadataError("this sidecar is protected against writing; nothing was written", sidecar)
    embedded: list[Staged] = []
    reason = "a sidecar was asked for" if sidecar_only else _why_not_embedded(target)
    try:
        if not reason:
            embedded.append(_stage_embedded(workplace, target, embedded_values(new)))
            staged.extend(embedded)
    except Declined as error:
        reason = error.message
    for sidecar in beside:
        _stage_sidecar(workplace, sidecar, sidecar_values(new), staged)
    if not beside and not embedded:
        _stage_new_sidecar(workplace, photo, new, staged, reason)
    staged.sort(key=lambda item: item in embedded)


def stage_undone(workplace: Workplace, file: Path, values: Values, staged: list[Staged]) -> None:
    """Append to ``staged`` a photo or a sidecar with its old rating: ``values``, empty where a key must be absent.

    Raises:
        MetadataError: the file cannot be written without doubt.
    """
    if not sidecars.is_sidecar(file):
        if reason := _why_not_embedded(file):
            raise MetadataError(f"nothing was written, {reason}", file)
        staged.append(_stage_embedded(workplace, file, values, UNDONE_EXIF))
    elif is_read_only(file):
        raise MetadataError("this sidecar is protected against writing; nothing was written", file)
    else:
        sidecars.check(file)
        _stage_sidecar(workplace, file, for_sidecar(values), staged)


def _require_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK):
        message = "nothing was written, this folder is protected against writing: change its permissions, or copy it"
        raise MetadataError(message, folder)


def _why_not_embedded(photo: Path) -> str:
    if formats.embeddable(photo) is None:
        return "this kind of file holds no rating"
    if is_read_only(photo):
        return "the photo is protected against writing"
    if formats.has_credentials(photo):
        return "a write would break the photo's C2PA credentials"
    return ""


def _stage_embedded(workplace: Workplace, photo: Path, values: Values, spare: int = 0) -> Staged:
    _require_writable(photo.parent)
    kind = formats.embeddable(photo)
    staged = Staged(photo.with_name(temporary_name(kind or "")), photo, photo.stat())
    try:
        _rewrite(workplace, staged, values)
        verified = _verify(workplace, staged, values, formats.FILE_TYPES.get(kind or "", frozenset()), photo, spare)
        copy_attributes(photo, staged.temporary, times=True)
    except BaseException:
        staged.temporary.unlink(missing_ok=True)
        raise
    return verified


def _stage_sidecar(workplace: Workplace, sidecar: Path, values: Values, staged: list[Staged]) -> None:
    _require_writable(sidecar.parent)
    item = Staged(sidecar.with_name(temporary_name("xmp")), sidecar, sidecar.stat())
    staged.append(item)
    _rewrite(workplace, item, values)
    staged[-1] = _verify(workplace, item, values, frozenset({"XMP"}), sidecar)
    sidecars.check(item.temporary)
    if lost := sidecars.lost(sidecar, item.temporary):
        message = f"nothing was written, ExifTool would drop from this sidecar: {lost[0]}"
        raise MetadataError(message, sidecar)
    copy_attributes(sidecar, item.temporary, times=False)


def _stage_new_sidecar(workplace: Workplace, photo: Path, new: NewRating, staged: list[Staged], reason: str) -> None:
    values = sidecar_values(new)
    sidecar = sidecars.default_path(photo)
    _require_writable(sidecar.parent)
    item = Staged(photo.with_name(temporary_name("xmp")), sidecar, None)
    staged.append(item)
    name = workplace.alias("d", photo.parent)
    try:
        _run(workplace, photo, [*arguments(values), f"{name}/{item.temporary.name}"])
        staged[-1] = _verify(workplace, item, values, frozenset({"XMP"}), photo)
    except Declined as error:
        raise MetadataError(f"{reason}, and a sidecar cannot be written either ({error.message})", photo) from error
    finally:
        workplace.forget(name)
    make_alike(photo, item.temporary)


def _rewrite(workplace: Workplace, staged: Staged, values: Mapping[str, str]) -> None:
    """Have ExifTool write the temporary file from the destination, which it sees under the temporary one's name."""
    source = workplace.alias(staged.temporary.name, staged.destination)
    folder = workplace.alias("d", staged.temporary.parent)
    try:
        _run(workplace, staged.destination, [*arguments(values), "-o", f"{folder}/", source])
    finally:
        workplace.forget(source)
        workplace.forget(folder)


def _run(workplace: Workplace, path: Path, command: Sequence[str]) -> None:
    try:
        reply = workplace.exiftool.run(["-n", "-E", *command])
    except ExifToolDied as error:
        raise MetadataError(f"{error.message}; the file was left as it is", path) from error
    failures = [text for text in reply.errors if _FAILURE.match(text)]
    if failures:
        raise MetadataError(f"nothing was written, as the disk may be full or gone ({'; '.join(failures)})", path)
    doubts = [text for text in reply.warnings if not text.startswith(HARMLESS_WARNINGS)]
    if reply.errors or doubts:
        raise Declined(f"ExifTool says: {'; '.join([*reply.errors, *doubts])}", path)


def _verify(
    workplace: Workplace, staged: Staged, values: Values, types: frozenset[str], old: Path, spare: int = 0
) -> Staged:
    """Read back what ExifTool wrote: the rating must be there, and all that was in the ``old`` photo.

    Args:
        workplace: where ExifTool runs.
        staged: what was written.
        values: what it must hold.
        types: what it may be.
        old: what it was made from: the photo itself, its sidecar, or the photo of a new sidecar.
        spare: so many bytes of EXIF may be missing.

    Returns:
        ``staged`` with what the journal keeps of both.
    """
    written, photo = staged.temporary, staged.destination if types != {"XMP"} else None
    if not os.path.lexists(written):
        raise Declined("ExifTool wrote nothing")
    try:
        tags, before = (found or {} for found in workplace.read_tags([written, old], ["EXIF"] if photo else []))
    except ExifToolDied as error:
        raise MetadataError(f"{error.message}; the file was left as it is", old) from error
    if tags.get("File:FileType") not in types:
        raise Declined(f"this is {tags.get('File:FileType', 'a file of unknown kind')} inside")
    if not holds(tags, values):
        raise Declined("the rating did not come back from what ExifTool wrote")
    shrunk = photo and written.stat().st_size + PADDING < photo.stat().st_size
    if photo and (shrunk or _exif_size(tags) + spare < _exif_size(before)):
        # ExifTool drops what no tag points to, such as what some makers append to their EXIF
        raise Declined("the photo holds data of its maker that would be lost")
    found = values_of(before)
    return replace(staged, old=found if staged.before else for_sidecar(found), new=values_of(tags))


def _exif_size(tags: Mapping[str, object]) -> int:
    block = next((str(value) for key, value in tags.items() if key.endswith(":EXIF")), "")
    match = re.search(r"Binary data (\d+) bytes", block)
    return int(match[1]) if match else 0
