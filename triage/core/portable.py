"""Names that hold on every machine: of items, by where they came from, and of events, by what they say.

Ids are given by a database. What is exported names things by their content instead, so that the same event
or item is known again wherever it is imported, and however often.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from triage.core.feedback import Event
from triage.core.identity import digest


def item_name(ingestor: str, target: str, key: str) -> str:
    """32 hexadecimal digits: the key of an item in its source."""
    return digest("item", ingestor, target, key).hex()


def event_name(event: Event, item: str | None, undoes: str | None) -> str:
    """32 hexadecimal digits: everything that was said, and its place in the log.

    Not among it: how the item stood and what it was shown with, which is no part of what was said.

    Args:
        event: Its ids are not used.
        item: The name of the item that it is about.
        undoes: The name of the event that it takes back.
    """
    return digest(
        "event",
        event.stamp.isoformat(),
        event.at.isoformat(),
        event.verb.value,
        item or "",
        undoes or "",
        event.phrase or "",
        "" if event.weight is None else repr(float(event.weight)),
        "" if event.until is None else event.until.isoformat(),
        event.scope or "",
    ).hex()


def event_names(events: Iterable[Event], items: Mapping[int, str]) -> dict[int, str]:
    """Event id -> name, in the order of the log.

    Args:
        events: The log.
        items: Item id -> name, of every item in it.
    """
    names: dict[int, str] = {}
    for event in sorted(events, key=lambda event: (event.stamp, event.id)):
        item = None if event.item_id is None else items[event.item_id]
        names[event.id] = event_name(event, item, None if event.undoes is None else names[event.undoes])
    return names
