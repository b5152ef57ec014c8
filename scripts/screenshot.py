"""Draw what `aesth tag` shows, as docs/table.svg of the README.

aesth tag --format ndjson demo-photos | python scripts/screenshot.py "aesth tag demo-photos" > docs/table.svg
"""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from aesth.cli import table
from aesth.tagging import Action, Outcome

# Without fonts from a server, and with spaces that every viewer keeps.
SVG_FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
SVG_FORMAT = SVG_FORMAT.replace("<svg ", '<svg xml:space="preserve" ', 1)


def main() -> None:
    """Read outcomes from standard input, write the picture to standard output."""
    console = Console(record=True, width=64, file=io.StringIO(), force_terminal=True, highlight=False, markup=False)
    console.print(f"$ {sys.argv[1]}")
    console.print(table.header())
    for line in sys.stdin:
        console.print(table.row(outcome(json.loads(line))), no_wrap=True, overflow="ellipsis")
    sys.stdout.write(console.export_svg(title="aesth", code_format=SVG_FORMAT, unique_id="aesth"))


def outcome(fields: dict[str, object]) -> Outcome:
    """The outcome that one line of ndjson tells."""
    action = Action(fields["action"])
    return Outcome(Path(str(fields["path"])), fields["score"], fields["rating"], fields["old_rating"], action)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
