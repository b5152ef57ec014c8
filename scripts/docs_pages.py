"""Lay the project's Markdown out for its documentation site: `mkdocs.yml` is the site, `make docs` builds it.

The pages stay where people read them, beside what they are about. They are copied into one folder with the same
places, so that the links between them hold in both.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]

PAGES = (
    *("*.md", "LICENSE", "NOTICE"),
    *("docs/*", "plugins/*/*.md", "benchmarks/*.md", "benchmarks/*.svg", "sdk/aesth/models/*.md"),
)
"""What the site is made of."""


def lay_out(folder: Path) -> list[Path]:
    """Copy all pages, and what they show, into a folder that is made anew; returns their places in it."""
    shutil.rmtree(folder, ignore_errors=True)
    found = {path for pattern in PAGES for path in PROJECT.glob(pattern) if path.is_file()}
    places = sorted(path.relative_to(PROJECT) for path in found)
    for place in places:
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PROJECT / place, folder / place)
    return places


if __name__ == "__main__":
    lay_out(Path(sys.argv[1]))
