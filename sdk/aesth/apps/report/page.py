"""A sheet as one HTML file, which asks no server for anything."""

from __future__ import annotations

import html
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from string import Template

from aesth.apps.report.sheet import Sheet

SCRIPTS = (
    "telling.js",
    "choosing.js",
    "layout.js",
    "lists.js",
    "kept.js",
    "grid.js",
    "zoom.js",
    "viewer.js",
    "filters.js",
    "page.js",
)
"""Of the page, in the order in which one needs another."""

_POLICY = (
    "default-src 'none'; img-src 'self' data: file:; style-src '{style}'; script-src '{script}'; base-uri 'none'; "
    "form-action 'none'"
)
"""Nothing runs, styles or loads but what is in the page, whatever is in its texts; pictures come from disk."""


def page(sheet: Sheet) -> str:
    """The page, in ASCII but for its title, which is Unicode."""
    style, script = _asset("page.css"), _script()
    policy = _POLICY.format(style=_checksum(style), script=_checksum(script))
    return Template(_asset("page.html")).substitute(
        policy=html.escape(policy),
        title=html.escape(sheet.title.encode("utf-8", "replace").decode()),
        style=style,
        script=script,
        data=sheet.to_json(),
    )


@cache
def _script() -> str:
    """The files of the page's script as one, with no name that others could see."""
    return '"use strict";\n{\n' + "\n".join(map(_asset, SCRIPTS)) + "\n}\n"


@cache
def _asset(name: str) -> str:
    return files("aesth.apps.report").joinpath("page", name).read_text(encoding="utf-8")


def _checksum(text: str) -> str:
    """As a policy wants it; line ends are as the browser sees them."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
