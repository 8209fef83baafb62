"""Passages and sentences: boundaries, offsets, and that nothing is ever lost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import hygiene
from model.passages import (
    MAX_SENTENCE_CHARS,
    MAX_TEXT_PASSAGES,
    PASSAGE_TOKENS,
    estimate_tokens,
    sentences,
    share_beyond_latin,
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
    uncovered = []
    for part in parts:
        assert part.field == "text"
        assert at <= part.start < part.end <= len(text)
        uncovered.append((at, part.start))
        at = part.end
    silent = {span for span in sentences(text) if not _counts(title, text, span)}
    for start, end in [*uncovered, (at, len(text))]:
        assert {(start + a, start + b) for a, b in sentences(text[start:end])} <= silent


def _counts(title: str, text: str, span: tuple[int, int]) -> bool:
    """Whether anything of a sentence counts, or it has no words at all."""
    _, read = hygiene.read(title, text, sentences(text))
    return all(any(said.counts) for said in read if (said.start, said.end) == span)


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


NAMES = [
    "herons",
    "trains",
    "bread",
    "glass",
    "rivers",
    "clocks",
    "maps",
    "songs",
    "wolves",
    "kites",
    "apples",
    "stones",
]


def test_each_story_of_a_newsletter_keeps_its_own_passage() -> None:
    stories = [
        f"This story is about {name}. "
        + " ".join(f"It tells what {name} and {other} share." for other in NAMES)
        for name in NAMES[:6]
    ]
    parts = [p for p in split("Weekly digest", "\n\n".join(stories)) if p.field == "text"]
    assert ["\n\n".join(stories)[p.start : p.end] for p in parts] == stories


def test_what_is_said_again_gets_no_passage() -> None:
    text = " ".join(f"Something is said of {name}." for name in NAMES)
    assert split("", f"{text}\n\n{text}\n\n{text}") == split("", text)
    assert split("A title", "A title!") == split("A title", "")


def test_short_paragraphs_share_a_passage() -> None:
    text = "\n\n".join(f"Line of {name}." for name in NAMES)
    assert [(p.start, p.end) for p in split("", text)] == [(0, len(text))]


def test_an_abstract_is_cut_into_even_parts() -> None:
    text = " ".join(
        f"This sentence has some fifty characters: {a} {b}."
        for a, b in zip(NAMES * 2, NAMES[1:] * 3, strict=False)
    )
    sizes = [p.end - p.start for p in split("", text)]
    assert len(sizes) == 3
    assert max(sizes) - min(sizes) <= 60


def test_estimate_of_tokens_knows_scripts() -> None:
    assert estimate_tokens("nine letters in each of these words") == pytest.approx(35 / 4.5)
    assert estimate_tokens("今天天气好") == 5
    assert estimate_tokens("Привет") == 3


def test_share_beyond_latin() -> None:
    assert share_beyond_latin("") == 0
    assert share_beyond_latin("123 !?") == 0
    assert share_beyond_latin("Überraschend größere Maße, français") == 0
    assert share_beyond_latin("ab 中文") == 0.5
    assert share_beyond_latin("日本語です") == 1
    assert share_beyond_latin("Внимание") == share_beyond_latin("الانتباه") == 1


@pytest.mark.parametrize("unit", [".", "\n", "a", "。", "\n ", '."', "- \n", " "])
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    begin = time.process_time()
    split(unit * 50_000, unit * 100_000)
    assert time.process_time() - begin < 2
