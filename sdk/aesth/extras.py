"""Packages that only some of this program needs, the extras of the installation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from aesth.errors import MissingDependencyError


@contextmanager
def needs_extra(extra: str, what: str) -> Iterator[None]:
    """What is imported inside, to do ``what``, belongs to the extra ``extra``.

    Raises:
        MissingDependencyError: a package is missing; the message has the line that installs it. A missing module of
            this package is no such thing, and is raised as it is.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "aesth":
            raise
        raise MissingDependencyError(
            f"{what} needs the package '{error.name}'; install it with: pip install 'aesth[{extra}]'"
        ) from error
