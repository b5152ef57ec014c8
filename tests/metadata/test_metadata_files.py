"""Replacing files: temporary names that tell whose they are, durable renames, litter of killed runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aesth.errors import MetadataError
from aesth.metadata import files

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
    files.commit(staged(tmp_path))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["new"]


def test_a_file_that_changed_meanwhile_is_not(tmp_path: Path) -> None:
    item = staged(tmp_path)
    item.destination.write_text("by another program")
    with pytest.raises(MetadataError, match="changed"):
        files.commit(item)
    assert item.destination.read_text() == "by another program"


def test_a_new_file_does_not_replace_one_that_came_meanwhile(tmp_path: Path) -> None:
    item = staged(tmp_path)
    with pytest.raises(MetadataError, match="changed"):
        files.commit(files.Staged(item.temporary, item.destination, None))
    assert item.destination.read_text() == "old"
