"""Finds the ingestors that are installed, ours and those of other distributions.

Ingestors register under the entry-point group `triage.ingestors`; this module knows none by name.
"""

from __future__ import annotations

import functools
import importlib.metadata
from typing import cast

from ingestors.base import Claim, Ingestor

GROUP = "triage.ingestors"


def names() -> tuple[str, ...]:
    """Names of all installed ingestors, sorted; imports none of them."""
    return tuple(sorted({point.name for point in importlib.metadata.entry_points(group=GROUP)}))


@functools.cache
def load() -> dict[str, Ingestor]:
    """All installed ingestors by name.

    Raises:
        ImportError: A distribution registers an ingestor that it does not have; the message names it.
    """
    found: dict[str, Ingestor] = {}
    for point in sorted(importlib.metadata.entry_points(group=GROUP), key=lambda point: point.name):
        try:
            ingestor = point.load()()
        except (ImportError, AttributeError) as error:
            raise ImportError(
                f"the ingestor {point.name!r} ({point.value}) cannot be loaded: {error}"
            ) from error
        found[point.name] = cast("Ingestor", ingestor)
    return found


def claim(target: str) -> Claim | None:
    """The first ingestor's claim on `target`, in the order of their names; None if nobody reads it."""
    return next((c for ingestor in load().values() if (c := ingestor.claim(target)) is not None), None)
