"""Fetches the full text of summaries that the reader is likely to see, and of those that are asked for.

Owns the order of steps and their transactions: a try is on record before the network is touched, so that
what kills this process is not tried for ever, and a text is exchanged in one write. Which items these are is
said by `triage.core.fulltext`. A full text stays: it is read offline afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ingestors.base import FetchError, Tools
from ingestors.fulltext import FullText, addresses, fetch_full_text
from ingestors.sandbox import ParserPool
from triage.config import Clock, Config
from triage.core import fulltext as policy
from triage.core.errors import TriageError, UsageError
from triage.core.items import Digest
from triage.core.length import measure
from triage.core.text import sanitize_line, sanitize_text
from triage.core.words import plural
from triage.services.fetching.client import http_client
from triage.services.fetching.translate import MAX_TEXT, safe_url
from triage.store import fulltext as store
from triage.store.engine import Database
from triage.store.fulltext import FullTextRow

ROUND = 24
"""Pages fetched after one ranking: a digest of a quarter of an hour has about as many items."""
BESIDES = 30
"""Items of the highest score that are looked at besides those of the digest: marks bring them up."""
CONCURRENCY = 8
"""Pages fetched at once."""
SITE_CONCURRENCY = 2
"""Of one site. The HTTP client spaces requests as well, but not those to a source that may be a local one."""
CPU_S, WALL_S = 10, 20
"""For one page or document: a PDF document takes longer than a feed."""
MAX_ERROR = 300
WHAT = "fetching full texts"

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, how much is done, how much there is)."""


