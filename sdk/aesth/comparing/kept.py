"""What a person chose, kept in a file with every choice, so that a stop at any time loses nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from aesth.errors import ConfigError
from aesth.replacing import replace_file

LARGEST = 64 << 20
"""Files of more bytes are none of choices."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Of two photos, the one that a person took, and the other; absolute paths."""

    better: Path
    worse: Path


def read_choices(path: Path) -> list[Choice]:
    """The choices in a file, one JSON object a line, in the order in which they were made; none without a file.

    Raises:
        ConfigError: the file cannot be read, or is none of choices.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ConfigError(f"the choices in it cannot be read ({error})", path) from error
    try:
        if len(content) > LARGEST:
            raise ValueError("too large")
        return [_choice(line) for line in content.splitlines()]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ConfigError("these are no choices of `aesth learn --compare`; move the file away", path) from error


def write_choices(choices: Sequence[Choice], path: Path) -> None:
    """Keep choices in the place of what is kept there.

    Raises:
        ConfigError: they cannot be written.
    """
    lines = (json.dumps({"better": str(choice.better), "worse": str(choice.worse)}) for choice in choices)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise ConfigError(f"choices cannot be kept here ({error.strerror}); name another --out", path) from error


def photos_of(choices: Sequence[Choice]) -> Iterator[Path]:
    """The photos of choices, each once."""
    yield from dict.fromkeys(photo for choice in choices for photo in (choice.better, choice.worse))


def _choice(line: bytes) -> Choice:
    fields = json.loads(line)
    better, worse = fields["better"], fields["worse"]
    if not isinstance(better, str) or not isinstance(worse, str):
        raise TypeError("no path")
    return Choice(Path(better), Path(worse))
