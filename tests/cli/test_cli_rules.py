"""`triage rules` as a shell sees it. Without a digest no command starts the model worker."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from command_line import triage
from world import NOW, clock, stored_items

from triage.core.rules import write_term
from triage.core.verbs import Verb
from triage.services.reader import feedback
from triage.store.engine import Database


@pytest.fixture(autouse=True)
def a_week_of_items(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())
    return stored_items(database)


def listed() -> list[str]:
    """The lines of the list."""
    return triage("triage rules")[1].splitlines()


def test_rules_are_added_listed_changed_and_removed() -> None:
    assert "No rules yet. For example: triage rules add" in triage("triage rules")[2]
    code, said, _ = triage('triage rules add source:"Source 1" and not mentions:bees -1')
    assert (code, said) == (0, 'a rule: source:"Source 1" and not mentions:"bees" -1\n')
    triage("triage rules add never title:chess")
    triage('triage rules alias LLM "large language model"')
    assert listed() == [
        '  1  -1      source:"Source 1" and not mentions:"bees"',
        "             meets 12 of 24 items of the last 30 days",
        '  2  never   title:"chess"',
        "             hides 6 of 24 items of the last 30 days",
        "  3  alias   LLM = large language model",
    ]
    triage("triage rules add Title:Chess +2")
    assert listed()[2:4] == [
        '  2  +2      title:"Chess"',
        "             meets 6 of 24 items of the last 30 days",
    ]
    assert triage("triage rules remove 3")[1] == "no longer an alias: LLM = large language model\n"
    assert triage("triage rules remove 1")[1].startswith("no longer a rule: source:")
    assert listed()[0] == '  1  +2      title:"Chess"'


def test_every_change_can_be_undone() -> None:
    for line in ("add title:chess +2", "add always title:chess", "remove 1", "alias trams tramway"):
        assert triage(f"triage rules {line}")[0] == 0
    assert [triage("triage undo")[1].strip() for _ in range(4)] == [
        "undone: an alias: trams = tramway",
        'undone: no longer a rule: title:"chess"',
        'undone: a rule: always title:"chess"',
        'undone: a rule: title:"chess" +2',
    ]
    assert listed() == []


def test_a_rule_that_ends_says_when_and_leaves_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    said = triage("triage rules add never title:chess for 7d")[1]
    end = NOW + timedelta(days=7, minutes=1)
    assert said.endswith(f'never title:"chess" {write_term(end)}\n')
    assert listed()[0] == f'  1  never   title:"chess"  {write_term(end)}'
    assert json.loads(triage("triage rules --json")[1])["rules"][0]["until"] == end.isoformat()
    monkeypatch.setenv("TRIAGE_NOW", end.isoformat())
    assert listed() == []
    code, _, err = triage("triage rules add never title:chess until 2026-03-09")
    assert (code, "is over already" in err) == (2, True)


def test_the_list_shows_what_the_reader_and_what_the_marks_say(
    database: Database, a_week_of_items: list[int]
) -> None:
    triage("triage rules add title:bees +2")
    triage("triage rules add always title:trams")
    titles = {1: "bees", 3: "chess"}  # the topics of the first source are bees and chess, in turn
    for place, item in enumerate(a_week_of_items[:4], start=1):
        verb = Verb.DISLIKE if titles.get(place) == "bees" else Verb.LIKE
        feedback.mark(database, clock, item, verb)
    assert "you said +2, your marks say -" in listed()[1]
    book = json.loads(triage("triage rules --json")[1])
    soft, hard = book["rules"]
    assert soft["value"] == pytest.approx(2 + soft["labels"])
    assert -0.5 < soft["labels"] < 0
    assert (hard["effect"], hard["value"], hard["matched"], book["items"]) == ("always", None, 6, 24)


@pytest.mark.parametrize(
    ("line", "says", "fix"),
    [
        ("add author:Jane Doe +2", '"Doe" stands alone', "try: triage rules add 'author:\"Jane Doe\" +2'"),
        ("add auther:Jane -2", "did you mean author?", "try: triage rules add 'author:Jane -2'"),
        ("add source:x", "needs an effect", "try: triage rules add 'source:x +2'"),
        ("remove 1", "there is no rule 1", "try: triage rules"),
        ("alias it LLM", '"it" is too short or too common', ""),
        ("alias LLM llm", "are one form", ""),
    ],
)
def test_a_mistake_is_quoted_and_nothing_is_stored(
    database: Database, line: str, says: str, fix: str
) -> None:
    code, out, err = triage(f"triage rules {line}")
    assert (code, out) == (2, "")
    assert says in err
    assert fix in err
    assert feedback.events(database) == []
