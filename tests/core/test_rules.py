from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.core import feedback, rules
from triage.core.errors import UsageError
from triage.core.feedback import Event
from triage.core.rule_parser import from_arguments, parse, parse_condition
from triage.core.rules import AllOf, AnyOf, Condition, Has, Not, Older, Rule
from triage.core.verbs import Verb

NOW = datetime(2026, 3, 2, tzinfo=UTC)
JANE, WIRE, PYTHON = Has("author", "Jane Doe"), Has("source", "Wire"), Has("mentions", "python")

VALUES = st.text(st.sampled_from("aZé终 .-*+@'’()|&!,:"), min_size=1, max_size=12).map(
    lambda text: f"x{' '.join(text.split())}"
)
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.builds(Has, st.sampled_from(["source", "author", "tag", "title", "mentions"]), VALUES)
    | st.builds(Has, st.just("kind"), st.sampled_from(["feed", "mail", "paper"]))
    | st.builds(Older, st.integers(1, 99).map(float), st.sampled_from(list(rules.HOURS))),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(AllOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(AnyOf, st.lists(inner, min_size=2, max_size=3).map(tuple))
    ),
    max_leaves=6,
)
EFFECTS = st.sampled_from([2.0, -1.0, 0.5, *get_args(rules.Hard)])


@given(CONDITIONS, EFFECTS)
def test_what_is_written_is_read_back(condition: Condition, effect: rules.Effect) -> None:
    rule = Rule(condition, effect)
    assert parse_condition(rules.write(condition)) == condition
    if len(str(rule)) <= 500:
        assert parse(str(rule)) == rule


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ('author:"Jane Doe" +2', Rule(JANE, 2)),
        ("Author = 'Jane Doe' +2", Rule(JANE, 2)),
        ("+2 by “Jane Doe”", Rule(JANE, 2)),
        ("source:Wire −1", Rule(WIRE, -1)),
        ("source Wire -0.5", Rule(WIRE, -0.5)),
        ("source is Wire -0,5", Rule(WIRE, -0.5)),
        ("NEVER source:Wire", Rule(WIRE, "never")),
        ("never show: source:Wire", Rule(WIRE, "never")),
        ("mute source:Wire", Rule(WIRE, "never")),
        ("source:Wire mute", Rule(WIRE, "never")),
        ("keep source:Wire", Rule(WIRE, "keep")),
        ("boost source:Wire", Rule(WIRE, 1)),
        ("boost by 2 source:Wire", Rule(WIRE, 2)),
        ("source:Wire boost -1.5", Rule(WIRE, -1.5)),
        ("lane people source:Wire", Rule(WIRE, "lane people")),
        ("source:Wire lane: for you", Rule(WIRE, "lane for-you")),
        ("source:Wire always", Rule(WIRE, "always")),
        ("older than 3d -1", Rule(Older(3, "d"), -1)),
        ("age > 3 days -1", Rule(Older(3, "d"), -1)),
        ("newer than 2 weeks +1", Rule(Not(Older(2, "w")), 1)),
        ("kind:emails never", Rule(Has("kind", "mail"), "never")),
        ("tag:cs.IR +1", Rule(Has("tag", "cs.IR"), 1)),
        ("mentions:C++ +1", Rule(Has("mentions", "C++"), 1)),
        ("source:O'Brien +1", Rule(Has("source", "O'Brien"), 1)),
        ("never source:Wire and not mentions:python", Rule(AllOf((WIRE, Not(PYTHON))), "never")),
        ("never source:Wire but not mentions:python", Rule(AllOf((WIRE, Not(PYTHON))), "never")),
        ("source:Wire mentions:python +1", Rule(AllOf((WIRE, PYTHON)), 1)),
        (
            "source:Wire | mentions:python & tag:x +1",
            Rule(AnyOf((WIRE, AllOf((PYTHON, Has("tag", "x"))))), 1),
        ),
        ("not (source:Wire or mentions:python) -1", Rule(Not(AnyOf((WIRE, PYTHON))), -1)),
        ("any(source:Wire, mentions:python) +1", Rule(AnyOf((WIRE, PYTHON)), 1)),
        ("all of (source:Wire, not mentions:python) +1", Rule(AllOf((WIRE, Not(PYTHON))), 1)),
    ],
)
def test_what_people_type_is_understood(typed: str, meant: Rule) -> None:
    assert parse(typed) == meant


