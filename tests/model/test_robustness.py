"""Crafted texts: what is hidden, disguised, repeated or listed, and how far one planted passage can reach."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array

from model import hygiene, mixture
from model.evidence import LearnedMeaning, Sharpness
from model.grid import Grid
from model.lexical import Terms, count_terms, occurrences
from model.mixture import Scale, squash
from model.passages import sentences, split, to_encode
from model.wordgrid import WordGrid

PROSE = (
    "The herons of the lake are back in their nests, and the ringing of the young begins in May. "
    "We count them from a boat, as it was done in the years before the war. "
    "Most of them stay for the summer, but some leave with the first rain."
)
LISTED = "heron, wetland, plumage, migration, census, marsh, ringing, flock, feather, nest, wader, stork"
PLAIN = "Wetland herons and the peculiar migration of storks"
BASES = st.lists(
    st.sampled_from(
        [
            "The heron eats a fish.",
            "It rains on the old marsh!",
            "Wir zählen 3 Vögel.",
            "Запись о птицах.",
            "我们数鸟。",
            "Nothing is said of the trains that run late at night to the coast.",
            "No. 5",
            "heron, wetland, plumage, migration, census, marsh, ringing, flock, feather, nest",
        ]
    ),
    max_size=9,
)
TEXTS = st.text(
    st.one_of(
        st.sampled_from(" \n.,!。abABÄяо\u03b1\u00ad\u200b\u200d\u0301\uff41\U0001d41a中かه#1"),
        st.characters(codec="utf-8"),
    ),
    max_size=120,
)


def words_of(title: str, text: str) -> list[str]:
    """The words that count, in order."""
    head, body = hygiene.read(title, text, sentences(text))
    return [word for sentence in (*head, *body) for word, _ in sentence.heard]


def same(one: Terms, other: Terms) -> bool:
    return one.to_bytes() == other.to_bytes()


def encoded(title: str, text: str) -> list[str]:
    """The words that the encoder reads, whatever its windows."""
    return " ".join(window.text for window in to_encode(title, text, split(title, text))).split()


# --- disguise


def shifted(text: str, capital: int, small: int) -> str:
    return "".join(
        chr(ord(char) - ord(base) + first)
        for char in text
        for base, first in [("A", capital) if "A" <= char <= "Z" else ("a", small)]
        if char.isalpha()
    )


DISGUISES = {
    "Cyrillic": PLAIN.translate(str.maketrans("aceopxy", "асеорху")),
    "Greek": PLAIN.translate(str.maketrans("oviu", "ονιυ")),
    "full-width": " ".join(shifted(word, 0xFF21, 0xFF41) for word in PLAIN.split()),
    "mathematical": " ".join(shifted(word, 0x1D400, 0x1D41A) for word in PLAIN.split()),
    "circled": " ".join(shifted(word, 0x24B6, 0x24D0) for word in PLAIN.split()),
    "in black squares": " ".join(shifted(word, 0x1F170, 0x1F170) for word in PLAIN.split()),
    "joiners": PLAIN.replace("e", "e\u200d"),
    "soft hyphens": PLAIN.replace("r", "\u00adr"),
    "spaces without width": PLAIN.replace("a", "\u200ba"),
    "tag characters": PLAIN.replace("a", "a\U000e0061\U000e0062"),
}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_disguised_text_counts_and_reads_as_what_it_looks_like(disguise: str) -> None:
    """ML-06, ML-14."""
    text = DISGUISES[disguise]
    assert text != PLAIN
    assert same(count_terms(text, ""), count_terms(PLAIN, ""))
    assert " ".join(encoded("", text)).lower() == PLAIN.lower()


def test_marks_over_letters_hide_no_word() -> None:
    assert same(count_terms("", "h\u0336e\u0336r\u0336o\u0336n\u0336"), count_terms("", "heron"))


@pytest.mark.parametrize(
    "text", ["Поездка на озеро", "σύννεφα και ουρανός", "λmax", "Москва-2", "café", "東京"]
)
def test_honest_letters_stay_what_they_are(text: str) -> None:
    assert hygiene.fold(text) == text


@given(TEXTS)
def test_folding_keeps_every_position_and_is_done_once(text: str) -> None:
    folded = hygiene.fold(text)
    assert len(folded) == len(text)
    assert hygiene.fold(folded) == folded


@given(TEXTS, TEXTS)
def test_words_point_into_the_text_as_it_was_written(title: str, text: str) -> None:
    head, body = hygiene.read(title, text, sentences(text))
    for field, said in ((title, head), (text, body)):
        for sentence in said:
            for word, place in zip(sentence.words, sentence.places, strict=True):
                assert sentence.start <= place < sentence.end
                assert hygiene.fold(field)[place].isalnum() or field[place] == "_"
                if field.isascii():
                    assert field[place : place + len(word)].lower() == word


def test_a_disguised_word_is_marked_where_it_stands() -> None:
    text = "A small he\u200dron, and an оld stоrk."
    places = {at for _, _, at in occurrences("", text)}
    assert {text[at : at + 2] for at in places} == {"sm", "he", "оl", "st"}


# --- repetition


@given(BASES, st.integers(0, 8), st.integers(1, 6))
def test_a_sentence_said_again_adds_nothing(base: list[str], which: int, times: int) -> None:
    """ML-04. For every text T of sentences and every sentence s of T: T s^m has the passages, the windows and
    the terms of T, and therefore its logit.

    Proof. Each copy of s has the words of an earlier sentence, so `hygiene.read` gives none of them any
    count, does not compare later sentences with it, and leaves it out of what decides whether T is prose.
    By induction the state after T s^m is that after T. Terms are made of what counts, in its order, and a
    pair of words of two neighbours that count: the last one is that of T. Passages begin and end with
    sentences that count, so those of T s^m are those of T.
    """
    text = "\n\n".join(base)
    copy = base[which % len(base)] if base else ""
    stuffed = "\n\n".join([text, *[copy] * times])
    assert words_of("", stuffed) == words_of("", text)
    parts = split("", text)
    assert same(count_terms("", stuffed), count_terms("", text))
    assert split("", stuffed) == parts
    assert to_encode("", stuffed, parts) == to_encode("", text, parts)


@given(BASES, st.integers(0, 8))
def test_a_copy_counts_for_nothing_wherever_it_stands_and_however_it_is_numbered(
    base: list[str], at: int
) -> None:
    first = "The stork is a wader of the open fields."
    text = [first, *base]
    stuffed = [first, *base[:at], "The  STORK is a wader of 17 the open fields?", *base[at:]]
    assert words_of("", "\n\n".join(stuffed)) == words_of("", "\n\n".join(text))


@pytest.mark.parametrize("times", [3, 20, 400])
@pytest.mark.parametrize("joint", [", ", " ", " 7, ", " / "])
def test_words_repeated_without_any_full_stop_are_soon_worth_no_more(joint: str, times: int) -> None:
    """ML-04. k copies of a row of words without a sentence end count as at most three: the words of the first
    `REPEATED` and, in each piece that an endless sentence is cut into, what is not yet a repetition."""
    lure = "the heron of a wetland"
    once, often = (count_terms("", PROSE + " " + joint.join([lure] * n) + ".") for n in (1, times))
    assert int(often.counts.max()) <= int(once.counts.max()) + 2
    assert len(often.buckets) <= len(once.buckets) + 2


# --- lists of keywords


def test_a_list_of_keywords_is_not_read_in_english_prose() -> None:
    """ML-04."""
    stuffed = f"{PROSE} {LISTED}."
    assert words_of("", stuffed) == words_of("", PROSE)
    assert encoded("", stuffed) == encoded("", PROSE)


def test_an_enumeration_counts_until_it_is_a_list_of_keywords() -> None:
    few = LISTED.split(", ")[: hygiene.RUN - 1]
    before = len(words_of("", PROSE))
    assert words_of("", f"{PROSE} We saw {', '.join(few)}.")[before:] == ["we", "saw", *few]
    assert words_of("", f"{PROSE} We saw {LISTED}.")[before:] == ["we"]
    assert words_of("", f"{LISTED} {PROSE}") == words_of("", PROSE)


def test_a_stuffed_title_keeps_its_first_words() -> None:
    said = words_of(f"A day at the lake {LISTED}", PROSE)
    words = ["day", "at", "the", "lake", *LISTED.split(", ")[: hygiene.TITLE_RUN - 1]]
    assert said == [*words, *words_of("", PROSE)]


@pytest.mark.parametrize(
    "text",
    [
        LISTED,
        "Die Reiher brüten wieder am großen See nahe unserer kleinen Stadt. "
        "Ornithologen zählten dieses Frühjahr mehrere Hundert besetzte Nester, Jungvögel, Altvögel, Gelege.",
        "Heron counts 12 34 wetland 7 plumage, census 19, marsh 22, ringing 31, flock 5, nest 6, wader 8.",
    ],
)
def test_texts_without_english_prose_around_them_count_in_full(text: str) -> None:
    _, body = hygiene.read("", text, sentences(text))
    assert all(all(sentence.counts) for sentence in body)


# --- what the encoder gets


@given(TEXTS, TEXTS)
def test_the_encoder_gets_a_span_for_every_passage(title: str, text: str) -> None:
    parts = split(title, text * 3)
    found = to_encode(title, text * 3, parts)
    assert sum(len(window.spans) for window in found) == len(parts)


@given(BASES)
def test_an_honest_text_is_read_letter_by_letter(base: list[str]) -> None:
    text = " ".join(dict.fromkeys(base))
    parts = split("A title", text)
    if all(all(sentence.counts) for sentence in hygiene.read("A title", text, sentences(text))[1]):
        read = [w.text[a:b] for w in to_encode("A title", text, parts) for a, b in w.spans]
        assert read == ["A title", *(text[p.start : p.end] for p in parts[1:])]


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit", ["a ", "ab ", "aα", "a\u200d", "a\u0301", "\u0301", "ab cd. ", "中", "<1> of "]
)
def test_a_megabyte_of_hostile_text_takes_seconds(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    begin = time.process_time()
    hygiene.read(text, text, sentences(text))
    assert time.process_time() - begin < 8


# --- bounds

REAL = st.floats(-50, 50, allow_nan=False)
POSITIVE = st.floats(0, 20, allow_nan=False)


@given(REAL, POSITIVE, POSITIVE, REAL, REAL)
def test_no_text_moves_a_logit_beyond_the_cap_nor_faster_than_its_evidence(
    mean: float, factor: float, strength: float, before: float, after: float
) -> None:
    """|share' - share| <= strength * min(2 CAP, factor * |raw' - raw|).

    A share is strength * squash(factor * (raw - mean)), and squash = CAP tanh(. / CAP) lies within +-CAP and
    has a slope of at most 1. The logit is a sum of such shares and of what no text can touch (source,
    people, age, rules), so whatever replaces a document's text moves its logit by at most
    2 CAP * (sum of the strengths).
    """
    scale = Scale(mean, factor, strength)
    moved = abs(float(scale(np.float64(after))) - float(scale(np.float64(before))))
    assert moved <= strength * min(2 * mixture.CAP, factor * abs(after - before)) * (1 + 1e-9) + 1e-9
    assert abs(float(squash(np.float64(after)))) <= mixture.CAP


def grid_of(vectors: np.ndarray, prior: np.ndarray, *, apart: bool) -> Grid:
    count = len(vectors)
    return Grid(
        vectors.astype(np.float32),
        np.arange(count, dtype=np.intp)[None, :],
        np.ones((1, count), dtype=bool),
        np.array([apart]),
        prior[None, :],
    )


@pytest.mark.parametrize("seed", range(40))
def test_one_planted_passage_turns_a_document_by_its_weight(seed: int) -> None:
    """Of a document read together, a planted passage v of weight w moves the raw score of meaning by at most
    2 sin(asin(r) / 2) with r = w |v| / ((1 - w) |z|), if r < 1.

    Without it the document is z = sum_t w_t v_t; with it, as attention at sharpness 0 depends on lengths and
    places alone, z' = (1 - w) z + w v. The raw score is z . d / |z| with |d| = 1, so it moves by no more than
    the distance of z / |z| and z' / |z'|, which is 2 sin(a / 2) for the angle a between them. Adding w v to
    (1 - w) z turns it the furthest where w v is at a right angle to the sum: sin(a) <= r. A passage of a
    tenth of a text (w = .1, |v| = |z|) moves a cosine by at most .11, whatever it says.
    """
    rng = np.random.default_rng(seed)
    count, dim = int(rng.integers(2, 8)), 6
    vectors = rng.normal(size=(count, dim)) + rng.normal(size=dim)
    prior = rng.normal(size=count)
    direction = rng.normal(size=dim)
    # Half of the attacks plant the very direction that is sought.
    vectors[-1] = direction if seed % 2 else vectors[-1]
    direction /= np.linalg.norm(direction)
    expert = LearnedMeaning(direction.astype(np.float32), Sharpness(0.0, 0.0))
    stuffed, clean = (grid_of(vectors[:n], prior[:n], apart=False) for n in (count, count - 1))
    weight = float(stuffed.weights(np.zeros((1, count)))[0, -1])
    rest = clean.weights(np.zeros((1, count - 1)))[0] @ vectors[:-1]
    reach = weight * np.linalg.norm(vectors[-1]) / ((1 - weight) * np.linalg.norm(rest))
    bound = 2 * np.sin(np.arcsin(reach) / 2) if reach < 1 else 2.0
    moved = abs(float(expert.passages(stuffed).raw[0] - expert.passages(clean).raw[0]))
    assert moved <= bound + 1e-5


@pytest.mark.parametrize("seed", range(40))
def test_one_planted_part_moves_the_words_by_its_attention(seed: int) -> None:
    """Of a document read apart, a planted passage with the attention a and the value e moves the raw score of
    words by exactly a (e - raw), raw being that of the others.

    A softmax over one more value leaves the others in proportion: raw' = (1 - a) raw + a e. As rows of
    tf-idf have length one, |e| <= |u| for the weights u of the classifier, so |raw' - raw| <= 2 a |u|.
    """
    rng = np.random.default_rng(seed)
    count, size = int(rng.integers(2, 8)), 12
    rows = rng.random((count, size)) * (rng.random((count, size)) < 0.5) + 1e-3
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    weights, sharpness = rng.normal(size=size), float(rng.uniform(0, 5))

    def score(kept: int) -> tuple[float, float]:
        parts = csr_array(rows[:kept])
        places = np.arange(kept, dtype=np.intp)
        words = WordGrid(csr_array((1, size)), parts, np.zeros(kept, dtype=np.intp), places)
        return float(words.scores(weights, sharpness)[0]), float(
            words.attention(parts @ weights, sharpness)[-1]
        )

    (before, _), (after, attention) = score(count - 1), score(count)
    planted = float(rows[-1] @ weights)
    assert after - before == pytest.approx(attention * (planted - before), abs=1e-9)
    assert abs(after - before) <= 2 * attention * np.linalg.norm(weights) + 1e-9
