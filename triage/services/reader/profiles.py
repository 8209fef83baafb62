"""The reader's interests as they are listed: in which profile, until when, and what came of each."""

from __future__ import annotations

import difflib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from triage.config import Clock
from triage.core import feedback
from triage.core.errors import UsageError
from triage.core.history import Shown
from triage.core.interest_sheet import profile_name
from triage.core.items import LESS_OF, Recorded
from triage.core.verbs import Verb
from triage.services.reader.feedback import in_words
from triage.store import feedback as event_log
from triage.store import scores
from triage.store.engine import Database

LATELY = timedelta(days=30)
LEAST_SHARE = 0.1
"""Of the score: an interest that gives less to an item did not bring it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterestRow:
    """An interest as it is listed."""

    phrase: str
    weight: float
    profile: str | None
    """None for one that always counts."""
    used: bool
    """Whether it counts now."""
    until: datetime | None
    """From when on it counts no more; None for ever."""
    hits: int
    """Items in the digests of the last 30 days of which no other interest spoke more strongly."""
    liked: int
    """How many of those the reader wanted."""


def listing(database: Database, now: datetime) -> list[InterestRow]:
    """All interests, those of profiles that are not in use too, in the order of their first mention."""
    with database.read() as connection:
        events = event_log.events(connection)
        shown = scores.shown_since(connection, now - LATELY)
    labels, used = feedback.labels(events), feedback.profiles(events, now)
    brought: defaultdict[str, set[int]] = defaultdict(set)
    for each in shown:
        if (phrase := _strongest(each)) is not None:
            brought[phrase].add(each.item)
    return [
        InterestRow(
            phrase=said.phrase,
            weight=said.weight,
            profile=said.profile,
            used=said.profile is None or used[said.profile],
            until=said.until,
            hits=len(brought[said.phrase]),
            liked=sum(labels.get(item, 0.0) > 0 for item in brought[said.phrase]),
        )
        for said in feedback.active_interests(events, now)
    ]


def _strongest(shown: Shown) -> str | None:
    """The interest that speaks most strongly of an item, for it or against it."""
    spoken = [
        (abs(reason["contribution"]), str(reason["name"]).removeprefix(LESS_OF))
        for reason in shown.why
        if reason["kind"] == "interest"
    ]
    share, phrase = max(spoken, default=(0.0, None))
    return phrase if share >= LEAST_SHARE else None


def use(database: Database, clock: Clock, names: Sequence[str]) -> Recorded:
    """Lets the interests of some profiles count, and no others; of all where none is named.

    Interests of no profile always count.

    Raises:
        UsageError: There is no such profile.
    """
    wanted = list(dict.fromkeys(profile_name(name) for name in names))
    now = clock()
    with database.write() as connection:
        known = feedback.profiles(event_log.events(connection), now)
        for name in wanted:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
                meant = f"; did you mean {near[0]}?" if near else ""
                raise UsageError(f'there is no profile "{name}"{meant}', fix="triage interests edit")
        phrase = ",".join(wanted)
        event = event_log.append(connection, verb=Verb.USE, at=now, phrase=phrase)
    return Recorded(event.id, in_words(event))
