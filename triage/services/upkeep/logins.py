"""Whether the passwords still hold: a login at each mailbox and at the server that sends the digest.

Asked for by the reader only: a login is a packet, a password manager may want to be unlocked for it, and
servers lock accounts after a few wrong ones. Nothing is fetched, sent or changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol, runtime_checkable
from urllib.parse import urlsplit

from ingestors import registry
from ingestors.base import FetchError, FetchRequest
from triage.config import Clock, Config
from triage.core.errors import TriageError
from triage.core.health import Check
from triage.core.text import sanitize_line
from triage.services.digest import digest_mail
from triage.services.fetching.client import note
from triage.services.fetching.ingest import request_options
from triage.store import sources
from triage.store.engine import Database
from triage.store.sources import SourceRow


@runtime_checkable
class _Lockable(Protocol):
    """An ingestor whose sources are opened by a password."""

    async def login(self, request: FetchRequest) -> FetchError | None: ...


def try_all(database: Database, clock: Clock, settings: Config) -> list[Check]:
    """Logs in everywhere at once; a line for each account."""
    with database.read() as connection:
        rows = sources.active(connection)
    return asyncio.run(_try_all(database, clock, rows, settings))


async def _try_all(
    database: Database, clock: Clock, rows: Iterable[SourceRow], settings: Config
) -> list[Check]:
    tries, hosts = [], []
    for row in rows:
        ingestor = registry.get(row.ingestor)
        if isinstance(ingestor, _Lockable):
            tries.append(_mailbox(row, ingestor, settings))
            hosts.append(urlsplit(row.target).hostname or "")
    if settings.digest.mail.host:
        tries.append(_sending(settings))
        hosts.append(settings.digest.mail.host)
    await asyncio.to_thread(note, database, clock, "login", hosts)
    return list(await asyncio.gather(*tries))


async def _mailbox(row: SourceRow, ingestor: _Lockable, settings: Config) -> Check:
    request = FetchRequest(
        target=row.target,
        cursor={},
        allow_local=row.allow_local,
        options=request_options(row.ingestor, row.options, settings),
    )
    error = await ingestor.login(request)
    if error is None:
        return Check("mailbox", "ok", f"{row.title}: logged in, and every folder can be read")
    return Check("mailbox", "bad", f"{row.title}: {sanitize_line(error.message, 300)}", _mend(row.id, error))


def _mend(source_id: int, error: FetchError) -> str:
    match error.kind:
        case "denied" | "usage":
            return f"triage sources set {source_id} password_command='pass show mail'"
        case "not-found":
            return f"triage sources set {source_id} folders=INBOX"
        case _:
            return f"triage sources check {source_id}"


async def _sending(settings: Config) -> Check:
    mail = settings.digest.mail
    try:
        await asyncio.to_thread(digest_mail.log_in, mail)
    except TriageError as error:
        return Check("sending", "bad", str(error), error.fix or "triage config edit")
    return Check("sending", "ok", f"{mail.host} takes mail from us")
