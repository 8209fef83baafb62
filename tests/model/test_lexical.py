"""Lexical evidence: terms, storage, and the same numbers as scikit-learn."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import LinearSVC

from model import svm
from model.lexical import BUCKETS, NaiveBayes, Terms, TfIdf, count_terms, occurrences
from model.passages import split
from model.svm import LinearSvm

WORDS = "vector index query lake river mail digest the of and not ranker model label passage score"
VOCABULARY = WORDS.split(" ")


def texts(count: int, length: int = 7, seed: int = 0) -> list[str]:
    """Texts of seven short sentences, no two of which are the same."""
    rng = np.random.default_rng(seed)
    odds = rng.dirichlet(np.full(len(VOCABULARY), 2.0), size=count)
    return [
        " ".join(
            " ".join([*rng.choice(VOCABULARY, size=length - 1, p=p), f"number{n}."]).capitalize()
            for n in range(7)
        )
        for p in odds
    ]


@pytest.fixture(scope="module")
def pool() -> tuple[list[str], TfIdf]:
    documents = texts(120)
    return documents, TfIdf([count_terms("", text) for text in documents])


def test_tf_idf_equals_scikit_learn(pool: tuple[list[str], TfIdf]) -> None:
    documents, ours = pool
    theirs = TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, max_df=0.95, max_features=20000, stop_words="english"
    )
    matrix = theirs.fit_transform(documents)
    assert ours.matrix.shape == matrix.shape
    np.testing.assert_allclose(
        (ours.matrix @ ours.matrix.T).toarray(), (matrix @ matrix.T).toarray(), atol=1e-6
    )
    new = [*texts(5, seed=9), "nothing known here", ""]
    np.testing.assert_allclose(
        (ours.transform([count_terms("", t) for t in new]) @ ours.matrix.T).toarray(),
        (theirs.transform(new) @ matrix.T).toarray(),
        atol=1e-6,
    )


def test_only_the_most_frequent_terms_are_kept(
    pool: tuple[list[str], TfIdf], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.lexical.MAX_FEATURES", 5)
    documents, _ = pool
    theirs = TfidfVectorizer(ngram_range=(1, 2), max_df=0.95, max_features=5, stop_words="english").fit(
        documents
    )
    ours = TfIdf([count_terms("", text) for text in documents])
    known = [t for t in theirs.vocabulary_ if (ours.columns(count_terms("", t).buckets) >= 0).any()]
    assert sorted(known) == sorted(theirs.vocabulary_)
    assert ours.matrix.shape[1] == 5


def test_terms_in_nearly_every_document_are_left_out() -> None:
    tf_idf = TfIdf([count_terms("", f"common word{n}") for n in range(30)])
    assert (tf_idf.columns(count_terms("", "common").buckets) == -1).all()
    assert (tf_idf.columns(count_terms("", "word7").buckets) >= 0).all()


@pytest.mark.parametrize("exact", [500, 0], ids=["few rows", "many rows"])
@pytest.mark.parametrize("seed", range(4))
def test_support_vector_machine_equals_scikit_learn(
    pool: tuple[list[str], TfIdf], monkeypatch: pytest.MonkeyPatch, seed: int, exact: int
) -> None:
    monkeypatch.setattr(svm, "EXACT", exact)
    _, tf_idf = pool
    rng = np.random.default_rng(seed)
    rows = tf_idf.matrix[rng.permutation(120)[: 10 + 30 * seed]]
    wanted = rng.random(rows.shape[0]) < 0.4
    wanted[:2] = [True, False]
    importance = rng.choice([1.0, 2.0], size=rows.shape[0])
    ours = LinearSvm.fit(rows, wanted, importance)
    theirs = LinearSVC(C=0.11, class_weight={1: 9.8, 0: 1.0}, tol=1e-10, max_iter=1_000_000, random_state=0)
    theirs.fit(rows.astype(float), wanted.astype(int), sample_weight=importance)
    np.testing.assert_allclose(ours.weights, theirs.coef_[0], atol=1e-6)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=1e-6)


def test_naive_bayes_equals_scikit_learn(pool: tuple[list[str], TfIdf]) -> None:
    _, tf_idf = pool
    wanted = np.random.default_rng(1).random(120) < 0.3
    importance = np.where(np.arange(120) % 7, 1.0, 2.0)
    ours = NaiveBayes.fit(tf_idf.matrix, wanted, importance)
    theirs = MultinomialNB(alpha=0.1).fit(
        tf_idf.matrix.astype(float), wanted, sample_weight=np.where(wanted, 2, 1) * importance
    )
    logs = theirs.predict_log_proba(tf_idf.matrix)
    np.testing.assert_allclose(
        tf_idf.matrix @ ours.weights + ours.intercept, logs[:, 1] - logs[:, 0], atol=1e-5
    )


@pytest.mark.parametrize("fit", [LinearSvm.fit, NaiveBayes.fit])
def test_left_out_scores_are_those_of_a_fit_without_the_row(pool: tuple[list[str], TfIdf], fit: Any) -> None:
    _, tf_idf = pool
    rows = tf_idf.matrix[:30]
    wanted = np.random.default_rng(2).random(30) < 0.4
    importance = np.where(np.arange(30) % 7, 1.0, 2.0)
    ours = fit(rows, wanted, importance)
    others = [np.arange(30) != row for row in range(30)]
    again = [fit(rows[kept], wanted[kept], importance[kept]) for kept in others]
    shift = [linear.intercept - ours.intercept if fit == LinearSvm.fit else 0.0 for linear in again]
    expected = [float((rows[[row]] @ again[row].weights)[0]) + shift[row] for row in range(30)]
    # The support vector machine's are exact as long as leaving a row out makes no other row a support vector.
    np.testing.assert_allclose(ours.left_out, expected, atol=0.02 if fit == LinearSvm.fit else 1e-5)


def test_many_rows_are_left_out_in_groups_as_by_fits_without_each_group(
    pool: tuple[list[str], TfIdf], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svm, "EXACT", 0)
    _, tf_idf = pool
    rows, wanted, importance = tf_idf.matrix, np.random.default_rng(3).random(120) < 0.4, np.ones(120)
    ours = LinearSvm.fit(rows, wanted, importance)
    group = np.zeros(120, dtype=int)
    for kind in (True, False):
        group[wanted == kind] = np.arange((wanted == kind).sum()) % svm.FOLDS
    for number in range(svm.FOLDS):
        kept = group != number
        again = LinearSvm.fit(rows[kept], wanted[kept], importance[kept])
        expected = rows[~kept] @ again.weights + again.intercept - ours.intercept
        np.testing.assert_allclose(ours.left_out[~kept], expected, atol=0.05)


@pytest.mark.parametrize("wanted", [[True], [False], [True, False]], ids=str)
def test_a_machine_of_next_to_nothing_can_be_fitted(
    monkeypatch: pytest.MonkeyPatch, wanted: list[bool]
) -> None:
    monkeypatch.setattr(svm, "EXACT", 0)
    rows = TfIdf([count_terms("", text) for text in texts(2)]).matrix[: len(wanted)]
    fitted = LinearSvm.fit(rows, np.array(wanted), np.ones(len(wanted)))
    assert np.isfinite([*fitted.weights, fitted.intercept, *fitted.left_out]).all()


def test_titles_count_double_and_passages_read_apart_count_apart() -> None:
    # "heron" and the pair "heron nest", which begins in the title, twice; "nest" once
    assert sorted(count_terms("heron", "nest").counts.tolist()) == [1, 2, 2]
    rng = random.Random(3)
    stories = [
        " ".join("".join(rng.choices("bcdfghklm", k=6)) + "." * (n % 8 == 7) for n in range(64))
        for _ in range(6)
    ]
    text = "\n\n".join(stories)
    parts = split("Weekly digest", text)
    terms = count_terms("Weekly digest", text, parts)
    assert terms.read_apart
    assert [int(part.places[0]) for part in terms.apart()] == list(range(7))
    np.testing.assert_array_equal(terms.together().buckets, count_terms("Weekly digest", text).buckets)
    third = count_terms("", text[parts[3].start : parts[3].end])
    assert set(third.buckets.tolist()) <= set(terms.of([3]).buckets.tolist())
    assert not count_terms("Weekly digest", stories[0], split("Weekly digest", stories[0])).read_apart


def test_terms_are_words_pairs_of_words_and_pairs_of_characters() -> None:
    def kinds(title: str, text: str) -> int:
        return len(set(occurrences(title, text)))

    assert kinds("Vector search", "") == 3
    assert kinds("Vector", "search") == 3, "a pair may span title and text"
    assert kinds("the and of a I", "") == 0
    assert kinds("", "人工智能") == 3
    assert kinds("", "人") == 1
    assert kinds("", "用Python写") == 3
    assert count_terms("VECTOR", "").buckets.tolist() == count_terms("vector", "").buckets.tolist()


def test_hashes_never_change() -> None:
    assert count_terms("Vector search", "").buckets.tolist() == [2142232, 3033179, 3201959]


@given(st.text(max_size=80), st.text(max_size=80))
def test_occurrences_point_at_their_word(title: str, text: str) -> None:
    for bucket, field, position in occurrences(title, text):
        assert 0 <= bucket < BUCKETS
        assert not {"title": title, "text": text}[field][position].isspace()
    counts = count_terms(title, text)
    assert set(counts.buckets.tolist()) == {bucket for bucket, _, _ in occurrences(title, text)}
    assert np.all(np.diff(counts.buckets.astype(np.int64)) > 0)


@given(st.text(max_size=80))
def test_terms_survive_storage(text: str) -> None:
    terms = count_terms("", text)
    again = Terms.from_bytes(terms.to_bytes())
    np.testing.assert_array_equal(again.buckets, terms.buckets)
    np.testing.assert_array_equal(again.counts, terms.counts)
    np.testing.assert_array_equal(again.places, terms.places)


def test_bytes_that_are_no_terms_are_refused() -> None:
    with pytest.raises(ValueError, match="8 bytes"):
        Terms.from_bytes(b"12345678")


def test_an_empty_pool_and_empty_texts_work() -> None:
    assert TfIdf([]).matrix.shape == (0, 0)
    empty = TfIdf([count_terms("", ""), count_terms("", "")])
    assert empty.matrix.shape == (2, 0)
    assert empty.transform([count_terms("", "anything")]).shape == (1, 0)
