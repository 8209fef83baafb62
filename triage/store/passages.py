"""Statements on passages, their vectors' rows and the terms of items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from triage.store.engine import upsert
from triage.store.items import CHUNK
from triage.store.schema import Item, ItemTerms, Passage, Vector

WHOLE = "whole"
"""The field of a row that stands for the title and text of a short item together."""


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


def vector_ids(connection: Connection, encoder: str, hashes: Sequence[bytes]) -> dict[bytes, int]:
    """Text hash -> id of its vector, for those texts that this encoder has seen."""
    found: dict[bytes, int] = {}
    for start in range(0, len(hashes), CHUNK):
        rows = connection.execute(
            select(Vector.text_hash, Vector.id).where(
                Vector.encoder == encoder, Vector.text_hash.in_(hashes[start : start + CHUNK])
            )
        )
        found.update((text_hash, vector_id) for text_hash, vector_id in rows)
    return found


def add_vectors(
    connection: Connection, encoder: str, hashes: Sequence[bytes], first_row: int
) -> dict[bytes, int]:
    """Records that the vectors of `hashes` lie in the rows from `first_row` on; returns their ids."""
    if not hashes:
        return {}
    rows = [{"encoder": encoder, "text_hash": h, "row": first_row + n} for n, h in enumerate(hashes)]
    connection.execute(upsert(Vector).on_conflict_do_nothing(), rows)
    return vector_ids(connection, encoder, hashes)


def vector_rows(connection: Connection, ids: Sequence[int]) -> dict[int, int]:
    """Vector id -> its row in the matrix file."""
    rows = connection.execute(select(Vector.id, Vector.row).where(Vector.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


def forget_vectors(connection: Connection, encoder: str, from_row: int) -> int:
    """Drops rows that the matrix file does not have (it was lost or torn); their items become stale.

    Returns:
        How many vectors have to be computed again.
    """
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
    for start in range(0, len(ids), CHUNK):
        connection.execute(delete(Passage).where(Passage.item_id.in_(ids[start : start + CHUNK])))
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


def of_items(connection: Connection, ids: Sequence[int]) -> dict[int, list[PassageRow]]:
    """Item id -> its passages in order."""
    found: dict[int, list[PassageRow]] = {}
    for start in range(0, len(ids), CHUNK):
        rows = connection.execute(
            select(Passage.item_id, Passage.field, Passage.start, Passage.end, Vector.row)
            .outerjoin(Vector, Vector.id == Passage.vector_id)
            .where(Passage.item_id.in_(ids[start : start + CHUNK]))
            .order_by(Passage.item_id, Passage.ordinal)
        )
        for item_id, field, begin, end, vector_row in rows:
            found.setdefault(item_id, []).append(PassageRow(field, begin, end, vector_row))
    return found


def terms_of_items(connection: Connection, ids: Sequence[int]) -> dict[int, bytes]:
    """Item id -> its packed terms."""
    found: dict[int, bytes] = {}
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        rows = connection.execute(
            select(ItemTerms.item_id, ItemTerms.terms).where(ItemTerms.item_id.in_(chunk))
        )
        found.update((item_id, packed) for item_id, packed in rows)
    return found
