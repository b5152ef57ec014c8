"""`aesth digikam tag | rank | group | undo`: a library by its database, and what scripts read of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aesth import Scorer
from aesth.metadata import MetadataSession, NewRating
from support.bursts import taken
from support.cli import aesth_in_process, grey_photo, grey_raw
from support.library import Library, make_library
from support.metadata import DATE

OUTCOME = ["path", "score", "rating", "old_rating", "action", "error"]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return make_library(tmp_path / "my library")


@pytest.fixture
def run(library: Library, brightness: Path):
    """What a command says of each photo."""

    def run(command: str, *options: str | Path, code: int = 0) -> list[dict[str, object]]:
        model = [] if command == "undo" else ["--model", brightness, "--jobs", "1"]
        given = ("digikam", command, "--database", library.folder, *model, "--format", "ndjson", *options)
        done = aesth_in_process(*given)
        assert done.returncode == code, done.stderr
        run.said = done.stderr.decode()
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


def told(outcomes: list[dict[str, object]], *fields: str) -> list[tuple[object, ...]]:
    return [(Path(str(one["path"])).name, *(one[field] for field in fields)) for one in outcomes]


def test_an_album_is_sorted_by_score_and_back(library: Library, run) -> None:
    for name, percent in (("dark.jpg", 10), ("light.jpg", 90), ("grey.jpg", 50), ("RAW.DNG", 70)):
        library.photo(name, percent) if name != "RAW.DNG" else grey_raw(library.photos / name, percent)
    library.item("RAW.DNG")
    library.item("film.mp4", category=2)
    (library.photos / "bad.jpg").write_bytes(b"no photo")
    library.item("bad.jpg")
    before = library.content()
    files = {path: path.read_bytes() for path in library.photos.iterdir()}

    would = run("rank", "--dry-run", code=1)
    assert list(would[0]) == [*OUTCOME, "order"]
    assert library.content() == before

    ranked = run("rank", code=1)
    assert "View > Sort Items > " in run.said
    assert told(ranked, "action") == [
        ("light.jpg", "written"),
        ("RAW.DNG", "written"),
        ("grey.jpg", "written"),
        ("dark.jpg", "written"),
        ("bad.jpg", "failed"),
    ]
    assert [{**one, "action": "scored"} for one in ranked[:4]] == would[:4]
    assert library.by_hand() == ["light.jpg", "RAW.DNG", "grey.jpg", "dark.jpg", "bad.jpg", "film.mp4"]
    assert {path: path.read_bytes() for path in library.photos.iterdir()} == files
    assert [one["action"] for one in run("rank", code=1)] == ["skipped"] * 4 + ["failed"]

    assert [one["action"] for one in run("undo", "--dry-run")] == ["scored"] * 4
    assert [one["action"] for one in run("undo")] == ["written"] * 4
    assert library.content() == before
    undone = run("undo")
    assert list(undone[0]) == OUTCOME
    assert [one["action"] for one in undone] == ["skipped"] * 4
    (first, second) = run("undo", "--list")
    assert (first["kind"], first["photos"], first["undone"], first["undoes"]) == ("rank", 4, 4, None)
    assert (second["kind"], second["undoes"]) == ("undo", 1)
    assert Path(str(first["backup"])).is_file()


def test_albums_that_a_person_sorted_are_kept_unless_told(library: Library, run) -> None:
    theirs = [library.photo("b.jpg", 20, "/theirs"), library.photo("a.jpg", 60, "/theirs")]
    library.arrange(*theirs)
    library.photo("c.jpg", 30, "/theirs")
    library.photo("d.jpg", 40, "/ours")
    assert told(run("rank"), "action") == [
        ("d.jpg", "written"),
        ("a.jpg", "kept"),
        ("b.jpg", "kept"),
        ("c.jpg", "kept"),
    ]
    assert run.said.count("the album Photos/theirs was sorted by hand, and kept; --overwrite sorts it") == 1
    assert library.orders() == {"b.jpg": 0, "a.jpg": 100, "c.jpg": None, "d.jpg": pytest.approx(-40_000, abs=1000)}
    run("rank", "--overwrite", "--album", "theirs")
    assert library.by_hand() == ["a.jpg", "d.jpg", "c.jpg", "b.jpg"]
    run("undo")
    assert library.orders()["b.jpg"] == 0
    assert library.orders()["a.jpg"] == 100


def test_the_score_that_our_model_wrote_is_taken_and_no_other(library: Library, run, brightness: Path) -> None:
    with Scorer(str(brightness), jobs=1) as scorer, MetadataSession() as session:
        for name, model in (("grey.jpg", scorer.tag), ("dark.jpg", "other-int8 0123abcd")):
            library.photo(name, 10)
            session.write(library.photos / name, NewRating(3, 77.25, model, DATE))
    scores = dict(told(run("rank"), "score"))
    assert scores["grey.jpg"] == 77.25
    assert scores["dark.jpg"] == pytest.approx(10, abs=1)


def test_bursts_are_stacked_under_their_best_and_back(library: Library, run) -> None:
    for name, seconds, percent in (("1.jpg", 0, 40), ("2.jpg", 1, 44), ("3.jpg", 2, 42), ("alone.jpg", 900, 70)):
        taken(library.photos / name, seconds, percent)
        library.item(name)
    grey_raw(library.photos / "2.DNG", 44)
    library.item("2.DNG")
    (library.photos / "other").mkdir()
    theirs = []
    for name, seconds in (("5.jpg", 0), ("6.jpg", 1)):
        taken(library.photos / "other" / name, seconds, 50 + seconds)
        theirs.append(library.item(name, "/other"))
    library.group(*theirs)
    before = library.content()
    stacked = run("group")
    assert list(stacked[0]) == [*OUTCOME, "group", "kind", "best", "rank"]
    assert told(stacked, "action", "group", "best") == [
        ("1.jpg", "written", 1, False),
        ("2.DNG", "written", 1, True),
        ("2.jpg", "written", 1, True),
        ("3.jpg", "written", 1, False),
        ("alone.jpg", "skipped", None, None),
        ("5.jpg", "kept", 2, False),
        ("6.jpg", "kept", 2, True),
    ]
    assert "this burst was kept as it is, as somebody grouped photos of it" in run.said
    assert library.groups() == {"1.jpg": "2.jpg", "2.DNG": "2.jpg", "3.jpg": "2.jpg", "6.jpg": "5.jpg"}
    assert [one["action"] for one in run("group", "--dry-run")] == ["skipped"] * 5 + ["kept"] * 2
    assert [one["action"] for one in run("undo")] == ["written"] * 3
    assert library.content() == before


def test_a_library_is_rated_by_its_database(library: Library, run, tmp_path: Path) -> None:
    light, dark = library.photo("light $.jpg", 95), library.photo("dark.jpg", 5, "/2026")
    library.photo("rated.jpg", 50, rating=4)
    library.do("INSERT INTO ImageTags VALUES (?, 19)", library.photo("rejected.jpg", 60))
    away = library.root("networkshareid:?mountpath=/nowhere", "Away")
    for name in ("x.jpg", "y.jpg"):
        library.item(name, root=away)
    library.item("gone.jpg")
    outside = grey_photo(tmp_path / "outside.jpg")
    (library.photos / "link.jpg").symlink_to(outside)
    library.item("link.jpg")
    before, untouched = library.content(), outside.read_bytes()
    tagged = run("tag", "--unrated", code=1)
    assert told(tagged, "rating", "action") == [
        ("gone.jpg", None, "failed"),
        ("light $.jpg", 5, "written"),
        ("link.jpg", None, "failed"),
        ("dark.jpg", 1, "written"),
    ]
    assert "a link to a place outside" in str(tagged[2]["error"])
    assert outside.read_bytes() == untouched
    assert "the collection Away is not there (there is no folder /nowhere): 2 photos left out" in run.said
    assert library.content() == before
    library.do("DELETE FROM Images WHERE name IN ('gone.jpg', 'link.jpg')")
    again = run("tag")
    assert told(again, "rating", "action") == [
        ("light $.jpg", 5, "skipped"),
        ("rated.jpg", 4, "kept"),
        ("rejected.jpg", -1, "kept"),
        ("dark.jpg", 1, "skipped"),
    ]
    assert "0 scored" in run.said
    library.tag("Best", images=[light, dark])
    assert told(run("tag", "--tag", "best", "--album", "2026")) == [("dark.jpg",)]
    assert run("tag", "--album", "x", code=2) == []
    assert "digiKam has no album 'x'" in run.said


def test_digikams_settings_name_the_database_and_tell_what_is_to_be_done(
    library: Library, brightness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "digikamrc"
    named = f"[Database Settings]\nDatabase Type=QSQLITE\nDatabase Name={library.folder}\n"
    settings.write_text(f"{named}[Metadata Settings]\nSave Rating=true\n")
    done = aesth_in_process("digikam", "tag", "--config", settings, "--model", brightness)
    assert done.returncode == 0, done.stderr
    assert b"No photos found." in done.stderr
    assert b"digiKam does not look at files again that changed. " in done.stderr
    assert b"does not read sidecars" in done.stderr
    settings.write_text(f"{named}[Metadata Settings]\nRescan File If Modified=true\nUse XMP Sidecar For Reading=true\n")
    done = aesth_in_process("digikam", "tag", "--database", library.folder, "--config", settings, "--model", brightness)
    assert b"No photos found." in done.stderr
    assert b"look at files again" not in done.stderr
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "nobody"))
    done = aesth_in_process("digikam", "tag", "--model", brightness)
    assert done.returncode == 3
    assert b"start digiKam once" in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="tells open files as Linux does")
def test_nothing_is_scored_for_nothing_while_digikam_runs(library: Library, run, tmp_path: Path) -> None:
    library.photo("grey.jpg")
    program = shutil.copy(shutil.which("sleep") or "", tmp_path / "digikam")
    before = library.content()
    with library.database.open("rb") as file, subprocess.Popen([program, "600"], stdin=file) as digikam:
        try:
            for command in ("rank", "group"):
                assert run(command, "--model", tmp_path / "is not even loaded", code=1) == []
                assert f"digiKam is running (process {digikam.pid})" in run.said
            assert told(run("tag", "--dry-run"), "action") == [("grey.jpg", "scored")]
        finally:
            digikam.kill()
    assert library.content() == before


def test_what_is_no_run_is_told(library: Library, run) -> None:
    assert run("undo", code=1) == []
    assert "there is no run to undo in" in run.said
    assert run("undo", "12", code=1) == []
    assert "there is no run 12 in it; `aesth digikam undo --list` lists them" in run.said
    assert run("undo", "--list") == []
