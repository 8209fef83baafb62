"""Servers, networks, certificates and proxies that are broken or hostile, on raw sockets."""

from __future__ import annotations

import itertools
import socket
import ssl
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from loopback import LoopbackServer, Route

from ingestors.http import HttpClient, HttpError

Behaviour = Callable[[socket.socket], None]


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(deadline_s=3)
    yield client
    await client.aclose()


@contextmanager
def raw_server(behaviour: Behaviour, context: ssl.SSLContext | None = None) -> Iterator[int]:
    """A listener that does with every connection what it is told; yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended = threading.Event()

    def serve(plain: socket.socket) -> None:
        peer = plain
        if context is not None:
            peer = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with peer, suppress(OSError):  # the client hangs up, which is what is tested
            if isinstance(peer, ssl.SSLSocket):
                peer.do_handshake()
            behaviour(peer)

    def listen() -> None:
        while not ended.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        ended.set()
        listener.close()


def says(*parts: bytes, pause_s: float = 0.0, reset: bool = False) -> Behaviour:
    """Reads the request, sends the parts and closes."""

    def behaviour(connection: socket.socket) -> None:
        connection.recv(65_536)
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_s)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return behaviour


OK = b"HTTP/1.1 200 OK\r\n"
CLOSE = b"Connection: close\r\n"


async def failure(http: HttpClient, port: int, scheme: str = "http", host: str = "127.0.0.1") -> HttpError:
    with pytest.raises(HttpError) as caught:
        await http.get(f"{scheme}://{host}:{port}/", allow_local=True)
    return caught.value


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([b"H"] * 50, id="status line"),
        pytest.param([OK + b"X: ", *[b"x"] * 50], id="headers"),
        pytest.param([OK + b"Content-Length: 500\r\n\r\n", *[b"x"] * 50], id="body"),
        pytest.param([b""] * 50, id="silence"),
    ],
)
async def test_a_server_that_drips_is_left_at_the_deadline(parts: list[bytes]) -> None:
    """NET-03, NET-02, NET-04."""
    client = HttpClient(deadline_s=0.5)
    with raw_server(says(*parts, pause_s=0.1)) as port:
        assert (await failure(client, port)).kind == "timeout"
    await client.aclose()


async def test_a_server_that_never_ends_its_tls_greeting_is_left_at_the_deadline() -> None:
    """NET-03."""
    client = HttpClient(deadline_s=0.5)
    with raw_server(lambda connection: time.sleep(2)) as port:
        assert (await failure(client, port, "https")).kind == "timeout"
    await client.aclose()


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(says(OK + b"Content-Length: 50\r\n\r\n<rss>"), id="shorter than announced"),
        pytest.param(says(OK + b"Content-Length: 50\r\n\r\n<rss>", reset=True), id="reset"),
        pytest.param(says(OK + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n<rss>"), id="two lengths"),
        pytest.param(says(OK + b"Content-Length: -5\r\n\r\n<rss>"), id="negative length"),
        pytest.param(says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n<rss>\r\n"), id="bad chunk"),
        pytest.param(says(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n<rss>\r\n"), id="no last chunk"),
        pytest.param(says(OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n<rss>"), id="no gzip"),
        pytest.param(says(b"220 mail.example ESMTP\r\n"), id="not HTTP"),
        pytest.param(says(), id="nothing"),
        pytest.param(says(OK + b"X: a\0b\r\n\r\n"), id="NUL in a header"),
        pytest.param(says(OK + b"X" * 70_000 + b": 1\r\n" * 9), id="long header"),
        pytest.param(says(OK + b"A: b\r\n" * 100_000), id="many headers"),
        pytest.param(says(OK + b"Set-Cookie: a=" + b"b" * 300_000), id="large cookie"),
    ],
)
async def test_half_an_answer_is_none(http: HttpClient, behaviour: Behaviour) -> None:
    """NET-04, NET-05, NET-12."""
    with raw_server(behaviour) as port:
        error = await failure(http, port)
    assert error.kind == "network"
    assert "127.0.0.1" in error.message


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("scheme", "head", "framing"),
    [
        pytest.param("https", CHUNKED, b"1\r\n \r\n" * 20_000, id="crumbs"),
        pytest.param("http", CHUNKED, b"1;%s\r\n \r\n" % (b"x" * 50_000), id="notes"),
        pytest.param("http", b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100, id="hints"),
    ],
)
async def test_an_answer_that_is_nearly_all_framing_is_given_up(
    scheme: str,
    head: bytes,
    framing: bytes,
    authority: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """NET-26."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    client = HttpClient()

    def behaviour(connection: socket.socket) -> None:
        connection.recv(65_536)
        for part in itertools.chain([head], itertools.repeat(framing)):
            connection.sendall(part)

    context = serving(authority.issue_cert("127.0.0.1")) if scheme == "https" else None
    with raw_server(behaviour, context) as port:
        assert "broke off" in (await failure(client, port, scheme)).message
    await client.aclose()


