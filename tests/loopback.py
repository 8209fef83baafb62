"""A threaded HTTP server on the loopback interface: real sockets, scripted answers, a request log."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote


@dataclass(slots=True)
class Route:
    """What a path answers. `chunks`, if set, is sent instead of `body`, without a length."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    etag: bool = True
    """Whether to send an ETag and to answer 304 to it."""
    last_modified: str | None = None
    gzip: bool = False
    chunks: Callable[[], Iterator[bytes]] | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One line of the log. Header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    at: float
    """Seconds by the server's clock."""
    method: str = "GET"
    sent: bytes = b""
    """The body of a POST."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what it was answered. Header names are in lower case."""

    request: Request
    status: int
    headers: Mapping[str, str]
    body: bytes


class LoopbackServer:
    """Serves `routes`, and below them the files of `folder`, until `close`; a context manager.

    Args:
        routes: Path (with its query, if any) to answer, or what makes one of a request; may be changed
            while the server runs.
        folder: Served read-only, with Last-Modified and ETag.
        port: 0 takes a free one.
        clock: Seconds for the log.
    """

    def __init__(
        self,
        routes: Mapping[str, Route | Callable[[Request], Route]] | None = None,
        folder: Path | None = None,
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.routes: dict[str, Route | Callable[[Request], Route]] = dict(routes or {})
        self.log: list[Request] = []
        self.exchanges: list[Exchange] = []
        self._clock = clock
        self._folder = folder
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30
            # Headers and body go out in one packet: with two, Nagle's algorithm and delayed
            # acknowledgements cost 40 ms a request.
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                owner._answer(self)

            do_HEAD = do_GET  # noqa: N815

            def do_POST(self) -> None:
                owner._answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def handle_error(self, *args: object) -> None:
                pass  # clients of these tests hang up on purpose

        self._server = Server(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.server_address[1]

    def url(self, path: str = "/") -> str:
        """The URL of a path; characters that need it are quoted."""
        return f"http://127.0.0.1:{self.port}{quote(path, safe='/?&=:%+')}"

    def requests(self, path: str) -> list[Request]:
        """The logged requests of one path."""
        return [request for request in self.log if request.path == path]

    def close(self) -> None:
        """Stops listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> LoopbackServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answer(self, handler: BaseHTTPRequestHandler, sent: bytes = b"") -> None:
        asked = {name.lower(): value for name, value in handler.headers.items()}
        request = Request(handler.path, asked, self._clock(), handler.command, sent)
        self.log.append(request)
        route = self.routes.get(handler.path) or self._file(handler.path)
        if callable(route):
            route = route(request)
        if route is None:
            route = Route(b"not found", status=404, etag=False)
        if route.delay:
            time.sleep(route.delay)
        headers = dict(route.headers)
        status, body = route.status, route.body
        if route.last_modified is not None:
            headers.setdefault("Last-Modified", route.last_modified)
        if route.etag and status == 200 and route.chunks is None:
            headers.setdefault("ETag", f'"{hashlib.sha256(body).hexdigest()[:16]}"')
        if status == 200 and _unchanged(asked, headers):
            status, body = 304, b""
            headers.pop("Content-Type", None)
        elif route.gzip and "gzip" in asked.get("accept-encoding", ""):
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        self.exchanges.append(Exchange(request, status, {k.lower(): v for k, v in headers.items()}, body))
        handler.send_response_only(status)
        headers.setdefault("Date", handler.date_time_string())
        for name, value in headers.items():
            handler.send_header(name, value)
        if route.chunks is not None:
            handler.send_header("Connection", "close")
            handler.end_headers()
            for chunk in route.chunks():
                handler.wfile.write(chunk)
                handler.wfile.flush()
            handler.close_connection = True
            return
        if "Content-Length" not in headers and status != 304:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(b"" if handler.command == "HEAD" else body)
        handler.wfile.flush()

    def _file(self, path: str) -> Route | None:
        if self._folder is None:
            return None
        root = self._folder.resolve()
        file = (root / unquote(path.partition("?")[0]).lstrip("/")).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return None
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Route(
            file.read_bytes(),
            headers={"Content-Type": kind},
            last_modified=formatdate(file.stat().st_mtime, usegmt=True),
        )


def _unchanged(asked: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """If-None-Match decides alone where it is sent, as RFC 9110 wants."""
    if "if-none-match" in asked:
        return asked["if-none-match"] == headers.get("ETag")
    return "if-modified-since" in asked and asked["if-modified-since"] == headers.get("Last-Modified")
