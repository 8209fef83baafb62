"""Who is asked how often and how many at a time, in virtual time and without a network."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import virtual_time

from ingestors import transport
from ingestors.http import HttpClient, HttpError
from ingestors.transport import Hop


@dataclass
class Wire:
    """Stands for the network: what each host does, and a log of what was asked."""

    takes_s: Callable[[str], float] = lambda _: 0.2
    answer: Callable[[str], Hop | HttpError] = lambda _: Hop(200, {}, b"x")
    log: list[tuple[float, str]] = field(default_factory=list)
    now: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)

    async def get(self, _: object, url: str, *__: object, **how: float) -> Hop:
        host = urlsplit(url).hostname or ""
        self.log.append((asyncio.get_running_loop().time(), host))
        for key in (host, "all"):
            self.now[key] += 1
            self.most[key] = max(self.most[key], self.now[key])
        try:
            takes_s = self.takes_s(host)
            await asyncio.sleep(min(takes_s, how["timeout_s"]))
            answer = self.answer(host) if takes_s < how["timeout_s"] else HttpError("timeout", "silent")
            if isinstance(answer, HttpError):
                raise answer
            return answer
        finally:
            for key in (host, "all"):
                self.now[key] -= 1

    def times(self, host: str) -> list[float]:
        return [at for at, asked in self.log if asked == host]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()

    async def get(self: object, url: str, *args: object, **how: float) -> Hop:
        return await wire.get(self, url, *args, **how)

    monkeypatch.setattr(transport.Transport, "get", get)
    return wire


async def ask(urls: list[str], *, allow_local: bool = False) -> list[object]:
    client = HttpClient()
    asked = (client.get(url, allow_local=allow_local) for url in urls)
    results = await asyncio.gather(*asked, return_exceptions=True)
    await client.aclose()
    return list(results)


def pages(host: str, count: int) -> list[str]:
    return [f"https://{host}/{n}" for n in range(count)]


def test_two_hundred_sources_on_one_host_come_two_at_a_time_and_a_second_apart(wire: Wire) -> None:
    """NET-22."""
    wire.takes_s = lambda _: 4.0
    virtual_time.run(ask(pages("a.example", 200)))
    at = wire.times("a.example")
    assert len(at) == 200
    assert wire.most["a.example"] == 2
    assert min(later - earlier for earlier, later in itertools.pairwise(at)) >= 1.0


def test_a_thousand_sources_at_start_up_are_spread(wire: Wire) -> None:
    """NET-23: in the first minute no host gets more than a twentieth of them."""
    urls = pages("big.example", 200) + [url for n in range(400) for url in pages(f"{n}.example", 2)]
    took_s = virtual_time.run(ask(urls))
    assert len(wire.log) == 1000
    assert wire.most["all"] <= 16
    first_minute = Counter(host for at, host in wire.log if at < 60)
    assert max(first_minute.values()) <= 50
    assert sum(first_minute.values()) >= 800
    assert took_s < 420


def test_hosts_that_hang_delay_nobody_else(wire: Wire) -> None:
    """NET-03."""
    hanging = [f"https://slow{n}.example/{page}" for n in range(40) for page in range(5)]
    wire.takes_s = lambda host: 1e9 if host.startswith("slow") else 0.2
    virtual_time.run(ask(hanging + [f"https://quick{n}.example/" for n in range(300)]))
    quick = sorted(at for at, host in wire.log if host.startswith("quick"))
    assert len(quick) == 300
    assert quick[-1] < 60


def test_a_silent_host_is_not_asked_for_all_its_pages(wire: Wire) -> None:
    """NET-04."""
    wire.takes_s = lambda _: 1e9
    took_s = virtual_time.run(ask(pages("dead.example", 200)))
    assert 3 <= len(wire.log) <= 4
    assert took_s <= 200


def test_a_host_that_answers_now_and_then_is_asked_for_all(wire: Wire) -> None:
    answers = itertools.cycle([HttpError("network", "lost"), HttpError("network", "lost"), Hop(200, {}, b"")])
    wire.answer = lambda _: next(answers)
    virtual_time.run(ask(pages("shaky.example", 30)))
    assert len(wire.log) == 30


def test_what_waits_in_line_when_a_host_asks_for_a_pause_is_not_sent(wire: Wire) -> None:
    """NET-15."""
    wire.answer = lambda _: Hop(429, {"retry-after": "600"}, b"")
    results: list[object] = []

    async def main() -> None:
        results.extend(await ask(pages("a.example", 20) + pages("b.example", 1)))

    virtual_time.run(main())
    assert len(wire.times("a.example")) == 1
    assert Counter(error.kind for error in results if isinstance(error, HttpError)) == {
        "limit": 2,
        "postponed": 19,
    }


@pytest.mark.parametrize(
    ("header", "minutes"),
    [(None, 60), ("soon", 60), ("-5", 60), ("0", None), ("90", 1.5), ("1000000000000", 7 * 24 * 60)],
)
async def test_a_pause_has_a_length_whatever_the_header_says(
    wire: Wire, header: str | None, minutes: float | None
) -> None:
    """NET-15."""
    now = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
    wire.answer = lambda _: Hop(429, {} if header is None else {"retry-after": header}, b"")
    client = HttpClient(clock=lambda: now)
    with pytest.raises(HttpError):
        await client.get("https://a.example/")
    waits = [(until - now).total_seconds() / 60 for until in client.waits.values() if until > now]
    assert waits == ([] if minutes is None else [minutes])


async def test_a_date_in_retry_after_counts_from_the_clock_of_the_server(wire: Wire) -> None:
    """NET-15: ours may be wrong."""
    now = datetime(2031, 1, 1, tzinfo=UTC)
    headers = {"date": "Mon, 02 Mar 2026 07:00:00 GMT", "retry-after": "Mon, 02 Mar 2026 09:00:00 GMT"}
    wire.answer = lambda _: Hop(503, headers, b"")
    client = HttpClient(clock=lambda: now)
    with pytest.raises(HttpError) as caught:
        await client.get("https://a.example/")
    assert caught.value.retry_after_s == 7200
    again = HttpClient(clock=lambda: now, waits=client.waits)
    with pytest.raises(HttpError, match="left alone for 120 min"):
        await again.get("https://a.example/other")
    assert len(wire.log) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"cache-control": "public, max-age=300"}, 300),
        ({"cache-control": 'max-age="300"', "expires": "Mon, 02 Mar 2026 09:00:00 GMT"}, 300),
        ({"cache-control": "no-cache", "expires": "Mon, 02 Mar 2026 09:00:00 GMT"}, 7200),
        ({"expires": "0"}, None),
        ({"expires": "Mon, 02 Mar 2026 06:00:00 GMT"}, 0),
        ({"cache-control": "max-age=٣"}, None),
        ({}, None),
    ],
)
async def test_how_long_a_document_is_good(
    wire: Wire, headers: dict[str, str], seconds: float | None
) -> None:
    date = {"date": "Mon, 02 Mar 2026 07:00:00 GMT"}
    wire.answer = lambda _: Hop(200, date | headers, b"x")
    assert (await HttpClient().get("https://a.example/")).fresh_s == seconds
