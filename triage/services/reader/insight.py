"""The insight page from what is stored. Loads no numbers, so the terminal interface can ask it.

What was learned lately is not stored but found by ranking anew: that is the part of the model worker
(`triage.services.ranker.shifts`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from triage.core import feedback, insight
from triage.core.insight import Insight
from triage.core.verbs import Verb
from triage.services.fetching.sources import kept
from triage.store import feedback as event_log
from triage.store import openings, scores, sources
from triage.store.engine import Database

DAYS = 90
LATELY = timedelta(days=7)
"""How far back what was learned is compared."""


def look(database: Database, now: datetime, days: int = DAYS) -> Insight:
    """Everything but what was learned, over so many days."""
    since = now - timedelta(days=days)
    with database.read() as connection:
        log = event_log.events(connection)
        foreseen = event_log.foreseen(connection)
        opened = [each for each in openings.since(connection, since) if each.at <= now]
        shown = scores.shown_since(connection, since, looked_at=True)
        drawn = scores.drawn_since(connection, since)
        titles = {row.id: row.title for row in sources.active(connection)}
        source_of = sources.of_items(connection, sorted({each.item for each in shown}))
    keeps = kept(log, since)
    disliked = {item for item, state in feedback.states(log).items() if state == Verb.DISLIKE}
    named = {item: titles[source] for item, source in source_of.items() if source in titles}
    return Insight(
        days=days,
        calibration=insight.calibration(log, foreseen, since),
        time=insight.time_spent(shown, ((each.at, each.seconds) for each in opened), _day),
        topics=insight.topics(shown, named, keeps, _day),
        exploration=insight.exploration(shown, drawn, keeps, disliked),
    )


def _day(moment: datetime) -> date:
    return moment.astimezone().date()
