"""An edit of XMP changes the keys it should, and nothing else: shown on documents of every shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.dom import minidom

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.metadata import Colour, Extras, NewRating, sidecars
from aesth.metadata.ratings import sidecar_values
from aesth.metadata.xmp import EMPTY, CannotEdit, edit
from support.metadata import DARKTABLE, NEW

XAP, RDF = "http://ns.adobe.com/xap/1.0/", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
ASIDES = (minidom.Node.COMMENT_NODE, minidom.Node.PROCESSING_INSTRUCTION_NODE)
OURS = {
    *((XAP, "Rating"), (XAP, "Label"), ("http://ns.acdsee.com/iptc/1.0/", "rating")),
    *(("http://ns.microsoft.com/photo/1.0", "Rating"), ("http://ns.microsoft.com/photo/1.0/", "Rating")),
    *(("http://www.digikam.org/ns/1.0/", name) for name in ("PickLabel", "ColorLabel", "TagsList")),
    ("http://ns.adobe.com/lightroom/1.0/", "hierarchicalSubject"),
    *(("urn:aesth:xmp/1.0/", name) for name in ("Score", "Rating", "Model", "Date")),
}
STARS = {"XMP-xmp:Rating": "4", "XMP-microsoft:RatingPercent": "75", "XMP-aesth:Rating": "4"}


def rest(content: bytes) -> list[object]:
    """A document as another parser sees it, but for our keys, for declarations of prefixes and for white space."""
    document = minidom.parseString(content)
    return list(_rest(document, 0))


def _rest(node: minidom.Node, depth_in_rdf: int) -> Iterator[object]:
    for child in node.childNodes:
        if child.nodeType == child.ELEMENT_NODE:
            depth = depth_in_rdf + 1 if depth_in_rdf or (child.namespaceURI, child.localName) == (RDF, "RDF") else 0
            if depth == 3 and (child.namespaceURI, child.localName) in OURS:
                asides = (aside for aside in child.childNodes if aside.nodeType in ASIDES)
                yield from ((aside.nodeType, aside.nodeName, aside.data.strip()) for aside in asides)
                continue
            attributes = [
                (a.namespaceURI, a.localName, a.value) for a in child.attributes.values() if a.prefix != "xmlns"
            ]
            mine = sorted(a for a in attributes if depth != 2 or a[:2] not in OURS)
            yield (child.namespaceURI, child.localName, mine, list(_rest(child, depth)))
        elif child.nodeType != child.TEXT_NODE or child.data.strip():
            yield child.nodeType, child.nodeName, child.data.strip()


def said(content: bytes) -> dict[tuple[str, str], list[str]]:
    """Our keys -> all that a document says of them, in either form."""
    found: dict[tuple[str, str], list[str]] = {}
    (rdf,) = minidom.parseString(content).getElementsByTagNameNS(RDF, "RDF")
    for description in (child for child in rdf.childNodes if child.nodeType == child.ELEMENT_NODE):
        for attribute in description.attributes.values():
            found.setdefault((attribute.namespaceURI, attribute.localName), []).append(attribute.value)
        for child in description.childNodes:
            if child.nodeType == child.ELEMENT_NODE:
                items = child.getElementsByTagNameNS(RDF, "li") or [child]
                texts = ["".join(part.data for part in item.childNodes if part.nodeType in (3, 4)) for item in items]
                found.setdefault((child.namespaceURI, child.localName), []).extend(texts)
    return {name: values for name, values in found.items() if name in OURS}


texts = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF), max_size=6)
values = texts.map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;"))
spaces = st.sampled_from([" ", "\n", "\n   ", "\t", "\r\n "])
asides = st.sampled_from(["", "", "<!-- kept -->", '<?kept by="me"?>', "<!-- <xmp:Rating>1</xmp:Rating> -->"])
declared = " ".join(
    f'xmlns:{prefix}="{namespace}"'
    for prefix, namespace in {
        "xmp": XAP,
        "dc": "http://purl.org/dc/elements/1.1/",
        "aesth": "urn:somebody/else",
        "ms": "http://ns.microsoft.com/photo/1.0/",
        "our": "urn:aesth:xmp/1.0/",
    }.items()
)
attributes = st.lists(
    st.tuples(st.sampled_from(["xmp:Rating", "ms:Rating", "xmp:Label", "our:Rating", "dc:source", "aesth:x"]), values),
    max_size=5,
    unique_by=lambda pair: pair[0],
)
elements = st.one_of(
    st.builds("<xmp:Rating>{}{}</xmp:Rating>".format, st.integers(0, 5), asides),
    st.just("<xmp:Rating/>"),
    st.just("<ms:Rating><![CDATA[50]]></ms:Rating>"),
    st.builds("<dc:title><rdf:Alt><rdf:li xml:lang='x-default'>{}</rdf:li></rdf:Alt></dc:title>".format, values),
    st.builds("<aesth:a rdf:parseType='Resource'><xmp:Rating>{}</xmp:Rating></aesth:a>".format, values),
    st.builds("<aesth:b><rdf:Description xmp:Rating='1'>{}</rdf:Description></aesth:b>".format, asides),
    asides,
)


@st.composite
def documents(draw: st.DrawFn) -> bytes:
    """XMP of one to three descriptions; ratings stand in attributes or elements, twice, nested or not at all."""
    descriptions = []
    for _ in range(draw(st.integers(1, 3))):
        space = draw(spaces)
        start = f'<rdf:Description{space}rdf:about=""' + "".join(
            f'{draw(spaces)}{name}{draw(st.sampled_from(["", " "]))}="{value}"' for name, value in draw(attributes)
        )
        inner = draw(st.lists(elements, max_size=4))
        text = space.join(["", *inner, ""])
        descriptions.append(
            f"{start}>{text}</rdf:Description >" if inner else f"{start}{draw(st.sampled_from(['', space]))}/>"
        )
    body = draw(asides).join(["", *descriptions, ""])
    wrapper = draw(st.sampled_from(["{}", "<x:xmpmeta xmlns:x='adobe:ns:meta/' x:xmptk='t'>{}</x:xmpmeta>"]))
    text = draw(asides) + wrapper.format(f"<rdf:RDF xmlns:rdf='{RDF}' {declared}>{body}</rdf:RDF>") + draw(asides)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    declaration = draw(st.sampled_from(["", f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")}"?>']))
    return (declaration + text).encode(encoding)


@given(documents())
def test_the_keys_are_said_once_and_all_else_is_as_it_was(content: bytes) -> None:
    edited = edit(content, STARS)
    assert rest(edited) == rest(content)
    before = said(content)
    after = said(edited)
    ms = next(name for name in after if name[0].startswith("http://ns.microsoft"))
    assert (after[XAP, "Rating"], after[ms], after["urn:aesth:xmp/1.0/", "Rating"]) == (["4"], ["75"], ["4"])
    assert after.get((XAP, "Label")) == before.get((XAP, "Label"))
    assert sidecars.fault(edited) == ""
    assert sidecars.lost(content, edited) == []


@given(documents())
def test_keys_are_taken_away_in_either_form(content: bytes) -> None:
    edited = edit(content, dict.fromkeys(STARS, ""))
    assert rest(edited) == rest(content)
    assert set(said(edited)) <= {(XAP, "Label")}


@given(documents())
def test_a_second_edit_finds_what_the_first_wrote(content: bytes) -> None:
    once = edit(content, STARS)
    assert edit(once, STARS) == once
    assert edit(edit(once, {**STARS, "XMP-xmp:Rating": "2"}), STARS) == once


@given(texts, st.booleans())
def test_any_text_comes_back(text: str, as_element: bool) -> None:
    content = DARKTABLE.format(rating=1).encode()
    if as_element:
        content = content.replace(b"<foreign:deep", b"<a:Model xmlns:a='urn:aesth:xmp/1.0/'/><foreign:deep")
    edited = edit(content, {"XMP-aesth:Model": text or "m"})
    assert said(edited)["urn:aesth:xmp/1.0/", "Model"] == [text or "m"]


def test_only_the_value_itself_changes_where_it_is_there() -> None:
    content = DARKTABLE.format(rating=1).encode()
    assert edit(content, {"XMP-xmp:Rating": "5"}) == DARKTABLE.format(rating=5).encode()


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "us-ascii", "utf-16"])
def test_the_encoding_stays_and_what_it_cannot_hold_is_written_by_number(encoding: str) -> None:
    content = DARKTABLE.format(rating=1).replace("UTF-8", encoding).encode(encoding)
    edited = edit(content, {"XMP-aesth:Model": "é ★"})
    assert f'encoding="{encoding}"' in edited.decode(encoding)
    assert said(edited)["urn:aesth:xmp/1.0/", "Model"] == ["é ★"]


ALL = Extras(Colour.GREEN, keyword=True, pick=True)
HAS_LISTS = EMPTY.replace(
    b"/>\n</rdf:RDF>",
    b""" xmlns:lr='http://ns.adobe.com/lightroom/1.0/' xmlns:d='http://www.digikam.org/ns/1.0/'>
 <lr:hierarchicalSubject><rdf:Bag>
  <rdf:li>a|b</rdf:li> <rdf:li>aesth|2 stars</rdf:li></rdf:Bag></lr:hierarchicalSubject>
 <d:TagsList><rdf:Seq/></d:TagsList>
