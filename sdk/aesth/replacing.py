"""Files that are whole or not there at all, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LONGEST = 40
"""Characters of a name that are kept, of up to four bytes each: names of files have 255 at most."""


@contextmanager
def replacing(path: Path, name: str | None = None) -> Iterator[Path]:
    """A file beside ``path`` to write to; once it is on disk it takes the place of ``path``.

    After an error ``path`` is what it was before, and the other file is gone.

    Args:
        path: the file.
        name: of the other file; None takes one of this process alone, of the same ending. Where a killed process would
            leave much, a name that is always the same lets the next one write over that.

    Raises:
        OSError: it cannot be written.
    """
    partial = path.with_name(name or f".{path.stem[:_LONGEST]}.{os.getpid()}{path.suffix}")
    try:
        yield partial
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def replace_file(path: Path, text: str) -> None:
    """Put ``text``, as UTF-8, in the place of what is there; it is on disk when this returns.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
