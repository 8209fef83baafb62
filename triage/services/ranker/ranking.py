"""From the database to a ranked, explained corpus: loads, fits, translates; no rule of ranking is here.

Owns what the ranker is asked about (the window of items, the reader's profile) and how its answers read
in our terms. Runs in the model worker only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from model.corpus import Corpus
from model.knowledge import clamps
from model.leverage import leverage
from model.lexical import Terms
from model.ranker import Ranker, Ranking
from model.types import Document, Explanation, Passage, Profile, Rule
from triage.core import feedback
from triage.core.errors import UsageError
from triage.core.insight import Learned
from triage.core.items import KINDS, LESS_OF, Highlight, Lane, Reason
from triage.core.pace import GENERAL, PLANNED_MINUTES
from triage.core.readings import MarkShare
from triage.core.rules import DECIDING, Hard
from triage.core.stories import Stories
from triage.services.ranker import leads, learn
from triage.services.ranker.models import InUse, Models
from triage.services.ranker.shifts import shifts
from triage.services.ranker.vectors import Vectors
from triage.services.reader import folding
from triage.services.reader.profile import document, profile
from triage.store import feedback as log
from triage.store import items, passages, scores
from triage.store.engine import Database
from triage.store.items import ItemRow
from triage.store.passages import PassageRow
from triage.store.portable import names_of_items

RANKER = "blend-2"
"""Names the construction of the ranker in stored model versions: another one ranks the same log otherwise."""
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
    by_words: int
    """How many items the encoder cannot read."""
    avoided: frozenset[str]
    """Interest phrases of negative weight."""
    hard: dict[int, tuple[Rule, ...]]
    """Item id -> the hard rules that it meets."""
    profile: str
    last_event: int
    """Id of the newest event that it knows."""
    ranker: str
    """Names the construction and the version that ranked."""
    logits: dict[int, float]
    standings: dict[int, float]
    """Logits in units that stay comparable from one ranking to another."""
    probabilities: dict[int, float]
    stories: Stories
    """Which of the items tell the same, also with items that are not ranked."""

    def explain(self, item_id: int) -> Explanation:
        """Why an item stands where it stands; raises UsageError for one that is not ranked."""
        if item_id not in self.rows:
            raise UsageError(
                f"item {item_id} is not ranked: there is none, or it is older than the digest's window",
                fix=f"triage show {item_id}",
            )
        return self.ranking.explain(str(item_id))

    def decision(self, item_id: int) -> Hard | None:
        """What a hard rule says of whether an item is shown, whatever its score."""
        met = {rule.effect for rule in self.hard.get(item_id, ())}
        return next((effect for effect in DECIDING if effect in met), None)

    def lane(self, item_id: int) -> Lane | None:
        """The lane that a rule puts an item into."""
        met = {rule.effect for rule in self.hard.get(item_id, ())}
        return "people" if "lane people" in met else "for-you" if "lane for-you" in met else None

    def reasons(self, explanation: Explanation) -> tuple[Reason, ...]:
        """Its contributions in our terms, the strongest first, after hard rules, which have no share."""
        found = [
            Reason(c.kind, f"{LESS_OF}{c.name}" if c.name in self.avoided else c.name, c.value)
            for c in explanation.contributions
        ]
        item = int(explanation.document)
        in_force = {self.decision(item), f"lane {self.lane(item)}"}
        met = sorted(self.hard.get(item, ()), key=lambda rule: rule.effect not in in_force)
        decided = [
            Reason("rule", f"{'' if rule.effect in in_force else 'overruled: '}{_hard(rule)}", 0.0)
            for rule in met
        ]
        return (*decided, *sorted(found, key=lambda r: -abs(r.contribution)))

    def highlights(self, explanation: Explanation) -> tuple[Highlight, ...]:
        """Its passages worth marking; the title is always seen, so it needs no mark."""
        text = self.texts[int(explanation.document)]
        return tuple(
            Highlight(
                h.passage.start,
                h.passage.end,
                text[h.passage.start : h.passage.end],
                h.value,
                tuple((phrase.start, phrase.end) for phrase in h.phrases),
            )
            for h in explanation.highlights
            if h.passage.field == "text"
        )


class RankingService:
    """Holds the corpus between calls: a mark then costs a fit, not a load."""

    def __init__(self, database: Database, vectors: Vectors, models: Models, window: timedelta) -> None:
        self._database = database
        self._vectors = vectors
        self._models = models
        self._window = window
        self._loaded: _Loaded | None = None
        self._events: list[feedback.Event] = []

    def events(self, connection: Connection) -> list[feedback.Event]:
        """The event log; what was read of it before is not read again."""
        self._events = log.events(connection, self._events)
        return self._events

    def rank(self, as_of: datetime) -> Ranked:
        """Ranks the items first seen in the window before `as_of`, by everything the reader has said.

        A pure function of `as_of`, the items, the event log and the current model: the same log gives the
        same scores.
        """
        inputs = self._inputs(as_of)
        events, loaded, model = inputs.events, inputs.loaded, inputs.model
        with self._database.read() as connection:
            stories = folding.around(connection, events, list(loaded.rows))
        labels = feedback.labels(events)
        interests = feedback.interests(events, as_of)
        ranking = inputs.ranker.fit(inputs.profile, inputs.phrases)
        ids = list(loaded.rows)
        return Ranked(
            rows=loaded.rows,
            texts=loaded.texts,
            ranking=ranking,
            states=feedback.states(events),
            labels=len(labels),
            by_words=int((~loaded.corpus.grid.readable).sum()) if loaded.corpus.dim else 0,
            avoided=frozenset(phrase for phrase, weight in interests.items() if weight < 0),
            hard={ids[row]: met for row, met in clamps(loaded.corpus.matcher, inputs.profile.rules).items()},
            profile=feedback.profile_hash(events, as_of),
            last_event=events[-1].id if events else 0,
            ranker=model.ranker,
            logits=dict(zip(loaded.rows, map(float, ranking.logits), strict=True)),
            standings=dict(zip(loaded.rows, map(float, ranking.standings), strict=True)),
            probabilities=dict(zip(loaded.rows, map(float, ranking.probabilities), strict=True)),
            stories=stories,
        )

    def marks(self, as_of: datetime, item_id: int) -> tuple[MarkShare, ...]:
        """What the marks on items like this one do to its score, each by ranking without it."""
        inputs = self._inputs(as_of)
        loaded = inputs.loaded
        if item_id not in loaded.rows:
            raise UsageError(f"item {item_id} is not ranked", fix=f"triage show {item_id}")
        states = feedback.states(inputs.events)
        found_marks = leverage(inputs.ranker, loaded.corpus, inputs.profile, inputs.phrases, str(item_id))
        return tuple(
            MarkShare(
                marked := int(found.label.document),
                loaded.rows[marked].title,
                states.get(marked, "like" if found.label.value else "dislike"),
                found.change,
            )
            for found in found_marks
            if found.label.document.isdecimal()
        )

    def learned(self, as_of: datetime, since: datetime) -> Learned:
        """What has moved by all that was said since a moment, as if nothing else had changed."""
        inputs = self._inputs(as_of)
        loaded, kind = inputs.loaded, scores.kind(inputs.model.ranker, self._vectors.name)
        before = [event for event in inputs.events if event.at < since]
        known = profile(before, loaded.rows, as_of, kind, inputs.rehearsed)
        phrases = self._vectors.phrase_vectors(list(feedback.interests(before, as_of)))
        now = inputs.ranker.fit(inputs.profile, inputs.phrases)
        moved = now.standings - inputs.ranker.fit(known, phrases).standings
        found = shifts(
            loaded.corpus,
            loaded.rows,
            moved,
            interests=feedback.interests(inputs.events, as_of),
            marked=feedback.labels(inputs.events),
        )
        return Learned(since=since, said=len(inputs.events) - len(before), shifts=found)

    def _inputs(self, as_of: datetime) -> _Inputs:
        """All that a fit takes: what was said so far, about which items, and the settings in use."""
        model = self._models.in_use(self._vectors.name)
        with self._database.read() as connection:
            events = self.events(connection)
            labelled = feedback.labels(events)
            names = names_of_items(connection, list(labelled)) if model.rehearsed else {}
        loaded = self._load(as_of, set(labelled))
        rehearsed = {str(i): model.rehearsed[n] for i, n in names.items() if n in model.rehearsed}
        kind = scores.kind(model.ranker, self._vectors.name)
        return _Inputs(
            events,
            loaded,
            model,
            Ranker(loaded.corpus, model.settings),
            profile(events, loaded.rows, as_of, kind, rehearsed),
            self._vectors.phrase_vectors(list(feedback.interests(events, as_of))),
            rehearsed,
        )

    def past(self, as_of: datetime) -> learn.Material:
        """What the reader has said so far, and of what: everything that settings can be judged by."""
        with self._database.read() as connection:
            events = self.events(connection)
            labelled = feedback.labels(events)
            names = names_of_items(connection, list(labelled))
        loaded = self._load(as_of, set(labelled))
        return learn.Material(
            corpus=loaded.corpus,
            first_seen={i: row.first_seen_at for i, row in loaded.rows.items()},
            names=names,
            minutes={i: _planned(row) for i, row in loaded.rows.items()},
            events=events,
            phrase_vectors=self._vectors.phrase_vectors(learn.phrases(events)),
            as_of=as_of,
            window=self._window,
        )

    def _load(self, as_of: datetime, labelled: set[int]) -> _Loaded:
        since = as_of - self._window
        with self._database.read() as connection:
            key = (as_of, items.signature(connection, since, MAX_ITEMS))
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
        documents = [document(rows[i], texts.get(i, ""), as_of) for i in ids]
        found = [parts.get(i, []) for i in ids]
        parts_of = [[_passage(part) for part in each] for each in found]
        values = None
        if self._vectors.weights is not None:
            values = self._vectors.rows([part.vector_row for each in found for part in each])
            _scale_leads(values, documents, found)
        corpus = Corpus(
            documents,
            parts_of,
            values,
            [Terms.from_bytes(packed[i]) for i in ids],
        )
        self._loaded = _Loaded(key, older, rows, {i: texts.get(i, "") for i in ids}, corpus)
        return self._loaded


@dataclass(frozen=True, slots=True)
class _Inputs:
    events: list[feedback.Event]
    loaded: _Loaded
    model: InUse
    ranker: Ranker
    profile: Profile
    phrases: dict[str, NDArray[np.float32]]
    rehearsed: dict[str, float]
    """Item id -> standing; see `model.artifacts.Artifact`."""


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


def _scale_leads(
    values: NDArray[np.float32], documents: Sequence[Document], found: Sequence[Sequence[PassageRow]]
) -> None:
    """Makes the vector of a lead, which stands alone among its passages, the share of a window's vector."""
    first = 0
    for each, parts in zip(documents, found, strict=True):
        known = [n for n, part in enumerate(parts) if part.vector_row is not None]
        if len(known) == 1 < len(parts):
            cut = [_passage(part) for part in parts]
            values[first + known[0]] *= leads.share(each.title, each.text, cut, known[0])
        first += len(parts)


def _planned(row: ItemRow) -> float:
    """The minutes that a reader of ordinary speed is taken to need for it."""
    return min(GENERAL.minutes(row.words, row.cjk_characters, KINDS[row.kind]), PLANNED_MINUTES)


def _passage(row: PassageRow) -> Passage:
    return Passage("title" if row.field == "title" else "text", row.start, row.end)


_HARD: dict[Hard, str] = {
    "always": "always first",
    "keep": "never left out",
    "never": "never in a digest",
    "lane people": "in the lane of people",
    "lane for-you": "in the lane for you",
}


def _hard(rule: Rule) -> str:
    return f"{next(said for effect, said in _HARD.items() if effect == rule.effect)}: {rule.name}"
