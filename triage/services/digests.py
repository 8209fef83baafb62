"""Builds the digest and stores it.

Owns what a digest says besides its items. Runs in the model worker only.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from model.types import Explanation
from triage.core import budget, words
from triage.core.items import Digest, Explained, Item
from triage.services import digest_file, views
from triage.services.ranking import Ranked
from triage.store import feedback as event_log
from triage.store import scores
from triage.store.engine import Database

RANKER = "blend-1"
"""Names the construction of the ranker in stored model versions: another one ranks the same log otherwise."""
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
) -> Digest:
    """Chooses and explains the items of a digest.

    Args:
        ranked: All candidates.
        built_at: The moment that the ranking refers to.
        minutes: The reader's budget.
        before: Ids of items that were marked before this digest was built: they are done with.
        demo: Whether this is the demo.
        warnings: What the reader should know about the ranking.
    """
    done = set(before)
    open_ids = [i for i in ranked.rows if i not in done]
    marked = [i for i in open_ids if i in ranked.states]
    best = heapq.nlargest(SHORTLIST, open_ids, key=lambda i: (ranked.probabilities[i], -i))
    people = [i for i in open_ids if ranked.rows[i].personal]
    candidates = [_candidate(ranked, i) for i in dict.fromkeys([*marked, *people, *best])]
    chosen = budget.select(candidates, minutes)
    return Digest(
        built_at=built_at,
        budget_minutes=minutes,
        items=tuple(_explained_item(ranked, i, ranked.explain(i)) for i in chosen.ids),
        considered=len(open_ids),
        repeats=len(chosen.repeats),
        labels=ranked.labels,
        profile=ranked.profile,
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
        content=row.content_hash,
        kept=state != "new",
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
        encoder: What made the vectors.
        after: Id of the newest digest when the ranking began; None if there was none.
        rewrite: Whether that one was re-ranked and is replaced; otherwise a new one follows it.
        now: The present.

    Returns:
        False if nothing was written, because the reader has said more since it was ranked, or because
        another process has built a digest.
    """
    document = digest.to_json()
    with database.write() as connection:
        newest = scores.latest_digest(connection)
        if event_log.last_id(connection) != ranked.last_event or (newest.id if newest else None) != after:
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
    pairs = {i: (ranked.logits[i], ranked.probabilities[i]) for i in ranked.rows}
    with database.write() as connection:
        scores.write_scores(connection, _version(connection, ranked, encoder, now), pairs)


def _version(connection: Connection, ranked: Ranked, encoder: str, now: datetime) -> int:
    return scores.model_version(
        connection, profile=ranked.profile, encoder=encoder, ranker=RANKER, labels=ranked.labels, now=now
    )
