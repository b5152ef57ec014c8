"""What files said of their ratings is remembered: unchanged files are not opened, and nothing untrue is told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aesth.cache import ScoreCache
from aesth.errors import MetadataError, MissingDependencyError
from aesth.metadata import ChangedError, MetadataSession, RatingState
from support.metadata import DARKTABLE, NEW, exiftool, make_photo, process_of, rate_by_exiv2
from support.opened import files_opened


@pytest.fixture
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScoreCache]:
    with ScoreCache(tmp_path_factory.mktemp("memory") / "scores.sqlite") as opened:
        yield opened


@pytest.fixture(scope="module")
def plain() -> Iterator[MetadataSession]:
    """A session that remembers nothing: the oracle."""
    with MetadataSession() as opened:
        yield opened


@pytest.fixture
def library(tmp_path: Path) -> list[Path]:
    """Photos with and without ratings, sidecars of both styles, and a RAW with its JPEG."""
    photos = [make_photo(tmp_path / name) for name in ("a.jpg", "b.png", "c.jpg", "IMG_1.JPG")]
    photos += [tmp_path / "IMG_1.CR3", tmp_path / "d.CR2"]
    for raw in photos[-2:]:
        raw.write_bytes(b"II*\0")
    rate_by_exiv2(photos[0], 3)
    (tmp_path / "b.png.xmp").write_text(DARKTABLE.format(rating=2))
    (tmp_path / "d.xmp").write_text(DARKTABLE.format(rating=0))
    return photos


def complete(states: Iterator[object]) -> list[object]:
    """States with what does not count in comparing them."""
    return [asdict(state) if isinstance(state, RatingState) else str(state) for state in states]


def test_what_was_read_or_written_is_known_to_the_next_session(
    memory: ScoreCache, plain: MetadataSession, library: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MetadataSession(memory=memory) as first:
        before = complete(first.read(library))
        assert before == complete(plain.read(library))
        for photo in library[2:]:
            first.write(photo, NEW)
    with MetadataSession(memory=memory) as second:
        opened = files_opened(tmp_path, monkeypatch)
        now = complete(second.read(library))
        assert opened == set()
        fresh = complete(second.read(library, fresh=True))
        assert opened > set(library)
    assert now == fresh == complete(plain.read(library)) != before


CHANGES = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["rate", "sidecar", "unsidecar", "copy", "ours", "gone"]))
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(CHANGES, st.integers(1, 5))
def test_whatever_happens_to_the_files_it_tells_what_they_say(
    memory: ScoreCache,
    plain: MetadataSession,
    library: list[Path],
    changes: list[tuple[int, str]],
    stars: int,
) -> None:
    with MetadataSession(memory=memory) as session:
        list(session.read(library))
        for number, change in changes:
            photo = library[number]
            sidecar = photo.with_name(photo.name + ".xmp")
            if change == "rate" and photo.suffix.lower() in (".jpg", ".png") and photo.exists():
                rate_by_exiv2(photo, stars)
            elif change == "sidecar":
                sidecar.write_text(DARKTABLE.format(rating=stars))
            elif change == "unsidecar":
                sidecar.unlink(missing_ok=True)
            elif change == "copy" and photo.exists():
                shutil.copy2(library[0], photo) if photo != library[0] and library[0].exists() else None
            elif change == "ours" and photo.exists():
                session.write(photo, NEW)
            elif change == "gone":
                photo.unlink(missing_ok=True)
        assert complete(session.read(library)) == complete(plain.read(library))


def test_exiftool_is_started_only_where_there_is_something_to_open(memory: ScoreCache, library: list[Path]) -> None:
    with MetadataSession(memory=memory) as first:
        before = complete(first.read(library))
    with MetadataSession(memory=memory) as second:
        assert complete(second.read(library)) == before
        assert second.version == first.version
        assert second._open().exiftool._process is None
        second.write(library[2], NEW)
        assert process_of(second._open().exiftool).poll() is None


def test_another_exiftool_is_asked_itself(
    memory: ScoreCache, library: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = own_exiftool(tmp_path)
    with MetadataSession(program, memory=memory) as session:
        list(session.read(library))
    own_exiftool(tmp_path, "# another one")
    monkeypatch.setattr("aesth.metadata.session.check_version", lambda _: "99.9")
    with MetadataSession(program, memory=memory) as other:
        opened = files_opened(library[0].parent, monkeypatch)
        list(other.read(library))
        assert opened >= set(library)


def test_an_exiftool_that_was_exchanged_behind_a_script_is_noticed_when_it_starts(
    memory: ScoreCache, library: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = own_exiftool(tmp_path)
    with MetadataSession(program, memory=memory) as session:
        list(session.read(library))
    monkeypatch.setattr("aesth.metadata.session.check_version", lambda _: "99.9")
    with MetadataSession(program, memory=memory) as other:
        opened = files_opened(library[0].parent, monkeypatch)
        list(other.read(library))
        assert opened == set()
        list(other.read(library[:1], fresh=True))
        list(other.read(library))
        assert opened >= set(library)
    with MetadataSession(program, memory=memory) as third:
        assert third.version == "99.9"
        assert third._open().exiftool._process is None


def test_an_exiftool_that_turns_out_to_be_too_old_writes_nothing(
    memory: ScoreCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    program = own_exiftool(tmp_path)
    with MetadataSession(program, memory=memory) as session:
        list(session.read([photo]))
    before = photo.read_bytes()
    monkeypatch.setattr("aesth.metadata.exiftool.MINIMUM_VERSION", (99, 0))
    with MetadataSession(program, memory=memory) as other, pytest.raises(MissingDependencyError, match="too old"):
        other.write(photo, NEW)
    assert photo.read_bytes() == before


def own_exiftool(folder: Path, remark: str = "") -> str:
    """A script of our own that is replaced in its place, and starts the ExifTool that is installed."""
    script = folder / "exiftool-of-ours"
    script.write_text(f'#!/bin/sh\n{remark}\nexec exiftool "$@"\n')
    script.chmod(0o755)
    return str(script)


def test_a_sidecar_that_was_refused_is_refused_again(memory: ScoreCache, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    (tmp_path / "a.jpg.xmp").write_text("<x:xmpmeta")
    with MetadataSession(memory=memory) as session:
        for _ in range(2):
            (state,) = session.read([photo])
            assert isinstance(state, MetadataError)
            assert "damaged" in str(state)


def test_nothing_is_written_by_what_is_remembered_alone(memory: ScoreCache, tmp_path: Path) -> None:
    """A change that leaves no trace in a file's size, times and inode, as by a disk that keeps none of them."""
    photo = make_photo(tmp_path / "a.jpg")
    with MetadataSession(memory=memory) as session:
        (before,) = session.read([photo])
        assert isinstance(before, RatingState)
        session._known.note(photo, session._known.state(photo), {})
        rate_by_exiv2(photo, 5)
        session._known.note(photo, session._known.state(photo), {})
        (remembered,) = session.read([photo])
        assert remembered == before
        with pytest.raises(ChangedError, match="somebody rated"):
            session.write(photo, NEW, expected=before)
    assert exiftool("-s3", "-XMP-xmp:Rating", photo).strip() == "5"


def test_what_another_program_wrote_right_behind_us_is_not_taken_for_ours(
    memory: ScoreCache, plain: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    from aesth.metadata import files

    commit = files.commit

    def commit_and_rate(staged: files.Staged) -> None:
        commit(staged)
        rate_by_exiv2(staged.destination, 2)

    monkeypatch.setattr("aesth.metadata.session.files.commit", commit_and_rate)
    with MetadataSession(memory=memory) as session:
        session.write(photo, NEW)
        assert complete(session.read([photo])) == complete(plain.read([photo]))


def test_a_damaged_memory_is_no_memory(plain: MetadataSession, library: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "none.sqlite"
    file.write_bytes(b"no database" * 100)
    with ScoreCache(file) as memory, MetadataSession(memory=memory) as session:
        assert memory.failure is not None
        for _ in range(2):
            assert complete(session.read(library)) == complete(plain.read(library))
        assert process_of(session._open().exiftool).poll() is None
