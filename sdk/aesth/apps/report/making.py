"""The page on disk: thumbnails in it or in a folder beside it, put in place when all is there."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from aesth.apps.placing import put_new, temporary_beside
from aesth.apps.report.page import page
from aesth.apps.report.sheet import Picture, Sheet
from aesth.apps.report.thumbnails import (
    LARGE,
    SMALL,
    Thumbnail,
    is_shown_by_browsers,
    remembered_thumbnail,
    thumbnails,
)
from aesth.cache import ScoreCache
from aesth.decode import DEFAULT_MAX_PIXELS
from aesth.errors import AesthError, ConfigError

_OURS = re.compile(r"[0-9a-f]{32}\.webp")
"""Names of pictures that a page keeps beside it, by what is in them."""


class PageFile:
    """A page that is being made: first the pictures of its photos, by any thread, then the page.

    Args:
        out: the file.
        beside: thumbnails go into a folder beside it, and with them pictures of photos that no browser shows.
        overwrite: a page that is there is replaced; it stays whole until then.
        max_pixels: photos of more pixels are refused.
        cache: remembers thumbnails between runs; the larger pictures of photos that no browser shows are made anew.

    Attributes:
        is_made: whether the page is there. As a context manager, this leaves nothing behind where it is not.

    Raises:
        ConfigError: there is something in the way.
    """

    def __init__(
        self,
        out: Path,
        *,
        beside: bool = False,
        overwrite: bool = False,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        cache: ScoreCache | None = None,
    ) -> None:
        self.out = Path(os.path.abspath(out))  # noqa: PTH100 - a way over links is the browser's, too
        self.folder = self.out.with_name(f"{self.out.stem}-thumbnails") if beside else None
        self.overwrite = overwrite
        self.max_pixels = max_pixels
        self.cache = cache
        self.is_made = False
        self._used: set[str] = set()
        self._new: set[Path] = set()
        for path in filter(None, (self.out, self.folder)):
            if os.path.lexists(path) and not overwrite:
                raise ConfigError("is there already; name another file, or replace it with --overwrite", path)
        if self.out.is_dir():
            raise ConfigError("is a folder; name a file, such as report.html", self.out)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Where no page was made, leave nothing of it behind."""
        if not self.is_made and self.folder is not None:
            for path in self._new:
                path.unlink(missing_ok=True)
            with suppress(OSError):  # it holds pictures of an earlier page, or was not made
                self.folder.rmdir()

    def picture(self, files: Sequence[Path], of: Path) -> Picture:
        """What the page shows of a photo that is in ``files``, made of the one that can be decoded.

        Raises:
            DecodeError: it cannot.
            AesthError: the pictures beside the page cannot be written.
        """
        shown = next(filter(is_shown_by_browsers, files), None)
        small, *large = self._thumbnails(of, [SMALL] if shown or not self.folder else [SMALL, LARGE])
        size = small.width, small.height
        if self.folder is None:
            return Picture(_data_url(small), self._url(shown) if shown else None, size)
        thumbnail, *pictures = [self._kept(made, self.folder) for made in (small, *large)]
        return Picture(thumbnail, self._url(shown) if shown else pictures[0], size)

    def finish(self, sheet: Sheet) -> None:
        """Write the page; pictures of an earlier one that are not used any more are removed.

        Raises:
            AesthError: it cannot be written, or something came there meanwhile.
        """
        with _told(self.out):
            self.out.parent.mkdir(parents=True, exist_ok=True)
            _write(self.out, page(sheet).encode("utf-8"), overwrite=self.overwrite)
            for path in self.folder.iterdir() if self.folder and self.folder.is_dir() else ():
                if _OURS.fullmatch(path.name) and path.name not in self._used:
                    path.unlink()
        self.is_made = True

    def _thumbnails(self, photo: Path, sides: Sequence[int]) -> list[Thumbnail]:
        if self.cache and len(sides) == 1:
            return [remembered_thumbnail(photo, self.cache, max_pixels=self.max_pixels)]
        return thumbnails(photo, sides, max_pixels=self.max_pixels)

    def _kept(self, made: Thumbnail, folder: Path) -> str:
        """The URL of a picture that is put beside the page."""
        name = f"{blake2b(made.webp, digest_size=16).hexdigest()}.webp"
        with _told(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if not (folder / name).exists():
                self._new.add(folder / name)
                _write(folder / name, made.webp, overwrite=True)
        self._used.add(name)
        return self._url(folder / name)

    def _url(self, path: Path) -> str:
        """A file as the page names it: relative, so that both can be moved together."""
        path = Path(os.path.abspath(path))  # noqa: PTH100
        try:
            below = Path(os.path.relpath(path, self.out.parent))
        except ValueError:  # another drive of Windows
            return path.as_uri()
        return quote(os.fsencode(below.as_posix()))


def _data_url(made: Thumbnail) -> str:
    return f"data:image/webp;base64,{b64encode(made.webp).decode()}"


def _write(path: Path, content: bytes, *, overwrite: bool) -> None:
    temporary = temporary_beside(path)
    try:
        temporary.write_bytes(content)
        if overwrite:
            temporary.replace(path)
        else:
            put_new(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise AesthError("came there meanwhile, and was left as it is; name another file", path) from error
    except OSError as error:
        raise AesthError(f"cannot be written ({error.strerror}); check the folder, or name another", path) from error
