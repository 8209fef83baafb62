"""Statements on model versions, scores and digests: what the ranker has said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, true, update

from triage.core.history import Shown
from triage.store.engine import upsert
from triage.store.schema import Digest, ModelVersion, Score


@dataclass(frozen=True, slots=True)
class DigestRow:
    """A stored digest."""

    id: int
    built_at: datetime
    document: dict[str, Any]
    model: str
    """What it was ranked by; see `kind`."""


@dataclass(frozen=True, slots=True)
class SeenRow:
    """An item of a digest that the reader looked at."""

    built_at: datetime
    seen_at: datetime
    item_id: int


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The latest score of an item."""

    logit: float
    standing: float
    probability: float
    model: str


def kind(ranker: str, encoder: str) -> str:
    """Names what gave a standing: only those of one ranker with one encoder can be compared."""
    return f"{ranker} {encoder}"


def model_version(
    connection: Connection, *, profile: str, encoder: str, ranker: str, labels: int, now: datetime
) -> int:
    """The id of this state of the ranker; the same state is stored once."""
    statement = upsert(ModelVersion).values(
        profile=profile, encoder=encoder, ranker=ranker, labels=labels, created_at=now
    )
    connection.execute(statement.on_conflict_do_nothing())
    return int(
        connection.execute(
            select(ModelVersion.id).where(
                ModelVersion.profile == profile,
                ModelVersion.encoder == encoder,
                ModelVersion.ranker == ranker,
            )
        ).scalar_one()
    )


def write_scores(
    connection: Connection, model_version_id: int, scores: Mapping[int, tuple[float, float, float]]
) -> None:
    """Item id -> (logit, standing, probability), in place of earlier scores."""
    if not scores:
        return
    statement = upsert(Score)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["item_id"],
            set_={
                "model_version_id": statement.excluded.model_version_id,
                "logit": statement.excluded.logit,
                "standing": statement.excluded.standing,
                "probability": statement.excluded.probability,
            },
        ),
        [
            {
                "item_id": item_id,
                "model_version_id": model_version_id,
                "logit": logit,
                "standing": standing,
                "probability": probability,
            }
            for item_id, (logit, standing, probability) in scores.items()
        ],
    )


def score(connection: Connection, item_id: int) -> ScoreRow | None:
    """The latest score of an item."""
    row = connection.execute(
        select(Score.logit, Score.standing, Score.probability, ModelVersion.ranker, ModelVersion.encoder)
        .join(ModelVersion, ModelVersion.id == Score.model_version_id)
        .where(Score.item_id == item_id)
    ).first()
    return None if row is None else ScoreRow(row[0], row[1], row[2], kind(row[3], row[4]))


def latest_digest(connection: Connection) -> DigestRow | None:
    """The digest that was built last."""
    row = connection.execute(
        select(Digest.id, Digest.built_at, Digest.document, ModelVersion.ranker, ModelVersion.encoder)
        .join(ModelVersion, ModelVersion.id == Digest.model_version_id)
        .order_by(Digest.id.desc())
        .limit(1)
    ).first()
    return None if row is None else DigestRow(row[0], row[1], row[2], kind(row[3], row[4]))


def shown_since(connection: Connection, since: datetime, *, looked_at: bool = False) -> list[Shown]:
    """Every item of every digest that was built since then, the oldest digest first.

    With `looked_at`, only of those that the reader had in front of them. The database takes the documents
    apart: their highlights, which are most of them, are never loaded.
    """
    each = func.json_each(Digest.document, "$.items").table_valued("key", "value")
    fields = [func.json_extract(each.c.value, f"$.{name}") for name in ("id", "lane", "minutes", "why")]
    rows = connection.execute(
        select(Digest.id, Digest.built_at, *fields)
        .select_from(Digest)
        .join(each, true())
        .where(Digest.built_at >= since, *([Digest.seen_at.is_not(None)] if looked_at else []))
        .order_by(Digest.id, each.c.key)
    )
    return [
        Shown(row[0], row[1], row[2], row[3], row[4], why=tuple(json.loads(row[5] or "[]"))) for row in rows
    ]


def drawn_since(connection: Connection, since: datetime) -> dict[tuple[int, int], float]:
    """(digest id, item id) -> how likely the item was to be drawn, of all that chance put into digests."""
    each = func.json_each(Digest.document, "$.drawn").table_valued("value")
    rows = connection.execute(
        select(
            Digest.id,
            func.json_extract(each.c.value, "$.id"),
            func.json_extract(each.c.value, "$.propensity"),
        )
        .select_from(Digest)
        .join(each, true())
        .where(Digest.built_at >= since)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def built_between(connection: Connection, first: datetime, last: datetime) -> set[int]:
    """Ids of the digests that were built from then on, until then."""
    built = select(Digest.id).where(Digest.built_at >= first, Digest.built_at <= last)
    return set(connection.execute(built).scalars())


def add_digest(
    connection: Connection, *, built_at: datetime, model_version_id: int, document: dict[str, Any]
) -> int:
    """Stores a new digest; returns its id."""
    result = connection.execute(
        insert(Digest)
        .values(built_at=built_at, model_version_id=model_version_id, document=document)
        .returning(Digest.id)
    )
    return int(result.scalar_one())


def latest_day(connection: Connection) -> tuple[datetime, datetime] | None:
    """When the day of the latest digest began, and when it was built; None if there is none."""
    row = connection.execute(
        select(Digest.document["day"].as_string(), Digest.built_at).order_by(Digest.id.desc()).limit(1)
    ).first()
    if row is None:
        return None
    return (datetime.fromisoformat(row[0]) if row[0] else row[1], row[1])


def set_seen(connection: Connection, built_at: datetime, at: datetime) -> None:
    """The reader looked at the digest that was built then."""
    connection.execute(update(Digest).where(Digest.built_at == built_at).values(seen_at=at))


def seen_between(connection: Connection, since: datetime, until: datetime) -> Sequence[SeenRow]:
    """Every item of every digest that was built then and looked at."""
    each = func.json_each(Digest.document, "$.items").table_valued("value")
    rows = connection.execute(
        select(Digest.built_at, Digest.seen_at, func.json_extract(each.c.value, "$.id"))
        .select_from(Digest)
        .join(each, true())
        .where(Digest.built_at >= since, Digest.built_at < until, Digest.seen_at.is_not(None))
    )
    return [SeenRow(row[0], row[1], row[2]) for row in rows]


def rewrite_digest(
    connection: Connection, digest_id: int, *, model_version_id: int, document: dict[str, Any]
) -> None:
    """The same digest after it was re-ranked."""
    connection.execute(
        update(Digest)
        .where(Digest.id == digest_id)
        .values(model_version_id=model_version_id, document=document)
    )
