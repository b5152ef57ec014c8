"""Nothing of a person's is replaced or mixed with unasked; what is there already is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from aesth import ConfigError
from aesth.occupied import refuse_occupied_file, refuse_occupied_folder


def test_where_nothing_is_anything_may_be_written(tmp_path: Path) -> None:
    refuse_occupied_file(tmp_path / "new.png", overwrite=False)
    refuse_occupied_folder(tmp_path / "new")
    refuse_occupied_folder(tmp_path)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_is_never_replaced_by_a_file(tmp_path: Path, overwrite: bool) -> None:
    with pytest.raises(ConfigError, match="is a folder") as raised:
        refuse_occupied_file(tmp_path, overwrite=overwrite)
    assert tmp_path.name in raised.value.message
    assert raised.value.path == tmp_path


@pytest.mark.parametrize("kind", ["file", "link to nothing"])
def test_a_file_is_replaced_only_when_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mine.png"
    path.touch() if kind == "file" else path.symlink_to("nothing")
    with pytest.raises(ConfigError, match="--overwrite") as raised:
        refuse_occupied_file(path, overwrite=False)
    assert path.name in raised.value.message
    assert raised.value.path == path
    refuse_occupied_file(path, overwrite=True)


def test_a_folder_in_which_something_lies_is_refused_with_advice(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    with pytest.raises(ConfigError, match=r"is not empty.*; take another one") as raised:
        refuse_occupied_folder(tmp_path, "take another one")
    assert tmp_path.name in raised.value.message
    with pytest.raises(ConfigError, match="cannot be used"):
        refuse_occupied_folder(tmp_path / "mine")
