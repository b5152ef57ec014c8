"""Times of a video as people write them."""

from __future__ import annotations


def timecode(seconds: float) -> str:
    """``00:01:23.400``: hours, minutes, seconds and thousandths."""
    thousandths = round(seconds * 1000)
    return f"{_clock(thousandths // 1000, ':', ':')}.{thousandths % 1000:03}"


def timecode_for_name(seconds: float) -> str:
    """``00h01m23.400s``: the same for the name of a file, which takes no colon everywhere."""
    thousandths = round(seconds * 1000)
    return f"{_clock(thousandths // 1000, 'h', 'm')}.{thousandths % 1000:03}s"


def _clock(seconds: int, hour: str, minute: str) -> str:
    return f"{seconds // 3600:02}{hour}{seconds // 60 % 60:02}{minute}{seconds % 60:02}"
