"""ExifTool's process, kept open by pyexiftool.

pyexiftool would wait for ever for a process that died, that hangs, or whose messages fill their pipe; and it cannot say
where and how the process runs. `Process` adds that, by pyexiftool's private ``_process`` alone.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from io import BufferedReader
from pathlib import Path
from typing import Any

import exiftool as pyexiftool
from exiftool.exceptions import ExifToolException, ExifToolNotRunning

from aesth.errors import AesthError

if sys.platform == "linux":
    import resource

CONFIG = Path(__file__).with_name("aesth.ExifTool_config")

_END = re.compile(rb"=[^=]*=post\d{6}\s*$")
"""What pyexiftool has ExifTool print after the messages of a command: its status, and the command's number."""

MEMORY = 2 << 30
"""Bytes that ExifTool may take: far more than any photo needs, and less than compressed metadata can unfold to."""

_LONGEST_END = 64
_CHUNK = 1 << 16


class ExifToolDied(AesthError):  # noqa: N818 - what happened, not what is wrong
    """The process ended, or gave no answer, before a command was done."""


class ExifToolHung(ExifToolDied):
    """The process gave no answer in time, and was ended."""


class Process(pyexiftool.ExifTool):  # type: ignore[misc]  # it has no types
    """pyexiftool with a process of our own making, and a thread that watches it.

    The thread takes messages out of their pipe as they come, and passes on their end. Once the process has ended, it
    puts in place of the pipes a file that cannot be read, at which pyexiftool gives up.
    """

    def __init__(self, program: str, folder: Path) -> None:
        pyexiftool.exiftool.random = random.SystemRandom()  # it would reseed and use the one of the whole program
        super().__init__(program, common_args=None, config_file=CONFIG, encoding="utf-8")
        self._folder = folder
        self._collected: list[bytes] = []
        self.run()

    @property
    def running(self) -> bool:
        """Whether the process lives; unlike pyexiftool's, without a warning on the user's terminal."""
        return self._process is not None and self._process.poll() is None

    def run(self) -> None:
        """Start the process in our folder, out of reach of the user's settings and of Ctrl-C."""
        posix = os.name == "posix"
        process: Any = subprocess.Popen(
            [self.executable, "-config", self.config_file, "-stay_open", "True", "-@", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self._folder,
            env=_environment(),
            umask=0o077 if posix else -1,
            start_new_session=posix,  # so that Ctrl-C reaches us alone
        )
        self._process = process
        _limit_memory(process.pid)
        messages, (ends, sink) = process.stderr, os.pipe()
        process.stderr = os.fdopen(ends, "rb")
        if posix:
            os.set_blocking(sink, False)
        pipes = (process.stdout.fileno(), ends)
        unreadable = os.open(os.devnull, os.O_WRONLY)
        passed = (messages, sink, pipes, unreadable)
        self._watcher = threading.Thread(name="ExifTool", target=self._watch, args=passed, daemon=True)
        self._watcher.start()

    def answer(self, arguments: Iterable[str], timeout: float) -> tuple[bytes, bytes]:
        """The output of one command, and its messages."""
        self._collected.clear()
        deadline = time.monotonic() + timeout
        timer = threading.Timer(timeout, self._kill)
        try:
            timer.start()
            return self.execute(*arguments, raw_bytes=True), _END.sub(b"", b"".join(self._collected))
        except (OSError, ExifToolNotRunning) as error:
            if time.monotonic() >= deadline:
                raise ExifToolHung(f"ExifTool gave no answer for {timeout:.0f} s and was ended") from error
            raise ExifToolDied("ExifTool ended unexpectedly") from error
        except (ValueError, ExifToolException) as error:
            raise ExifToolDied("ExifTool did not answer as version 12.15 and newer do") from error
        finally:
            timer.cancel()

    def end(self) -> None:
        """End the process from another thread than the one that waits for its answer, which is told that it died."""
        self._kill()

    def close(self, *, kill: bool) -> None:
        """End the process, and the thread before what it uses."""
        if not kill:
            with suppress(ExifToolDied):
                self.answer(["-stay_open", "False"], timeout=5)
        with suppress(BrokenPipeError), self._process:
            self._kill()
            self._watcher.join()

    def _kill(self) -> None:
        """End the process, and the ExifTool that it may have started if it is a script of that name."""
        if os.name == "posix" and self.running:
            with suppress(OSError):  # it ended by itself this moment
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def _watch(self, messages: BufferedReader, sink: int, pipes: Iterable[int], unreadable: int) -> None:
        with messages:
            tail = b""
            # By the chunk: a thread that takes its turn for each line lags behind pyexiftool's spinning for minutes.
            while chunk := messages.read1(_CHUNK):
                self._collected.append(chunk)
                tail = (tail + chunk)[-_LONGEST_END:]
                if end := _END.search(tail):
                    tail = b""
                    with suppress(BlockingIOError):  # full of ends that a hostile file made up
                        os.write(sink, end[0])
        for pipe in pipes:
            os.dup2(unreadable, pipe, inheritable=False)
        os.close(unreadable)
        os.close(sink)


def _limit_memory(process: int) -> None:
    if sys.platform == "linux":  # elsewhere no other process can be limited
        with suppress(OSError, ValueError):  # it has ended, or has less already
            resource.prlimit(process, resource.RLIMIT_AS, (MEMORY, MEMORY))


def _environment() -> dict[str, str]:
    unwanted = {"EXIFTOOL_HOME", "PERL5OPT", "PERL5DB", "PERL_UNICODE"}
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return {**kept, "LANG": "C", "LC_ALL": "C", "AESTH_PID": str(os.getpid())}
