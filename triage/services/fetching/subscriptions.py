"""Subscription lists in and out: OPML files and newsboat's `urls` files, merged into the sources."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestors import registry
from ingestors.base import Refusal
from ingestors.files import open_regular
from ingestors.sandbox import ParserPool
from ingestors.subscriptions import HEAD, Format, Subscription, list_format, read_list, write_opml, write_urls
from triage.config import Clock
from triage.core.errors import TriageError, UsageError
from triage.core.text import sanitize_line, without_password
from triage.services.fetching.sources import LIST_OPTION, MAX_TITLE, Added, add_claimed, clean_tags
from triage.store import sources
from triage.store.engine import Database
from triage.store.sources import NAME

MAX_LIST = 10 * 2**20
TITLE = "Sources of triage"
UNREADABLE = "nothing here can read its address"
WOULD_BE_STORED = (
    "its address holds a password, which would be stored; triage add takes --password-command instead"
)


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a list came to."""

    added: tuple[Added, ...]
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Exported:
    """A list as text; `left_out` are the titles of sources that its format has no place for."""

    text: str
    written: int
    left_out: tuple[str, ...] = ()


def as_list(target: str) -> Format | None:
    """What kind of list lies at a path; None if there is none, or if an ingestor reads it as it is.

    Raises:
        UsageError: It is named like a list and cannot be read.
    """
    path = local_path(target)
    if path is None:
        return None
    try:
        with open_regular(path) as file:
            found = list_format(file.read(HEAD))
    except OSError as error:
        if path.suffix.lower() == ".opml":
            raise UsageError(f"cannot read {target}: {error.strerror}") from error
        return None
    if found == "opml" or path.suffix.lower() == ".opml":
        return "opml"
    return found if found is not None and registry.claim(target) is None else None


def local_path(target: str) -> Path | None:
    """`target` as a path, if something is there."""
    try:
        path = Path(target).expanduser()
        path.stat()
    except (OSError, RuntimeError, ValueError):
        return None
    return path


def missing(target: str) -> Path | None:
    """The path that `target` is meant as, if it looks like one and nothing is there."""
    if ":" in target.partition("/")[0] or "/" not in target or registry.claim(target) is not None:
        return None
    return None if local_path(target) is not None else Path(target)


def read_file(path: Path) -> bytes:
    """A list from disk.

    Raises:
        UsageError: It cannot be read, or is larger than lists are.
    """
    try:
        with open_regular(path) as file:
            body = file.read(MAX_LIST + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    return body


def import_list(
    database: Database,
    clock: Clock,
    body: bytes,
    name: str,
    *,
    allow_local: bool = False,
    tags: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> ImportReport:
    """Merges a list into the sources, unseen: known ones gain its tags, nothing is overwritten.

    Args:
        database: Where the sources are.
        clock: The present.
        body: The list.
        name: Of the list, for errors.
        allow_local: Whether its sources may be on loopback and private addresses.
        tags: More tags for all of them.
        options: What is set for those that are new.

    Raises:
        UsageError: It is no list, or nothing in it can be subscribed to.
    """
    subscriptions, refused = in_list(body, name)
    refusals = [Refusal(sanitize_line(r.name, MAX_TITLE), r.reason) for r in refused]
    added: list[Added] = []
    with database.write() as connection:
        known = {(row.ingestor, row.target) for row in sources.active(connection)}
        for subscription in subscriptions:
            shown = without_password(subscription.url)
            claim = registry.claim(subscription.url) if shown == subscription.url else None
            if claim is None:
                label = sanitize_line(subscription.title or shown, MAX_TITLE)
                refusals.append(Refusal(label, UNREADABLE if shown == subscription.url else WOULD_BE_STORED))
                continue
            new = (claim.ingestor, claim.target) not in known
            kept = {LIST_OPTION: dict(subscription.attributes)} if subscription.attributes else {}
            added.append(
                add_claimed(
                    connection,
                    claim,
                    clock(),
                    allow_local=allow_local,
                    title=subscription.title if new else None,
                    tags=[*subscription.tags, *tags],
                    options={**kept, **(options or {})} if new else {},
                )
            )
    if not added:
        reason = f"{refusals[0].name}: {refusals[0].reason}" if refusals else "there is nothing in it"
        raise UsageError(f"{name} brings no source: {reason}")
    return ImportReport(tuple(added), tuple(refusals))


def in_list(body: bytes, name: str) -> tuple[list[Subscription], list[Refusal]]:
    """What a list names, and what of it was refused; stores nothing.

    Raises:
        UsageError: It is no list.
    """
    if len(body) > MAX_LIST:
        raise UsageError(f"{name} is larger than {MAX_LIST // 2**20} MB, which no list of subscriptions is")
    form = list_format(body[:HEAD])
    if form is None:
        raise UsageError(
            f"{name} is neither an OPML file nor a urls file with an address a line",
            fix="triage add FILE, if it is a mailbox or holds papers",
        )
    return asyncio.run(_read(body, form))


def merged(reports: Sequence[ImportReport]) -> ImportReport:
    """What several lists came to together; a source that stands in two counts once."""
    added: dict[int, Added] = {}
    for report in reports:
        for one in report.added:
            added.setdefault(one.id, one)
    return ImportReport(tuple(added.values()), tuple(r for report in reports for r in report.refusals))


async def _read(body: bytes, form: Format) -> tuple[list[Subscription], list[Refusal]]:
    async with aclosing(ParserPool()) as parsers:
        return await read_list(body, form, parsers)


def export(database: Database, clock: Clock, form: Format) -> Exported:
    """All sources as a list. OPML has a place for feeds only; a `urls` file names whatever is a source."""
    with database.read() as connection:
        rows = sources.active(connection)
    fit = [row for row in rows if form == "urls" or row.target.startswith(("http://", "https://"))]
    subscriptions = [
        Subscription(
            # A name that the source brings by itself is no business of a `urls` file.
            row.title if form == "opml" else str(row.options.get(NAME, "")),
            row.target,
            tuple(clean_tags(row.tags)),
            {str(key): str(value) for key, value in dict(row.options.get(LIST_OPTION, {})).items()},
        )
        for row in fit
    ]
    text = (
        write_opml(subscriptions, title=TITLE, created=clock())
        if form == "opml"
        else write_urls(subscriptions)
    )
    left_out = tuple(row.title for row in rows if row not in fit)
    return Exported(text, len(subscriptions), left_out)


def write_file(path: Path, text: str) -> None:
    """Puts a file into its place as a whole, readable by its owner only: addresses of feeds can be secrets.

    Raises:
        TriageError: It cannot be written there.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise TriageError(f"cannot write {path}: {error.strerror}") from error
