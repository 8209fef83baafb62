"""What digests showed, and which of them the reader looked at. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage.core.feedback import MARKS, Event
from triage.core.items import Lane


@dataclass(frozen=True, slots=True)
class Shown:
    """An item of a digest, as the digest last stood."""

    digest: int
    built_at: datetime
    item: int
    lane: Lane
    minutes: float
    why: tuple[dict[str, Any], ...]
    """Its strongest reasons, as `triage.core.items.Reason` writes them."""


def looked_at(shown: Sequence[Shown], acts: Iterable[datetime]) -> list[Shown]:
    """What stood in digests in whose time the reader marked or opened something.

    A digest that nobody saw, in a week away or because another was built an hour later, says nothing of what
    stood in it.

    Args:
        shown: Of all digests of a time, the oldest first.
        acts: When something was marked or opened.
    """
    built = sorted({(each.built_at, each.digest) for each in shown})
    moments = [moment for moment, _ in built]
    seen = {built[place - 1][1] for act in acts if (place := bisect_right(moments, act))}
    return [each for each in shown if each.digest in seen]


def marked_at(events: Iterable[Event]) -> list[datetime]:
    """When the reader marked something, also what was undone since."""
    return [event.at for event in events if event.verb in MARKS]
