"""Who takes back whom: chains of undos are the log's only way to change its mind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from triage.core import feedback, journal
from triage.core.feedback import Event
from triage.core.journal import Effect
from triage.core.verbs import Verb

START = datetime(2026, 3, 2, 7, tzinfo=UTC)


def log_of(undone: list[int]) -> list[Event]:
    """Three likes, then undos of what `undone` names: an event that is there by then."""
    log = [Event(id=n, at=START, verb=Verb.LIKE, item_id=n) for n in (1, 2, 3)]
    for target in undone:
        number = len(log) + 1
        at = START + timedelta(minutes=number)
        log.append(Event(id=number, at=at, verb=Verb.UNDO, undoes=target % len(log) + 1))
    return log


@given(st.lists(st.integers(0, 20), max_size=12))
def test_the_journal_and_the_ranker_agree_on_what_counts(undone: list[int]) -> None:
    log = log_of(undone)
    taken_back = feedback.undoers(log)
    assert {e.id for e in feedback.effective(log)} == {1, 2, 3} - taken_back.keys()
    assert all(log[by - 1].undoes == event for event, by in taken_back.items())
    assert not set(taken_back.values()) & taken_back.keys()


def test_an_undo_of_an_undo_brings_back() -> None:
    log = log_of([0, 3, 4])  # 4 takes 1 back, 5 takes 4 back, 6 takes 5 back
    by_id = {event.id: event for event in log}
    assert [journal.root(by_id, event) for event in log[3:]] == [
        (log[0], False),
        (log[0], True),
        (log[0], False),
    ]
    assert journal.root(by_id, log[1]) == (log[1], True)


def test_an_effect_says_how_much_it_moved() -> None:
    assert str(Effect(0, 20)) == "nothing moved"
    assert str(Effect(1, 1)) == "1 of 1 item moved"
    assert str(Effect(5, 20, 3)) == "5 of 20 items moved, with 2 other steps"
