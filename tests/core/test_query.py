from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.core.errors import UsageError
from triage.core.query import SAVING, condition, expand, from_arguments, moment, parse
from triage.core.rule_parser import parse as parse_rule
from triage.core.rules import write


def terms(text: str) -> list[str]:
    return [str(term) for term in parse(text, cut_short=False).terms]


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("harbour lights", ["harbour", "lights"]),
        ('"harbour lights" -ferry -"night boat"', ['"harbour lights"', "-ferry", '-"night boat"']),
        ('from:"Jane Doe" is:like type:papers', ['from:"Jane Doe"', "is:liked", "kind:paper"]),
        ("is:mail -is:new since:7d", ["kind:mail", "-is:new", "after:7d"]),
        ("wor* tag:cs.*", ["wor*", "tag:cs.*"]),
        ("“harbour lights”", ['"harbour lights"']),
        ('"never closed', ['"never closed"']),
        ("std::vector 12:30 https://a.example/b", ["std::vector", "12:30", "https://a.example/b"]),
        ("Re: lunch", ["Re:", "lunch"]),
        ("- ** lunch", ["lunch"]),
        ("注意力 🎉", ["注意力", "🎉"]),
    ],
)
def test_what_is_typed_is_understood(typed: str, understood: list[str]) -> None:
    assert terms(typed) == understood


def test_the_last_word_may_be_cut_short_unless_it_is_quoted_or_tiny() -> None:
    assert [str(term) for term in parse("old harb").terms] == ["old", "harb*"]
    assert [str(term) for term in parse('old "harb"').terms] == ["old", '"harb"']
    assert [str(term) for term in parse("old ha").terms] == ["old", "ha"]
    assert [str(term) for term in parse("old -harb").terms] == ["old", "-harb"]


@pytest.mark.parametrize(
    ("typed", "message", "fix"),
    [
        ("autor:jane", "did you mean author:?", "triage search '\"autor:jane\"'"),
        ("is:lked", "did you mean is:liked?", "triage search is:liked"),
        ("kind:book", "it is one of feed, mail, paper", "triage search kind:feed"),
        ("before:soon", "is no date", "triage search 'before:7d'"),
        ("before:2026-13-01", "is no date", "triage search 'before:7d'"),
        ("after:99999y", "is no date", "triage search 'after:7d'"),
        ("from: jane", "needs a word right after it", "triage search 'from:word'"),
        ('tag:""', "needs a word right after it", "triage search 'tag:word'"),
        ("@cripto", "did you mean @crypto?", "triage search --saved"),
        ("x" * 501, "at most 500 characters", None),
        ("a " * 51, "at most 50 words", None),
        ("-", "needs a word", "triage search 'harbour is:new after:7d'"),
    ],
)
def test_a_mistake_is_named_with_what_was_meant(typed: str, message: str, fix: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse(typed, {"crypto": "tag:crypto"})
    assert message in str(caught.value)
    assert caught.value.fix == fix


@given(st.text(max_size=200))
def test_nothing_that_can_be_typed_breaks_it(text: str) -> None:
    with contextlib.suppress(UsageError):
        query = parse(text, {"a": "b"})
        assert terms(" ".join(map(str, query.terms)))


def test_dates_begin_in_the_zone_of_the_reader_and_ages_now() -> None:
    now = datetime(2026, 3, 12, 7, 30, tzinfo=UTC)
    assert moment("7d", now) == datetime(2026, 3, 5, 7, 30, tzinfo=UTC)
    assert moment("2026-03", now) == datetime(2026, 3, 1).astimezone()
    assert moment("2025", now) == datetime(2025, 1, 1).astimezone()
    midnight = now.astimezone().replace(hour=0, minute=0)
    assert moment("today", now) == midnight


def test_a_saved_search_stands_for_its_text() -> None:
    saved = {"crypto": 'tag:crypto -"air drop"'}
    assert expand("@Crypto after:7d", saved) == 'tag:crypto -"air drop" after:7d'
    assert expand("me@crypto", saved) == "me@crypto"


def test_a_rule_keeps_what_a_saved_search_stands_for() -> None:
    saved = {"crypto": 'tag:crypto -title:audit from:"Coin Post" after:7d'}
    rule = parse_rule("never @crypto and kind:feed", saved)
    assert write(rule.condition) == (
        '(tag:"crypto" and not title:"audit" and (author:"Coin Post" or source:"Coin Post")'
        " and newer than 7d) and kind:feed"
    )
    assert parse_rule(str(rule)) == rule


@pytest.mark.parametrize("text", ["is:liked", "crypto before:2026-01-01"])
def test_a_search_that_rules_cannot_know_is_no_condition(text: str) -> None:
    with pytest.raises(UsageError, match="nothing that a rule can look at"):
        condition(parse(text))
    with pytest.raises(UsageError, match="no saved search @gone"):
        parse_rule("never @gone", {"kept": text})


def test_what_a_shell_took_away_is_put_back() -> None:
    assert from_arguments(["-from:Jane Doe", "old boats", "x"]) == '-from:"Jane Doe" "old boats" x'
    assert from_arguments(["old boats"]) == "old boats"


def test_a_line_that_saves_is_told_from_one_that_searches() -> None:
    found = SAVING.fullmatch("@my-boats = boats -toy")
    assert found is not None
    assert found.groups() == ("my-boats", "boats -toy")
    assert SAVING.fullmatch("@boats toy=x") is None
