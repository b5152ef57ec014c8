"""How commands that find groups of photos tell of them: beside each photo, and how many there are at the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar

from aesth.tagging import Outcome

if TYPE_CHECKING:
    from rich.text import Text


class _Grouped(Protocol):
    @property
    def group(self) -> int | None: ...


_Photo = TypeVar("_Photo", bound=_Grouped)


@dataclass
class Groups:
    """The groups that photos were in so far."""

    numbers: set[int] = field(default_factory=set)

    def noted(self, photos: Iterable[_Photo]) -> Iterator[_Photo]:
        """``photos``, whose groups are noted as they go by."""
        for photo in photos:
            if photo.group is not None:
                self.numbers.add(photo.group)
            yield photo

    def found(self) -> list[str]:
        """What the summary says of them."""
        return [f"{len(self.numbers)} group{'s' * (len(self.numbers) != 1)}"]


def row_beside(photo: Outcome, group: str | None, *, chosen: str | None, ascii_only: bool) -> Text | None:
    """A photo that is in a group, with the group, and with what it is chosen for; or one that failed; else nothing."""
    from aesth.cli import table

    if group is None and photo.error is None:
        return None
    row = table.row(photo, ascii_only=ascii_only)
    if group is None:
        return row
    row.append(f"  {group}", "dim")
    return row.append(f"  {chosen}", "green") if chosen else row
