"""Lists of paths: one a line or NUL-terminated, each as soon as it is there."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.cli.inputs import PathList, listed_paths
from aesth.errors import ConfigError

names = st.binary(min_size=1, max_size=60).filter(lambda name: not {0, ord("/")} & set(name) and name != b".")


@given(st.lists(names), st.booleans())
def test_nul_terminated_paths_are_read_back_with_and_without_the_last_end(items: list[bytes], ended: bool) -> None:
    text = b"\0".join(items) + (b"\0" if ended and items else b"")
    assert list(PathList(io.BytesIO(text), null=True)) == [Path(os.fsdecode(item)) for item in items]


@given(st.lists(names.filter(lambda name: b"\n" not in name)))
def test_paths_one_a_line_are_read_back_and_empty_lines_passed_over(items: list[bytes]) -> None:
    text = b"\n\n".join(items)
    assert list(PathList(io.BytesIO(text), null=False)) == [Path(os.fsdecode(item)) for item in items]


def test_a_path_is_there_before_the_list_ends() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"first.jpg\nsec")
    with os.fdopen(reading, "rb") as stream:
        paths = iter(PathList(stream, null=False))
        assert next(paths) == Path("first.jpg")
        os.write(writing, b"ond.jpg\n")
        assert next(paths) == Path("second.jpg")
        os.close(writing)
        assert list(paths) == []


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--files-from"):
        list(listed_paths(str(tmp_path / "none"), null=False))
