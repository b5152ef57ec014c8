"""Names are data: none of a photo or a folder becomes an argument, an option, a command, or another file."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aesth.metadata import MetadataSession, RatingState
from support.metadata import NEW, make_photo

EVIL = [
    b"\n-XMP-xmp:Rating=1\n-overwrite_original\n",
    b"-execute\n",
    b"\n-stay_open\nFalse\n",
    b"-ver",
    b"--",
    b"@args",
    b"-@",
    b"#[CSTR]-ver\\n",
    b"{ready1}\n",
    b"=0=post000001\n",
    b"; touch PWNED;",
    b"#comment",
    b"%d%f%e",
    b"$(touch PWNED)",
    b"`touch PWNED`",
    b"touch PWNED|",
    b"|touch PWNED",
    b"'; touch PWNED; '",
    b'"',
    b"\\",
    b" spaces \t\r",
    b"\xff\xfe not UTF-8",
    "\u202egnp.ü€".encode(),
    b"x" * 246,
    b"x" * 125 + b"\n" + b"\xff" * 120,
    b"*",
    b"[a]",
    b"&amp;<x>",
]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="other systems forbid such names")

name_parts = st.binary(min_size=1, max_size=60).filter(lambda name: not set(b"/\0") & set(name))


@pytest.fixture(scope="module")
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as opened:
        yield opened


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_photo(tmp_path_factory.mktemp("picture") / "a.jpg").read_bytes()


def everything(folder: Path) -> dict[bytes, bytes]:
    """All files below a folder with their content."""
    return {os.fsencode(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check(session: MetadataSession, root: Path, name: bytes, picture: bytes) -> None:
    photo = root / os.fsdecode(name)
    photo.write_bytes(picture)
    bystander = root / "bystander.jpg"
    bystander.write_bytes(picture)
    before = everything(root)
    assert session.write(photo, NEW) == [photo]
    after = everything(root)
    assert {path for path in after if before.get(path) != after[path]} == {name}
    assert set(after) == set(before)
    rated, untouched = session.read([photo, bystander])
    assert isinstance(rated, RatingState)
    assert rated.rating == NEW.rating
    assert untouched == RatingState()


@pytest.mark.parametrize("name", EVIL)
def test_photos_of_evil_names(session: MetadataSession, tmp_path: Path, name: bytes, picture: bytes) -> None:
    check(session, tmp_path, name + b".jpg", picture)
    assert not Path("PWNED").exists()


@pytest.mark.parametrize("name", EVIL)
def test_folders_of_evil_names(
    session: MetadataSession, tmp_path: Path, name: bytes, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / os.fsdecode(name)
    folder.mkdir()
    photo = folder / "a.CR2"
    photo.write_bytes(b"II*\0")
    assert session.write(photo, NEW) == [folder / "a.CR2.xmp"]
    monkeypatch.chdir(folder)
    Path("-b.jpg").write_bytes(picture)
    assert session.write(Path("-b.jpg"), NEW) == [folder / "-b.jpg"]
    assert {entry.name for entry in folder.iterdir()} == {"a.CR2", "a.CR2.xmp", "-b.jpg"}


@example(b".jpg")
@example(b"\n.")
@given(name_parts)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_name(
    session: MetadataSession, tmp_path_factory: pytest.TempPathFactory, picture: bytes, name: bytes
) -> None:
    check(session, tmp_path_factory.mktemp("any"), name + b".jpg", picture)


def test_a_name_too_long_for_a_sidecar_is_refused_clearly(session: MetadataSession, tmp_path: Path) -> None:
    from aesth.errors import MetadataError

    photo = tmp_path / ("x" * 251 + ".CR2")
    photo.write_bytes(b"II*\0")
    with pytest.raises(MetadataError, match="nothing was written"):
        session.write(photo, NEW)
    assert [entry.name for entry in tmp_path.iterdir()] == [photo.name]
