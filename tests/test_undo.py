"""A run is taken back: each photo says again what it said before, unless a person spoke since; whatever happens."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from aesth.errors import JournalError
from aesth.metadata import Colour, Extras, MetadataSession, RatingState
from aesth.metadata.journal import State
from aesth.metadata.ratings import values_of
from aesth.metadata.sidecars import lost
from aesth.tagging import Action, Outcome
from aesth.undo import find_undoable, undo
from support.camera import with_packet
from support.metadata import (
    DARKTABLE,
    EMBEDDED,
    NEW,
    OUR_KEYS,
    differences,
    exiv2,
    frames,
    make_photo,
    make_rich_photos,
    rate_by_exiv2,
    rate_by_hand,
    tags,
    tags_below,
)
from support.moments import before_commit
from support.photos import encode, scene

PICK = "XMP-digiKam:PickLabel"
BEFORE = (
    (),
    ("-XMP-xmp:Rating=2", "-IFD0:Rating=2", f"-{PICK}=3"),
    ("-XMP-xmp:Rating=-1", f"-{PICK}=1"),
    ("-IFD0:RatingPercent=50", "-XMP-acdsee:Rating=3", "-XMP-xmp:Rating=0"),
    ("-XMP-xmp:Rating=2", "-XMP-aesth:Rating=2", "-XMP-aesth:Score=31.40", "-XMP-aesth:Model=older & <wiser>"),
)
"""Ways in which a photo may have been rated before we come."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataSession]:
    with MetadataSession(journal=tmp_path_factory.mktemp("state") / "journal.sqlite") as opened:
        yield opened


def write(session: MetadataSession, *photos: Path, stars: int = 4, sidecar: bool = False) -> int:
    """A run that gives ``stars`` to ``photos``, and its number."""
    session.begin_run()
    for photo in photos:
        session.write(photo, replace(NEW, rating=stars), sidecar=sidecar)
    run = session.open_journal().last()
    assert run is not None
    return run


def undone(session: MetadataSession, run: int | None = None, *paths: Path, dry_run: bool = False) -> list[Outcome]:
    return list(undo(session, find_undoable(session, run, paths), dry_run=dry_run))


def actions(outcomes: list[Outcome]) -> list[Action]:
    return [outcome.action for outcome in outcomes]


def state(session: MetadataSession, path: Path) -> RatingState:
    (found,) = session.read([path])
    assert isinstance(found, RatingState), found
    return found


def rating_tags(found: dict[str, Any]) -> dict[str, Any]:
    """Tags that say a rating, or that we write."""
    return {key: value for key, value in found.items() if key in OUR_KEYS | {PICK, "XMP-acdsee:Rating"}}


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_kind_of_photo_says_again_what_it_said_before(session: MetadataSession, tmp_path: Path) -> None:
    photos = make_rich_photos(*(tmp_path / f"{number}.{kind}" for number, kind in enumerate(EMBEDDED)))
    for number, photo in enumerate(photos):
        if by_hand := BEFORE[number % len(BEFORE)]:
            rate_by_hand(photo, *by_hand)
    before, pixels = tags_below(tmp_path), {photo: frames(photo) for photo in photos}
    old = list(session.read(photos))
    times = [photo.stat().st_mtime_ns for photo in photos]
    write(session, *photos)
    outcomes = undone(session)
    assert [photo.stat().st_mtime_ns for photo in photos] == times
    after = tags_below(tmp_path)
    for photo in photos:
        assert rating_tags(after[photo]) == rating_tags(before[photo]), photo
        assert differences(before[photo], after[photo]) == set(), photo
        assert all(map(np.array_equal, frames(photo), pixels[photo]))
    assert list(session.read(photos)) == old
    assert [outcome.path for outcome in outcomes] == photos[::-1]
    for outcome, was in zip(reversed(outcomes), old, strict=True):
        assert isinstance(was, RatingState)
        assert (outcome.action, outcome.old_rating, outcome.rating) == (Action.WRITTEN, 4, was.rating)
        assert outcome.score == was.our_score


@pytest.mark.parametrize("stars", [3, -1])
def test_a_photo_without_metadata_comes_back_to_the_byte(session: MetadataSession, tmp_path: Path, stars: int) -> None:
    photos = [make_photo(tmp_path / "a.jpg"), make_photo(tmp_path / "b.png")]
    before = bytes_of(tmp_path)
    write(session, *photos, stars=stars)
    assert bytes_of(tmp_path) != before
    undone(session)
    assert bytes_of(tmp_path) == before


