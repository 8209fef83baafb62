"""Builds the digest and stores it.

Owns what a digest says besides its items. Runs in the model worker only.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from model.likeness import Likeness
from model.types import Explanation
from triage.core import budget, words
from triage.core.crash import crash_point
from triage.core.items import Digest, Item, Lane
from triage.core.pace import Pace
from triage.core.readings import Explained
from triage.core.variety import Alike
from triage.core.verbs import AT_HAND, Verb
from triage.core.worth import OLD, half_life, worth
from triage.services.digest import digest_file
from triage.services.ranker.models import Models
from triage.services.ranker.ranking import Ranked
from triage.services.reader import views
from triage.services.reader.past import Past
from triage.store import feedback as event_log
from triage.store import scores
from triage.store.engine import Database

SHORTLIST = 1000
"""The candidates of the highest value that the policy looks at: hundreds of times what a morning holds."""
NOTABLE = 0.95
"""What is left of an item's worth, below which its age is worth a word."""
REASONS_SHOWN = 6
"""Of each item in the digest; `triage why` has all of them."""


def compose(
    ranked: Ranked,
    past: Past,
    *,
    built_at: datetime,
    day: datetime,
    minutes: float,
    before: Iterable[int],
    demo: bool,
    warnings: tuple[str, ...],
    unread: int = 0,
    earlier: Digest | None = None,
    again: bool = False,
) -> Digest:
    """Chooses and explains the items of a digest.

    Args:
        ranked: All candidates.
        past: What the reader has done with earlier digests.
        built_at: The moment that the ranking refers to.
        day: When the day of the digest began.
        minutes: The reader's budget.
        before: Ids of items that were marked before the day, in this copy or another: they are
            done with, unless kept for later since.
        demo: Whether this is the demo.
        warnings: What the reader should know about the ranking.
        unread: Of how many items only the beginning is known.
        earlier: The digest that it follows on the same day; None for the first of a day.
        again: Whether that one is ranked again, so that what was drawn for it stays.
    """
    # Disliked somewhere else, it is not put before the reader now; in the digest it stays where they see it.
    refused = {i for i in past.marked_today - past.in_place if ranked.states.get(i) == "dislike"}
    settled = {i for i in before if ranked.states.get(i) != Verb.LATER}  # liked, then kept: it comes again
    done = {*settled, *refused, *(i for i in past.done if ranked.states.get(i) not in AT_HAND)}
    open_ids = [i for i in ranked.rows if i not in done]
    decided = {i: ranked.decision(i) for i in ranked.hard}  # of few: this runs over all items at every mark
    allowed = [i for i in open_ids if decided.get(i) != "never"]
    lanes = {i: _lane(ranked, i) for i in allowed}
    ages = {i: past.timeliness(ranked.rows[i], lanes[i]) for i in allowed}
    worths = {i: _worth(ranked, past, i, lanes[i], ages[i]) for i in allowed}
    by_rule = {i for i, decision in decided.items() if decision == "keep"}
    kept = past.marked_today | past.read_today | by_rule
    special = [i for i in allowed if i in kept or lanes[i] == "people" or decided.get(i) == "always"]
    best = [-i for _, i in heapq.nlargest(SHORTLIST, ((worths[i], -i) for i in allowed))]
    candidates = [
        _candidate(ranked, past, i, lanes[i], worths[i], kept=i in kept)
        for i in dict.fromkeys([*special, *best])
    ]
    today = [i for i in special if i in past.marked_today or i in past.read_today]
    alike = _alike(ranked, list(dict.fromkeys([*today, *best])))  # not all letters: there may be thousands
    if earlier is not None and again:
        staying, drawn = frozenset(earlier.staying), earlier.drawn
    else:
        staying = frozenset(item.id for item in earlier.items) if earlier is not None else frozenset()
        plain = budget.select(candidates, minutes, staying=staying, alike=alike)
        drawn = budget.draw(candidates, plain, minutes, built_at.isoformat())
        built = budget.select(candidates, minutes, frozenset(each.id for each in drawn), staying, alike)
        staying = frozenset(built.ids)
    chosen = budget.select(candidates, minutes, frozenset(each.id for each in drawn), staying, alike)
    told = {*chosen.ids, *chosen.repeats}
    left = [i for i in allowed if i not in told]
    explained_items = (
        _explained_item(ranked, i, ranked.explain(i), pace=past.pace, worth=worths[i]) for i in chosen.ids
    )
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
        people_left=sum(lanes[i] == "people" for i in chosen.unfit),
        unfit=sum(lanes[i] != "people" for i in chosen.unfit),
        too_old=sum(ages[i] < 0.5**OLD for i in left if i not in chosen.unfit),
        missed=_missed(ranked, past, left),
        since=past.away_since(day),
        day=day,
        staying=tuple(sorted(staying)),
        value=round(chosen.value, 4),
        bound=round(chosen.bound, 4),
        words_per_minute=round(past.pace.words_per_minute, 1),
        paced_by=past.pace.measured,
        labels=ranked.labels,
        by_words=ranked.by_words,
        profile=ranked.profile,
        standings=tuple(ranked.standings[i] for i in chosen.ids),
        drawn=drawn,
        unread=unread,
        demo=demo,
        warnings=warnings,
    )