async def test_small_chunks_and_a_hint_are_read(http: HttpClient) -> None:
    """NET-26."""
    hint = b"HTTP/1.1 103 Early Hints\r\n\r\n"
    chunks = b"64\r\n%s\r\n" % (b" " * 100) * 10_000 + b"0\r\n\r\n"
    with raw_server(says(hint, CHUNKED, chunks)) as port:
        response = await http.get(f"http://127.0.0.1:{port}/", allow_local=True)
    assert len(response.body) == 1_000_000


async def test_a_date_after_the_end_of_the_calendar_is_none(http: HttpClient) -> None:
    """NET-15: what a copy on the way says of its age is added to the date of the original."""
    head = b"Date: Fri, 31 Dec 9999 23:59:59 GMT\r\nAge: 999999999\r\nContent-Length: 6\r\n\r\n"
    with raw_server(says(OK + head + b"<rss/>")) as port:
        response = await http.get(f"http://127.0.0.1:{port}/", allow_local=True)
    assert response.body == b"<rss/>"
    assert not http.ahead


async def test_what_follows_the_announced_length_is_not_read(http: HttpClient) -> None:
    """NET-05."""
    with raw_server(says(OK + b"Content-Length: 6\r\n\r\n<rss/><rss>more</rss>")) as port:
        response = await http.get(f"http://127.0.0.1:{port}/", allow_local=True)
    assert response.body == b"<rss/>"


async def test_nobody_there(http: HttpClient) -> None:
    """NET-04."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "cannot connect" in (await failure(http, port)).message


async def test_validators_go_back_byte_for_byte(http: HttpClient, server: LoopbackServer) -> None:
    """NET-18, also those that are not ASCII, and the first of two."""
    etag = b'W/"caf\xe9 \xe2\x82\xac"'
    asked: list[bytes] = []

    def behaviour(connection: socket.socket) -> None:
        asked.append(connection.recv(65_536))
        connection.sendall(
            OK + b"ETag: " + etag + b'\r\nETag: "b"\r\n' + CLOSE + b"Content-Length: 1\r\n\r\nx"
        )

    with raw_server(behaviour) as port:
        url = f"http://127.0.0.1:{port}/"
        first = await http.get(url, allow_local=True)
        await http.get(url, allow_local=True, validators=first.validators)
    assert b"If-None-Match: " + etag + b"\r\n" in asked[1]


@pytest.mark.parametrize("reset", [False, True])
async def test_an_idle_connection_that_closes_under_a_request_is_no_failure(
    http: HttpClient, reset: bool
) -> None:
    """A server may end a connection that it has kept in the moment in which it is used again."""
    connections: list[int] = []

    def behaviour(connection: socket.socket) -> None:
        connections.append(1)
        connection.recv(65_536)
        connection.sendall(OK + b"Content-Length: 1\r\n\r\nx")
        connection.recv(65_536)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with raw_server(behaviour) as port:
        for _ in range(3):
            assert (await http.get(f"http://127.0.0.1:{port}/", allow_local=True)).body == b"x"
    assert len(connections) == 3


async def test_a_new_connection_that_closes_is_not_tried_again(http: HttpClient) -> None:
    connections: list[int] = []

    def behaviour(connection: socket.socket) -> None:
        connections.append(1)
        connection.recv(65_536)

    with raw_server(behaviour) as port:
        assert "broke off" in (await failure(http, port)).message
    assert len(connections) == 1


def serving(certificate: trustme.LeafCert, **settings: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    for name, value in settings.items():
        setattr(context, name, value)
    return context


DOCUMENT = says(OK + b"Content-Length: 6\r\n\r\n<rss/>")


@pytest.mark.parametrize(
    ("flaw", "reason"),
    [("expired", "expired"), ("stranger", "unable to get local issuer"), ("other host", "mismatch"),
     ("old protocol", "no secure connection"), ("no TLS", "no secure connection")],
)  # fmt: skip
async def test_a_bad_certificate_is_refused_with_its_reason(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flaw: str, reason: str
) -> None:
    """NET-11."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    issuer = trustme.CA() if flaw == "stranger" else authority
    name = "other.example" if flaw == "other host" else "127.0.0.1"
    until = datetime.now(UTC) - timedelta(days=1) if flaw == "expired" else None
    context: ssl.SSLContext | None = serving(issuer.issue_cert(name, not_after=until))
    if flaw == "old protocol" and context is not None:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    client = HttpClient(deadline_s=3)
    with raw_server(DOCUMENT, None if flaw == "no TLS" else context) as port:
        error = await failure(client, port, "https")
    await client.aclose()
    assert error.kind == "network"
    assert reason in error.message


