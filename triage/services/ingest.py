"""One round of polling: what is due is fetched, decided on and stored, one transaction a source.

Owns the order of steps. No network, parser or model runs inside a transaction, and one failing source
never fails a round: its error is a value in its report.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
from collections.abc import Callable, Collection, Container, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from msgspec import to_builtins
from sqlalchemy import Connection

from ingestors import registry
from ingestors.base import FetchError, FetchRequest, FetchResult, Ingestor, Refusal, Tools
from ingestors.http import HttpClient
from ingestors.sandbox import ParserPool
from ingestors.slots import Slots
from triage.config import Clock, Config
from triage.core.errors import TriageError
from triage.core.identity import unambiguous
from triage.core.items import Digest
from triage.core.polling import Standing
from triage.core.text import sanitize_line
from triage.services import polling
from triage.services.matching import Matches, match
from triage.services.translate import names_of, new_item
from triage.store import hosts, identities, items, search, sources
from triage.store.engine import Database
from triage.store.items import NewItem
from triage.store.sources import SourceRow

log = logging.getLogger(__name__)

CONCURRENCY = 16
"""Sources fetched at once; the HTTP client spaces requests to one host by itself."""
SILENT_TOGETHER = 3
"""So many sources that fall silent at the same time have not all died."""
LOOK_AGAIN_S = 5.0
"""How often a round that is still waiting for somebody looks for what has come due."""
MAIL_INGESTORS = ("imap", "maildir", "mbox")
MAX_ERROR = 500
"""Characters of a stored error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """What polling one source came to."""

    id: int
    title: str
    target: str
    new: int = 0
    revised: int = 0
    not_modified: bool = False
    refusals: tuple[Refusal, ...] = ()
    error: str | None = None
    postponed: str | None = None
    """Why it was not asked: its host wants to be left alone. That is no failure."""


OnReport = Callable[[SourceReport, int, int], None]
"""Called after each source with (its report, sources done, sources in all)."""


