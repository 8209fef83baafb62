"""Adding, listing and removing sources."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingestors import registry
from ingestors.base import Refusal
from ingestors.files import open_regular
from ingestors.opml import Subscription
from triage.config import Clock
from triage.core.errors import UsageError
from triage.core.text import sanitize_line
from triage.store import sources
from triage.store.engine import Database

MAX_TITLE = 200
MAX_TARGET = 4096
"""Characters of a URL or path: no more of either is of use anywhere."""
MAX_OPML = 10 * 2**20


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
    try:
        target.encode()
    except UnicodeEncodeError as error:  # bytes of the command line that are no UTF-8
        raise UsageError(
            f"{target!r} is not UTF-8, so it cannot be stored", fix="rename it, or make a link to it"
        ) from error
    if len(target) > MAX_TARGET:
        raise UsageError(f"a source of {len(target)} characters is longer than any that can be read")
    path = _local(target)
    if path is not None and (path.suffix.lower() == ".opml" or _looks_like_opml(path)):
        return _add_opml(database, clock, path, allow_local=allow_local)
    claim = registry.claim(target)
    if claim is None:
        if path is not None and not path.exists() and "/" in target:
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


def _local(target: str) -> Path | None:
    """`target` as a path, if a file system could have it."""
    try:
        path = Path(target).expanduser()
        path.stat()
    except FileNotFoundError:
        return None if "://" in target else path
    except (OSError, RuntimeError):
        return None
    return path


def _looks_like_opml(path: Path) -> bool:
    try:
        with open_regular(path) as file:
            return b"<opml" in file.read(2048).lower()
    except OSError:
        return False


def _add_opml(database: Database, clock: Clock, path: Path, *, allow_local: bool) -> AddReport:
    from ingestors.opml import read_opml
    from ingestors.sandbox import ParserPool

    try:
        with open_regular(path) as file:
            body = file.read(MAX_OPML + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    if len(body) > MAX_OPML:
        raise UsageError(f"{path} is larger than {MAX_OPML // 2**20} MB, which no list of subscriptions is")

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