def _silent(what: str, done: int, total: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of fetching the full text of an item."""

    id: int
    got: bool
    message: str
    """For the reader: what there is now, or why not."""


async def fetch_likely(
    database: Database,
    config: Config,
    clock: Clock,
    digest: Digest | None,
    *,
    on_progress: Progress = _silent,
    stopping: Callable[[], bool] = lambda: False,
) -> list[Fetched]:
    """Fetches what is due: of the digest, of what stands closely behind it, and what has failed before.

    Args:
        database: Where items are.
        config: Whether this is wanted.
        clock: The present.
        digest: The current one.
        on_progress: Told after each page.
        stopping: Whether no further page is to be begun.

    Returns:
        What was tried, in the order in which it ended.
    """
    wanted = _choose(database, config, clock, digest)
    done: list[Fetched] = []
    if not wanted:
        return done
    gate = asyncio.Semaphore(CONCURRENCY)
    sites = {policy.site(row.url or ""): asyncio.Semaphore(SITE_CONCURRENCY) for row in wanted}

    async def one(row: FullTextRow, tools: Tools) -> None:
        async with sites[policy.site(row.url or "")], gate:
            if stopping():
                return
            done.append(await _fetch(database, clock, row, tools, papers=row.kind == "paper"))
        on_progress(WHAT, len(done), len(wanted))

    try:
        async with _tools(database, clock) as tools, asyncio.TaskGroup() as group:
            for row in wanted:
                group.create_task(one(row, tools))
    except ExceptionGroup as failures:
        # What a server did wrong is in its report, so this is about the database: nothing can be stored.
        if (mendable := failures.subgroup(TriageError)) is None:
            raise
        raise mendable.exceptions[0] from failures
    return done


async def fetch_asked(
    database: Database, clock: Clock, ids: Sequence[int], on_progress: Progress = _silent
) -> list[Fetched]:
    """Fetches the full texts of items one by one, because the reader asks, from wherever their links lead.

    Raises:
        UsageError: There is no such item, or it has no link; nothing is fetched then.
        TriageError: A server has asked to be left alone for a while.
    """
    with database.read() as connection:
        rows = store.rows(connection, ids)
    for item_id in ids:
        if item_id not in rows:
            raise UsageError(f"there is no item {item_id}", fix="triage list")
        row = rows[item_id]
        if row.url is None:
            raise UsageError(f"item {item_id} has no link to fetch a text from")
        if (until := _left_alone_until(row, clock())) is not None:
            when = f"{until.astimezone():%a %H:%M}"
            raise TriageError(f"the server of {row.source} asks to be left alone until {when}")
    done: list[Fetched] = []
    async with _tools(database, clock) as tools:
        for item_id in dict.fromkeys(ids):
            on_progress(WHAT, len(done), len(ids))
            done.append(await _fetch(database, clock, rows[item_id], tools, papers=True))
    return done


def _choose(database: Database, config: Config, clock: Clock, digest: Digest | None) -> list[FullTextRow]:
    """What is to be fetched unasked, what the reader sees first in front."""
    now = clock()
    window = timedelta(days=config.digest.window_days)
    ids = [item.id for item in digest.items] if digest is not None else []
    with database.read() as connection:
        ids += store.likely(connection, BESIDES, now - window)
        again = set(store.wanted(connection, now, ROUND))
        rows = store.rows(connection, list(dict.fromkeys([*ids, *again])))
        candidates = [
            rows[i]
            for i in dict.fromkeys([*ids, *sorted(again)])
            if i in rows and _is_wanted(rows[i], config, now, again=i in again)
        ]
        fruitless = {
            source_id
            for source_id in {row.source_id for row in candidates}
            if policy.is_fruitless(store.latest(connection, source_id, policy.FRUITLESS), now)
        }
    return [
        row
        for row in candidates
        if row.source_id not in fruitless or row.id in again or row.facts.setting == "always"
    ][:ROUND]


def _is_wanted(row: FullTextRow, config: Config, now: datetime, *, again: bool) -> bool:
    """Whether the full text of an item is to be fetched; `again` if it was, and that failed or is old."""
    if row.removed or row.url is None or not policy.is_due(row.attempt, now):
        return False
    if _left_alone_until(row, now) is not None:
        return False
    known = row.facts
    allowed = (known.setting == "always" or config.full_text.fetch) and policy.not_unasked(known) is None
    return allowed and (again or policy.is_summary(known))


def _left_alone_until(row: FullTextRow, now: datetime) -> datetime | None:
    """Until when the server of a source wants no request, if the page is on the same site."""
    waits = row.wait_until is not None and row.wait_until > now
    return row.wait_until if waits and policy.site(row.url or "") == policy.site(row.target) else None


@asynccontextmanager
async def _tools(database: Database, clock: Clock) -> AsyncIterator[Tools]:
    async with (
        http_client(database, clock, "full texts") as http,
        aclosing(ParserPool(cpu_s=CPU_S, wall_s=WALL_S)) as parsers,
    ):
        yield Tools(http=http, parsers=parsers)


async def _fetch(
    database: Database, clock: Clock, row: FullTextRow, tools: Tools, *, papers: bool
) -> Fetched:
    assert row.url is not None
    await asyncio.to_thread(_begin, database, clock, row)
    found = await fetch_full_text(
        addresses(row.url, row.identifiers),
        tools,
        allow_local=policy.may_be_local(row.url, row.target, row.allow_local),
        papers=papers,
    )
    return await asyncio.to_thread(_store, database, clock, row, found)


def _begin(database: Database, clock: Clock, row: FullTextRow) -> None:
    """Puts a try on record before it is made, as it stands if this process does not see its end."""
    with database.write() as connection:
        _record_failure(connection, row, FetchError("network", "fetching it was interrupted"), None, clock())


def _store(database: Database, clock: Clock, row: FullTextRow, found: FullText) -> Fetched:
    """One transaction: the text and how it was come by, or why there is none."""
    now = clock()
    error, whole = found.error, None
    if error is None:
        try:
            whole = policy.joined(row.facts, row.title, sanitize_text(found.text, MAX_TEXT))
        except ValueError as problem:
            error = FetchError("parse", str(problem))
    if error is not None:
        with database.write() as connection:
            message = _record_failure(connection, row, error, found.retry_after_s, now)
        return Fetched(row.id, got=False, message=message)
    text = row.served if whole is None else sanitize_text(whole, MAX_TEXT)
    words, cjk_characters = measure(text)
    kept = row.attempt is not None and row.attempt.kept
    with database.write() as connection:
        if (whole is not None or kept) and not store.exchange_text(
            connection, row, text, words=words, cjk_characters=cjk_characters
        ):
            return Fetched(row.id, got=False, message="its source has just changed it; try again")
        store.record_text(
            connection,
            row.id,
            missing=found.missing,
            tried_at=now,
            found_at=safe_url(found.url),
            served=None if whole is None else row.served,
        )
    if whole is None:
        return Fetched(row.id, got=False, message="its page has no more text than its source")
    size = plural(words, "word") if words > cjk_characters else plural(cjk_characters, "character")
    return Fetched(row.id, got=True, message=f"the full text is here, {size}")


def _record_failure(
    connection: Connection,
    row: FullTextRow,
    error: FetchError,
    retry_after_s: float | None,
    now: datetime,
) -> str:
    """Returns the message as it is stored. What only the reader may ask for is never repeated without him."""
    failures = (row.attempt.failures if row.attempt is not None else 0) + 1
    again = None
    if policy.not_unasked(row.facts) is None:
        again = policy.next_try(error.kind, failures, now, retry_after_s)
    message = sanitize_line(error.message, MAX_ERROR)
    store.record_failure(
        connection,
        row.id,
        error=message,
        failures=failures,
        tried_at=now,
        next_try_at=again,
    )
    return message
