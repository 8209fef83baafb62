"""The bundled catalogue of starter packs, read and taken.

Owns the file and how a pack becomes sources. Which packs a reader means is decided in `triage.core.packs`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from triage.config import Clock
from triage.core.errors import UsageError
from triage.core.packs import Pack, PackSource
from triage.services.fetching import sources
from triage.services.fetching.sources import Added
from triage.store.engine import Database


@cache
def catalogue() -> tuple[Pack, ...]:
    """All packs, in the order of the file."""
    text = resources.files("triage.packs").joinpath("catalogue.toml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(text)["pack"]
    return tuple(
        Pack(
            name=row["name"],
            title=row["title"],
            words=row["words"],
            sources=tuple(PackSource(**source) for source in row["sources"]),
            language=row.get("language", "en"),
        )
        for row in rows
    )


def named(names: Sequence[str]) -> list[Pack]:
    """The packs of these names.

    Raises:
        UsageError: There is none of a name; the nearest is named.
    """
    known = {pack.name: pack for pack in catalogue()}
    for name in names:
        if name not in known:
            import difflib

            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"there is no pack {name!r}{hint}", fix="triage start --packs")
    return [known[name] for name in dict.fromkeys(names)]


def take(database: Database, clock: Clock, packs: Sequence[Pack]) -> list[Added]:
    """Adds the sources of packs, each once, unseen: the first fetch says which of them answer."""
    targets = {source.target: (source, pack) for pack in reversed(packs) for source in pack.sources}
    return [
        sources.add(database, clock, target, allow_local=False, title=source.title, tags=[pack.name])
        for target, (source, pack) in reversed(targets.items())
    ]
