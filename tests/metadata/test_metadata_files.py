"""Replacing files: temporary names that tell whose they are, durable renames, litter of killed runs."""

import os
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aesth.metadata import ChangedError, files
from support.people import ordinary_user, public_folder

DAY = 24 * 3600


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def litter(folder: Path, process: int, *, host: str | None = None, age: float = 0, end: str = ".jpg") -> Path:
    _, own_host, _, token = files.temporary_name("jpg").removesuffix(".jpg").split("-")
    path = folder / f".aesth-{host or own_host}-{process}-{token}{end}"
    path.touch()
    now = path.stat().st_mtime
    os.utime(path, (now - age, now - age))
    return path


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    dead = dead_process()
    left = [litter(tmp_path, dead), litter(tmp_path, dead, end=".xmp_exiftool_tmp")]
    files.clean_litter(tmp_path)
    assert not any(path.exists() for path in left)


def test_what_a_running_one_uses_stays(tmp_path: Path) -> None:
    used = [litter(tmp_path, process, age=DAY * 2) for process in (os.getpid(), os.getppid(), 1)]
    files.clean_litter(tmp_path)
    assert all(path.exists() for path in used)


def test_that_of_another_machine_stays_for_a_day(tmp_path: Path) -> None:
    dead = dead_process()
    young = litter(tmp_path, dead, host="0123abcd", age=DAY / 2)
    old = litter(tmp_path, dead, host="0123abcd", age=DAY * 2)
    files.clean_litter(tmp_path)
    assert young.exists()
    assert not old.exists()


def test_nothing_else_is_removed(tmp_path: Path) -> None:
    dead = dead_process()
    names = [f".aesth-{dead}.jpg", f"aesth-00000000-{dead}-00000000.jpg", f".aesth-00000000-{dead}-000.jpg", ".aesth"]
    for name in names:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (0, 0))
    folder = litter(tmp_path, dead)
    folder.unlink()
    folder.mkdir()
    link = litter(tmp_path, dead)
    link.unlink()
    link.symlink_to(tmp_path / names[0])
    files.clean_litter(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*names, folder.name, link.name}


def test_private_folders_of_killed_runs_go_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    own = files.make_private_folder()
    _, host, process, token = own.name.split("-")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    killed = tmp_path / f"aesth-{host}-{dead_process()}-{token}"
    killed.mkdir()
    (killed / "d").symlink_to(tmp_path / "photos")
    other = tmp_path / f"aesth-{host}-{os.getppid()}-{token}"
    other.mkdir()
    second = files.make_private_folder()
    assert set(tmp_path.iterdir()) == {own, other, second, tmp_path / "photos"}
    assert (tmp_path / "photos" / "a.jpg").exists()
    assert int(process) == os.getpid()


def staged(folder: Path) -> files.Staged:
    destination, temporary = folder / "photo", folder / "new"
    destination.write_text("old")
    temporary.write_text("new")
    return files.Staged(temporary, destination, destination.stat())


def test_a_file_is_replaced(tmp_path: Path) -> None:
    item = staged(tmp_path)
    files.prepare([item])
    files.commit(item)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_a_file_that_changed_meanwhile_is_not(tmp_path: Path) -> None:
    item = staged(tmp_path)
    item.destination.write_text("by another program")
    with pytest.raises(ChangedError, match="changed"):
        files.commit(item)
    assert item.destination.read_text() == "by another program"


def test_permissions_and_names_that_a_file_got_meanwhile_count_as_a_change(tmp_path: Path) -> None:
    item = staged(tmp_path)
    item.destination.chmod(0o400)
    with pytest.raises(ChangedError):
        files.prepare([item])
    item = files.Staged(item.temporary, item.destination, item.destination.stat())
    files.prepare([item])
    os.link(item.destination, tmp_path / "snapshot")
    with pytest.raises(ChangedError):
        files.commit(item)


def test_a_new_file_does_not_replace_one_that_came_meanwhile(tmp_path: Path) -> None:
    item = staged(tmp_path)
    with pytest.raises(ChangedError, match="changed"):
        files.commit(files.Staged(item.temporary, item.destination, None))
    assert item.destination.read_text() == "old"


def test_nor_one_that_comes_at_the_very_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = staged(tmp_path)
    monkeypatch.setattr(files, "_check_unchanged", lambda *_: None)
    with pytest.raises(ChangedError, match="made this file"):
        files.commit(files.Staged(item.temporary, item.destination, None))
    assert item.destination.read_text() == "old"


