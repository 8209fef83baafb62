"""Where a reader stands in the guided start: a function of what there is and what they have gone past."""

from __future__ import annotations

import dataclasses

import pytest

from triage.core.items import Item
from triage.core.starting import QUESTIONS, Step, arrow, moves, step_of


def test_the_steps_come_in_order_and_each_one_once() -> None:
    past: set[str] = set()
    order = []
    while (step := step_of(past, sources=3, items=9, marks=0)) is not Step.DONE:
        order.append(step)
        past.add(step)
    assert order == [Step.INTERESTS, Step.PACKS, Step.IMPORTS, Step.FETCH, Step.MARKS]


@pytest.mark.parametrize(
    ("sources", "items", "marks", "step"),
    [
        (0, 0, 0, Step.DONE),  # nothing to fetch
        (2, 0, 0, Step.FETCH),
        (0, 5, 0, Step.MARKS),
    ],
)
def test_a_step_without_an_object_is_left_out(sources: int, items: int, marks: int, step: Step) -> None:
    past = {Step.INTERESTS, Step.PACKS, Step.IMPORTS}
    assert step_of(past, sources=sources, items=items, marks=marks) is step


def test_whoever_has_judged_enough_is_asked_no_more() -> None:
    past = {Step.INTERESTS, Step.PACKS, Step.IMPORTS, Step.FETCH}
    assert step_of(past, sources=1, items=99, marks=QUESTIONS - 1) is Step.MARKS
    assert step_of(past, sources=1, items=99, marks=QUESTIONS) is Step.DONE


def listed(*ids: int) -> list[Item]:
    item = Item(id=0, kind="feed", source="s", title="t", url=None, people=(), published=None, minutes=1)
    return [dataclasses.replace(item, id=each) for each in ids]


def test_a_move_is_said_with_its_direction() -> None:
    found = moves(listed(1, 2, 3), listed(3, 1, 4))
    assert {item: arrow(move) for item, move in found.items()} == {3: "↑2", 1: "↓1", 4: "new"}
    assert set(map(arrow, moves((), listed(1, 2)).values())) == {""}
    assert arrow(4000) == "↑99"
