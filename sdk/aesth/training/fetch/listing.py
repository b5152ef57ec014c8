"""The list of what to fetch: lines ``url;faves;views``."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from aesth.training.catalogue import read_faves_lines
from aesth.training.catalogue.lines import require_once, wrong_line

IMAGES = "images"


@dataclass(frozen=True)
class Entry:
    """A picture to fetch.

    Attributes:
        line: of the list.
        url: http or https.
        faves: how many people liked it.
        views: how many saw it.
    """

    line: int
    url: str
    faves: int
    views: int

    @property
    def key(self) -> str:
        """A name that follows from the URL alone and holds nothing of it that a file system could misread."""
        return sha256(self.url.encode("utf-8", "surrogateescape")).hexdigest()[:24]

    @property
    def file(self) -> str:
        """Where the picture is kept, relative to the folder; in many folders, since huge ones are slow."""
        return f"{IMAGES}/{self.key[:2]}/{self.key}.jpg"


def read_list(listing: Path) -> list[Entry]:
    """What the lines ``url;faves;views`` name; empty lines are passed over.

    Raises:
        CatalogueError: the list cannot be read or is empty, or a line is wrong, is no URL of http or https, or repeats
            an earlier URL.
    """
    entries = [Entry(found.line, found.name, found.faves, found.views) for found in read_faves_lines(listing)]
    if not entries:
        raise wrong_line(listing, 1, "there is nothing to fetch in this list, whose lines are url;faves;views")
    for entry in entries:
        _require_web_address(listing, entry)
    require_once(listing, ((entry.line, Path(entry.key)) for entry in entries), "this URL")
    return entries


def _require_web_address(listing: Path, entry: Entry) -> None:
    try:
        parts = urlsplit(entry.url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or any(character.isspace() or not character.isprintable() for character in entry.url):
        raise wrong_line(listing, entry.line, f"{entry.url!r} is no address that begins with http:// or https://")
