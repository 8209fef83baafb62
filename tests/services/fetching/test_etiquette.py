"""A month of polling many kinds of feeds, judged by those who serve them; and the judge on trial."""

from __future__ import annotations

import asyncio
import http.client
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from email.utils import format_datetime
from typing import Any, get_args

import pytest
from etiquette import Offence, Sin, Wishes, offences
from loopback import LoopbackServer, Route
from servers import Days, InProcess, World, every, feed
from world import NOW

from ingestors.base import Tools
from triage.config import Config
from triage.paths import Paths
from triage.services.fetching import ingest
from triage.services.fetching import sources as service
from triage.services.fetching.client import http_client
from triage.services.reader import reading
from triage.store.engine import Database

START = NOW.timestamp()


class Client:
    """Says exactly what it is told, when it is told."""

    def __init__(self, server: LoopbackServer, days: Days) -> None:
        self._server = server
        self._days = days

    def get(self, hours: float, path: str = "/f", method: str = "GET", **headers: str | None) -> str:
        """Asks at that hour; returns the ETag."""
        self._days.now = NOW + timedelta(hours=hours)
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=5)
        connection.putrequest(method, path, skip_accept_encoding=True)
        polite = {"user_agent": "polite/1.0 (+https://polite.example)", "accept_encoding": "gzip"}
        for name, value in {**polite, **headers}.items():
            if value is not None:
                connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.headers.get("ETag") or ""


def twice(first: float, second: float, **headers: str | None) -> Callable[[Client], None]:
    """Two requests, the second with the validator of the first."""

    def script(client: Client) -> None:
        etag = client.get(first)
        client.get(second, **{"if_none_match": etag or None, **headers})

    return script


def stale(client: Client) -> None:
    old = client.get(0)
    client._server.routes["/f"] = Route(b"<rss>news</rss>")
    client.get(2, if_none_match=old)
    client.get(4, if_none_match=old)


def repeats(*hours: float) -> Callable[[Client], Any]:
    return lambda client: [client.get(hour) for hour in hours]


MOVED = Route(b"", 301, {"Location": "/g"}, etag=False)
RUDE: dict[Sin, tuple[Route, Wishes, Callable[[Client], Any]]] = {
    "method": (Route(b"<rss/>"), Wishes(), lambda client: client.get(0, method="HEAD")),
    "stray page": (Route(b"<rss/>"), Wishes(), lambda client: client.get(0, path="/favicon.ico")),
    "added parameters": (Route(b"<rss/>"), Wishes(), lambda client: client.get(0, path="/f?t=1")),
    "cookie": (Route(b"<rss/>"), Wishes(), lambda client: client.get(0, cookie="id=1")),
    "referer": (Route(b"<rss/>"), Wishes(), lambda client: client.get(0, referer="http://a/")),
    "no honest name": (Route(b"<rss/>"), Wishes(), lambda client: client.get(0, user_agent="Mozilla/5.0")),
    "no packing": (Route(b"<rss/>"), Wishes(), lambda client: client.get(0, accept_encoding=None)),
    "unconditional repeat": (Route(b"<rss/>"), Wishes(), twice(0, 2, if_none_match=None)),
    "made-up validator": (
        Route(b"<rss/>", etag=False, last_modified="Mon, 02 Mar 2026 06:00:00 GMT"),
        Wishes(),
        twice(0, 2, if_modified_since="Sun, 01 Mar 2026 00:00:00 GMT"),
    ),
    "stale validator": (Route(b"<rss/>"), Wishes(), stale),
    "within the hour": (Route(b"<rss/>"), Wishes(), twice(0, 0.9)),
    "sooner than asked": (
        Route(b"<rss/>", headers={"Cache-Control": "max-age=14400"}), Wishes(), twice(0, 3),
    ),
    "whole document within a day": (Route(b"<rss/>", etag=False), Wishes(), twice(0, 8)),
    "in a skipped hour": (Route(b"<rss/>"), Wishes(skip_hours=frozenset({9})), twice(0, 2.5)),
    "despite Retry-After": (
        Route(b"", 503, {"Retry-After": "7200"}, etag=False),
        Wishes(),
        lambda client: (client.get(0), client.get(1.5, path="/g")),
    ),
    "no backoff": (Route(b"", 404, etag=False), Wishes(), repeats(0, 1, 2)),
    "deaf to a move": (MOVED, Wishes(), repeats(0, 25, 26)),
    "deaf to gone": (Route(b"", 410, etag=False), Wishes(), repeats(0, 24, 48, 72)),
}  # fmt: skip


