"""Names that hold on every machine: of items, by where they came from, and of events, by what they say.

Ids are given by a database. What is exported names things by their content instead, so that the same event
or item is known again wherever it is imported, and however often.
"""

from __future__ import annotations

from collections.abc import Iterable

from triage.core.feedback import Event
from triage.core.identity import digest


def item_name(ingestor: str, target: str, key: str) -> str:
    """32 hexadecimal digits: the key of an item in its source."""
    return digest("item", ingestor, target, key).hex()


def event_name(event: Event, undoes: str | None) -> str:
    """32 hexadecimal digits: what was said, and its place in the log, which no other event of a machine has.

    Not among it: the item, which may be known here as that of another source, and how it stood.

    Args:
        event: Its ids are not used.
        undoes: The name of the event that it takes back.
    """
    return digest(
        "event",
        event.stamp.isoformat(),
        event.at.isoformat(),
        event.verb.value,
        undoes or "",
        event.phrase or "",
        "" if event.weight is None else repr(float(event.weight)),
        "" if event.until is None else event.until.isoformat(),
        event.scope or "",
    ).hex()


def event_names(events: Iterable[Event]) -> dict[int, str]:
    """Event id -> name, in the order of the log."""
    names: dict[int, str] = {}
    for event in sorted(events, key=lambda event: (event.stamp, event.id)):
        names[event.id] = event_name(event, None if event.undoes is None else names[event.undoes])
    return names
