"""Finding items: by words, by meaning, or both; and the searches that a reader keeps.

Owns the order of what is found. Needs no numbers: meaning is looked up by the model worker, which says what
is near (`triage.services.ranker.meaning`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from triage.config import Clock
from triage.core import feedback
from triage.core import query as language
from triage.core.errors import UsageError
from triage.core.feedback import Event
from triage.core.hits import Hits
from triage.core.items import Item, Recorded
from triage.core.query import Query
from triage.core.verbs import Verb
from triage.services.reader import folding, reading
from triage.services.reader.feedback import in_words
from triage.store import feedback as event_log
from triage.store import items, openings, search
from triage.store.engine import Database

LIMIT = 200
"""Items that a search shows."""
STEADY = 60
"""k of reciprocal rank fusion: each list gives 1 / (k + rank) to what it holds. G. Cormack, C. Clarke and
S. Büttcher, Reciprocal Rank Fusion outperforms Condorcet and individual rank learning methods, SIGIR 2009."""
EVERYTHING = 2**31
"""No limit."""

_MARKS: dict[str, tuple[Verb, ...]] = {
    "liked": (Verb.LIKE, Verb.LOVE),
    "loved": (Verb.LOVE,),
    "disliked": (Verb.DISLIKE,),
    "saved": (Verb.SAVE,),
    "later": (Verb.LATER,),
}


def find(
    database: Database,
    clock: Clock,
    text: str,
    limit: int = LIMIT,
    near: Sequence[tuple[int, float]] = (),
) -> list[Item]:
    """What a search is for, best match first, with the passages that say so as highlights.

    Args:
        database: Where to look.
        clock: What ages in the search are counted from.
        text: As typed; see `triage.core.query`.
        limit: The most items.
        near: What is near in meaning, as `triage.services.ranker.worker_client.ModelWorker.nearest` says.

    Raises:
        UsageError: There is no such search; the message quotes the mistake.
    """
    with database.read() as connection:
        events = event_log.events(connection)
        query = language.parse(text, feedback.saved_searches(events))
        now = clock()
        ids = search.find(connection, query, now, limit, marked=_marked(connection, events, query))
        ids = _fused(connection, query, ids, [item_id for item_id, _ in near])[:limit]
        rows = items.by_ids(connection, ids)
        texts = items.texts(connection, ids) if query.wanted else {}
    hits = Hits(query)
    found = reading.as_shown(database, [rows[i] for i in ids if i in rows])
    return [dataclasses.replace(item, highlights=hits.passages(texts.get(item.id, ""))) for item in found]


def is_empty(database: Database) -> bool:
    """Whether there is nothing to search."""
    with database.read() as connection:
        return items.latest_first_seen(connection) is None  # by its index; counting would read all of it


def expanded(database: Database, text: str) -> str:
    """A search with saved ones in the place of their names, for who does not know them; raises UsageError."""
    return language.expand(text, saved(database))


def understood(database: Database, text: str) -> Query:
    """What a search asks for; raises UsageError."""
    return language.parse(text, saved(database))


def narrowed(database: Database, query: Query, now: datetime) -> list[int]:
    """Ids of all items of which everything holds but the words."""
    with database.read() as connection:
        marked = _marked(connection, event_log.events(connection), query)
        return search.find(connection, query.narrowing, now, EVERYTHING, marked=marked)


def _fused(connection: Connection, query: Query, by_words: list[int], near: list[int]) -> list[int]:
    """One order of both; first of all what has every word in its title."""
    if not near:
        return by_words
    first = set(by_words) & search.with_titles(connection, query, by_words)
    scores: dict[int, float] = {}
    for ranked in (by_words, near):
        for rank, item_id in enumerate(ranked, 1):
            scores[item_id] = scores.get(item_id, 0.0) + 1 / (STEADY + rank)
    return sorted(scores, key=lambda item_id: (item_id not in first, -scores[item_id], -item_id))


def _marked(connection: Connection, events: Sequence[Event], query: Query) -> dict[str, Collection[int]]:
    """What `triage.store.search.find` must know of the `is:` words of a query."""
    wanted = {term.value for term in query.terms if term.place == "is"}
    if not wanted:
        return {}
    states = feedback.states(events)
    found: dict[str, Collection[int]] = {
        word: [i for i, state in states.items() if state in verbs]
        for word, verbs in _MARKS.items()
        if word in wanted
    }
    if wanted & {"settled", "new"}:
        told = folding.around(connection, events, list(feedback.labels(events)))
        found["settled"] = folding.settled(connection, events, told) - states.keys()
        found["new"] = {*found["settled"], *states}
    if "opened" in wanted:
        found["opened"] = openings.opened(connection)
    return found


# ---------------------------------------------------------------- kept searches


def saved(database: Database) -> dict[str, str]:
    """Name -> text of the searches that are kept, in the order of their names."""
    with database.read() as connection:
        return feedback.saved_searches(event_log.events(connection))


def save(database: Database, clock: Clock, name: str, text: str) -> Recorded:
    """Keeps a search under a name, in the place of another of that name.

    Raises:
        UsageError: There is no such search, or it is no name.
    """
    name = name.removeprefix("@")
    if not language.NAME.fullmatch(name):
        raise UsageError(
            f'"{name}" is no name for a search: letters, digits and - without spaces, 40 at most',
            fix="triage search --save crypto 'tag:crypto -airdrop'",
        )
    with database.write() as connection:
        text = language.expand(text, feedback.saved_searches(event_log.events(connection)))
        language.parse(text)
        event = event_log.append(connection, verb=Verb.SEARCH, at=clock(), phrase=f"{name} {text}")
    return Recorded(event.id, in_words(event))


def forget(database: Database, clock: Clock, name: str) -> Recorded:
    """Keeps a search no longer.

    Raises:
        UsageError: There is none of that name.
    """
    name = name.removeprefix("@")
    with database.write() as connection:
        kept = feedback.saved_searches(event_log.events(connection))
        known = next((each for each in kept if each.casefold() == name.casefold()), None)
        if known is None:
            raise UsageError(f"there is no saved search @{name}", fix="triage search --saved")
        event = event_log.append(connection, verb=Verb.SEARCH, at=clock(), phrase=known, weight=0.0)
    return Recorded(event.id, in_words(event))
