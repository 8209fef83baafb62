"""Builds the digest and stores it.

Owns what a digest says besides its items. Runs in the model worker only.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from model.types import Explanation
from triage.core import budget, words
from triage.core.items import Digest, Drawn, Explained, Item
from triage.services import digest_file, views
from triage.services.models import Models
from triage.services.ranking import Ranked
from triage.store import feedback as event_log
from triage.store import scores
from triage.store.engine import Database

SHORTLIST = 1000
"""The candidates of the highest value that the policy looks at: hundreds of times what a morning holds."""
REASONS_SHOWN = 6
"""Of each item in the digest; `triage why` has all of them."""


def compose(
    ranked: Ranked,
    *,
    built_at: datetime,
    minutes: float,
    before: Iterable[int],
    demo: bool,
    warnings: tuple[str, ...],
    unread: int = 0,
    drawn: tuple[Drawn, ...] | None = None,
) -> Digest:
    """Chooses and explains the items of a digest.

    Args:
        ranked: All candidates.
        built_at: The moment that the ranking refers to.
        minutes: The reader's budget.
        before: Ids of items that were marked before this digest was built, in this copy or another: they
            are done with.
        demo: Whether this is the demo.
        warnings: What the reader should know about the ranking.
        unread: Of how many items only the beginning is known.
        drawn: What was drawn when it was built, if it is ranked again; None to draw.
    """
    done = set(before)
    open_ids = [i for i in ranked.rows if i not in done]
    allowed = [i for i in open_ids if ranked.decision(i) != "never"]
    first = [i for i in allowed if ranked.decision(i) == "always"]
    marked = [i for i in allowed if i in ranked.states]
    best = heapq.nlargest(SHORTLIST, allowed, key=lambda i: (ranked.probabilities[i], -i))
    people = [i for i in allowed if ranked.rows[i].personal]
    special = [*first, *marked, *people]
    candidates = [_candidate(ranked, i) for i in dict.fromkeys([*special, *best])]
    if drawn is None:
        drawn = budget.draw(candidates, budget.select(candidates, minutes), minutes, built_at.isoformat())
    chosen = budget.select(candidates, minutes, frozenset(each.id for each in drawn))
    explained_items = (_explained_item(ranked, i, ranked.explain(i)) for i in chosen.ids)
    return Digest(
        built_at=built_at,
        budget_minutes=minutes,
        items=tuple(
            dataclasses.replace(item, lane="exploring") if item.id in chosen.explored else item
            for item in explained_items
        ),
        considered=len(open_ids),
        repeats=len(chosen.repeats),
        ruled_out=len(open_ids) - len(allowed),
        labels=ranked.labels,
        by_words=ranked.by_words,
        profile=ranked.profile,
        standings=tuple(ranked.standings[i] for i in chosen.ids),
        drawn=drawn,
        unread=unread,
        demo=demo,
        warnings=warnings,
    )


def _candidate(ranked: Ranked, item_id: int) -> budget.Candidate:
    row, state = ranked.rows[item_id], ranked.states.get(item_id, "new")
    item = views.item(row, state=state, probability=ranked.probabilities[item_id])
    return budget.Candidate(
        id=item_id,
        source=row.source,
        lane=item.lane,
        minutes=item.minutes,
        value=item.value,
        story=ranked.stories.story(item_id),
        kept=state != "new",
        first=ranked.decision(item_id) == "always",
    )


def _explained_item(ranked: Ranked, item_id: int, explanation: Explanation) -> Item:
    return views.item(
        ranked.rows[item_id],
        state=ranked.states.get(item_id, "new"),
        labels=ranked.labels,
        logit=ranked.logits[item_id],
        probability=ranked.probabilities[item_id],
        why=ranked.reasons(explanation)[:REASONS_SHOWN],
        highlights=ranked.highlights(explanation),
        copies=len(ranked.stories.others(item_id)),
    )


def explained(ranked: Ranked, item_id: int) -> Explained:
    """Why an item stands where it stands, in full."""
    explanation = ranked.explain(item_id)
    item = _explained_item(ranked, item_id, explanation)
    marks = words.plural(ranked.labels, "mark")
    if item.p is None:
        calibration = f"{marks} so far; from {views.NUMBERS_FROM} on, the score becomes a probability."
    else:
        calibration = f"With {marks} so far, a score of {explanation.logit:+.2f} is taken for {item.p:.0%}."
    return Explained(
        item=item, score=explanation.logit, reasons=ranked.reasons(explanation), calibration=calibration
    )


def store(
    database: Database,
    path: Path,
    ranked: Ranked,
    digest: Digest,
    *,
    models: Models,
    encoder: str,
    after: int | None,
    rewrite: bool,
    now: datetime,
) -> bool:
    """Writes a digest to the database and to its file, unless it is out of date already.

    Both are written under the database's write lock, so that of two processes the later one wins in both.

    Args:
        database: Where to.
        path: The file of the current digest.
        ranked: What it was composed from.
        digest: As composed.
        models: Know which one ranks now.
        encoder: What made the vectors.
        after: Id of the newest digest when the ranking began; None if there was none.
        rewrite: Whether that one was re-ranked and is replaced; otherwise a new one follows it.
        now: The present.

    Returns:
        False if nothing was written, because the reader has said more since it was ranked, or because
        another process has built a digest or promoted a model.
    """
    document = digest.to_json()
    with database.write() as connection:
        newest = scores.latest_digest(connection)
        if event_log.last_id(connection) != ranked.last_event or (newest.id if newest else None) != after:
            return False
        if models.in_use(encoder).ranker != ranked.ranker:
            return False
        version = _version(connection, ranked, encoder, now)
        if rewrite and after is not None:
            scores.rewrite_digest(connection, after, model_version_id=version, document=document)
        else:
            scores.add_digest(
                connection, built_at=digest.built_at, model_version_id=version, document=document
            )
        digest_file.write(path, digest)
    return True


def store_scores(database: Database, ranked: Ranked, *, encoder: str, now: datetime) -> None:
    """Writes the score of every ranked item, for listings."""
    found = {i: (ranked.logits[i], ranked.standings[i], ranked.probabilities[i]) for i in ranked.rows}
    with database.write() as connection:
        scores.write_scores(connection, _version(connection, ranked, encoder, now), found)


def _version(connection: Connection, ranked: Ranked, encoder: str, now: datetime) -> int:
    return scores.model_version(
        connection,
        profile=ranked.profile,
        encoder=encoder,
        ranker=ranked.ranker,
        labels=ranked.labels,
        now=now,
    )
