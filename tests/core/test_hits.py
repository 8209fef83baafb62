from __future__ import annotations

import time

import pytest

from triage.core.hits import Hits
from triage.core.query import parse


def shown(query: str, text: str) -> tuple[str, list[str]]:
    """The passage, and the hits in it."""
    (passage,) = Hits(parse(query)).passages(text)
    return passage.text, [text[start:end] for start, end in passage.phrases]


@pytest.mark.parametrize(
    ("query", "text", "hits"),
    [
        ("cafe", "Das Café.", ["Café"]),
        ("harb", "In harbours; enharboured.", ["harbours"]),
        ('"night boat"', "The night-boat, a boat at night.", ["night-boat"]),
        ("注意", "有注意力的人", ["注意"]),
        ("c++", "C++ or C#.", ["C", "C"]),
        ("🎉", "Party 🎉!", ["🎉"]),
    ],
)
def test_hits_are_where_a_reader_sees_them(query: str, text: str, hits: list[str]) -> None:
    assert shown(query, text)[1] == hits


def test_the_passage_with_most_of_the_words_is_shown() -> None:
    text = "of " * 200 + "\n\nA harbour of quays.\n\n" + "of " * 200
    assert shown("of harbour", text) == ("A harbour of quays.", ["harbour", "of"])


def test_a_passage_is_of_whole_words_and_not_too_long() -> None:
    passage, hits = shown("harbour", "wall " * 100 + "harbour " + "quay " * 100)
    assert hits == ["harbour"]
    assert passage.split()[0] == "wall"
    assert passage.endswith("quay")
    assert len(passage) <= 205


def test_nothing_is_shown_where_no_word_is() -> None:
    assert Hits(parse("harbour")).passages("Quays only.") == ()
    assert Hits(parse("title:harbour")).passages("A harbour.") == ()
    assert Hits(parse("is:new")).passages("A harbour.") == ()


def test_a_text_full_of_hits_takes_no_time() -> None:
    begun = time.process_time()
    Hits(parse("a")).passages("a " * 100_000)
    assert time.process_time() - begun < 0.5
