"""What marks have moved: the same items ranked without and with them, by what the items have in common.

Owns the groups that are looked at and how they are weighed. Runs in the model worker: two fits on a corpus
that is loaded already.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model.corpus import Corpus
from model.stopwords import ENGLISH
from model.types import Has
from triage.core.insight import Shift
from triage.store.items import ItemRow

SHRINK = 10
"""Items that moved with the average are imagined in every group: three that happen to have moved far are less
news than thirty that moved half as far."""
LEAST_ITEMS = 5
"""A group of fewer says more of its items than of what they have in common."""
COMMON = 0.3
"""A word in a larger share of the titles tells nothing apart."""
SHOWN = 3
"""Of each kind, so many that went up most and so many that went down most."""
LEAST_CHANGE = 0.02
"""Less is noise."""

_WORD = re.compile(r"[^\W\d_]{3,40}")


def shifts(
    corpus: Corpus,
    rows: Mapping[int, ItemRow],
    moved: NDArray[np.float64],
    interests: Iterable[str],
    marked: Container[int],
) -> tuple[Shift, ...]:
    """Which sources, people, interests, words of titles and items have moved most.

    Args:
        corpus: Of the items, in the order of `rows`.
        rows: The items by id.
        moved: What was added to the standing of each, (items,).
        interests: Phrases; an item has one if it mentions it.
        marked: Ids of items that the reader spoke of: that these moved is no news.
    """
    if not len(moved):
        return ()
    against = moved - moved.mean()
    kinds: list[tuple[str, Iterable[tuple[str, NDArray[np.intp]]]]] = [
        ("interest", _mentions(corpus, interests)),
        ("source", _groups([row.source] for row in rows.values())),
        ("person", _groups(row.people for row in rows.values())),
        ("word", _groups((_words(row.title) for row in rows.values()), most=COMMON * len(moved))),
    ]
    found: list[Shift] = []
    for kind, groups in kinds:
        found += _most(
            Shift(
                kind=kind,
                name=name,
                change=float(against[members].sum() / (len(members) + SHRINK)),
                items=len(members),
            )
            for name, members in groups
        )
    items = (
        Shift(kind="item", name=row.title, change=float(change), items=1)
        for row, change in zip(rows.values(), against, strict=True)
        if row.id not in marked
    )
    return (*found, *_most(items))


def _most(shifts: Iterable[Shift]) -> list[Shift]:
    """Those that went up most, then those that went down most, the strongest first."""
    ordered = sorted(shifts, key=lambda shift: (-shift.change, shift.name))
    up = [shift for shift in ordered[:SHOWN] if shift.change >= LEAST_CHANGE]
    down = [shift for shift in ordered[::-1][:SHOWN] if shift.change <= -LEAST_CHANGE]
    return [*up, *down]


def _groups(
    names: Iterable[Iterable[str]], most: float = float("inf")
) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Name -> the rows that have it, where they are neither too few nor too many."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for row, each in enumerate(names):
        for name in dict.fromkeys(each):
            members[name].append(row)
    for name, found in members.items():
        if LEAST_ITEMS <= len(found) <= most:
            yield name, np.array(found, dtype=np.intp)


def _mentions(corpus: Corpus, phrases: Iterable[str]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    for phrase in phrases:
        if any(char.isalnum() for char in phrase):
            found = np.flatnonzero(corpus.matcher.matches(Has("mentions", phrase)))
            if len(found) >= LEAST_ITEMS:
                yield phrase, found


def _words(title: str) -> Sequence[str]:
    return [word for word in _WORD.findall(title.casefold()) if word not in ENGLISH]
