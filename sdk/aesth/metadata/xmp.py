"""Editing XMP as text: each byte that does not say a rating stays, comments and unknown elements among them."""

from __future__ import annotations

import codecs
import re
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from xml.parsers import expat

from aesth.metadata.ratings import KEYWORD_KEYS, our_keywords

Name = tuple[str, str]
"""Namespace, without a slash at its end, since programs disagree on that; and local name."""

EMPTY = (
    b"<?xpacket begin='\xef\xbb\xbf' id='W5M0MpCehiHzreSzNTczkc9d'?>\n"
    b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>\n"
    b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\n"
    b" <rdf:Description\n  rdf:about=''/>\n"
    b"</rdf:RDF>\n"
    b"</x:xmpmeta>\n"
    b"<?xpacket end='w'?>\n"
)
"""A sidecar that says nothing yet."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"

NAMESPACES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "XMP-xmp": ("xmp", "http://ns.adobe.com/xap/1.0/"),
        "XMP-acdsee": ("acdsee", "http://ns.acdsee.com/iptc/1.0/"),
        "XMP-microsoft": ("MicrosoftPhoto", "http://ns.microsoft.com/photo/1.0"),
        "XMP-digiKam": ("digiKam", "http://www.digikam.org/ns/1.0/"),
        "XMP-lr": ("lr", "http://ns.adobe.com/lightroom/1.0/"),
        "XMP-xmpNote": ("xmpNote", "http://ns.adobe.com/xmp/note/"),
        "XMP-aesth": ("aesth", "urn:aesth:xmp/1.0/"),
    }
)
"""ExifTool's groups -> the prefix that is usual, and the namespace."""

_LOCAL_NAMES = {
    "XMP-microsoft:RatingPercent": "Rating",
    "XMP-acdsee:Rating": "rating",
    "XMP-lr:HierarchicalSubject": "hierarchicalSubject",
}
_LISTS = ("Bag", "Seq", "Alt")
_CONTAINERS = {"XMP-digiKam:TagsList": "Seq"}
"""Lists that are no Bag."""

