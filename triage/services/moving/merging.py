"""An export of another machine, merged into what is here: all of it or nothing.

Owns what each line means here. What is known already stays as it is, so that the same file twice adds
nothing; events take the place in the log that they have where they were said.
`triage.services.moving.received` has checked everything before the transaction begins.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, get_args

from sqlalchemy import Connection

from ingestors.base import Entry, Flag
from model.types import ModelError
from triage.config import Clock
from triage.core import interest_sheet, words
from triage.core.errors import TriageError, UsageError
from triage.core.journal import Effect
from triage.core.length import measure
from triage.core.portable import event_names
from triage.core.text import sanitize_line, sanitize_text
from triage.services.fetching.sources import LIST_OPTION, MAX_TITLE, clean_tags
from triage.services.fetching.translate import MAX_TEXT, names_of, new_item, safe_url
from triage.services.moving import archive, received
from triage.services.moving.archive import ItemLine, ModelLine, ShownLine
from triage.services.moving.received import Received
from triage.services.ranker.models import Models
from triage.store import effects, identities, items, portable, search, sources
from triage.store import feedback as event_log
from triage.store import fulltext as full_texts
from triage.store.engine import Database
from triage.store.items import NewItem

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, how much is done, how much there is)."""
FLAGS: tuple[Flag, ...] = get_args(Flag)


@dataclass(slots=True)
class Merged:
    """What an import added, and what it could not take as it was."""

    sources: int = 0
    items: int = 0
    events: int = 0
    models: int = 0
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """`2 sources, 40 items and 12 events imported`."""
        counts = ((self.sources, "source"), (self.items, "item"), (self.events, "event"))
        found = [words.plural(count, noun) for count, noun in counts if count]
        found += [words.plural(self.models, "version") + " of the model"] if self.models else []
        if not found:
            return "nothing new: all of it is here already"
        return f"{', '.join(found[:-1])} and {found[-1]} imported" if found[1:] else f"{found[0]} imported"


def merge(
    database: Database,
    models: Models,
    clock: Clock,
    body: bytes,
    name: str,
    on_progress: Progress | None = None,
) -> Merged:
    """Merges an export.

    Args:
        database: Where it goes.
        models: Where versions of the model go.
        clock: The present.
        body: The file.
        name: Of the file, for errors.
        on_progress: Called as items are stored.

    Raises:
        UsageError: A line cannot be used; nothing was imported.
        TriageError: The model cannot be stored; nothing was imported.
    """
    if len(body) > archive.MAX_FILE:
        raise UsageError(f"{name} is larger than {archive.MAX_FILE // 2**20} MiB, which is all that is read")
    now = clock()
    given = received.read(body, name, now)
    merged = Merged()
    with database.write() as connection:
        source_ids = _add_sources(connection, given, merged, now)
        item_ids = _add_items(connection, given, source_ids, merged, on_progress)
        _add_events(connection, given, item_ids, merged)
        _add_wishes(connection, given, merged, now)
        # Inside, because a failure takes everything else back. Nothing is computed, small files are written.
        _add_models(models, given, merged)
    return merged


def _add_sources(
    connection: Connection, given: Received, merged: Merged, now: datetime
) -> dict[tuple[str, str], int]:
    """Adds the sources that are new; (ingestor, target) -> id of all of them."""
    here = {(s.ingestor, s.target): s for s in portable.all_sources(connection).values()}
    ids = {}
    for key, line in given.sources.items():
        subscribed = line.subscribed and key in given.claimed
        known = here.get(key)
        if line.subscribed and not subscribed and known is None:
            merged.notes.append(f"nothing here can read {line.target}: its items are kept, it is not asked")
        if known is not None and (known.subscribed or not subscribed):
            ids[key] = known.id
            continue
        ids[key], _ = sources.add(
            connection,
            ingestor=line.ingestor,
            kind=line.type,
            target=line.target,
            title=sanitize_line(line.title, MAX_TITLE),
            tags=clean_tags(line.tags),
            allow_local=False,
            options=_clean_settings(line.settings),
            now=now,
        )
        if not subscribed:
            sources.remove(connection, ids[key], now)
        elif line.paused is not None:
            sources.pause(connection, ids[key], sanitize_line(line.paused, MAX_TITLE))
        merged.sources += subscribed
    return ids


def _clean_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    clean = dict(given)
    if sources.NAME in clean:
        clean[sources.NAME] = sanitize_line(clean[sources.NAME], MAX_TITLE)
    if LIST_OPTION in clean:
        clean[LIST_OPTION] = {sanitize_line(k): sanitize_line(v) for k, v in clean[LIST_OPTION].items()}
    return clean


