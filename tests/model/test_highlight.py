"""Which sentences and which words are marked: the formulas against plain numpy, and their edges."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import evaluate, highlight
from model.lexical import TfIdf, count_terms
from model.passages import WINDOW_CHARS
from model.types import Passage, Window

DIM = 16
TOPICS = {"heron": 0, "herons": 0, "marsh": 1, "nest": 2, "rain": 3, "train": 4, "trains": 4, "fish": 5}


def unit(*values: float) -> np.ndarray:
    vector = np.array(values, dtype=np.float32)
    return np.asarray(vector / np.linalg.norm(vector))


def embed(windows: Sequence[Window]) -> np.ndarray:
    """Counts of known words in each part; a part read in context also hears the rest of its window."""
    found = []
    for window in windows:
        counts = []
        for start, end in window.parts:
            vector = np.zeros(DIM, dtype=np.float32)
            for word in window.text[start:end].lower().replace(".", " ").split():
                vector[TOPICS.get(word, DIM - 1)] += 1
            counts.append(vector)
        whole = sum(counts, np.zeros(DIM, dtype=np.float32))
        found += [count + 0.1 * whole if window.spans else count for count in counts]
    vectors = np.array(found, dtype=np.float32).reshape(len(found), DIM)
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9))


def row(query: str | None, title: str, *sentences: str) -> evaluate.Sentences:
    return evaluate.Sentences("r", query, title, sentences)


# ---------------------------------------------------------------- what the encoder reads


@given(
    st.sampled_from(["", " ", "Herons", "Aims: a very long title " * 20]),
    st.lists(st.text(alphabet="ab .é", max_size=700), max_size=12),
)
def test_both_readings_hold_the_title_and_every_sentence_in_order(title: str, texts: list[str]) -> None:
    alone, together = highlight.sentence_windows(title, texts)
    units = [title, *texts] if title.strip() else texts
    assert [window.text for window in alone] == units
    read = [window.text[start:end] for window in together for start, end in window.parts]
    assert read == units
    for window in together:
        assert len(window.text) <= WINDOW_CHARS or len(window.spans) == 1
    for window, following in pairwise(together):
        start, end = following.parts[0]
        assert len(window.text) + 1 + end - start > WINDOW_CHARS, "no window is closed early"


def test_the_two_readings_count_alike_and_a_missing_one_not_at_all() -> None:
    alone = np.array([[3, 0, 0], [0, 2, 0], [0, 0, 0]], dtype=np.float32)
    together = np.array([[0, 0.1, 0], [0, 0, 0], [0, 0, 0]], dtype=np.float32)
    both = highlight.average_reading(np.stack([alone, together]))
    expected = np.stack([unit(1, 1, 0), unit(0, 1, 0), np.zeros(3)])
    np.testing.assert_allclose(both, expected, atol=1e-6)
    unread = highlight.average_reading(np.zeros((0, 3, 5), dtype=np.float32))
    np.testing.assert_array_equal(unread, np.zeros((3, 5)))


# ---------------------------------------------------------------- words


def test_a_sentence_has_the_share_of_the_querys_words_that_it_holds() -> None:
    texts = [count_terms("", t) for t in ("Herons nest late.", "Herons fish.", "Trains ran late.", "Rain.")]
    tf_idf = TfIdf(texts)
    query = count_terms("", "herons fish")
    shares = highlight.word_shares(query, texts, tf_idf)
    assert shares[1] == pytest.approx(1)
    assert 0 < shares[0] < 0.5, "the commoner of two words is worth less"
    assert shares[2] == shares[3] == 0
    beyond = highlight.word_shares(query, texts, tf_idf, title=count_terms("", "Herons"))
    left = (1 - highlight.TITLE_SHARE) * shares[0]
    assert beyond[0] == pytest.approx(left), "a word of the title is hardly asked for"
    assert beyond[1] == pytest.approx(1 - shares[0] + left)
    assert highlight.word_shares(count_terms("", "xylophone"), texts, tf_idf).tolist() == [0, 0, 0, 0]


def test_shared_words_are_the_cosines_with_all_other_sentences() -> None:
    said = ("Herons nest in the marsh.", "Herons fish in the marsh.", "Trains ran.", "The")
    texts = [count_terms("", sentence) for sentence in said]
    tf_idf = TfIdf(texts)
    rows = tf_idf.transform(texts).toarray()
    expected = (rows @ rows.T - np.diag((rows**2).sum(axis=1))).sum(axis=1)
    shared = highlight.shared_words(texts, tf_idf)
    np.testing.assert_allclose(shared, expected, atol=1e-6)
    assert shared[0] > 0
    assert shared[2] == pytest.approx(0, abs=1e-6)


# ---------------------------------------------------------------- sentences


def test_a_sentence_that_says_the_title_again_loses_to_one_that_answers() -> None:
    title = unit(1, 0, 0)
    query = unit(2, 1, 0)
    vectors = np.stack([unit(1, 0.2, 0), unit(0.5, 1, 0), unit(0, 0, 1)])
    nothing = np.zeros(3)
    assert np.argmax(highlight.sentence_scores(vectors, query, None, nothing)) == 0
    scores = highlight.sentence_scores(vectors, query, title, nothing)
    shared = float(query @ title)
    np.testing.assert_allclose(
        scores, vectors @ query - highlight.TITLE_SHARE * shared * (vectors @ title), atol=1e-6
    )
    assert np.argmax(scores) == 1


@pytest.mark.parametrize("title", [unit(0, 0, 1), unit(-1, -1, 0), np.zeros(3, dtype=np.float32)])
def test_a_title_that_shares_nothing_with_the_query_changes_nothing(title: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    vectors, query = rng.normal(size=(6, 3)).astype(np.float32), unit(1, 1, 0)
    words = rng.random(6)
    np.testing.assert_array_equal(
        highlight.sentence_scores(vectors, query, title, words),
        highlight.sentence_scores(vectors, query, None, words),
    )


def test_a_query_that_is_the_title_keeps_the_order_of_similarity() -> None:
    rng = np.random.default_rng(6)
    vectors, query = rng.normal(size=(20, 3)).astype(np.float32), unit(1, 2, 3)
    scores = highlight.sentence_scores(vectors, query, query, np.zeros(20))
    np.testing.assert_array_equal(np.argsort(scores), np.argsort(vectors @ query))


def test_words_are_worth_a_tenth_of_a_cosine_and_all_there_is_without_vectors() -> None:
    words = np.array([0.2, 1.0, 0.0])
    blank = np.zeros((3, 4), dtype=np.float32)
    np.testing.assert_allclose(highlight.sentence_scores(blank, unit(1, 0, 0, 0), None, words), 0.1 * words)
    assert np.argmax(highlight.salience(blank, None, words)) == 1


def test_without_an_interest_sentences_attend_to_the_title_or_to_each_other() -> None:
    vectors = np.stack([unit(1, 0, 0), unit(1, 1, 0), unit(0, 1, 0), unit(0, 0, 1)])
    nothing = np.zeros(4)
    for title, best in ((unit(0, 0.1, 1), 3), (None, 1)):
        weights = highlight.salience(vectors, title, nothing)
        assert weights.sum() == pytest.approx(1)
        assert np.argmax(weights) == best
    assert highlight.salience(vectors[:0], None, nothing[:0]).shape == (0,)


# ---------------------------------------------------------------- rows


def test_rows_are_answered_beyond_their_title() -> None:
    read = row("heron fish", "Heron", "The heron.", "A heron and fish and rain.", "Trains ran.")
    [result] = evaluate.highlight_rows([read], embed)
    assert int(np.argmax(result["scores"])) == 1
    assert int(np.argmin(result["scores"])) == 2


def test_only_a_query_has_the_sentences_read_in_context() -> None:
    seen: list[Window] = []

    def watched(windows: Sequence[Window]) -> np.ndarray:
        seen.extend(windows)
        return embed(windows)

    list(evaluate.highlight_rows([row(None, "Heron", "Rain.", "A nest.")], watched))
    assert not any(window.spans for window in seen)
    list(evaluate.highlight_rows([row("nest", "Heron", "Rain.", "A nest.")], watched))
    assert [window.text for window in seen if window.spans] == ["Heron Rain. A nest."]


def test_rows_without_title_sentences_or_a_known_language_keep_their_places() -> None:
    rows = [
        row("nest", "", "Rain fell.", "The nest.", "Trains."),
        row("nest", "Marsh"),
        row(None, ""),
        row("сова на дубе", "Лес", "Дождь и туман.", "Старая сова на дубе.", "Поезд ушёл."),
        row(None, "Старая сова", "Дождь и туман.", "Старая сова на дубе.", "Поезд ушёл."),
        row(None, "Nest", "Rain fell.", "The nest.", "Trains."),
    ]
    results = list(evaluate.highlight_rows(rows, embed, readable=str.isascii))
    assert [len(result["scores"]) for result in results] == [3, 0, 0, 3, 3, 3]
    assert [int(np.argmax(results[n]["scores"])) for n in (0, 3, 4, 5)] == [1, 1, 1, 1]
    assert list(evaluate.highlight_rows([], embed)) == []
    assert list(evaluate.highlight_rows([row("nest", "")], embed)) == [{"id": "r", "scores": []}]


# ---------------------------------------------------------------- phrases

LONG = (
    "We asked whether the quality of care, which nobody had measured in small towns before, "
    "depends on the distance to a hospital, and found no such thing; the weather of a month does not matter "
    "either."
)


def marked(text: str, words: Sequence[tuple[str, float]], passage: Passage | None = None) -> list[str]:
    """The phrases of a text whose words are given by name."""
    places = [(text.index(word), value) for word, value in words]
    found = highlight.phrases(text, passage or Passage("text", 0, len(text)), places)
    return [text[part.start : part.end] for part in found]


def test_words_with_a_value_are_joined_over_small_gaps_but_not_over_commas() -> None:
    assert marked(LONG, [("quality", 1), ("care", 1), ("distance", 0.5)]) == ["quality of care", "distance"]
    assert marked(LONG, [("care", 1), ("which", 1)]) == ["care", "which"]
    assert marked(LONG, [("whether", 1), ("care", 1)]) == ["whether", "care"], "three words lie between"


def test_at_most_three_phrases_are_marked_those_of_most_value_in_the_order_of_the_text() -> None:
    words = [("asked", 0.1), ("care", 3.0), ("towns", 0.2), ("hospital", 1.0), ("weather", 2.0)]
    assert marked(LONG, words) == ["care", "hospital", "weather"]


def test_what_pulls_the_other_way_parts_a_phrase_and_is_never_marked() -> None:
    assert marked(LONG, [("whether", 1), ("quality", -0.5), ("care", 1)]) == ["whether", "care"]
    assert marked(LONG, [("whether", -1), ("quality", 0.5), ("care", -1)]) == ["whether", "care"]
    assert marked(LONG, []) == []
    assert marked(LONG, [("whether", 1), ("care", -1)]) == [], "nothing carries a value of zero"


def test_short_sentences_and_words_outside_the_sentence_get_no_marks() -> None:
    assert marked("A heron.", [("heron", 1)]) == []
    passage = Passage("text", LONG.index(", which"), len(LONG))
    assert passage.end - passage.start > highlight.PHRASE_CHARS
    assert marked(LONG, [("care", 5), ("hospital", 1)], passage) == ["hospital"]


def test_pairs_of_characters_without_spaces_between_them_grow_together() -> None:
    text = "鹭" * 90 + "注意力汇聚" + "鹭" * 90
    places = [(90 + offset, 1.0) for offset in range(4)]
    [found] = highlight.phrases(text, Passage("text", 0, len(text)), places)
    assert text[found.start : found.end] == "注意力汇聚"


@given(
    st.lists(st.tuples(st.integers(-5, 220), st.floats(-2, 2)), max_size=30),
    st.lists(st.sampled_from(["word", " ", ", ", "of", "鹭", "\n", "'"]), min_size=180, max_size=200),
)
def test_phrases_are_ordered_apart_and_inside_their_sentence(
    words: list[tuple[int, float]], pieces: list[str]
) -> None:
    text = "".join(pieces)
    passage = Passage("text", 10, len(text) - 10)
    found = highlight.phrases(text, passage, words)
    bounds = [bound for part in found for bound in (part.start, part.end)]
    assert bounds == sorted(bounds)
    assert len(found) <= highlight.MAX_PHRASES
    assert all(passage.start <= part.start < part.end <= passage.end for part in found)
