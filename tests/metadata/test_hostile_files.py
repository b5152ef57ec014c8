"""Files made by people of ill will cost a line and little memory; nothing elsewhere is read or written for them.

Names that are attacks are in ``test_names.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from aesth.discover import find_photos
from aesth.errors import MetadataError
from aesth.metadata import MetadataSession, RatingState, sidecars, xmp
from support.camera import with_packet
from support.metadata import DARKTABLE, NEW, make_photo
from support.photos import png_chunk

SECRET = "what stands in another file"

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataSession]:
    with MetadataSession(journal=tmp_path_factory.mktemp("state") / "journal.sqlite") as opened:
        yield opened


def with_entity(declarations: str, entity: str) -> str:
    """XMP that says ``entity``, which its document type declares."""
    return (
        f"<?xml version='1.0'?><!DOCTYPE x [{declarations}]>"
        f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{RDF}'>"
        "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/'>"
        f"<dc:source>&{entity};</dc:source></rdf:Description></rdf:RDF></x:xmpmeta>"
    )


def attacks(secret: Path) -> dict[str, str]:
    """XMP that unfolds to gigabytes, or that takes in another file."""
    laughs = "".join(f"<!ENTITY a{level} '{f'&a{level - 1};' * 10}'>" for level in range(1, 10))
    return {
        "bomb": with_entity(f"<!ENTITY a0 '{'ha' * 100}'>{laughs}", "a9"),
        "file": with_entity(f"<!ENTITY a SYSTEM '{secret.as_uri()}'>", "a"),
        "parameter": with_entity(f"<!ENTITY % p SYSTEM '{secret.as_uri()}'> %p;", "a"),
    }


def test_xmp_with_entities_is_refused_beside_a_photo_and_left_alone_inside_one(
    session: MetadataSession, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    for name, packet in attacks(secret).items():
        beside, inside = (make_photo(tmp_path / f"{name}-{place}.jpg") for place in ("beside", "inside"))
        sidecar = tmp_path / f"{beside.name}.xmp"
        sidecar.write_text(packet)
        with pytest.raises(MetadataError, match="document type") as caught:
            session.write(beside, NEW)
        assert caught.value.path == sidecar
        assert sidecar.read_text() == packet
        inside.write_bytes(with_packet(inside.read_bytes(), packet.encode()))
        before = inside.read_bytes()
        assert session.write(inside, NEW) == [tmp_path / f"{inside.name}.xmp"]
        assert inside.read_bytes() == before
        (state,) = session.read([inside])
        assert isinstance(state, RatingState)
        assert state.rating == NEW.rating
    assert [path for path in tmp_path.iterdir() if SECRET in path.read_bytes().decode("latin-1")] == [secret]


def test_xmp_that_makes_parsers_run_away_is_refused(tmp_path: Path) -> None:
    start = f"<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='{RDF}'><rdf:Description "
    end = "</rdf:Description></rdf:RDF></x:xmpmeta>"
    path = tmp_path / "a.xmp"
    for text, told in {
        start + ">" + "<a>" * 30_000 + "</a>" * 30_000 + end: "nested too deeply",
        start + " ".join(f"xmlns:p{number}='u'" for number in range(30_000)) + ">" + end: "too many namespaces",
    }.items():
        path.write_text(text)
        with pytest.raises(MetadataError, match=told):
            sidecars.check(path)
    with path.open("wb") as file:  # takes no room on the disk
        file.write(DARKTABLE.format(rating=1).encode())
        file.truncate(1 << 40)
    with pytest.raises(MetadataError, match="larger than"):
        sidecars.check(path)


def test_a_rating_that_is_said_very_often_is_changed_at_once() -> None:
    rating = "\n <xmp:Rating>1</xmp:Rating>"
    content = (
        DARKTABLE.format(rating=1)
        .replace('xmp:Rating="1"', "")
        .replace("<foreign:deep", rating * 3000 + "<foreign:deep")
    )
    edited = xmp.edit(content.encode(), {"XMP-xmp:Rating": "4"})
    assert edited == content.encode().replace((rating * 3000).encode(), rating.replace("1", "4").encode())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the memory of another process cannot be limited")
@pytest.mark.parametrize("to_write", [False, True])
def test_metadata_that_unfolds_to_gigabytes_fails_for_that_photo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to_write: bool
) -> None:
    sound, bomb = make_photo(tmp_path / "a.png"), tmp_path / "b.png"
    packed = zlib.compressobj(1)
    text = b"Comment\0\0" + b"".join([packed.compress(bytes(1 << 20)) for _ in range(100)]) + packed.flush()
    end = b"\0\0\0\0IEND"
    bomb.write_bytes(sound.read_bytes().replace(end, png_chunk(b"zTXt", text) + end))
    assert bomb.stat().st_size < 1 << 20
    monkeypatch.setattr("aesth.metadata.process.MEMORY", 150 << 20)
    with MetadataSession() as session:
        found = list(session.read([sound, bomb, sound], to_write=to_write))
    assert [type(one) for one in found] == [RatingState, MetadataError, RatingState]
    assert "ended unexpectedly" in str(found[1])


BOMBS = Path(__file__).parents[1] / "support" / "bombs.py"


def test_pictures_that_claim_a_giant_size_fail_in_little_memory(tmp_path: Path) -> None:
    """In a process of its own, whose memory is what it is for this alone."""
    if sys.platform == "win32":
        pytest.skip("memory is not told here")
    command = [sys.executable, str(BOMBS), str(tmp_path)]
    path = os.pathsep.join([str(BOMBS.parents[1]), *filter(None, sys.path)])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": path}, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    *refusals, megabytes = done.stdout.splitlines()
    assert len(refusals) == 6
    assert all(" more " in refusal and "pixels" in refusal for refusal in refusals), refusals
    assert float(megabytes) < 100


def tree(folder: Path) -> dict[str, bytes | str]:
    """All below a folder: what files hold and where links lead."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_nothing_is_written_outside_of_what_is_given_and_where_its_links_lead(
    session: MetadataSession, tmp_path: Path
) -> None:
    given, linked, elsewhere = (tmp_path / name for name in ("given", "linked", "elsewhere"))
    for folder in (given, linked, elsewhere, linked / "folder"):
        folder.mkdir()
    make_photo(given / "own.jpg")
    (given / "link.jpg").symlink_to(make_photo(linked / "far.jpg"))
    make_photo(linked / "folder" / "inside.jpg")
    (given / "folder").symlink_to(linked / "folder")
    for place in (elsewhere, linked):
        (place / "raw.CR2").write_bytes(b"II*\0")
        make_photo(place / "bystander.jpg")
    (given / "raw.CR2").symlink_to(linked / "raw.CR2")
    traps = ("trap.jpg", "dangling.jpg")
    for name in traps:
        make_photo(given / name)
    (elsewhere / "target.xmp").write_text(DARKTABLE.format(rating=1))
    (given / "trap.jpg.xmp").symlink_to(elsewhere / "target.xmp")
    (given / "dangling.jpg.xmp").symlink_to(elsewhere / "to-be-made.xmp")
    before = tree(tmp_path)
    for photo in find_photos([given]):
        with pytest.raises(MetadataError, match="symbolic link") if photo.name in traps else nullcontext():
            session.write(photo, NEW)
    after = tree(tmp_path)
    changed = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    assert changed == {"given/own.jpg", "linked/far.jpg", "linked/folder/inside.jpg", "given/raw.CR2.xmp"}