async def sync(
    database: Database,
    config: Config,
    clock: Clock,
    *,
    only: Collection[int] | None = None,
    ask_now: bool = False,
    concurrency: int = CONCURRENCY,
    on_report: OnReport | None = None,
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
        last = sources.last_answer(connection)
    reports: list[SourceReport] = []
    slots = Slots(concurrency)

    async def poll(source: SourceRow, tools: Tools, writer: Writer) -> None:
        async with slots.slot():
            ingestor = registry.get(source.ingestor)
            report = await _poll(source, ingestor, tools, writer, database, config, clock)
        reports.append(report)
        if on_report is not None:
            on_report(report, len(reports), len(asked))

    try:
        async with contextlib.AsyncExitStack() as round_:
            writer = await round_.enter_async_context(aclosing(Writer(database, clock)))
            if tools is None:
                tools = Tools(
                    http=await round_.enter_async_context(aclosing(http_client(database, clock))),
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
    """Makes due who fell silent together after the last answer of anybody, if somebody answers again now.

    The network was away and is back; without this, everybody would wait for up to a day.
    """
    with database.read() as connection:
        answered = sources.last_answer(connection)
        if answered is None or answered <= last:
            return
        ids = sources.silent(connection, last, started, now)
    if len(ids) >= SILENT_TOGETHER:
        with database.write() as connection:
            sources.recall(connection, ids, now)


def http_client(database: Database, clock: Clock) -> HttpClient:
    """A client that leaves alone who asked for it, in whichever process."""
    with database.read() as connection:
        return HttpClient(clock=clock, waits=hosts.waits(connection, clock()))


async def _poll(
    source: SourceRow,
    ingestor: Ingestor | None,
    tools: Tools,
    writer: Writer,
    database: Database,
    config: Config,
    clock: Clock,
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


def leave_alone(waits: Mapping[str, datetime], database: Database, clock: Clock) -> None:
    """Remembers which hosts want no request until when, for every process."""
    with database.write() as connection:
        hosts.wait(connection, waits, clock())


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


class Writer:
    """Stores what was fetched, in a thread. What comes in meanwhile goes into the next transaction together.

    A source is in as a whole or not at all. If anything fails, every source gets a transaction of its own,
    so that none suffers for another.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: list[tuple[SourceRow, FetchResult, asyncio.Future[SourceReport]]] = []
        self._work: asyncio.Task[None] | None = None

    async def store(self, source: SourceRow, result: FetchResult) -> SourceReport:
        """Returns when it is stored; raises what kept it from being."""
        done: asyncio.Future[SourceReport] = asyncio.get_running_loop().create_future()
        self._waiting.append((source, result, done))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._run())
        return await done

    async def aclose(self) -> None:
        """Waits until nothing is left to be stored."""
        if self._work is not None:
            await self._work

    async def _run(self) -> None:
        while batch := self._waiting:
            self._waiting = []
            pairs = [(source, result) for source, result, _ in batch]
            outcomes = await asyncio.to_thread(_store_all, pairs, self._database, self._clock)
            for (_, _, done), outcome in zip(batch, outcomes, strict=True):
                if done.cancelled():
                    continue
                if isinstance(outcome, Exception):
                    done.set_exception(outcome)
                else:
                    done.set_result(outcome)


def _store_all(
    pairs: Sequence[tuple[SourceRow, FetchResult]], database: Database, clock: Clock
) -> list[SourceReport | Exception]:
    """What became of each."""
    try:
        writes = [_prepare(source, result, clock) for source, result in pairs]
        with database.write() as connection:
            return [write(connection) for write in writes]
    except Exception as error:  # noqa: BLE001 - raised again where the outcome of this source is waited for
        if len(pairs) == 1:
            return [error]
    return [outcome for pair in pairs for outcome in _store_all([pair], database, clock)]


def _prepare(source: SourceRow, result: FetchResult, clock: Clock) -> Callable[[Connection], SourceReport]:
    """What writes all that a source brought: items, cursor, next due time, last error."""
    now = clock()
    standing = polling.standing(source, result, now)
    if result.error is not None:
        return _failure(source, result.error, standing, now)
    title = sanitize_line(result.title or "", MAX_ERROR) or source.title
    documents = [new_item(entry, source.kind, now) for entry in result.entries]
    names = unambiguous([names_of(document) for document in documents])
    refusals = tuple(
        Refusal(sanitize_line(r.name, MAX_ERROR), sanitize_line(r.reason, MAX_ERROR)) for r in result.refusals
    )

    def write(connection: Connection) -> SourceReport:
        own = identities.lookup(connection, source.id, [name for each in names for name in each.own])
        shared = identities.lookup(
            connection, identities.SHARED, [name for each in names for name in each.shared]
        )
        found = match(source.id, documents, names, own, shared)
        ids = _write(connection, source.id, documents, found, now)
        identities.add(connection, source.id, _unnamed(ids, [each.own for each in names], own))
        identities.add(connection, identities.SHARED, _unnamed(ids, [each.shared for each in names], shared))
        by_key = {document.key: item_id for document, item_id in zip(documents, ids, strict=True)}
        parents = {
            ids[position]: by_key[parent]
            for position in found.new
            if (parent := result.entries[position].parent) in by_key
        }
        items.set_parents(connection, parents)
        search.index(connection, _to_index(connection, documents, ids, found, title))
        sources.record_success(
            connection,
            source,
            cursor=result.cursor,
            title=title,
            now=now,
            standing=standing,
            note=_note(refusals),
        )
        return SourceReport(
            id=source.id,
            title=title,
            target=source.target,
            new=len(found.new),
            revised=len(found.revised),
            not_modified=result.not_modified,
            refusals=refusals,
        )

    return write


def _failure(
    source: SourceRow, error: FetchError, standing: Standing, now: datetime
) -> Callable[[Connection], SourceReport]:
    message = sanitize_line(error.message, MAX_ERROR)
    postponed = error.kind == "postponed"

    def write(connection: Connection) -> SourceReport:
        if postponed:
            sources.postpone(connection, source.id, standing)
        else:
            sources.record_failure(connection, source.id, error=message, now=now, standing=standing)
        return SourceReport(
            id=source.id,
            title=source.title,
            target=source.target,
            error=None if postponed else message,
            postponed=message if postponed else None,
        )

    return write


def _write(
    connection: Connection, source_id: int, documents: Sequence[NewItem], found: Matches, now: datetime
) -> list[int]:
    """Stores what was decided; returns the id of the item that each document is."""
    new_ids = items.insert_new(connection, source_id, [documents[p] for p in found.new], now)
    items.revise(connection, {item.id: documents[p] for p, item in found.revised.items()}, now)
    for position, item in found.completed.items():
        items.complete(connection, item.id, documents[position])
    ids = {position: item.id for position, item in found.known.items()}
    ids |= dict(zip(found.new, new_ids, strict=True))
    ids |= {position: ids[twin] for position, twin in found.repeats.items()}
    return [ids[position] for position in range(len(documents))]


def _to_index(
    connection: Connection, documents: Sequence[NewItem], ids: Sequence[int], found: Matches, source: str
) -> list[search.SearchRow]:
    """What search has to learn. An item that was there before may have another text than was brought."""
    rows = [
        search.SearchRow(ids[p], documents[p].title, documents[p].text, documents[p].people, source)
        for p in found.new
    ]
    before = [item.id for item in (*found.revised.values(), *found.completed.values())]
    texts = items.texts(connection, before)
    return rows + [
        search.SearchRow(row.id, row.title, texts.get(row.id, ""), row.people, row.source)
        for row in items.by_ids(connection, before).values()
    ]


def _unnamed(
    ids: Sequence[int], names: Sequence[Sequence[bytes]], known: Container[bytes]
) -> dict[bytes, int]:
    """Name -> item id, for the names that are not stored yet."""
    return {
        name: item_id for item_id, each in zip(ids, names, strict=True) for name in each if name not in known
    }


def _note(refusals: tuple[Refusal, ...]) -> str | None:
    if not refusals:
        return None
    first = refusals[0]
    more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
    return f"refused {first.name}: {first.reason}{more}"


def anything_new(database: Database, digest: Digest | None, now: datetime) -> bool:
    """Whether items came in that the digest does not know, also in a round that ended before its ranking.

    A digest of the future is none: the clock was set back since.
    """
    if digest is None or digest.built_at > now:
        return True
    with database.read() as connection:
        return items.changed_since(connection, digest.built_at)


def unread(database: Database) -> int:
    """How many items are known by their beginning only, and wait to be read whole."""
    with database.read() as connection:
        return items.count_leads(connection)


def keep(database: Database, clock: Clock, source_id: int, result: FetchResult) -> SourceReport:
    """Stores a first answer that was fetched to see what a source is, so that it is not asked for again."""
    with database.read() as connection:
        source = next(row for row in sources.active(connection) if row.id == source_id)
    write = _prepare(source, result, clock)
    with database.write() as connection:
        return write(connection)


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
