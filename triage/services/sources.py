"""Adding, listing and removing sources."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingestors import registry
from ingestors.base import Refusal
from ingestors.opml import Subscription
from triage.config import Clock
from triage.core.errors import UsageError
from triage.core.text import sanitize_line
from triage.store import sources
from triage.store.engine import Database

MAX_TITLE = 200


@dataclass(frozen=True, slots=True)
class Added:
    """One source that was added; `new` is False if it was there already."""

    id: int
    title: str
    target: str
    kind: str
    new: bool


@dataclass(frozen=True, slots=True)
class AddReport:
    """What `add` came to."""

    added: tuple[Added, ...]
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source as a listing shows it."""

    id: int
    kind: str
    ingestor: str
    title: str
    target: str
    items: int
    last_success: datetime | None
    last_error: str | None
    failures: int
    next_try: datetime


def add(
    database: Database, clock: Clock, target: str, *, allow_local: bool, title: str | None = None
) -> AddReport:
    """Adds what `target` names: a feed, a mailbox, a paper category, or all feeds of an OPML file.

    Raises:
        UsageError: Nothing that is installed can read it.
    """
    path = Path(target).expanduser()
    if path.suffix.lower() == ".opml" or (path.is_file() and _looks_like_opml(path)):
        return _add_opml(database, clock, path, allow_local=allow_local)
    claim = registry.claim(target)
    if claim is None:
        if not path.exists() and "/" in target and "://" not in target:
            raise UsageError(f"there is no file or folder {target}")
        raise UsageError(
            f"nothing here can read {target!r}",
            fix="give the URL of a feed, the path of an mbox file, a Maildir or an OPML file, or arxiv:cs.IR",
        )
    name = sanitize_line(title or claim.title, MAX_TITLE)
    with database.write() as connection:
        source_id, new = sources.add(
            connection,
            ingestor=claim.ingestor,
            kind=claim.kind,
            target=claim.target,
            title=name,
            tags=[],
            allow_local=allow_local,
            now=clock(),
        )
    return AddReport((Added(source_id, name, claim.target, claim.kind, new),))


def _looks_like_opml(path: Path) -> bool:
    with path.open("rb") as file:
        return b"<opml" in file.read(2048).lower()


def _add_opml(database: Database, clock: Clock, path: Path, *, allow_local: bool) -> AddReport:
    from ingestors.opml import read_opml
    from ingestors.sandbox import ParserPool

    try:
        body = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error

    async def read() -> tuple[list[Subscription], list[Refusal]]:
        async with aclosing(ParserPool()) as parsers:
            return await read_opml(body, parsers)

    subscriptions, refusals = asyncio.run(read())
    added: list[Added] = []
    refused = list(refusals)
    with database.write() as connection:
        for subscription in subscriptions:
            claim = registry.claim(subscription.url)
            if claim is None:
                refused.append(
                    Refusal(subscription.title or subscription.url, "nothing here can read its address")
                )
                continue
            name = sanitize_line(subscription.title or claim.title, MAX_TITLE)
            source_id, new = sources.add(
                connection,
                ingestor=claim.ingestor,
                kind=claim.kind,
                target=claim.target,
                title=name,
                tags=[sanitize_line(tag, MAX_TITLE) for tag in subscription.tags],
                allow_local=allow_local,
                now=clock(),
            )
            added.append(Added(source_id, name, claim.target, claim.kind, new))
    if not added and refused:
        raise UsageError(f"{path}: {refused[0].reason}")
    return AddReport(tuple(added), tuple(refused))


def listing(database: Database) -> list[SourceView]:
    """Every source that is polled, with how it fares."""
    with database.read() as connection:
        rows = sources.active(connection)
        counts = sources.item_counts(connection)
    return [
        SourceView(
            id=row.id,
            kind=row.kind,
            ingestor=row.ingestor,
            title=row.title,
            target=row.target,
            items=counts.get(row.id, 0),
            last_success=row.succeeded_at,
            last_error=row.last_error,
            failures=row.failures,
            next_try=row.next_due_at,
        )
        for row in rows
    ]


def remove(database: Database, clock: Clock, source_id: int) -> SourceView:
    """Stops polling a source; its items and marks stay.

    Raises:
        UsageError: There is no such source.
    """
    found = next((view for view in listing(database) if view.id == source_id), None)
    if found is None:
        raise UsageError(f"there is no source {source_id}", fix="triage sources")
    with database.write() as connection:
        sources.remove(connection, source_id, clock())
    return found
