"""Statements on passages, their vectors' rows and the terms of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from triage.store.chunks import chunks
from triage.store.engine import upsert
from triage.store.schema import Item, ItemTerms, Passage, Vector


@dataclass(frozen=True, slots=True)
class PassageRow:
    """A passage; `vector_row` is its row in the encoder's matrix file, or None if it is not encoded."""

    field: str
    start: int
    end: int
    vector_row: int | None


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage to be stored."""

    field: str
    start: int
    end: int
    vector_id: int | None


def vector_ids(connection: Connection, encoder: str, keys: Sequence[bytes]) -> dict[bytes, int]:
    """Key -> id of its vector, for those that this encoder has made."""
    found: dict[bytes, int] = {}
    for chunk in chunks(keys):
        rows = connection.execute(
            select(Vector.key, Vector.id).where(Vector.encoder == encoder, Vector.key.in_(chunk))
        )
        found.update((key, vector_id) for key, vector_id in rows)
    return found


def add_vectors(
    connection: Connection, encoder: str, keys: Sequence[bytes], first_row: int
) -> dict[bytes, int]:
    """Records that the vectors of `keys` lie in the rows from `first_row` on; returns their ids."""
    if not keys:
        return {}
    rows = [{"encoder": encoder, "key": key, "row": first_row + n} for n, key in enumerate(keys)]
    connection.execute(upsert(Vector).on_conflict_do_nothing(), rows)
    return vector_ids(connection, encoder, keys)


def vector_rows(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Vector id -> its row in the matrix file."""
    rows = connection.execute(select(Vector.id, Vector.row).where(Vector.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def forget_vectors(connection: Connection, encoder: str, from_row: int) -> int:
    """Drops rows that the matrix file does not have (it was lost or torn); their items become stale.

    Returns:
        How many vectors have to be computed again.
    """
    # An encoder's ids and rows grow together, so the newest vector tells whether any is lost.
    newest = select(func.max(Vector.id)).scalar_subquery()
    last = connection.execute(select(Vector.encoder, Vector.row).where(Vector.id == newest)).first()
    if last is None or (last[0] == encoder and last[1] < from_row):
        return 0
    lost = select(Vector.id).where(Vector.encoder == encoder, Vector.row >= from_row)
    items = select(Passage.item_id).where(Passage.vector_id.in_(lost))
    connection.execute(update(Item).where(Item.id.in_(items)).values(indexed_with=None))
    return connection.execute(
        delete(Vector).where(Vector.encoder == encoder, Vector.row >= from_row)
    ).rowcount


def replace(
    connection: Connection, passages: Mapping[int, Sequence[NewPassage]], terms: Mapping[int, bytes]
) -> None:
    """Writes the passages and terms of items in place of what they had."""
    ids = list(passages)
    for chunk in chunks(ids):
        connection.execute(delete(Passage).where(Passage.item_id.in_(chunk)))
    rows = [
        {
            "item_id": item_id,
            "ordinal": ordinal,
            "field": passage.field,
            "start": passage.start,
            "end": passage.end,
            "vector_id": passage.vector_id,
        }
        for item_id, parts in passages.items()
        for ordinal, passage in enumerate(parts)
    ]
    if rows:
        connection.execute(insert(Passage), rows)
    if terms:
        statement = upsert(ItemTerms)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["item_id"], set_={"terms": statement.excluded.terms}
            ),
            [{"item_id": item_id, "terms": packed} for item_id, packed in terms.items()],
        )


def set_vectors(connection: Connection, ids: Mapping[tuple[int, int], int]) -> None:
    """(Item id, ordinal) -> vector id, for passages that are there already."""
    if ids:
        connection.execute(
            update(Passage)
            .where(Passage.item_id == bindparam("of_item"), Passage.ordinal == bindparam("at"))
            .values(vector_id=bindparam("to")),
            [{"of_item": item_id, "at": at, "to": vector} for (item_id, at), vector in ids.items()],
        )


def of_items(connection: Connection, ids: Sequence[int]) -> dict[int, list[PassageRow]]:
    """Item id -> its passages in order."""
    found: dict[int, list[PassageRow]] = {}
    for chunk in chunks(ids):
        rows = connection.execute(
            select(Passage.item_id, Passage.field, Passage.start, Passage.end, Vector.row)
            .outerjoin(Vector, Vector.id == Passage.vector_id)
            .where(Passage.item_id.in_(chunk))
            .order_by(Passage.item_id, Passage.ordinal)
        )
        for item_id, field, begin, end, vector_row in rows:
            found.setdefault(item_id, []).append(PassageRow(field, begin, end, vector_row))
    return found


def count_encoded(connection: Connection) -> tuple[int, int]:
    """Changes whenever a passage is given a vector: how many have one, and the newest vector."""
    encoded = select(func.count(Passage.vector_id)).scalar_subquery()
    row = connection.execute(select(encoded, func.coalesce(func.max(Vector.id), 0))).one()
    return int(row[0]), int(row[1])


def owners(connection: Connection, encoder: str) -> list[tuple[int, int]]:
    """(Item id, row of the matrix file) of every passage that an encoder has read."""
    rows = connection.execute(
        select(Passage.item_id, Vector.row)
        .join(Vector, Vector.id == Passage.vector_id)
        .where(Vector.encoder == encoder)
    )
    return [(row[0], row[1]) for row in rows]


def terms_of_items(connection: Connection, ids: Sequence[int]) -> dict[int, bytes]:
    """Item id -> its packed terms."""
    found: dict[int, bytes] = {}
    for chunk in chunks(ids):
        rows = connection.execute(
            select(ItemTerms.item_id, ItemTerms.terms).where(ItemTerms.item_id.in_(chunk))
        )
        found.update((item_id, packed) for item_id, packed in rows)
    return found
