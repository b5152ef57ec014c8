"""The command line: a client of the SDK, one file a command."""

from __future__ import annotations


def main() -> None:
    """Run the program `aesth`; it ends with the exit code."""
    from aesth.cli.app import app

    app(prog_name="aesth")
