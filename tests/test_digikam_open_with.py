"""What the entries of Open With start: a run over the selection, shown by whatever is at hand, and what it tells."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aesth.config import Settings
from aesth.metadata import MetadataSession, Policy
from aesth.metadata.ratings import REJECTED
from aesth_open_with.progress import Progress, Report
from aesth_open_with.run import What, find_shown, run, told_apart
from aesth_open_with.start import start
from aesth_open_with.surfaces import Notification, Plain, Zenity, find_surface
from support.bursts import taken
from support.cli import aesth_in_process, grey_photo
from support.library import Library, make_library
from support.metadata import rate_by_hand
from support.rated import state

posix = pytest.mark.skipif(os.name == "nt", reason="needs scripts as programs")

KEEPS_TO_ITSELF = "[Database Settings]\nDatabase Type=QSQLITE\nDatabase Name={}/\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, own_places: Path, brightness: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person with settings of aesth, but no digiKam yet, no screen and no message bus."""
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(variable, raising=False)
    for variable, place in (("HOME", "home"), ("XDG_CONFIG_HOME", "home/config"), ("XDG_RUNTIME_DIR", "home/run")):
        (tmp_path / place).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / place))
    config = own_places / "config"
    config.mkdir()
    (config / "config.toml").write_text(
        f'model = "{brightness.as_posix()}"\nreject_below = 5\njobs = 1\nthreads = 1\ncache = false\n'
    )
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    return tmp_path / "photos"


@pytest.fixture(scope="module")
def session() -> Iterator[MetadataSession]:
    with MetadataSession() as session:
        yield session


def ratings(session: MetadataSession, *photos: Path) -> list[int | None]:
    return [state(session, photo).rating for photo in photos]


def test_the_selection_is_rated_by_the_config_file_and_failures_and_what_to_do_are_told(
    folder: Path, session: MetadataSession
) -> None:
    photos = [grey_photo(folder / name, percent) for name, percent in (("a b.jpg", 50), ("new\nline.jpg", 1))]
    mine, film, broken = grey_photo(folder / "mine.jpg"), folder / "film.mp4", folder / "broken.jpg"
    rate_by_hand(mine, "-XMP-xmp:Rating=1")
    film.write_bytes(b"film")
    broken.write_bytes(b"\xff\xd8\xff")
    progress = Progress(0)
    report = run(What.SCORE, [*photos, mine, film, broken], progress)
    assert ratings(session, *photos, mine) == [3, REJECTED, 1]
    assert (progress.total, progress.done) == (4, 4)
    assert report.failed
    assert report.summary.startswith("4 photos: 2 scored, 2 written, 1 kept, 0 skipped, 1 failed")
    assert [line.partition(":")[0] for line in report.told] == [
        "broken.jpg",
        "digiKam could not be asked to read the photos again. In digiKam, select the photos and choose Item > "
        "Reread Metadata From File.",
    ]


def test_a_run_that_is_stopped_leaves_the_rest_alone(folder: Path, session: MetadataSession) -> None:
    """Photos that are in work when it is stopped are finished, and told."""
    photos = [grey_photo(folder / f"{number}.jpg", 4 * number) for number in range(24)]

    class Stopping(Progress):
        def advance(self, doing: str) -> None:
            super().advance(doing)
            self.stop.set()

    report = run(What.SCORE, photos, Stopping(0))
    written = len(photos) - ratings(session, *photos).count(None)
    assert 1 <= written < len(photos)
    assert report.summary.startswith(f"Stopped after {written} photo")
    assert f"{written} scored, {written} written" in report.summary


def test_a_ranking_that_is_stopped_writes_nothing(folder: Path, own_places: Path, session: MetadataSession) -> None:
    with (own_places / "config" / "config.toml").open("a") as config:
        config.write("relative = true\n")
    photos = [grey_photo(folder / f"{number}.jpg", 20 * number) for number in range(3)]
    progress = Progress(0)
    progress.stop.set()
    assert run(What.SCORE, photos, progress).summary.startswith("Stopped after 0 photos")
    assert ratings(session, *photos) == [None] * 3


@pytest.fixture
def library(home: Path, folder: Path) -> Library:
    """A digiKam that knows photos whose stars no file has."""
    library = make_library(home / "library")
    for name, stars in (("theirs.jpg", 2), ("open.jpg", 0)):
        library.photo(name, 50, rating=stars)
    (home / "config" / "digikamrc").write_text(KEEPS_TO_ITSELF.format(library.folder))
    return library


