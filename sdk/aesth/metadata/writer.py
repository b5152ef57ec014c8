"""Making the new content of a photo and of its sidecars, checked, beside the old; nothing is replaced here."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from aesth.errors import MetadataError
from aesth.metadata import formats, sidecars, xmp
from aesth.metadata.exiftool import Reply, ask
from aesth.metadata.files import (
    NotKept,
    Staged,
    copy_attributes,
    discard,
    has_other_names,
    is_read_only,
    make_alike,
    temporary_name,
)
from aesth.metadata.lately import LatelyRead
from aesth.metadata.ratings import (
    READ_KEYS,
    NewPick,
    NewRating,
    Values,
    arguments,
    embedded_values,
    for_sidecar,
    holds,
    sidecar_values,
    values_of,
)
from aesth.metadata.sidecars import SidecarStyle
from aesth.metadata.workplace import Content, Tags, Workplace

HARMLESS_WARNINGS = (
    "[minor] Text/EXIF chunk(s) found after PNG IDAT",
    "[minor] Fixed incorrect URI for xmlns",
    "[minor] Fixed incorrect list type for XMP-",
)
"""Starts of warnings that tell of nothing lost. Any other warning sends the rating to a sidecar."""


PADDING = 8192
"""So many bytes may a photo shrink by: room that other programs left in its XMP."""


_EXIF_ENTRY = 12
_EXIF_OF_OURS = 110
"""Bytes of an EXIF block with our keys and those that EXIF makes mandatory, and nothing else."""

_PADDING = re.compile(rb"\s+(<\?xpacket end=)")
"""Room that programs leave at the end of a packet in a photo."""

_FAILURE = re.compile(r"Error (writing|creating|closing|renaming|copying)")
"""ExifTool's errors that tell of the disk rather than of the photo."""


Tell: TypeAlias = Callable[[str], None]
"""Who is told what a person may want to know of a write."""

ValuesFor: TypeAlias = Callable[[Tags], Mapping[str, str]]
"""What a file is to hold, by the tags that it has: read once its state is known, so that a later change is noticed."""


_HARD_LINKED = "it has other names (hard links), from which a write would part it"


class Declined(MetadataError):  # noqa: N818 - an answer rather than a failure: a sidecar can take the rating
    """ExifTool cannot write this file, or not without doubt."""


