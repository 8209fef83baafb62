"""What the ledger counts, and that every step of it can be taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from world import NOW, clock, stored_items

from triage.core.errors import UsageError
from triage.core.ledger import Account
from triage.core.verbs import Verb
from triage.services.fetching import sources
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, ledger, rule_book
from triage.store import openings, scores
from triage.store.engine import Database

LATER = NOW + timedelta(hours=1)


def accounts(database: Database, days: int = 90) -> dict[int, Account]:
    return {each.source: each for each in ledger.ledger(database, LATER, days).accounts}


def test_it_counts_what_came_was_shown_opened_and_kept(database: Database, worker: ModelWorker) -> None:
    ids = stored_items(database)  # the first half of them is of source 1
    digest = worker.build(NOW)
    assert accounts(database)[1].shown == 0, "a digest that nobody looked at says nothing"
    with database.write() as connection:
        scores.set_seen(connection, digest.built_at, clock())
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    feedback.mark(database, clock, ids[1], Verb.DISLIKE)
    with database.write() as connection:
        openings.add(connection, ids[2], clock(), 90.0)
        openings.add(connection, ids[3], clock(), 2.0)
        openings.add(connection, ids[12], clock(), None)
    found = accounts(database)
    of_first = [item for item in digest.items if item.id in ids[:12]]
    assert found[1].shown == len(of_first) > 0
    assert (found[1].items, found[1].opened, found[1].kept) == (12, 2, 1)
    assert found[1].wanted == 2, "liked, or read for a while; not disliked, and not a glance"
    assert found[1].minutes_read == 1.5, "92 seconds"
    with database.write() as connection:
        openings.add(connection, ids[4], clock(), 8 * 3600.0)
    assert accounts(database)[1].minutes_read == 46.5, "who leaves it open over night reads no night"
    assert found[1].minutes_in == pytest.approx(12 * of_first[0].minutes, abs=0.2)
    assert found[1].last_kept == clock()
    assert (found[2].kept, found[2].wanted, found[2].last_kept) == (0, 1, None)

    feedback.undo(database, clock)
    feedback.undo(database, clock)
    assert accounts(database)[1].kept == 0


def test_what_is_older_than_its_days_does_not_count(database: Database) -> None:
    ids = stored_items(database)
    feedback.mark(database, lambda: NOW - timedelta(days=3), ids[0], Verb.LIKE)
    assert accounts(database)[1].kept == 1
    assert accounts(database, days=2)[1].kept == 0


def test_quiet_lowers_a_source_and_undo_leaves_no_trace(database: Database, worker: ModelWorker) -> None:
    stored_items(database)
    before = worker.build(NOW)
    said = ledger.quiet(database, clock, 1).message
    assert said == "quiet: Source 0"
    assert accounts(database)[1].undo == "unquiet"
    digest, moved = worker.rerank(NOW)
    assert moved > 0
    assert digest.items[0].source == "Source 1"
    with pytest.raises(UsageError, match="quiet already"):
        ledger.quiet(database, clock, 1)
    ledger.unquiet(database, clock, 1)
    assert worker.rerank(NOW)[0] == before
    with pytest.raises(UsageError, match="not quiet"):
        ledger.unquiet(database, clock, 1)
    ledger.quiet(database, clock, 1)
    feedback.undo(database, clock)
    assert not accounts(database)[1].quiet, "the undo of all other events takes it back too"


@pytest.mark.parametrize(
    ("title", "met"),
    [('He said "no" twice', None), ("日本語のニュース", None), ("Source*", "Source 1"), ('"a\\" or b', None)],
)
def test_a_source_is_quieted_whatever_its_name(database: Database, title: str, met: str | None) -> None:
    stored_items(database)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET title = ? WHERE id = 1", (title,))
    said = ledger.quiet(database, clock, 1).message
    assert ("the rule meets" in said) is (met is not None)
    assert accounts(database)[1].quiet
    assert len(rule_book.book(database, NOW).rules) == 1, "the stored condition is read as any other"
    ledger.unquiet(database, clock, 1)
    assert not accounts(database)[1].quiet


def test_a_source_whose_name_holds_no_word_is_renamed_first(database: Database) -> None:
    stored_items(database)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET title = '***' WHERE id = 1")
    with pytest.raises(UsageError, match="no word"):
        ledger.quiet(database, clock, 1)
    assert not accounts(database)[1].quiet


def test_drop_pauses_and_resume_takes_it_back(database: Database) -> None:
    stored_items(database)
    ledger.drop(database, 1)
    assert accounts(database)[1].undo == "resume"
    with pytest.raises(UsageError, match="paused already"):
        ledger.drop(database, 1)
    sources.resume(database, clock, 1)
    assert accounts(database)[1].undo is None
    with pytest.raises(UsageError, match="no source 99"):
        ledger.drop(database, 99)
