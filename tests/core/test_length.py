from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from triage.core.length import measure


@given(st.text(st.sampled_from(" \t\n\r\v\f\x1c\x1f\x7f.-xyz9"), max_size=30))
@example("")
@example(" one\n\ntwo ")
def test_words_are_what_white_space_parts(text: str) -> None:
    assert measure(text) == (len(text.split()), 0)


def test_words_and_characters_without_spaces_are_counted_apart() -> None:
    assert measure("two words \u5927\u962a\u306e\u9dfa and more") == (4, 4)
