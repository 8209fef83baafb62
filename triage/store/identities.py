"""Statements on the names of items: which item a document is, and what else it is called."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from triage.store.bulk import insert_rows
from triage.store.schema import Identity, Item

SHARED = 0
"""The scope of names that hold in all sources."""


@dataclass(frozen=True, slots=True)
class Known:
    """What has to be known of an item to tell whether a document is the same."""

    id: int
    source_id: int
    kind: str
    key: str
    content_hash: str
    identifiers: Mapping[str, Any]
    words: int


# The names are one value: a statement with a place for each is made anew for every number of them, and that
# takes longer than running it.
_NAMES = func.json_each(bindparam("names")).table_valued("value")
_LOOKUP = (
    select(
        Identity.name,
        Item.id,
        Item.source_id,
        Item.kind,
        Item.key,
        Item.content_hash,
        Item.identifiers,
        Item.words,
    )
    .join(Item, Item.id == Identity.item_id)
    .where(Identity.scope == bindparam("scope"), Identity.name.in_(select(func.unhex(_NAMES.c.value))))
)


def lookup(connection: Connection, scope: int, names: Sequence[bytes]) -> dict[bytes, Known]:
    """Name -> item, for those of `names` that are known in `scope`."""
    if not names:
        return {}
    rows = connection.execute(_LOOKUP, {"scope": scope, "names": json.dumps([name.hex() for name in names])})
    return {row[0]: Known(*row[1:]) for row in rows}


def add(connection: Connection, scope: int, names: Mapping[bytes, int]) -> None:
    """Name -> item id; a name that is taken stays with the item that had it first."""
    rows = ((scope, name, item_id) for name, item_id in names.items())
    insert_rows(connection, Identity, ("scope", "name", "item_id"), rows, ignore_taken=True)
