"""Calibration: an honest probability from how high documents stood when they were marked."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from scipy.optimize import minimize

from model import calibrate
from model.calibrate import Calibration
from model.corpus import Corpus
from model.lexical import count_terms
from model.ranker import Ranker
from model.types import Document, InvalidInput, Label, Profile

KINDS = ("feed", "mail", "paper")


def make_corpus(count: int) -> Corpus:
    """Documents `d0`, `d1`, ... of every kind in turn."""
    documents = [
        Document(id=f"d{n}", title=f"story {n} of {n % 7}", kind=KINDS[n % len(KINDS)]) for n in range(count)
    ]
    return Corpus(documents, [[]] * count, None, [count_terms(d.title, d.text) for d in documents])


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(600)


def learn(labels: list[Label], corpus: Corpus) -> Calibration:
    """The step for logits of +1 and -1."""
    return calibrate.learn(labels, corpus, np.where(np.arange(len(corpus)) % 2, 1.0, -1.0))


def chances_at(step: Calibration, standings: np.ndarray, documents: Sequence[Document]) -> np.ndarray:
    return step.probabilities(step.spread * standings, documents)


def marked(standings: np.ndarray, wanted: np.ndarray) -> list[Label]:
    """Labels of `d0`, `d1`, ..., one a second."""
    return [
        Label(f"d{n}", float(said), at=float(n), standing=float(standing))
        for n, (standing, said) in enumerate(zip(standings, wanted, strict=True))
    ]


def simulated(seed: int, count: int, slope: float, intercept: float) -> tuple[np.ndarray, np.ndarray]:
    """Standings, and decisions that follow sigmoid(slope * standing + intercept)."""
    rng = np.random.default_rng(seed)
    standings = rng.normal(4, 3, count)
    chances = 1 / (1 + np.exp(-(slope * standings + intercept)))
    return standings, (rng.random(count) < chances).astype(float)


def test_without_earlier_standings_only_the_number_of_labels_counts(corpus: Corpus) -> None:
    assert learn([], corpus) == Calibration(1.0, calibrate.SLOPE, calibrate.INTERCEPT, {})
    likes = [Label(f"d{n}", 1.0) for n in range(20)]
    assert learn(likes, corpus).slope == 0.5
    both = likes + [Label(f"d{n}", 0.0) for n in range(20, 30)]
    assert learn(both, corpus).slope == pytest.approx(0.5 + 1.0 * 10 / 12)
    assert (learn(both, corpus).intercept, learn(both, corpus).shifts) == (calibrate.INTERCEPT, {})
    assert learn([], corpus).probabilities(np.zeros(600), corpus.documents)[0] == pytest.approx(0.15)


def test_without_pairs_the_step_is_one_over_standings_unless_logits_hardly_differ(corpus: Corpus) -> None:
    logits = np.random.default_rng(3).normal(size=600)
    logits /= logits.std()
    for scale, slope in ((5.0, 0.5), (2.0, 0.5), (0.1, 0.05)):
        step = calibrate.learn([], corpus, scale * logits)
        odds = slope * logits + np.log(0.15 / 0.85)
        assert step.probabilities(scale * logits, corpus.documents) == pytest.approx(1 / (1 + np.exp(-odds)))
    nothing = calibrate.learn([], corpus, np.zeros(600))
    assert nothing.probabilities(np.zeros(600), corpus.documents) == pytest.approx(0.15)


def test_pairs_count_by_their_standing_so_a_change_of_scale_changes_no_probability(corpus: Corpus) -> None:
    standings, wanted = simulated(5, 200, 0.8, -4.0)
    logits = 2 * np.random.default_rng(3).normal(size=600)
    small, large = (calibrate.learn(marked(standings, wanted), corpus, s * logits) for s in (1.0, 4.0))
    chances = small.probabilities(logits, corpus.documents)
    assert large.probabilities(4.0 * logits, corpus.documents) == pytest.approx(chances)


def objective(labels: list[Label], corpus: Corpus) -> tuple[list[str], np.ndarray, object]:
    """The documented loss of (slope, intercept, shifts of the kinds), written apart."""
    newest_first = sorted(labels, key=lambda label: -label.at)
    kinds = sorted({corpus.documents[corpus.row[label.document]].kind for label in labels})
    likes = sum(label.value > 0 for label in labels)
    both = min(likes, len(labels) - likes)
    slope = 0.5 + 1.0 * both / (both + 2)
    start = np.array([slope, np.log(0.15 / 0.85)] + [0.0] * len(kinds))

    def loss(theta: np.ndarray) -> float:
        total = ((theta[0] - start[0]) / 0.8) ** 2 / 2 + ((theta[1] - start[1]) / 2.0) ** 2 / 2
        total += float(((theta[2:] / 0.5) ** 2).sum()) / 2
        for age, label in enumerate(newest_first):
            kind = corpus.documents[corpus.row[label.document]].kind
            odds = theta[0] * label.standing + theta[1] + theta[2 + kinds.index(kind)]
            total += 0.5 ** (age / calibrate.HALF_LIFE) * np.logaddexp(0, -odds if label.value > 0 else odds)
        return float(total)

    return kinds, start, loss


@pytest.mark.parametrize("contrary", [False, True], ids=["usual", "contrary"])
def test_the_fit_is_the_minimum_of_the_documented_loss(corpus: Corpus, contrary: bool) -> None:
    standings, wanted = simulated(1, 80, 0.8, -4.0)
    labels = marked(standings, 1 - wanted if contrary else wanted)
    kinds, start, loss = objective(labels, corpus)
    bounds = [(calibrate.LEAST_SLOPE, None)] + [(None, None)] * (len(start) - 1)
    best = minimize(loss, start, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-14, "gtol": 1e-9}).x
    found = learn(labels, corpus)
    assert [found.slope, found.intercept] == pytest.approx(best[:2], abs=1e-4)
    assert [found.shifts[kind] for kind in kinds] == pytest.approx(best[2:], abs=1e-4)
    assert (found.slope == calibrate.LEAST_SLOPE) is contrary


@pytest.mark.parametrize(
    ("slope", "intercept"), [(1.1, -2.0), (0.5, -5.0), (0.2, -0.5), (0.0, -1.0)], ids=str
)
def test_predictions_made_before_each_label_beat_the_running_rate(
    corpus: Corpus, slope: float, intercept: float
) -> None:
    ours: list[float] = []
    rates: list[float] = []
    hits: list[float] = []
    for seed in range(3):
        standings, wanted = simulated(seed, 200, slope, intercept)
        labels = marked(standings, wanted)
        for day in range(10, 200, 10):
            step = learn(labels[:day], corpus)
            chances = chances_at(step, standings[day : day + 10], corpus.documents[day : day + 10])
            ours += chances.tolist()
            rates += [(wanted[:day].sum() + 1) / (day + 2)] * 10
            hits += wanted[day : day + 10].tolist()
    brier, rate_brier = (float(np.mean((np.array(p) - hits) ** 2)) for p in (ours, rates))
    # Where standings tell nothing, learning that costs a little more than knowing it.
    assert brier < rate_brier + (0.01 if slope == 0 else 0.0)
    if slope > 1:
        assert brier < 0.6 * rate_brier
    in_order = np.argsort(ours)
    error = np.mean(
        [
            abs(np.mean(np.array(ours)[part]) - np.mean(np.array(hits)[part]))
            for part in np.array_split(in_order, 10)
        ]
    )
    assert error < (0.06 if slope >= 0.5 else 0.12)


def test_it_follows_a_reader_who_loses_interest(corpus: Corpus) -> None:
    labels = marked(np.full(200, 4.0), np.arange(200) < 100)
    chances = chances_at(learn(labels, corpus), np.array([4.0]), corpus.documents[:1])
    assert chances[0] < 0.4, "half were wanted, but none of the second half"


def test_neither_the_order_of_labels_nor_what_is_outside_counts(corpus: Corpus) -> None:
    standings, wanted = simulated(2, 60, 0.8, -3.0)
    labels = marked(standings, wanted)
    shuffled = random.Random(4).sample(labels, len(labels))
    stranger = Label("unknown", 1.0, at=99.0, standing=-50.0)
    outdated = Label("d5", 1.0 - labels[5].value, at=-1.0, standing=30.0)
    found = learn(labels, corpus)
    assert learn(shuffled, corpus) == found
    assert learn([stranger, outdated, *shuffled], corpus) == found


@pytest.mark.parametrize("spread", [0.0, 1e-9, 1.0, 1e4])
@pytest.mark.parametrize("said", ["likes", "dislikes", "both"])
def test_any_standings_give_probabilities_in_their_order(corpus: Corpus, spread: float, said: str) -> None:
    standings = spread * np.linspace(-1, 1, 40)
    wanted = {"likes": np.ones(40), "dislikes": np.zeros(40), "both": standings > 0}[said]
    step = learn(marked(standings, wanted), corpus)
    grid = np.linspace(-2 * spread, 2 * spread, 99)
    of_one_kind = [document for document in corpus.documents if document.kind == "mail"][:99]
    chances = chances_at(step, grid, of_one_kind)
    assert np.isfinite(chances).all()
    assert ((chances >= 0) & (chances <= 1)).all()
    assert (np.diff(chances) >= 0).all()
    assert step.slope >= calibrate.LEAST_SLOPE


def test_a_kind_that_is_liked_more_at_the_same_standing_stands_higher_and_a_rare_one_follows(
    corpus: Corpus,
) -> None:
    kinds = np.array([document.kind for document in corpus.documents])
    feeds, mails = np.flatnonzero(kinds == "feed")[:40], np.flatnonzero(kinds == "mail")[:40]
    paper = int(np.flatnonzero(kinds == "paper")[0])
    said = [(n, 0.0) for n in feeds] + [(n, 1.0) for n in mails] + [(paper, 0.0)]
    labels = [Label(f"d{n}", value, at=float(n), standing=3.0) for n, value in said]
    found = learn(labels, corpus)
    assert found.shifts["mail"] > 0.5 > -0.5 > found.shifts["feed"]
    assert abs(found.shifts["paper"]) < 0.2
    chances = chances_at(found, np.full(600, 3.0), corpus.documents)
    assert chances[kinds == "mail"].min() > chances[kinds == "paper"].max() > chances[kinds == "feed"].max()
    unknown = Document(id="x", title="", kind="podcast")
    assert found.probabilities(np.zeros(1), [unknown])[0] == pytest.approx(1 / (1 + np.exp(-found.intercept)))


def test_a_standing_that_is_no_number_is_refused(corpus: Corpus) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        learn([Label("d1", 1.0, standing=float("nan"))], corpus)


def profiles() -> Iterator[Profile]:
    values = [float(n % 3 == 0) for n in range(30)]
    yield Profile(labels=tuple(Label(f"d{n}", value) for n, value in enumerate(values)))
    yield Profile(
        labels=tuple(Label(f"d{n}", value, standing=value + n / 30) for n, value in enumerate(values))
    )


def test_earlier_standings_change_probabilities_and_nothing_else() -> None:
    corpus = make_corpus(60)
    without, with_standings = (Ranker(corpus).fit(profile) for profile in profiles())
    assert with_standings.logits.tolist() == without.logits.tolist()
    assert with_standings.probabilities.tolist() != without.probabilities.tolist()
    for ranking in (without, with_standings):
        for kind in KINDS:
            rows = [row for row, document in enumerate(corpus.documents) if document.kind == kind]
            order = np.argsort(ranking.logits[rows], kind="stable")
            assert (np.diff(ranking.probabilities[rows][order]) >= 0).all()
