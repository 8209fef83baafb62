"""Finds the ingestors that are installed, ours and those of other distributions.

Ingestors register under the entry-point group `triage.ingestors`; this module knows none by name. One that
cannot be loaded is named and hinders no other.
"""

from __future__ import annotations

import functools
import importlib.metadata
from importlib.metadata import EntryPoint
from typing import cast

from ingestors.base import Claim, Ingestor
from ingestors.plugins import Broken, Guarded, flaw

GROUP = "triage.ingestors"


def names() -> tuple[str, ...]:
    """Names of all installed ingestors, sorted; imports none of them."""
    return tuple(sorted({point.name for point in importlib.metadata.entry_points(group=GROUP)}))


def get(name: str) -> Ingestor | None:
    """The ingestor of this name; None if none is installed.

    A plug-in that cannot be loaded is there as well, and answers every fetch with the reason.
    """
    point = _points().get(name)
    return None if point is None else _open(point)


def load() -> dict[str, Ingestor]:
    """All installed ingestors by name; to import them takes 30 ms, so ask for one where one is enough."""
    return {name: _open(point) for name, point in _points().items()}


@functools.cache
def _points() -> dict[str, EntryPoint]:
    """Of each name the entry point that counts: ours before a plug-in's."""
    found: dict[str, EntryPoint] = {}
    points = importlib.metadata.entry_points(group=GROUP)
    for point in sorted(points, key=lambda point: (point.name, not _is_ours(point), point.value)):
        found.setdefault(point.name, point)
    return found


def forget() -> None:
    """Has the next question look again for what is installed."""
    _points.cache_clear()
    _open.cache_clear()


def plugins() -> tuple[str, ...]:
    """Names of the plug-ins that work."""
    return tuple(name for name, ingestor in load().items() if isinstance(ingestor, Guarded))


def problems() -> dict[str, str]:
    """Plug-ins that are left out, by name, and why: they cannot be loaded, or their name is taken."""
    found = {name: broken.reason for name, broken in load().items() if isinstance(broken, Broken)}
    values: dict[str, set[str]] = {}
    for point in importlib.metadata.entry_points(group=GROUP):
        values.setdefault(point.name, set()).add(point.value)
    taken = {name: sorted(each) for name, each in values.items() if len(each) > 1}
    return found | {
        name: f"several distributions register an ingestor of this name: {', '.join(each)}"
        for name, each in taken.items()
    }


def brought_by(name: str) -> list[str]:
    """The other distributions that register an ingestor of this name."""
    points = [point for point in importlib.metadata.entry_points(group=GROUP) if point.name == name]
    return sorted({point.dist.name for point in points if point.dist is not None and not _is_ours(point)})


def claim(target: str) -> Claim | None:
    """The first ingestor's claim on `target`, in the order of their names; None if nobody reads it."""
    return next((c for ingestor in load().values() if (c := ingestor.claim(target)) is not None), None)


def _is_ours(point: EntryPoint) -> bool:
    return point.module.partition(".")[0] == "ingestors"


@functools.cache
def _open(point: EntryPoint) -> Ingestor:
    if _is_ours(point):
        return cast("Ingestor", point.load()())
    where = f"the plug-in {point.name} ({point.value})"
    try:
        ingestor = point.load()()
    except (Exception, SystemExit) as error:  # noqa: BLE001  importing a stranger's module can do anything
        return Broken(point.name, f"{where} cannot be loaded: {type(error).__name__}: {error}")
    if (what := flaw(ingestor, point.name)) is not None:
        return Broken(point.name, f"{where} is no ingestor: {what}")
    return Guarded(cast("Ingestor", ingestor))
