"""Replays a stream of documents day by day: what a reader would have been shown, and learned from.

Owns the loop and the form of its two files. What the reader wanted is reachable through one function,
`Ask`, that the loop calls for documents it has shown and for nothing else; a day's corpus holds no text
of a later day. So nothing that is unknown in life can reach the ranker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from model.cache import Encode
from model.evaluate import Clean, Prepared, encode_phrases, read_documents
from model.jsonl import Row, read_object
from model.ranker import Ranker
from model.types import Document, Interest, InvalidInput, Label, Profile

Day = int | str

Ask = Callable[[str], bool]
"""Whether the reader wanted a document, by id, now that it was shown to them."""

_DAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Stream:
    """Documents by id, and the ids that came in on each day: days in order, ids as they arrived."""

    documents: dict[str, Document]
    days: dict[Day, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Start:
    """All that is known of a reader on day one."""

    likes: tuple[str, ...]
    phrases: tuple[str, ...]


def read_stream(path: Path, clean: Clean) -> Stream:
    """A stream from a file of {id, title, text, seen}, where `seen` is a whole number or a string.

    Raises:
        InvalidInput: The file or a line of it cannot be used, an id repeats, or days are of two kinds.
    """
    documents: dict[str, Document] = {}
    days: dict[Day, list[str]] = {}
    kind: type[Day] | None = None
    for row, document in read_documents([path], clean):
        day = _day(row)
        kind = kind or type(day)
        if type(day) is not kind:
            raise row.error("`seen` must be a number in all items, or a string in all")
        documents[document.id] = document
        days.setdefault(day, []).append(document.id)
    if not documents:
        raise InvalidInput(f"{path}: there are no items")
    in_order = sorted(days.items(), key=lambda pair: pair[0])
    return Stream(documents, {day: tuple(names) for day, names in in_order})


def read_reader(path: Path, documents: Mapping[str, Document], clean: Clean) -> tuple[Start, Ask]:
    """What is known of a reader, apart from what they will say, from {user, positives, start, phrases}.

    `positives` may name documents that are not in the stream: nobody will ask for them.

    Raises:
        InvalidInput: The file or a field cannot be used, or `start` names an unknown document.
    """
    row = read_object(path)
    likes = tuple(dict.fromkeys(row.texts("start") if row.fields.get("start") else ()))
    phrases = row.texts("phrases") if row.fields.get("phrases") else ()
    unknown = next((name for name in likes if name not in documents), None)
    if unknown is not None:
        raise row.error(f"`start` names {unknown!r}, but no item has that id")
    wanted = frozenset(row.texts("positives"))
    return Start(likes, tuple(dict.fromkeys(clean(phrase) for phrase in phrases))), wanted.__contains__


def replay(
    stream: Stream,
    start: Start,
    ask: Ask,
    per_day: int,
    encode: Encode,
    readable: Callable[[str], bool] = lambda _: True,
) -> Iterator[dict[str, Any]]:
    """Shows the best of each day, learns what the reader says of them, goes on to the next day.

    What was liked before day one is known, labelled and never shown. Equals stand as they arrived. A day
    with nothing to show is left out.

    Args:
        stream: What came in, and when.
        start: What is known on day one.
        ask: See `Ask`.
        per_day: How many are shown, >= 1; fewer on a day that has fewer.
        encode: Windows to vectors.
        readable: Whether the encoder knows the language of a text; the others rank by their words.

    Yields:
        {"day", "shown": ids, best first, "p": P(the reader will care) of each, before they said}.
    """
    prepared = Prepared.of(stream.documents, encode, readable)
    meaning = encode_phrases(start.phrases, encode)
    interests = tuple(Interest(phrase) for phrase in start.phrases)
    labels = [Label(name, 1.0) for name in start.likes]
    known = list(start.likes)
    for number, (day, arrived) in enumerate(stream.days.items(), start=1):
        new = [name for name in arrived if name not in start.likes]
        if not new:
            continue
        known += new
        ranking = Ranker(prepared.corpus(known)).fit(Profile(interests, tuple(labels)), meaning)
        standings, chances = ranking.standings[-len(new) :], ranking.probabilities[-len(new) :]
        best = np.argsort(-standings, kind="stable")[:per_day]
        shown = [new[place] for place in best]
        yield {"day": day, "shown": shown, "p": [float(chance) for chance in chances[best]]}
        labels += [
            Label(name, float(ask(name)), at=number * _DAY_SECONDS, standing=float(standing))
            for name, standing in zip(shown, standings[best], strict=True)
        ]


def _day(row: Row) -> Day:
    value = row.fields.get("seen")
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise row.error("`seen` must be a whole number or a string")
    return value
