"""Which document a new reader is asked about: the one whose answer teaches most."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from test_ranker import make_corpus, make_documents

from model.asking import most_telling, resemblance
from model.corpus import Corpus
from model.ranker import Ranker, Ranking
from model.types import Label, Profile

TEST = range(120, 240)
"""Rows that nobody is asked about: what was learned is measured on them."""


def average_precision(ranking: Ranking, topic: str) -> float:
    rows = sorted(TEST, key=lambda row: -ranking.logits[row])
    right = np.array([ranking.corpus.documents[row].id.startswith(topic) for row in rows])
    return float((np.cumsum(right) / np.arange(1, len(right) + 1))[right].mean())


def taught(corpus: Corpus, topic: str, ask: Callable[[Ranking, list[int], list[int]], int]) -> float:
    """How well documents of a topic are found after six answers of a reader who cares about it alone."""
    ranker, labels, asked = Ranker(corpus), [], []
    ranking = ranker.fit(Profile())
    for _ in range(6):
        chosen = ask(ranking, [row for row in range(120) if row not in asked], asked)
        asked.append(chosen)
        name = corpus.documents[chosen].id
        labels.append(Label(name, float(name.startswith(topic))))
        ranking = ranker.fit(Profile(labels=tuple(labels)))
    return average_precision(ranking, topic)


def actively(ranking: Ranking, rows: list[int], asked: list[int]) -> int:
    chosen = most_telling(ranking, rows, asked)
    assert chosen is not None
    return chosen


@pytest.mark.parametrize("dense", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_chosen_questions_teach_faster_than_random_ones(dense: bool) -> None:
    # One topic in eight: with equal shares random questions find it at once.
    documents = [d for d in make_documents(1_500) if not d.id.startswith("birds") or int(d.id[6:]) % 5 == 0]
    corpus = make_corpus(documents[:240], dense=dense)
    rng = random.Random(5)
    at_random = [taught(corpus, "birds", lambda _, rows, __: rng.choice(rows)) for _ in range(4)]
    assert taught(corpus, "birds", actively) > float(np.mean(at_random))


@pytest.mark.parametrize("dense", [True, False])
def test_no_topic_is_asked_about_twice_before_each_was_asked_about(dense: bool) -> None:
    corpus = make_corpus(make_documents(60), dense=dense)
    ranking, asked = Ranker(corpus).fit(Profile()), []
    for _ in range(3):
        asked.append(actively(ranking, [row for row in range(60) if row not in asked], asked))
    assert len({corpus.documents[row].id.split("-")[0] for row in asked}) == 3


def test_a_copy_of_what_was_asked_is_asked_last() -> None:
    documents = make_documents(9)
    corpus = make_corpus(documents)
    found = resemblance(corpus, [4])
    assert found[4] == pytest.approx(1.0, abs=1e-5)
    assert (found >= 0).all()
    ranking = Ranker(corpus).fit(Profile())
    assert most_telling(ranking, [4, 5], [4]) == 5
    assert most_telling(ranking, [4], [4]) == 4


def test_nothing_left_to_ask_is_said() -> None:
    corpus = make_corpus(make_documents(3))
    assert most_telling(Ranker(corpus).fit(Profile()), [], [0, 1, 2]) is None
    assert not resemblance(corpus, []).any()
