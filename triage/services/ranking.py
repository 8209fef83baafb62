"""From the database to a ranked, explained corpus: loads, fits, translates; no rule of ranking is here.

Owns what the ranker is asked about (the window of items, the reader's profile) and how its answers read
in our terms. Runs in the model worker only.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from model.corpus import Corpus
from model.lexical import Terms
from model.ranker import Ranker, Ranking
from model.types import Document, Explanation, Interest, Label, Passage, Profile
from triage.core import feedback
from triage.core.errors import UsageError
from triage.core.items import Highlight, Reason
from triage.services.vectors import Vectors
from triage.store import feedback as log
from triage.store import items, passages
from triage.store.engine import Database
from triage.store.items import ItemRow

MAX_ITEMS = 20_000
"""The newest items of the window that are ranked: more than a reader could be shown in a year."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A corpus with its ranking, as of one moment."""

    rows: dict[int, ItemRow]
    texts: dict[int, str]
    ranking: Ranking
    states: dict[int, str]
    labels: int
    avoided: frozenset[str]
    """Interest phrases of negative weight."""
    profile: str
    last_event: int
    """Id of the newest event that it knows."""
    logits: dict[int, float]
    probabilities: dict[int, float]

    def explain(self, item_id: int) -> Explanation:
        """Why an item stands where it stands; raises UsageError for one that is not ranked."""
        if item_id not in self.rows:
            raise UsageError(
                f"item {item_id} is not ranked: there is none, or it is older than the digest's window",
                fix=f"triage show {item_id}",
            )
        return self.ranking.explain(str(item_id))

    def reasons(self, explanation: Explanation) -> tuple[Reason, ...]:
        """Its contributions in our terms, the strongest first."""
        found = [
            Reason(c.kind, f"less of: {c.name}" if c.name in self.avoided else c.name, c.value)
            for c in explanation.contributions
        ]
        return tuple(sorted(found, key=lambda r: -abs(r.contribution)))

    def highlights(self, explanation: Explanation) -> tuple[Highlight, ...]:
        """Its passages worth marking; the title is always seen, so it needs no mark."""
        text = self.texts[int(explanation.document)]
        spans = [(h.passage, h.value) for h in explanation.highlights if h.passage.field == "text"]
        return tuple(Highlight(p.start, p.end, text[p.start : p.end], value) for p, value in spans)


class RankingService:
    """Holds the corpus between calls: a mark then costs a fit, not a load."""

    def __init__(self, database: Database, vectors: Vectors, window: timedelta) -> None:
        self._database = database
        self._vectors = vectors
        self._window = window
        self._loaded: _Loaded | None = None

    def rank(self, as_of: datetime) -> Ranked:
        """Ranks the items first seen in the window before `as_of`, by everything the reader has said.

        A pure function of `as_of`, the items and the event log: the same log gives the same scores.
        """
        with self._database.read() as connection:
            events = log.events(connection)
        labels = feedback.labels(events)
        loaded = self._load(as_of, set(labels))
        interests = feedback.interests(events)
        phrases = self._vectors.phrase_vectors(list(interests))
        self._vectors.release()
        profile = Profile(
            interests=tuple(Interest(phrase, weight) for phrase, weight in interests.items()),
            labels=tuple(Label(str(i), value) for i, value in sorted(labels.items()) if i in loaded.rows),
        )
        ranking = Ranker(loaded.corpus).fit(profile, phrases)
        return Ranked(
            rows=loaded.rows,
            texts=loaded.texts,
            ranking=ranking,
            states=feedback.states(events),
            labels=len(labels),
            avoided=frozenset(phrase for phrase, weight in interests.items() if weight < 0),
            profile=feedback.profile_hash(events),
            last_event=events[-1].id if events else 0,
            logits=dict(zip(loaded.rows, map(float, ranking.logits), strict=True)),
            probabilities=dict(zip(loaded.rows, map(float, ranking.probabilities), strict=True)),
        )

    def _load(self, as_of: datetime, labelled: set[int]) -> _Loaded:
        since = as_of - self._window
        with self._database.read() as connection:
            key = (as_of, items.signature(connection, since))
            if self._loaded is not None and self._loaded.serves(key, labelled):
                return self._loaded
            rows = {row.id: row for row in items.seen_since(connection, since, MAX_ITEMS)}
            older = frozenset(labelled - rows.keys())
            rows |= items.by_ids(connection, sorted(older))
            texts = items.texts(connection, list(rows))
            parts = passages.of_items(connection, list(rows))
            packed = passages.terms_of_items(connection, list(rows))
        ids = [i for i in rows if i in packed]  # an item that came in this moment waits for the next build
        rows = {i: rows[i] for i in ids}
        wholes = {i: p.vector_row for i, found in parts.items() for p in found if p.field == passages.WHOLE}
        parts = {i: [p for p in found if p.field != passages.WHOLE] for i, found in parts.items()}
        flat = [part.vector_row for i in ids for part in parts.get(i, [])]
        encoded = self._vectors.weights is not None
        corpus = Corpus(
            [_document(rows[i], texts.get(i, ""), as_of) for i in ids],
            [[_passage(part) for part in parts.get(i, [])] for i in ids],
            self._vectors.rows(flat) if encoded else None,
            [Terms.from_bytes(packed[i]) for i in ids],
            self._vectors.rows([wholes.get(i) for i in ids]) if encoded else None,
        )
        self._loaded = _Loaded(key, older, rows, {i: texts.get(i, "") for i in ids}, corpus)
        return self._loaded


@dataclass(frozen=True, slots=True)
class _Loaded:
    key: tuple[object, ...]
    older: frozenset[int]
    """Marked items from before the window: they teach, so they are part of the corpus."""
    rows: dict[int, ItemRow]
    texts: dict[int, str]
    corpus: Corpus

    def serves(self, key: tuple[object, ...], labelled: set[int]) -> bool:
        return self.key == key and self.older == labelled - (self.rows.keys() - self.older)


def _document(row: ItemRow, text: str, as_of: datetime) -> Document:
    published = row.published_at or row.first_seen_at
    return Document(
        id=str(row.id),
        title=row.title,
        text=text,
        kind=row.kind,
        source=row.source,
        people=tuple(row.people),
        published=min(published, as_of).timestamp(),
    )


def _passage(row: passages.PassageRow) -> Passage:
    return Passage("title" if row.field == "title" else "text", row.start, row.end)
