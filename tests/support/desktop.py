"""A screen that nobody sees, and programs with windows on it, which find nothing of the person who runs the tests."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

NEEDED = ("Xvfb", "openbox", "xdotool", "dbus-daemon", "dbus-send")

PATIENCE = 120.0
"""Seconds that a program may take for one thing: a busy machine needs a good part of them."""

_FOLDERS = {
    "HOME": "home",
    "XDG_CONFIG_HOME": "home/config",
    "XDG_DATA_HOME": "home/data",
    "XDG_CACHE_HOME": "home/cache",
    "XDG_RUNTIME_DIR": "run",
    "TMPDIR": "tmp",
}

_SETTINGS = {
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    "OMP_NUM_THREADS": "1",
    "LIBGL_ALWAYS_SOFTWARE": "1",
    "NO_AT_BRIDGE": "1",
    "GTK_USE_PORTAL": "0",
    "GIO_USE_VFS": "local",
    "GDK_BACKEND": "x11",
    "QT_QPA_PLATFORM": "xcb",
    "QTWEBENGINE_DISABLE_SANDBOX": "1",
}

_BUS = """<busconfig>
 <type>session</type>
 <listen>unix:dir={folder}</listen>
 <policy context="default">
  <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
 </policy>
</busconfig>
"""
"""A message bus that starts no services, so that nothing outlives it."""

_MENU = """<!DOCTYPE Menu PUBLIC "-//freedesktop//DTD Menu 1.0//EN" "http://www.freedesktop.org/standards/menu-spec/1.0/menu.dtd">
<Menu>
 <Name>Applications</Name>
 <DefaultAppDirs/>
 <DefaultDirectoryDirs/>
 <Include><All/></Include>
</Menu>
"""
"""The menu of programs that a desktop has; without one KDE's libraries from 6 on offer none in Open With."""


@dataclass(frozen=True)
class Desktop:
    """A display, a message bus and a home.

    Attributes:
        folder: holds all that its programs keep, and what they print, in ``PROGRAM.log``.
        environment: that of its programs.
    """

    folder: Path
    environment: dict[str, str]

    @contextmanager
    def running(self, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
        """A program; at the end it is killed, with all that it started, unless it is over."""
        with (self.folder / f"{Path(command[0]).name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE if command[0] in NEEDED else log,
                stderr=log,
                start_new_session=True,
            )
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                if process.stdout:
                    process.stdout.close()

    def call(self, service: str, place: str, method: str, *arguments: str) -> bool:
        """Call a method over the message bus; whether it was heard."""
        command = [
            "dbus-send",
            "--session",
            "--print-reply",
            "--reply-timeout=20000",
            f"--dest={service}",
            place,
            method,
        ]
        done = subprocess.run(
            [*command, *arguments], env=self.environment, capture_output=True, timeout=60, check=False
        )
        return done.returncode == 0

    def sees(self, title: str) -> bool:
        """Whether there is a window whose title has ``title`` in it."""
        command = ["xdotool", "search", "--onlyvisible", "--name", title]
        done = subprocess.run(command, env=self.environment, capture_output=True, timeout=60, check=False)
        return done.returncode == 0

    def press(self, title: str, key: str) -> bool:
        """Press a key in the window whose title has ``title`` in it; whether there is one."""
        command = ["xdotool", "search", "--onlyvisible", "--name", title, "windowactivate", "--sync", "key", key]
        done = subprocess.run(command, env=self.environment, capture_output=True, timeout=60, check=False)
        return done.returncode == 0

    def screenshot(self, picture: Path) -> None:
        """What the screen shows, for a person who looks into a failure; nothing where ImageMagick is missing."""
        if shutil.which("import"):
            command = ["import", "-window", "root", picture]
            subprocess.run(command, env=self.environment, timeout=60, check=False)


@contextmanager
def desktop(folder: Path) -> Iterator[Desktop]:
    """A desktop below ``folder``; its programs end with it."""
    places = {name: folder / below for name, below in _FOLDERS.items()}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
    bus = folder / "bus.xml"
    bus.write_text(_BUS.format(folder=folder / "run"))
    menu = places["XDG_CONFIG_HOME"] / "menus" / "applications.menu"
    menu.parent.mkdir(exist_ok=True)
    menu.write_text(_MENU)
    environment = {"PATH": os.environ["PATH"], **_SETTINGS, **{name: str(place) for name, place in places.items()}}
    made = Desktop(folder, environment)
    screen = ("Xvfb", "-displayfd", "1", "-screen", "0", "1400x900x24", "-nolisten", "tcp")
    with made.running(*screen) as display:
        environment["DISPLAY"] = f":{_first_line(display)}"
        with made.running("dbus-daemon", "--nofork", "--print-address", f"--config-file={bus}") as daemon:
            environment["DBUS_SESSION_BUS_ADDRESS"] = _first_line(daemon)
            with made.running("openbox"):
                yield made


def need(config: pytest.Config, *programs: str) -> None:
    """Skip, or fail if all tests of real programs were called for, where one of ``programs`` is not installed."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        give_up = pytest.fail if config.getoption("--need-apps") else pytest.skip
        give_up(f"needs {', '.join(missing)}: `make apps` installs what is missing on Debian")


def wait_until(holds: Callable[[], object], what: str, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait until something holds.

    Raises:
        AssertionError: it takes longer than `PATIENCE`, or the ``process`` that should see to it is over.
    """
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"not seen in {PATIENCE:.0f} s: {what}"
        assert process is None or process.poll() is None or holds(), f"ended before {what}"
        time.sleep(0.1)


def _first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout
    return process.stdout.readline().decode().strip()
