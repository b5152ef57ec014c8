"""aesth in the Open With of the real digiKam 7.9: stars and labels that change before the eyes, and a person's kept."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from aesth.digikam.kconfig import KConfig
from aesth.digikam.settings import metadata_settings
from aesth.metadata import MetadataSession
from aesth.metadata.ratings import REJECTED
from support.bursts import taken
from support.cli import grey_photo, grey_raw
from support.desktop import Desktop, need, wait_until
from support.digikam import Digikam
from support.digikam_menu import Photographer, aesth_command, aesth_program, with_aesth, write_config
from support.metadata import rate_by_hand
from support.rated import state

pytestmark = [pytest.mark.apps, pytest.mark.timeout(900)]

WINDOWS = find_spec("_tkinter") is not None
"""Whether aesth has windows here; Debian has Tk in a package of its own."""

ODD_NAMES = ("two words.jpg", '"quoted".jpg', "$HOME `id`.jpg", "100%F %%.jpg", "new\nline.jpg", "'single';&.jpg")

NO_RESCAN = {"Rescan File If Modified=true": "Rescan File If Modified=false"}
TO_ITSELF = {
    "Save Rating=true": "Save Rating=false",
    "Save Pick Label=true": "Save Pick Label=false",
    "Use XMP Sidecar For Reading=true": "Use XMP Sidecar For Reading=false",
}


def picks(digikam: Digikam) -> dict[str, str]:
    """Names of photos -> digiKam's pick label."""
    rows = digikam.ask(
        "SELECT Images.name, substr(Tags.name, 12) FROM Images JOIN ImageTags ON imageid = Images.id "
        "JOIN Tags ON Tags.id = tagid WHERE Tags.name LIKE 'Pick Label %' AND Images.status = 1"
    )
    return {name: label for name, label in rows if label != "None"}


def stars(session: MetadataSession, photos: Sequence[Path]) -> dict[str, int | None]:
    return {photo.name: state(session, photo).rating for photo in photos}


def rated(digikam: Digikam, process: subprocess.Popen[bytes], expected: dict[str, int]) -> bool:
    """Give all photos stars, and see whether they have them; the album may not be shown yet."""
    digikam.rate(process, max(expected.values()))
    time.sleep(0.5)
    return digikam.ratings() == expected


def begin(desktop: Desktop, brightness: Path) -> None:
    """A person who installed aesth, and rejects what is nearly black."""
    write_config(desktop, f'model = "{brightness}"\nreject_below = 6.0\ncache = false\n')
    done = aesth_program(desktop, "digikam", "install")
    assert done.returncode == 0, done.stderr


def test_stars_and_labels_change_before_the_eyes_and_can_be_taken_back(
    request: pytest.FixtureRequest, screen: Desktop, brightness: Path, session: MetadataSession, tmp_path: Path
) -> None:
    """digiKam would not look at the files by itself here; another selection than at the start has the album read."""
    need(request.config, "digikam")
    collection = tmp_path / "collection"
    collection.mkdir()
    photos = [grey_photo(collection / name, 8 + 13 * number) for number, name in enumerate(ODD_NAMES)]
    photos += [taken(collection / f"burst{number}.jpg", 0.3 * number, 40 + 9 * number) for number in range(3)]
    photos += [grey_raw(collection / "raw.dng", 77), grey_photo(collection / "black.jpg", 2)]
    before = {photo: photo.read_bytes() for photo in photos}
    by_person = grey_photo(collection / "person.jpg", 97)
    rate_by_hand(by_person, "-XMP-xmp:Rating=2")
    desktop = with_aesth(screen)
    begin(desktop, brightness)
    digikam = Digikam(desktop, collection, NO_RESCAN, name="shows")
    digikam.make_database()
    with digikam.running() as process:
        wait_until(lambda: len(digikam.ratings()) == len(photos) + 1, "all photos", process)
        person = Photographer(digikam, process)
        person.enlarge()
        person.open_with("s")
        if WINDOWS:
            wait_until(lambda: person.windows("Score aesthetics"), "the window of aesth", process)
        digikam.act(process, "selectNone")
        wait_until(lambda: None not in stars(session, photos).values(), "stars in all files", process)
        expected = {**stars(session, photos), by_person.name: 2}
        assert set(expected.values()) >= {REJECTED, 1, 2, 3, 4}
        wait_until(lambda: digikam.ratings() == expected, "the stars of all files", process)
        assert picks(digikam) == {"black.jpg": "Rejected"}
        wait_until(lambda: not person.windows("Score aesthetics"), "the end of aesth's window", process)

        person.open_with("c")
        labels = {"burst0.jpg": "Pending", "burst1.jpg": "Pending", "burst2.jpg": "Accepted", "black.jpg": "Rejected"}
        wait_until(lambda: picks(digikam) == labels, "labels of a burst", process)
        assert digikam.ratings() == expected
        wait_until(lambda: not person.windows("Cull bursts"), "the end of aesth's window", process)

    labelled = {photo.name: state(session, photo).pick for photo in photos}
    assert [labelled[f"burst{number}.jpg"] for number in range(3)] == [2, 2, 3]
    assert stars(session, [by_person]) == {by_person.name: 2}
    history = aesth_command(desktop, "history", "--format", "ndjson").stdout.splitlines()
    for run in [json.loads(line)["run"] for line in history][:-3:-1]:
        assert aesth_command(desktop, "undo", str(run)).returncode == 0
    assert set(stars(session, photos).values()) == {None}
    assert {photo: photo.read_bytes() for photo in photos} == before


