"""Weights that a training left."""

from __future__ import annotations

import pickle
from pathlib import Path

import torch

from aesth.errors import ConfigError
from aesth.training.networks import AestheticEncoder


def load_weights(encoder: AestheticEncoder, weights: Path) -> None:
    """Fill ``encoder`` from the file that `aesth train run` wrote, or from a checkpoint.

    Raises:
        ConfigError: the file cannot be read or is of another architecture.
    """
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        encoder.load_state_dict(state.get("encoder", state))
    except FileNotFoundError as error:
        raise ConfigError("there are no such weights; `aesth train run` prints where it puts them", weights) from error
    except (OSError, EOFError, RuntimeError, AttributeError, KeyError, TypeError, pickle.UnpicklingError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(
            f"these are not weights of the recipe's encoder ({reason}); give its recipe", weights
        ) from error
