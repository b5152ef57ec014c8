"""One URL into one file: with a bounded size, again after failures that may pass, and from where it was cut off."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from threading import Event

import httpx

from aesth import __version__
from aesth.training.fetch.options import FetchOptions
from aesth.training.fetch.pace import Pace, back_off, retry_after

TRY_TIMEOUTS = 10

_MAY_PASS = frozenset({408, 425, 429, 500, 502, 503, 504})
_PLACEHOLDERS = ("photo_unavailable", "photo_not_available")


class FetchError(Exception):
    """A picture cannot be had; the text says why, in one line."""


class PassingError(FetchError):
    """A try failed for a reason that may pass.

    Attributes:
        wait: seconds that the server asks to wait, or None.
    """

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Partial:
    """A file as far as it was fetched, and the mark of the version that it is of.

    Attributes:
        body: what was fetched.
        mark: a file with the strong ETag or the date of the version; without it, nothing can be added to the body.
    """

    body: Path
    mark: Path

    def remove(self) -> None:
        """Begin again."""
        self.mark.unlink(missing_ok=True)
        self.body.unlink(missing_ok=True)

    def request(self) -> dict[str, str]:
        """Headers that ask for the rest, or for all if the version is another one by now (RFC 9110, 13.1.5)."""
        size = self._size()
        return {"Range": f"bytes={size}-", "If-Range": self.mark.read_text("latin-1")} if size else {}

    def begin(self, response: httpx.Response) -> int:
        """Prepare for the body of ``response``; the number of bytes that it goes on from."""
        if response.status_code == HTTPStatus.PARTIAL_CONTENT:
            size = self._size()
            if not response.headers.get("Content-Range", "").startswith(f"bytes {size}-"):
                self.remove()
                raise PassingError("the server sent another part of the file than was asked for")
            return size
        self.remove()
        mark = _mark(response.headers)
        if mark and "Content-Encoding" not in response.headers:
            self.mark.write_text(mark, "latin-1")
        return 0

    def _size(self) -> int:
        return self.body.stat().st_size if self.mark.is_file() and self.body.is_file() else 0


class Downloader:
    """Fetches URLs into files; safe to share by threads. A context manager.

    Args:
        options: how.
        stop: ends all downloads, which can go on another time.
    """

    def __init__(self, options: FetchOptions, stop: Event) -> None:
        self._options = options
        self._pace = Pace(options.rate, stop)
        self._client = httpx.Client(
            follow_redirects=True,
            max_redirects=options.redirects,
            timeout=options.timeout,
            limits=httpx.Limits(max_connections=options.jobs, max_keepalive_connections=options.jobs),
            headers={"User-Agent": f"aesth/{__version__}", "Accept": "image/*", "Accept-Encoding": "identity"},
            # Asked before each request, also of a redirect.
            event_hooks={"request": [lambda request: self._pace.wait(request.url.host)]},
        )

    def __enter__(self) -> Downloader:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def fetch(self, url: str, partial: Partial) -> None:
        """The file behind ``url``, into ``partial.body``.

        Raises:
            FetchError: it cannot be had. What was fetched of it is kept if it can be of use.
            Stopped: so it was asked for.
            OSError: the file cannot be written.
        """
        for attempt in range(self._options.retries + 1):
            try:
                return self._try(url, partial)
            except PassingError as error:
                if attempt == self._options.retries:
                    tries = f"; tried {attempt + 1} times" if attempt else ""
                    raise FetchError(f"{error}{tries}") from error
                self._wait(error, attempt)
        raise AssertionError  # pragma: no cover - the last try returns or raises

    def _wait(self, error: PassingError, attempt: int) -> None:
        longest = self._options.longest_wait
        if error.wait is not None and error.wait > longest:
            raise FetchError(f"{error}; the server asks to come back in {error.wait:.0f} s") from error
        self._pace.sleep(max(back_off(attempt, self._options.back_off, longest), error.wait or 0.0))

    def _try(self, url: str, partial: Partial) -> None:
        try:
            with self._client.stream("GET", url, headers=partial.request()) as response:
                self._check(response, partial)
                self._save(response, partial)
        except httpx.TooManyRedirects as error:
            raise FetchError(f"more than {self._options.redirects} redirects") from error
        except (httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
            raise FetchError(f"leads to an address that is not of http or https ({_one_line(error)})") from error
        except httpx.TimeoutException as error:
            raise PassingError(f"no answer within {self._options.timeout:g} s") from error
        except httpx.RequestError as error:
            raise PassingError(f"the connection failed ({_one_line(error)})") from error

    def _check(self, response: httpx.Response, partial: Partial) -> None:
        status = response.status_code
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            partial.remove()
            raise PassingError(_phrase(status))
        if status in _MAY_PASS:
            wait = retry_after(response.headers.get("Retry-After"))
            if wait is not None and wait <= self._options.longest_wait:
                self._pace.hold(response.url.host, wait)
            raise PassingError(_phrase(status), wait)
        if status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            raise FetchError(_phrase(status))
        if any(name in response.url.path for name in _PLACEHOLDERS):
            raise FetchError("gone: the server shows a placeholder instead")

    def _save(self, response: httpx.Response, partial: Partial) -> None:
        size = partial.begin(response)
        self._require_allowed(size + _length(response.headers), partial)
        latest = time.monotonic() + TRY_TIMEOUTS * self._options.timeout
        with partial.body.open("ab" if size else "wb") as file:
            for chunk in response.iter_bytes():
                self._pace.check()
                size += len(chunk)
                self._require_allowed(size, partial)
                file.write(chunk)
                if time.monotonic() > latest:
                    raise PassingError(f"not done within {TRY_TIMEOUTS * self._options.timeout:g} s")

    def _require_allowed(self, size: int, partial: Partial) -> None:
        if size > self._options.max_bytes:
            partial.remove()
            raise FetchError(f"larger than the limit of {self._options.max_bytes / 1e6:g} MB")


def _mark(headers: Mapping[str, str]) -> str | None:
    tag = headers.get("ETag", "")
    return tag if tag.startswith('"') else headers.get("Last-Modified")


def _length(headers: Mapping[str, str]) -> int:
    text = headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