def stage_all(
    workplace: Workplace,
    photo: Path,
    target: Path,
    beside: Sequence[Path],
    new: NewRating | NewPick,
    staged: list[Staged],
    *,
    sidecar_only: bool = False,
    style: SidecarStyle = SidecarStyle.DARKTABLE,
    touch: bool = False,
    tell: Tell = lambda _: None,
    lately: LatelyRead | None = None,
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
        style: how a new sidecar is called.
        touch: let the photo's modification time tell of the write.
        tell: told where a photo of several names gets a sidecar for that reason.
        lately: what was read of photos a moment ago.

    Raises:
        MetadataError: a sidecar is damaged, or nothing can hold the rating.
    """
    for sidecar in beside:
        sidecars.check(sidecar)
        _require_ours_to_write(sidecar)
    embedded: list[Staged] = []
    rating = new.rating if isinstance(new, NewRating) else None
    reason = "a sidecar was asked for" if sidecar_only else _why_not_embedded(target)
    try:
        if not reason:
            values_for = partial(embedded_values, new)
            embedded.append(_stage_embedded(workplace, target, values_for, rating, touch=touch, lately=lately))
            staged.extend(embedded)
    except Declined as error:
        reason = error.message
    if reason == _HARD_LINKED:
        tell(f"{reason}: rated in a sidecar")
    for sidecar in beside:
        _stage_sidecar(workplace, sidecar, partial(sidecar_values, new), staged, rating)
    if not beside and not embedded:
        _stage_new_sidecar(workplace, photo, sidecars.new_path(photo, style), new, staged, reason)
    staged.sort(key=lambda item: item in embedded)


def stage_undone(workplace: Workplace, file: Path, then: Values, staged: list[Staged], *, touch: bool = False) -> None:
    """Append to ``staged`` a photo or a sidecar that says ``then``, after an undo.

    Raises:
        MetadataError: the file cannot be written without doubt.
    """

    def values_for(tags: Tags) -> dict[str, str]:
        # Not of keys that neither are there nor will be: ExifTool would tidy up the lists of keywords that they name.
        now = values_of(tags)
        return {key: then.get(key, "") for key in READ_KEYS if key in now or then.get(key)}

    if not sidecars.is_sidecar(file):
        if reason := _why_not_embedded(file):
            raise MetadataError(f"nothing was written, {reason}", file)
        staged.append(_stage_embedded(workplace, file, values_for, touch=touch))
    else:
        _require_ours_to_write(file)
        sidecars.check(file)
        _stage_sidecar(workplace, file, lambda tags: for_sidecar(values_for(tags)), staged)


def _require_writable(folder: Path) -> None:
    if not os.access(folder, os.W_OK):
        message = "nothing was written, this folder is protected against writing: change its permissions, or copy it"
        raise MetadataError(message, folder)


def _require_ours_to_write(sidecar: Path) -> None:
    if is_read_only(sidecar):
        raise MetadataError("this sidecar is protected against writing; nothing was written", sidecar)
    if has_other_names(sidecar):
        raise MetadataError(f"nothing was written to this sidecar, {_HARD_LINKED}: make it a file of its own", sidecar)


def _why_not_embedded(photo: Path) -> str:
    kind = formats.embeddable(photo)
    if kind is None:
        return "this kind of file holds no rating"
    if is_read_only(photo):
        return "the photo is protected against writing"
    if has_other_names(photo):
        return _HARD_LINKED
    if formats.has_credentials(photo):
        return "a write would break the photo's C2PA credentials"
    if formats.ends_with_more(photo, kind):
        return "a film, or something else, follows the picture and must stay at the end"
    return ""


def _stage_embedded(
    workplace: Workplace,
    photo: Path,
    values_for: ValuesFor,
    rating: int | None = None,
    *,
    touch: bool,
    lately: LatelyRead | None = None,
) -> Staged:
    _require_writable(photo.parent)
    kind = formats.embeddable(photo)
    before = photo.stat()
    staged = Staged(photo.with_name(temporary_name(kind or "")), photo, before)
    try:
        old = (lately.take(before) if lately else None) or _read(workplace, photo)
        values = values_for(old.tags)
        _rewrite(workplace, staged, values)
        new = _verify(workplace, staged.temporary, values, formats.FILE_TYPES[kind or ""], rating)
        if _loses_exif(old, new) or staged.temporary.stat().st_size + PADDING < photo.stat().st_size:
            raise Declined("the photo holds data of its maker that would be lost")
        _require_same_xmp(old.xmp, new.xmp)
        copy_attributes(photo, staged.temporary, times=not touch)
    except NotKept as error:
        discard([staged])
        raise Declined(error.message, photo) from error
    except BaseException:
        discard([staged])
        raise
    return replace(staged, old=values_of(old.tags), new=values_of(new.tags))


def _stage_sidecar(
    workplace: Workplace, sidecar: Path, values_for: ValuesFor, staged: list[Staged], rating: int | None = None
) -> None:
    _require_writable(sidecar.parent)
    item = Staged(sidecar.with_name(temporary_name("xmp")), sidecar, sidecar.stat())
    staged.append(item)
    try:
        old = _read(workplace, sidecar).tags
        new = _write_xmp(workplace, item, sidecar.read_bytes(), values_for(old), rating)
        copy_attributes(sidecar, item.temporary, times=False)
    except (Declined, xmp.CannotEdit) as error:
        message = (
            f"nothing was written, this sidecar cannot be changed without loss ({error}): move it away to start anew"
        )
        raise MetadataError(message, sidecar) from error
    except NotKept as error:
        raise MetadataError(f"nothing was written to this sidecar, {error.message}: ask its owner", sidecar) from error
    staged[-1] = replace(item, old=values_of(old), new=values_of(new))


def _stage_new_sidecar(
    workplace: Workplace, photo: Path, sidecar: Path, new: NewRating | NewPick, staged: list[Staged], reason: str
) -> None:
    """A sidecar with all XMP that is embedded in its photo, which it hides from programs that read sidecars."""
    _require_writable(sidecar.parent)
    item = Staged(photo.with_name(temporary_name("xmp")), sidecar, None)
    staged.append(item)
    content = _read(workplace, photo)
    packet = _for_new_sidecar(content.xmp)
    old = content.tags if packet else {}
    try:
        rating = new.rating if isinstance(new, NewRating) else None
        tags = _write_xmp(workplace, item, packet or xmp.EMPTY, sidecar_values(new, old), rating)
    except (Declined, xmp.CannotEdit) as error:
        raise MetadataError(f"{reason}, and a sidecar cannot be written either ({error})", photo) from error
    staged[-1] = replace(item, old=for_sidecar(values_of(old)), new=values_of(tags))
    make_alike(photo, item.temporary)


def _write_xmp(
    workplace: Workplace, staged: Staged, content: bytes, values: Mapping[str, str], rating: int | None
) -> Tags:
    """Write the temporary file: ``content`` with ``values`` in it, proven to hold all else that it held.

    Returns:
        its tags.
    """
    edited = xmp.edit(content, values)
    if reason := sidecars.fault(edited):
        raise Declined(f"it would be damaged: {reason}")
    if lost := sidecars.lost(content, edited):
        raise Declined(f"it would lose {lost[0]}")
    # Private until it gets the permissions of what it replaces.
    with os.fdopen(os.open(staged.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(edited)
    return _verify(workplace, staged.temporary, values, frozenset({"XMP"}), rating).tags


def _for_new_sidecar(packet: bytes) -> bytes:
    """The XMP packet of a photo, without its reference to a second one; nothing where it cannot be read."""
    if not packet or sidecars.fault(packet):
        return b""
    packet = _PADDING.sub(rb"\n\1", packet) + b"\n"
    try:
        return xmp.edit(packet, {"XMP-xmpNote:HasExtendedXMP": ""})
    except xmp.CannotEdit:
        return b""


def _rewrite(workplace: Workplace, staged: Staged, values: Mapping[str, str]) -> None:
    """Have ExifTool write the temporary file from the destination, which it sees under the temporary one's name."""
    source = workplace.alias(staged.temporary.name, staged.destination)
    folder = workplace.alias("d", staged.temporary.parent)

    def write() -> Reply:
        staged.temporary.unlink(missing_ok=True)  # what an ExifTool that died left of it
        return workplace.exiftool.run(["-n", "-E", *arguments(values), "-o", f"{folder}/", source])

    try:
        _check(ask(staged.destination, write), staged.destination)
    finally:
        workplace.forget(source)  # not the folder, where the next photo is likely to lie


def _read(workplace: Workplace, path: Path) -> Content:
    return ask(path, lambda: workplace.read_content(path))


def _check(reply: Reply, path: Path) -> None:
    """Whether ExifTool wrote ``path`` anew without doubt, by what it said."""
    failures = [text for text in reply.errors if _FAILURE.match(text)]
    if failures:
        raise MetadataError(f"nothing was written, as the disk may be full or gone ({'; '.join(failures)})", path)
    doubts = [text for text in reply.warnings if not text.startswith(HARMLESS_WARNINGS)]
    if reply.errors or doubts:
        raise Declined(f"ExifTool says: {'; '.join([*reply.errors, *doubts])}", path)


def _verify(
    workplace: Workplace, written: Path, values: Mapping[str, str], types: frozenset[str], rating: int | None
) -> Content:
    """What was written, as ExifTool reads it back; the values, and the rating if any, must be there."""
    if not os.path.lexists(written):
        raise Declined("ExifTool wrote nothing")
    content = _read(workplace, written)
    kind = content.tags.get("File:FileType", "a file of unknown kind")
    if kind not in types:
        raise Declined(f"this is {kind} inside")
    if not holds(content.tags, values, rating):
        raise Declined("the rating did not come back from what was written")
    return content


def _require_same_xmp(before: bytes, after: bytes) -> None:
    """Refuse to replace a photo whose XMP other programs could not read, or would miss something in."""
    if not before:
        return
    if reason := sidecars.fault(before) or (sidecars.fault(after) if after else ""):
        raise Declined(f"the photo's XMP is damaged ({reason})")
    if any(b"HasExtendedXMP" in packet for packet in (before, after)):
        return  # more stands in a second part, to and from which ExifTool moves what it likes
    if lost := sidecars.lost(before, after or xmp.EMPTY):
        raise Declined(f"the photo's XMP would lose {lost[0]}")


def _loses_exif(old: Content, new: Content) -> bool:
    """Whether EXIF shrank by more than our keys take: ExifTool drops what no tag points to, as makers append it."""
    removed = sum(key in old.tags and key not in new.tags for key in ("IFD0:Rating", "IFD0:RatingPercent"))
    # Without any tag but the mandatory ones, the whole block goes.
    room = _EXIF_OF_OURS if removed and not new.exif_size else _EXIF_ENTRY * removed
    return new.exif_size + room < old.exif_size
