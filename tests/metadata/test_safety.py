"""Photos whose disk, folder or owner stand in the way, or where ExifTool dies, are old or new, and whole."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aesth.errors import JournalError, MetadataError
from aesth.metadata import ChangedError, MetadataSession, RatingState
from aesth.undo import find_undoable, undo
from support.metadata import DARKTABLE, NEW, exiv2, make_photo, process_of, rate_by_exiv2
from support.moments import at_rename, before_commit
from support.people import NOBODY

needs_root = pytest.mark.skipif(
    not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root, to be another user as well"
)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MetadataSession]:
    with MetadataSession(journal=tmp_path_factory.mktemp("state") / "journal.sqlite") as opened:
        yield opened


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """A photo of some 250 kB."""
    pixels = np.random.default_rng(0).integers(0, 255, (400, 400, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "noise.jpg", quality=95)
    return tmp_path / "noise.jpg"


def contents(folder: Path, glob: str = "*") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob(glob)}


class TestHardLinks:
    def test_a_photo_of_several_names_gets_a_sidecar_which_is_told(
        self, session: MetadataSession, tmp_path: Path
    ) -> None:
        photo, told = make_photo(tmp_path / "a.jpg"), list[str]()
        os.link(photo, tmp_path / "snapshot.jpg")
        before = photo.read_bytes()
        assert session.write(photo, NEW, tell=told.append) == [tmp_path / "a.jpg.xmp"]
        assert told == [
            "it has other names (hard links), from which a write would part it: rated in a sidecar",
        ]
        assert photo.samefile(tmp_path / "snapshot.jpg")
        assert photo.read_bytes() == before
        assert exiv2(tmp_path / "a.jpg.xmp")["Xmp.xmp.Rating"] == "4"

    def test_a_sidecar_of_several_names_is_refused(self, session: MetadataSession, tmp_path: Path) -> None:
        photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
        sidecar.write_text(DARKTABLE.format(rating=1))
        os.link(sidecar, tmp_path / "snapshot")
        before = contents(tmp_path)
        with pytest.raises(MetadataError, match=r"hard links.* make it a file of its own") as caught:
            session.write(photo, NEW)
        assert caught.value.path == sidecar
        assert contents(tmp_path) == before

    def test_one_that_was_linked_since_is_not_parted_by_an_undo(self, session: MetadataSession, tmp_path: Path) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        session.begin_run()
        session.write(photo, NEW)
        os.link(photo, tmp_path / "snapshot.jpg")
        (outcome,) = undo(session, find_undoable(session))
        assert "hard links" in str(outcome.error)
        assert photo.samefile(tmp_path / "snapshot.jpg")
        (tmp_path / "snapshot.jpg").unlink()
        (outcome,) = undo(session, find_undoable(session))
        assert outcome.error is None


@needs_root
@pytest.mark.skipif(sys.platform != "linux", reason="needs setresuid")
class TestOwners:
    def test_what_would_become_ours_gets_a_sidecar_or_is_refused(self, unprivileged: Path) -> None:
        owners = {"theirs.jpg": (1234, 0), "group.jpg": (NOBODY, 4321), "ours.jpg": (NOBODY, 0)}
        for name, (owner, group) in owners.items():
            photo = make_photo(unprivileged / name)
            photo.chmod(0o664)
            give(photo, owner, group)
        sick = make_photo(unprivileged / "sick.jpg")
        sidecar = unprivileged / "sick.jpg.xmp"
        sidecar.write_text(DARKTABLE.format(rating=0))
        sidecar.chmod(0o664)
        give(sidecar, 1234, 0)
        read_only = make_photo(unprivileged / "read-only.jpg")
        read_only.chmod(0o444)
        before = contents(unprivileged)
        with MetadataSession() as session:
            for name in ("theirs.jpg", "group.jpg", "read-only.jpg"):
                assert session.write(unprivileged / name, NEW) == [unprivileged / f"{name}.xmp"]
            assert session.write(unprivileged / "ours.jpg", NEW) == [unprivileged / "ours.jpg"]
            with pytest.raises(MetadataError, match=r"owner and group would change .*: ask its owner") as caught:
                session.write(sick, NEW)
            assert caught.value.path == sidecar
        after = contents(unprivileged)
        assert {name for name in after if after[name] != before.get(name)} == {
            *("ours.jpg", "theirs.jpg.xmp", "group.jpg.xmp", "read-only.jpg.xmp"),
        }
        for name, owner in owners.items():
            state = (unprivileged / name).stat()
            assert (state.st_uid, state.st_gid) == owner

    def test_a_permission_or_a_disk_that_goes_amid_a_write(self, session: MetadataSession, unprivileged: Path) -> None:
        protected, unplugged, mount = (unprivileged / name for name in ("protected", "unplugged", "mount"))
        photos = []
        for folder in (protected, mount):
            folder.mkdir()
            photos += [make_photo(folder / name) for name in ("a.jpg", "b.jpg")]
        before = photos[0].read_bytes()
        os.seteuid(0)  # where only root may start this Python
        run = start(GOES_AMID, NOBODY, *photos, unplugged)
        os.seteuid(NOBODY)
        told = run.communicate(timeout=120)[0].decode().splitlines()
        assert run.returncode == 0
        assert [bool(line) for line in told] == [False, True, False, True, True]
        assert "cannot be written to" in told[1]
        assert told[1].endswith("change its permissions")
        for line in told[3:]:
            assert "the folder has vanished" in line
            assert line.endswith("is the disk still connected?")
        assert [len(list(folder.iterdir())) for folder in (protected, unplugged)] == [3, 3]
        protected.chmod(0o755)
        unplugged.rename(mount)
        assert [photo.read_bytes() == before for photo in photos] == [False, True, False, True]
        os.seteuid(0)
        for photo in photos:
            session.write(photo, NEW)
        states = list(session.read(photos))
        assert [state.rating for state in states if isinstance(state, RatingState)] == [4] * 4
        assert [sorted(contents(folder)) for folder in (protected, mount)] == [["a.jpg", "b.jpg"]] * 2


GOES_AMID = """
import os
os.setresuid(*[int(sys.argv[1])] * 3)
a, b, c, d, unplugged = map(Path, sys.argv[2:])
steps = [
    (a, lambda: None), (b, lambda: a.parent.chmod(0o555)),
    (c, lambda: None), (d, lambda: c.parent.rename(unplugged)), (c, lambda: None),
]
prepare = files.prepare
with MetadataSession() as session:
    for photo, goes in steps:
        files.prepare = lambda staged: (goes(), prepare(staged))
        try:
            session.write(photo, NEW)
            print()
        except files.MetadataError as error:
            print(error)
