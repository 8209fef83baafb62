from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.core import text as text_module
from triage.core.identity import content_hash
from triage.core.text import MAX_COMBINING, sanitize_line, sanitize_text

ANY_TEXT = st.text(alphabet=st.characters(), max_size=200)


@given(ANY_TEXT)
def test_no_control_character_but_newline_and_tab_survives(text: str) -> None:
    for char in sanitize_text(text):
        assert unicodedata.category(char) not in ("Cc", "Cs") or char in "\n\t"


@given(ANY_TEXT)
def test_sanitising_twice_changes_nothing(text: str) -> None:
    once = sanitize_text(text)
    assert sanitize_text(once) == once


@given(ANY_TEXT)
def test_a_line_is_one_line(text: str) -> None:
    line = sanitize_line(text)
    assert line == " ".join(line.split())


@given(ANY_TEXT, st.integers(1, 50))
def test_a_limit_is_kept(text: str, limit: int) -> None:
    assert len(sanitize_text(text, limit)) <= limit


def test_an_escape_sequence_stays_visible_but_powerless() -> None:
    assert sanitize_line("x \x1b]52;c;aGk=\x07 y") == "x \ufffd]52;c;aGk=\ufffd y"
    assert sanitize_line("\x9b31m") == "\ufffd31m"


def test_markup_is_text() -> None:
    assert sanitize_line("x [/] [@click=app.quit]y[/]") == "x [/] [@click=app.quit]y[/]"


def test_direction_and_zero_width_characters_vanish() -> None:
    assert sanitize_line("evil\u202egpj.exe") == "evilgpj.exe"
    assert sanitize_line("b\u200bu\u2060y\U000e0041") == "buy"


def test_joiners_inside_a_word_stay_because_scripts_need_them() -> None:
    assert sanitize_line("می\u200cخواهم") == "می\u200cخواهم"
    assert sanitize_line("👩\u200d🚀") == "👩\u200d🚀"


def test_stacked_marks_are_cut() -> None:
    assert sanitize_line("a" + "\u0301" * 200 + "b") == "a" + "\u0301" * MAX_COMBINING + "b"


def test_paragraphs_survive() -> None:
    assert sanitize_text("one\r\ntwo\r\n\r\n\r\n\r\nthree  \u2029four") == "one\ntwo\n\nthree\n\nfour"


@pytest.mark.parametrize("filling", [" ", "\t", "\u00a0", "\u302e\U0001d165", "\u0327\u0301", "\u200d "])
def test_the_longest_text_costs_less_than_a_second_whatever_it_is_filled_with(filling: str) -> None:
    text = "a" + filling * (200_000 // len(filling)) + "b"
    started = time.process_time()
    content_hash("", sanitize_text(text))
    assert time.process_time() - started < 1


def test_marks_that_take_room_are_cut_too() -> None:
    assert sanitize_line("a" + "\u302e\U0001d165" * 100) == "a" + "\u302e\U0001d165" * (MAX_COMBINING // 2)


def test_characters_that_are_passed_over_are_those_that_nothing_is_done_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PRS-07, PRS-16."""
    characters = [chr(code) for code in range(0x11000)]
    quick = [sanitize_text(f"a{char}b") for char in characters]
    monkeypatch.setattr(text_module, "_is_plain", lambda _: False)
    assert quick == [sanitize_text(f"a{char}b") for char in characters]


@pytest.mark.parametrize(
    "text", ["Wort, wort; WORT\n", "a_b--c  9 Ünder", "", "_", "tab\tand\x1fothers\x7f", "naïve ⅷ"]
)
def test_words_of_plain_and_of_other_text_are_the_same_words(text: str) -> None:
    """The hash of a text does not hang on whether some other word in it has an accent."""
    hashes = {content_hash(f"{text} {end}", "") for end in ("x y", "X_Y", "x\u2003y")}
    assert len(hashes) == 1
