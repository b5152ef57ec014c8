"""What a photo's metadata says of its rating, and what we write there; the names of the keys."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

Values: TypeAlias = Mapping[str, str]
"""ExifTool's names of keys -> their values as text. A key that is not named is not in the file."""

REJECTED = -1

PERCENT: Mapping[int, int] = MappingProxyType({1: 1, 2: 25, 3: 50, 4: 75, 5: 99})
"""Stars -> the percentage that Windows, digiKam and Lightroom write for them."""

_STAR_KEYS = ("XMP-xmp:Rating", "XMP-acdsee:Rating", "XMP-microsoft:RatingPercent", "IFD0:Rating", "IFD0:RatingPercent")
"""ExifTool's names of the keys that hold a rating; the first that a file has is what digiKam shows."""

_PICK_KEY = "XMP-digiKam:PickLabel"
_OUR_KEYS = ("XMP-aesth:Score", "XMP-aesth:Rating", "XMP-aesth:Model", "XMP-aesth:Date")

READ_KEYS = (*_STAR_KEYS, _PICK_KEY, *_OUR_KEYS)
"""All that state a rating or that we write: what the journal keeps, and an undo gives back."""


@dataclass(frozen=True)
class RatingState:
    """What a photo and its sidecars say now.

    Attributes:
        rating: -1 rejected, 1-5 stars; None where there is none (0 counts as none).
        our_rating: the stars that we wrote last (``aesth:Rating``), or None.
        our_score: the score that we wrote last (``aesth:Score``), 0-100, or None.
        our_model: the model of that score (``aesth:Model``), or None.
    """

    rating: int | None = None
    our_rating: int | None = None
    our_score: float | None = None
    our_model: str | None = None


@dataclass(frozen=True)
class NewRating:
    """What we write into a photo.

    Attributes:
        rating: stars 1-5, or -1 to reject.
        score: 0-100.
        model: ``NAME-PRECISION`` and the start of the checksum; control characters are written as spaces.
        date: when it was scored; taken as local time where it names no zone.
    """

    rating: int
    score: float
    model: str
    date: datetime


@dataclass(frozen=True)
class Marks:
    """What one file, a photo or a sidecar, says of its rating.

    Attributes:
        stated: -1 rejected, 0 explicitly none, 1-5 stars; None where the file is silent.
        ours: what we wrote there last; its ``rating`` is unused.
        shared: the file is the sidecar of another photo too.
    """

    stated: int | None
    ours: RatingState
    shared: bool = False

    @property
    def by_person(self) -> bool:
        """Whether somebody else than we gave this rating."""
        return bool(self.stated) and self.stated != self.ours.our_rating


def marks(tags: Mapping[str, object], *, shared: bool = False) -> Marks:
    """What a file with these ``tags`` (ExifTool's names -> values) says of its rating."""
    model = tags.get("XMP-aesth:Model")
    our_rating = _number(tags.get("XMP-aesth:Rating"))
    ours = RatingState(
        our_rating=None if our_rating is None else _stars(our_rating),
        our_score=_number(tags.get("XMP-aesth:Score")),
        our_model=None if model is None else str(model),
    )
    return Marks(_stated(tags), ours, shared)


def combine(sources: Sequence[Marks]) -> RatingState:
    """One state of all the files of a photo, the one that wins first.

    The first file that states a rating decides, as in photo managers; but where that is ours and another file holds
    a person's, the person's counts. Of a sidecar shared with another photo only a person's rating counts.
    """
    heard = [source for source in sources if source.by_person or not source.shared]
    stated = next((source.stated for source in heard if source.stated is not None), None)
    ours = next((source.ours for source in heard if source.ours.our_rating is not None), RatingState())
    if stated and stated == ours.our_rating:
        written_by_us = {source.ours.our_rating for source in sources}
        others = (source.stated for source in heard if source.by_person and source.stated not in written_by_us)
        stated = next(others, stated)
    return RatingState(stated or None, ours.our_rating, ours.our_score, ours.our_model)


def clean_model(model: str) -> str:
    """``model`` as it comes back from a photo: without control characters, and in Unicode that can be encoded."""
    printable = "".join(character if character.isprintable() else " " for character in model)
    return " ".join(printable.encode("utf-8", "replace").decode().split()) or "unnamed"


def embedded_values(new: NewRating) -> dict[str, str]:
    """What a photo holds after the write: ExifTool's names -> values, empty where the key must be absent."""
    values = sidecar_values(new)
    rejected = new.rating == REJECTED
    values["IFD0:Rating"] = "" if rejected else str(new.rating)
    values["IFD0:RatingPercent"] = "" if rejected else str(PERCENT[new.rating])
    return values


