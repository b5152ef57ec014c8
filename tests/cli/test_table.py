"""Rows for people: stars, score, action, name, notes; and no name that commands the terminal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aesth.cli import table
from aesth.cli.text import printable
from aesth.errors import DecodeError
from aesth.tagging import Action, Outcome

names = st.binary(min_size=1, max_size=100).filter(lambda name: not {0, ord("/")} & set(name)).map(os.fsdecode)


def plain(outcome: Outcome, *, ascii_only: bool = False) -> str:
    return table.row(outcome, ascii_only=ascii_only).plain.rstrip()


@given(names)
def test_a_name_is_shown_on_one_line_without_control_characters(name: str) -> None:
    text = plain(Outcome(Path("folder", name), 50.0, 3, None, Action.SCORED))
    assert len(text.splitlines()) == 1
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text)
    text.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_names_are_shown_as_they_are(name: str) -> None:
    assert printable(name) == name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\nb", r"a\nb"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u2028b", r"a\u2028b"),
        (os.fsdecode(b"a\xffb"), r"a\xffb"),
        ("a\x9bb", r"a\x9bb"),
        ("[red]a[/red]", "[red]a[/red]"),
    ],
)
def test_what_could_command_or_confuse_a_terminal_is_escaped(name: str, shown: str) -> None:
    assert printable(name) == shown


@pytest.mark.parametrize(
    ("rating", "shown", "in_ascii"),
    [
        (5, "★★★★★", "*****"),
        (2, "★★☆☆☆", "**..."),
        (0, "☆☆☆☆☆", "....."),
        (-1, "rejected", "rejected"),
        (None, "", ""),
    ],
)
def test_stars_take_eight_columns(rating: int | None, shown: str, in_ascii: str) -> None:
    assert table.stars(rating).plain == f"{shown:<8}"
    assert table.stars(rating, ascii_only=True).plain == f"{in_ascii:<8}"


def test_columns_stand_below_their_titles() -> None:
    header = table.header().plain
    row = plain(Outcome(Path("a.jpg"), 97.314, 5, None, Action.WRITTEN))
    assert row.index("★") == header.index("Stars")
    assert row.index("97.31") + 5 == header.index("Score") + 5
    assert row.index("written") == header.index("Action")
    assert row.index("a.jpg") == header.index("Photo")


def test_an_old_rating_that_changed_and_an_error_follow_the_name() -> None:
    assert plain(Outcome(Path("a.jpg"), 97.3, 5, 2, Action.WRITTEN)).endswith("a.jpg  was ★★☆☆☆")
    assert plain(Outcome(Path("a.jpg"), None, 2, 2, Action.KEPT)).endswith("a.jpg")
    failed = Outcome(Path("a.jpg"), None, None, None, Action.FAILED, DecodeError("cut off\nhere", "a.jpg"))
    assert plain(failed).endswith(r"a.jpg  cut off\nhere")
