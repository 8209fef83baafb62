"""`triage learn`: tries other settings on the reader's own past, and keeps what foresees it better.

Owns the candidates, the measures and the rule of promotion. Knows neither how models are stored nor who
asks. Runs in the model worker: one candidate is some twenty fits.

The past is lived through once more (prequentially: Dawid 1984), marks in the order in which items were
first marked. Each small block of marks is foreseen by a fit that knows everything said before it and nothing
said later, then learned. What was undone never counts.

    marks   0 .. WARM_UP    .. two thirds   .. all
            only learned    fitting         held back

Candidates are compared on the fitting part. Only the best one of them, and only if it is better there, is
measured on the part held back, once; it is promotable if it is worse there in neither measure.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from model import artifacts
from model.artifacts import Artifact, Judged, within_reach
from model.blend import Settings
from model.corpus import Corpus
from model.ranker import Ranker, Ranking
from triage.core import feedback
from triage.core.feedback import Event
from triage.core.learning import Measures, Outcome, Trial
from triage.core.verbs import FORESEEABLE, Verb
from triage.services.ranker.models import Models
from triage.services.reader.profile import profile

LEAST_LABELS = 30
"""With fewer marks, a third of them says nothing about which of two settings is better."""
WARM_UP = 10
"""Marks at the beginning that are not foreseen: there is little to foresee them from."""
BLOCKS = 24
"""Into how many the marks are cut: more are truer to a life of single marks, and cost a fit each."""
COORDINATES = ("meaning", "words", "phrase_meaning", "dislike_share", "source", "prior_labels")
"""The settings that are tried, one at a time. Age is not among them: the items of the past are older now
than they were when they were marked."""
FACTORS = (0.5, 2.0)
LEAST_GAIN = 0.001
"""In nats of log-loss: less is no reason to change every score."""
HOW = "each block of marks foreseen from everything said before it"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Material:
    """Everything there is to learn from, as of one moment."""

    corpus: Corpus
    """Of the window, and of everything that was ever marked; ids are those of items."""
    first_seen: Mapping[int, datetime]
    """When each of them came in, by item id."""
    names: Mapping[int, str]
    """What each marked item is called on every machine, by item id: a model may move to another one."""
    minutes: Mapping[int, float]
    """What a digest plans for each of them, by item id."""
    events: Sequence[Event]
    """The whole log."""
    phrase_vectors: Mapping[str, NDArray[np.float32]]
    """Of every phrase that `phrases` names."""
    as_of: datetime
    window: timedelta


@dataclass(frozen=True, slots=True)
class Found:
    """What a search led to, and what promoting it takes."""

    outcome: Outcome
    settings: Settings
    rehearsed: Mapping[str, float] = field(default_factory=dict)
    """See `Artifact`."""
    judged: Judged | None = None
    """None if nothing is promotable."""


def phrases(events: Sequence[Event]) -> list[str]:
    """Every interest phrase that counted at some time."""
    said = [event.phrase for event in feedback.effective(events) if event.verb is Verb.INTEREST]
    return list(dict.fromkeys(phrase for phrase in said if phrase is not None))


def candidates(settings: Settings) -> Iterator[tuple[str, Settings]]:
    """The settings around the current ones, each with the name of the one that differs."""
    for name in COORDINATES:
        for factor in FACTORS:
            value = getattr(settings, name) * factor
            if within_reach(name, value):
                yield name, dataclasses.replace(settings, **{name: value})


def search(material: Material, current: Settings, on_progress: Progress) -> Found:
    """Looks for settings that foresee the reader's marks better than the current ones."""
    past = _Past(material)
    if missing := past.missing():
        return Found(Outcome(message=missing, labels=len(past.marks)), current)
    tried = list(candidates(current))
    total = len(tried) + 3
    on_progress("trying settings", 0, total)
    fitting = past.live(current, past.held_back).measures(past.warm_up, past.held_back)
    trials = []
    for done, (name, settings) in enumerate(tried, start=1):
        on_progress("trying settings", done, total)
        measured = past.live(settings, past.held_back).measures(past.warm_up, past.held_back)
        trials.append(
            Trial(
                setting=name, before=getattr(current, name), after=getattr(settings, name), fitting=measured
            )
        )
    outcome = Outcome(
        message="nothing tried is better than the current model",
        labels=len(past.marks),
        held_back=len(past.marks) - past.held_back,
        fitting=fitting,
        trials=tuple(trials),
    )
    better = [
        n
        for n, trial in enumerate(trials)
        if trial.fitting.not_worse_than(fitting) and trial.fitting.log_loss <= fitting.log_loss - LEAST_GAIN
    ]
    if not better:
        return Found(outcome, current)
    best = min(better, key=lambda n: trials[n].fitting.log_loss)
    on_progress("trying settings", total - 2, total)
    return _confirmed(past, current, tried[best][1], trials[best], outcome)


