"""Tests the highlights by removal: what a document is worth without them, and without as much else.

Owns which texts are compared. The comparison is a real one: what remains of a text is split, encoded and
counted anew, and scored by the same fit.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model.cache import Encode
from model.evaluate import Prepared, Task, encode_phrases
from model.passages import Span, sentences
from model.ranker import Ranker, Ranking
from model.types import Document, Interest, Profile

TOP = 5
"""Of each task, so many of the best documents are taken apart: those whose highlights somebody would read."""


@dataclass(frozen=True, slots=True)
class _Case:
    task: str
    ranking: Ranking
    document: Document
    without_highlights: Document
    without_random: Document


def occlude_tasks(
    items: Mapping[str, Document],
    tasks: Sequence[Task],
    encode: Encode,
    readable: Callable[[str], bool] = lambda _: True,
) -> Iterator[dict[str, Any]]:
    """Compares logits of the best candidates of each task, whole and with parts of their text removed.

    Candidates without a highlight that speaks for them, or with less text beside the highlights than in
    them, are left out; the next best are taken instead.

    Args:
        items: By id; every id of the tasks is among them.
        tasks: Independent of each other.
        encode: Windows to vectors.
        readable: Whether the encoder knows the language of a text.

    Yields:
        {"task", "item", "whole", "without_highlights", "without_random", "removed"}: three logits, and
        how many characters were removed either time.
    """
    used = {name: items[name] for task in tasks for name in task.documents}
    prepared = Prepared.of(used, encode, readable)
    meaning = encode_phrases([phrase for task in tasks for phrase in task.phrases], encode)
    cases = []
    for task in tasks:
        corpus = prepared.corpus(task.documents)
        interests = tuple(Interest(phrase) for phrase in dict.fromkeys(task.phrases))
        ranking = Ranker(corpus).fit(Profile(interests, task.labels), meaning)
        candidates = set(task.candidates)
        best = (items[name] for name in ranking.order() if name in candidates)
        found = (case for document in best if (case := _case(task.name, ranking, document)) is not None)
        cases += [case for case, _ in zip(found, range(TOP), strict=False)]
    variants = {
        f"{number} {kind}": variant
        for number, case in enumerate(cases)
        for kind, variant in (("h", case.without_highlights), ("r", case.without_random))
    }
    again = Prepared.of(variants, encode, readable)
    for number, case in enumerate(cases):
        name = case.document.id
        logits = [
            case.ranking.logit_as(
                name, again.documents[key], again.parts[key], again.vectors[key], again.terms[key]
            )
            for key in (f"{number} h", f"{number} r")
        ]
        yield {
            "task": case.task,
            "item": name,
            "whole": case.ranking.logit_without(name, []),
            "without_highlights": logits[0],
            "without_random": logits[1],
            "removed": len(case.document.text) - len(case.without_highlights.text),
        }


def _case(task: str, ranking: Ranking, document: Document) -> _Case | None:
    marks = [mark.passage for mark in ranking.explain(document.id).highlights if mark.value > 0]
    spans = sorted((mark.start, mark.end) for mark in marks)
    size = sum(end - start for start, end in spans)
    others = [
        span
        for span in sentences(document.text)
        if all(span[1] <= start or end <= span[0] for start, end in spans)
    ]
    if not spans or sum(end - start for start, end in others) < size:
        return None
    random.Random(f"{task} {document.id}").shuffle(others)  # noqa: S311 - a control group, no secret
    taken: list[Span] = []
    left = size
    for start, end in others:
        taken.append((start, min(end, start + left)))
        left -= taken[-1][1] - start
        if left <= 0:
            break
    return _Case(task, ranking, document, _cut(document, spans), _cut(document, taken))


def _cut(document: Document, spans: Sequence[Span]) -> Document:
    """The document without some stretches of its text."""
    text = document.text
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + text[end:]
    return Document(id=document.id, title=document.title, text=text)