@pytest.mark.parametrize("links", [True, False], ids=["links", "no links"])
def test_a_new_file_takes_its_place_on_every_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    item = staged(tmp_path)
    item.destination.unlink()
    if not links:
        monkeypatch.delattr(os, "link")
    files.commit(files.Staged(item.temporary, item.destination, None))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]
    assert item.destination.stat().st_nlink == 1


def test_a_folder_that_vanished_is_no_change_by_a_program(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    item = staged(tmp_path / "disk")
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    with pytest.raises(FileNotFoundError):
        files.prepare([item])
    with pytest.raises(FileNotFoundError):
        files.commit(item)
    files.discard([item])
    assert "vanished" in files.missing(item.destination)
    assert (tmp_path / "unplugged" / "photo").read_text() == "old"


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder in which everybody may write, as a family or a company has them."""
    if os.name != "posix" or os.getuid() != 0:
        pytest.skip("needs root to give a file away")
    with public_folder() as folder:
        folder.chmod(0o777)
        yield folder


def test_what_cannot_be_removed_any_more_is_left_to_the_next_start(shared: Path) -> None:
    item = staged(shared)
    shared.chmod(0o555)
    with ordinary_user():
        files.discard([item])
    assert item.temporary.exists()


def test_a_folder_that_may_not_be_listed_can_be_written_to(shared: Path) -> None:
    item = staged(shared)
    shared.chmod(0o333)
    with ordinary_user():
        item.temporary.unlink()
        item.temporary.write_text("new")
        files.prepare([item])
        files.commit(item)
    assert item.destination.read_text() == "new"


@pytest.mark.parametrize(("owner", "group"), [(1234, 0), (65534, 4321)], ids=["owner", "group"])
def test_a_file_is_never_given_to_somebody_else(shared: Path, owner: int, group: int) -> None:
    item = staged(shared)
    item.temporary.unlink()
    os.chown(item.destination, owner, group)
    with ordinary_user():
        item.temporary.write_text("new")
        with pytest.raises(files.NotKept, match="owner and group would change"):
            files.copy_attributes(item.destination, item.temporary, times=True)
    files.copy_attributes(item.destination, item.temporary, times=True)
    state = item.temporary.stat()
    assert (state.st_uid, state.st_gid) == (owner, group)


ACCESS, HANDED_DOWN = "system.posix_acl_access", "system.posix_acl_default"


def access_list(reader: int) -> bytes:
    """The owner and the user ``reader`` may read and write, nobody else; see acl(5) and linux/posix_acl_xattr.h."""
    everybody = 0xFFFFFFFF
    entries = [(1, 6, everybody), (2, 6, reader), (4, 0, everybody), (16, 6, everybody), (32, 0, everybody)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_access_lists_and_attributes_go_along_and_nobody_else_is_let_in(tmp_path: Path) -> None:
    listed, plain = tmp_path / "listed", tmp_path / "plain"
    for path in (listed, plain):
        path.touch()
        path.chmod(0o640)
    try:
        os.setxattr(listed, ACCESS, access_list(1234))
        os.setxattr(listed, "user.colour", b"red")
        os.setxattr(tmp_path, HANDED_DOWN, access_list(4321))
    except (AttributeError, OSError):
        pytest.skip("needs a disk with access lists and extended attributes")
    for source in (listed, plain):
        target = tmp_path / f"{source.name}-new"
        target.touch()
        assert ACCESS in os.listxattr(target)
        files.copy_attributes(source, target, times=True)
        for path in (source, target):
            assert {name: os.getxattr(path, name) for name in os.listxattr(path)} == (
                {ACCESS: access_list(1234), "user.colour": b"red"} if source == listed else {}
            )
        assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(source.stat().st_mode)


def test_attributes_that_a_disk_does_not_take_are_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    item = staged(tmp_path)
    try:
        os.setxattr(item.destination, "user.colour", b"red")
    except (AttributeError, OSError):
        pytest.skip("needs a disk with extended attributes")
    monkeypatch.setattr(shutil, "copystat", lambda *_: None)  # as it does where the disk refuses them
    with pytest.raises(files.NotKept, match="would be lost"):
        files.copy_attributes(item.destination, item.temporary, times=True)
