from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from triage.core import feedback, verbs
from triage.core.feedback import Event
from triage.core.verbs import Verb

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def event(
    number: int, verb: Verb, item: int | None = None, undoes: int | None = None, **more: object
) -> Event:
    return Event(id=number, at=NOW, verb=verb, item_id=item, undoes=undoes, **more)  # type: ignore[arg-type]


MARKS = st.lists(st.tuples(st.sampled_from(verbs.MARKS), st.integers(1, 5)), max_size=12)


@given(MARKS, st.data())
def test_an_undone_event_might_as_well_never_have_been(
    marks: list[tuple[Verb, int]], data: st.DataObject
) -> None:
    log = [event(n + 1, verb, item) for n, (verb, item) in enumerate(marks)]
    extra = event(100, data.draw(st.sampled_from(verbs.MARKS)), data.draw(st.integers(1, 5)))
    undone = [*log, extra, event(101, Verb.UNDO, undoes=100)]
    assert feedback.labels(undone) == feedback.labels(log)
    assert feedback.states(undone) == feedback.states(log)
    assert feedback.profile_hash(undone) == feedback.profile_hash(log)


@given(MARKS)
def test_undoing_again_and_again_empties_the_profile(marks: list[tuple[Verb, int]]) -> None:
    log = [event(n + 1, verb, item) for n, (verb, item) in enumerate(marks)]
    for number in range(len(marks)):
        last = feedback.effective(log)[-1]
        log.append(event(1000 + number, Verb.UNDO, undoes=last.id))
    assert feedback.effective(log) == []
    assert feedback.profile_hash(log) == feedback.profile_hash([])


def test_an_undone_undo_restores_the_event() -> None:
    log = [event(1, Verb.LIKE, 7), event(2, Verb.UNDO, undoes=1), event(3, Verb.UNDO, undoes=2)]
    assert feedback.labels(log) == {7: 1.0}


@given(MARKS, st.integers(0, 14))
def test_redo_brings_back_step_by_step_what_undo_took(marks: list[tuple[Verb, int]], steps: int) -> None:
    log = [event(n + 1, verb, item) for n, (verb, item) in enumerate(marks)]
    logs = [list(log)]
    for number in range(min(steps, len(marks))):
        log.append(event(100 + number, Verb.UNDO, undoes=feedback.effective(log)[-1].id))
        logs.append(list(log))
    for number, before in enumerate(reversed(logs[:-1])):
        (undo,) = feedback.redoable(log)
        log.append(event(200 + number, Verb.UNDO, undoes=undo.id))
        assert feedback.effective(log) == feedback.effective(before)
    assert feedback.redoable(log) == []


def test_nothing_is_redone_after_something_else_was_said() -> None:
    log = [event(1, Verb.LIKE, 7), event(2, Verb.UNDO, undoes=1)]
    assert feedback.redoable(log) == [log[1]]
    assert feedback.redoable([*log, event(3, Verb.LATER, 8)]) == []


def test_a_step_of_several_marks_is_redone_as_a_whole() -> None:
    log = [event(n, Verb.DISLIKE, n, step=1) for n in (1, 2, 3)]
    log += [event(10 + n, Verb.UNDO, undoes=n) for n in (1, 2, 3)]
    assert feedback.redoable(log) == log[3:]


def test_the_last_training_mark_of_an_item_wins_and_later_does_not_train() -> None:
    log = [
        event(1, Verb.LIKE, 7),
        event(2, Verb.DISLIKE, 7),
        event(3, Verb.LATER, 7),
        event(4, Verb.LATER, 8),
    ]
    assert feedback.labels(log) == {7: 0.0}
    assert feedback.states(log) == {7: "later", 8: "later"}


def test_interests_are_a_function_of_the_log() -> None:
    log = [
        event(1, Verb.INTEREST, phrase="bees", weight=1.0),
        event(2, Verb.INTEREST, phrase="prices", weight=-1.0),
        event(3, Verb.INTEREST, phrase="bees", weight=0.0),
    ]
    assert feedback.interests(log) == {"prices": -1.0}
    assert feedback.interests([*log, event(4, Verb.UNDO, undoes=3)]) == {"bees": 1.0, "prices": -1.0}
