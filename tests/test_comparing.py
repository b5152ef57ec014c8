"""The page of choices: its questions, what is kept of the answers, and who may ask it for what."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aesth import ConfigError
from aesth.apps.personal.choices import Looks
from aesth.comparing.kept import Choice, photos_of, read_choices, write_choices
from aesth.comparing.pictures import KEPT, SIDE, Pictures
from aesth.comparing.questions import Answer, Questions
from aesth.comparing.server import Result, Sitting, serving
from support.cli import EVIL_NAMES
from support.tastes import coloured, person

LOOKS = Looks.of(person(ratings=12).embeddings)
paths = st.binary(min_size=1, max_size=20).map(lambda name: Path("/" + name.decode("utf-8", "surrogateescape")))


@given(st.lists(st.builds(Choice, paths, paths), max_size=5))
def test_choices_are_kept_as_they_were_made_whatever_photos_are_called(
    tmp_path_factory: pytest.TempPathFactory, choices: list[Choice]
) -> None:
    file = tmp_path_factory.getbasetemp() / "deep" / "choices.ndjson"
    write_choices(choices, file)
    assert read_choices(file) == choices
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert set(photos_of(choices)) == {photo for choice in choices for photo in (choice.better, choice.worse)}


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]\n", b"null\n", b'{"better": "/a"}\n', b'{"better": "/a", "worse": 1}\n', b"\xff\n", b"[" * 10**5],
)
def test_a_file_of_something_else_is_told_and_stays(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "choices.ndjson"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="no choices"):
        read_choices(file)
    assert file.read_bytes() == content


def test_without_a_file_there_are_no_choices_yet(tmp_path: Path) -> None:
    assert read_choices(tmp_path / "none.ndjson") == []
    with pytest.raises(ConfigError, match="cannot be read"):
        read_choices(tmp_path)
    with pytest.raises(ConfigError, match="cannot be kept"):
        write_choices([], tmp_path)


@settings(max_examples=10)
@given(st.lists(st.sampled_from([*Answer, "undo", "twice"]), max_size=12), st.integers(0, 9))
def test_answers_are_kept_and_taken_back_as_a_list_would(steps: list[Answer | str], seed: int) -> None:
    earlier = [(0, 1)]
    told: list[list[tuple[int, int]]] = []
    questions = Questions(LOOKS, earlier, lambda choices: told.append(list(choices)), seed)
    answers: list[tuple[tuple[int, int], Answer]] = []
    question = questions.now()
    for step in steps:
        if step == "undo":
            before = answers.pop()[0] if answers else question.pair
            question = questions.undo()
            assert question.pair == before
        elif step == "twice":
            assert questions.answer(question.number - 1, Answer.LEFT) == question
        else:
            answers.append((question.pair, step))
            following = question.following
            question = questions.answer(question.number, step)
            assert question.pair == following
        made = [pair if answer is Answer.LEFT else pair[::-1] for pair, answer in answers if answer is not Answer.SKIP]
        assert questions.choices().tolist() == [list(pair) for pair in [*earlier, *made]]
        assert (question.number, question.chosen, question.can_undo) == (len(answers), 1 + len(made), bool(answers))
        assert not told or told[-1] == [*earlier, *made]


def test_a_picture_is_a_jpeg_of_moderate_size_that_tells_nothing_else(tmp_path: Path) -> None:
    photo = coloured(tmp_path / "a.jpg", (200, 10, 10), stars=4)
    Image.new("RGB", (3000, 1000)).save(tmp_path / "wide.png")
    pictures = Pictures([photo, tmp_path / "wide.png"])
    small, wide = (Image.open(BytesIO(pictures.jpeg(number))) for number in (0, 1))
    assert (small.format, small.size, dict(small.getexif()), "xmp" in small.info) == ("JPEG", (64, 48), {}, False)
    assert wide.size[0] <= SIDE


def test_only_some_pictures_stay_in_memory(tmp_path: Path) -> None:
    photos = [coloured(tmp_path / f"{n}.jpg", (n, 0, 0)) for n in range(KEPT + 5)]
    pictures = Pictures(photos)
    first = pictures.jpeg(0)
    for number in range(1, len(photos)):
        pictures.jpeg(number)
    assert len(pictures._kept) == KEPT
    assert pictures.jpeg(0) == first


class Visitor:
    """Asks the server as a browser, or as somebody else."""

    def __init__(self, address: str) -> None:
        self.host, self.base = urlsplit(address).netloc, urlsplit(address).path

    def ask(
        self, name: str, body: object = None, *, base: str | None = None, **headers: str | None
    ) -> tuple[int, bytes, Mapping[str, str]]:
        connection = http.client.HTTPConnection(self.host, timeout=10)
        sent = {"Host": self.host} | ({} if body is None else {"Content-Type": "application/json"})
        sent |= {key.replace("_", "-"): value for key, value in headers.items() if value is not None}
        content = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        path = (self.base if base is None else base) + name
        connection.request("GET" if body is None else "POST", path, content, sent)
        response = connection.getresponse()
        told = response.status, response.read(), response.headers
        connection.close()
        return told

    def told(self, name: str, body: object = None) -> dict[str, object]:
        status, content, _ = self.ask(name, body)
        assert status == 200, content
        found: dict[str, object] = json.loads(content)
        return found


@pytest.fixture
def sitting(tmp_path: Path) -> Sitting:
    photos = [coloured(tmp_path / f"{n}.jpg", (20 * n, 0, 0)) for n in range(12)]
    names = list(EVIL_NAMES[-12:])
    return Sitting(
        Questions(LOOKS, seed=0), Pictures(photos), names, 100, lambda: Result(["so it is"], [("Yours", 0.7)])
    )


@pytest.fixture
def visitor(sitting: Sitting) -> Iterator[Visitor]:
    with serving(sitting) as address:
        yield Visitor(address)


def test_the_page_asks_hears_takes_back_and_ends(visitor: Visitor, sitting: Sitting) -> None:
    status, _, headers = visitor.ask("")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    question = visitor.told("question")
    assert (question["number"], question["chosen"], question["goal"], question["can_undo"]) == (0, 0, 100, False)
    left, right = question["pair"]
    assert question["names"] == [sitting.names[left], sitting.names[right]]
    status, content, headers = visitor.ask(f"photo/{left}")
    assert (status, headers["Content-Type"]) == (200, "image/jpeg")
    assert Image.open(BytesIO(content)).size == (64, 48)
    following = visitor.told("answer", {"number": 0, "answer": "right"})
    assert (following["number"], following["pair"]) == (1, question["following"])
    assert sitting.questions.choices().tolist() == [[right, left]]
    assert visitor.told("undo", {})["pair"] == question["pair"]
    assert not sitting.over.is_set()
    assert visitor.told("finish", {}) == {"lines": ["so it is"], "shares": [["Yours", 0.7]]}
    assert sitting.over.wait(5)


def test_all_that_the_page_needs_is_there_and_nothing_from_elsewhere(visitor: Visitor) -> None:
    _, page, _ = visitor.ask("")
    needed = re.findall(r'(?:href|src)="([^"]+)"', page.decode())
    assert len(needed) == 3
    for name in needed:
        status, content, headers = visitor.ask(name)
        assert status == 200
        assert headers["Content-Type"].partition(";")[0] in ("text/css", "text/javascript", "image/svg+xml")
        assert b"http" not in content.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"<script>" not in page
    assert b"style=" not in page
    assert b"innerHTML" not in visitor.ask("page.js")[1]


def test_every_answer_forbids_what_a_browser_can_forbid(visitor: Visitor) -> None:
    for name in ("", "page.js", "question", "photo/0", "nothing"):
        _, _, headers = visitor.ask(name)
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")
        assert (headers["Cache-Control"], headers["Cross-Origin-Resource-Policy"]) == ("no-store", "same-origin")
        assert "Python" not in headers["Server"]
        assert "Access-Control-Allow-Origin" not in headers


def test_who_does_not_know_the_address_or_comes_from_another_site_is_refused(
    visitor: Visitor, sitting: Sitting
) -> None:
    port = visitor.host.partition(":")[2]
    refused = [
        visitor.ask("question", base="/"),
        visitor.ask("question", base=f"/{'x' * 32}/"),
        visitor.ask("question", base="/%C3%A9/"),
        visitor.ask("question", base=visitor.base[:-3] + "/"),
        visitor.ask("question", Host=f"evil.example:{port}"),
        visitor.ask("question", Host=f"localhost:{port}"),
        visitor.ask("question", Host="127.0.0.1"),
        visitor.ask("question", Origin="https://evil.example"),
        visitor.ask("answer", {"number": 0, "answer": "left"}, Origin="null"),
        visitor.ask("answer", {"number": 0, "answer": "left"}, Content_Type="text/plain"),
        visitor.ask("finish", {}, Content_Type="application/x-www-form-urlencoded"),
    ]
    assert {status for status, _, _ in refused} == {400, 403, 404}
    assert not len(sitting.questions.choices())
    assert not sitting.over.is_set()


@pytest.mark.parametrize(
    "name",
    ["../page.py", "..%2fkept.py", "photo/-1", "photo/99", "photo/1e1", "photo/" + "9" * 30, "photo/../0", "kept.py"],
)
def test_nothing_but_the_page_and_its_photos_is_given_out(visitor: Visitor, name: str) -> None:
    assert visitor.ask(name)[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"{", b"[" * 900, b"{}" + b" " * 2000),
        *({}, {"number": 0}, {"number": "x", "answer": "left"}, {"number": [0], "answer": "left"}),
        *({"number": 0, "answer": "both"}, {"number": None, "answer": "left"}),
    ],
)
def test_what_is_no_answer_is_refused_and_the_server_goes_on(visitor: Visitor, body: object) -> None:
    assert visitor.ask("answer", body)[0] == 400
    assert visitor.told("question")["number"] == 0


def test_what_went_wrong_is_told_on_the_page(tmp_path: Path, sitting: Sitting) -> None:
    def fail(_: object) -> None:
        raise ConfigError("the disk is full")

    questions = Questions(LOOKS, on_change=fail, seed=0)
    with serving(Sitting(questions, sitting.pictures, sitting.names, 9, sitting.finish)) as address:
        visitor = Visitor(address)
        visitor.told("question")
        status, content, _ = visitor.ask("answer", {"number": 0, "answer": "left"})
    assert (status, json.loads(content)) == (500, {"problem": "the disk is full"})


def test_two_sittings_have_different_addresses(sitting: Sitting) -> None:
    other = Sitting(sitting.questions, sitting.pictures, sitting.names, 9, sitting.finish)
    assert sitting.token != other.token
    assert min(len(sitting.token), len(other.token)) >= 32
    assert np.unique(list(sitting.token)).size > 8
