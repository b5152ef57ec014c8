"""Scoring on many machines, by Ray: photos of folders, lists and object storage to Parquet. Needs the extra `cluster`.

>>> import ray
>>> from aesth.ray import BatchScorer
>>> photos = ray.data.from_items([{"path": "s3://bucket/a.jpg"}, {"path": "/shared/b.jpg"}])
>>> scores = photos.map_batches(BatchScorer, batch_size=64, num_cpus=1, compute=ray.data.ActorPoolStrategy(size=2))
"""

from aesth.ray.batches import BatchScorer
from aesth.ray.locations import find_locations
from aesth.ray.running import Advance, Cluster, score_to_parquet

__all__ = ["Advance", "BatchScorer", "Cluster", "find_locations", "score_to_parquet"]
