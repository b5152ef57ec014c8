"""The XMP files beside a photo: which there are, whose they are, and whether they are sound."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from aesth.errors import MetadataError
from aesth.metadata.ratings import KEYWORD_KEYS, our_keywords
from aesth.pairs import Folders, is_raw, pictures_beside, raws_beside

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_RATING_KEYS = frozenset(
    {
        "{http://ns.adobe.com/xap/1.0/}Rating",
        "{http://ns.adobe.com/xap/1.0/}Label",
        "{http://ns.adobe.com/xmp/note/}HasExtendedXMP",
        "{http://ns.acdsee.com/iptc/1.0/}rating",
        "{http://ns.microsoft.com/photo/1.0}Rating",
        "{http://ns.microsoft.com/photo/1.0/}Rating",
        "{http://www.digikam.org/ns/1.0/}PickLabel",
        "{http://www.digikam.org/ns/1.0/}ColorLabel",
    }
)
_KEYWORDS = frozenset(f"{_RDF}li = {item}" for key in KEYWORD_KEYS for item in our_keywords(key))
_OURS = "{urn:aesth:xmp/1.0/}"
_MEANS_NOTHING = frozenset({"{adobe:ns:meta/}xmptk", "about"})
"""Which program wrote last; and how RDF of old called ``rdf:about``."""

_DEEPEST = 500
_MOST_PREFIXES = 1000
"""With many more, as no program writes them, ExifTool searches for minutes."""

LARGEST = 50_000_000
"""Bytes of a sidecar, all of which is read into memory: ten times as many as any that has been seen."""


class SidecarStyle(Enum):
    """How new sidecars are called: ``IMG.CR2.xmp`` by darktable and digiKam, ``IMG.xmp`` by Adobe's programs."""

    DARKTABLE = "darktable"
    ADOBE = "adobe"


@dataclass(frozen=True)
class Sidecar:
    """An XMP file that belongs to a photo.

    Attributes:
        path: the file.
        shared: it is that of the RAW beside this photo (``IMG.xmp`` of ``IMG.CR2`` and ``IMG.JPG``): read, not written.
    """

    path: Path
    shared: bool = False


def is_sidecar(file: Path) -> bool:
    """Whether the name is that of a sidecar."""
    return file.suffix.lower() == ".xmp"


def refuse(photo: Path) -> None:
    """Refuse a sidecar that is given in place of its photo.

    Raises:
        MetadataError: the name is that of a sidecar.
    """
    if is_sidecar(photo):
        raise MetadataError("this is a sidecar; give the photo that it belongs to", photo)


def new_path(photo: Path, style: SidecarStyle = SidecarStyle.DARKTABLE) -> Path:
    """Where a new sidecar of ``photo`` goes.

    Adobe's style, in which several photos of one name would share it, is for the RAW among them, or for a photo alone.
    """
    if style is SidecarStyle.ADOBE and photo.suffix and not _rivals(photo):
        return photo.with_suffix(".xmp")
    return photo.with_name(photo.name + ".xmp")


def find(photo: Path, folders: Folders | None = None) -> list[Sidecar]:
    """The sidecars that ``photo`` has, the one that wins first: ``IMG.CR2.xmp``, then Adobe's ``IMG.xmp``."""
    own = _existing(photo.name, photo, folders)
    adobe = _existing(photo.stem, photo, folders) if photo.suffix else []
    shared = bool(adobe) and not is_raw(photo) and bool(raws_beside(photo, folders))
    return [*map(Sidecar, own), *(Sidecar(path, shared) for path in adobe)]


def check(path: Path) -> None:
    """Refuse a sidecar that is not sound: rewriting it would lose what a person put there.

    Raises:
        MetadataError: it is no well-formed XMP, declares entities, is a symbolic link, or cannot be read.
    """
    if path.is_symlink():
        raise MetadataError("this sidecar is a symbolic link, which is not followed; replace it by the file", path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        reason = fault(content) if len(content) <= LARGEST else f"it is larger than {LARGEST // 1_000_000} MB"
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        message = f"this sidecar is damaged ({reason}); it was left as it is: repair it, or move it away to start anew"
        raise MetadataError(message, path)


def fault(content: bytes) -> str:
    """Why a file or packet is no sound XMP; nothing if it is."""
    seen: set[str] = set()
    prefixes: set[object] = set()
    depth = 0

    def refuse_doctype(*_: object) -> None:
        raise ValueError("it has a document type, which XMP never has")

    def enter(name: str, _attributes: object) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("its elements are nested too deeply")
        seen.add("{" + name)

    def leave(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def declare(prefix: object, _name: object) -> None:
        prefixes.add(prefix)
        if len(prefixes) > _MOST_PREFIXES:
            raise ValueError("it declares too many namespaces")

    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartNamespaceDeclHandler = declare
    parser.StartElementHandler = enter
    parser.EndElementHandler = leave
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        return str(error)
    return "" if f"{_RDF}RDF" in seen else "it holds no rdf:RDF"


def lost(old: bytes, new: bytes) -> list[str]:
    """What an XMP file or packet had and its rewriting lacks, but for the keys that we write.

    RDF may say the same by attributes or by elements, in any order: what counts are names, values and comments.
    """
    return sorted((_values(old) - _values(new)).keys())


def _values(content: bytes) -> Counter[str]:
    found: Counter[str] = Counter()
    # `fault` has refused entities
    parser = ElementTree.XMLParser(target=ElementTree.TreeBuilder(insert_comments=True, insert_pis=True))  # noqa: S314
    for element in ElementTree.fromstring(content, parser).iter():  # noqa: S314
        if not isinstance(element.tag, str):
            found[f"{'comment' if element.tag is ElementTree.Comment else 'instruction'} = {element.text}"] += 1
            continue
        values = {
            name: value
            for name, value in element.attrib.items()
            if not name.startswith(_RDF) and name not in _MEANS_NOTHING
        }
        resource = element.get(f"{_RDF}resource")
        if resource is not None or not any(isinstance(child.tag, str) for child in element):
            values[element.tag] = resource or "".join(element.itertext())
        for name, value in values.items():
            text = f"{name} = {' '.join(value.split())}"
            if value.strip() and name not in _RATING_KEYS and not name.startswith(_OURS) and text not in _KEYWORDS:
                found[text] += 1
    return found


def _existing(stem: str, photo: Path, folders: Folders | None) -> list[Path]:
    there = None if folders is None else folders.suffixes(os.path.dirname(photo), stem)  # noqa: PTH120
    if there is not None and ".xmp" not in there:
        return []
    found: list[Path] = []
    for path in (photo.with_name(stem + suffix) for suffix in (".xmp", ".XMP")):
        if path != photo and os.path.lexists(path) and not any(_same_file(path, other) for other in found):
            found.append(path)
    return found


def _same_file(first: Path, second: Path) -> bool:
    try:
        return os.path.samestat(first.lstat(), second.lstat())
    except FileNotFoundError:
        return False


def _rivals(photo: Path) -> bool:
    return bool(raws_beside(photo)) or (not is_raw(photo) and bool(pictures_beside(photo)))
