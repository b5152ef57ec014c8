"""Where a training stands, in one file that is always whole."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from pathlib import Path
from typing import Any

import torch

from aesth.errors import ConfigError
from aesth.training.files import replacing
from aesth.training.recipe import LoaderRecipe, Recipe
from aesth.training.study import Study


class Checkpoint:
    """Where a training stands, kept in one file that is replaced as a whole.

    Args:
        path: the file.
        fingerprint: of what is trained on what; a checkpoint of another one is refused.
    """

    def __init__(self, path: Path, fingerprint: str) -> None:
        self.path = path
        self.fingerprint = fingerprint

    def load(self, device: str) -> dict[str, Any] | None:
        """What was saved last, or None.

        Raises:
            ConfigError: it belongs to another training, or cannot be read.
        """
        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, map_location=device, weights_only=True)
            fingerprint = state["fingerprint"]
        except (OSError, EOFError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError) as error:
            reason = type(error).__name__
            raise ConfigError(
                f"this checkpoint cannot be read ({reason}); remove it to begin again", self.path
            ) from error
        if fingerprint != self.fingerprint:
            raise ConfigError(
                "this checkpoint is of another recipe, data or fold; give another folder, or --no-resume", self.path
            )
        return state

    def save(self, **state: Any) -> None:
        """Replace what was saved last."""
        with replacing(self.path) as partial:
            torch.save({"fingerprint": self.fingerprint, **state}, partial)


def fingerprint(recipe: Recipe, study: Study, held_out: int | None) -> str:
    """A digest of what is trained on what; how fast pixels are loaded is no part of it."""
    decisive = dataclasses.replace(recipe, loader=LoaderRecipe(views=recipe.loader.views))
    parts: tuple[object, ...] = (
        dataclasses.asdict(decisive),
        held_out,
        study.ratings.tobytes(),
        study.damage.tobytes(),
    )
    if study.sources is not None or len(study.pairs):
        sources = None if study.sources is None else study.sources.tobytes()
        parts += (sources, study.pairs.tobytes(), study.pair_folds.tobytes())
    return hashlib.sha256(repr(parts).encode()).hexdigest()
