from __future__ import annotations

import asyncio
import base64
import gzip
import itertools
import socket
import threading
import time
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import brotli
import pytest
from backports import zstd
from loopback import LoopbackServer, Route
from paced import times_sent

from ingestors import transport as transport_module
from ingestors.addresses import address_problem
from ingestors.http import HttpClient, HttpError, Validators, parse_retry_after


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(deadline_s=5)
    yield client
    await client.aclose()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1",
        "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "64:ff9b::a00:1",
    ],
)  # fmt: skip
def test_private_addresses_need_consent(address: str) -> None:
    """NET-09."""
    assert address_problem(address, allow_local=False) == "a private address"
    assert address_problem(address, allow_local=True) is None


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "::", "169.254.169.254", "fe80::1%eth0", "224.0.0.1", "ff02::1", "255.255.255.255",
        "240.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::ffff:224.0.0.1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("allow_local", [False, True])
def test_some_addresses_are_never_dialled(address: str, allow_local: bool) -> None:
    """NET-09."""
    assert address_problem(address, allow_local=allow_local) is not None


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"])
def test_public_addresses_are_dialled(address: str) -> None:
    assert address_problem(address, allow_local=False) is None


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "127.1", "[::ffff:127.0.0.1]", "0"]
)
async def test_spellings_of_this_machine_are_blocked(
    server: LoopbackServer, http: HttpClient, host: str
) -> None:
    """NET-09."""
    server.routes["/"] = Route(b"secret")
    with pytest.raises(HttpError) as caught:
        await http.get(f"http://{host}:{server.port}/")
    assert caught.value.kind in ("blocked", "network")
    assert server.log == []


async def test_a_connection_of_a_local_source_is_not_lent_to_others(
    server: LoopbackServer, http: HttpClient
) -> None:
    """NET-09."""
    server.routes["/"] = Route(b"secret")
    assert (await http.get(server.url("/"), allow_local=True)).body == b"secret"
    with pytest.raises(HttpError, match="allow-local"):
        await http.get(server.url("/"))
    assert len(server.log) == 1


def _resolve_to(monkeypatch: pytest.MonkeyPatch, table: dict[str, list[str]]) -> list[str]:
    """Makes the resolver answer from a table, one answer a question; returns the questions."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        asked.append(host)
        address = table[host].pop(0) if len(table[host]) > 1 else table[host][0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr("ingestors.transport.socket.getaddrinfo", getaddrinfo)
    return asked


async def test_names_that_nobody_resolves_hold_up_nothing_else(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NET-04: the threads of the loop are for the database, and are waited for at its end."""
    release = threading.Event()

    def hang(*_: object, **__: object) -> list[object]:
        release.wait(60)
        return []

    monkeypatch.setattr("ingestors.transport.socket.getaddrinfo", hang)
    asked = [asyncio.create_task(http.get(f"https://h{n}.example/")) for n in range(40)]
    try:
        await asyncio.sleep(0.05)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "stored"), 20) == "stored"
    finally:
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        release.set()


