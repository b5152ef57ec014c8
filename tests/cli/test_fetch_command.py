"""`aesth train fetch | popularity` in a process of its own: from a list of URLs to what an encoder is trained on."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from PIL import Image

from support.cli import aesth, aesth_in_process, start_aesth
from support.photos import encode, picture
from support.web import Answer, Site, serving

pytest.importorskip("httpx")

DIRECT = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as here:
        yield here


def make_list(site: Site, folder: Path, count: int, until: Event | None = None) -> Path:
    """A list of pictures that are the more popular, the brighter they are; the last one is gone.

    All but the first two come no further than half-way until an event.
    """
    lines = []
    for index in range(count):
        share = index * 7 % count / (count - 1)
        body, halfway = encode(picture(0.2 + 0.6 * share, index), "PNG"), until.wait if until and index >= 2 else None
        url = site.put(f"/{index}.png", Answer(body, halfway=halfway))
        lines.append(f"{url};{2 ** round(10 * share)};1024")
    listing = folder / "list.csv"
    listing.write_text("\n".join([*lines, f"{site.url}/gone.png;5;50"]) + "\n")
    return listing


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in DIRECT.items():
        monkeypatch.setenv(name, value)


def train(command: str, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    return aesth_in_process("train", command, *arguments)


def test_from_a_list_to_a_catalogue_and_its_histogram(site: Site, tmp_path: Path) -> None:
    listing, data = make_list(site, tmp_path, 24), tmp_path / "arod"
    fetched = train("fetch", listing, "--out", data, "--rate", "1000", "--retries", "0", "--side", "48")
    assert (fetched.returncode, fetched.stdout) == (1, f"{data}/catalogue.csv\n".encode()), fetched.stderr
    assert b"25 pictures: 24 fetched, 0 there before, 1 failed" in fetched.stderr
    failures = list(csv.DictReader((data / "failures.csv").read_text().splitlines()))
    assert failures == [{"line": "25", "url": f"{site.url}/gone.png", "reason": "404 Not Found"}]

    told = train("popularity", data / "catalogue.csv", "--plot", tmp_path / "popularity.png", "--bins", "10")
    assert told.returncode == 0, told.stderr
    figures = json.loads(told.stdout)
    assert figures["pictures"] == sum(one["pictures"] for one in figures["histogram"]) == 24
    assert np.asarray(Image.open(tmp_path / "popularity.png").convert("L")).min() < 128


def test_from_a_list_to_an_encoder(site: Site, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from support.training import RECIPE_FILE

    listing, data = make_list(site, tmp_path, 24), tmp_path / "arod"
    assert train("fetch", listing, "--out", data, "--rate", "1000", "--retries", "0", "--side", "48").returncode == 1
    (tmp_path / "tiny.toml").write_text(RECIPE_FILE.replace("damage_kinds = 1", "damage_kinds = 0"))
    common = (tmp_path / "tiny.toml", "--data", data, "--out", tmp_path / "run")
    ran = aesth_in_process("train", "run", *common)
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "run" / "all" / "encoder.pt").is_file()


def test_a_second_run_has_nothing_to_do(site: Site, tmp_path: Path) -> None:
    listing = make_list(site, tmp_path, 3)
    listing.write_text("\n".join(listing.read_text().splitlines()[:3]))
    for count in ("3 fetched, 0 there before", "0 fetched, 3 there before"):
        ran = train("fetch", listing, "--out", tmp_path / "out", "--rate", "1000")
        assert (ran.returncode, count.encode() in ran.stderr) == (0, True), ran.stderr
    assert len(site.requests) == 3


def test_a_wrong_list_is_told_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("file:///etc/passwd;1;2\n")
    ran = train("fetch", tmp_path / "list.csv", "--out", tmp_path / "out")
    assert ran.returncode == 2
    assert b"line 1: 'file:///etc/passwd' is no address" in ran.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("wrong", [("--rate", "0"), ("--timeout", "-1"), ("--quality", "100"), ("--side", "0")])
def test_options_that_make_no_sense_are_wrong_usage(tmp_path: Path, wrong: tuple[str, str]) -> None:
    (tmp_path / "list.csv").write_text("http://example.org/a.jpg;1;2\n")
    done = aesth_in_process("train", "fetch", tmp_path / "list.csv", "--out", tmp_path / "out", *wrong)
    assert done.returncode == 2


def test_a_missing_package_is_told_with_the_line_that_installs_it(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("http://127.0.0.1:9/a.jpg;1;2\n")
    (tmp_path / "httpx.py").write_text("raise ModuleNotFoundError('gone', name='httpx')")
    ran = aesth("train", "fetch", tmp_path / "list.csv", "--out", tmp_path / "out", cwd=tmp_path)
    assert ran.returncode == 3
    assert b"training needs the package 'httpx'; install it with: pip install 'aesth[train]'" in ran.stderr


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_whole_pictures_and_the_same_command_goes_on(
    site: Site, tmp_path: Path, kind: signal.Signals
) -> None:
    rest = Event()
    listing, out = make_list(site, tmp_path, 12, until=rest), tmp_path / "out"
    options = ("--out", out, "--rate", "1000", "--jobs", "2", "--retries", "0")
    running = start_aesth("train", "fetch", listing, *options)
    while running.poll() is None and not list(out.rglob("*.jpg")):
        time.sleep(0.02)
    running.send_signal(kind)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 128 + kind, told
    assert b"The same command goes on" in told
    there = list(csv.DictReader((out / "catalogue.csv").read_text().splitlines()))
    assert 1 <= len(there) <= 2
    for row in there:
        Image.open(out / row["file"]).load()
    rest.set()
    again = train("fetch", listing, *options)
    assert f"{12 - len(there)} fetched, {len(there)} there before, 1 failed".encode() in again.stderr


def test_ctrl_c_does_not_wait_for_a_silent_server(site: Site, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(f"{site.put('/a.jpg', Answer(bytes(1000), sent=0, stalls=True))};1;2\n")
    options = ("--out", tmp_path / "out", "--timeout", "600")
    running = start_aesth("train", "fetch", tmp_path / "list.csv", *options)
    while running.poll() is None and not site.requests:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    # Who waits for the server does so for five tries of 30 s.
    running.communicate(timeout=60)
    assert running.returncode == 130


def test_a_kill_leaves_whole_pictures_alone(site: Site, tmp_path: Path) -> None:
    listing, out = make_list(site, tmp_path, 8, until=Event()), tmp_path / "out"
    running = start_aesth("train", "fetch", listing, "--out", out, "--rate", "1000", "--jobs", "2")
    while running.poll() is None and len(list(out.rglob("*.jpg"))) < 2:
        time.sleep(0.02)
    running.kill()
    running.communicate()
    for path in out.rglob("*.jpg"):
        Image.open(path).load()
