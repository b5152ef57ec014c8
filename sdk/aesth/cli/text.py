"""Text that is safe to show on a terminal."""

from __future__ import annotations

import shlex
import sys
import unicodedata

_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def command_line() -> str:
    """How this program was started, as a shell would take it."""
    return shlex.join(["aesth", *sys.argv[1:]])


def printable(text: str) -> str:
    r"""``text`` with what could command or confuse a terminal shown as an escape, such as ``\x1b`` or ``\n``."""
    return "".join(character if _is_harmless(character) else _escape(character) for character in text)


def _is_harmless(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"} and character not in _BIDIRECTIONAL


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("ascii", "backslashreplace").decode() if ord(character) > 127 else repr(character)[1:-1]
