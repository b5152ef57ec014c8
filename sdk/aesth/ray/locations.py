"""Where photos are: absolute paths, and URLs of what fsspec reads, such as ``s3://bucket/photo.jpg``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aesth.discover import compile_globs, find_photos, is_managed, matches_any
from aesth.errors import AesthError, ConfigError, MissingDependencyError
from aesth.extras import needs_extra
from aesth.formats import has_photo_name

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(?:://|::)")


def is_url(place: str) -> bool:
    """Whether a place is told by a URL, fsspec's chains such as ``zip://a.jpg::s3://bucket/b.zip`` included."""
    return "://" in place and _URL.match(place) is not None


def storage_of(url: str) -> tuple[Any, str]:
    """The file system that a URL or an absolute path is of, and the name of the place there.

    Raises:
        MissingDependencyError: a package is missing that this kind of storage needs.
        ConfigError: there is no such kind of storage.
    """
    with needs_extra("cluster", "scoring on Ray"):
        import fsspec

    _require(url)
    # Ten million names of a bucket would stay in memory otherwise.
    return fsspec.url_to_fs(url, use_listings_cache=False)  # type: ignore[no-any-return]


def local_path(location: str) -> Path | None:
    """The file that a location is, for paths and ``file://``; None for what has to be fetched."""
    if not is_url(location):
        return Path(location)
    if not location.lower().startswith(("file://", "local://")):
        return None
    return Path(storage_of(location)[1])


def suffix_of(location: str) -> str:
    """The suffix of a photo's name, also before the query of a URL; nothing where it is none of a photo's."""
    name = urlsplit(location.partition("::")[0]).path if is_url(location) else location
    suffix = os.path.splitext(name)[1]  # noqa: PTH122 - paths are made of millions of names here
    return suffix if has_photo_name(f"photo{suffix}") else ""


def text_of(location: str) -> str:
    r"""A location as Parquet can hold it; bytes of a path that are no UTF-8 appear as ``\xNN``."""
    return location.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def find_locations(
    places: Iterable[str],
    *,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    recursive: bool = True,
    since: datetime | None = None,
    on_error: Callable[[AesthError], None] = lambda _: None,
) -> Iterator[str]:
    """The photos named by ``places``, lazily, by the rules of `aesth.discover.find_photos`.

    Args:
        places: paths and URLs, of photos and of folders. A URL with a photo's suffix is taken for one unseen.
        include: globs; only photos that match one are found in folders.
        exclude: globs; photos and folders that match one are passed over.
        recursive: go into the folders of folders.
        since: only photos modified at or after this moment; for folders that are no URLs.
        on_error: told of folders that cannot be read; without it they are passed over.

    Raises:
        ConfigError: ``since`` with a URL's folder, or a URL of an unknown kind of storage.
        MissingDependencyError: a package is missing that a kind of storage needs.
    """
    include, exclude = tuple(include), tuple(exclude)
    for remote, group in groupby(places, is_url):
        if not remote:
            paths = (Path(os.path.abspath(place)) for place in group)  # noqa: PTH100 - links stay
            found = find_photos(
                paths, include=include, exclude=exclude, recursive=recursive, since=since, on_error=on_error
            )
            yield from map(str, found)
            continue
        rules = _Rules(include, exclude, recursive=recursive, since=since, on_error=on_error)
        for url in group:
            yield from rules.photos(url)


class _Rules:
    """Which photos in a URL's folder are meant; see `find_locations`."""

    def __init__(
        self,
        include: Iterable[str],
        exclude: Iterable[str],
        *,
        recursive: bool,
        since: datetime | None,
        on_error: Callable[[AesthError], None],
    ) -> None:
        self._include = compile_globs(include)
        self._exclude = compile_globs(exclude)
        self._recursive = recursive
        self._since = since
        self._on_error = on_error

    def photos(self, url: str) -> Iterator[str]:
        _require(url)
        if suffix_of(url):
            yield url
            return
        storage, root = storage_of(url)
        if not self._is_folder(storage, root, url):
            yield url
            return
        if self._since is not None:
            raise ConfigError(f"--since is not for URLs ({url}); list the photos yourself, with --files-from")
        for folder, folders, files in storage.walk(root, on_error=lambda error: self._fail(url, error)):
            folders[:] = [
                name for name in sorted(folders) if self._recursive and self._enters(f"{folder}/{name}", root)
            ]
            for name in sorted(files):
                if self._wants(f"{folder}/{name}", root):
                    yield storage.unstrip_protocol(f"{folder}/{name}")

    def _is_folder(self, storage: Any, root: str, url: str) -> bool:
        try:
            return bool(storage.isdir(root))
        except Exception as error:  # noqa: BLE001 - every kind of storage raises classes of its own
            self._fail(url, error)
            return False

    def _fail(self, url: str, error: Exception) -> None:
        self._on_error(AesthError(f"{url} cannot be listed ({one_line(error)}); check the URL and your permissions"))

    def _enters(self, path: str, root: str) -> bool:
        name = path.rpartition("/")[2]
        return not is_managed(name) and not matches_any(self._exclude, *_spellings(path, root))

    def _wants(self, path: str, root: str) -> bool:
        name = path.rpartition("/")[2]
        spellings = _spellings(path, root)
        return (
            not name.startswith(".")
            and has_photo_name(name)
            and (not self._include or matches_any(self._include, *spellings))
            and not matches_any(self._exclude, *spellings)
        )


def one_line(error: BaseException) -> str:
    """What an error of another library says, on one line that is not too long."""
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__


def _spellings(path: str, root: str) -> tuple[str, str, str]:
    return path.rpartition("/")[2], path, path[len(root) :].lstrip("/")


def _require(url: str) -> None:
    match = _URL.match(url)
    if match is not None:
        _require_kind(match[1].lower())


@cache
def _require_kind(scheme: str) -> None:
    with needs_extra("cluster", "scoring on Ray"):
        import fsspec
    try:
        fsspec.get_filesystem_class(scheme)
    except ImportError as error:
        raise MissingDependencyError(f"{scheme}:// needs a package ({one_line(error)})") from error
    except ValueError as error:
        raise ConfigError(f"no storage is known by {scheme}://; see fsspec's list of file systems") from error
