"""`aesth learn`: figures for people and programs, a file that other commands score by, and a page for choices."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from aesth import config
from aesth.cli.learn_compare import choices_file
from aesth.comparing.kept import Choice, read_choices, write_choices
from aesth.config import Settings
from aesth.taste import read
from support.cli import aesth_in_process, start_aesth
from support.models import colour_model
from support.tastes import coloured, red_lover


@pytest.fixture(scope="module")
def colour(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return colour_model(tmp_path_factory.mktemp("models") / "colour-fp32.onnx")


@pytest.fixture(scope="module")
def rated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty photos of somebody who likes red, and two that nobody rated: a red one and a bright one."""
    folder = tmp_path_factory.mktemp("photos") / "rated"
    red_lover(folder)
    coloured(folder / "bright.jpg", (150, 200, 200))
    coloured(folder / "red.jpg", (150, 20, 20))
    return folder


def scores(*arguments: str | Path) -> list[float]:
    done = aesth_in_process("score", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    return [photo["score"] for photo in json.loads(done.stdout)]


def test_a_taste_is_learnt_told_and_scored_by(rated: Path, colour: Path, own_places: Path) -> None:
    done = aesth_in_process("learn", "--model", colour, rated)
    taste = own_places / "config" / "taste.json"
    assert done.returncode == 0
    first, gain, last = done.stdout.decode().splitlines()
    assert first == "60 ratings of yours, in 60 days, takes or scenes."
    assert re.match(
        r"Of 100 pairs of photos .* general score orders \d+ as you do, and your taste \d+: a gain \(\+", gain
    )
    assert str(taste) in last
    assert done.stderr == b"62 photos, 60 of which you rated\n"
    photos = [rated / "bright.jpg", rated / "red.jpg"]
    by_all, by_one = scores("--model", colour, *photos), scores("--model", colour, "--taste", taste, *photos)
    assert by_all[0] > by_all[1]
    assert by_one[0] < by_one[1]
    assert read(taste).learnt["answers"] == 60


def test_the_setting_is_for_every_command_and_can_be_turned_off(rated: Path, colour: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.json"
    assert aesth_in_process("learn", "--model", colour, "--out", out, "--save-config", rated).returncode == 0
    assert config.load(config.config_file()) == Settings(model=str(colour), taste=str(out))
    photos = [rated / "bright.jpg", rated / "red.jpg"]
    by_one, by_all = scores(*photos), scores("--taste", "", *photos)
    assert by_one[0] < by_one[1]
    assert by_all[0] > by_all[1]
    tagged = aesth_in_process("tag", "--dry-run", "--format", "json", *photos)
    assert [photo["score"] for photo in json.loads(tagged.stdout)] == by_one
    # Learning starts from the general score, whatever the settings say.
    again = tmp_path / "again.json"
    assert aesth_in_process("learn", "--out", again, rated).returncode == 0
    assert read(again).checksum == read(out).checksum


def test_programs_get_one_record_and_a_dry_run_writes_nothing(rated: Path, colour: Path, own_places: Path) -> None:
    (said,) = json.loads(aesth_in_process("learn", "--model", colour, "--format", "json", "-n", rated).stdout)
    assert list(said) == ["verdict", "from", "answers", "groups", "general", "personal", "low", "high", "taste"]
    assert (said["verdict"], said["from"], said["answers"], said["groups"]) == ("learnt", "stars", 60, 60)
    assert 0 < said["low"] <= said["personal"] - said["general"] <= said["high"] < 1
    assert said["taste"] is None
    assert not (own_places / "config").exists()


def test_with_too_few_ratings_of_a_person_the_general_score_is_kept(tmp_path: Path, colour: Path) -> None:
    """Stars of ours teach nothing, however many there are."""
    for number in range(40):
        coloured(tmp_path / f"{number}.jpg", (6 * number, 9, 9), stars=1 + number % 5, ours=number > 3, day=number)
    done = aesth_in_process("learn", "--model", colour, "--format", "tsv", "--out", tmp_path / "t.json", tmp_path)
    header, line = done.stdout.decode().splitlines()
    said = dict(zip(header.split("\t"), line.split("\t"), strict=True))
    assert (said["verdict"], said["answers"], said["taste"], said["low"]) == ("too few ratings or choices", "4", "", "")
    assert done.returncode == 0
    assert not (tmp_path / "t.json").exists()
    told = aesth_in_process("learn", "--model", colour, "--out", tmp_path / "t.json", tmp_path).stdout.decode()
    assert told.startswith("4 ratings of yours; 30 are needed")
    assert "the general score is kept" in told


def test_what_failed_is_told_and_counts(tmp_path: Path, colour: Path) -> None:
    coloured(tmp_path / "a\x1b[2J.jpg", (9, 9, 9), stars=3)
    done = aesth_in_process("learn", "--model", colour, tmp_path, tmp_path / "missing.jpg")
    assert done.returncode == 1
    assert b"missing.jpg: no such file" in done.stderr
    assert b"\x1b" not in done.stderr + done.stdout


def test_a_file_of_something_else_is_not_overwritten(tmp_path: Path, rated: Path, colour: Path) -> None:
    diary = tmp_path / "diary.txt"
    diary.write_text("dear diary")
    done = aesth_in_process("learn", "--model", colour, "--out", diary, rated)
    assert (done.returncode, diary.read_text()) == (2, "dear diary")
    assert b"name another file" in done.stderr


@pytest.mark.parametrize("command", ["score", "tag", "best"])
def test_a_taste_that_cannot_be_used_ends_the_run_with_2(
    command: str, tmp_path: Path, rated: Path, colour: Path
) -> None:
    done = aesth_in_process(command, "--model", colour, "--taste", tmp_path / "none.json", rated)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"`aesth learn` makes one" in done.stderr


class Comparing:
    """The command with its page, asked as a browser would."""

    def __init__(self, *arguments: str | Path) -> None:
        self.process = start_aesth("learn", "--compare", *arguments)
        assert self.process.stderr is not None
        line = self.process.stderr.readline().decode()
        found = re.search(r"http://127\.0\.0\.1:\d+/\S+/", line)
        assert found, line + self.process.stderr.read().decode()
        self.address = urlsplit(found[0])

    def ask(self, name: str, body: object = None) -> dict:
        connection = HTTPConnection(self.address.netloc, timeout=20)
        headers = {"Content-Type": "application/json"}
        content = None if body is None else json.dumps(body)
        connection.request("GET" if body is None else "POST", self.address.path + name, content, headers)
        response = connection.getresponse()
        assert response.status == 200
        said: dict = json.loads(response.read())
        return said

    def choose(self, number_of_choices: int) -> None:
        """The first of the two by name, always."""
        question = self.ask("question")
        for _ in range(number_of_choices):
            left, right = question["names"]
            question = self.ask("answer", {"number": question["number"], "answer": "left" if left < right else "right"})

    def end(self) -> tuple[str, str, int]:
        stdout, stderr = self.process.communicate(timeout=60)
        return stdout.decode(), stderr.decode(), self.process.returncode


@pytest.fixture
def comparing() -> Iterator[Callable[..., Comparing]]:
    """Starts the command; none outlives the test."""
    started: list[Comparing] = []

    def start(*arguments: str | Path) -> Comparing:
        started.append(Comparing(*arguments))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.wait()


def test_choices_survive_an_interruption_and_become_a_taste(
    tmp_path: Path, colour: Path, comparing: Callable[..., Comparing]
) -> None:
    """Somebody who always takes the photo whose name comes first, which is the redder one."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(40):
        coloured(photos / f"{number:02}.jpg", (220 - 5 * number, 10 + 5 * number, 90), day=number)
    out = tmp_path / "mine.json"
    arguments = ("--no-open", "--model", colour, "--out", out, photos)
    gone = Choice(tmp_path / "gone.jpg", tmp_path / "lost.jpg")
    write_choices([gone], choices_file(out))
    first = comparing(*arguments)
    first.choose(12)
    first.process.send_signal(signal.SIGINT)
    _, told, code = first.end()
    assert (code, out.exists()) == (130, False)
    assert "what you chose is kept" in told
    second = comparing("--format", "json", *arguments)
    assert second.ask("question")["chosen"] == 12
    second.choose(28)
    shown = second.ask("finish", {})
    stdout, _, code = second.end()
    (said,) = json.loads(stdout)
    assert (code, said["from"], said["answers"], said["verdict"]) == (0, "choices", 40, "learnt")
    assert shown["lines"][0].startswith("40 choices of yours")
    assert [share for _, share in shown["shares"]] == pytest.approx([said["general"], said["personal"]], abs=1e-4)
    assert read_choices(choices_file(out))[0] == gone
    red, green = scores("--model", colour, "--taste", out, photos / "01.jpg", photos / "38.jpg")
    assert red > green


@pytest.mark.skipif(os.name == "nt", reason="the browser here is a script")
def test_the_browser_is_opened_unless_it_is_not_wanted(
    tmp_path: Path, colour: Path, comparing: Callable[..., Comparing]
) -> None:
    for name, green in (("a", 9), ("b", 200)):
        coloured(tmp_path / f"{name}.jpg", (9, green, 9))
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}"\n')
    browser.chmod(0o755)
    os.environ["BROWSER"] = str(browser)
    try:
        run = comparing("--model", colour, "--out", tmp_path / "t.json", tmp_path)
    finally:
        del os.environ["BROWSER"]
    run.ask("question")
    assert run.ask("finish", {})["lines"][0].startswith("0 choices of yours; 30 are needed")
    assert run.end()[2] == 0
    assert opened.read_text().strip() == run.address.geturl()


def test_one_photo_is_nothing_to_choose_from(tmp_path: Path, colour: Path) -> None:
    done = aesth_in_process("learn", "--compare", "--model", colour, coloured(tmp_path / "a.jpg", (9, 9, 9)))
    assert done.returncode == 2
    assert b"two photos at least" in done.stderr