def judge(server: LoopbackServer, wishes: Wishes) -> list[Offence]:
    return offences(server.exchanges, {"/f": wishes, "/g": Wishes()})


@pytest.mark.parametrize("sin", get_args(Sin))
def test_the_judge_knows_each_sin_and_no_other_in_it(sin: Sin) -> None:
    route, wishes, script = RUDE[sin]
    days = Days()
    with LoopbackServer({"/f": route, "/g": Route(b"<rss/>")}, clock=days.seconds) as server:
        script(Client(server, days))
        assert {offence.sin for offence in judge(server, wishes)} == {sin}


def test_the_judge_has_nothing_against_a_polite_client() -> None:
    days = Days()
    strange = Route(b"<rss/>", headers={"ETag": 'W/"a b"', "Last-Modified": "yesterday"})
    with LoopbackServer({"/f": strange, "/g": Route(b"", 404, etag=False)}, clock=days.seconds) as server:
        client = Client(server, days)
        client.get(0)
        client.get(1, if_none_match='W/"a b"', if_modified_since="yesterday")
        for hour in (0, 1, 3, 7, 15, 38):
            client.get(hour, path="/g")
        assert judge(server, Wishes()) == []


async def live(world: World, database: Database, days: Days, restarts: list[timedelta]) -> Database:
    """Runs the product from restart to restart; each begins with a new client and a fresh database handle."""
    for end in restarts:
        async with http_client(database, days, "polling") as client:
            tools = Tools(http=client, parsers=InProcess())  # type: ignore[arg-type]
            while days.now < NOW + end:
                await ingest.sync(database, Config(), days, tools=tools)
                nap = ingest.until_next(database, days, timedelta(hours=6))
                days.now += max(nap, timedelta(seconds=30))
        database.close()
        database = Database(database.path)
    return database


def changing(name: str, days: Days, hours: float, count: int = 20, **how: Any) -> Callable[[], Route]:
    """A feed that gains an entry every so many hours and shows the latest."""

    def route() -> Route:
        last = int((days.now - NOW) / timedelta(hours=hours))
        dates = [NOW + timedelta(hours=hours * n) for n in range(last - count + 1, last + 1)]
        return Route(feed(name, dates), **how)

    return route