def sidecar_values(new: NewRating) -> dict[str, str]:
    """What a sidecar holds after the write: as `embedded_values`, without EXIF."""
    return {
        "XMP-xmp:Rating": str(new.rating),
        "XMP-microsoft:RatingPercent": "" if new.rating == REJECTED else str(PERCENT[new.rating]),
        "XMP-aesth:Score": f"{new.score:.2f}",
        "XMP-aesth:Rating": str(new.rating),
        "XMP-aesth:Model": clean_model(new.model),
        "XMP-aesth:Date": _exif_date(new.date),
    }


def arguments(values: Mapping[str, str]) -> Iterator[str]:
    """ExifTool's arguments that write ``values``, and the pick label that goes with them if they don't name it.

    They are in HTML's escapes (its option -E), as another program may have put line ends into what an undo gives back.
    """
    yield from (f"-{key}={_escaped(value)}" for key, value in values.items())
    if _PICK_KEY not in values:
        yield f"-{_PICK_KEY}=1" if values["XMP-xmp:Rating"] == str(REJECTED) else f"-{_PICK_KEY}-=1"


def holds(tags: Mapping[str, object], values: Mapping[str, str]) -> bool:
    """Whether a file with these ``tags`` holds what was to be written, and states that rating."""
    states = _PICK_KEY in values or _stated(tags) == int(values["XMP-xmp:Rating"])
    return states and all(_same(tags.get(key), value) for key, value in values.items())


def values_of(tags: Mapping[str, object]) -> dict[str, str]:
    """What the journal keeps of a file with these ``tags``."""
    return {key: str(tags[key]) for key in READ_KEYS if key in tags}


def for_sidecar(values: Values) -> dict[str, str]:
    """Those of ``values`` that a sidecar can hold."""
    return {key: value for key, value in values.items() if key.startswith("XMP-")}


def are_same(values: Values, others: Values) -> bool:
    """Whether two files say the same of their rating, to the key."""
    return all(_same(values.get(key), others.get(key, "")) for key in READ_KEYS)


def still_stands(now: Values, written: Values) -> bool:
    """Whether what we have ``written`` into a file is its rating ``now``, as far as a person can tell.

    Another program may have added keys that say the same, or dropped some: ours must be there to the letter, and
    no key may say something else.
    """
    if _stated(now) != _stated(written) or not all(_same(now.get(key), written.get(key, "")) for key in _OUR_KEYS):
        return False
    return all(
        _same(now[key], written.get(key, "")) or _stated({key: now[key]}) == _stated(written)
        for key in _STAR_KEYS
        if key in now
    )


def given_back(now: Values, written: Values, old: Values) -> dict[str, str]:
    """What a file must hold after an undo, empty where the key must be absent: the ``old`` values.

    A pick label that is not what we have ``written``, such as a person's "accepted", stays as it is ``now``.
    """
    values = {key: old.get(key, "") for key in READ_KEYS}
    if not _same(now.get(_PICK_KEY), written.get(_PICK_KEY, "")):
        values[_PICK_KEY] = now.get(_PICK_KEY, "")
    return values


def _escaped(value: str) -> str:
    return "".join(c if c.isprintable() else f"&#{ord(c)};" for c in html.escape(value))


def _same(found: object, wanted: str) -> bool:
    if found is None or not wanted:
        return found is None and not wanted
    number = _number(found)
    return str(found) == wanted or (number is not None and number == _number(wanted))


def _stated(tags: Mapping[str, object]) -> int | None:
    if _number(tags.get(_PICK_KEY)) == 1:
        return REJECTED
    for key in _STAR_KEYS:
        value = _number(tags.get(key))
        if value is not None:
            return _stars_of_percent(value) if key.endswith("Percent") else _stars(value)
    return None


def _number(value: object) -> float | None:
    if not isinstance(value, (int, float, str)) or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _stars(value: float) -> int:
    if value < 0:
        return REJECTED
    return 0 if value == 0 else min(5, max(1, int(value)))


def _stars_of_percent(percent: float) -> int:
    return 0 if percent <= 0 else 1 + sum(percent >= least for least in (13, 38, 63, 88))


def _exif_date(date: datetime) -> str:
    text = (date if date.tzinfo else date.astimezone()).isoformat(timespec="seconds")
    return f"{text[:10].replace('-', ':')} {text[11:]}"
