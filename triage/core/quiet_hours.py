"""Quiet hours: the times of day at which nothing interrupts the reader, as the settings write them."""

from __future__ import annotations

from datetime import time

from triage.core.errors import UsageError


def within(span: str, local: time) -> bool:
    """Whether a local time lies in `22:00-07:30`; an empty span holds no time.

    Raises:
        UsageError: It is no such span.
    """
    if not span.strip():
        return False
    try:
        begin, end = (time.fromisoformat(part.strip()) for part in span.split("-"))
    except ValueError as error:
        raise UsageError(f"{span!r} are no quiet hours; write them as 22:00-07:30") from error
    return begin <= local < end if begin <= end else local >= begin or local < end
