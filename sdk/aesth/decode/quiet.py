"""For programs that own their stderr: what decoders print there of damaged files is kept out of sight."""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_STDERR = 2


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Discard what C libraries (libtiff, LibRaw) write to the process's stderr, and Pillow's warnings and log.

    ``sys.stderr`` goes on to where it went. For the command line, around a whole run: it acts on all threads, so a
    library must leave that choice to the program that it is part of.
    """
    python_stderr = sys.stderr
    kept = os.dup(_STDERR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    log, heard = logging.getLogger("PIL"), logging.NullHandler()
    log.addHandler(heard)  # without any handler, errors are printed
    try:
        with warnings.catch_warnings(), open(kept, "w", buffering=1, errors="backslashreplace", closefd=False) as ours:
            warnings.filterwarnings("ignore", module=r"PIL\.")
            if _descriptor_of(python_stderr) == _STDERR:
                python_stderr.flush()
                sys.stderr = ours
            os.dup2(nowhere, _STDERR)
            yield
    finally:
        log.removeHandler(heard)
        os.dup2(kept, _STDERR)
        sys.stderr = python_stderr
        os.close(kept)
        os.close(nowhere)


def _descriptor_of(stream: object) -> int | None:
    try:
        return stream.fileno() if isinstance(stream, io.TextIOBase) else None
    except OSError:
        return None