def test_what_digikam_keeps_to_itself_is_not_lost_and_its_settings_can_be_fixed(
    request: pytest.FixtureRequest, screen: Desktop, brightness: Path, session: MetadataSession, tmp_path: Path
) -> None:
    """Stars that a person gave stand in the database alone; what changes is read again by digiKam, without sidecars."""
    need(request.config, "digikam")
    collection = tmp_path / "collection"
    collection.mkdir()
    mine = grey_photo(collection / "mine.jpg", 97)
    desktop = with_aesth(screen)
    begin(desktop, brightness)
    digikam = Digikam(desktop, collection, TO_ITSELF, name="keeps")
    digikam.make_database()
    with digikam.running() as process:
        wait_until(lambda: digikam.ratings() == {mine.name: 0}, "a photo", process)
        wait_until(lambda: rated(digikam, process, {mine.name: 3}), "stars of a person", process)
        photo, raw = grey_photo(collection / "photo.jpg", 50), grey_raw(collection / "raw.dng", 77)
        wait_until(lambda: len(digikam.ratings()) == 3, "new photos", process)
        person = Photographer(digikam, process)
        person.enlarge()
        person.open_with("s")
        wait_until(lambda: digikam.ratings()[photo.name] == 3, "what changed to be read again", process)
        wait_until(lambda: stars(session, [raw]) == {raw.name: 4}, "stars in a sidecar", process)
        assert digikam.ratings() == {mine.name: 3, photo.name: 3, raw.name: 0}
        assert stars(session, [mine]) == {mine.name: None}
        refused = aesth_command(desktop, "digikam", "install", "--fix")
        assert refused.returncode == 1
        assert "close digiKam" in refused.stderr

    before = digikam.settings.read_bytes()
    done = aesth_command(desktop, "digikam", "install", "--fix")
    assert done.returncode == 0, done.stderr
    assert "[Metadata Settings] Use XMP Sidecar For Reading=true" in done.stdout
    with digikam.running() as process:
        digikam.act(process, "album_read_metadata")
        wait_until(lambda: digikam.ratings().get(raw.name) == 4, "stars in a sidecar that is read", process)
        assert digikam.ratings() == {mine.name: 3, photo.name: 3, raw.name: 4}
        wait_until(lambda: rated(digikam, process, dict.fromkeys(digikam.ratings(), 5)), "stars of a person", process)
        wait_until(lambda: set(stars(session, [mine, photo, raw]).values()) == {5}, "stars in files", process)
    done = aesth_command(desktop, "digikam", "install", "--uninstall")
    assert done.returncode == 0, done.stderr
    assert metadata_settings(KConfig(digikam.settings.read_bytes())) == metadata_settings(KConfig(before))
    left = [path.name for path in Path(desktop.environment["XDG_DATA_HOME"]).rglob("*aesth*")]
    assert left == []
