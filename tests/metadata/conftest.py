"""What tests of metadata share: a user without privileges, and who comes between our read and our write."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aesth.metadata.exiftool import CONFIG
from support.people import NOBODY


@pytest.fixture
def unprivileged(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of a user without privileges, who runs the test: root would pass it vacuously."""
    folder, state = (Path(tempfile.mkdtemp(prefix="test-aesth-")) for _ in range(2))
    monkeypatch.setenv("AESTH_STATE_DIR", str(state))
    root = hasattr(os, "getuid") and os.getuid() == 0
    if root:
        os.chown(folder, NOBODY, NOBODY)
        os.chown(state, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, 0)
    try:
        if not os.access(CONFIG, os.R_OK):
            pytest.skip("a user without privileges cannot read this checkout")
        yield folder
    finally:
        if root:
            os.setresuid(0, 0, 0)
        folder.chmod(0o700)
        shutil.rmtree(folder)
        shutil.rmtree(state)
