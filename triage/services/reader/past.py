"""What the reader has done with earlier digests: looked, read, left alone; and how fast they read.

Owns the reading of these from the database as of a day. Needs no numbers, so listings can use it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from triage.core import feedback, pace
from triage.core.feedback import Event
from triage.core.items import Lane
from triage.core.pace import Pace, Read
from triage.core.verbs import AT_HAND, MARKS
from triage.core.worth import timeliness, worth
from triage.services.reader import views
from triage.store import feedback as event_log
from triage.store import items, openings, scores
from triage.store.items import ItemRow
from triage.store.openings import Opening

MEMORY = timedelta(days=30)
"""How far back looks and openings are remembered: as long as an item is ranked by default."""


EPOCH = datetime.fromtimestamp(0, UTC)
"""Where there is no digest yet, nothing has an age."""


@dataclass(frozen=True, slots=True)
class Past:
    """All that a digest of one day needs to know of earlier ones."""

    as_of: datetime
    pace: Pace = field(default_factory=Pace)
    done: frozenset[int] = frozenset()
    """Ids of the items that were read before the day."""
    marked_today: frozenset[int] = frozenset()
    in_place: frozenset[int] = frozenset()
    """Those of `marked_today` that stood in a digest of the day when they were marked."""
    read_today: frozenset[int] = frozenset()
    """What was read today where it stood in a digest of the day."""
    passed: Mapping[int, int] = field(default_factory=dict)
    """Id of an item -> on how many earlier days it stood in a digest that the reader saw."""
    last_look: datetime | None = None
    """When the reader last looked, read or marked, before the day; None if that is not known."""

    def timeliness(self, row: ItemRow, lane: Lane) -> float:
        """What its age has left of the worth of an item."""
        return timeliness(views.kind(row), lane, self.as_of - (row.published_at or row.first_seen_at))

    def worth(self, row: ItemRow, state: str, probability: float) -> float:
        """What reading an item is worth."""
        lane = views.lane(row, state)
        return worth(
            probability,
            lane,
            self.timeliness(row, lane),
            saved=state in AT_HAND,
            passed=self.passed.get(row.id, 0),
        )

    def away_since(self, day: datetime) -> datetime | None:
        """`last_look`, if there was a whole day without one before `day`."""
        away = self.last_look is not None and self.last_look < day - timedelta(days=1)
        return self.last_look if away else None


def of_current_day(connection: Connection, events: Sequence[Event]) -> Past:
    """That of the digest as it is: by it, items of a list are worth what they are worth in the digest."""
    built = scores.latest_day(connection)
    return Past(EPOCH) if built is None else of_day(connection, events, *built)


def of_day(connection: Connection, events: Sequence[Event], day: datetime, as_of: datetime) -> Past:
    """What happened in the `MEMORY` before a day, and what was read and marked since it began.

    Args:
        connection: Of a read.
        events: The log.
        day: When it began.
        as_of: The moment of it that ages are measured from.
    """
    since = day - MEMORY
    of_today = scores.built_between(connection, day, as_of)
    made_in_place = event_log.made_in(connection, of_today)
    opened = openings.since(connection, since)
    reads = of_openings(connection, opened)
    seen = scores.seen_between(connection, since, day)
    shown: defaultdict[int, set[int]] = defaultdict(set)
    for row in seen:
        shown[(row.built_at - day) // timedelta(days=1)].add(row.item_id)
    earlier = [read for opening, read in reads if opening.at < day]
    marks = [event for event in feedback.effective(events) if event.verb in MARKS]
    today = [(event.id, event.item_id) for event in marks if event.at >= day and event.item_id is not None]
    looks = [*(row.seen_at for row in seen), *(o.at for o in opened), *(event.at for event in events)]
    return Past(
        as_of,
        pace=pace.measured(earlier),
        done=frozenset(o.item_id for o, read in reads if o.at < day and pace.was_read(read)),
        marked_today=frozenset(item for _, item in today),
        in_place=frozenset(item for event, item in today if event in made_in_place),
        read_today=frozenset(
            o.item_id for o, read in reads if o.digest_id in of_today and pace.was_read(read)
        ),
        passed=Counter(item for ids in shown.values() for item in ids),
        last_look=max((at for at in looks if at < day), default=None),
    )


def of_openings(connection: Connection, opened: Sequence[Opening]) -> list[tuple[Opening, Read]]:
    """Openings with what there was to read, but those of items that are gone."""
    rows = items.by_ids(connection, list({opening.item_id for opening in opened}))
    return [
        (opening, Read(row.words, row.cjk_characters, views.kind(row), opening.seconds))
        for opening in opened
        if (row := rows.get(opening.item_id)) is not None
    ]