async def test_a_good_certificate_is_believed(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """NET-11, and NET-08: what came over TLS does not lead to what does not."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    context = serving(authority.issue_cert("127.0.0.1"))
    client = HttpClient(deadline_s=3)
    with raw_server(DOCUMENT, context) as port:
        response = await client.get(f"https://127.0.0.1:{port}/", allow_local=True)
        assert response.body == b"<rss/>"
    moved = says(b"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n")
    with raw_server(moved, context) as port:
        assert "from https to http" in (await failure(client, port, "https")).message
    await client.aclose()


class TestProxy:
    """What the environment says of a proxy."""

    @pytest.fixture(autouse=True)
    def no_other_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http", "https", "all", "no"):
            monkeypatch.delenv(f"{name}_proxy", raising=False)
            monkeypatch.delenv(f"{name.upper()}_PROXY", raising=False)

    async def test_it_is_used_for_what_is_not_exempt(
        self, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """NET-24."""
        asked: list[bytes] = []

        def behaviour(connection: socket.socket) -> None:
            asked.append(connection.recv(65_536))
            connection.sendall(OK + b"Content-Length: 6\r\n\r\n<rss/>")

        server.routes["/"] = Route(b"direct")
        with raw_server(behaviour) as port:
            monkeypatch.setenv("HTTP_PROXY", f"http://ada:pw@127.0.0.1:{port}")
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            client = HttpClient(deadline_s=3)
            assert (await client.get("http://news.example/feed")).body == b"<rss/>"
            assert (await client.get(server.url("/"), allow_local=True)).body == b"direct"
            await client.aclose()
        assert asked[0].startswith(b"GET http://news.example/feed HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic YWRhOnB3" in asked[0]

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]", "169.254.169.254"])
    async def test_it_is_not_asked_for_what_is_behind_it(
        self, monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        """NET-09."""
        with raw_server(DOCUMENT) as port:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
            client = HttpClient(deadline_s=3)
            with pytest.raises(HttpError) as caught:
                await client.get(f"http://{host}/")
            await client.aclose()
        assert caught.value.kind == "blocked"

    async def test_one_that_is_down_is_named_without_its_password(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """NET-24."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        monkeypatch.setenv("ALL_PROXY", f"http://ada:canary@127.0.0.1:{port}/")
        client = HttpClient(deadline_s=3)
        for scheme in ("http", "https"):
            with pytest.raises(HttpError) as caught:
                await client.get(f"{scheme}://news.example/")
            assert f"cannot connect to the proxy 127.0.0.1:{port}" in caught.value.message
            assert "canary" not in caught.value.message
        await client.aclose()

    async def test_one_that_refuses_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        refuses = says(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        with raw_server(refuses) as port:
            monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{port}")
            monkeypatch.setenv("HTTP_PROXY", f"127.0.0.1:{port}")
            client = HttpClient(deadline_s=3)
            with pytest.raises(HttpError, match=r"does not connect to news\.example: 407"):
                await client.get("https://news.example/")
            with pytest.raises(HttpError, match="the proxy wants a name and password"):
                await client.get("http://news.example/")
            await client.aclose()

    @pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1080", "gopher://x", "http://["])
    async def test_one_of_another_kind_is_refused_in_words(
        self, monkeypatch: pytest.MonkeyPatch, proxy: str
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        client = HttpClient(deadline_s=3)
        with pytest.raises(HttpError, match=r"the proxy .* cannot be (used|found)"):
            await client.get("http://news.example/")
        await client.aclose()
