"""A web server on this machine that does as it is told: errs, stalls, cuts off, redirects, resumes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]
    time: float


@dataclass(frozen=True)
class Answer:
    """What the server says to one request.

    Attributes:
        body: of the file.
        status: of the answer; a request for a part of a file with a tag gets 206 instead of 200.
        headers: further ones.
        sent: bytes of the body that are sent before the connection is cut; None for all.
        stalls: say nothing more after what is ``sent``, rather than cut the connection.
        tag: the version of the file, which makes parts of it available.
        slowly: seconds between two halves of the body.
        halfway: called between them; it may keep the client waiting.
        unsized: do not tell the length.
    """

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int | None = None
    stalls: bool = False
    tag: str | None = None
    slowly: float = 0.0
    halfway: Callable[[], object] | None = None
    unsized: bool = False


@dataclass
class Site:
    """A server, what it answers, and what it was asked.

    Attributes:
        url: of its root.
        answers: path -> answers in turn; the last one again and again. 404 for others.
        requests: so far.
        most_at_once: the largest number of requests that it answered at one time.
    """

    url: str
    answers: dict[str, list[Answer]]
    requests: list[Request]
    closing: Event
    most_at_once: int = 0
    _open: int = 0
    _lock: Lock = field(default_factory=Lock)

    def put(self, path: str, *answers: Answer) -> str:
        """Answer requests for ``path``; its URL."""
        self.answers[path] = list(answers)
        return f"{self.url}{path}"

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]

    @contextmanager
    def taking(self, request: Request) -> Iterator[Answer]:
        with self._lock:
            self.requests.append(request)
            self._open += 1
            self.most_at_once = max(self.most_at_once, self._open)
            answers = self.answers.get(request.path, [Answer(status=404)])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            yield answer
        finally:
            with self._lock:
                self._open -= 1


@contextmanager
def serving() -> Iterator[Site]:
    site = Site("", defaultdict(list), [], Event())
    site.answers = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(site: Site) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with site.taking(Request(self.path, dict(self.headers), time.monotonic())) as answer:
                try:
                    self._answer(answer)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

        def _answer(self, answer: Answer) -> None:
            status, body = answer.status, answer.body
            wanted, begin = self.headers.get("Range"), None
            if wanted and status == 200 and answer.tag and self.headers.get("If-Range") == answer.tag:
                begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
                status, body = (206, body[begin:]) if begin < len(body) else (416, b"")
            self.send_response(status)
            if begin is not None and status == 206:
                self.send_header("Content-Range", f"bytes {begin}-{len(answer.body) - 1}/{len(answer.body)}")
            if answer.tag:
                self.send_header("ETag", answer.tag)
            if answer.unsized:
                self.send_header("Connection", "close")
            else:
                self.send_header("Content-Length", str(len(body)))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            if answer.slowly or answer.halfway:
                self.wfile.write(body[: len(body) // 2])
                self.wfile.flush()
                site.closing.wait(answer.slowly)
                if answer.halfway:
                    answer.halfway()
                body = body[len(body) // 2 :]
            sent = body if answer.sent is None else body[: answer.sent]
            self.wfile.write(sent)
            self.wfile.flush()
            if answer.stalls:
                site.closing.wait(30)
            if answer.stalls or len(sent) < len(body) or answer.unsized:
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    return Handler
