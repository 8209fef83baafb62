"""What a source brought, decided on and stored: items, names, search index, cursor, due time, last error.

Owns the one transaction of a source. No network, parser or model runs inside it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from ingestors.base import FetchError, FetchResult, Refusal
from triage.config import Clock
from triage.core.crash import crash_point
from triage.core.identity import unambiguous
from triage.core.polling import PollState
from triage.core.text import sanitize_line
from triage.services.fetching import polling
from triage.services.fetching.matching import Matches, match
from triage.services.fetching.translate import names_of, new_item
from triage.store import identities, items, search, sources
from triage.store.engine import Database
from triage.store.items import NewItem
from triage.store.sources import SourceRow

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
    seconds: float = 0.0
    """How long it took, with waiting for its turn at a host."""


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
        crash_point("ingest:fetched")
        with database.write() as connection:
            reports: list[SourceReport | Exception] = [write(connection) for write in writes]
            crash_point("ingest:written")
        crash_point("ingest:committed")
    except Exception as error:  # noqa: BLE001 - raised again where the outcome of this source is waited for
        if len(pairs) == 1:
            return [error]
    else:
        return reports
    return [outcome for pair in pairs for outcome in _store_all([pair], database, clock)]


def _prepare(source: SourceRow, result: FetchResult, clock: Clock) -> Callable[[Connection], SourceReport]:
    """What writes all that a source brought: items, cursor, next due time, last error."""
    now = clock()
    state = polling.state_after(source, result, now)
    if result.error is not None:
        return _failure(source, result.error, state, now)
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
        by_key = {documents[position].key: item_id for position, item_id in ids.items()}
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
            state=state,
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
    source: SourceRow, error: FetchError, state: PollState, now: datetime
) -> Callable[[Connection], SourceReport]:
    message = sanitize_line(error.message, MAX_ERROR)
    postponed = error.kind == "postponed"

    def write(connection: Connection) -> SourceReport:
        if postponed:
            sources.postpone(connection, source.id, state)
        else:
            sources.record_failure(connection, source.id, error=message, now=now, state=state)
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
) -> dict[int, int]:
    """Stores what was decided; returns the id of the item that each document is, by position."""
    new_ids = items.insert_new(connection, source_id, [documents[p] for p in found.new], now)
    items.revise(connection, {item.id: documents[p] for p, item in found.revised.items()}, now)
    for position, item in found.completed.items():
        items.complete(connection, item.id, documents[position])
    ids = {position: item.id for position, item in found.known.items()}
    ids |= dict(zip(found.new, new_ids, strict=True))
    return ids | {position: ids[twin] for position, twin in found.repeats.items()}


def _to_index(
    connection: Connection, documents: Sequence[NewItem], ids: Mapping[int, int], found: Matches, source: str
) -> list[search.SearchRow]:
    """What search has to learn. An item that was there before may have another text than was brought."""
    rows = [
        search.SearchRow(ids[p], document.title, document.text, document.people, source, document.tags)
        for p in found.new
        for document in (documents[p],)
    ]
    before = [item.id for item in (*found.revised.values(), *found.completed.values())]
    texts = items.texts(connection, before)
    return rows + [
        search.SearchRow(row.id, row.title, texts.get(row.id, ""), row.people, row.source, row.tags)
        for row in items.by_ids(connection, before).values()
    ]


def _unnamed(
    ids: Mapping[int, int], names: Sequence[Sequence[bytes]], known: Container[bytes]
) -> dict[bytes, int]:
    """Name -> item id, for the names that are not stored yet."""
    return {
        name: item_id for position, item_id in ids.items() for name in names[position] if name not in known
    }


def _note(refusals: tuple[Refusal, ...]) -> str | None:
    if not refusals:
        return None
    first = refusals[0]
    more = f" (and {len(refusals) - 1} more)" if len(refusals) > 1 else ""
    return f"refused {first.name}: {first.reason}{more}"


def keep(database: Database, clock: Clock, source_id: int, result: FetchResult) -> SourceReport:
    """Stores a first answer that was fetched to see what a source is, so that it is not asked for again."""
    with database.read() as connection:
        source = next(row for row in sources.active(connection) if row.id == source_id)
    write = _prepare(source, result, clock)
    with database.write() as connection:
        return write(connection)
