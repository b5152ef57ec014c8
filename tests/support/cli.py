"""The real command, in a process of its own or in this one, and photos whose score is known to it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from support.photos import dng

COMMAND = (sys.executable, "-m", "aesth.cli")

UNWANTED = ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TERMINAL_WIDTH", "PYTHONUNBUFFERED")
"""Settings that would colour, widen or flush the output."""

NON_UTF8 = os.fsdecode(b"caf\xe9.jpg")

EVIL_NAMES = (
    "plain.jpg",
    "two words.jpg",
    " edges .jpg",
    "-rf.jpg",
    "--help.jpg",
    "@list.jpg",
    "#hash.jpg",
    "$HOME.jpg",
    "`id`.jpg",
    "semi;colon&.jpg",
    "com,ma.jpg",
    "'single'.jpg",
    '"double".jpg',
    "back\\slash.jpg",
    "tab\t.jpg",
    "new\nline.jpg",
    "carriage\rreturn.jpg",
    "escape\x1b[2Jscreen.jpg",
    "[red]markup[_red].jpg",
    ":smile:.jpg",
    "\u202egpj.jpg",
    "line\u2028separator.jpg",
    "写真 ★.jpg",
    NON_UTF8,
    "n" * 246 + ".jpg",
)


def grey_photo(path: Path, percent: float = 50) -> Path:
    """A photo that the brightness model scores ``percent``, to within a point."""
    Image.new("L", (64, 48), round(2.55 * percent)).save(path, quality=95)
    return path


def grey_raw(path: Path, percent: float = 50) -> Path:
    """A RAW file that the brightness model scores ``percent``, to within a point."""
    path.write_bytes(dng(np.full((48, 64, 3), round(2.55 * percent), np.uint8)))
    return path


def grey_photos(folder: Path, number: int) -> list[Path]:
    """Copies of a photo, in the order of their names."""
    first = grey_photo(folder / "photo-00000.jpg")
    paths = [folder / f"photo-{index:05d}.jpg" for index in range(number)]
    for path in paths[1:]:
        path.write_bytes(first.read_bytes())
    return paths


def evil_photos(folder: Path) -> list[Path]:
    """One photo for each of `EVIL_NAMES`."""
    return [grey_photo(folder / name) for name in EVIL_NAMES]


def aesth(
    *arguments: str | Path, cwd: Path | None = None, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """What the command prints and returns."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=120,
        env=environment(env),
        check=False,
    )


def aesth_in_process(
    *arguments: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """What the command prints and returns, run in this process: starting one takes a second, and with torch five.

    ``env`` is added to the environment. An exception that the command does not turn into an exit code is raised here.
    """
    from aesth.cli.app import app

    given = [str(argument) for argument in arguments]
    environment = {**dict.fromkeys(UNWANTED), **(env or {})}
    with chdir(cwd or Path.cwd()):
        done = CliRunner().invoke(app, given, prog_name="aesth", env=environment, catch_exceptions=False)
    return subprocess.CompletedProcess(given, done.exit_code, done.stdout_bytes, done.stderr_bytes)


def start_aesth(*arguments: str | Path, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    """The command, running, in a process group of its own, as a shell would start it."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(env),
        start_new_session=True,
        bufsize=0,
    )


def environment(changes: dict[str, str] | None = None) -> dict[str, str]:
    """This environment with ``changes``, without `UNWANTED`."""
    return {name: value for name, value in os.environ.items() if name not in UNWANTED} | (changes or {})


def listed(paths: Sequence[Path], end: bytes = b"\n") -> bytes:
    """``paths`` as a list for ``--files-from``."""
    return b"".join(os.fsencode(path) + end for path in paths)