@pytest.mark.parametrize(
    ("typed", "says", "fix"),
    [
        ("author:Jane Doe +2", '"Doe" stands alone; several words need quotes', 'author:"Jane Doe" +2'),
        ("by Jane Doe and source:X -1", '"Doe" stands alone', 'by "Jane Doe" and source:X -1'),
        ("auther:Jane +2", 'there is no "auther"; did you mean author?', "author:Jane +2"),
        ("nevr source:X", "did you mean never?", "never source:X"),
        ("colour:red +2", 'there is no "colour": a rule looks at source, author', None),
        ("python +2", "'python' stands alone: look for it where?", "mentions:python +2"),
        ('"deep learning" +2', '"deep learning" stands alone', 'mentions:"deep learning" +2'),
        ("source:X", '"source:X" needs an effect', "source:X +2"),
        ("+2", '"+2" needs a condition', None),
        ("", "a condition and an effect", None),
        ("author: +2", '"author" needs a word after it', None),
        ("mentions:* +2", '"mentions" needs a word after it', None),
        ("author:Jane 2", '"2" needs a sign', "author:Jane +2"),
        ("author:Jane -20", '"-20" is too strong: from -5 to +5', "author:Jane -5"),
        ("author:Jane +0", '"+0" changes nothing', None),
        ("+1 author:Jane -1", '"-1" is a second effect', None),
        ("source:X or +2", 'something has to follow "or"', None),
        ("source:X and", 'something has to follow "and"', None),
        ('title:"a b +2', 'the quote in "a b +2 is never closed', 'title:"a b" +2'),
        ("(source:X +2", '"(" is never closed', "(source:X) +2"),
        ("source:X) +2", 'there is a ")" too many', "source:X +2"),
        ("older than 3 fortnights -1", '"older than 3 fortnights" is no age', "older than 3d -1"),
        ("newer than +1", '"newer than" is no age', "newer than 3d +1"),
        ("older than 999y -1", "longer than a hundred years", None),
        ("never kind:newsfeed", 'there is no kind "newsfeed"', "never kind:feed"),
        ("not " * 30 + "source:x +1", "more than 20", None),
        ("(" * 30 + "source:x" + ")" * 30 + " +1", "more than 20", None),
        (
            "never source:x until friday",
            '"until friday" is no end: write a date such as',
            "never source:x for 7d",
        ),
        ("never source:x for 3 fortnights", '"for 3 fortnights" is no end', "never source:x for 7d"),
        ("source:x for 7d for 8d -1", '"for 8d" is a second end', None),
        ("never source:x until 9999-01-01", "is no end", "never source:x for 7d"),
        ("never title:machine for sale", '"for sale" stands alone', 'never title:"machine for sale"'),
        ("source:x " * 60 + "+1", "at most 500 characters", None),
    ],
)
def test_a_mistake_is_quoted_and_mended(typed: str, says: str, fix: str | None) -> None:
    with pytest.raises(UsageError) as refused:
        parse(typed)
    assert says in str(refused.value)
    assert refused.value.fix is not None
    command = shlex.split(refused.value.fix)
    assert command[:3] == ["triage", "rules", "add"]
    if fix is not None:
        assert command[3] == fix
    parse(command[3])


@given(
    st.text(st.sampled_from("source:any not(),or\"“”'+-123 olderthanuntilford|&!=<>*é终\n\x00"), max_size=40)
)
def test_any_text_is_a_rule_or_a_mistake_in_words(typed: str) -> None:
    try:
        rule = parse(typed)
    except UsageError:
        return
    assert parse(str(rule)) == rule


def test_a_rule_that_can_be_added_can_be_read_again_however_long_it_becomes() -> None:
    typed = " ".join(["tag:a"] * 35)
    rule = parse(f"never {typed} until 2026-12-01 18:30")
    assert len(typed) < 250 < len(str(rule))
    assert parse(str(rule)) == rule
    with pytest.raises(UsageError, match="at most 500 characters, not 535 with all its quotes"):
        parse(" ".join(["tag:a"] * 45) + " +1")


def test_quotes_that_a_shell_took_away_are_put_back() -> None:
    line = 'never source:"The Wire" and not mentions:python'
    assert from_arguments(shlex.split(line)) == line
    assert from_arguments(shlex.split('author:"Jane Doe" +2')) == 'author:"Jane Doe" +2'
    assert from_arguments(["author:Jane Doe +2"]) == "author:Jane Doe +2"


def said(number: int, verb: Verb, phrase: str | None = None, weight: float | None = None) -> Event:
    return Event(id=number, at=NOW, verb=verb, phrase=phrase, weight=weight)