texts = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=1, max_size=8)
percents = st.sampled_from(["1", "25", "50", "75", "99", "100"])
keywords = st.lists(st.sampled_from(["places|sea", "aesth|1 star", "aesth|4 stars", "aesth", "stars"]), unique=True)
said = st.fixed_dictionaries(
    {},
    optional={
        "xmp:Rating": st.integers(-1, 5).map(str),
        "xmp:Label": st.one_of(st.sampled_from(["Red", "Green"]), texts),
        "acdsee:rating": st.integers(0, 5).map(str),
        "ms:Rating": percents,
        "digiKam:PickLabel": st.integers(0, 3).map(str),
        "digiKam:ColorLabel": st.integers(0, 9).map(str),
        "aesth:Rating": st.integers(-1, 5).map(str),
        "aesth:Score": st.just("31.40"),
        "aesth:Model": texts,
        "lr:hierarchicalSubject": keywords,
        "digiKam:TagsList": keywords,
        "dc:source": texts,
    },
)
"""What XMP may say before we come: keys that we write and one that we do not."""

PREFIXES = {
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "acdsee": "http://ns.acdsee.com/iptc/1.0/",
    "ms": "http://ns.microsoft.com/photo/1.0",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "aesth": "urn:aesth:xmp/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def xmp_that_says(what: dict[str, str | list[str]]) -> bytes:
    """An XMP packet; text as attributes and lists as bags."""
    single = "".join(f" {name}={quoteattr(text)}" for name, text in what.items() if isinstance(text, str))
    bags = "".join(
        f"<{name}><rdf:Bag>{''.join(f'<rdf:li>{item}</rdf:li>' for item in items)}</rdf:Bag></{name}>"
        for name, items in what.items()
        if isinstance(items, list)
    )
    declared = "".join(f" xmlns:{prefix}='{namespace}'" for prefix, namespace in PREFIXES.items())
    return (
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
        f"<rdf:Description rdf:about=''{declared}{single}>{bags}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


@example(inside={"digiKam:TagsList": ["places|sea"]}, beside=None, exif=None, stars=-1, extras=Extras(), sidecar=False)
@given(
    inside=st.none() | said,
    beside=st.none() | said,
    exif=st.none() | st.integers(0, 5),
    stars=st.sampled_from([-1, 1, 4]),
    extras=st.builds(Extras, st.sampled_from([None, Colour.RED]), keyword=st.booleans(), pick=st.booleans()),
    sidecar=st.booleans(),
)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_was_said_of_a_photo_is_said_again(
    session: MetadataSession,
    tmp_path_factory: pytest.TempPathFactory,
    inside: dict[str, str | list[str]] | None,
    beside: dict[str, str | list[str]] | None,
    exif: int | None,
    stars: int,
    extras: Extras,
    sidecar: bool,
) -> None:
    folder = tmp_path_factory.mktemp("said")
    photo, xmp = folder / "a.jpg", folder / "a.jpg.xmp"
    tag = Image.Exif()
    if exif is not None:
        tag[0x4746] = exif
    photo.write_bytes(encode(scene(), exif=tag))
    if inside is not None:
        photo.write_bytes(with_packet(photo.read_bytes(), xmp_that_says(inside)))
    if beside is not None:
        xmp.write_bytes(xmp_that_says(beside))
    files, bytes_before = sorted(folder.iterdir()), bytes_of(folder)
    before, old = told(session, files), state(session, photo)
    session.begin_run()
    session.write(photo, replace(NEW, rating=stars, extras=extras), sidecar=sidecar)
    (outcome,) = undone(session)
    assert (outcome.action, outcome.rating, outcome.score) == (Action.WRITTEN, old.rating, old.our_score)
    assert told(session, files) == before
    assert sorted(folder.iterdir()) == files
    if beside is not None:
        assert lost(bytes_before[xmp.name], xmp.read_bytes()) == []


def told(session: MetadataSession, files: list[Path]) -> list[dict[str, Any]]:
    """What each of the files says of its rating, and of something else."""
    found = session._open().read_tags(files, ["XMP-dc:Source"])
    return [{**values_of(tags or {}), "source": (tags or {}).get("XMP-dc:Source")} for tags in found]


def test_marks_go_with_the_stars_and_those_of_a_person_stay(session: MetadataSession, tmp_path: Path) -> None:
    photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
    rate_by_hand(photo, "-XMP-lr:HierarchicalSubject=places|sea", "-XMP-lr:HierarchicalSubject=aesth|1 star")
    sidecar.write_text(DARKTABLE.format(rating=0))
    before, xmp = rating_tags(tags(photo)), exiv2(sidecar)
    session.begin_run()
    session.write(photo, replace(NEW, extras=Extras(Colour.GREEN, keyword=True, pick=True)))
    marked = tags(photo)
    assert marked["XMP-lr:HierarchicalSubject"] == ["places|sea", "aesth|4 stars"]
    assert (marked["XMP-xmp:Label"], marked[PICK]) == ("Green", 3)
    assert actions(undone(session)) == [Action.WRITTEN]
    after = tags(photo)
    assert set(after["XMP-lr:HierarchicalSubject"]) == {"places|sea", "aesth|1 star"}
    assert not {"XMP-xmp:Label", "XMP-digiKam:ColorLabel", "XMP-digiKam:TagsList"} & set(after)
    assert (rating_tags(after), exiv2(sidecar)) == (before, xmp)


def test_a_second_undo_changes_nothing(session: MetadataSession, tmp_path: Path) -> None:
    photo, raw = make_photo(tmp_path / "a.jpg"), tmp_path / "b.CR2"
    raw.write_bytes(b"II*\0")
    run = write(session, photo, raw)
    assert actions(undone(session)) == [Action.WRITTEN] * 2
    before, runs = bytes_of(tmp_path), len(session.open_journal().runs())
    for again in (None, run):
        assert actions(undone(session, again)) == [Action.SKIPPED] * 2
    assert bytes_of(tmp_path) == before
    assert len(session.open_journal().runs()) == runs


def test_a_dry_run_tells_the_same_and_changes_nothing(session: MetadataSession, tmp_path: Path) -> None:
    photo, raw = make_photo(tmp_path / "a.jpg"), tmp_path / "b.CR2"
    rate_by_hand(photo, "-XMP-xmp:Rating=2")
    raw.write_bytes(b"II*\0")
    write(session, photo, raw)
    before = bytes_of(tmp_path)
    told = undone(session, dry_run=True)
    assert bytes_of(tmp_path) == before
    assert actions(told) == [Action.SCORED] * 2
    assert [replace(outcome, action=Action.SCORED) for outcome in undone(session)] == told


class TestSidecars:
    def test_one_of_ours_goes_and_the_photo_stays(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        rate_by_hand(photo, "-XMP-xmp:Rating=2")
        before = bytes_of(tmp_path)
        write(session, photo, sidecar=True)
        assert actions(undone(session)) == [Action.WRITTEN]
        assert bytes_of(tmp_path) == before

    def test_one_of_ours_that_another_program_uses_since_stays_with_the_old_rating(
        self, session: MetadataSession, tmp_path: Path
    ) -> None:
        photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
        rate_by_hand(photo, "-XMP-xmp:Rating=2")
        write(session, photo, sidecar=True)
        rate_by_hand(sidecar, "-XMP-dc:Title=mine")
        assert actions(undone(session)) == [Action.WRITTEN]
        found = tags(sidecar)
        assert found["XMP-dc:Title"] == "mine"
        assert rating_tags(found) == {"XMP-xmp:Rating": 2}

    def test_an_edit_history_stays(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
        sidecar.write_text(DARKTABLE.format(rating=1))
        before = exiv2(sidecar), photo.read_bytes()
        write(session, photo)
        assert actions(undone(session)) == [Action.WRITTEN]
        assert (exiv2(sidecar), photo.read_bytes()) == before

    def test_one_that_a_person_removed_is_not_missed(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        write(session, photo, sidecar=True)
        (tmp_path / "a.jpg.xmp").unlink()
        assert actions(undone(session)) == [Action.SKIPPED]

    def test_one_made_since_by_who_rated_there_is_heard(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        write(session, photo)
        (tmp_path / "a.jpg.xmp").write_text(DARKTABLE.format(rating=1))
        before = bytes_of(tmp_path)
        (outcome,) = undone(session)
        assert (outcome.action, outcome.rating) == (Action.KEPT, 1)
        assert bytes_of(tmp_path) == before


class TestSince:
    def test_a_persons_rating_stands_and_is_told(self, session: MetadataSession, tmp_path: Path) -> None:
        rated, other = make_photo(tmp_path / "rated.jpg"), make_photo(tmp_path / "other.jpg")
        write(session, rated, other)
        rate_by_hand(rated, "-XMP-xmp:Rating=1")
        before = rated.read_bytes()
        kept = {outcome.path: outcome for outcome in undone(session)}
        assert kept[other].action is Action.WRITTEN
        assert (kept[rated].action, kept[rated].rating, kept[rated].old_rating) == (Action.KEPT, 1, 1)
        assert "changed since" in str(kept[rated].error)
        assert rated.read_bytes() == before

    def test_everything_else_may_change_and_stays_changed(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        write(session, photo)
        rate_by_hand(photo, "-XMP-dc:Title=mine", f"-{PICK}=3", "-XMP-acdsee:Rating=4", "-IFD0:Artist=me")
        assert actions(undone(session)) == [Action.WRITTEN]
        found = tags(photo)
        assert (found["XMP-dc:Title"], found["IFD0:Artist"]) == ("mine", "me")
        assert set(rating_tags(found)) == {PICK}

    def test_a_later_run_is_undone_first(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, raw = make_photo(tmp_path / "a.jpg"), tmp_path / "b.CR2"
        raw.write_bytes(b"II*\0")
        before = bytes_of(tmp_path)
        first, second = write(session, photo, raw), write(session, photo, raw, stars=2)
        told = undone(session, first)
        assert actions(told) == [Action.KEPT] * 2
        assert f"run {second} rated it since" in str(told[0].error)
        assert actions(undone(session, second)) == [Action.WRITTEN] * 2
        assert state(session, photo).rating == 4
        assert actions(undone(session, first)) == [Action.WRITTEN] * 2
        assert bytes_of(tmp_path) == before

    def test_a_photo_that_a_run_wrote_twice_comes_back_at_once(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, raw = make_photo(tmp_path / "a.jpg"), tmp_path / "b.CR2"
        raw.write_bytes(b"II*\0")
        before = bytes_of(tmp_path)
        write(session, photo, raw)
        for written in (photo, raw):
            session.write(written, replace(NEW, rating=2))
        assert actions(undone(session)) == [Action.WRITTEN] * 2
        assert bytes_of(tmp_path) == before

    def test_a_photo_that_is_gone_or_protected_fails_and_the_others_do_not(
        self, session: MetadataSession, tmp_path: Path
    ) -> None:
        gone, protected, other = (make_photo(tmp_path / name) for name in ("gone.jpg", "protected.jpg", "other.jpg"))
        write(session, gone, protected, other)
        gone.unlink()
        protected.chmod(0o444)
        told = {outcome.path: outcome for outcome in undone(session)}
        assert "moved or renamed" in str(told[gone].error)
        assert "protected" in str(told[protected].error)
        assert [told[photo].action for photo in (gone, protected, other)] == [
            Action.FAILED,
            Action.FAILED,
            Action.WRITTEN,
        ]
        protected.chmod(0o644)
        assert actions(undone(session, None, protected)) == [Action.WRITTEN]

    def test_what_another_program_writes_at_the_very_moment_stands(
        self, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rated, titled = make_photo(tmp_path / "a.jpg"), make_photo(tmp_path / "b.jpg")
        write(session, rated, titled)
        before_commit(
            monkeypatch,
            lambda: subprocess.run(["exiv2", "-M", "set Xmp.dc.title mine", titled], check=True),
            lambda: None,
            lambda: rate_by_exiv2(rated, 2),
        )
        told = {outcome.path: outcome for outcome in undone(session)}
        assert (told[rated].action, told[rated].rating) == (Action.KEPT, 2)
        assert told[titled].action is Action.WRITTEN
        assert "mine" in exiv2(titled)["Xmp.dc.title"]
        assert "Xmp.xmp.Rating" not in exiv2(titled)


def test_only_what_is_named_is_undone(session: MetadataSession, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    paths = [tmp_path / "a.jpg", tmp_path / "b.CR2", tmp_path / "sub" / "c.jpg", tmp_path / "sub" / "d.jpg"]
    a, b, c, d = map(make_photo, [paths[0], tmp_path / "b.tif", *paths[2:]])
    b = b.rename(paths[1])
    run = write(session, a, b, c, d)
    foreign = make_photo(tmp_path / "foreign.jpg")
    assert [(one.path, one.action) for one in undone(session, run, tmp_path / "sub", foreign)] == [
        (d, Action.WRITTEN),
        (c, Action.WRITTEN),
        (foreign, Action.FAILED),
    ]
    assert [one.path for one in undone(session, run, tmp_path / "b.CR2.xmp")] == [b]
    assert [state(session, path).rating for path in (a, b, c, d)] == [4, None, None, None]


def test_what_is_no_run_is_told(session: MetadataSession, tmp_path: Path) -> None:
    photo = make_photo(tmp_path / "a.jpg")
    write(session, photo)
    undone(session)
    last = session.open_journal().runs()[-1]
    with pytest.raises(JournalError, match="an undo itself"):
        find_undoable(session, last.id)
    with pytest.raises(JournalError, match="no run 999"):
        find_undoable(session, 999)
    with MetadataSession(journal=tmp_path / "empty.sqlite") as other, pytest.raises(JournalError, match="no run to"):
        find_undoable(other)


def test_a_full_disk_stops_a_run_before_what_could_not_be_undone(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    photos = [make_photo(tmp_path / f"{number}.jpg") for number in range(20)]
    before = photos[0].read_bytes()
    assert len(before) < 10_000
    with MetadataSession(journal=tmp_path / "state" / "journal.sqlite") as session:
        session.begin_run()
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))
        written: list[Path] = []
        try:
            with pytest.raises(JournalError, match="nothing was written without it"):
                written.extend(photo for photo in photos if session.write(photo, NEW))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert 0 < len(written) < len(photos)
        assert [photo for photo in photos if photo.read_bytes() != before] == written
        assert actions(undone(session)) == [Action.WRITTEN] * len(written)
    assert {photo.read_bytes() for photo in photos} == {before}
    assert {path.name for path in tmp_path.iterdir()} == {"state", *(photo.name for photo in photos)}


def killed_amid(path: Path, state: State) -> None:
    """Make a journal say that the program was killed when all its changes were in ``state``."""
    dead = subprocess.Popen([sys.executable, "-S", "-c", ""])
    dead.wait()
    database = sqlite3.connect(path)
    with database:
        database.execute("UPDATE runs SET process = ?", [dead.pid])
        database.execute("UPDATE entries SET state = ?, undone_by = run", [state.value])
    database.close()


@pytest.mark.parametrize(
    ("left", "never_happened"), [(State.PLANNED, None), (State.UNDOING, State.UNDONE)], ids=["write", "undo"]
)
def test_what_a_killed_program_left_open_is_settled_by_looking(
    tmp_path: Path, left: State, never_happened: State | None
) -> None:
    journal, folder = tmp_path / "journal.sqlite", tmp_path / "folder"
    folder.mkdir()
    new, old, unplugged = map(make_photo, [tmp_path / "a.jpg", tmp_path / "b.jpg", folder / "c.jpg"])
    raw, raw_without = tmp_path / "d.CR2", tmp_path / "e.CR2"
    for photo in (raw, raw_without):
        photo.write_bytes(b"II*\0")
    before = old.read_bytes()
    with MetadataSession(journal=journal) as session:
        run = write(session, new, old, unplugged, raw, raw_without)
    killed_amid(journal, left)
    old.write_bytes(before)
    (tmp_path / "e.CR2.xmp").unlink()
    folder.rename(tmp_path / "away")
    with MetadataSession(journal=journal) as session:
        found = {entry.photo: entry.state for entry in session.open_journal().entries(run)}
    open_ones = {new: State.DONE, raw: State.DONE, unplugged: left}
    assert found == open_ones | (dict.fromkeys([old, raw_without], never_happened) if never_happened else {})


RUN = """
import sys
from pathlib import Path
from support.metadata import NEW
from aesth.metadata import MetadataSession
from aesth.undo import find_undoable, undo
with MetadataSession(journal=Path(sys.argv[1])) as session:
    print("ready", flush=True)
    while True:
        session.begin_run()
        for name in sys.argv[2:]:
            session.write(Path(name), NEW)
        for _ in undo(session, find_undoable(session)):
            pass
"""


@pytest.mark.skipif(os.name == "nt", reason="needs kill -9")
def test_whatever_kills_runs_and_undos_all_can_be_taken_back(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    photos = [make_photo(tmp_path / "photos" / name) for name in ("a.jpg", "b.jpg")]
    raw, sidecar = tmp_path / "photos" / "c.CR2", tmp_path / "photos" / "b.jpg.xmp"
    raw.write_bytes(b"II*\0")
    sidecar.write_text(DARKTABLE.format(rating=1))
    before, history = bytes_of(tmp_path / "photos"), exiv2(sidecar)
    journal = tmp_path / "journal.sqlite"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}
    for after in (0.05, 0.3, 0.5):
        command = [sys.executable, "-c", RUN, journal, *photos, raw]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
            assert process.stdout
            process.stdout.readline()
            time.sleep(after)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        with MetadataSession(journal=journal) as session:
            if session.open_journal().last() is None:
                continue
            for run in reversed(session.open_journal().runs()):
                if run.undoes is None:
                    assert set(actions(undone(session, run.id))) <= {Action.WRITTEN, Action.SKIPPED}
            states = {
                entry.state for run in session.open_journal().runs() for entry in session.open_journal().entries(run.id)
            }
            assert states <= {State.UNDONE}
            session.tidy(tmp_path / "photos")  # of what a run left that was killed before it had anything to undo
            now = bytes_of(tmp_path / "photos")
            assert exiv2(sidecar) == history
            assert {**now, sidecar.name: b""} == {**before, sidecar.name: b""}
