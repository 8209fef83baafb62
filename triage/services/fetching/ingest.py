"""One round of polling: what is due is fetched, and handed over to be stored.

Owns the order of steps; deciding and storing is for `triage.services.fetching.writing`. One failing source
never fails a round: its error is a value in its report.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from msgspec import to_builtins

from ingestors import registry
from ingestors.base import FetchError, FetchRequest, FetchResult, Ingestor, Tools
from ingestors.sandbox import ParserPool
from ingestors.slots import Slots
from triage.config import Clock, Config
from triage.core.errors import TriageError
from triage.core.health import SILENT_TOGETHER
from triage.core.items import Digest
from triage.services.fetching import polling
from triage.services.fetching.client import http_client, leave_alone
from triage.services.fetching.writing import SourceReport, Writer
from triage.store import items, sources
from triage.store.engine import Database
from triage.store.sources import SourceRow

log = logging.getLogger(__name__)

CONCURRENCY = 16
"""Sources fetched at once; the HTTP client spaces requests to one host by itself."""
LOOK_AGAIN_S = 5.0
"""How often a round that is still waiting for somebody looks for what has come due."""
MAIL_INGESTORS = ("imap", "maildir", "mbox")

OnReport = Callable[[SourceReport, int, int], None]
"""Called after each source with (its report, sources done, sources in all)."""
OnPortion = Callable[[SourceReport], None]
"""Called after each portion of a source that has more, with what all of its portions have brought."""


async def sync(
    database: Database,
    config: Config,
    clock: Clock,
    *,
    only: Collection[int] | None = None,
    ask_now: bool = False,
    concurrency: int = CONCURRENCY,
    on_report: OnReport | None = None,
    on_portion: OnPortion | None = None,
    tools: Tools | None = None,
) -> list[SourceReport]:
    """Polls every source that is due, and what comes due while it runs; each of them once.

    Args:
        database: Where sources are and items go.
        config: For the base URLs of services.
        clock: The present.
        only: Ids of the sources to poll; None means all.
        ask_now: Polls sources that are not due too, unless they answered in the last five minutes
            or their server said to wait.
        concurrency: Sources fetched at once; with one, items are stored in the order of the sources.
        on_report: Progress.
        on_portion: Progress of a source that takes long.
        tools: What the ingestors work with; None makes it for this round.

    Returns:
        A report for each polled source, in the order of their ids.

    Raises:
        UsageError: `only` names a source that there is not, or one that is paused.
        TriageError: The database takes nothing more: the disk is full, or another process holds it.
    """
    asked: set[int] = set()

    def due() -> list[SourceRow]:
        """Those that are due by now and were not asked yet, each once a round."""
        with database.read() as connection:
            now, left = clock(), None if only is None else set(only) - asked
            everyone = ask_now or only is not None
            rows = sources.active(connection) if everyone else sources.due(connection, now)
            found = polling.due(rows, now, only=left, ask_now=ask_now)
        found = [source for source in found if source.id not in asked]
        asked.update(source.id for source in found)
        return found if concurrency == 1 else polling.fairly(found)

    started = clock()
    batch = due()
    if not batch:
        return []
    with database.read() as connection:
        last = sources.last_answer(connection, started)
    reports: list[SourceReport] = []
    slots = Slots(concurrency)

    async def poll(source: SourceRow, tools: Tools, writer: Writer) -> None:
        async with slots.slot():
            ingestor, began = registry.get(source.ingestor), time.monotonic()
            report = await _poll(source, ingestor, tools, writer, database, config, clock, on_portion)
        report = dataclasses.replace(report, seconds=round(time.monotonic() - began, 3))
        reports.append(report)
        if on_report is not None:
            on_report(report, len(reports), len(asked))

    try:
        async with contextlib.AsyncExitStack() as round_:
            writer = await round_.enter_async_context(aclosing(Writer(database, clock)))
            if tools is None:
                tools = Tools(
                    http=await round_.enter_async_context(http_client(database, clock, "polling")),
                    parsers=await round_.enter_async_context(aclosing(ParserPool())),
                )
            group = await round_.enter_async_context(asyncio.TaskGroup())
            running: set[asyncio.Task[None]] = set()
            while batch or running:
                running |= {group.create_task(poll(source, tools, writer)) for source in batch}
                # A host that answers slowly must not hold up what comes due while it is waited for.
                _, running = await asyncio.wait(running, timeout=LOOK_AGAIN_S)
                batch = due() if running else []
    except ExceptionGroup as failures:
        # What a source did wrong is in its report, so this is about the database: nothing can be stored.
        if (mendable := failures.subgroup(TriageError)) is None:
            raise
        raise mendable.exceptions[0] from failures
    if last is not None:
        _recall_silent(database, last, started, clock())
    return sorted(reports, key=lambda report: report.id)


def _recall_silent(database: Database, last: datetime, started: datetime, now: datetime) -> None:
    """Makes sources due that fell silent together, once any source answers again.

    The network was away and is back; without this, each of them would wait for up to a day.
    """
    with database.read() as connection:
        answered = sources.last_answer(connection, now)
        if answered is None or answered <= last:
            return
        ids = sources.silent(connection, last, started, now)
    if len(ids) >= SILENT_TOGETHER:
        with database.write() as connection:
            sources.recall(connection, ids, now)


async def _poll(
    source: SourceRow,
    ingestor: Ingestor | None,
    tools: Tools,
    writer: Writer,
    database: Database,
    config: Config,
    clock: Clock,
    on_portion: OnPortion | None,
) -> SourceReport:
    if ingestor is None:
        error = FetchError("usage", f"no ingestor named {source.ingestor} is installed")
        return await writer.store(source, FetchResult(error=error))
    report = None
    more = True
    while more:
        waits = dict(tools.http.waits)
        result = await _fetch(source, ingestor, tools, config)
        if news := {host: until for host, until in tools.http.waits.items() if waits.get(host) != until}:
            await asyncio.to_thread(leave_alone, news, database, clock)
        stored = await writer.store(source, result)
        report = stored if report is None else _sum(report, stored)
        more = result.more and result.error is None
        if more and on_portion is not None:
            on_portion(report)
        source = dataclasses.replace(source, cursor=result.cursor, failures=0, failing_since=None)
    assert report is not None
    return report


async def _fetch(source: SourceRow, ingestor: Ingestor, tools: Tools, config: Config) -> FetchResult:
    request = FetchRequest(
        target=source.target,
        cursor=source.cursor,
        allow_local=source.allow_local,
        options=request_options(source.ingestor, source.options, config),
    )
    try:
        return await ingestor.fetch(request, tools)
    except Exception as error:
        # An ingestor is a plug-in: its bug must not end the round.
        log.exception("source %d: the ingestor %s failed", source.id, source.ingestor)
        message = f"the ingestor {source.ingestor} failed ({type(error).__name__}); the log has the details"
        return FetchResult(error=FetchError("parse", message))


def _sum(earlier: SourceReport, later: SourceReport) -> SourceReport:
    return dataclasses.replace(
        later,
        new=earlier.new + later.new,
        revised=earlier.revised + later.revised,
        not_modified=False,
        refusals=earlier.refusals + later.refusals,
    )


def request_options(ingestor: str, options: Mapping[str, Any], config: Config) -> dict[str, Any]:
    """What an ingestor is told beyond its target: what was set for the source, and for services.

    A source of one service may ask another (a DOI is looked up in two), so each learns of all.
    """
    if ingestor in MAIL_INGESTORS:
        addresses = list(config.mail.addresses)
        return {"addresses": addresses, **options} if addresses else dict(options)
    services = {
        name: {"base_url" if key == "url" else key: value for key, value in to_builtins(service).items()}
        for name, service in config.services.items()
    }
    told = {"contact": config.sources.contact, "services": services}
    return {**{name: value for name, value in told.items() if value}, **services.get(ingestor, {}), **options}


def anything_new(database: Database, digest: Digest | None, now: datetime) -> bool:
    """Whether items came in that the digest does not know, also in a round that ended before its ranking.

    A digest of the future is none: the clock was set back since.
    """
    if digest is None or digest.built_at > now:
        return True
    with database.read() as connection:
        return items.changed_since(connection, digest.built_at, now)


def unread(database: Database) -> int:
    """How many items are known by their beginning only, and wait to be read whole."""
    with database.read() as connection:
        return items.count_leads(connection)


def until_next(database: Database, clock: Clock, most: timedelta) -> timedelta:
    """How long until the next source is due, at most `most`."""
    now = clock()
    with database.read() as connection:
        times = [t for s in sources.due(connection, now) if (t := polling.next_time(s, now)) is not None]
        later = sources.next_due(connection, now)
    times += [now + most, *([later] if later is not None else [])]
    return max(min(times) - now, timedelta(0))


def require_sources(database: Database) -> None:
    """Raises TriageError if there is nothing to poll yet."""
    with database.read() as connection:
        if not sources.active(connection):
            raise TriageError(
                "there are no sources yet", fix="triage add URL-OR-PATH, or look around with: triage demo"
            )
