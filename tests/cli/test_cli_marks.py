"""`triage mark`, `mute`, `undo` and `redo` as a shell sees them."""

from __future__ import annotations

import json

import pytest
from command_line import triage
from world import NOW, stored_items

from triage.services.reader import feedback
from triage.store.engine import Database


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())


def test_several_items_are_marked_in_one_step(database: Database) -> None:
    first, second, third, *_ = stored_items(database)
    assert triage(f"triage mark {first} save")[1] == "saved: bees number 0\n"
    assert triage(f"triage mark {first} {second} {third} {third} save")[1] == "saved: 2 items\n"
    assert triage("triage undo")[1] == "undone: saved: 2 items\n"
    assert triage("triage redo")[1] == "redone: saved: 2 items\n"
    assert triage("triage redo")[2].startswith("triage: there is nothing to redo")
    assert triage(f"triage mark like {third}")[1] == "liked: bees number 4\n", "the verb may come first"


def test_a_mute_is_a_rule_that_ends_and_undo_takes_it_back(database: Database) -> None:
    first, *_ = stored_items(database)
    assert "never source:" in triage(f"triage mute {first} --source --for 'a month'")[1]
    assert 'never mentions:"bee"' in triage(f"triage mute {first} --words 'bee'")[1]
    rules = json.loads(triage("triage rules --json")[1])["rules"]
    assert [rule["until"][:10] for rule in rules] == ["2026-04-01", "2026-03-09"]
    assert triage("triage undo")[1].startswith('undone: a rule: never mentions:"bee"')
    assert len(json.loads(triage("triage rules --json")[1])["rules"]) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("triage mark 1 99 like", "there is no item 99"),
        ("triage mark like", "Missing argument 'ID...'"),
        ("triage mute 99 --source", "there is no item 99"),
        ("triage mute 1", "say what to mute"),
        ("triage mute 1 --source --words bee", "say what to mute"),
        ("triage mute 1 --words '!!'", "has no word to look for"),
        ("triage mute 1 --source --for ever", "is not one of 'a day', 'a week', 'a month', 'for good'"),
    ],
)
def test_what_cannot_be_is_said_and_nothing_is_stored(database: Database, line: str, says: str) -> None:
    stored_items(database)
    code, _, err = triage(line)
    assert code == 2
    assert says in err
    assert feedback.events(database) == []
