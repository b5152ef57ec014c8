"""Ratings in photos and sidecars: reading them, deciding whose wins, and writing them. The only place that writes."""

from aesth.metadata.policy import Decision, Policy, allows, decide
from aesth.metadata.ratings import NewRating, RatingState
from aesth.metadata.session import MetadataSession

__all__ = ["Decision", "MetadataSession", "NewRating", "Policy", "RatingState", "allows", "decide"]
