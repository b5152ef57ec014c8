"""The folders that belong to us: config, cache and state, where the platform wants them or where the person says."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "aesth"


def config_folder() -> Path:
    """Folder of ``config.toml``: ``AESTH_CONFIG_DIR``, or the platform's."""
    return _moved("AESTH_CONFIG_DIR") or platformdirs.user_config_path(_APP, appauthor=False)


def cache_folder() -> Path:
    """Folder of what can be made again: ``AESTH_CACHE_DIR``, or the platform's."""
    return _moved("AESTH_CACHE_DIR") or platformdirs.user_cache_path(_APP, appauthor=False)


def state_folder() -> Path:
    """Folder of what must be kept: ``AESTH_STATE_DIR``, or the platform's."""
    return _moved("AESTH_STATE_DIR") or platformdirs.user_state_path(_APP, appauthor=False)


def _moved(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser() if value else None
