from __future__ import annotations

import pytest
from test_ranker import make_corpus, make_documents

from model.leverage import leverage
from model.ranker import Ranker
from model.types import InvalidInput, Label, Profile

DOCUMENTS = make_documents(60)
CORPUS = make_corpus(DOCUMENTS)
RANKER = Ranker(CORPUS)
OWN = [document.id for document in DOCUMENTS if document.id.startswith("birds")]
OTHER = [document.id for document in DOCUMENTS if not document.id.startswith("birds")]
TOLD = Profile(labels=tuple(Label(i, 1.0) for i in OWN[:4]) + tuple(Label(i, 0.0) for i in OTHER[:4]))


def test_a_share_is_what_the_score_loses_without_the_mark() -> None:
    strongest = leverage(RANKER, CORPUS, TOLD, {}, OWN[9])[0]
    without = Profile(labels=tuple(label for label in TOLD.labels if label is not strongest.label))
    row = CORPUS.row[OWN[9]]
    expected = RANKER.fit(TOLD).logits[row] - RANKER.fit(without).logits[row]
    assert strongest.change == pytest.approx(float(expected))


def test_a_mark_made_by_mistake_is_named_with_the_harm_it_does() -> None:
    """ML-09."""
    mistake = Label(OWN[5], 0.0)
    found = leverage(RANKER, CORPUS, Profile(labels=(*TOLD.labels, mistake)), {}, OWN[9])
    (harm,) = (each.change for each in found if each.label is mistake)
    assert harm < 0


def test_no_more_marks_are_tried_than_asked_for_and_none_without_marks() -> None:
    assert len(leverage(RANKER, CORPUS, TOLD, {}, OWN[9], tried=3)) == 3
    assert leverage(RANKER, CORPUS, Profile(), {}, OWN[9]) == ()


def test_an_unknown_document_is_an_error() -> None:
    with pytest.raises(InvalidInput, match="nowhere"):
        leverage(RANKER, CORPUS, TOLD, {}, "nowhere")
