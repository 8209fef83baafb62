"""Statements on sources: who is due, what a fetch left behind, what the reader has set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from triage.core.polling import Polling, PollState
from triage.core.schedule import LONGEST_PLAN
from triage.store.chunks import chunks
from triage.store.schema import Identity, Item, Source

_COLUMNS = (
    Source.id,
    Source.ingestor,
    Source.kind,
    Source.target,
    Source.title,
    Source.tags,
    Source.allow_local,
    Source.options,
    Source.cursor,
    Source.added_at,
    Source.next_due_at,
    Source.wait_until,
    Source.attempted_at,
    Source.succeeded_at,
    Source.failures,
    Source.last_error,
    Source.paused,
    Source.failing_since,
    Source.polling,
)

_REMOTE = (
    Source.removed_at.is_(None),
    Source.allow_local.is_(False),
    Source.target.not_like("/%"),
)
"""Sources that can only be reached over the internet; the target of a local one is a path."""
NAME = "title"
"""The option with the name that the reader gave to a source; what it calls itself does not replace that."""


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as the services see it."""

    id: int
    ingestor: str
    kind: str
    target: str
    title: str
    tags: list[str]
    allow_local: bool
    options: Mapping[str, Any]
    cursor: Mapping[str, Any]
    added_at: datetime
    next_due_at: datetime
    wait_until: datetime | None
    attempted_at: datetime | None
    succeeded_at: datetime | None
    failures: int
    last_error: str | None
    paused: str | None
    """Why it is not polled."""
    failing_since: datetime | None
    polling: Polling

    @property
    def poll_state(self) -> PollState:
        """What of it is about polling."""
        return PollState(
            next_due_at=self.next_due_at,
            wait_until=self.wait_until,
            failures=self.failures,
            failing_since=self.failing_since,
            paused=self.paused,
            polling=self.polling,
        )


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a source brought in some time, in sums."""

    items: int = 0
    words: int = 0
    cjk_characters: int = 0


def active(connection: Connection) -> list[SourceRow]:
    """Every source that is not removed, by id; those that are paused too."""
    return _rows(connection)


def due(connection: Connection, now: datetime) -> list[SourceRow]:
    """Those whose time has come, by id; also those of a wrong clock, see `triage.core.schedule.is_due`."""
    clock_was_ahead = or_(Source.next_due_at > now + LONGEST_PLAN, Source.attempted_at > now)
    return _rows(connection, Source.paused.is_(None), or_(Source.next_due_at <= now, clock_was_ahead))


def next_due(connection: Connection, now: datetime) -> datetime | None:
    """When the next of the others is due, if there is one."""
    later = select(func.min(Source.next_due_at)).where(
        Source.removed_at.is_(None), Source.paused.is_(None), Source.next_due_at > now
    )
    return connection.execute(later).scalar_one()


def get(connection: Connection, source_id: int) -> SourceRow | None:
    """A source that is not removed."""
    return next(iter(_rows(connection, Source.id == source_id)), None)


def of_items(connection: Connection, item_ids: Sequence[int]) -> dict[int, int]:
    """Item id -> the id of its source; without those that there are not."""
    found: dict[int, int] = {}
    for chunk in chunks(item_ids):
        rows = connection.execute(select(Item.id, Item.source_id).where(Item.id.in_(chunk)))
        found |= {row[0]: row[1] for row in rows}
    return found


def arrivals(connection: Connection, since: datetime) -> dict[int, Arrivals]:
    """Source id -> what came of it since then; stories of a newsletter count as a part of it."""
    rows = connection.execute(
        select(Item.source_id, func.count(), func.sum(Item.words), func.sum(Item.cjk_characters))
        .where(Item.first_seen_at >= since, Item.parent_id.is_(None))
        .group_by(Item.source_id)
    )
    return {row[0]: Arrivals(*row[1:]) for row in rows}


def _rows(connection: Connection, *conditions: ColumnElement[bool]) -> list[SourceRow]:
    rows = connection.execute(
        select(*_COLUMNS).where(Source.removed_at.is_(None), *conditions).order_by(Source.id)
    )
    return [SourceRow(**{**row._mapping, "polling": _polling(row.polling)}) for row in rows]


def item_counts(connection: Connection) -> dict[int, int]:
    """Source id -> number of stored items."""
    rows = connection.execute(select(Item.source_id, func.count()).group_by(Item.source_id))
    return {row[0]: row[1] for row in rows}


def add(
    connection: Connection,
    *,
    ingestor: str,
    kind: str,
    target: str,
    title: str,
    tags: list[str],
    allow_local: bool,
    now: datetime,
    options: Mapping[str, Any] | None = None,
) -> tuple[int, bool]:
    """Adds a source, or brings back a removed one; a known one gains the new tags and options.

    A source that may contact local addresses from now on is due at once.

    Returns:
        Its id, and whether anything is new: the source, its return, or that permission.
    """
    options = dict(options or {})
    known = connection.execute(
        select(
            Source.id,
            Source.title,
            Source.tags,
            Source.options,
            Source.paused,
            Source.removed_at,
            Source.allow_local,
            Source.next_due_at,
        ).where(Source.ingestor == ingestor, Source.target == target)
    ).first()
    if known is None:
        result = connection.execute(
            insert(Source)
            .values(
                ingestor=ingestor,
                kind=kind,
                target=target,
                title=title,
                tags=tags,
                allow_local=allow_local,
                options=options,
                polling={},
                cursor={},
                added_at=now,
                next_due_at=now,
                failures=0,
            )
            .returning(Source.id)
        )
        return int(result.scalar_one()), True
    permitted = allow_local and not known.allow_local
    returns = known.removed_at is not None
    connection.execute(
        update(Source)
        .where(Source.id == known.id)
        .values(
            title=options.get(NAME, known.title),
            tags=list(dict.fromkeys([*known.tags, *tags])),
            options={**known.options, **options},
            paused=None if returns else known.paused,
            removed_at=None,
            allow_local=known.allow_local or allow_local,
            next_due_at=now if permitted else known.next_due_at,
        )
    )
    return int(known.id), returns or permitted


def change(
    connection: Connection,
    source_id: int,
    *,
    target: str | None = None,
    title: str | None = None,
    tags: list[str] | None = None,
    options: Mapping[str, Any] | None = None,
    allow_local: bool | None = None,
) -> None:
    """Writes what the reader has set; None leaves a thing as it is.

    With another target the cursor goes: the validators of one document say nothing about another.
    """
    values: dict[str, Any] = {"title": title, "tags": tags, "allow_local": allow_local}
    values["options"] = None if options is None else dict(options)
    if target is not None:
        values |= {"target": target, "cursor": {}, "failures": 0, "polling": {}}
    values = {name: value for name, value in values.items() if value is not None}
    if values:
        connection.execute(update(Source).where(Source.id == source_id).values(values))


def pause(connection: Connection, source_id: int, reason: str) -> None:
    """Stops polling a source until it is resumed; `reason` is shown to the reader."""
    connection.execute(update(Source).where(Source.id == source_id).values(paused=reason))


def resume(connection: Connection, source_id: int, now: datetime) -> None:
    """Polls a source again, from now on and as if it had never failed; Retry-After still holds."""
    taught = connection.execute(select(Source.polling).where(Source.id == source_id)).scalar_one()
    state = PollState(next_due_at=now, polling=_polling(taught).forgiven())
    values = _values(state)
    del values["wait_until"]
    connection.execute(update(Source).where(Source.id == source_id).values(values))


def have_due(connection: Connection, source_id: int, now: datetime) -> None:
    """Has a source asked in the next round: its server says that there are news."""
    later = (Source.id == source_id, Source.next_due_at > now)
    connection.execute(update(Source).where(*later).values(next_due_at=now))


def remove(connection: Connection, source_id: int, now: datetime) -> None:
    """Stops polling a source; everything it brought stays."""
    connection.execute(update(Source).where(Source.id == source_id).values(removed_at=now))


def _new(name: str) -> BindParameter[Any]:
    return bindparam(f"new_{name}", type_=Source.__table__.c[name].type)


_WRITTEN = (
    *("next_due_at", "wait_until", "failures", "failing_since", "paused", "polling"),
    *("cursor", "attempted_at", "succeeded_at", "last_error"),
)
# Built once: when nothing has changed anywhere, making this statement would be most of storing that.
_SUCCESS = (
    update(Source)
    .where(Source.id == bindparam("source_id"))
    .values(
        **{name: _new(name) for name in _WRITTEN},
        title=func.coalesce(Source.options[NAME].as_string(), _new("title"), Source.title),
    )
)


def record_success(
    connection: Connection,
    source: SourceRow,
    *,
    cursor: Mapping[str, Any],
    title: str | None,
    now: datetime,
    state: PollState,
    note: str | None,
) -> None:
    """After a fetch: in the same transaction as the items it brought. `note` names refused documents.

    `title` is what the source calls itself; a name that the reader gave stays. A source that has moved is
    found under its new target from now on.
    """
    values = {
        **_values(state),
        "cursor": dict(cursor),
        "attempted_at": now,
        "succeeded_at": now,
        "last_error": note,
        "title": title or None,
    }
    connection.execute(
        _SUCCESS, {"source_id": source.id, **{f"new_{name}": value for name, value in values.items()}}
    )
    if target := state.polling.moved_to(now):
        _move(connection, source, target, state.polling, now)


def record_failure(
    connection: Connection, source_id: int, *, error: str, now: datetime, state: PollState
) -> None:
    """After a fetch that failed: cursor and validators stay as they were."""
    values = {**_values(state), "attempted_at": now, "last_error": error}
    connection.execute(update(Source).where(Source.id == source_id).values(values))


def last_answer(connection: Connection, now: datetime) -> datetime | None:
    """When any remote source last answered, by a clock that was not ahead of `now`."""
    answered = select(func.max(Source.succeeded_at)).where(*_REMOTE, Source.succeeded_at <= now)
    return connection.execute(answered).scalar_one()


def silent(connection: Connection, last: datetime, started: datetime, now: datetime) -> list[int]:
    """Ids of sources that began to fail after `last`, without any answer, and were asked before `started`."""
    rows = connection.execute(
        select(Source.id).where(
            *_REMOTE,
            Source.paused.is_(None),
            Source.failures > 0,
            Source.failing_since > last,
            Source.attempted_at < started,
            Source.polling["refusal"].as_string().is_(None),
            or_(Source.wait_until.is_(None), Source.wait_until <= now),
        )
    )
    return list(rows.scalars())


def recall(connection: Connection, source_ids: Sequence[int], now: datetime) -> None:
    """Has sources asked at once, as if they had never failed."""
    values = {"next_due_at": now, "failures": 0, "failing_since": None}
    for chunk in chunks(source_ids):
        connection.execute(update(Source).where(Source.id.in_(chunk)).values(values))


def postpone(connection: Connection, source_id: int, state: PollState) -> None:
    """After a fetch in which nothing was asked."""
    connection.execute(update(Source).where(Source.id == source_id).values(_values(state)))


def _polling(stored: Mapping[str, Any]) -> Polling:
    return msgspec.convert(stored, Polling)


def _values(state: PollState) -> dict[str, Any]:
    return {
        "next_due_at": state.next_due_at,
        "wait_until": state.wait_until,
        "failures": state.failures,
        "failing_since": state.failing_since,
        "paused": state.paused,
        "polling": msgspec.to_builtins(state.polling),
    }


def _move(connection: Connection, source: SourceRow, target: str, polling: Polling, now: datetime) -> None:
    """Gives a source its new target, or makes it one with the source that has that target already."""
    moved = msgspec.to_builtins(polling.moved(source.target))
    mine = update(Source).where(Source.id == source.id)
    known = connection.execute(
        select(Source.id, Source.tags, Source.options, Source.allow_local, Source.succeeded_at).where(
            Source.ingestor == source.ingestor, Source.target == target, Source.id != source.id
        )
    ).first()
    if known is None:
        connection.execute(mine.values(target=target, polling=moved))
        return
    values: dict[str, Any] = {
        "tags": list(dict.fromkeys([*known.tags, *source.tags])),
        "options": {**source.options, **known.options},
        "allow_local": known.allow_local or source.allow_local,
        "removed_at": None,
        "paused": None,
    }
    if known.succeeded_at is None:
        # Never read itself: what this source knows of the page is what there is to know.
        row = select(Source.cursor, Source.succeeded_at, Source.next_due_at).where(Source.id == source.id)
        values |= connection.execute(row).one()._mapping
    connection.execute(update(Source).where(Source.id == known.id).values(values))
    theirs = select(Item.key).where(Item.source_id == known.id)
    connection.execute(
        update(Item).where(Item.source_id == source.id, Item.key.not_in(theirs)).values(source_id=known.id)
    )
    named = select(Identity.name).where(Identity.scope == known.id)
    connection.execute(
        update(Identity)
        .where(Identity.scope == source.id, Identity.name.not_in(named))
        .values(scope=known.id)
    )
    # What both have under one key stays with the old one, which is not polled any more: nothing is lost.
    connection.execute(mine.values(removed_at=now, polling=moved))