def settle(world: World, days: Days, pace: float) -> None:
    """Feeds of all manners that the catalogue names; entries come every few hours times `pace`."""

    def hour() -> float:
        return (days.now - NOW) / timedelta(hours=1)

    def often(name: str, hours: float, channel: str = "") -> bytes:
        return feed(name, every(hours * pace), channel)

    def expiring() -> Route:
        dates = {"Date": format_datetime(days.now, usegmt=True)}
        dates["Expires"] = format_datetime(days.now + timedelta(hours=5), usegmt=True)
        return Route(often("expires", 3), headers=dates)

    def renaming() -> Route:
        """Another validator with many a "not modified", and not in ASCII."""
        return Route(often("renaming", 20), headers={"ETag": f'W/"caf\xe9 {int(hour()) // 30}"'})

    def portal() -> Route:
        if 100 < hour() < 110:
            return Route(b"<html>Log in</html>", headers={"ETag": '"portal"'})
        return Route(often("portal", 8))

    def flapping() -> Route:
        return Route(b"", 500, etag=False) if int(hour()) % 7 < 3 else Route(often("flapping", 8))

    def down() -> Route:
        return Route(b"", 503, etag=False) if 50 < hour() < 250 else Route(often("down", 12))

    def busy() -> Route:
        if int(hour()) % 5 == 0:
            return Route(b"", 429, {"Retry-After": str(3 * 3600)}, etag=False)
        return Route(often("busy", 8))

    def dated() -> Route:
        if 200 < hour() < 210:
            until = format_datetime(NOW + timedelta(hours=300), usegmt=True)
            headers = {"Retry-After": until, "Date": format_datetime(days.now, usegmt=True)}
            return Route(b"", 503, headers, etag=False)
        return Route(often("dated", 10))

    def once() -> Route:
        moved = Route(b"", 308, {"Location": "/elsewhere"}, etag=False)
        return moved if hour() < 9 else Route(often("once", 9))

    skipping = (
        "<skipHours>" + "".join(f"<hour>{n}</hour>" for n in range(12)) + "</skipHours>"
        "<skipDays><day>Sunday</day></skipDays>"
    )
    zone = "Sun, 01 Mar 2026 09:00:00 +0100"
    world.host(
        slow=Route(often("slow", 120)),
        modified=Route(often("modified", 24), etag=False, last_modified=zone),
        whole=Route(often("whole", 72), etag=False),
        ttl=(Route(often("ttl", 1, f"<ttl>{200 * pace:.0f}</ttl>")), Wishes(ttl_s=12_000 * pace)),
        aged=Route(often("aged", 2), headers={"Cache-Control": f"public, max-age={9000 * pace:.0f}"}),
        expires=expiring,
        skips=(
            Route(often("skips", 8, skipping)),
            Wishes(skip_hours=frozenset(range(12)), skip_days=frozenset({6})),
        ),
        renaming=renaming,
        lively=changing("lively", days, 6 * pace, count=8),
    )
    world.host(portal=portal, flapping=flapping, lost=Route(b"", 404, etag=False), down=down)
    world.host(busy=busy, neighbour=Route(often("neighbour", 8)))
    world.host(dated=dated, sibling=Route(often("sibling", 12)))
    world.host(gone=lambda: Route(b"", 410, etag=False) if hour() > 20 else Route(often("gone", 24)))
    world.host(
        old=Route(b"", 301, {"Location": "/new"}, etag=False),
        new=changing("new", days, 24 * pace, count=5),
        once=once,
        elsewhere=Route(often("once", 9)),
        hop=Route(b"", 302, {"Location": "/far"}, etag=False),
        far=Route(often("far", 30)),
    )
    world.targets = [url for name, url in world.urls.items() if name not in ("new", "elsewhere", "far")]


@pytest.mark.parametrize(
    ("length", "pace"), [(30, 2.0), pytest.param(90, 1.0, marks=pytest.mark.slow)], ids=["month", "quarter"]
)
def test_a_month_with_restarts_is_without_sin(
    paths: Paths, database: Database, length: int, pace: float
) -> None:
    """NET-07, NET-13 to NET-20, and the rules of etiquette: see `etiquette`."""
    days = Days()
    with ExitStack() as stack:
        world = World(days, stack)
        settle(world, days, pace)
        for url in world.targets:
            service.add(database, days, url, allow_local=True)
        restarts = [timedelta(hours=h) for h in (1, 1.5, 30, 205, 206, 400)] + [timedelta(days=length)]
        database = asyncio.run(live(world, database, days, restarts))

        assert world.offences() == []
        statuses = {name: Counter(e.status for e in world.exchanges(name)) for name in world.urls}
        for name in ("slow", "modified", "ttl", "aged", "expires", "skips", "neighbour", "sibling", "far"):
            assert statuses[name][200] == 1, name
            assert statuses[name][304] >= 0.9 * statuses[name].total(), name
        assert statuses["old"].total() <= 4
        assert statuses["gone"][410] <= 8
        assert statuses["lost"].total() <= 5 + length
        # Nothing that was ever sent whole is missing, and nothing is there twice.
        titles = [item.title for item in reading.best(database, 10_000)]
        assert sorted(titles) == sorted(world.items_served())
        assert database.pragma("integrity_check") == "ok"
    database.close()
