"""`triage evaluate history`: what other orders would have done on the reader's own days.

Owns the days, the orders that are compared and the measures. Runs in the model worker: a day costs a fit for
each order that learns.

Each day is foreseen from everything said before its first mark and nothing said later (prequentially:
Dawid 1984). To choose from is whatever was in the digest's window and not marked yet. What was never marked
counts as unwanted, though nobody may have seen it: that favours the order that was shown, and is said to the
reader. Ages are those of now, as the corpus has them: on days long past they tell items apart less than then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from model.blend import Settings
from model.knowledge import clamps
from model.ranker import Ranker
from triage.core import feedback, hindsight
from triage.core.hindsight import Estimate, Hindsight, Order
from triage.core.rules import DECIDING
from triage.services.ranker.learn import WARM_UP, Mark, Material, average_precision, first_marks
from triage.services.reader.profile import profile

MOST_DAYS = 60
"""The newest days with likes that are looked at."""
SAMPLES = 2000
"""Of the bootstrap (Efron 1979)."""
SEED = 20

Progress = Callable[[str, int, int], None]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Day:
    """A day on which something was liked."""

    first: Mark
    """Before which everything was said that is known on that day."""
    rows: NDArray[np.intp]
    """Of the corpus: what there was to choose from."""
    liked: NDArray[np.bool_]
    """Of each of them."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """One order, on each day: (days,) each."""

    found: Floats
    precision: Floats
    average_precision: Floats


def compare(
    material: Material,
    minutes: float,
    models: Mapping[str, Settings],
    on_progress: Progress,
) -> Hindsight:
    """Compares orders on the days that have been.

    Args:
        material: What was said, of what.
        minutes: That the reader has on a day.
        models: Words for a model -> its settings; the last one is the model of now.
        on_progress: Called with what is done, in days.
    """
    counted = feedback.effective(material.events)
    marks = first_marks(counted, material.first_seen)
    days = _days(material, marks)
    if missing := hindsight.missing(len(marks), len(days)):
        return Hindsight(message=missing, marks=len(marks))
    each_minutes = np.array([material.minutes[int(d.id)] for d in material.corpus.documents])
    newest_first = np.array([d.published or 0.0 for d in material.corpus.documents])
    learned = {says: Ranker(material.corpus, settings) for says, settings in models.items()}
    measured: dict[str, list[tuple[float, float, float]]] = {}
    for done, day in enumerate(days):
        on_progress("looking back", done, len(days))
        told = profile(counted[: day.first.place], material.first_seen, day.first.at)
        scores = {"chronological": newest_first}
        *_, present = learned.values()
        by_hand = present.fit(replace(told, labels=()), material.phrase_vectors)
        scores["your rules and interests alone"] = by_hand.logits
        scores |= {says: r.fit(told, material.phrase_vectors).logits for says, r in learned.items()}
        decided = np.zeros(len(newest_first))
        for row, met in clamps(material.corpus.matcher, told.rules).items():
            effect = next((each for each in DECIDING if any(rule.effect == each for rule in met)), None)
            decided[row] = {"always": 1.0, "never": -1.0}.get(effect or "", 0.0)
        for says, values in scores.items():
            hard = decided if says != "chronological" else np.zeros_like(decided)
            order = day.rows[np.lexsort((-newest_first[day.rows], -values[day.rows], -hard[day.rows]))]
            liked = day.liked[np.searchsorted(day.rows, order)]
            measured.setdefault(says, []).append(_measures(liked, each_minutes[order], minutes))
    return _told(days, measured, len(marks), minutes)


def _days(material: Material, marks: Sequence[Mark]) -> list[_Day]:
    """The newest days with likes, after the first marks, from which there is little to foresee."""
    by_day: dict[date, list[Mark]] = {}
    for mark in marks[WARM_UP:]:
        by_day.setdefault(mark.at.astimezone().date(), []).append(mark)
    first_marked = {mark.item: mark.at for mark in marks}
    handed_in = feedback.handed_in(material.events)
    items = [int(document.id) for document in material.corpus.documents]
    seen = np.array([material.first_seen[item].timestamp() for item in items])
    gone = np.array([first_marked[item].timestamp() if item in first_marked else np.inf for item in items])
    gone[[n for n, item in enumerate(items) if item in handed_in]] = -np.inf
    found = []
    for said in by_day.values():
        if not any(mark.wanted for mark in said):
            continue
        begin, end = said[0].at.timestamp(), said[-1].at.timestamp()
        there = (begin - material.window.total_seconds() <= seen) & (seen <= end) & (gone >= begin)
        rows = np.flatnonzero(there)
        wanted = {mark.item for mark in said if mark.wanted}
        liked = np.array([items[row] in wanted for row in rows], dtype=bool)
        if liked.any():
            found.append(_Day(said[0], rows, liked))
    return found[-MOST_DAYS:]


def _measures(liked: NDArray[np.bool_], minutes: Floats, most: float) -> tuple[float, float, float]:
    """Liked items within the minutes, their share of the items there, and average precision, best first.

    The item at which the minutes run out is still read.
    """
    before = np.concatenate([[0.0], np.cumsum(minutes)[:-1]])
    within = before < most
    ranks = -np.arange(len(liked), dtype=np.float64)
    return float(liked[within].sum()), float(liked[within].mean()), average_precision(ranks, liked)


def _told(
    days: Sequence[_Day],
    measured: Mapping[str, Sequence[tuple[float, float, float]]],
    marks: int,
    minutes: float,
) -> Hindsight:
    liked = np.array([day.liked.sum() for day in days], dtype=np.float64)
    samples = np.random.default_rng(SEED).integers(len(days), size=(SAMPLES, len(days)))
    columns = {says: _Measured(*np.array(rows).T) for says, rows in measured.items()}
    *_, now = columns.values()
    names = ["chronological", "rules", *["before"] * (len(columns) - 3), "now"]
    orders = tuple(
        Order(
            name=name,
            says=says,
            found=int(each.found.sum()),
            share=_estimate(each.found / liked, samples),
            precision=_estimate(each.precision, samples),
            average_precision=_estimate(each.average_precision, samples),
            behind=None if each is now else _estimate((now.found - each.found) / liked, samples),
        )
        for name, (says, each) in zip(names, columns.items(), strict=True)
    )
    return Hindsight(
        message=hindsight.summary(orders, int(liked.sum()), minutes),
        marks=marks,
        days=len(days),
        liked=int(liked.sum()),
        minutes=minutes,
        candidates=float(np.mean([len(day.rows) for day in days])),
        orders=orders,
    )


def _estimate(values: Floats, samples: NDArray[np.intp]) -> Estimate:
    """The mean of the days, with its 95 % percentile interval over samples of days."""
    low, high = np.percentile(values[samples].mean(axis=1), [2.5, 97.5])
    return Estimate(value=float(values.mean()), low=float(low), high=float(high))
