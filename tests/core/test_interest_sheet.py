"""The sheet of interests, aliases and rules: what is written is read back, and every mistake is named."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.core import interest_sheet
from triage.core.feedback import Event
from triage.core.interest_sheet import Line, read, write
from triage.core.sheet import SheetRefused
from triage.core.verbs import Verb

NOW = datetime(2026, 3, 2, 7, tzinfo=UTC)

PHRASES = st.text(st.sampled_from('aZé終 0123.-+*=[]#"for7duntil2026-01:'), min_size=1, max_size=24).map(
    lambda text: (
        " ".join(f"x {text}".split()) if not any(c.isalnum() for c in text) else " ".join(text.split())
    )
)
ENDS = st.none() | st.integers(1, 10**6).map(lambda minutes: NOW + timedelta(minutes=minutes))
INTERESTS = st.builds(
    Line,
    st.just(Verb.INTEREST),
    PHRASES,
    st.sampled_from([1.0, -1.0, 2.0, -0.5, 10.0]),
    st.sampled_from([None, "work", "home-2"]),
    ENDS,
)
RULES = st.builds(
    Line,
    st.sampled_from([Verb.ALWAYS, Verb.KEEP, Verb.NEVER, Verb.LANE_PEOPLE]),
    st.sampled_from(['source:"Wire"', 'title:"a" and not (author:"b" or older than 3d)']),
    st.none(),
    st.none(),
    ENDS,
)


@given(st.lists(INTERESTS | RULES, max_size=8, unique_by=lambda line: line.key))
def test_what_is_written_is_read_back_and_written_the_same(lines: list[Line]) -> None:
    text = write(lines)
    found = read(text)
    assert set(found.values()) == set(lines)
    assert write(found.values()) == text


def test_a_sheet_by_hand_is_read_in_all_its_forms() -> None:
    text = """
        # a comment
        cycling in cities
        +2 heat pumps
        + tides
        -celebrity news
        − 0,5 prices until 2026-12-01
        -3d printing
        +2 "3 body problem" for 7d
        "never source:x"
        C# and F#
        [ Work ]
        cycling in cities
        [Aliases]
        LLM=large language model
        [RULES]
        mute source:Wire for 2 weeks
        +1 by "Jane Doe"
        """
    found = list(read(text).values())
    assert [(line.phrase, line.weight, line.profile) for line in found[:9]] == [
        ("cycling in cities", 1.0, None),
        ("heat pumps", 2.0, None),
        ("tides", 1.0, None),
        ("celebrity news", -1.0, None),
        ("prices", -0.5, None),
        ("3d printing", -1.0, None),
        ("3 body problem", 2.0, None),
        ("never source:x", 1.0, None),
        ("C# and F#", 1.0, None),
    ]
    assert (found[4].term, found[6].term) == (datetime(2026, 12, 1).astimezone(UTC), timedelta(days=7))
    assert (found[9].phrase, found[9].profile) == ("cycling in cities", "work")
    assert found[10] == Line(Verb.ALIAS, "LLM = large language model", 1.0)
    assert found[11] == Line(Verb.NEVER, 'source:"Wire"', term=timedelta(days=14))
    assert found[12] == Line(Verb.RULE, 'author:"Jane Doe"', 1.0)
    assert found[12].number == 18


def test_a_sheet_says_what_holds_at_its_moment() -> None:
    log = [
        Event(id=1, at=NOW, verb=Verb.INTEREST, phrase="bees", weight=2.0),
        Event(id=2, at=NOW, verb=Verb.INTEREST, phrase="trams", until=NOW, scope="work"),
        Event(id=3, at=NOW, verb=Verb.NEVER, phrase='title:"x"', until=NOW + timedelta(days=1)),
    ]
    assert [str(line) for line in interest_sheet.current(log, NOW + timedelta(hours=1))] == [
        "+2 bees",
        f'never title:"x" {interest_sheet.write_term(NOW + timedelta(days=1))}',
    ]


INTEREST_MISTAKES = {
    "heat pumps = 2": "the weight stands in front: +2 heat pumps",
    "heat pumps=-1": "the weight stands in front: -1 heat pumps",
    "heat pumps = 0.5": "the weight stands in front: +0.5 heat pumps",
    "LLM = large language model": "is an alias; it belongs below [aliases]",
    "never source:Wire": "is a rule; it belongs below [rules]",
    "mute source:Wire for 7d": "is a rule; it belongs below [rules]",
    "author:Jane +2": "is a rule; it belongs below [rules]",
    "+2 author:Jane": "is a rule; it belongs below [rules]",
    "older than 3d -1": "is a rule; it belongs below [rules]",
    "keep title:bees": "is a rule; it belongs below [rules]",
    "lane people author:mum": "is a rule; it belongs below [rules]",
    "+0 bees": "+0 bees has no weight",
    "-0.0 bees": "-0.0 bees has no weight",
    "+11 bees": "between -10 and +10, not +11",
    "-100 bees": "between -10 and +10, not -100",
    "+2": "has no word",
    "+": "has no word",
    "-": "has no word",
    "...": "... has no word",
    '""': "has no word",
    '"-"': "has no word",
    "+3 !!!": "has no word",
    "bees until 2026-13-01": "until 2026-13-01 is no end",
    "bees until 2026": "until 2026 is no end",
    "bees until 31.12.2026": "until 31.12.2026 is no end",
    "bees until 9999-01-01": "until 9999-01-01 is no end",
    "b" * 201: "at most 200 characters, not 201",
    "twice": "twice stands in line 2 already",
    "+2 twice": "+2 twice stands in line 2 already",
    '"twice"': "stands in line 2 already",
}
SECTION_MISTAKES = {
    "[rulse]": "there is no section [rulse]; did you mean [rules]?",
    "[rule]": "did you mean [rules]?",
    "[Ruls]": "did you mean [rules]?",
    "[alias]": "did you mean [aliases]?",
    "[aliasses]": "did you mean [aliases]?",
    "[interest]": "did you mean [interests]?",
    "[intersts]": "did you mean [interests]?",
    "[work": "[work is no section",
    "[]": "is no name for a profile",
    "[ ]": "is no name for a profile",
    "[my work]": '"my work" is no name for a profile',
    "[work] bees": "[work] bees is no section",
    "[a/b]": '"a/b" is no name for a profile',
    "[--]": '"--" is no name for a profile',
    f"[{'w' * 41}]": "at most 40 characters, not 41",
}
ALIAS_MISTAKES = {
    "LLM": "LLM is no alias",
    "LLM: large language model": "is no alias: write LLM = large language model",
    "LLM =": '"" is no name',
    "= LLM": '"" is no name',
    "=": '"" is no name',
    "LLM = llm": '"LLM" and "llm" are one form',
    "a = b = c": '"b = c" is no name',
    "LLM = !!": '"!!" is no name',
    "-LLM": "-LLM is no alias",
    "never source:x": "never source:x is no alias",
}
RULE_MISTAKES = {
    "author:Jane Doe +2": '"Doe" stands alone; several words need quotes; try: author:"Jane Doe" +2',
    "auther:Jane +2": 'there is no "auther"; did you mean author?; try: author:Jane +2',
    "sorce:Wire never": 'there is no "sorce"; did you mean source?',
    "tags:x +1": "did you mean tag?",
    "titel:x +1": "did you mean title?",
    "mention5:x +1": "did you mean mention?",
    "nevr source:X": "did you mean never?",
    "alway source:X": "did you mean always?",
    "mut source:X": "did you mean mute?",
    "kep source:X": "did you mean keep?",
    "bost source:X": "did you mean boost?",
    "lan people source:X": "did you mean lane?",
    "colour:red +2": 'there is no "colour"',
    "python +2": "'python' stands alone: look for it where?; try: mentions:python +2",
    '"deep learning" +2': '"deep learning" stands alone',
    "source:X": '"source:X" needs an effect',
    "+2": '"+2" needs a condition',
    "never": '"never" needs a condition',
    "keep": '"keep" needs a condition',
    "author: +2": '"author" needs a word after it',
    'never title:"*"': '"title" needs a word after it',
    "never title:*": '"title" needs a word after it',
    'never title:""': '"title" needs a word after it',
    'never mentions:" "': '"mentions" needs a word after it',
    "author:Jane 2": '"2" needs a sign',
    "author:Jane -20": '"-20" is too strong: from -5 to +5',
    "author:Jane +0": '"+0" changes nothing',
    "+1 author:Jane -1": '"-1" is a second effect',
    "never author:Jane always": '"always" is a second effect',
    "source:X or +2": 'something has to follow "or"',
    "source:X and": 'something has to follow "and"',
    "not": 'something has to follow "not"',
    'title:"a b +2': "is never closed",
    "(source:X +2": '"(" is never closed',
    "source:X) +2": 'there is a ")" too many',
    "any(source:X,) +2": 'there is a ")" too many',
    "older than 3 fortnights -1": "is no age",
    "older -1": '"older" is no age',
    "newer than +1": '"newer than" is no age',
    "older than 999y -1": "longer than a hundred years",
    "never kind:newsfeed": 'there is no kind "newsfeed"',
    "lane pepole source:x": 'there is no lane "pepole": it is people or for-you; try: lane people source:x',
    "lane work source:x": 'there is no lane "work"',
    "source:x lane": '"lane" needs a name',
    "never source:x until friday": '"until friday" is no end',
    "never source:x until": "is no end",
    "never source:x for 3 fortnights": '"for 3 fortnights" is no end',
    "source:x for 7d for 8d -1": "is a second end",
    "never source:x for 0d": "is no end",
    "source:x " * 60 + "+1": "at most 500 characters",
    "(" * 30 + "source:x" + ")" * 30 + " +1": "more than 20 parentheses",
    "LLM = large language model": "'LLM' stands alone",
    "cycling in cities": "'cycling' stands alone",
}
MISTAKES = [
    *(("", *each) for each in INTEREST_MISTAKES.items()),
    *(("[work]", *each) for each in SECTION_MISTAKES.items()),
    *(("[aliases]", *each) for each in ALIAS_MISTAKES.items()),
    *(("[rules]", *each) for each in RULE_MISTAKES.items()),
]


def test_each_of_a_hundred_mistakes_names_its_line_and_its_word() -> None:
    assert len(MISTAKES) >= 100
    for section, typed, says in MISTAKES:
        with pytest.raises(SheetRefused) as refused:
            read(f"# head\ntwice\n{section}\n\n{typed}\n")
        (error,) = refused.value.errors
        assert (error.line, says in error.message) == (5, True), (typed, error)


def test_all_mistakes_of_a_sheet_are_named_at_once() -> None:
    with pytest.raises(SheetRefused) as refused:
        read("bees = 2\n[rulse]\nbees = 3\n[rules]\nnevr source:x\n")
    assert [error.line for error in refused.value.errors] == [1, 2, 5]


@given(st.text(max_size=60))
def test_any_text_is_a_sheet_or_refused_in_words(text: str) -> None:
    for section in ("", "[rules]\n", "[aliases]\n"):
        with contextlib.suppress(SheetRefused):
            found = read(section + text)
            assert set(read(write(found.values())).values()) == set(found.values())