def _alike(ranked: Ranked, ids: Sequence[int]) -> Alike:
    """How much some are about the same; each is compared with the others when it is first asked for."""
    likeness = Likeness(ranked.ranking.corpus, [str(i) for i in ids])
    places = {i: place for place, i in enumerate(ids)}

    @cache
    def alike(item_id: int) -> Mapping[int, float]:
        if item_id not in places:
            return {}
        return dict(zip(ids, likeness.to(places[item_id]).tolist(), strict=True))

    return alike


def _lane(ranked: Ranked, item_id: int) -> Lane:
    by_rule = ranked.lane(item_id) if item_id in ranked.hard else None
    return by_rule or views.lane(ranked.rows[item_id], ranked.states.get(item_id, "new"))


def _worth(ranked: Ranked, past: Past, item_id: int, lane: Lane, timeliness: float) -> float:
    saved, passed = ranked.states.get(item_id) in AT_HAND, past.passed.get(item_id, 0)
    return worth(ranked.probabilities[item_id], lane, timeliness, saved=saved, passed=passed)


def _candidate(
    ranked: Ranked, past: Past, item_id: int, lane: Lane, worth: float, *, kept: bool
) -> budget.Candidate:
    row = ranked.rows[item_id]
    return budget.Candidate(
        id=item_id,
        source=row.source,
        lane=lane,
        minutes=views.planned(row, past.pace),
        worth=worth,
        chance=ranked.probabilities[item_id],
        story=None if ranked.decision(item_id) == "keep" else ranked.stories.story(item_id),
        kept=kept,
        first=ranked.decision(item_id) == "always",
    )


def _missed(ranked: Ranked, past: Past, left: Iterable[int]) -> float | None:
    """How many items among those left out would matter, of those that came in since the last look.

    The sum of their probabilities, which is what is expected if these are calibrated.
    """
    if ranked.labels < views.NUMBERS_FROM:
        return None
    new = (i for i in left if past.last_look is None or ranked.rows[i].first_seen_at > past.last_look)
    return round(sum(ranked.probabilities[i] for i in new), 2)


def _explained_item(
    ranked: Ranked, item_id: int, explanation: Explanation, *, pace: Pace, worth: float
) -> Item:
    item = views.item(
        ranked.rows[item_id],
        state=ranked.states.get(item_id, "new"),
        labels=ranked.labels,
        logit=ranked.logits[item_id],
        probability=ranked.probabilities[item_id],
        why=ranked.reasons(explanation)[:REASONS_SHOWN],
        highlights=ranked.highlights(explanation),
        copies=len(ranked.stories.others(item_id)),
        pace=pace,
        worth=worth,
    )
    return dataclasses.replace(item, lane=_lane(ranked, item_id))


def explained(ranked: Ranked, past: Past, item_id: int) -> Explained:
    """Why an item stands where it stands, in full."""
    explanation = ranked.explain(item_id)
    lane = _lane(ranked, item_id)
    left = past.timeliness(ranked.rows[item_id], lane)
    value = _worth(ranked, past, item_id, lane, left)
    item = _explained_item(ranked, item_id, explanation, pace=past.pace, worth=value)
    marks = words.plural(ranked.labels, "mark")
    if item.p is None:
        calibration = f"{marks} so far; from {views.NUMBERS_FROM} on, the score becomes a probability."
    else:
        calibration = f"With {marks} so far, a score of {explanation.logit:+.2f} is taken for {item.p:.0%}."
    return Explained(
        item=item,
        score=explanation.logit,
        reasons=ranked.reasons(explanation),
        calibration=f"{calibration} {_timely(ranked, past, item_id, lane, left)}".rstrip(),
    )


def _timely(ranked: Ranked, past: Past, item_id: int, lane: Lane, left: float) -> str:
    """What the digest takes off for age and for being passed over, in one sentence; if it is much."""
    if ranked.states.get(item_id) in AT_HAND:
        return ""
    passed = past.passed.get(item_id, 0)
    parts = []
    if left < NOTABLE:
        days = half_life(views.kind(ranked.rows[item_id]), lane).days
        parts.append(f"its age leaves it {left:.0%} of its worth (half after {days} days)")
    if passed:
        parts.append(f"it was passed over on {words.plural(passed, 'day')} (half each time)")
    return f"In the digest, {' and '.join(parts)}." if parts else ""


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
        crash_point("digest:written")
        digest_file.write(path, digest)
        crash_point("digest:filed")
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
