"""Likeness: documents about the same, whatever else all of them share, and whoever can read them."""

from __future__ import annotations

import numpy as np
import pytest
from test_ranker import make_corpus, make_documents

from model.corpus import Corpus
from model.likeness import Likeness

DOCUMENTS = make_documents(30)
NAMES = [document.id for document in DOCUMENTS]
ALIKE = np.array([[a.split("-")[0] == b.split("-")[0] for a in NAMES] for b in NAMES])


def of_all(corpus: Corpus) -> np.ndarray:
    likeness = Likeness(corpus, NAMES)
    return np.stack([likeness.to(place) for place in range(len(NAMES))])


@pytest.mark.parametrize("dense", [True, False])
def test_documents_on_one_topic_are_more_alike_than_others(dense: bool) -> None:
    found = of_all(make_corpus(DOCUMENTS, dense=dense))
    assert ((found >= 0) & (found <= 1)).all()
    assert np.allclose(found, found.T, atol=1e-6)
    assert (np.diag(found) == 1).all()
    others = ~np.eye(len(NAMES), dtype=bool)
    assert found[ALIKE & others].mean() > 0.2
    assert found[ALIKE & others].mean() > 5 * found[~ALIKE].mean()


def test_what_the_encoder_cannot_read_is_compared_by_its_words() -> None:
    whole, words = make_corpus(DOCUMENTS), make_corpus(DOCUMENTS, dense=False)
    values = whole.grid.values.copy()
    values[: len(whole.passages[0])] = 0
    half = Corpus(whole.documents, whole.passages, values, whole.terms)
    assert not half.grid.readable[0]
    assert half.grid.readable[1:].all()
    found, by_words = of_all(half), of_all(words)
    assert np.allclose(found[0], by_words[0])
    assert np.allclose(found[:, 0], by_words[:, 0])
    assert not np.allclose(found[1], by_words[1])


def test_a_single_document_is_like_itself_only() -> None:
    corpus = make_corpus(DOCUMENTS)
    assert Likeness(corpus, NAMES[:1]).to(0).tolist() == [1.0]
    assert Likeness(corpus, NAMES[:2]).to(0).tolist() == [1.0, 0.0]
