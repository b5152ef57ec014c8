"""One ExifTool process, kept open: arguments in, output and messages out.

Its protocol is one argument a line, so names of photos never enter it: callers pass names of their own making.
"""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from aesth.errors import MetadataError, MissingDependencyError
from aesth.metadata.process import CONFIG as CONFIG
from aesth.metadata.process import ExifToolDied as ExifToolDied
from aesth.metadata.process import ExifToolHung, Process

_Answer = TypeVar("_Answer")

MINIMUM_VERSION = (12, 40)
"""Ubuntu 22.04's. Older ones run commands hidden in files (CVE-2021-22204) or in names (CVE-2022-23935)."""

INSTALL: Mapping[str, str] = MappingProxyType(
    {
        "debian": "sudo apt-get install libimage-exiftool-perl",
        "fedora": "sudo dnf install perl-Image-ExifTool",
        "rhel": "sudo dnf install epel-release && sudo dnf install perl-Image-ExifTool",
        "arch": "sudo pacman -S perl-image-exiftool",
        "suse": "sudo zypper install exiftool",
        "alpine": "sudo apk add exiftool",
        "darwin": "brew install exiftool",
        "windows": "winget install OliverBetz.ExifTool",
    }
)


@dataclass(frozen=True)
class Reply:
    """What ExifTool said to one command.

    Attributes:
        output: standard output.
        warnings: its warnings, without the word and the file's name.
        errors: its errors, likewise.
    """

    output: bytes
    warnings: tuple[str, ...]
    errors: tuple[str, ...]


class ExifTool:
    """A process that is started when it is asked for something, and anew after it died.

    Args:
        program: the executable.
        folder: where it runs; names in arguments are relative to it.
        greet: called with this right after each start; what it raises ends the process.
    """

    def __init__(self, program: str, folder: Path, greet: Callable[[ExifTool], None] = lambda _: None) -> None:
        self.program = program
        self.folder = folder
        self.greet = greet
        self._process: Process | None = None
        self._stopped = False

    def run(self, arguments: Iterable[str], timeout: float = 600.0) -> Reply:
        """Run one command, ``arguments`` being a line each.

        Raises:
            ExifToolDied: it did not answer within ``timeout`` seconds, or ended; the next call starts it anew.
            MissingDependencyError: it cannot be started.
        """
        lines = [*map(_checked, arguments)]
        process = self._process or self.start()
        try:
            if self._stopped:
                raise ExifToolHung("ExifTool was ended, as the run was to stop at once")
            output, messages = process.answer(lines, timeout)
        except BaseException:
            self.close(kill=True)
            raise
        text = messages.decode("utf-8", "replace").splitlines()
        return Reply(output, tuple(_messages(text, "Warning: ")), tuple(_messages(text, "Error: ")))

    def start(self) -> Process:
        """Start the process, which must not run, and greet it.

        Raises:
            MissingDependencyError: it cannot be started.
        """
        try:
            process = self._process = Process(self.program, self.folder)
        except OSError as error:
            message = f"ExifTool cannot be started ({error.strerror or error}); {how_to_install()}"
            raise MissingDependencyError(message, self.program) from error
        try:
            self.greet(self)
        except BaseException:
            self.close(kill=True)
            raise
        return process

    def stop(self) -> None:
        """End the process in the middle of what it does for another thread, for which none starts before `resume`."""
        self._stopped = True
        if process := self._process:
            process.end()

    def resume(self) -> None:
        """Start a process again when it is asked for something."""
        self._stopped = False

    def close(self, *, kill: bool = False) -> None:
        """End the process; ``kill`` does not wait for it to finish what it does."""
        process, self._process = self._process, None
        if process is not None:
            process.close(kill=kill)


def ask(path: Path, command: Callable[[], _Answer], *, tries: int = 2) -> _Answer:
    """What ``command`` finds out about the file ``path``; where ExifTool dies over it, a new one is asked once more.

    Nothing that a command does may be the worse for being done twice: none writes into a file that is there already.

    Raises:
        MetadataError: ExifTool died twice, or hung; the file is as it was.
    """
    try:
        return command()
    except ExifToolDied as error:
        if tries > 1 and not isinstance(error, ExifToolHung):
            return ask(path, command, tries=tries - 1)
        raise MetadataError(f"{error.message}; the file was left as it is", path) from error


def find_program(program: str | None = None) -> str:
    """The path of ExifTool's executable: ``program``, or the one on the PATH.

    Raises:
        MissingDependencyError: there is none; the message says how to install it here.
    """
    found = shutil.which(program or "exiftool")
    if found is None:
        raise MissingDependencyError(f"ExifTool is needed to read and write ratings; {how_to_install()}", program)
    return str(Path(found).absolute())


def check_version(exiftool: ExifTool) -> str:
    """The version of a running ExifTool.

    Raises:
        MissingDependencyError: it is too old, or no ExifTool.
    """
    try:
        text = exiftool.run(["-ver"], timeout=60).output.decode("ascii", "replace").strip()
    except ExifToolDied as error:
        message = f"this is no ExifTool that works ({error.message}); {how_to_install()}"
        raise MissingDependencyError(message, exiftool.program) from error
    match = re.fullmatch(r"(\d+)\.(\d+).*", text)
    if match is None or (int(match[1]), int(match[2])) < MINIMUM_VERSION:
        least = ".".join(map(str, MINIMUM_VERSION))
        message = f"ExifTool {text or 'of unknown version'} is too old, {least} or newer is needed; {how_to_install()}"
        raise MissingDependencyError(message, exiftool.program)
    return text


def how_to_install() -> str:
    """The line that installs ExifTool on this system."""
    line = next((INSTALL[name] for name in _systems() if name in INSTALL), None)
    return f"install it with: {line}" if line else "install it from https://exiftool.org"


def _systems() -> list[str]:
    if sys.platform != "linux":
        return [platform.system().lower()]
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return []
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return ["suse" if "suse" in name else name for name in names]


def _checked(argument: str) -> str:
    if not argument or argument.startswith("#") or any(character in argument for character in "\n\r\0"):
        raise ValueError(f"no argument for ExifTool's line protocol: {argument!r}")
    return argument


def _messages(lines: Iterable[str], start: str) -> Iterable[str]:
    for line in lines:
        if line.startswith(start):
            yield line.removeprefix(start).rsplit(" - ", 1)[0].strip()
