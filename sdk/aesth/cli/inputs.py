"""Which photos a run is about: paths, lists of paths, and what is found in folders."""

from __future__ import annotations

import io
import os
import select
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from aesth.errors import ConfigError

_CHUNK = 1 << 16


class PathList:
    """The paths in a stream, each as soon as it is there; empty ones are passed over.

    Args:
        stream: the list.
        null: paths end with a NUL byte rather than with a newline.
    """

    def __init__(self, stream: BinaryIO, *, null: bool) -> None:
        self._stream = stream
        self._end = b"\0" if null else os.linesep.encode()
        self._records: deque[bytes] = deque()

    def __iter__(self) -> Iterator[Path]:
        return map(Path, self.names())

    def names(self) -> Iterator[str]:
        """The paths as they are written, which URLs may stand among."""
        rest = b""
        for chunk in _chunks(self._stream):
            *records, rest = (rest + chunk).split(self._end)
            self._records.extend(filter(None, records))
            while self._records:
                yield os.fsdecode(self._records.popleft())
        if rest:
            yield os.fsdecode(rest)

    def would_block(self) -> bool:
        """Whether the next path is not there yet; False as well where the system cannot tell."""
        try:
            return not self._records and not select.select([self._stream], [], [], 0)[0]
        except (OSError, ValueError):
            return False


def listed_paths(source: str, *, null: bool) -> PathList:
    """The paths in the file ``source``, or on standard input for ``-``.

    Raises:
        ConfigError: the list cannot be read.
    """
    try:
        return PathList(sys.stdin.buffer if source == "-" else io.BytesIO(Path(source).read_bytes()), null=null)
    except OSError as error:
        raise ConfigError(f"--files-from: cannot be read ({error.strerror})", source) from error


def _chunks(stream: BinaryIO) -> Iterable[bytes]:
    read = getattr(stream, "read1", stream.read)
    return iter(lambda: read(_CHUNK), b"")
