"""A library of a real digiKam: albums of plain photos, of a person's own order, and of free photos for pictures."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from support.bursts import taken
from support.demo import demo_photos
from support.desktop import Desktop
from support.digikam import Digikam
from support.digikam_menu import Photographer, aesth_command

COLOURS = {
    "d.jpg": (250, 140, 30),
    "a.jpg": (30, 60, 140),
    "e.jpg": (200, 220, 120),
    "b.jpg": (120, 20, 60),
    "c.jpg": (60, 170, 90),
}
GREYS = {"burst1.jpg": 30, "burst2.jpg": 60, "burst3.jpg": 45}
"""Percent of white of three takes of a moment."""

ALBUM, THEIRS, DEMO = "best & worst, 100 %", "theirs", "demo"

BY_RATING = {"Recursive Albums=false": "Recursive Albums=false\nImage Sort Order=5\nImage Sorting=0\nIcon Size=144"}
"""View > Sort Items > By Rating, ascending, in the words of digiKam 7.9's settings."""


@dataclass(frozen=True)
class Library:
    """A digiKam that was started with it.

    Attributes:
        digikam: with its one collection.
        process: the digiKam that was started first.
        model: scores by brightness.
        demo: the names of the free photos in `DEMO`; none where they cannot be fetched.
    """

    digikam: Digikam
    process: subprocess.Popen[bytes]
    model: Path
    demo: frozenset[str]

    @property
    def person(self) -> Photographer:
        return Photographer(self.digikam, self.process)

    def aesth(self, command: str, *options: str | Path, model: bool = True) -> subprocess.CompletedProcess[str]:
        """What ``aesth digikam`` says and does; not ``model``: with the model that comes with it, if with any."""
        given = ("--model", self.model) if model else ()
        return aesth_command(self.digikam.desktop, "digikam", command, *given, "--format", "ndjson", *options)

    def what_we_change(self) -> list[list[tuple[Any, ...]]]:
        return [
            self.digikam.ask("SELECT id, manualOrder FROM Images ORDER BY id"),
            self.digikam.ask("SELECT subject, object, type FROM ImageRelations ORDER BY subject"),
        ]

    def groups(self) -> dict[str, str]:
        """Photos in a group -> the one on top."""
        return dict(
            self.digikam.ask(
                "SELECT one.name, other.name FROM ImageRelations JOIN Images AS one ON one.id = subject "
                "JOIN Images AS other ON other.id = object WHERE type = 2"
            )
        )


def outcomes(done: subprocess.CompletedProcess[str], code: int = 0) -> dict[str, dict[str, Any]]:
    """What came of each photo."""
    assert done.returncode == code, done.stderr
    return {Path(line["path"]).name: line for line in map(json.loads, done.stdout.splitlines())}


def make_library(desktop: Desktop, collection: Path) -> tuple[Digikam, frozenset[str]]:
    """A digiKam with the collection, which is made, and the names of the photos in `DEMO`."""
    make_photos(collection)
    demo = make_demo(collection / DEMO)
    digikam = Digikam(desktop, collection, BY_RATING, name="library")
    digikam.make_database()
    add_share(digikam)
    return digikam, demo


def make_photos(collection: Path) -> None:
    for folder in (ALBUM, THEIRS, DEMO):
        (collection / folder).mkdir(parents=True)
    for name, colour in COLOURS.items():
        Image.new("RGB", (300, 200), colour).save(collection / ALBUM / name, quality=95)
    for number, (name, percent) in enumerate(GREYS.items()):
        taken(collection / ALBUM / name, number / 2, percent, size=(300, 200))
    for number in range(3):
        taken(collection / THEIRS / f"t{number}.jpg", number / 2, 20 + 20 * number, size=(303, 200))


def make_demo(folder: Path) -> frozenset[str]:
    """Photos for the pictures, with three takes of one of them; their names."""
    photos = {photo.name: photo for photo in demo_photos(folder)}
    if photos:
        with Image.open(photos["china.jpg"]) as whole:
            for number, inset in enumerate((0, 12, 40)):
                take = whole.convert("RGB").crop((inset, inset, whole.width - inset, whole.height - inset))
                taken(folder / f"temple{number + 1}.jpg", number / 2, picture=take)
        photos["china.jpg"].unlink()
    return frozenset(path.name for path in folder.iterdir() if path.suffix in {".jpg", ".png"})


def add_share(digikam: Digikam) -> None:
    """A collection on a share that is not there now."""
    with digikam.changing() as database:
        database.execute(
            "INSERT INTO AlbumRoots (id, label, status, type, identifier, specificPath) "
            "VALUES (7, 'Share', 0, 3, 'networkshareid:?mountpath=/nowhere', '/')"
        )
        database.execute("INSERT INTO Albums (id, albumRoot, relativePath) VALUES (70, 7, '/')")
        database.execute("INSERT INTO Images (id, album, name, status, category) VALUES (700, 70, 'away.jpg', 1, 1)")


def people_did(digikam: Digikam) -> None:
    """What a person sorted and grouped by hand in the album `THEIRS`."""
    ids = dict(digikam.ask("SELECT name, id FROM Images"))
    with digikam.changing() as database:
        for order, name in enumerate(("t2.jpg", "t0.jpg", "t1.jpg")):
            database.execute("UPDATE Images SET manualOrder = ? WHERE id = ?", [100 * order, ids[name]])
        database.execute("INSERT INTO ImageRelations VALUES (?, ?, 2)", [ids["t1.jpg"], ids["t0.jpg"]])


def show_by_hand(digikam: Digikam, album: str) -> None:
    """Have it start with an album, and with View > Sort Items > By Manual and Name; digiKam must be over."""
    ((number,),) = digikam.ask(f"SELECT id FROM Albums WHERE relativePath = '/{album}'")
    settings = digikam.settings.read_text()
    for key, value in {"Selection": number, "InitialAlbumID": number, "Image Sort Order": 10}.items():
        settings, found = re.subn(rf"^{key}=.*$", f"{key}={value}", settings, flags=re.MULTILINE)
        assert found, key
    digikam.settings.write_text(settings)
