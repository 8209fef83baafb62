"""Lexical evidence: terms, storage, and the same numbers as scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import LinearSVC

from model.lexical import BUCKETS, LinearSvm, NaiveBayes, Terms, TfIdf, count_terms, occurrences

WORDS = "vector index query lake river mail digest the of and not ranker model label passage score"
VOCABULARY = WORDS.split(" ")


def texts(count: int, length: int = 40, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    odds = rng.dirichlet(np.full(len(VOCABULARY), 0.7), size=count)
    return [" ".join(rng.choice(VOCABULARY, size=length, p=p)) for p in odds]


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


@pytest.mark.parametrize("seed", range(4))
def test_support_vector_machine_equals_scikit_learn(pool: tuple[list[str], TfIdf], seed: int) -> None:
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
    assert counts.counts.sum() == len(list(occurrences(title, text)))
    assert np.all(np.diff(counts.buckets.astype(np.int64)) > 0)


@given(st.text(max_size=80))
def test_terms_survive_storage(text: str) -> None:
    terms = count_terms("", text)
    again = Terms.from_bytes(terms.to_bytes())
    np.testing.assert_array_equal(again.buckets, terms.buckets)
    np.testing.assert_array_equal(again.counts, terms.counts)


def test_bytes_that_are_no_terms_are_refused() -> None:
    with pytest.raises(ValueError, match="7 bytes"):
        Terms.from_bytes(b"1234567")


def test_an_empty_pool_and_empty_texts_work() -> None:
    assert TfIdf([]).matrix.shape == (0, 0)
    empty = TfIdf([count_terms("", ""), count_terms("", "")])
    assert empty.matrix.shape == (2, 0)
    assert empty.transform([count_terms("", "anything")]).shape == (1, 0)
