"""`triage journal`, `undo EVENT`, `redo EVENT` as a shell sees them."""

from __future__ import annotations

import json

import pytest
from command_line import triage
from world import NOW, stored_items

from triage.store.engine import Database


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())


def test_the_journal_lists_what_was_said_and_any_line_of_it_can_be_undone(database: Database) -> None:
    assert triage("triage journal")[1] == ""
    first, second, *_ = stored_items(database)
    triage(f"triage mark {first} like")
    triage(f"triage mark {second} dislike")
    triage("triage interests add 'quiet boats'")
    code, out, _ = triage("triage undo 1")
    assert (code, out) == (0, "undone: liked: bees number 0\n")
    lines = [line.strip().split("  ", 2)[2] for line in triage("triage journal")[1].splitlines()]
    assert lines == [
        "undone: liked: bees number 0",
        "an interest (+1): quiet boats",
        "disliked: chess number 2",
        "liked: bees number 0 · undone by 4",
    ]
    rows = json.loads(triage("triage journal --json --limit 2")[1])
    assert [(row["id"], row["verb"], row["undoes"]) for row in rows] == [
        (4, "undo", 1),
        (3, "interest", None),
    ]
    assert rows[1]["at"].startswith("2026-03-02T07:00:0")
    assert triage("triage redo 1")[1] == "redone: liked: bees number 0\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("triage undo 7", "there is no event 7"),
        ("triage redo 7", "there is no event 7"),
        ("triage journal --since yesterday", "--since yesterday: not a day"),
        ("triage journal --since 99999999999999d", "not a day"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(database: Database, line: str, says: str) -> None:
    code, out, err = triage(line)
    assert (code, out) == (2, "")
    assert says in err
    assert "try: triage journal" in err
