"""The curve as CSV, and the spots with what they were found by as JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

from aesth.apps.video.curve import Curve
from aesth.apps.video.files import key_frame_name
from aesth.apps.video.spots import Spot
from aesth.apps.video.timecode import timecode

COLUMNS = ("time", "timecode", "score", "smoothed", "deviation", "scene")


def write_curve(curve: Curve, target: Path) -> None:
    """Write one line for each frame: seconds, time code, scores, and the number of the scene from 1 on.

    Raises:
        OSError: it cannot be written.
    """
    scenes = curve.begins.cumsum()
    rows = zip(curve.times, curve.scores, curve.smoothed, curve.deviation, scenes, strict=True)
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for time, score, smoothed, deviation, scene in rows:
            points = (f"{value:.2f}" for value in (score, smoothed, deviation))
            writer.writerow([f"{time:.3f}", timecode(time), *points, scene])


def write_spots(video: Path, duration: float | None, model: str, spots: Sequence[Spot], target: Path) -> None:
    """Write what the spots are, and of which video and by which model.

    Raises:
        OSError: it cannot be written.
    """
    record = {
        "video": str(video),
        "duration": duration,
        "model": model,
        "spots": [
            {
                "time": round(spot.time, 3),
                "timecode": timecode(spot.time),
                "score": round(spot.score, 2),
                "rank": spot.rank,
                "key_frame": key_frame_name(spot.time),
            }
            for spot in spots
        ],
    }
    target.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