def test_stars_that_digikam_keeps_to_itself_are_a_persons(library: Library, session: MetadataSession) -> None:
    photos = [library.photos / f"{name}.jpg" for name in ("theirs", "open")]
    report = run(What.SCORE, photos, Progress(0))
    assert ratings(session, *photos) == [None, 3]
    assert "1 written, 1 kept" in report.summary
    assert [line for line in report.told if "keeps stars that you gave in its database alone" in line]


@pytest.mark.parametrize(
    ("said", "policy", "theirs"),
    [
        ("", Policy.OURS, 1),
        ("[Metadata Settings]\nSave Rating=true\nUse Lazy Synchronization=true\n", Policy.OURS, 1),
        ("[Metadata Settings]\nSave Rating=true\n", Policy.OURS, 0),
        ("", Policy.OVERWRITE, 0),
    ],
)
def test_the_files_are_believed_where_digikam_writes_stars_into_them(
    library: Library, home: Path, session: MetadataSession, said: str, policy: Policy, theirs: int
) -> None:
    with (home / "config" / "digikamrc").open("a") as settings:
        settings.write(said)
    photos = [library.photos / "theirs.jpg"]
    left, kept = told_apart(photos, Settings(policy=policy), find_shown(photos), session)
    assert (len(left), len(kept)) == (1 - theirs, theirs)


def test_bursts_are_culled_and_others_can_be_rejected(folder: Path, session: MetadataSession) -> None:
    photos = [taken(folder / f"{number}.jpg", 0.2 * number, 40 + 5 * number) for number in range(2)]
    done = aesth_in_process("digikam", "open", "cull", "--reject-others", *photos)
    assert done.returncode == 0
    assert [state(session, photo).pick for photo in photos] == [1, 3]


def test_without_exiftool_that_is_told_and_nothing_else_happens(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = grey_photo(folder / "a.jpg")
    before = photo.read_bytes()
    monkeypatch.setenv("PATH", str(folder))
    report = start(What.SCORE, [photo], surface=Plain())
    assert report.failed
    assert "ExifTool" in report.summary
    assert photo.read_bytes() == before


def test_another_word_than_score_or_cull_is_wrong_usage() -> None:
    assert aesth_in_process("digikam", "open", "print", "a.jpg").returncode == 2


def make_program(folder: Path, name: str, text: str) -> None:
    """A script in Python as a program of the person's."""
    script = folder / name
    script.write_text(f"#!{sys.executable} -S\nimport sys\n{text}\n")
    script.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with programs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@posix
def test_the_first_surface_that_is_at_hand_is_taken(programs: Path) -> None:
    assert isinstance(find_surface(), Plain)
    make_program(programs, "notify-send", "")
    assert isinstance(find_surface(), Notification)
    make_program(programs, "zenity", "")
    assert isinstance(find_surface(), Zenity)


def waiting(progress: Progress) -> Report:
    """Work that lasts until it is stopped."""
    progress.advance("a <b> & c.jpg")
    assert progress.stop.wait(60)
    return Report("Stopped", ("what to do",), failed=True)


@posix
def test_zenity_shows_how_far_it_is_cancels_and_warns(programs: Path, tmp_path: Path) -> None:
    """One that is closed after the first lines, as by a click on Cancel."""
    log = tmp_path / "log"
    make_program(
        programs,
        "zenity",
        f"said = sys.argv[1:]\nif '--progress' in said: said += [sys.stdin.readline(), sys.stdin.readline()]\n"
        f"open({str(log)!r}, 'a').write(repr(said) + '\\n'); sys.exit(1)",
    )
    assert Zenity().show("Title", Progress(4), waiting).failed
    shown, warned = log.read_text().splitlines()
    assert "'# 1 of 4: a &lt;b&gt; &amp; c.jpg\\n', '25\\n'" in shown
    assert "'--warning', '--title=Title', '--no-markup', '--text=Stopped\\nwhat to do'" in warned


@posix
def test_a_notification_has_a_button_that_cancels_and_tells_what_came_of_it(programs: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    make_program(
        programs,
        "notify-send",
        f"open({str(log)!r}, 'a').write(repr(sys.argv[1:]) + '\\n')\n"
        "print('cancel' if '--action=cancel=Cancel' in sys.argv else '')",
    )
    assert Notification().show("Title", Progress(4), waiting).failed
    _, told = log.read_text().splitlines()
    assert told.endswith("'--urgency=critical', 'Title', 'Stopped\\nwhat to do']")
