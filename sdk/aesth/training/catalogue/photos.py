"""Pictures without ratings."""

from __future__ import annotations

from pathlib import Path

from aesth.errors import CatalogueError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".heic", ".heif", ".avif"})


def unrated_photos(folder: Path) -> list[Path]:
    """All pictures in ``folder`` and the folders in it, without hidden ones, sorted alike on every machine.

    Raises:
        CatalogueError: there is no such folder, or no picture in it.
    """
    found = [
        path.relative_to(folder)
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file()
    ]
    visible = [path for path in found if not any(part.startswith(".") for part in path.parts)]
    if not visible:
        raise CatalogueError(
            "there are no pictures in this folder; name the folder of photos to learn from, or set damage_kinds = 0 in"
            " [sampling] of the recipe to learn from ratings alone",
            folder,
        )
    return [folder / path for path in sorted(visible, key=lambda path: path.parts)]
