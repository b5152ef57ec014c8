"""Scores already known, so that no photo is decoded twice for one model: a file that may be lost at any time."""

from aesth.cache.scores import Glance, ScoreCache
from aesth.cache.store import LIMIT, Known, ModelKey, ModelScores
from aesth.cache.upkeep import CacheFacts, clear, default_path, facts

__all__ = [
    "LIMIT",
    "CacheFacts",
    "Glance",
    "Known",
    "ModelKey",
    "ModelScores",
    "ScoreCache",
    "clear",
    "default_path",
    "facts",
]
