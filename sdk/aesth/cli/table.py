"""Outcomes as rows for people: stars, score, what was done, name."""

from __future__ import annotations

from rich.text import Text

from aesth.cli.text import printable
from aesth.tagging import Action, Outcome

_STYLES = {
    Action.SCORED: "default",
    Action.WRITTEN: "green",
    Action.KEPT: "cyan",
    Action.SKIPPED: "dim",
    Action.FAILED: "bold red",
}


def header() -> Text:
    """The line above the rows."""
    return Text(f" {'Stars':<8} {'Score':>6}   {'Action':<8}  Photo", style="bold")


def row(outcome: Outcome, *, ascii_only: bool = False) -> Text:
    """One line for one photo; no name in it can command the terminal, and notes follow the name."""
    score = "" if outcome.score is None else f"{outcome.score:.2f}"
    text = Text(" ")
    text.append_text(stars(outcome.rating, ascii_only=ascii_only))
    text.append(f" {score:>6}   ", "bold")
    text.append(f"{outcome.action.value:<8}  ", _STYLES[outcome.action])
    text.append(printable(_folder(outcome)), "dim")
    text.append(printable(outcome.path.name or str(outcome.path)))
    for note, style in _notes(outcome, ascii_only=ascii_only):
        text.append(f"  {note}", style)
    return text


def stars(rating: int | None, *, ascii_only: bool = False) -> Text:
    """A rating in eight columns: full and empty stars, ``rejected``, or nothing."""
    full, empty = ("*", ".") if ascii_only else ("★", "☆")
    if rating is None:
        return Text(f"{'':<8}")
    if rating < 0:
        return Text("rejected", "red")
    return Text.assemble((full * rating, "yellow"), (f"{empty * (5 - rating):<{8 - rating}}", "dim"))


def _notes(outcome: Outcome, *, ascii_only: bool) -> list[tuple[str, str]]:
    notes = []
    if outcome.old_rating is not None and outcome.old_rating != outcome.rating:
        notes.append((f"was {stars(outcome.old_rating, ascii_only=ascii_only).plain.strip()}", "dim"))
    if outcome.error is not None:
        notes.append((printable(outcome.error.message), "red"))
    return notes


def _folder(outcome: Outcome) -> str:
    return str(outcome.path)[: -len(outcome.path.name)] if outcome.path.name else ""
