"""Files are whole or not there at all, for all who write them: beside, on disk, then in place."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from aesth.replacing import replace_file, replacing


def training_replacing(path: Path) -> AbstractContextManager[Path]:
    files = pytest.importorskip("aesth.training.files")
    return files.replacing(path)  # type: ignore[no-any-return]


Replacing = Callable[[Path], AbstractContextManager[Path]]
ways = pytest.mark.parametrize("way", [replacing, training_replacing])


@ways
def test_a_file_takes_its_place_once_it_is_whole(tmp_path: Path, way: Replacing) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")
    with way(path) as partial:
        partial.write_text("now")
        assert (partial.parent, path.read_text()) == (tmp_path, "before")
    assert path.read_text() == "now"
    assert list(tmp_path.iterdir()) == [path]


@ways
def test_after_an_error_all_is_as_it_was(tmp_path: Path, way: Replacing) -> None:
    path = tmp_path / "file.txt"
    path.write_text("before")

    def fail() -> None:
        with way(path) as partial:
            partial.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_has_a_name_of_its_own_or_the_one_that_it_gives(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 246 + ".jpg")
    with replacing(path) as own, replacing(path, "given.partial") as given:
        assert (own.suffix, given.name) == (".jpg", "given.partial")
        own.touch()
        given.touch()


def test_a_text_is_replaced_as_utf_8(tmp_path: Path) -> None:
    replace_file(tmp_path / "file.txt", "★")
    assert (tmp_path / "file.txt").read_bytes() == "★".encode()


def test_a_training_makes_the_folder_and_tells_where_nothing_can_be_written(tmp_path: Path) -> None:
    from aesth import ConfigError

    with training_replacing(tmp_path / "new" / "file") as partial:
        partial.touch()
    assert (tmp_path / "new" / "file").is_file()
    inside = tmp_path / "new" / "file" / "inside"
    with pytest.raises(ConfigError, match="give another folder") as raised, training_replacing(inside):
        pass
    assert raised.value.path == inside
