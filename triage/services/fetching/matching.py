"""Which of the documents that a source brought are new, and which stored item each of the others is.

Owns the decision; knows no database and no source. The same document comes back under another guid, another
link or another title, and the same paper from another server: none of that may flood a digest, and nothing
that is different may vanish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from triage.core.identity import Names, conflict
from triage.store.identities import Known
from triage.store.items import NewItem


@dataclass(slots=True)
class Matches:
    """The decision, by position in the sequence of documents."""

    new: list[int] = field(default_factory=list)
    revised: dict[int, Known] = field(default_factory=dict)
    """Items of this source whose words have changed."""
    completed: dict[int, Known] = field(default_factory=dict)
    """Works that another source brought first, of which this one knows more: identifiers, an abstract."""
    known: dict[int, Known] = field(default_factory=dict)
    """Every document that is stored already, the revised and completed ones included."""
    missed: list[int] = field(default_factory=list)
    """Announced as revisions of works that were never seen here as new: not news, and not stored."""
    repeats: dict[int, int] = field(default_factory=dict)
    """Documents that another one of this very fetch stands for, such as one paper in two records."""


def match(
    source_id: int,
    documents: Sequence[NewItem],
    names: Sequence[Names],
    own: Mapping[bytes, Known],
    shared: Mapping[bytes, Known],
) -> Matches:
    """Decides on all documents of one fetch.

    Args:
        source_id: Who brought them.
        documents: In the order of the source; their keys differ.
        names: Of each document.
        own: The known ones among names within the source.
        shared: The known ones among names that hold in all sources.
    """
    found = Matches()
    taken: dict[int, int] = {}  # item id -> the document that it is

    def claim(position: int, item: Known) -> None:
        taken.setdefault(item.id, position)
        found.known[position] = item

    def rest() -> Iterator[int]:
        return (position for position in range(len(documents)) if position not in found.known)

    # The key decides wherever it can; only then may weaker names find what nobody else is.
    for position in rest():
        if (item := own.get(names[position].own[0])) is not None:
            claim(position, item)
    for position in rest():
        items = (own.get(name) for name in names[position].own[1:])
        if (item := next((item for item in items if item and item.id not in taken), None)) is not None:
            claim(position, item)
    for position in rest():
        document = documents[position]
        items = (shared.get(name) for name in names[position].shared)
        if (item := next((item for item in items if item and _same(item, document)), None)) is not None:
            claim(position, item)
    first: dict[bytes, int] = {}
    for position in rest():
        document = documents[position]
        if document.identifiers.get("announce") == "replace":
            found.missed.append(position)
            continue
        twins = [first[name] for name in names[position].shared if name in first]
        twin = next((twin for twin in twins if not _disagree(documents[twin], document)), None)
        if twin is None:
            found.new.append(position)
            first = dict.fromkeys(names[position].shared, position) | first
        else:
            found.repeats[position] = twin
    for position, item in found.known.items():
        if taken[item.id] != position:
            continue
        document = documents[position]
        if item.source_id != source_id:
            if (document.words and not item.words) or document.identifiers.keys() - item.identifiers.keys():
                found.completed[position] = item
        elif item.content_hash != document.content_hash:
            found.revised[position] = item
    return found


def _same(item: Known, document: NewItem) -> bool:
    return item.kind == document.kind and not conflict(item.identifiers, document.identifiers)


def _disagree(one: NewItem, other: NewItem) -> bool:
    return conflict(one.identifiers, other.identifiers)
