"""Who is kept out for measuring. A split follows from names alone, so it is the same on every machine, for ever."""

from __future__ import annotations

from hashlib import sha256

FOLDS = 5


def fold(theme: str) -> int:
    """The fold, 0 to 4, that the pictures of a theme belong to, the same for ever."""
    return _hash(theme) % FOLDS


def kept_for_damage(name: str) -> bool:
    """Whether an unrated picture of this base name is kept for measuring the preference for the undamaged photo.

    One in ten is; nothing may learn from those.
    """
    return _hash(name) % 10 == 0


def _hash(text: str) -> int:
    return int(sha256(text.encode("utf-8", "surrogateescape")).hexdigest(), 16)
