"""What the reader has said and what came of it, as lines that another machine can take in.

Owns what goes into an export and in which order; the form of a line is `triage.services.moving.archive`'s.
Secrets and how they are found are left out: a file must not be able to make another machine run a command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection

from model import artifacts
from model.artifacts import ArtifactError
from triage.core import feedback
from triage.core.errors import TriageError
from triage.core.feedback import Event
from triage.core.journal import Effect
from triage.core.portable import event_names, item_name
from triage.services.fetching.sources import LIST_OPTION
from triage.services.moving import archive
from triage.services.moving.archive import (
    AliasLine,
    EffectLine,
    EventLine,
    FullTextLine,
    Header,
    InterestLine,
    ItemLine,
    Line,
    ModelLine,
    RuleLine,
    ShownLine,
    SourceLine,
)
from triage.services.ranker.models import Models
from triage.store import effects, portable, sources
from triage.store import feedback as event_log
from triage.store.engine import Database
from triage.store.portable import PortableItem, PortableSource

What = Literal["events", "interests", "rules", "model", "all"]
WHAT: tuple[What, ...] = get_args(What)
PORTABLE = (
    *("full_text", "interval_minutes", "days", "sent", "addresses", "folders"),
    *(sources.NAME, LIST_OPTION),
)
"""The settings of a source that are exported. Where a password is found is not, nor what may be asked on a
private network: whoever wrote the file would decide which command runs here and who is asked."""
MAX_ITEMS = 20_000


def export(
    database: Database, models: Models, what: What, now: datetime, window: timedelta
) -> Iterator[bytes]:
    """The lines of an export.

    Args:
        database: What is exported.
        models: The versions that were learned.
        what: Events come with the items that they are about; `all` is events, every source, the items that
            the digest is made from, and the model.
        now: The present.
        window: How far back the digest looks.
    """
    yield archive.encode(Header(version=archive.VERSION, written=now, holds=what))
    with database.read() as connection:
        log = event_log.events(connection)
        if what == "interests":
            yield from map(archive.encode, _interests(log, now))
        elif what == "rules":
            yield from map(archive.encode, _rules(log, now))
        elif what != "model":
            since = now - window if what == "all" else None
            yield from map(archive.encode, _history(connection, log, since))
    if what in ("model", "all"):
        yield from map(archive.encode, _models(models))


def left_behind(database: Database) -> list[str]:
    """The sources with settings that are not exported, each with their names."""
    with database.read() as connection:
        rows = sources.active(connection)
    found = []
    for row in rows:
        _, names = archive.portable_settings(row.options, PORTABLE)
        names += ["allow_local"] if row.allow_local else []
        if names:
            found.append(f"{row.title}: {', '.join(names)}")
    return found


def _interests(log: list[Event], now: datetime) -> Iterator[Line]:
    for said in feedback.active_interests(log, now):
        yield InterestLine(phrase=said.phrase, weight=said.weight, profile=said.profile, until=said.until)


def _rules(log: list[Event], now: datetime) -> Iterator[Line]:
    for condition, rule in feedback.active_rules(log, now).items():
        yield RuleLine(condition=condition, effect=rule.effect, until=rule.until)
    for phrase in feedback.aliases(log):
        yield AliasLine(phrase=phrase)


def _history(connection: Connection, log: list[Event], since: datetime | None) -> Iterator[Line]:
    """The log with the items in it; from a moment on, all other items and all sources as well."""
    about = {event.item_id for event in log if event.item_id is not None}
    recent = [] if since is None else portable.ids_since(connection, since, MAX_ITEMS)
    ids = sorted(about.union(recent))
    known = portable.all_sources(connection)
    used = {item.source_id for item in portable.whole_items(connection, ids)}
    for source in known.values():
        if since is not None or source.id in used:
            yield _source(source, subscribed=source.subscribed and since is not None)
    names = portable.names_of_items(connection, ids)
    for item in portable.whole_items(connection, ids):
        yield _item(item, known[item.source_id], names)
    yield from _events(connection, log, names)


def _source(source: PortableSource, *, subscribed: bool) -> SourceLine:
    kept, _ = archive.portable_settings(source.options, PORTABLE)
    return SourceLine(
        ingestor=source.ingestor,
        type=source.kind,  # type: ignore[arg-type] # a text in the database
        target=source.target,
        title=source.title,
        tags=source.tags,
        settings=kept,
        paused=source.paused if subscribed else None,
        subscribed=subscribed,
    )


def _item(item: PortableItem, source: PortableSource, names: Mapping[int, str]) -> ItemLine:
    served = None if item.served is None else FullTextLine(served=item.served, url=item.found_at)
    return ItemLine(
        name=item_name(source.ingestor, source.target, item.key),
        ingestor=source.ingestor,
        target=source.target,
        key=item.key,
        type=item.kind,  # type: ignore[arg-type] # a text in the database
        title=item.title,
        text=item.text,
        url=item.url,
        people=item.people,
        tags=item.tags,
        identifiers=dict(item.identifiers),
        links=[(str(words), str(url)) for words, url in item.links or ()],
        personal=item.personal,
        flags=item.flags,
        parent=None if item.parent_id is None else names.get(item.parent_id),
        published=item.published_at,
        first_seen=item.first_seen_at,
        full_text=served,
    )


def _events(connection: Connection, log: list[Event], items: Mapping[int, str]) -> Iterator[Line]:
    names = event_names(log)
    shown = portable.shown_with(connection)
    known = effects.of_events(connection)
    by_id = {event.id: event for event in log}
    for event_id, name in names.items():
        event = by_id[event_id]
        yield EventLine(
            name=name,
            stamp=event.stamp,
            at=event.at,
            verb=event.verb,
            item=None if event.item_id is None else items[event.item_id],
            undoes=None if event.undoes is None else names[event.undoes],
            phrase=event.phrase,
            weight=event.weight,
            standing=event.standing,
            model=event.model,
            until=event.until,
            scope=event.scope,
            step=None if event.step is None else names[event.step],
            shown=_shown(shown[event_id]),
            effect=_effect(known.get(event_id)),
        )


def _shown(stored: Mapping[str, Any]) -> ShownLine | None:
    """Without the ids of this database."""
    kept = {name: stored[name] for name in ShownLine.__struct_fields__ if stored.get(name) is not None}
    return ShownLine(**kept) if kept else None


def _effect(stored: Effect | None) -> EffectLine | None:
    if stored is None:
        return None
    return EffectLine(moved=stored.moved, size=stored.size, together=stored.together)


def _models(models: Models) -> Iterator[Line]:
    """Every version that can be read, oldest first, so that a parent comes before its child."""
    for version in reversed(models.history()):
        if version.problem is None:
            try:
                document, tensors = artifacts.content(models.folder / version.id)
            except ArtifactError as error:
                raise TriageError(str(error)) from error
            yield ModelLine(id=version.id, current=version.current, document=document, tensors=tensors)
