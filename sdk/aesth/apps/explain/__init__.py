"""Why a photo has its score: where that comes from, how far that can be believed, and what can be measured of it."""

from __future__ import annotations

from aesth.apps.explain.curves import Curves, Faithfulness, curves, faithfulness
from aesth.apps.explain.heat import overlay
from aesth.apps.explain.maps import SaliencyMap, occlusion
from aesth.apps.explain.picture import Beside, Effect, draw
from aesth.apps.explain.words import Remark, remarks

__all__ = [
    "Beside",
    "Curves",
    "Effect",
    "Faithfulness",
    "Remark",
    "SaliencyMap",
    "curves",
    "draw",
    "faithfulness",
    "occlusion",
    "overlay",
    "remarks",
]