</rdf:Description></rdf:RDF>""",
)


@pytest.mark.parametrize(("content", "others"), [(EMPTY, []), (HAS_LISTS, ["a|b"])])
def test_keywords_are_added_to_lists_that_are_there_or_are_new(content: bytes, others: list[str]) -> None:
    lists = (
        ("http://ns.adobe.com/lightroom/1.0/", "hierarchicalSubject"),
        ("http://www.digikam.org/ns/1.0/", "TagsList"),
    )
    old = {"XMP-lr:HierarchicalSubject": ["a|b", "aesth|2 stars"]} if others else {}
    edited = edit(content, sidecar_values(replace(NEW, extras=ALL), old))
    assert [said(edited)[name] for name in lists] == [[*others, "aesth|4 stars"], ["aesth/4 stars"]]
    assert sidecars.lost(content, edited) == []
    taken_back = edit(edited, sidecar_values(NEW, {"XMP-lr:HierarchicalSubject": ["aesth|4 stars"]}))
    assert said(taken_back).get(lists[0], []) == others


@pytest.mark.parametrize("form", ["<rdf:RDF xmlns:rdf='{}'/>", "<rdf:RDF xmlns:rdf='{}'><!-- kept --></rdf:RDF>"])
def test_xmp_without_a_description_gets_one(form: str) -> None:
    edited = edit(form.format(RDF).encode(), STARS)
    assert said(edited)[XAP, "Rating"] == ["4"]
    assert edited.count(b"kept") == form.count("kept")


@pytest.mark.parametrize(
    "inner",
    [
        "<xmp:Rating><rdf:Bag><rdf:li>3</rdf:li></rdf:Bag></xmp:Rating>",
        "<lr:hierarchicalSubject xmlns:lr='http://ns.adobe.com/lightroom/1.0/'>a|b</lr:hierarchicalSubject>",
    ],
)
def test_a_form_that_would_lose_something_is_refused(inner: str) -> None:
    content = DARKTABLE.format(rating=1).replace("<foreign:deep", f"{inner}<foreign:deep").encode()
    with pytest.raises(CannotEdit):
        edit(content, sidecar_values(NewRating(4, 50.0, "m", NEW.date, ALL), {}))


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"<a/>", b"<rdf:RDF", b"\xff\xfe<", b"<?xml version='1.0' encoding='x'?><a/>"]
)
def test_what_is_no_xmp_is_refused(content: bytes) -> None:
    with pytest.raises(CannotEdit):
        edit(content, STARS)


def test_what_a_person_sees_of_a_new_sidecar_is_plain() -> None:
    lines = edit(EMPTY, STARS).decode().splitlines()
    assert "  xmp:Rating='4'" in lines
    assert re.fullmatch(r"  aesth:Rating='4'/>", lines[-4])


def test_xmp_of_real_files_keeps_all_but_the_rating(data: Path) -> None:
    edited = 0
    for path in sorted(path for path in (data / "camera_files").rglob("*") if path.is_file()):
        content = path.read_bytes()
        is_sidecar = path.suffix == ".xmp"
        for packet in [content] if is_sidecar else re.findall(rb"<x:x[am]pmeta.*?</x:x[am]pmeta>", content, re.DOTALL):
            if sidecars.fault(packet):
                continue
            new = edit(packet, STARS)
            assert rest(new) == rest(packet), path.name
            assert said(new)[XAP, "Rating"] == ["4"], path.name
            assert sidecars.lost(packet, new) == [], path.name
            edited += 1
    assert edited >= 40
