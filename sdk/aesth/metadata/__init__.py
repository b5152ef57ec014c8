"""Ratings in photos and sidecars: reading them, deciding whose wins, and writing them. The only place that writes."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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
    "Capture": "capture",
    "ChangedError": "files",
    "Colour": "ratings",
    "Decision": "policy",
    "Exposure": "capture",
    "ExposureMode": "capture",
    "Extras": "ratings",
    "MetadataSession": "session",
    "NewPick": "ratings",
    "NewRating": "ratings",
    "Policy": "policy",
    "RatingState": "ratings",
    "SidecarStyle": "sidecars",
    "allows": "policy",
    "decide": "policy",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
