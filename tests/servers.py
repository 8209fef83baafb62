"""Servers of feeds on the loopback interface, with one clock for them and for who asks them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

from etiquette import Offence, Wishes, offences
from loopback import Exchange, LoopbackServer, Request, Route
from world import NOW

from ingestors.sandbox import ParseRefused
from ingestors.wire import RefusalError


class Days:
    """The clock of both sides."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()


def feed(name: str, dates: Iterable[datetime], channel: str = "") -> bytes:
    items = "".join(
        f"<item><guid>{name} {date:%d %H:%M}</guid><title>{name} {date:%d %H:%M}</title>"
        f"<pubDate>{format_datetime(date)}</pubDate></item>"
        for date in dates
    )
    return f"<rss version='2.0'><channel><title>{name}</title>{channel}{items}</channel></rss>".encode()


def every(hours: float, count: int = 5) -> list[datetime]:
    """Dates up to the start, that far apart."""
    return [NOW - timedelta(hours=hours * n) for n in range(count)]


class InProcess:
    """Stands for `ParserPool`: what a child costs is not what is measured here."""

    async def parse(self, parser: str, body: bytes, **options: Any) -> dict[str, Any]:
        """What the parser `module:function` makes of it."""
        module, _, function = parser.partition(":")
        try:
            parsed: dict[str, Any] = getattr(importlib.import_module(module), function)(body, **options)
        except RefusalError as refusal:
            raise ParseRefused(str(refusal)) from None
        return parsed

    async def aclose(self) -> None:
        """There is nothing to end."""


class World:
    """Servers with feeds of different manners, and a reader who has subscribed to all of them."""

    def __init__(self, days: Days, stack: ExitStack) -> None:
        self._days = days
        self._stack = stack
        self.hosts: list[LoopbackServer] = []
        self.wishes: list[dict[str, Wishes]] = []
        self.urls: dict[str, str] = {}
        self.targets: list[str] = []

    def host(self, **feeds: Route | Callable[[], Route] | tuple[Route | Callable[[], Route], Wishes]) -> None:
        """A server with one feed a name."""
        server = self._stack.enter_context(LoopbackServer(clock=self._days.seconds))
        wishes: dict[str, Wishes] = {}
        for name, what in feeds.items():
            route, wishes[f"/{name}"] = what if isinstance(what, tuple) else (what, Wishes())
            server.routes[f"/{name}"] = self._answering(route)
            self.urls[name] = server.url(f"/{name}")
        self.hosts.append(server)
        self.wishes.append(wishes)

    def offences(self) -> list[Offence]:
        return [
            offence
            for server, wishes in zip(self.hosts, self.wishes, strict=True)
            for offence in offences(server.exchanges, wishes)
        ]

    def exchanges(self, name: str) -> list[Exchange]:
        return [e for server in self.hosts for e in server.exchanges if e.request.path == f"/{name}"]

    def _answering(self, route: Route | Callable[[], Route]) -> Callable[[Request], Route]:
        return lambda _: route() if callable(route) else route

    def items_served(self) -> set[str]:
        """Titles of every document that was sent whole."""
        titles: set[str] = set()
        for server in self.hosts:
            for exchange in server.exchanges:
                if exchange.status == 200 and exchange.body.startswith(b"<rss"):
                    parts = exchange.body.decode().split("<item>")[1:]
                    titles |= {part.partition("<title>")[2].partition("</title>")[0] for part in parts}
        return titles