"""
"""What happens when the new content is ready, and is about to take the place of the old."""


def give(path: Path, owner: int, group: int) -> None:
    """Give a file away, as root, which this test has stepped down from."""
    os.seteuid(0)
    os.chown(path, owner, group)
    os.seteuid(NOBODY)


class TestFullDisk:
    def test_each_write_on_it_leaves_old_files_and_nothing_else(self, noise: Path) -> None:
        """ExifTool's of a photo, ours of sidecars that exist and that do not, and the journal's."""
        disk = noise.parent / "disk"
        disk.mkdir()

        def run() -> None:
            photo, small, raw = disk / "a.jpg", make_photo(disk / "b.jpg"), disk / "c.CR2"
            photo.write_bytes(noise.read_bytes())
            raw.write_bytes(b"II*\0")
            (disk / "b.jpg.xmp").write_text(DARKTABLE.format(rating=0))
            with MetadataSession(journal=disk / "journal.sqlite") as session:
                session.begin_run()
                (disk / "ballast").write_bytes(bytes(room(disk) - 100_000))
                before = contents(disk)
                with pytest.raises(MetadataError, match="nothing was written, as the disk may be full"):
                    session.write(photo, NEW)
                assert contents(disk) == before
                (disk / "more").write_bytes(bytes(room(disk)))
                before = contents(disk)
                for full in (small, raw):
                    with pytest.raises(MetadataError, match=r"disk (is|may be) full"):
                        session.write(full, NEW)
                    assert contents(disk) == before
                (disk / "ballast").unlink()
                assert session.write(photo, NEW) == [photo]
                assert sorted(session.write(small, NEW)) == [small, disk / "b.jpg.xmp"]
                (disk / "ballast").write_bytes(bytes(room(disk)))
                on_another = Path(shutil.copy(raw, noise.parent))
                with pytest.raises(JournalError, match=r"\(.*full\); nothing was written without it: free some space"):
                    session.write(on_another, NEW)
                assert set(contents(noise.parent, "c.*")) == {"c.CR2"}
                (disk / "ballast").unlink()
                assert session.write(on_another, NEW) == [noise.parent / "c.CR2.xmp"]

        on_small_disk(disk, run)

    def test_a_sidecar_that_is_cut_off_takes_no_place(self, session: MetadataSession, tmp_path: Path) -> None:
        resource = pytest.importorskip("resource")
        photo, sidecar = make_photo(tmp_path / "a.jpg"), tmp_path / "a.jpg.xmp"
        sidecar.write_text(DARKTABLE.format(rating=0))
        session.begin_run()
        before, limits = contents(tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, limits[1]))
        try:
            for where in (photo, make_photo(tmp_path / "b.gif")):
                before = contents(tmp_path)
                with pytest.raises(MetadataError, match=r"the disk is full .*: free some space, and run it again"):
                    session.write(where, NEW, sidecar=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert contents(tmp_path) == before


def room(disk: Path) -> int:
    free = os.statvfs(disk)
    return free.f_bavail * free.f_frsize


def on_small_disk(folder: Path, work: Callable[[], None]) -> None:
    """Do ``work`` where ``folder`` is a disk of a megabyte, which only a thread sees and which goes with it."""

    def run() -> None:
        mount_privately(folder)
        work()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(run).result()


def mount_privately(folder: Path) -> None:
    if sys.platform != "linux" or os.getuid() != 0:
        pytest.skip("needs root on Linux, to mount a small disk")
    new_namespace, recursive_and_private = 0x00020000, (1 << 14) | (1 << 18)
    library = ctypes.CDLL(None, use_errno=True)
    if (
        library.unshare(new_namespace)
        or library.mount(None, b"/", None, recursive_and_private, None)
        or library.mount(b"none", os.fsencode(folder), b"tmpfs", 0, b"size=1m")
    ):
        pytest.skip(f"no disk may be mounted here ({os.strerror(ctypes.get_errno())})")


@pytest.mark.skipif(sys.platform != "linux", reason="needs limits of other processes")
def test_a_write_in_which_exiftool_dies_is_done_by_another_once(session: MetadataSession, noise: Path) -> None:
    import resource

    list(session.read([noise]))
    workplace = session._open()
    first = process_of(workplace.exiftool)
    half = noise.stat().st_size // 2
    resource.prlimit(first.pid, resource.RLIMIT_FSIZE, (half, half))  # a signal kills who writes more
    with Image.open(noise) as image:
        pixels = np.asarray(image)
    assert session.write(noise, NEW) == [noise]
    assert first.poll() is not None
    assert process_of(workplace.exiftool).pid != first.pid
    assert list(session.read([noise])) == [RatingState(4, 4, 87.12, NEW.model)]
    with Image.open(noise) as image:
        assert np.array_equal(pixels, np.asarray(image))
    assert {path.name for path in noise.parent.iterdir()} == {"noise.jpg"}


class TestAtOnce:
    def test_what_another_program_writes_this_moment_stands_and_is_told(
        self, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo, raw = make_photo(tmp_path / "a.jpg"), tmp_path / "b.CR2"
        raw.write_bytes(b"II*\0")
        runs = session.open_journal().runs()
        session.begin_run()
        sidecar = tmp_path / "b.CR2.xmp"
        before_commit(
            monkeypatch,
            lambda: rate_by_exiv2(photo, 2),
            lambda: photo.chmod(0o600),
            lambda: sidecar.write_text(DARKTABLE.format(rating=5)),
        )
        for target in (photo, photo, raw):
            with pytest.raises(ChangedError, match="another program"):
                session.write(target, NEW)
        assert exiv2(photo)["Xmp.xmp.Rating"] == "2"
        assert sidecar.read_text() == DARKTABLE.format(rating=5)
        assert set(contents(tmp_path)) == {"a.jpg", "b.CR2", "b.CR2.xmp"}
        assert session.open_journal().runs() == runs

    def test_even_between_what_the_journal_was_told_and_the_rename(
        self, session: MetadataSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        photo, other = make_photo(tmp_path / "a.jpg"), make_photo(tmp_path / "b.jpg")
        (tmp_path / "b.jpg.xmp").write_text(DARKTABLE.format(rating=0))
        runs, before = session.open_journal().runs(), contents(tmp_path)
        session.begin_run()
        at_rename(monkeypatch, photo, lambda: photo.chmod(0o600))
        with pytest.raises(ChangedError, match="another program changed this file"):
            session.write(photo, NEW)
        assert session.open_journal().runs() == runs
        assert contents(tmp_path) == before
        at_rename(monkeypatch, other, lambda: other.chmod(0o600))
        with pytest.raises(MetadataError, match=r"another program .*; b\.jpg\.xmp was written already") as caught:
            session.write(other, NEW)
        assert not isinstance(caught.value, ChangedError)
        assert other.read_bytes() == before["b.jpg"]

    def test_a_photo_that_says_something_else_than_was_expected_is_left_alone(
        self, session: MetadataSession, tmp_path: Path
    ) -> None:
        photo = make_photo(tmp_path / "a.jpg")
        (state,) = session.read([photo])
        assert isinstance(state, RatingState)
        rate_by_exiv2(photo, 2)
        with pytest.raises(ChangedError, match="somebody rated"):
            session.write(photo, NEW, expected=state)
        assert exiv2(photo)["Xmp.xmp.Rating"] == "2"
        assert set(contents(tmp_path)) == {"a.jpg"}


RATE_ALL = """
with MetadataSession(journal=Path(sys.argv[1])) as session:
    print("ready", flush=True)
    sys.stdin.readline()
    for photo in map(Path, sys.argv[2:]):
        while (state := next(session.read([photo]))).rating != 4:
            with suppress(ChangedError):
                session.write(photo, NEW, expected=state)
