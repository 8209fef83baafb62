"""The sources of a reader: added unseen, listed, named, tagged, paused, removed."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection

from ingestors import registry
from ingestors.base import Claim, Kind
from triage.config import Clock
from triage.core.errors import UsageError
from triage.core.feedback import Event, effective, states
from triage.core.text import sanitize_line, without_password
from triage.core.verbs import Verb
from triage.store import feedback, sources
from triage.store.engine import Database
from triage.store.sources import SourceRow

MAX_TITLE = 200
MAX_TAG = 100
MAX_TARGET = 4096
"""Characters of a URL or path: no more of either is of use anywhere."""
KEPT_FOR = timedelta(days=90)
KEEPING = (Verb.LIKE, Verb.LOVE, Verb.SAVE, Verb.LATER)
"""The marks that say that an item was worth having."""
BY_READER = "you paused it"
LIST_OPTION = "opml"
"""The option with what a subscription list said of a source beyond what is read."""


@dataclass(frozen=True, slots=True)
class Added:
    """One source that was added; `new` is False if it was there already."""

    id: int
    title: str
    target: str
    kind: str
    new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceView:
    """A source as a listing shows it; its fields are those of `triage sources --json`."""

    id: int
    kind: Kind
    ingestor: str
    title: str
    target: str
    tags: tuple[str, ...]
    items: int
    keeps: int
    """Items of it that were liked, loved, saved or kept for later in the last `KEPT_FOR`."""
    added: datetime
    last_success: datetime | None
    last_attempt: datetime | None
    last_error: str | None
    """In words; with `failures` 0 it is a note on documents that were refused."""
    failures: int
    failing_since: datetime | None
    next_try: datetime
    wait_until: datetime | None
    paused: str | None
    former: tuple[str, ...]
    """Its targets before it moved, the latest last."""
    allow_local: bool
    settings: Mapping[str, Any]


def claim_target(target: str) -> Claim:
    """Who reads `target`, as a reader typed it.

    Raises:
        UsageError: Nothing that is installed can read it, or it cannot be stored.
    """
    try:
        target.encode()
    except UnicodeEncodeError as error:  # bytes of the command line that are no UTF-8
        raise UsageError(
            f"{target!r} is not UTF-8, so it cannot be stored", fix="rename it, or make a link to it"
        ) from error
    if len(target) > MAX_TARGET:
        raise UsageError(f"a source of {len(target)} characters is longer than any that can be read")
    if any(unicodedata.category(char) == "Cc" for char in target):
        raise UsageError(f"{target!r} holds control characters", fix="write the address without them")
    if (shown := without_password(target)) != target:
        raise UsageError(
            f"the password in {shown} would be stored, shown to everybody on this machine and exported",
            fix="leave it out, and use --password-command 'pass show it' or --password-env NAME",
        )
    claim = registry.claim(target)
    if claim is None:
        missing = "" if ":" in target or Path(target).exists() else ", and there is no file of that name"
        fix = "the URL of a site, feed or mailbox, the path of a mailbox or list of feeds, or arxiv:cs.IR"
        if missing and "@" in target:
            fix = "imaps://NAME@SERVER/INBOX, if it is a mailbox; its provider says what SERVER is"
        raise UsageError(f"nothing here can read {target!r}{missing}", fix=fix)
    return claim


def add(
    database: Database,
    clock: Clock,
    target: str,
    *,
    allow_local: bool,
    title: str | None = None,
    tags: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Added:
    """Adds a source without looking at it.

    Args:
        database: Where it goes.
        clock: The present.
        target: A feed, a mailbox, a paper category: whatever an ingestor claims.
        allow_local: Whether it may be on loopback and private addresses.
        title: A name that outlives what the source calls itself.
        tags: Its tags.
        options: What is set for it, as `source_settings.read` makes it.

    Raises:
        UsageError: Nothing that is installed can read it.
    """
    claim = claim_target(target)
    with database.write() as connection:
        return add_claimed(
            connection,
            claim,
            clock(),
            allow_local=allow_local,
            title=title,
            tags=tags,
            options=options,
        )


def add_claimed(
    connection: Connection,
    claim: Claim,
    now: datetime,
    *,
    allow_local: bool,
    title: str | None = None,
    tags: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
) -> Added:
    """`add`, inside of a write and after a claim."""
    name = sanitize_line(title or "", MAX_TITLE)
    given = {sources.NAME: name} if name else {}
    source_id, new = sources.add(
        connection,
        ingestor=claim.ingestor,
        kind=claim.kind,
        target=claim.target,
        title=name or sanitize_line(claim.title, MAX_TITLE),
        tags=clean_tags(tags),
        allow_local=allow_local,
        options={**(options or {}), **given},
        now=now,
    )
    row = sources.get(connection, source_id)
    assert row is not None
    return Added(source_id, row.title, claim.target, claim.kind, new)


def is_known(database: Database, claim: Claim) -> bool:
    """Whether this is a source already, so that nobody need be asked what it is."""
    with database.read() as connection:
        return (claim.ingestor, claim.target) in {
            (row.ingestor, row.target) for row in sources.active(connection)
        }


def listing(database: Database, now: datetime) -> list[SourceView]:
    """Every source that is not removed, with how it fares and what it was worth."""
    with database.read() as connection:
        rows = sources.active(connection)
        counts = sources.item_counts(connection)
        kept_ids = kept(feedback.events(connection), now - KEPT_FOR)
        keeps = Counter(sources.of_items(connection, list(kept_ids)).values())
    return [_view(row, counts.get(row.id, 0), keeps[row.id]) for row in rows]


def _view(row: SourceRow, items: int, keeps: int) -> SourceView:
    hidden = (sources.NAME, LIST_OPTION)
    return SourceView(
        id=row.id,
        kind=cast("Kind", row.kind),
        ingestor=row.ingestor,
        title=row.title,
        target=row.target,
        tags=tuple(row.tags),
        items=items,
        keeps=keeps,
        added=row.added_at,
        last_success=row.succeeded_at,
        last_attempt=row.attempted_at,
        last_error=row.last_error,
        failures=row.failures,
        failing_since=row.failing_since,
        next_try=row.next_due_at,
        wait_until=row.wait_until,
        paused=row.paused,
        former=row.polling.former,
        allow_local=row.allow_local,
        settings={name: value for name, value in row.options.items() if name not in hidden},
    )


def kept(log: Iterable[Event], since: datetime) -> dict[int, datetime]:
    """Item id -> when the reader last spoke of it, where that was since then and a mark keeps it."""
    events = list(log)
    said = {event.item_id: event.at for event in effective(events) if event.item_id is not None}
    kept_ids = (item_id for item_id, state in states(events).items() if state in KEEPING)
    return {item_id: said[item_id] for item_id in kept_ids if said[item_id] > since}


def find(views: list[SourceView], text: str) -> SourceView:
    """The source that `text` means: its id, its target, its name, or a part of its name that no other has.

    Raises:
        UsageError: There is none, or more than one.
    """
    if text.isascii() and text.isdigit():
        found = [view for view in views if str(view.id) == text]
        if not found:
            raise UsageError(f"there is no source {text}", fix="triage sources")
        return found[0]
    wanted = text.casefold()
    exact = [view for view in views if wanted in (view.title.casefold(), view.target.casefold())]
    found = exact or [view for view in views if wanted and wanted in view.title.casefold()]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(f"there is no source {text!r}", fix="triage sources")
    named = ", ".join(f"{view.id} {view.title}" for view in found[:5])
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    raise UsageError(f"{text!r} may be {named}{more}", fix="say which by its number")


def named(views: list[SourceView], text: str) -> SourceView | None:
    """`find`, where `text` may also be no source at all, but something that could become one."""
    target = None if text.isdigit() else registry.claim(text)
    if target is not None:
        return next((v for v in views if (v.ingestor, v.target) == (target.ingestor, target.target)), None)
    return find(views, text)


def remove(database: Database, clock: Clock, source_id: int) -> None:
    """Stops polling a source; its items and marks stay."""
    with database.write() as connection:
        sources.remove(connection, source_id, clock())


def rename(database: Database, source: SourceView, title: str) -> str:
    """Gives a source a name that outlives what it calls itself; an empty one lets it name itself again.

    Returns:
        The name that it has now.
    """
    name = sanitize_line(title, MAX_TITLE)
    with database.write() as connection:
        row = sources.get(connection, source.id)
        if row is None:
            raise UsageError(f"there is no source {source.id}", fix="triage sources")
        options = {key: value for key, value in row.options.items() if key != sources.NAME}
        if name:
            options[sources.NAME] = name
        sources.change(connection, source.id, title=name or None, options=options)
    return name or source.title


def retag(
    database: Database, source: SourceView, add: Iterable[str], remove: Iterable[str]
) -> tuple[str, ...]:
    """Adds and removes tags; returns those that it has now."""
    gone = {tag.casefold() for tag in clean_tags(remove)}
    tags = [tag for tag in dict.fromkeys([*source.tags, *clean_tags(add)]) if tag.casefold() not in gone]
    with database.write() as connection:
        sources.change(connection, source.id, tags=tags)
    return tuple(tags)


def pause(database: Database, source_id: int, reason: str) -> None:
    """Stops polling a source until it is resumed."""
    with database.write() as connection:
        sources.pause(connection, source_id, sanitize_line(reason, MAX_TITLE))


def resume(database: Database, clock: Clock, source_id: int) -> None:
    """Polls a source again, from now on."""
    with database.write() as connection:
        sources.resume(connection, source_id, clock())


def set_options(database: Database, source: SourceView, changes: Mapping[str, Any]) -> None:
    """Writes what `source_settings.read` made of a reader's words; None takes a setting back."""
    with database.write() as connection:
        row = sources.get(connection, source.id)
        if row is None:
            raise UsageError(f"there is no source {source.id}", fix="triage sources")
        merged = {**row.options, **{name: v for name, v in changes.items() if name != "allow_local"}}
        sources.change(
            connection,
            source.id,
            options={name: value for name, value in merged.items() if value is not None},
            allow_local=bool(changes["allow_local"]) if "allow_local" in changes else None,
        )


def clean_tags(tags: Iterable[str]) -> list[str]:
    """Tags as they are stored: one line each, without commas, which part them in lists; none twice."""
    clean = (sanitize_line(tag.replace(",", " "), MAX_TAG).strip("/ ") for tag in tags)
    return list(dict.fromkeys(tag for tag in clean if tag))
