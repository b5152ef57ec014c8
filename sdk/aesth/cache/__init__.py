"""What is known of photos already, so that none is decoded twice for one model: a file that may be lost at any time.

Scores, and views: embeddings and other things that were seen in their pixels.
"""

from aesth.cache.rows import Known, ModelKey, ModelScores, ViewKind, Views
from aesth.cache.scores import Glance, ScoreCache
from aesth.cache.store import LIMIT
from aesth.cache.upkeep import CacheFacts, clear, default_path, facts

__all__ = [
    "LIMIT",
    "CacheFacts",
    "Glance",
    "Known",
    "ModelKey",
    "ModelScores",
    "ScoreCache",
    "ViewKind",
    "Views",
    "clear",
    "default_path",
    "facts",
]
