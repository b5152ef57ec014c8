"""A group of commands each of which is loaded when it is called; to list them, their summaries are enough."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from aesth.cli.guarding import guarded


class LazyGroup(TyperGroup):
    """The commands in ``places``, a name each.

    Attributes:
        places: where each command, a function or a group of its own, is found (``module:name``), and its summary.
    """

    places: Mapping[str, tuple[str, str]] = {}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.commands = {name: TyperCommand(name, help=summary) for name, (_, summary) in self.places.items()}
        self._loaded: dict[str, Any] = {}
        self._listing = False

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Tell what there is, by the summaries."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of this name, or None."""
        if self._listing or cmd_name not in self.places:
            return super().get_command(ctx, cmd_name)
        if cmd_name not in self._loaded:
            self._loaded[cmd_name] = _load(cmd_name, self.places[cmd_name][0])
        return self._loaded[cmd_name]


def _load(name: str, place: str) -> Any:
    from aesth.cli.options import with_groups

    module, _, inside = place.partition(":")
    found = getattr(import_module(module), inside)
    if not isinstance(found, typer.Typer):
        command, found = found, typer.Typer(add_completion=False)
        found.command(name)(guarded(with_groups(command)))
    loaded = typer.main.get_command(found)
    loaded.name = name
    return loaded
