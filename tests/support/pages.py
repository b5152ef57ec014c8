"""Reading a page that `aesth report` made."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any


@dataclass
class Read:
    """What a browser finds in the page.

    Attributes:
        texts: what is in each element of a kind, in order.
        attributes: those of each element of a kind, in order.
    """

    texts: dict[str, list[str]] = field(default_factory=dict)
    attributes: dict[str, list[dict[str, str | None]]] = field(default_factory=dict)

    def kinds(self) -> dict[str, int]:
        """How many elements there are of each kind."""
        return {kind: len(texts) for kind, texts in self.texts.items()}

    @property
    def data(self) -> dict[str, Any]:
        """What the script is told of the photos."""
        return json.loads(self.texts["script"][0])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.read = Read()
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self.read.texts.setdefault(tag, []).append("")
        self.read.attributes.setdefault(tag, []).append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        while tag in self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self.read.texts[self._open[-1]][-1] += data


def read_page(page: str | Path) -> Read:
    """The elements of a page, as an HTML parser sees them."""
    reader = _Reader()
    reader.feed(page.read_bytes().decode() if isinstance(page, Path) else page)
    return reader.read
