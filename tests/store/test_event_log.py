"""The order of the event log: what is said later counts later, whatever the clock says."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

from world import NOW, stored_items

from triage.core import feedback
from triage.core.verbs import Verb
from triage.store import feedback as event_log
from triage.store import migrate
from triage.store.engine import Database


def test_the_last_word_counts_although_the_clock_was_set_back(database: Database) -> None:
    """DB-17."""
    item_id = stored_items(database)[0]
    with database.write() as connection:
        for verb, minutes in ((Verb.LIKE, 0), (Verb.LOVE, 5), (Verb.DISLIKE, -60), (Verb.LIKE, -59)):
            event_log.append(connection, verb=verb, at=NOW + timedelta(minutes=minutes), item_id=item_id)
        events = event_log.events(connection)
    assert [event.verb for event in feedback.effective(events)][-2:] == [Verb.DISLIKE, Verb.LIKE]
    assert feedback.states(events) == {item_id: "like"}
    stamps = [event.stamp - NOW for event in events]
    assert stamps == [timedelta(minutes=5 * (n > 0), microseconds=max(n - 1, 0)) for n in range(4)]


def test_what_is_known_of_the_log_is_not_read_again_unless_another_is_in_its_place(
    database: Database,
) -> None:
    item_id = stored_items(database)[0]
    with database.write() as connection:
        for verb in (Verb.LIKE, Verb.DISLIKE):
            event_log.append(connection, verb=verb, at=NOW, item_id=item_id)
        known = event_log.events(connection)
        event_log.append(connection, verb=Verb.LOVE, at=NOW, item_id=item_id)
        grown = event_log.events(connection, known)
        assert grown == event_log.events(connection)
        assert all(one is other for one, other in zip(grown, known, strict=False)), "the others were kept"
        of_another = [*grown, dataclasses.replace(grown[-1], id=99)]
        assert event_log.events(connection, of_another) == grown


def test_a_log_without_stamps_keeps_its_order(tmp_path: Path) -> None:
    old = Database(tmp_path / "old.db")
    migrate.upgrade(old, 3)
    rows = [(1, "2026-03-02 07:00:00.000000", "rule"), (2, "2026-03-02 06:00:00.000000", "rule")]
    rows += [(3, "2026-03-02 08:00:00.000000", "interest"), (4, "2026-03-02 07:30:00.000000", "interest")]
    with old.write() as connection:
        for number, at, verb in rows:
            connection.exec_driver_sql(
                "INSERT INTO event (id, at, verb, phrase, weight, shown) VALUES (?, ?, ?, 'bees', 1, '{}')",
                (number, at, verb),
            )
    migrate.upgrade(old)
    with old.read() as connection:
        events = event_log.events(connection)
    old.close()
    assert [event.id for event in feedback.effective(events)] == [1, 2, 3, 4]
    microsecond, hour = timedelta(microseconds=1), timedelta(hours=1)
    assert [event.stamp - NOW for event in events] == [0 * hour, microsecond, hour, hour + microsecond]