async def test_redirect_from_a_public_to_a_private_host_is_blocked(
    server: LoopbackServer, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NET-09: the first host is let through as if it were public; the second hop must still be checked."""
    _resolve_to(monkeypatch, {"public.test": ["127.0.0.1"], "inner.test": ["127.0.0.2"]})

    def first_host_is_public(address: str, *, allow_local: bool) -> str | None:
        return None if address == "127.0.0.1" else address_problem(address, allow_local=allow_local)

    monkeypatch.setattr(transport_module, "address_problem", first_host_is_public)
    server.routes["/"] = Route(
        status=302, headers={"Location": f"http://inner.test:{server.port}/in"}, etag=False
    )
    with pytest.raises(HttpError) as caught:
        await http.get(f"http://public.test:{server.port}/")
    assert caught.value.kind == "blocked"
    assert "inner.test" in caught.value.message
    assert [request.path for request in server.log] == ["/"]


async def test_the_checked_address_is_the_dialled_one(
    server: LoopbackServer, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NET-10: a name server that answers differently the second time is not asked a second time."""
    asked = _resolve_to(monkeypatch, {"rebind.test": ["127.0.0.1", "10.0.0.1"]})
    server.routes["/"] = Route(b"ok")
    response = await http.get(f"http://rebind.test:{server.port}/", allow_local=True)
    assert response.body == b"ok"
    assert asked == ["rebind.test"]


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://x/", "ftp://x/", "javascript:1", "//["])
async def test_redirects_to_other_schemes_are_refused(
    server: LoopbackServer, http: HttpClient, target: str
) -> None:
    """NET-08."""
    server.routes["/"] = Route(status=301, headers={"Location": target}, etag=False)
    with pytest.raises(HttpError) as caught:
        await http.get(server.url("/"), allow_local=True)
    assert caught.value.kind in ("blocked", "http")


async def test_downgrade_from_https_is_refused(http: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """NET-08."""

    async def hop(self: object, url: str, *_: object, **__: object) -> transport_module.Hop:
        return transport_module.Hop(302, {"location": "http://example.org/"}, b"")

    monkeypatch.setattr(transport_module.Transport, "get", hop)
    with pytest.raises(HttpError, match="from https to http"):
        await http.get("https://example.org/")


async def test_a_redirect_loop_ends(server: LoopbackServer, http: HttpClient) -> None:
    """NET-06."""
    server.routes["/"] = Route(status=302, headers={"Location": "/"}, etag=False)
    with pytest.raises(HttpError, match="more than 5 times"):
        await http.get(server.url("/"), allow_local=True)
    assert len(server.log) == 6


async def test_a_redirect_that_grows_without_end_ends(server: LoopbackServer, http: HttpClient) -> None:
    """NET-06."""
    for n in range(30):
        route = Route(status=301, headers={"Location": f"/?{'x' * (n + 1)}"}, etag=False)
        server.routes["/" if n == 0 else f"/?{'x' * n}"] = route
    with pytest.raises(HttpError, match="more than 5 times"):
        await http.get(server.url("/"), allow_local=True)
    assert len(server.log) == 6


async def test_only_an_unbroken_chain_of_permanent_redirects_moves_a_source(
    server: LoopbackServer, http: HttpClient
) -> None:
    """NET-07."""

    def hop(status: int, to: str) -> Route:
        return Route(status=status, headers={"Location": to}, etag=False)

    server.routes |= {"/a": hop(301, "/b"), "/b": hop(308, "/c"), "/c": hop(302, "/d"), "/d": hop(301, "/e")}
    server.routes |= {"/e": Route(b"x"), "/t": hop(302, "/p"), "/p": hop(301, "/e")}
    moved = await http.get(server.url("/a"), allow_local=True)
    assert moved.permanent_redirect_to == server.url("/c")
    assert moved.url == server.url("/e")
    assert (await http.get(server.url("/t"), allow_local=True)).permanent_redirect_to is None
    assert (await http.get(server.url("/e"), allow_local=True)).permanent_redirect_to is None


@pytest.mark.parametrize(
    ("location", "moved"),
    [("/caf\u00c3\u00a9", "/caf\u00e9"), ("/" + "x" * 5_000, None), ("/\u009b31m", None)],
)
async def test_where_a_source_has_moved_is_remembered_if_it_is_sane(
    http: HttpClient, monkeypatch: pytest.MonkeyPatch, location: str, moved: str | None
) -> None:
    """NET-07. Headers are bytes; those of a redirect are read as UTF-8."""

    async def hop(self: object, url: str, *_: object, **__: object) -> transport_module.Hop:
        if url == "https://a.example/":
            return transport_module.Hop(301, {"location": location}, b"")
        return transport_module.Hop(200, {}, b"x")

    monkeypatch.setattr(transport_module.Transport, "get", hop)
    response = await http.get("https://a.example/", allow_local=True)
    assert response.permanent_redirect_to == (moved and f"https://a.example{moved}")


async def test_credentials_do_not_follow_to_another_origin(server: LoopbackServer, http: HttpClient) -> None:
    """NET-25."""
    with LoopbackServer() as other:
        other.routes["/"] = Route(b"x")
        location = f"http://user:pw@127.0.0.1:{other.port}/"
        server.routes["/"] = Route(status=302, headers={"Location": location}, etag=False)
        url = f"http://ada:canary@127.0.0.1:{server.port}/"
        await http.get(url, allow_local=True, headers={"authorization": "Bearer canary"})
        await http.get(url, allow_local=True)
        assert server.log[0].headers["authorization"] == "Bearer canary"
        assert server.log[1].headers["authorization"].startswith("Basic ")
        assert all("authorization" not in request.headers for request in other.log)


async def test_credentials_stay_on_their_origin_and_move_with_it(
    server: LoopbackServer, http: HttpClient
) -> None:
    """NET-25."""
    server.routes |= {
        "/old": Route(status=301, headers={"Location": "/new"}, etag=False),
        "/new": Route(b"x"),
    }
    url = f"http://ada:can%40ry@127.0.0.1:{server.port}/old"
    response = await http.get(url, allow_local=True)
    sent = {request.headers["authorization"] for request in server.log}
    assert sent == {"Basic " + base64.b64encode(b"ada:can@ry").decode()}
    assert response.permanent_redirect_to == f"http://ada:can%40ry@127.0.0.1:{server.port}/new"
    assert "ry" not in response.validators.url
    with LoopbackServer({"/": Route(b"x")}) as other:
        server.routes["/old"] = Route(status=301, headers={"Location": other.url("/")}, etag=False)
        assert (await http.get(url, allow_local=True)).permanent_redirect_to is None


async def test_what_we_say_about_ourselves(server: LoopbackServer, http: HttpClient) -> None:
    """PRV-05."""
    server.routes["/"] = Route(b"x", headers={"Set-Cookie": "id=1"})
    for _ in range(2):
        await http.get(server.url("/"), allow_local=True)
    sent = server.log[1].headers
    assert sent["user-agent"].startswith("triage/")
    assert "application/atom+xml" in sent["accept"]
    assert not {"cookie", "referer"} & sent.keys()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, gzip", "br", "zstd"])
async def test_a_bomb_ends_at_the_cap(server: LoopbackServer, http: HttpClient, coding: str) -> None:
    """NET-01."""
    zeros = bytes(100 * 2**20)
    pack: dict[str, Callable[[bytes], bytes]] = {
        "deflate": lambda data: zlib.compress(data, 1),
        "br": lambda data: brotli.compress(data, quality=1),
        "zstd": lambda data: zstd.compress(data, 1),
        "gzip": lambda data: gzip.compress(data, 1),
        "gzip, gzip": lambda data: gzip.compress(gzip.compress(data, 1)),
    }
    body = pack[coding](zeros)
    server.routes["/"] = Route(body, headers={"Content-Encoding": coding})
    with pytest.raises(HttpError) as caught:
        await http.get(server.url("/"), allow_local=True)
    assert caught.value.kind == "too-large"


async def test_an_endless_body_ends_at_the_cap(server: LoopbackServer, http: HttpClient) -> None:
    """NET-02."""

    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(65_536)

    server.routes["/"] = Route(chunks=endless)
    with pytest.raises(HttpError) as caught:
        await http.get(server.url("/"), allow_local=True, max_body=2**20)
    assert caught.value.kind == "too-large"


async def test_an_endless_stream_that_unpacks_to_nothing_ends_too(
    server: LoopbackServer, http: HttpClient
) -> None:
    """NET-01, NET-02."""

    def endless() -> Iterator[bytes]:
        yield b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
        while True:
            yield b"\0\0\0\xff\xff" * 10_000  # empty stored blocks

    server.routes["/"] = Route(chunks=endless, headers={"Content-Encoding": "gzip"})
    with pytest.raises(HttpError) as caught:
        await http.get(server.url("/"), allow_local=True, max_body=2**20)
    assert caught.value.kind == "too-large"


async def test_the_deadline_is_for_the_whole_request(server: LoopbackServer) -> None:
    """NET-02, NET-03: each read succeeds, so a limit on reads alone would wait for ever."""

    def drip() -> Iterator[bytes]:
        while True:
            yield b"x"
            time.sleep(0.1)

    server.routes["/"] = Route(chunks=drip)
    client = HttpClient(deadline_s=0.6)
    started = time.monotonic()
    with pytest.raises(HttpError) as caught:
        await client.get(server.url("/"), allow_local=True)
    assert caught.value.kind == "timeout"
    assert time.monotonic() - started < 30
    await client.aclose()


async def test_a_body_shorter_than_announced_is_no_document(server: LoopbackServer, http: HttpClient) -> None:
    """NET-05."""
    server.routes["/"] = Route(b"<rss>", headers={"Content-Length": "50", "Connection": "close"})
    with pytest.raises(HttpError) as caught:
        await http.get(server.url("/"), allow_local=True)
    assert caught.value.kind == "network"


async def test_huge_headers_are_an_error(server: LoopbackServer, http: HttpClient) -> None:
    """NET-12."""
    server.routes["/"] = Route(b"x", headers={"X-Big": "a" * 300_000})
    with pytest.raises(HttpError) as caught:
        await http.get(server.url("/"), allow_local=True)
    assert caught.value.kind == "network"


async def test_validators_go_back_verbatim_and_only_to_their_url(
    server: LoopbackServer, http: HttpClient
) -> None:
    """NET-18."""
    odd = 'W/"a b" , "c"'
    server.routes["/f"] = Route(b"x", headers={"ETag": odd, "Last-Modified": "yesterday, 7 o'clock"})
    first = await http.get(server.url("/f"), allow_local=True)
    assert first.validators == Validators(server.url("/f"), odd, "yesterday, 7 o'clock")
    second = await http.get(server.url("/f"), allow_local=True, validators=first.validators)
    assert second.not_modified
    assert server.log[1].headers["if-none-match"] == odd
    assert server.log[1].headers["if-modified-since"] == "yesterday, 7 o'clock"
    other = Validators(server.url("/g"), odd, None)
    assert not (await http.get(server.url("/f"), allow_local=True, validators=other)).not_modified
    assert "if-none-match" not in server.log[2].headers


async def test_an_etag_too_large_is_dropped(server: LoopbackServer, http: HttpClient) -> None:
    """NET-18."""
    server.routes["/"] = Route(b"x", headers={"ETag": '"' + "a" * 5_000 + '"'})
    assert (await http.get(server.url("/"), allow_local=True)).validators.etag is None


async def test_not_modified_without_a_question_is_an_error(server: LoopbackServer, http: HttpClient) -> None:
    """NET-17."""
    server.routes["/"] = Route(status=304, etag=False)
    with pytest.raises(HttpError, match="never asked"):
        await http.get(server.url("/"), allow_local=True)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "denied"), (403, "denied"), (451, "denied"), (404, "not-found"), (410, "gone"), (429, "limit"),
     (503, "http"), (418, "http")],
)  # fmt: skip
async def test_error_statuses(server: LoopbackServer, http: HttpClient, status: int, kind: str) -> None:
    """NET-13, NET-14."""
    server.routes["/"] = Route(status=status, headers={"Retry-After": "120"}, etag=False)
    with pytest.raises(HttpError) as caught:
        await http.get(server.url("/"), allow_local=True)
    assert caught.value.kind == kind
    assert caught.value.retry_after_s == (120 if status in (429, 503) else None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("120", 120), ("0", 0), ("-5", None), ("1e9", None), ("9" * 400, 604_800), ("soon", None),
     ("1000000000000", 604_800), ("", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("٣", None),
     ("Thu, 01 Jan 1970 00:00:00 +" + "9" * 20, None)],
)  # fmt: skip
def test_retry_after(value: str | None, seconds: float | None) -> None:
    """NET-15."""
    assert parse_retry_after(value, datetime.now(UTC)) == seconds