def _add_items(
    connection: Connection,
    given: Received,
    source_ids: Mapping[tuple[str, str], int],
    merged: Merged,
    on_progress: Progress | None,
) -> dict[str, int]:
    """Stores the items that are new, as first seen when they were; name -> id of all of them."""
    ids: dict[str, int] = {}
    titles = {source.id: source.title for source in portable.all_sources(connection).values()}
    parents: dict[int, str] = {}
    added: set[int] = set()
    for done, (name, line) in enumerate(given.items.items()):
        if on_progress is not None:
            on_progress("importing items", done, len(given.items))
        source_id = source_ids[line.ingestor, line.target]
        item = _new_item(line)
        known = _known(connection, source_id, item, added)
        if known is not None:
            ids[name] = known
            continue
        ids[name] = _add_item(connection, source_id, titles[source_id], item, line)
        added.add(ids[name])
        if line.parent is not None:
            parents[ids[name]] = line.parent
        merged.items += 1
    items.set_parents(connection, {part: ids[whole] for part, whole in parents.items() if whole in ids})
    return ids


def _new_item(line: ItemLine) -> NewItem:
    """As the source served it, sanitised like everything that is fetched."""
    served = line.text if line.full_text is None else line.full_text.served
    entry = Entry(
        key=line.key,
        title=line.title,
        text=served,
        url=line.url,
        people=tuple(line.people),
        tags=tuple(line.tags),
        identifiers=dict(line.identifiers),
        links=tuple(line.links),
        personal=line.personal,
        flags=frozenset(flag for flag in FLAGS if flag in line.flags),
        published=line.published,
    )
    return new_item(entry, line.type, line.first_seen)


def _known(connection: Connection, source_id: int, item: NewItem, added: Container[int]) -> int | None:
    """The item here that is the same, under any of its names.

    None of those `added` from the same file: where they came from they were told apart, whatever they share.
    """
    named = names_of(item)
    for scope, names in ((source_id, named.own), (identities.SHARED, named.shared)):
        found = identities.lookup(connection, scope, names)
        for name in names:
            if name in found and found[name].id not in added:
                return found[name].id
    return portable.item_of_key(connection, source_id, item.key)


def _add_item(connection: Connection, source_id: int, source: str, item: NewItem, line: ItemLine) -> int:
    named = names_of(item)
    (item_id,) = items.insert_new(connection, source_id, [item], line.first_seen.astimezone(UTC))
    identities.add(connection, source_id, dict.fromkeys(named.own, item_id))
    identities.add(connection, identities.SHARED, dict.fromkeys(named.shared, item_id))
    search.index(connection, [search.SearchRow(item_id, item.title, item.text, item.people, source)])
    if line.full_text is not None:
        row = full_texts.rows(connection, [item_id])[item_id]
        text = sanitize_text(line.text, MAX_TEXT)
        count, cjk_characters = measure(text)
        full_texts.exchange_text(connection, row, text, words=count, cjk_characters=cjk_characters)
        full_texts.record_text(
            connection,
            item_id,
            missing=None,
            tried_at=line.first_seen.astimezone(UTC),
            found_at=safe_url(line.full_text.url),
            served=item.text,
        )
    return item_id


def _add_events(connection: Connection, given: Received, item_ids: Mapping[str, int], merged: Merged) -> None:
    here = event_names(event_log.events(connection))
    ids = {name: event_id for event_id, name in here.items()}
    added: dict[int, Effect] = {}
    for name, line in sorted(given.events.items(), key=lambda pair: (pair[1].stamp, pair[0])):
        if name in ids:
            continue
        event = received.event(
            line,
            item_id=None if line.item is None else item_ids[line.item],
            undoes=None if line.undoes is None else ids[line.undoes],
            step=None if line.step is None or line.step == name else ids[line.step],
        )
        shown = {} if line.shown is None else _plain(line.shown)
        ids[name] = portable.add_event(connection, event, shown, opens_step=line.step == name)
        if line.effect is not None:
            added[ids[name]] = Effect(line.effect.moved, line.effect.size, line.effect.together)
        merged.events += 1
    effects.add(connection, added)


def _plain(shown: ShownLine) -> dict[str, Any]:
    return {name: value for name in shown.__struct_fields__ if (value := getattr(shown, name)) is not None}


def _add_wishes(connection: Connection, given: Received, merged: Merged, now: datetime) -> None:
    """Says what does not hold yet."""
    log = event_log.events(connection)
    held = set(interest_sheet.current(log, now))
    for wish in given.wishes:
        until = wish.term if isinstance(wish.term, datetime) else None
        if wish in held or (until is not None and until <= now):
            continue
        event_log.append(
            connection,
            verb=wish.verb,
            at=now,
            phrase=wish.phrase,
            weight=wish.weight,
            until=until,
            scope=wish.profile,
        )
        merged.events += 1


def _add_models(models: Models, given: Received, merged: Merged) -> None:
    if not given.models:
        return
    here = {version.id for version in models.history()}
    new: Sequence[ModelLine] = [line for line in given.models if line.id not in here]
    current = next((line.id for line in given.models if line.current), None)
    try:
        ranks = models.take_in([(line.id, line.document, line.tensors) for line in new], current)
    except ModelError as error:
        raise TriageError(str(error)) from error
    merged.models = len(new)
    if current is not None and not ranks:
        merged.notes.append(
            "the model that was learned here goes on ranking: triage learn --history has both"
        )
