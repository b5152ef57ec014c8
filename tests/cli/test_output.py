"""Outcomes as text: every format gives back the path that went in, whatever bytes it is made of."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from aesth.cli import output
from aesth.config import Format
from aesth.errors import DecodeError
from aesth.tagging import Action, Outcome

names = st.binary(min_size=1, max_size=255).filter(lambda name: not {0, ord("/")} & set(name)).map(os.fsdecode)
paths = st.lists(names, min_size=1, max_size=3).map(lambda parts: Path(*parts))
errors = st.none() | st.builds(DecodeError, st.text(st.characters(exclude_categories=["Cs"]), min_size=1), paths)
ratings = st.none() | st.integers(-1, 5)
scores = st.none() | st.floats(0, 100)
outcomes = st.builds(Outcome, paths, scores, ratings, ratings, st.sampled_from(Action), errors)

FIELDS = ["path", "score", "rating", "old_rating", "action", "error"]


def rendered(form: Format, *items: Outcome) -> bytes:
    layout = output.LAYOUTS[form]
    return output.encode(layout.head + layout.between.join(map(layout.line, items)) + layout.tail)


def expected_texts(outcome: Outcome) -> list[str]:
    def text(value: object) -> str:
        return "" if value is None else str(value)

    score = "" if outcome.score is None else f"{outcome.score:.2f}"
    error = text(outcome.error and outcome.error.message)
    return [str(outcome.path), score, text(outcome.rating), text(outcome.old_rating), outcome.action.value, error]


def expected_object(outcome: Outcome) -> dict[str, object]:
    error = outcome.error.message if outcome.error else None
    values = [str(outcome.path), outcome.score, outcome.rating, outcome.old_rating, outcome.action.value, error]
    return dict(zip(FIELDS, values, strict=True))


@given(st.lists(outcomes, max_size=4))
def test_csv_is_read_back_by_a_reader_of_rfc_4180(items: list[Outcome]) -> None:
    text = rendered(Format.CSV, *items).decode("utf-8", "surrogateescape")
    header, *records = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert header == FIELDS
    assert records == [expected_texts(item) for item in items]


def test_fields_of_one_command_follow_those_of_all_in_every_format() -> None:
    outcome = Outcome(Path("a.jpg"), 87.5, 4, None, Action.SCORED)
    columns = [
        output.Column(name, lambda _, value=value: value)
        for name, value in zip("ntfe", (3, True, False, None), strict=True)
    ]

    def told(form: Format) -> str:
        layout = output.layouts(columns)[form]
        return layout.head + layout.line(outcome) + layout.tail

    assert list(csv.reader(io.StringIO(told(Format.CSV), newline=""))) == [
        [*FIELDS, *"ntfe"],
        ["a.jpg", "87.50", "4", "", "scored", "", "3", "true", "false", ""],
    ]
    assert told(Format.TSV) == told(Format.CSV).replace(",", "\t").replace("\r\n", "\n")
    whole = expected_object(outcome) | {"n": 3, "t": True, "f": False, "e": None}
    assert list(json.loads(told(Format.NDJSON)).items()) == list(whole.items())
    assert json.loads(told(Format.JSON)) == [whole]


@given(outcomes)
def test_csv_lines_end_as_in_rfc_4180(outcome: Outcome) -> None:
    assert rendered(Format.CSV, outcome).endswith(b"\r\n")


@given(st.lists(outcomes, max_size=4))
def test_tsv_is_one_line_a_photo_and_its_fields_unescape_to_what_went_in(items: list[Outcome]) -> None:
    lines = rendered(Format.TSV, *items).split(b"\n")
    assert lines.pop() == b""
    rows = [[os.fsdecode(field) for field in line.split(b"\t")] for line in lines]
    assert rows[0] == FIELDS
    assert [[output.unescape_tsv(field) for field in row] for row in rows[1:]] == [expected_texts(i) for i in items]


def test_tsv_escapes_are_those_of_the_contract_and_other_bytes_are_raw() -> None:
    path = Path(os.fsdecode(b"a\tb\nc\rd\\e\xff\xc3\xa9"))
    line = rendered(Format.TSV, Outcome(path, 12.345, 2, None, Action.SCORED)).splitlines()[1]
    assert line == b"a\\tb\\nc\\rd\\\\e\xff\xc3\xa9\t12.35\t2\t\tscored\t"


@given(outcomes)
def test_ndjson_is_one_ascii_line_whose_path_names_the_same_file(outcome: Outcome) -> None:
    line = rendered(Format.NDJSON, outcome).decode("ascii")
    assert line.endswith("\n")
    assert len(line.splitlines()) == 1
    read = json.loads(line)
    assert list(read.items()) == list(expected_object(outcome).items())
    assert os.fsencode(read["path"]) == os.fsencode(outcome.path)


def test_bytes_that_are_no_utf8_are_surrogate_escapes_in_json() -> None:
    line = output.to_json(Outcome(Path(os.fsdecode(b"caf\xe9")), 1.0, 1, None, Action.SCORED))
    assert r'"caf\udce9"' in line


@given(st.lists(outcomes, max_size=4))
def test_json_is_one_array(items: list[Outcome]) -> None:
    assert json.loads(rendered(Format.JSON, *items)) == [expected_object(item) for item in items]
