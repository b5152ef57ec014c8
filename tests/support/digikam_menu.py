"""digiKam's window as a person uses it: the menu of the selected photos, and aesth in its Open With."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import aesth
from support.cli import aesth_in_process
from support.desktop import Desktop, wait_until
from support.digikam import Digikam
from support.idle import is_idle

WIDTH, HEIGHT = 1396, 870
_ALBUM = (500, 330)
"""A place on the first photo of the album, in a window of that size."""
_TREE = (90, 120)
"""The collection in the tree of albums."""
_MOMENT, _LOST = 0.2, 8
"""Seconds of rest that say that something is done, and so many times that until it is seen it never will be."""


@dataclass(frozen=True)
class Photographer:
    """A person before a digiKam that runs, with this aesth installed.

    Attributes:
        digikam: the one with the collection.
        process: digiKam.
    """

    digikam: Digikam
    process: subprocess.Popen[bytes]

    @property
    def desktop(self) -> Desktop:
        return self.digikam.desktop

    def enlarge(self) -> None:
        """Make the window as large as the screen."""
        window = self._window()
        self._xdotool("windowmove", window, "0", "0", "windowsize", window, str(WIDTH), str(HEIGHT))
        self._xdotool("windowactivate", "--sync", window)
        wait_until(lambda: self._width(window) == WIDTH, "a large window", self.process)

    def open_menu(self, picture: Path | None = None) -> None:
        """Select all photos, and open Open With in the menu of the right button; ``picture`` shows it."""
        wait_until(self.sees_one_window, "digiKam's window alone", self.process)
        wait_until(self._try_menu, "Open With", self.process)
        if picture is not None:
            self.desktop.screenshot(picture)

    def choose(self, letter: str) -> None:
        """Choose the entry of the open menu whose name begins with a letter."""
        self._xdotool("key", letter)

    def open_with(self, letter: str) -> None:
        """Open all photos with the entry whose name begins with a letter."""
        self.open_menu()
        self.choose(letter)

    def sort_by_hand(self, photo: tuple[int, int], before: tuple[int, int]) -> None:
        """Drag the photo at one place to that at another, and choose "Insert Items here", the first that is offered.

        A small picture follows the pointer once Qt takes it for a drag: only then is the rest of the way worthwhile.
        """
        alone = self._windows()
        self._point(photo)
        self._xdotool("mousedown", "1")
        for part in (0.05, 0.1, 0.15, 0.2):
            time.sleep(0.1)
            self._point(photo, before, part)
        dragged = self._more_than(alone)
        if dragged:
            self._point(photo, before, 0.9)
            self._point(before)
            self.await_rest()
        self._xdotool("mouseup", "1")
        offered = dragged and self._more_than(dragged)
        self._xdotool("key", *(("Down", "key", "Return") if offered else ("Escape",)))
        self.await_rest()

    def choose_album(self, name: str) -> None:
        """Show an album of the collection: type its name into the tree of albums."""
        self.await_rest()
        self._xdotool("mousemove", *map(str, _TREE), "click", "1")
        self.await_rest()
        self._xdotool("type", name)
        self.await_rest()

    def sees_one_window(self) -> bool:
        """Whether digiKam's window is alone; clicks what else is there away: an offer of models, and news."""
        self.digikam.decline()
        shown = self._windows()
        others = shown - {max(shown, key=self._width)}
        for news in others:
            self._xdotool("mousemove", "--window", news, "9", "9", "click", "1")
        return not others

    def look_away(self) -> None:
        """Select nothing, and put the pointer where it is in nobody's way."""
        self.digikam.act(self.process, "selectNone")
        self._xdotool("mousemove", "200", "700")

    def await_rest(self) -> None:
        """Wait until digiKam did all that it was asked for."""
        wait_until(lambda: is_idle(self.process, _MOMENT), "a digiKam that has nothing to do", self.process)

    def windows(self, title: str) -> list[str]:
        """The windows whose titles have ``title`` in them."""
        return self._xdotool("search", "--onlyvisible", "--name", title).split()

    def _try_menu(self) -> bool:
        """Whether the menu and Open With opened: of a busy digiKam, clicks and keys may come to nothing."""
        self._xdotool("windowactivate", "--sync", self._window())
        self.await_rest()
        self.digikam.act(self.process, "selectAll")
        self.await_rest()
        before = self._windows()
        for act in (["mousemove", *map(str, _ALBUM), "click", "3"], ["key", "w"]):
            self._xdotool(*act)
            before = self._more_than(before)
            if not before:
                self._xdotool("key", "Escape", "key", "Escape")
                self.await_rest()
                return False
        return True

    def _more_than(self, before: set[str]) -> set[str]:
        """The windows of digiKam once one is among them that was not there ``before``, and it listens.

        None if none comes: digiKam has had nothing to do for a while, and what was done to it came to nothing.
        """
        rested = 0
        while not (now := self._windows()) - before:
            rested = rested + 1 if is_idle(self.process, _MOMENT) else 0
            if rested == _LOST:
                return set()
        self.await_rest()
        return now

    def _point(self, place: tuple[int, int], to: tuple[int, int] = (0, 0), part: float = 0) -> None:
        """Put the pointer at a place, or a part of the way from there to another."""
        at = (round(start + (end - start) * part) for start, end in zip(place, to, strict=True))
        self._xdotool("mousemove", *map(str, at))

    def _windows(self) -> set[str]:
        """Those of digiKam; where one goes away as xdotool looks, it finds none."""
        found: set[str] = set()

        def look() -> set[str]:
            found.update(self._xdotool("search", "--onlyvisible", "--class", "digikam").split())
            return found

        wait_until(look, "a window", self.process)
        return found

    def _window(self) -> str:
        return max(self._windows(), key=self._width)

    def _width(self, window: str) -> int:
        told = self._xdotool("getwindowgeometry", "--shell", window).split()
        return int(dict(line.split("=", 1) for line in told if "=" in line).get("WIDTH", 0))

    def _xdotool(self, *arguments: str) -> str:
        command = ["xdotool", *arguments]
        return subprocess.run(
            command, env=self.desktop.environment, capture_output=True, text=True, timeout=60, check=False
        ).stdout


def with_aesth(desktop: Desktop) -> Desktop:
    """``desktop`` with this aesth, rather than an installed one, and folders of its own for it."""
    paths = os.pathsep.join(filter(None, [str(Path(aesth.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]))
    folders = {
        f"AESTH_{kind}_DIR": str(desktop.folder / "aesth" / kind.lower()) for kind in ("CONFIG", "STATE", "CACHE")
    }
    return replace(desktop, environment={**desktop.environment, "PYTHONPATH": paths, **folders})


def aesth_command(desktop: Desktop, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What the command says and does for the person at the desktop, in this process."""
    done = aesth_in_process(*arguments, cwd=desktop.folder, env=desktop.environment)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def aesth_program(desktop: Desktop, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same by the program itself, which `aesth digikam install` has digiKam start."""
    program = Path(sys.executable).with_name("aesth")
    command = [str(program), *map(str, arguments)]
    return subprocess.run(
        command, env=desktop.environment, capture_output=True, text=True, timeout=120, check=False, cwd=desktop.folder
    )


def write_config(desktop: Desktop, text: str) -> None:
    """Settings of aesth."""
    folder = Path(desktop.environment["AESTH_CONFIG_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.toml").write_text(text)
