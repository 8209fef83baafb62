"""`triage evaluate history` as a shell sees it; what it measures is tested in tests/services."""

from __future__ import annotations

import json

from command_line import triage

from triage.cli.evaluate import _history_lines
from triage.core.hindsight import Estimate, Hindsight, Order
from triage.store.engine import Database


def test_with_too_few_marks_it_says_how_many_it_takes(database: Database) -> None:
    code, out, _ = triage("triage evaluate history")
    assert (code, out) == (0, "20 marks are needed to compare orders, and there are 0: 20 to go.\n")
    assert json.loads(triage("triage evaluate history --json")[1])["orders"] == []


def test_the_table_says_every_number_with_its_interval() -> None:
    half = Estimate(value=0.5, low=0.25, high=0.75)
    order = Order(
        name="now", says="the order of now", found=7, share=half, precision=half, average_precision=half
    )
    plain = Order(
        name="chronological",
        says="chronological",
        found=3,
        share=half,
        precision=half,
        average_precision=half,
        behind=Estimate(value=0.4, low=-0.1, high=0.7),
    )
    found = Hindsight(
        message="the order of now is better",
        marks=30,
        days=6,
        liked=10,
        minutes=15.0,
        candidates=80.4,
        orders=(plain, order),
    )
    assert list(_history_lines(found)) == [
        "The order of now is better.",
        "6 days with 10 liked items, 80 items to choose from on the average day; in brackets, 95 % intervals",
        "                       of liked, in 15 min   of all in 15 min, liked         average precision",
        "chronological            0.50 [0.25, 0.75]         0.50 [0.25, 0.75]         0.50 [0.25, 0.75]",
        "the order of now         0.50 [0.25, 0.75]         0.50 [0.25, 0.75]         0.50 [0.25, 0.75]",
        "more of what you liked than chronological: +0.40 [-0.10, +0.70]",
    ]