_START_TAG = re.compile(rb"<([^\s/>]+)((?:\s+[^\s=]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(/?)>")
_ATTRIBUTE = re.compile(rb"(\s+)([^\s=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_ASIDE = re.compile(rb"<!--.*?-->|<\?.*?\?>", re.DOTALL)
_DECLARED = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


class CannotEdit(ValueError):  # noqa: N818 - an answer
    """The XMP says a key in a form that cannot be changed without losing something."""


def edit(content: bytes, values: Mapping[str, str]) -> bytes:
    """``content``, a whole XMP file or packet, with ``values`` in it and every other byte as it was.

    ``values`` are by ExifTool's names, empty where a key must go, and may name keys of EXIF, which are passed over. A
    property that is there is changed where it stands, whether as an attribute or as an element; a new one becomes an
    attribute of the first ``rdf:Description``. The encoding is kept.

    Raises:
        CannotEdit: this is no XMP, or a property to change has parts of its own.
    """
    mark, encoding = _encoding(content)
    try:
        text = content[len(mark) :].decode(encoding).encode()
        edited = _Editor(text).with_values(values)
        return mark + edited.decode().encode(encoding, "xmlcharrefreplace")
    except (UnicodeError, LookupError, expat.ExpatError) as error:
        raise CannotEdit(str(error)) from error


def name_of(key: str) -> Name:
    """The XMP name of ExifTool's ``key``, such as ``XMP-xmp:Rating``."""
    group, _, tag = key.partition(":")
    return _bare(NAMESPACES[group][1]), _LOCAL_NAMES.get(key, tag)


def _encoding(content: bytes) -> tuple[bytes, str]:
    """The byte order mark, or nothing, and the encoding of a file."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return mark, encoding
    declared = _DECLARED.match(content)
    return b"", declared[1].decode() if declared else "utf-8"


@dataclass(frozen=True)
class _Attribute:
    """An attribute in a start tag; positions are of bytes. ``start`` is before the white space in front of it."""

    name: Name
    start: int
    value_start: int
    value_end: int
    space: bytes

    @property
    def end(self) -> int:
        return self.value_end + 1


@dataclass
class _Element:
    """An element: its start tag is ``start`` to ``tag_end``, its end tag ``close`` to ``end``.

    Of an empty tag ``<a/>``, ``close``, ``tag_end`` and ``end`` are the same. An attribute can be added at ``room``.
    """

    name: Name
    written: bytes
    start: int
    room: int
    tag_end: int
    empty: bool
    scope: ChainMap[str, str]
    attributes: list[_Attribute]
    children: list[_Element] = field(default_factory=list)
    close: int = 0
    end: int = 0


class _Editor:
    """One XMP text in UTF-8, and the replacements that have been found so far."""

    def __init__(self, text: bytes) -> None:
        rdf = _find_rdf(text)
        if not rdf.children:
            text = _with_description(text, rdf)
            rdf = _find_rdf(text)
        self._text = text
        self._descriptions = [child for child in rdf.children if child.name == (RDF, "Description")]
        if not self._descriptions:
            raise CannotEdit("it holds no rdf:Description")
        self._edits: list[tuple[int, int, bytes]] = []
        self._new_attributes: list[tuple[str, str]] = []
        self._new_elements: list[bytes] = []
        self._scope = dict(self._descriptions[0].scope)

    def with_values(self, values: Mapping[str, str]) -> bytes:
        """The text with ``values`` in it."""
        for key, value in values.items():
            if key in KEYWORD_KEYS:
                self._set_item(key, value, our_keywords(key))
            elif key.startswith("XMP-"):
                self._set(key, _iso_date(value) if key.endswith(":Date") else value)
        self._insert()
        parts, at = [], 0
        for start, end, new in sorted(self._edits):
            parts += [self._text[at:start], new]
            at = end
        return b"".join([*parts, self._text[at:]])

    def _set(self, key: str, value: str) -> None:
        """Change the first of what says ``key``, and remove the others; without any, add an attribute."""
        name = name_of(key)
        attributes = [a for description in self._descriptions for a in description.attributes if a.name == name]
        elements = self._elements(name)
        for attribute in attributes:
            if value and attribute is attributes[0]:
                self._edits.append((attribute.value_start, attribute.value_end, _escaped(value)))
            else:
                self._edits.append((attribute.start, attribute.end, b""))
        for element in elements:
            if element.children:
                raise CannotEdit(f"{key} has parts of its own")
            if value and not attributes and element is elements[0]:
                self._set_content(element, value)
            else:
                self._remove(element)
        if value and not attributes and not elements:
            self._new_attributes.append((self._prefixed(key), value))

    def _set_content(self, element: _Element, value: str) -> None:
        if element.empty:
            tail = b">" + _escaped(value) + b"</" + element.written + b">"
            self._edits.append((element.room, element.tag_end, tail))
        else:
            asides = b"".join(_ASIDE.findall(self._text[element.tag_end : element.close]))
            self._edits.append((element.tag_end, element.close, _escaped(value) + asides))

    def _remove(self, element: _Element) -> None:
        """Take an element away with the white space before it, but for the comments in it."""
        start = self._before_space(element.start)
        asides = b"".join(_ASIDE.findall(self._text[element.tag_end : element.close]))
        self._edits.append((start, element.end, asides))

    def _set_item(self, key: str, item: str, ours: Iterable[str]) -> None:
        """Have ``item``, if any, be the only one of ``ours`` in the list that ``key`` is."""
        name = name_of(key)
        if any(attribute.name == name for description in self._descriptions for attribute in description.attributes):
            raise CannotEdit(f"{key} is no list")
        elements = self._elements(name)
        if any([child.name[1] in _LISTS for child in element.children] != [True] for element in elements):
            raise CannotEdit(f"{key} is no list")
        present = {self._text_of(one) for element in elements for one in element.children[0].children}
        is_new = bool(item) and item not in present
        for element in elements:
            extended = is_new and element is elements[0]
            self._drop_items(element, set(ours) - {item}, keep_empty=extended)
            if extended:
                self._extend(element.children[0], item)
        if is_new and not elements:
            self._new_list(key, item)

    def _drop_items(self, element: _Element, dropped: set[str], *, keep_empty: bool) -> None:
        """Take items out of a list; the whole property, where they were all that it held."""
        items = element.children[0].children
        gone = [item for item in items if not item.children and self._text_of(item) in dropped]
        if gone and len(gone) == len(items) and not keep_empty:
            self._remove(element)
            return
        for item in gone:
            self._remove(item)

    def _extend(self, bag: _Element, item: str) -> None:
        li = self._rdf_name("li", bag)
        if bag.empty:
            tail = b">" + _item(item, li, b"") + b"</" + bag.written + b">"
            self._edits.append((bag.room, bag.tag_end, tail))
        else:
            end = bag.children[-1].end if bag.children else bag.tag_end
            first = bag.children[0].start if bag.children else bag.tag_end
            space = self._text[self._before_space(first) : first]
            self._edits.append((end, end, _item(item, li, space)))

    def _new_list(self, key: str, item: str) -> None:
        first = self._descriptions[0]
        name, bag = self._prefixed(key).encode(), self._rdf_name(_CONTAINERS.get(key, "Bag"), first)
        inner = _item(item, self._rdf_name("li", first), b"")
        self._new_elements.append(b"\n<%b><%b>%b</%b></%b>" % (name, bag, inner, bag, name))

    def _insert(self) -> None:
        """Put the new attributes and elements into the first description."""
        first = self._descriptions[0]
        space = first.attributes[-1].space if first.attributes else b" "
        new = b"".join(b"%b%b='%b'" % (space, name.encode(), _escaped(value)) for name, value in self._new_attributes)
        if new:
            self._edits.append((first.room, first.room, new))
        if self._new_elements and first.empty:
            slash = self._text.rindex(b"/", first.room, first.tag_end)
            tail = b">" + b"".join(self._new_elements) + b"\n</" + first.written + b">"
            self._edits.append((slash, first.tag_end, tail))
        elif self._new_elements:
            end = self._before_space(first.close)
            self._edits.append((end, end, b"".join(self._new_elements)))

    def _before_space(self, at: int) -> int:
        """Where the white space begins that ends ``at``."""
        while at and self._text[at - 1 : at].isspace():
            at -= 1
        return at

    def _prefixed(self, key: str) -> str:
        """The name of a new property, with the prefix that its namespace has here, or gets."""
        group = key.partition(":")[0]
        usual, namespace = NAMESPACES[group]
        known = (p for p, found in self._scope.items() if p and _bare(found) == _bare(namespace))
        prefix = next(known, None)
        if prefix is None:
            free = (f"{usual}{number or ''}" for number in range(len(self._scope) + 1))
            prefix = next(name for name in free if name not in self._scope)
            self._scope[prefix] = namespace
            self._new_attributes.append((f"xmlns:{prefix}", namespace))
        return f"{prefix}:{name_of(key)[1]}"

    def _rdf_name(self, local: str, inside: _Element) -> bytes:
        prefix = next(p for p, found in inside.scope.items() if found == RDF)
        return (f"{prefix}:{local}" if prefix else local).encode()

    def _elements(self, name: Name) -> list[_Element]:
        return [child for description in self._descriptions for child in description.children if child.name == name]

    def _text_of(self, element: _Element) -> str:
        found: list[str] = []
        parser = expat.ParserCreate("utf-8")
        parser.CharacterDataHandler = found.append
        parser.Parse(b"<a>" + self._text[element.tag_end : element.close] + b"</a>", True)
        return "".join(found)


def _parse(text: bytes) -> _Element:
    """The root of a well-formed text, with the positions of all elements."""
    parser = expat.ParserCreate("utf-8")
    parser.ordered_attributes = True
    outside = _Element(("", ""), b"", 0, 0, 0, False, ChainMap({"": ""}), [])
    stack = [outside]

    def start(name: str, attributes: list[str]) -> None:
        element = _start(text, parser.CurrentByteIndex, name, attributes, stack[-1].scope)
        stack[-1].children.append(element)
        stack.append(element)

    def end(_name: str) -> None:
        element = stack.pop()
        at = element.tag_end if element.empty else parser.CurrentByteIndex
        element.close = at
        element.end = at if element.empty else text.index(b">", at) + 1

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.Parse(text, True)
    return outside.children[0]


def _start(text: bytes, at: int, name: str, values: list[str], scope: ChainMap[str, str]) -> _Element:
    tag = _START_TAG.match(text, at)
    if tag is None:
        raise CannotEdit("a start tag cannot be understood")
    pairs = list(zip(values[::2], values[1::2], strict=True))
    declared = {key[6:]: value for key, value in pairs if key == "xmlns" or key.startswith("xmlns:")}
    inner = scope.new_child(declared) if declared else scope
    found = list(_ATTRIBUTE.finditer(text, tag.start(2), tag.end(2)))
    attributes = []
    for (key, _), match in zip(pairs, found, strict=True):
        group = 3 if match[3] is not None else 4
        attributes.append(
            _Attribute(_resolved(key, inner, ""), match.start(), match.start(group), match.end(group), match[1])
        )
    resolved = _resolved(name, inner, inner.get("", ""))
    return _Element(resolved, tag[1], at, tag.end(2), tag.end(), bool(tag[3]), inner, attributes)


def _resolved(name: str, scope: Mapping[str, str], default: str) -> Name:
    prefix, colon, local = name.rpartition(":")
    return (_bare(scope.get(prefix, "")) if colon else _bare(default)), local


def _find_rdf(text: bytes) -> _Element:
    waiting = [_parse(text)]
    while waiting:
        element = waiting.pop()
        if element.name == (RDF, "RDF"):
            return element
        waiting.extend(reversed(element.children))
    raise CannotEdit("it holds no rdf:RDF")


def _with_description(text: bytes, rdf: _Element) -> bytes:
    """``text`` with an empty ``rdf:Description`` in its ``rdf``, which has none."""
    prefix, colon, _ = rdf.written.rpartition(b":")
    if not colon:
        raise CannotEdit("it holds no rdf:Description")
    description = b"<%b:Description %b:about=''/>" % (prefix, prefix)
    if rdf.empty:
        return text[: rdf.room] + b">" + description + b"</" + rdf.written + b">" + text[rdf.end :]
    return text[: rdf.tag_end] + description + text[rdf.tag_end :]


def _bare(namespace: str) -> str:
    return namespace.rstrip("/")


def _item(item: str, li: bytes, space: bytes) -> bytes:
    return b"%b<%b>%b</%b>" % (space, li, _escaped(item), li)


def _escaped(value: str) -> bytes:
    for character, reference in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&apos;")):
        value = value.replace(character, reference)
    for character in "\t\n\r":  # which parsers take for spaces in attributes
        value = value.replace(character, f"&#{ord(character)};")
    return value.encode()


def _iso_date(value: str) -> str:
    """A date as XMP has it, of one as ExifTool has it."""
    return f"{value[:10].replace(':', '-')}T{value[11:]}" if value else ""