def test_the_last_word_on_a_condition_counts_and_an_undo_gives_the_one_before() -> None:
    log = [
        said(1, Verb.RULE, 'author:"Jane"', 2.0),
        said(2, Verb.NEVER, 'source:"Wire"'),
        said(3, Verb.ALWAYS, 'author:"jane"'),
    ]
    assert feedback.rules(log) == {'author:"jane"': "always", 'source:"Wire"': "never"}
    undone = [*log, Event(id=4, at=NOW, verb=Verb.UNDO, undoes=3)]
    assert feedback.rules(undone) == {'author:"Jane"': 2.0, 'source:"Wire"': "never"}
    removed = [*log, said(4, Verb.RULE, 'source:"Wire"', 0.0)]
    assert feedback.rules(removed) == {'author:"jane"': "always"}


def test_rules_and_aliases_are_part_of_the_profile() -> None:
    nothing = feedback.profile_hash([])
    rule = said(1, Verb.RULE, 'author:"Jane"', 2.0)
    alias = said(2, Verb.ALIAS, "LLM = large language model", 1.0)
    hashes = {nothing, feedback.profile_hash([rule]), feedback.profile_hash([rule, alias])}
    assert len(hashes) == 3
    both = [rule, alias, *(Event(id=9 + n, at=NOW, verb=Verb.UNDO, undoes=n) for n in (1, 2))]
    assert feedback.profile_hash(both) == nothing
    assert feedback.aliases([alias]) == ["LLM = large language model"]
    assert feedback.aliases([alias, said(3, Verb.ALIAS, "llm = Large Language Model", 0.0)]) == []


@pytest.mark.parametrize(("form", "other"), [("LLM", "llm"), ("", "model"), ("a=b", "c"), ("!?", "model")])
def test_an_alias_needs_two_names(form: str, other: str) -> None:
    with pytest.raises(UsageError):
        rules.write_alias(form, other)


@pytest.mark.parametrize(
    ("typed", "term"),
    [
        ("never source:Wire for 7d", timedelta(days=7)),
        ("never source:Wire for 2 weeks", timedelta(days=14)),
        ("source:Wire for a month -1", timedelta(days=30)),
        ("source:Wire -1 for 1,5 hours", timedelta(hours=1.5)),
        ("never source:Wire until 2026-12-01", datetime(2026, 12, 1).astimezone(UTC)),
        ("never source:Wire until 2026-12-01 18:30", datetime(2026, 12, 1, 18, 30).astimezone(UTC)),
        ("never source:Wire until 2026-12-01T18:30:00+00:00", datetime(2026, 12, 1, 18, 30, tzinfo=UTC)),
    ],
)
def test_a_rule_may_end(typed: str, term: rules.Term) -> None:
    rule = parse(typed)
    assert (rule.condition, rule.term) == (WIRE, term)
    assert parse(str(rule)) == rule


def test_the_end_of_a_rule_is_rounded_up_to_what_can_be_written() -> None:
    now = datetime(2026, 3, 2, 7, 0, 30, tzinfo=UTC)
    assert rules.ending(timedelta(hours=1), now) == datetime(2026, 3, 2, 8, 1, tzinfo=UTC)
    assert rules.ending(None, now) is None
    with pytest.raises(UsageError, match="is over already"):
        rules.ending(datetime(2026, 3, 2, 7, tzinfo=UTC), now)


def test_a_rule_that_ran_out_was_never_said() -> None:
    week = NOW + timedelta(days=7)
    log = [
        said(1, Verb.RULE, 'source:"Wire"', 2.0),
        Event(id=2, at=NOW, verb=Verb.NEVER, phrase='source:"Wire"', until=week),
        Event(id=3, at=NOW, verb=Verb.INTEREST, phrase="elections", weight=2.0, until=week),
    ]
    assert feedback.rules(log, NOW) == feedback.rules(log) == {'source:"Wire"': "never"}
    assert feedback.rules(log, week) == {'source:"Wire"': 2.0}
    assert (feedback.interests(log, NOW), feedback.interests(log, week)) == ({"elections": 2.0}, {})
    assert feedback.profile_hash(log, NOW) != feedback.profile_hash(log, week)
    assert feedback.profile_hash(log, week) == feedback.profile_hash(log[:1], week)


def test_the_events_of_one_step_are_found_by_its_number() -> None:
    log = [
        Event(id=5, at=NOW, verb=Verb.INTEREST, phrase="bees", step=5),
        Event(id=6, at=NOW, verb=Verb.NEVER, phrase='title:"chess"', step=5),
        Event(id=7, at=NOW, verb=Verb.INTEREST, phrase="trams"),
    ]
    assert [event.id for event in feedback.same_step(log, log[1])] == [5, 6]
    assert [event.id for event in feedback.same_step(log, log[2])] == [7]