"""


def test_two_runs_over_one_folder_at_once_lose_nothing(session: MetadataSession, tmp_path: Path) -> None:
    folder, journal = tmp_path / "photos", session.open_journal()
    folder.mkdir()
    photos = [make_photo(folder / f"{number}.jpg") for number in range(3)]
    raw = folder / "a.CR2"
    raw.write_bytes(b"II*\0")
    before = contents(folder)
    earlier = len(journal.runs())
    runs = [start(RATE_ALL, journal.path, raw, *photos) for _ in range(2)]
    for run in runs:
        assert run.stdout
        assert run.stdout.readline() == b"ready\n"
    for run in runs:
        assert run.stdin
        run.stdin.write(b"go\n")
        run.stdin.flush()
    for run in runs:
        run.communicate(timeout=120)
        assert run.returncode == 0
    assert set(contents(folder)) == {*before, "a.CR2.xmp"}
    assert all(isinstance(state, RatingState) and state.rating == 4 for state in session.read([raw, *photos]))
    for known in reversed(journal.runs()[earlier:]):
        assert all(outcome.error is None for outcome in undo(session, find_undoable(session, known.id)))
    assert contents(folder) == before


def start(code: str, *arguments: object) -> subprocess.Popen[bytes]:
    """A process of its own that does what ``code`` says."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", IMPORTS + code, *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)


IMPORTS = """
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from aesth.metadata import ChangedError, MetadataSession, NewRating, files
NEW = NewRating(4, 87.125, "base-int8 0123abcd", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
"""


def test_where_no_temporary_folder_can_be_made_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(MetadataError, match=r"no temporary folder can be made .*TMPDIR"), MetadataSession():
        pass
