"""Scoring on many machines, by Ray: photos of folders, lists and object storage to Parquet. Needs the extra `cluster`.

>>> import ray
>>> from aesth.ray import BatchScorer
>>> photos = ray.data.from_items([{"path": "s3://bucket/a.jpg"}, {"path": "/shared/b.jpg"}])
>>> scores = photos.map_batches(BatchScorer, batch_size=64, num_cpus=1, compute=ray.data.ActorPoolStrategy(size=2))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aesth.lazily import loader

if TYPE_CHECKING:
    from aesth.ray.batches import BatchScorer
    from aesth.ray.locations import find_locations
    from aesth.ray.running import Advance, Cluster, score_to_parquet

__all__ = ["Advance", "BatchScorer", "Cluster", "find_locations", "score_to_parquet"]

# Loaded when they are first used, as those of `aesth` are.
_HOMES = {
    "Advance": "aesth.ray.running",
    "BatchScorer": "aesth.ray.batches",
    "Cluster": "aesth.ray.running",
    "find_locations": "aesth.ray.locations",
    "score_to_parquet": "aesth.ray.running",
}

__getattr__ = loader(__name__, _HOMES)