def _confirmed(past: _Past, current: Settings, settings: Settings, best: Trial, outcome: Outcome) -> Found:
    """The best candidate against the current settings on the marks held back, which nobody has looked at."""
    fitting, end = outcome.fitting, len(past.marks)
    assert fitting is not None
    before = past.live(current, end).measures(past.held_back, end)
    lived = past.live(settings, end)
    after = lived.measures(past.held_back, end)
    promotable = after.not_worse_than(before)
    verdict = "and not worse" if promotable else "but worse"
    outcome = dataclasses.replace(
        outcome,
        message=f"{best} is better on the marks it was chosen by, {verdict} on those held back",
        best=best,
        held_back_before=before,
        held_back_after=after,
        promotable=promotable,
    )
    if not promotable:
        return Found(outcome, current)
    judged = Judged(
        how=HOW,
        labels=outcome.labels,
        held_back=outcome.held_back,
        fitting_before=_measures(fitting),
        fitting_after=_measures(best.fitting),
        held_back_before=_measures(before),
        held_back_after=_measures(after),
    )
    return Found(outcome, settings, lived.standings, judged)


def learn(
    material: Material, models: Models, encoder: str, now: datetime, on_progress: Progress, *, dry_run: bool
) -> Outcome:
    """Searches from the model in use, and promotes what is better unless `dry_run`.

    Raises:
        TriageError: Another process has promoted a model meanwhile.
    """
    current = models.in_use(encoder)
    found = search(material, current.settings, on_progress)
    if found.judged is None or dry_run:
        return found.outcome
    version = models.promote(
        Artifact(
            ranker=models.ranker,
            encoder=encoder,
            created=now,
            parent=current.version,
            settings=found.settings,
            rehearsed={material.names[int(item)]: value for item, value in found.rehearsed.items()},
            judged=found.judged,
        )
    )
    return dataclasses.replace(found.outcome, version=version)


def _measures(found: Measures) -> artifacts.Measures:
    return artifacts.Measures(log_loss=found.log_loss, average_precision=found.average_precision)


@dataclass(frozen=True, slots=True)
class Mark:
    """An item that was liked or not: when it was first marked, and what was said of it last."""

    item: int
    place: int
    """Of that mark, among the events that count."""
    at: datetime
    wanted: bool


def first_marks(counted: Sequence[Event], known: Container[int]) -> list[Mark]:
    """The marks that could have been foreseen, in the order of the log.

    Args:
        counted: The events that count.
        known: The items that there is something to foresee from.
    """
    said = feedback.labels(counted)
    first: dict[int, int] = {}
    for place, event in enumerate(counted):
        if event.verb in FORESEEABLE and event.item_id is not None:
            first.setdefault(event.item_id, place)
    return [
        Mark(item, place, counted[place].at, said[item] > 0) for item, place in first.items() if item in known
    ]


