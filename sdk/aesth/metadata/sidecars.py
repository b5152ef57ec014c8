"""The XMP files beside a photo: which there are, whose they are, and whether they are sound."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from aesth.errors import MetadataError
from aesth.metadata.formats import RAW_EXTENSIONS, is_raw

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_RATING_KEYS = frozenset(
    {
        "{http://ns.adobe.com/xap/1.0/}Rating",
        "{http://ns.microsoft.com/photo/1.0}Rating",
        "{http://ns.microsoft.com/photo/1.0/}Rating",
        "{http://www.digikam.org/ns/1.0/}PickLabel",
        "{http://ns.acdsee.com/iptc/1.0/}rating",
        "{adobe:ns:meta/}xmptk",
    }
)
_OURS = "{urn:aesth:xmp/1.0/}"


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


def default_path(photo: Path) -> Path:
    """Where a new sidecar of ``photo`` goes: ``IMG.CR2.xmp``, the style of darktable and digiKam."""
    return photo.with_name(photo.name + ".xmp")


def find(photo: Path) -> list[Sidecar]:
    """The sidecars that ``photo`` has, the one that wins first: ``IMG.CR2.xmp``, then Adobe's ``IMG.xmp``."""
    own = _existing([photo.name + ".xmp", photo.name + ".XMP"], photo)
    adobe = _existing([photo.stem + ".xmp", photo.stem + ".XMP"], photo) if photo.suffix else []
    shared = bool(adobe) and not is_raw(photo) and _has_raw_sibling(photo)
    return [*map(Sidecar, own), *(Sidecar(path, shared) for path in adobe)]


def check(path: Path) -> None:
    """Refuse a sidecar that is not sound: rewriting it would lose what a person put there.

    Raises:
        MetadataError: it is no well-formed XMP, declares entities, is a symbolic link, or cannot be read.
    """
    if path.is_symlink():
        raise MetadataError("this sidecar is a symbolic link, which is not followed; replace it by the file", path)
    seen: set[str] = set()
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartElementHandler = lambda name, _attributes: seen.add("{" + name)
    parser.StartDoctypeDeclHandler = lambda *_: _refuse(path, "it has a document type, which XMP never has")
    try:
        with path.open("rb") as file:
            parser.ParseFile(file)
    except expat.ExpatError as error:
        _refuse(path, str(error))
    except (OSError, ValueError, LookupError) as error:
        _refuse(path, getattr(error, "strerror", None) or str(error))
    if f"{_RDF}RDF" not in seen:
        _refuse(path, "it holds no rdf:RDF")


def lost(old: Path, new: Path) -> list[str]:
    """Names of the properties that a sidecar had and its rewriting lacks, but for the keys that we write.

    RDF may say the same by attributes or by elements, in any order: what counts are names and values.
    """
    return sorted((_values(old) - _values(new)).keys())


def _values(path: Path) -> Counter[str]:
    found: Counter[str] = Counter()
    for element in ElementTree.parse(path).iter():  # noqa: S314 - `check` has refused entities
        values = {name: value for name, value in element.attrib.items() if not name.startswith(_RDF)}
        resource = element.get(f"{_RDF}resource")
        if resource is not None or not len(element):
            values[element.tag] = resource or element.text or ""
        for name, value in values.items():
            if value.strip() and name not in _RATING_KEYS and not name.startswith(_OURS):
                found[f"{name} = {' '.join(value.split())}"] += 1
    return found


def _refuse(path: Path, reason: str) -> None:
    raise MetadataError(
        f"this sidecar is damaged ({reason}); it was left as it is: repair it, or move it away to start anew", path
    )


def _existing(names: list[str], photo: Path) -> list[Path]:
    found: list[Path] = []
    for path in (photo.with_name(name) for name in names):
        if path != photo and os.path.lexists(path) and not any(_same_file(path, other) for other in found):
            found.append(path)
    return found


def _same_file(first: Path, second: Path) -> bool:
    try:
        return os.path.samestat(first.lstat(), second.lstat())
    except FileNotFoundError:
        return False


def _has_raw_sibling(photo: Path) -> bool:
    stem = photo.stem
    return any(os.path.lexists(photo.with_name(stem + end)) for raw in RAW_EXTENSIONS for end in (raw, raw.upper()))
