"""Config, cache and state lie where the platform wants them, or where the person says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import platformdirs
import pytest

from aesth import places

FOLDERS = [
    ("AESTH_CONFIG_DIR", places.config_folder, platformdirs.user_config_path),
    ("AESTH_CACHE_DIR", places.cache_folder, platformdirs.user_cache_path),
    ("AESTH_STATE_DIR", places.state_folder, platformdirs.user_state_path),
]


@pytest.mark.parametrize(("variable", "ours", "platforms"), FOLDERS)
def test_each_folder_can_be_moved(
    variable: str,
    ours: Callable[[], Path],
    platforms: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, str(tmp_path))
    assert ours() == tmp_path
    monkeypatch.delenv(variable)
    assert ours() == platforms("aesth", appauthor=False)
