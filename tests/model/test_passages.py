"""Passages and sentences: boundaries, offsets, and that nothing is ever lost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.passages import (
    MAX_SENTENCE_CHARS,
    MAX_TEXT_PASSAGES,
    PASSAGE_TOKENS,
    estimate_tokens,
    sentences,
    share_cjk,
    split,
)

TEXTS = st.text(
    st.one_of(st.sampled_from(" \n\t.!?。，「」abcABC123ÄжЖ中文هم-*•"), st.characters(codec="utf-8")),
    max_size=400,
) | st.lists(
    st.sampled_from(["One more. ", "你好。", "\n\n", "Zwei Wörter! ", "x" * 700, "e.g. "]), max_size=60
).map("".join)


def words_of(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@given(TEXTS)
def test_sentences_are_ordered_disjoint_trimmed_and_lose_only_white_space(text: str) -> None:
    at = 0
    for start, end in sentences(text):
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip() != ""
        assert end - start <= MAX_SENTENCE_CHARS
        at = end
    assert not text[at:].strip()


@given(TEXTS, TEXTS)
def test_passages_cover_title_and_text_in_order_and_stay_few(title: str, text: str) -> None:
    passages = split(title, text)
    titles = [p for p in passages if p.field == "title"]
    parts = passages[len(titles) :]
    assert [title[p.start : p.end] for p in titles] == ([title.strip()] if title.strip() else [])
    assert len(parts) <= MAX_TEXT_PASSAGES
    at = 0
    for part in parts:
        assert part.field == "text"
        assert at <= part.start < part.end <= len(text)
        assert not text[at : part.start].strip()
        at = part.end
    assert not text[at:].strip()


@given(TEXTS)
def test_a_passage_that_fits_stays_whole_when_split_again(text: str) -> None:
    for passage in split("", text):
        part = text[passage.start : passage.end]
        if sum(estimate_tokens(sentence) for sentence in words_of(part)) <= PASSAGE_TOKENS:
            assert [(p.start, p.end) for p in split("", part)] == [(0, len(part))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("First one. Second one! Third?", ["First one.", "Second one!", "Third?"]),
        (
            "See Fig. 3 by Dr. Smith et al. for J. Doe. Done.",
            ["See Fig. 3 by Dr. Smith et al. for J. Doe.", "Done."],
        ),
        ("It costs 3.50 euros, approx. ten. Fine.", ["It costs 3.50 euros, approx. ten.", "Fine."]),
        ("Am 3. Oktober war z.B. frei. Danach nicht.", ["Am 3. Oktober war z.B. frei.", "Danach nicht."]),
        ("Привет, т.е. здравствуйте. Как дела?", ["Привет, т.е. здравствуйте.", "Как дела?"]),
        ("مرحبا بكم. كيف حالك؟ جيد.", ["مرحبا بكم.", "كيف حالك؟", "جيد."]),
        (
            "今天天气好。我们去“公园”吧！「好的。」他说。",
            ["今天天气好。", "我们去“公园”吧！", "「好的。」", "他说。"],
        ),
        ("A line\nthat is wrapped. Next.", ["A line\nthat is wrapped.", "Next."]),
        ("Today\n\nSmall print", ["Today", "Small print"]),
        ("You need\n- eggs\n- milk", ["You need", "- eggs", "- milk"]),
        ("He said “stop.” Then he left.", ["He said “stop.”", "Then he left."]),
        ("", []),
        (" \n\n ", []),
    ],
)
def test_sentence_ends(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected


def test_each_story_of_a_newsletter_keeps_its_own_passage() -> None:
    stories = [
        f"Story {n} is about topic{n}. " + f"It tells more of topic{n} at length. " * 11 for n in range(6)
    ]
    text = "\n\n".join(story.strip() for story in stories)
    parts = [text[p.start : p.end] for p in split("Weekly digest", text) if p.field == "text"]
    assert parts == [story.strip() for story in stories]


def test_short_paragraphs_share_a_passage() -> None:
    text = "\n\n".join(f"Line {n}." for n in range(10))
    assert [(p.start, p.end) for p in split("", text)] == [(0, len(text))]


def test_an_abstract_is_cut_into_even_parts() -> None:
    text = "This sentence has exactly fifty characters in all. " * 24
    sizes = [p.end - p.start for p in split("", text.strip())]
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) <= 51


def test_estimate_of_tokens_knows_scripts() -> None:
    assert estimate_tokens("nine letters in each of these words") == pytest.approx(35 / 4.5)
    assert estimate_tokens("今天天气好") == 5
    assert estimate_tokens("Привет") == 3


def test_share_cjk() -> None:
    assert share_cjk("") == 0
    assert share_cjk("ab 中文") == 0.5
    assert share_cjk("日本語です") == 1


@pytest.mark.parametrize("unit", [".", "\n", "a", "。", "\n ", '."', "- \n", " "])
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    begin = time.process_time()
    split(unit * 50_000, unit * 100_000)
    assert time.process_time() - begin < 2
