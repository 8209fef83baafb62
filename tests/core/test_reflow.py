"""Which line ends of a mail were made by its width, and which were meant."""

from __future__ import annotations

import pytest

from triage.core.reflow import displayed, unwrapped

WRAPPED = """\
The rule that we agreed on in Lund counts an item as wanted only if it was
marked, and as unwanted only if it was shown. What was never shown has no
label, whatever we may think of it, so the tables hold labels only for what
was actually shown."""


def test_a_paragraph_that_was_wrapped_is_one_line_of_the_same_length() -> None:
    text = f"Dear all,\n\n{WRAPPED}\n\nYours\nTeodor"
    shown = unwrapped(text)
    assert shown.split("\n") == ["Dear all,", "", WRAPPED.replace("\n", " "), "", "Yours", "Teodor"]
    assert len(shown) == len(text)


def test_a_short_line_that_ends_a_sentence_ends_a_paragraph() -> None:
    first = WRAPPED.replace("was actually shown.", "was actually shown, and it says why it was shown.")
    shown = unwrapped(f"{first}\n{WRAPPED}").split("\n")
    assert shown == [first.replace("\n", " "), WRAPPED.replace("\n", " ")]


@pytest.mark.parametrize(
    "meant",
    [
        "> " + WRAPPED.replace("\n", "\n> "),
        "- the first of some things that have a line each, and it is long\n"
        "- the second of some things that have a line each, as long as it",
        "1. the first of some things that have a line each, and it is long\n"
        "2. the second of some things that have a line each, as long as it",
        "    for number, line in enumerate(every_line_of_the_text, start=1):\n"
        "        yield from the_words_of(line, number, but_not_those_of_the_last)",
        "The harbour lies behind the wall, the boats lie on the sand,\n"
        "The keeper of the lamp has gone and left it in my hand,\n"
        "And all that I was taught of it I never understand",
        "-- \nTeodor Linnqvist, who answers for the group of active learning\n"
        "Department of Everything That Has Not Got a Name of Its Own Yet",
        "OVERALL     SPAM     NONSPAM    RANK     SCORE    NAME OF THE TEST\n"
        "  15113     4797       10316    0.32      0.00    IMAGE_AREA_OF_ALL",
        "Dr Adaeze Okonkwo\n12 Harbour Street\nLeith",
    ],
    ids=["quote", "list", "numbers", "code", "poem", "signature", "table", "address"],
)
def test_lines_that_are_meant_stay(meant: str) -> None:
    assert unwrapped(meant) == meant


def test_only_mail_is_unwrapped() -> None:
    assert displayed("mail", WRAPPED) != WRAPPED
    assert displayed("feed", WRAPPED) == WRAPPED


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n", "x" * 100_000, "\n".join(["word " * 14] * 20_000)])
def test_odd_texts_keep_their_length(text: str) -> None:
    assert len(unwrapped(text)) == len(text)
