"""Wording that the terminal and the command line share."""

from __future__ import annotations

from triage.core import words


def test_items_ranked_by_words_alone_are_counted_in_words() -> None:
    assert words.by_words(1) == "1 item in scripts that the encoder does not read is ranked by words alone."
    assert words.by_words(3).startswith("3 items in scripts that the encoder does not read are ")


def test_what_more_speaks_against_than_for_is_no_fair_match() -> None:
    assert [words.match(chance, 1.0) for chance in (0.1, 0.2, 0.4)] == ["faint", "fair", "strong"]
    assert words.match(0.4, -2.0) == "faint"