class _Past:
    """The reader's marks in the order of time, cut into blocks."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._counted = feedback.effective(material.events)
        said = feedback.labels(self._counted)
        self.marks = first_marks(self._counted, material.first_seen)
        self._step = max(1, -(-len(self.marks) // BLOCKS))
        self.warm_up = self._boundary(WARM_UP)
        self.held_back = self._boundary(-(-len(self.marks) * 2 // 3))
        rows = [material.corpus.row[str(item)] for item in material.first_seen if item not in said]
        self._unmarked = np.array(rows, dtype=np.intp)
        self._seen = np.array(
            [moment.timestamp() for item, moment in material.first_seen.items() if item not in said]
        )

    def missing(self) -> str | None:
        """What there is too little of to learn from, in words; None if there is enough."""
        count = len(self.marks)
        if count < LEAST_LABELS:
            return (
                f"{LEAST_LABELS} likes and dislikes are needed to compare settings, and there are {count}: "
                f"{LEAST_LABELS - count} to go"
            )
        newest, before = self.marks[self.held_back :], self.marks[self.warm_up : self.held_back]
        for part, name in ((newest, "newest marks"), (before, "marks before those")):
            for wanted, kind in ((True, "like"), (False, "dislike")):
                if not any(mark.wanted is wanted for mark in part):
                    return f"settings cannot be compared yet: the {len(part)} {name} hold no {kind}"
        return None

    def live(self, settings: Settings, stop: int) -> _Lived:
        """The marks up to `stop` as a ranker of these settings would have foreseen them."""
        material, lived = self._material, _Lived()
        ranker = Ranker(material.corpus, settings)
        for start in range(0, stop, self._step):
            block = self.marks[start : start + self._step]
            told = profile(
                self._counted[: block[0].place],
                material.first_seen,
                material.as_of,
                rehearsed=lived.standings,
            )
            ranking = ranker.fit(told, material.phrase_vectors)
            rows = np.array([material.corpus.row[str(mark.item)] for mark in block], dtype=np.intp)
            lived.learn(block, rows, ranking, self._window(block[0].at))
        return lived

    def _boundary(self, least: int) -> int:
        """The first mark of the first block that has at least so many marks before it."""
        return -(-least // self._step) * self._step

    def _window(self, at: datetime) -> NDArray[np.intp]:
        """The rows of the unmarked items that were in the window at a moment."""
        end = at.timestamp()
        begin = end - self._material.window.total_seconds()
        return self._unmarked[(begin <= self._seen) & (self._seen <= end)]


@dataclass(slots=True)
class _Lived:
    """Marks as they were foreseen; grows block by block."""

    standings: dict[str, float] = field(default_factory=dict)
    _losses: list[float] = field(default_factory=list)
    """Of each mark."""
    _precisions: list[tuple[int, int, float]] = field(default_factory=list)
    """Of each block with something liked in it: its first mark, how many were liked, average precision."""

    def learn(
        self, block: Sequence[Mark], rows: NDArray[np.intp], ranking: Ranking, unmarked: NDArray[np.intp]
    ) -> None:
        wanted = np.array([mark.wanted for mark in block])
        if wanted.any():
            relevant = np.concatenate([np.zeros(len(unmarked), dtype=bool), wanted])
            precision = average_precision(ranking.logits[np.concatenate([unmarked, rows])], relevant)
            self._precisions.append((len(self._losses), int(wanted.sum()), precision))
        chances = np.where(wanted, ranking.probabilities[rows], 1 - ranking.probabilities[rows])
        self._losses += (-np.log(np.maximum(chances, 1e-12))).tolist()
        self.standings |= {
            str(mark.item): float(value) for mark, value in zip(block, ranking.standings[rows], strict=True)
        }

    def measures(self, start: int, stop: int) -> Measures:
        """Over the marks from `start` to `stop`, which begin blocks; among them is a like."""
        found = [(liked, precision) for at, liked, precision in self._precisions if start <= at < stop]
        return Measures(
            log_loss=float(np.mean(self._losses[start:stop])),
            average_precision=sum(n * each for n, each in found) / sum(n for n, _ in found),
        )


def average_precision(scores: NDArray[np.float64], relevant: NDArray[np.bool_]) -> float:
    """Mean, over the relevant, of the share of relevant ones at or above each; equals stand as they come."""
    found = relevant[np.argsort(-scores, kind="stable")]
    places = np.flatnonzero(found) + 1
    return float(np.mean(np.arange(1, len(places) + 1) / places))
