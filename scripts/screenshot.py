"""Draw what a command shows, as docs/table.svg of the README, docs/watch.svg and docs/similar.svg.

aesth tag --format ndjson demo-photos | python scripts/screenshot.py "aesth tag demo-photos" > docs/table.svg
python scripts/demo_copies.py demo-photos copies
aesth similar --format ndjson copies | python scripts/screenshot.py "aesth similar copies" > docs/similar.svg
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

from aesth.cli import table
from aesth.cli.similar import row_of_group
from aesth.matching import Matched
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
        if (row := row_of(json.loads(line))) is not None:
            console.print(row, no_wrap=True, overflow="ellipsis")
    sys.stdout.write(console.export_svg(title="aesth", code_format=SVG_FORMAT, unique_id="aesth"))


def row_of(fields: dict[str, Any]) -> Text | None:
    """What people are shown of one line of ndjson; None for nothing."""
    shown = outcome(fields)
    if "keep" not in fields:
        return table.row(shown)
    named = {field.name: getattr(shown, field.name) for field in dataclasses.fields(shown)}
    return row_of_group(Matched(**named, group=fields["group"], keep=fields["keep"]), ascii_only=False)


def outcome(fields: dict[str, object]) -> Outcome:
    """The outcome that one line of ndjson tells."""
    action = Action(fields["action"])
    return Outcome(Path(str(fields["path"])), fields["score"], fields["rating"], fields["old_rating"], action)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
