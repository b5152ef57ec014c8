"""What tests of several commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.cli import grey_photo


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of two photos, which the model ``brightness`` tells apart."""
    folder = tmp_path / "photos"
    folder.mkdir()
    grey_photo(folder / "dark.jpg", 5)
    grey_photo(folder / "light.jpg", 95)
    return folder
