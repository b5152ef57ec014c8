"""Ratings in photos and sidecars: reading them, deciding whose wins, and writing them. The only place that writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aesth.lazily import loader

if TYPE_CHECKING:
    from aesth.metadata.capture import Capture, Exposure, ExposureMode
    from aesth.metadata.files import ChangedError
    from aesth.metadata.policy import Decision, Policy, allows, decide
    from aesth.metadata.ratings import Colour, Extras, NewPick, NewRating, RatingState
    from aesth.metadata.session import MetadataSession
    from aesth.metadata.sidecars import SidecarStyle

__all__ = [
    "Capture",
    "ChangedError",
    "Colour",
    "Decision",
    "Exposure",
    "ExposureMode",
    "Extras",
    "MetadataSession",
    "NewPick",
    "NewRating",
    "Policy",
    "RatingState",
    "SidecarStyle",
    "allows",
    "decide",
]

# Loaded when they are first used: a program that only knows the names of policies need not wait for the rest.
_HOMES = {
    "Capture": "aesth.metadata.capture",
    "ChangedError": "aesth.metadata.files",
    "Colour": "aesth.metadata.ratings",
    "Decision": "aesth.metadata.policy",
    "Exposure": "aesth.metadata.capture",
    "ExposureMode": "aesth.metadata.capture",
    "Extras": "aesth.metadata.ratings",
    "MetadataSession": "aesth.metadata.session",
    "NewPick": "aesth.metadata.ratings",
    "NewRating": "aesth.metadata.ratings",
    "Policy": "aesth.metadata.policy",
    "RatingState": "aesth.metadata.ratings",
    "SidecarStyle": "aesth.metadata.sidecars",
    "allows": "aesth.metadata.policy",
    "decide": "aesth.metadata.policy",
}

__getattr__ = loader(__name__, _HOMES)
