"""The window of aesth that digiKam's Open With shows, on a real screen."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.desktop import Desktop, need, wait_until
from support.digikam_menu import with_aesth

pytestmark = [pytest.mark.apps, pytest.mark.timeout(900)]

WINDOW = """
from aesth_open_with.progress import Progress, Report
from aesth_open_with.window import Window

def work(progress):
    progress.total = 24
    for number in range(9):
        progress.advance(f"IMG_{number:04}.JPG")
    assert progress.stop.wait(100)
    print("stopped", flush=True)
    return Report("Stopped after 9 photos", ("what to do",))

print(Window().show("Score aesthetics (aesth)", Progress(24), work).summary)
"""


def test_the_window_shows_how_far_it_is_cancels_and_says_what_came_of_it(
    request: pytest.FixtureRequest, screen: Desktop, tmp_path: Path
) -> None:
    need(request.config, "import")
    pytest.importorskip("tkinter")
    plugin = Path(__file__).parents[2] / "plugins" / "digikam"
    desktop = with_aesth(screen)
    desktop.environment["PYTHONPATH"] += f":{plugin}"
    title = "Score aesthetics"
    said = desktop.folder / f"{Path(sys.executable).name}.log"
    with desktop.running(sys.executable, "-c", WINDOW) as process:
        wait_until(lambda: desktop.sees(title), "the window", process)
        time.sleep(1)
        desktop.screenshot(tmp_path / "window.png")
        wait_until(lambda: pressed(desktop, title, lambda: "stopped" in said.read_text()), "a cancel", process)
        # What is to be done stays to be read.
        desktop.screenshot(tmp_path / "report.png")
        assert process.poll() is None
        wait_until(lambda: pressed(desktop, title, lambda: process.poll() is not None), "the end")
        assert process.returncode == 0
    assert said.read_text() == "stopped\nStopped after 9 photos\n"


def pressed(desktop: Desktop, title: str, seen: Callable[[], bool]) -> bool:
    """Whether Escape did what it should; a key may come before a new window listens."""
    desktop.press(title, "Escape")
    time.sleep(1)
    return seen()