def test_retry_after_as_a_date() -> None:
    """NET-15."""
    now = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    later = format_datetime(now + timedelta(hours=1), usegmt=True)
    assert parse_retry_after(later, now) == 3600
    far = format_datetime(now + timedelta(days=400), usegmt=True)
    assert parse_retry_after(far, now) == 604_800


async def _as_public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "address_problem", lambda address, *, allow_local: None)


async def test_public_hosts_are_asked_one_second_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """NET-22."""
    sent = await times_sent(monkeypatch, [f"https://site.example/{n}" for n in range(20)], {})
    assert min(later - earlier for earlier, later in itertools.pairwise(sent)) > 0.9


async def test_a_host_that_asks_for_a_pause_gets_it_for_all_its_pages(
    server: LoopbackServer, http: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NET-15."""
    await _as_public(monkeypatch)
    server.routes["/"] = Route(status=429, headers={"Retry-After": "100"}, etag=False)
    server.routes["/other"] = Route(b"x")
    with pytest.raises(HttpError):
        await http.get(server.url("/"))
    with pytest.raises(HttpError) as caught:
        await http.get(server.url("/other"))
    assert caught.value.kind == "postponed"
    assert caught.value.retry_after_s == pytest.approx(100, abs=3)
    assert len(server.log) == 1


async def test_local_hosts_are_not_paced(server: LoopbackServer, http: HttpClient) -> None:
    server.routes["/"] = Route(b"x")
    started = time.monotonic()
    await asyncio.gather(*(http.get(server.url("/"), allow_local=True) for _ in range(20)))
    assert time.monotonic() - started < 15, "with a second between them it would be nineteen"


@pytest.mark.parametrize("url", ["", "x", "ftp://a/", "http://", "http://[", "http://a:b/", "http://\udcff/"])
async def test_what_is_no_url_is_an_error_value(http: HttpClient, url: str) -> None:
    with pytest.raises(HttpError):
        await http.get(url)
