"""What single marks have to do with the score of one document, by removal: the fit without each of them.

A mark that was made by mistake, or by somebody else's trick, shows here as one that moves what it should not.
Owns the choice of marks that are tried; knows nothing of how a fit is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.corpus import Corpus
from model.ranker import Ranker
from model.types import InvalidInput, Label, Profile

TRIED = 12
"""Marks that are removed in turn, one fit each: 0.3 CPU s with 200 labels of 10,000 documents."""


@dataclass(frozen=True, slots=True)
class Leverage:
    """A mark, and what it does to the logit of a document."""

    label: Label
    change: float
    """The logit with the mark less the logit without it."""


def leverage(
    ranker: Ranker,
    corpus: Corpus,
    profile: Profile,
    phrase_vectors: Mapping[str, NDArray[np.float32]],
    document_id: str,
    tried: int = TRIED,
) -> tuple[Leverage, ...]:
    """The marks that move a document most, the strongest first.

    Tried are the marks of the documents that share most words with it, and its own: a mark acts through what
    two documents have in common.

    Args:
        ranker: On `corpus`.
        corpus: Holds the document.
        profile: All that is known of the reader.
        phrase_vectors: As `Ranker.fit` takes them.
        document_id: Whose score is looked at.
        tried: The most marks to remove in turn.

    Raises:
        InvalidInput: No such document.
    """
    if document_id not in corpus.row:
        raise InvalidInput(f"There is no document {document_id!r}")
    row = corpus.row[document_id]
    labels = [label for label in profile.labels if label.document in corpus.row]
    rows = [corpus.row[label.document] for label in labels]
    words = corpus.tf_idf.matrix
    alike = np.asarray((words[rows] @ words[row].T).todense()).ravel() if rows else np.zeros(0)
    nearest = np.argsort(-alike, kind="stable")[:tried]
    whole = float(ranker.fit(profile, phrase_vectors).logits[row])
    found = []
    for number in nearest:
        without = replace(
            profile, labels=tuple(each for each in profile.labels if each is not labels[number])
        )
        change = whole - float(ranker.fit(without, phrase_vectors).logits[row])
        found.append(Leverage(labels[number], change))
    return tuple(sorted(found, key=lambda each: -abs(each.change)))
