"""The page on this machine alone: bound to 127.0.0.1, under a name that nobody can guess, and closed to other sites.

A page of another site that a browser has open could send requests here. It does not know the token; by another name for
this machine (DNS rebinding) it is refused by ``Host``; and only JSON of the same origin changes anything.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from threading import Event, Thread
from typing import Any

from aesth.comparing.pictures import Pictures
from aesth.comparing.questions import Answer, Question, Questions
from aesth.errors import AesthError

HOST = "127.0.0.1"

_LARGEST_BODY = 1000
_FILES = {
    "": ("page.html", "text/html"),
    "page.css": ("page.css", "text/css"),
    "page.js": ("page.js", "text/javascript"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Result:
    """What came of a sitting.

    Attributes:
        lines: in sentences.
        shares: the general score and the taste, each with the share of choices that it foretells, 0-1; none where
            nothing could be measured.
    """

    lines: Sequence[str]
    shares: Sequence[tuple[str, float]] = ()


@dataclass(frozen=True)
class Sitting:
    """What the page shows, and what it is told.

    Attributes:
        questions: and their answers.
        pictures: of the photos.
        names: of the photos, as they are shown.
        goal: how many choices the person is asked for.
        finish: called when the person has finished; the page shows what it returns.
        over: set when the person has finished.
        token: what the address starts with.
    """

    questions: Questions
    pictures: Pictures
    names: Sequence[str]
    goal: int
    finish: Callable[[], Result]
    over: Event = field(default_factory=Event)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


@contextmanager
def serving(sitting: Sitting) -> Iterator[str]:
    """The address of the page, which is there as long as this lasts."""
    server = ThreadingHTTPServer((HOST, 0), _handler(sitting))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}/{sitting.token}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(sitting: Sitting) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 60

        def do_GET(self) -> None:
            """A file of the page, the question, or a photo."""
            self._guarded(self._get)

        def do_POST(self) -> None:
            """An answer, its undoing, or the end."""
            self._guarded(self._post)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - of the base class
            """Say nothing: stderr belongs to the command."""

        def version_string(self) -> str:
            """Tell nobody what runs here."""
            return "aesth"

        def _guarded(self, respond: Callable[[str], None]) -> None:
            host = f"{HOST}:{self.connection.getsockname()[1]}"
            token, _, name = self.path.removeprefix("/").partition("/")
            try:
                if self.headers.get("Host") != host or not _same(token, sitting.token):
                    self._refuse(HTTPStatus.NOT_FOUND)
                elif self.headers.get("Origin", f"http://{host}") != f"http://{host}":
                    self._refuse(HTTPStatus.FORBIDDEN)
                else:
                    respond(name)
            except (BrokenPipeError, ConnectionResetError):
                return  # the page was closed

        def _get(self, name: str) -> None:
            if name in _FILES:
                file, kind = _FILES[name]
                self._send(resources.files("aesth.comparing").joinpath(file).read_bytes(), f"{kind}; charset=utf-8")
            elif name == "question":
                self._tell(_asked(sitting, sitting.questions.now()))
            elif match := re.fullmatch(r"photo/([0-9]{1,9})", name):
                self._send_photo(int(match[1]))
            else:
                self._refuse(HTTPStatus.NOT_FOUND)

        def _send_photo(self, number: int) -> None:
            try:
                self._send(sitting.pictures.jpeg(number), "image/jpeg")
            except (AesthError, IndexError):
                self._refuse(HTTPStatus.NOT_FOUND)

        def _post(self, name: str) -> None:
            told = self._body()
            try:
                if told is None:
                    self._refuse(HTTPStatus.BAD_REQUEST)
                elif name == "answer":
                    self._tell(_asked(sitting, sitting.questions.answer(int(told["number"]), Answer(told["answer"]))))
                elif name == "undo":
                    self._tell(_asked(sitting, sitting.questions.undo()))
                elif name == "finish":
                    self._finish()
                else:
                    self._refuse(HTTPStatus.NOT_FOUND)
            except (KeyError, TypeError, ValueError):
                self._refuse(HTTPStatus.BAD_REQUEST)
            except AesthError as error:
                self._tell({"problem": str(error)}, HTTPStatus.INTERNAL_SERVER_ERROR)

        def _finish(self) -> None:
            try:
                self._tell(asdict(sitting.finish()))
            finally:
                sitting.over.set()

        def _body(self) -> Mapping[str, Any] | None:
            """The JSON object that was sent; None where it is none."""
            length = self.headers.get("Content-Length", "")
            kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if (
                not length.isascii()
                or not length.isdigit()
                or int(length) > _LARGEST_BODY
                or kind != "application/json"
            ):
                return None
            try:
                body = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                return None
            return body if isinstance(body, dict) else None

        def _tell(self, what: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
            self._send(json.dumps(what).encode(), "application/json", status)

        def _refuse(self, status: HTTPStatus) -> None:
            self._send(status.phrase.encode(), "text/plain; charset=utf-8", status)

        def _send(self, content: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
            self.send_response(status)
            for header, value in {"Content-Type": kind, "Content-Length": str(len(content)), **_HEADERS}.items():
                self.send_header(header, value)
            self.end_headers()
            self.wfile.write(content)

    return Handler


def _asked(sitting: Sitting, question: Question) -> dict[str, Any]:
    """A question as the page takes it."""
    names = [sitting.names[number] for number in question.pair]
    return asdict(question) | {"names": names, "goal": sitting.goal}


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogateescape"), other.encode())
