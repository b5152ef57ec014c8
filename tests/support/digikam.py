"""The real digiKam, asked over the message bus; what it knows is read from its database, also while it runs."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from support.desktop import Desktop, wait_until
from support.idle import is_idle
from support.screen import takes_pictures

_SETTINGS = """[General Settings]
Version=7.9.0

[Album Settings]
Show Splash=false
Scan At Start=true
Album Monitoring=true
Recursive Albums=false

[MainWindow]
InitialAlbumID=1

[AlbumFolderView Sidebar]
CurrentIndex=1
Expansion=0,1
Selection=1

[Metadata Settings]
Use XMP Sidecar For Reading=true
Metadata Writing Mode=3
Rescan File If Modified=true
Save Rating=true
Save Pick Label=true
Update File Timestamp=true
Use Lazy Synchronization=false
"""
"""A version and an album setting keep the first-run assistant away. It starts with the photos at the top of its
collection, writes what it may not write into a file into a sidecar, and reads files again that changed."""

_MODELS = {
    "shapepredictor.dat": 67_740_572,
    "yolov3-face.cfg": 8_334,
    "yolov3-wider_16000.weights": 246_305_388,
    "openface_nn4.small2.v1.t7": 31_510_785,
    "deploy.prototxt": 28_092,
    "res10_300x300_ssd_iter_140000_fp16.caffemodel": 5_351_047,
}
"""Models for faces, and their sizes in bytes: where it finds these, digiKam 7.9 does not offer to download them."""

_OFFER = "Download [Rr]equired [Ff]iles"
"""The dialog by which it does so otherwise."""

_NO_ICONS = "[Icon Theme]\nName=Hicolor\nComment=None\nDirectories=\n"
"""digiKam looks for each of its icons in every folder of the theme, nearly half of the work of its start."""


@dataclass(frozen=True)
class Digikam:
    """A digiKam whose one collection is ``photos``, a folder that exists.

    It takes photos of the same bytes for copies, and gives them one rating: tests make each photo different.

    Attributes:
        desktop: where it runs.
        photos: the folder.
        changed: settings that are others than `_SETTINGS`: its lines, and what stands there instead.
        name: of the folder of its database, for several in one desktop.
    """

    desktop: Desktop
    photos: Path
    changed: Mapping[str, str] = field(default_factory=dict)
    name: str = "digikam"

    @property
    def folder(self) -> Path:
        return self.desktop.folder / self.name

    @property
    def settings(self) -> Path:
        return Path(self.desktop.environment["XDG_CONFIG_HOME"]) / "digikamrc"

    @property
    def reads_one_style(self) -> bool:
        """Whether it reads sidecars by the names that it writes alone, ``IMG.jpg.xmp`` unless a setting says otherwise.

        digiKam 7.9 reads ``IMG.xmp`` as well, 8.6 does not.
        """
        told = subprocess.run(["digikam", "--version"], env=self.desktop.environment, capture_output=True, check=True)
        return int(told.stdout.split()[-1].split(b".")[0]) >= 8

    def make_database(self) -> None:
        """A database that digiKam made, and the collection in it."""
        empty = self.desktop.folder / "the databases of a new digiKam"
        if not empty.exists():
            self._let_it_make(empty)
        shutil.copytree(empty, self.folder)
        self._write_settings(self.folder)
        with closing(self._open()) as database, database:
            database.execute(
                "INSERT INTO AlbumRoots (id, label, status, type, identifier, specificPath) "
                "VALUES (1, 'Photos', 0, 1, ?, '/')",
                [f"volumeid:?path={self.photos}"],
            )
            database.execute("INSERT INTO Albums (id, albumRoot, relativePath, date) VALUES (1, 1, '/', '2026-01-01')")

    def _let_it_make(self, folder: Path) -> None:
        folder.mkdir()
        self._pretend_models()
        self._write_settings(folder)
        made = replace(self, name=folder.name)
        with made._start() as process:
            wait_until(lambda: made.ask("SELECT 1 FROM Settings WHERE keyword = 'Locale'"), "its database", process)

    def _write_settings(self, folder: Path) -> None:
        settings = _SETTINGS + f"\n[Database Settings]\nDatabase Type=QSQLITE\nDatabase Name={folder}/\n"
        self.settings.write_text("".join(f"{self.changed.get(line, line)}\n" for line in settings.splitlines()))

    def _pretend_models(self) -> None:
        folder = Path(self.desktop.environment["XDG_DATA_HOME"]) / "digikam" / "facesengine"
        folder.mkdir(parents=True, exist_ok=True)
        for name, size in _MODELS.items():
            with (folder / name).open("wb") as file:
                file.truncate(size)  # takes no room

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start it; the block runs once its window is ready, and at its end digiKam is over."""
        with self._start() as process:
            wait_until(lambda: self._answers(process), "digiKam's window", process)
            # Asked for something amid its start, it may crash.
            wait_until(lambda: is_idle(process), "the end of digiKam's start", process)
            yield process
            self.close(process)

    def close(self, process: subprocess.Popen[bytes]) -> None:
        """End it, unless it is over."""
        process.terminate()
        wait_until(lambda: process.poll() is not None, "digiKam's end")

    def _start(self) -> AbstractContextManager[subprocess.Popen[bytes]]:
        environment = dict(self.desktop.environment)
        if not takes_pictures():
            shared = self.desktop.folder / "share"
            theme = shared / "icons" / "hicolor" / "index.theme"
            theme.parent.mkdir(parents=True, exist_ok=True)
            theme.write_text(_NO_ICONS)
            environment["XDG_DATA_DIRS"] = f"{shared}:/usr/local/share:/usr/share"
        return replace(self.desktop, environment=environment).running("digikam", "--database-directory", self.folder)

    def decline(self) -> bool:
        """Close the offer of models, should it come all the same; whether it was there."""
        if not self.desktop.sees(_OFFER):
            return False
        # A dialog that goes at the first key may have xdotool fail on it.
        wait_until(lambda: not self.desktop.press(_OFFER, "Escape") and not self.desktop.sees(_OFFER), "its end")
        return True

    def act(self, process: subprocess.Popen[bytes], action: str) -> None:
        """Choose an entry of its menus by its internal name; an offer of models, which may come late, is in the way."""
        self.decline()
        service, method = f"org.kde.digikam-{process.pid}", "org.kde.KMainWindow.activateAction"
        assert self.desktop.call(service, "/Digikam", method, f"string:{action}"), action

    def _answers(self, process: subprocess.Popen[bytes]) -> bool:
        service, method = f"org.kde.digikam-{process.pid}", "org.kde.KMainWindow.actionIsEnabled"
        return self.desktop.call(service, "/Digikam", method, "string:selectAll")

    def rate(self, process: subprocess.Popen[bytes], stars: int) -> None:
        """Do what a person does: select all photos at the top of the collection, and give them stars."""
        self.act(process, "selectAll")
        self.act(process, f"rateshortcut-{stars}")

    def ratings(self) -> dict[str, int]:
        """Names of photos that have been scanned -> stars 1-5, 0 for none, -1 where the pick label is "rejected"."""
        rows = self.ask(
            "SELECT Images.name, ImageInformation.rating, EXISTS (SELECT 1 FROM ImageTags JOIN Tags ON Tags.id = tagid "
            "WHERE imageid = Images.id AND Tags.name = 'Pick Label Rejected') "
            "FROM Images JOIN ImageInformation ON imageid = Images.id WHERE Images.status = 1"
        )
        return {name: -1 if rejected else max(0, rating) for name, rating, rejected in rows}

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Rows of its database; none where there is no table yet."""
        try:
            with closing(self._open()) as database:
                return database.execute(question).fetchall()
        except sqlite3.OperationalError:
            return []

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """Its database, for what a person would have done; digiKam must be over."""
        with closing(self._open()) as database, database:
            yield database

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.folder / 'digikam4.db'}?mode=rw", uri=True, timeout=30)
