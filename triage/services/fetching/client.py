"""The HTTP client as this program uses it: what a host asked of one process holds for every other.

Owns the way of a Retry-After into the database and out of it, and the record of who was asked. Knows no
source.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import datetime

from ingestors.http import HttpClient
from triage.config import Clock
from triage.store import contacts, hosts
from triage.store.engine import Database


@asynccontextmanager
async def http_client(database: Database, clock: Clock, purpose: str) -> AsyncIterator[HttpClient]:
    """A client that leaves alone who asked for it, in whichever process; who asks it is remembered.

    Args:
        database: Where that is kept.
        clock: The present.
        purpose: What the requests are for, in a word or two, as `triage doctor --network` lists them.
    """
    with database.read() as connection:
        waits = hosts.waits(connection, clock())
    async with aclosing(HttpClient(clock=clock, waits=waits)) as client:
        try:
            yield client
        finally:
            # Also of a round that was given up: the requests were made.
            await asyncio.shield(asyncio.to_thread(_record, purpose, client, database, clock))
        if news := {host: until for host, until in client.waits.items() if waits.get(host) != until}:
            await asyncio.to_thread(leave_alone, news, database, clock)


def _record(purpose: str, client: HttpClient, database: Database, clock: Clock) -> None:
    if client.asked:
        with database.write() as connection:
            contacts.count(connection, purpose, client.asked, clock(), client.ahead)


def note(database: Database, clock: Clock, purpose: str, hosts: Iterable[str]) -> None:
    """Remembers that hosts are asked by another way than HTTP."""
    with database.write() as connection:
        contacts.count(connection, purpose, Counter(hosts), clock())


def leave_alone(waits: Mapping[str, datetime], database: Database, clock: Clock) -> None:
    """Remembers which hosts want no request until when."""
    with database.write() as connection:
        hosts.wait(connection, waits, clock())
