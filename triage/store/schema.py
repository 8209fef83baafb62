"""The tables. Definitions only: statements are in the module of their noun, changes in `migrations/`.

Columns hold what was said or served; anything that is a function of the event log (labels, interests,
states) is computed by `triage.core.feedback` and has no table.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware times, stored as naive UTC: SQLite would hand them back without their zone."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses naive times, converts the rest to UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware UTC."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Names every constraint, so that a migration can name it too."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - read once by SQLAlchemy
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


class Source(Base):
    """Something that is polled, and all that is known about polling it."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("ingestor", "target"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    ingestor: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]]
    allow_local: Mapped[bool] = mapped_column(Boolean)
    cursor: Mapped[dict[str, Any]]
    """Validators and positions of the last committed fetch."""
    added_at: Mapped[datetime]
    next_due_at: Mapped[datetime] = mapped_column(index=True)
    wait_until: Mapped[datetime | None]
    """The server asked to be left alone until then (Retry-After); not even a person may ask sooner."""
    attempted_at: Mapped[datetime | None]
    succeeded_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(Integer)
    """In a row."""
    failing_since: Mapped[datetime | None]
    """When the first of them was."""
    polling: Mapped[dict[str, Any]]
    """`triage.core.polling.Polling`: its rhythm, its manners, what it refuses, where it is moving to."""
    last_error: Mapped[str | None] = mapped_column(Text)
    options: Mapped[dict[str, Any]]
    """What the reader has set for it: `full_text` (auto, always, never), mailbox folders, where its
    password is found. References to secrets, never secrets."""
    paused: Mapped[str | None] = mapped_column(Text)
    """Why it is not polled until the reader says so: it is gone for good, or refuses the password."""
    removed_at: Mapped[datetime | None]
    """A removed source is not polled; its items and marks stay, and count again when it is added again."""


class Host(Base):
    """A host that asked to be left alone, by Retry-After: all sources on it wait, across restarts."""

    __tablename__ = "host"

    name: Mapped[str] = mapped_column(String(300), primary_key=True)
    """As `ingestors.lanes` names it: host and port, or the service that it belongs to."""
    wait_until: Mapped[datetime]


_REVISED = Index("ix_item_revised_at", "revised_at", sqlite_where=text("revised_at IS NOT NULL"))
"""Few items ever are."""


class Item(Base):
    """One document of one source, without its text."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("source_id", "key"), _REVISED)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("source.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(Text)
    url: Mapped[str | None] = mapped_column(Text)
    people: Mapped[list[str]]
    tags: Mapped[list[str]]
    identifiers: Mapped[dict[str, Any]]
    personal: Mapped[bool] = mapped_column(Boolean)
    flags: Mapped[list[str]]
    """`ingestors.base.Flag`."""
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("item.id", ondelete="SET NULL"), index=True)
    """The item that this one is a part of: the newsletter around a story."""
    published_at: Mapped[datetime | None]
    """Clamped to `first_seen_at`."""
    first_seen_at: Mapped[datetime] = mapped_column(index=True)
    revised_at: Mapped[datetime | None]
    """When its source last changed its words."""
    edition: Mapped[int] = mapped_column(Integer)
    """Counts the texts that were read of it: 0 for the first. Passages belong to one edition."""
    content_hash: Mapped[str] = mapped_column(String(32))
    words: Mapped[int] = mapped_column(Integer)
    cjk_characters: Mapped[int] = mapped_column(Integer)
    indexed_with: Mapped[str | None] = mapped_column(String(128), index=True)
    """The encoder that made the passages' vectors, with a mark while it has read the lead only; `words` if
    there was none; None until the text as it now is has been split."""


class ItemText(Base):
    """The text of an item, apart, so that listings never read it."""

    __tablename__ = "item_text"

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str] = mapped_column(Text)
    links: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    """What its text leads to, as its source served it: pairs of words and URL. None if to nothing."""


class Identity(Base):
    """A name under which an item is known: what makes the document of a later poll the same one.

    Names of one source are its key, its link with its title, and its content; names that hold in all
    sources are those of a work (DOI, arXiv id, title with authors) and of a mail. `triage.core.identity`
    makes them.
    """

    __tablename__ = "identity"
    __table_args__ = ({"sqlite_with_rowid": False},)

    scope: Mapped[int] = mapped_column(Integer, primary_key=True)
    """The source that gives the name; 0 for names that hold in all of them."""
    name: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    """Hash of the kind of name and the name: at 100k items, text would take four times the space."""
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)


class FullText(Base):
    """How far the text behind an item's link has come; the text itself replaces that of the item.

    `item.content_hash` stays that of what the source served, so that the next poll finds nothing revised.
    """

    __tablename__ = "full_text"

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    """have, same (the page has no more than the source served), failed (only the reader asks again), or
    wanted: it is to be fetched (again) from `next_try_at` on."""
    error: Mapped[str | None] = mapped_column(Text)
    """Why it failed; of a text that is there, what is missing of it."""
    attempts: Mapped[int] = mapped_column(Integer)
    """That failed, in a row."""
    tried_at: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None] = mapped_column(index=True)
    url: Mapped[str | None] = mapped_column(Text)
    """The address that the page calls its own, or where the text was found."""
    served: Mapped[str | None] = mapped_column(Text)
    """What the source served in its place; None while the item still has that."""


class ItemTerms(Base):
    """The hashed term counts of an item, as `model.lexical` packs them."""

    __tablename__ = "item_terms"

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    terms: Mapped[bytes] = mapped_column(LargeBinary)


class Vector(Base):
    """Where the vector of a part of a window lies in its encoder's matrix file."""

    __tablename__ = "vector"
    __table_args__ = (UniqueConstraint("encoder", "key"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    encoder: Mapped[str] = mapped_column(String(128))
    key: Mapped[bytes] = mapped_column(LargeBinary(16))
    """Hash of all that the encoder read, and of which part of it this is."""
    row: Mapped[int] = mapped_column(BigInteger)


class Passage(Base):
    """A part of an item: `field[start:end]`; its vector is None until it is encoded."""

    __tablename__ = "passage"

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(Integer, primary_key=True)
    field: Mapped[str] = mapped_column(String(8))
    start: Mapped[int] = mapped_column(Integer)
    end: Mapped[int] = mapped_column(Integer)
    vector_id: Mapped[int | None] = mapped_column(ForeignKey("vector.id", ondelete="SET NULL"), index=True)


class ItemStory(Base):
    """Which story an item tells, and what of it is compared with items that come later.

    The story is named by the first item that told it. What the reader says against it is in the event log.
    """

    __tablename__ = "item_story"

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    story: Mapped[int] = mapped_column(Integer, index=True)
    particulars: Mapped[bytes] = mapped_column(LargeBinary)
    """As `model.particulars` packs them."""


class Event(Base):
    """What the reader said: append-only, never updated, never deleted."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    at: Mapped[datetime]
    verb: Mapped[str] = mapped_column(String(16))
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"), index=True)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("event.id"))
    phrase: Mapped[str | None] = mapped_column(Text)
    weight: Mapped[float | None] = mapped_column(Float)
    standing: Mapped[float | None] = mapped_column(Float)
    """How high the item stood when it was marked; its score in units that stay comparable."""
    model: Mapped[str | None] = mapped_column(String(256))
    """What ranked it: a ranker and its encoder (`triage.store.scores.kind`)."""
    shown: Mapped[dict[str, Any]]
    """What was on the screen when it was said: digest, rank, score, p, lane, propensity."""
    until: Mapped[datetime | None]
    """From when on it says nothing any more; None for ever."""
    scope: Mapped[str | None] = mapped_column(Text)
    """The profile that it belongs to, of a reader who has several; None for all of them."""
    step: Mapped[int | None]
    """The first event of the step that it was made in, of several that are undone together."""
    stamp: Mapped[datetime] = mapped_column(index=True)
    """Its place in the log, also among events that came from another machine: see `triage.store.feedback`."""


class Effect(Base):
    """What an event did to the digest, written once, when it was first learned from.

    Not part of the log: nothing is computed from it.
    """

    __tablename__ = "effect"

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"), primary_key=True)
    moved: Mapped[int] = mapped_column(Integer)
    """How many items of the digest stood elsewhere afterwards."""
    size: Mapped[int] = mapped_column(Integer)
    """How many there were."""
    together: Mapped[int] = mapped_column(Integer)
    """How many events were learned from at once, this one among them: the effect is that of all."""


class Opening(Base):
    """That the reader opened an item to read it, and for how long: not what they think of it."""

    __tablename__ = "opening"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    seconds: Mapped[float | None] = mapped_column(Float)
    """None where nobody saw it closed: in a browser, or from the shell."""
    digest_id: Mapped[int | None] = mapped_column(ForeignKey("digest.id", ondelete="SET NULL"))
    """The digest that it stood in then; None where it was found elsewhere."""


class ModelVersion(Base):
    """A state of the ranker: what it had learned from, and with which encoder."""

    __tablename__ = "model_version"
    __table_args__ = (UniqueConstraint("profile", "encoder", "ranker"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    profile: Mapped[str] = mapped_column(String(64))
    encoder: Mapped[str] = mapped_column(String(128))
    ranker: Mapped[str] = mapped_column(String(64))
    labels: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime]


class Score(Base):
    """The latest score of an item, and the model that gave it."""

    __tablename__ = "score"

    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    logit: Mapped[float] = mapped_column(Float, index=True)
    standing: Mapped[float] = mapped_column(Float)
    probability: Mapped[float] = mapped_column(Float)


class Digest(Base):
    """A digest as it was built and last re-ranked; its JSON form is that of `triage.core.items.Digest`."""

    __tablename__ = "digest"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    built_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime | None]
    """When the reader last looked at it; None if they never did."""
    model_version_id: Mapped[int] = mapped_column(ForeignKey("model_version.id"))
    document: Mapped[dict[str, Any]]


class Job(Base):
    """What the daemon does now and then, as it ran last. When it is due again is for the code to say."""

    __tablename__ = "job"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    """None while it runs, or where it never came to its end."""
    said: Mapped[str | None] = mapped_column(Text)
    """What came of it, in words."""
    failed: Mapped[bool] = mapped_column(Boolean)


class Notification(Base):
    """An item that the reader was told of at once."""

    __tablename__ = "notification"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    probability: Mapped[float] = mapped_column(Float)


class Contact(Base):
    """How often a host was asked on a day, and what for."""

    __tablename__ = "contact"

    host: Mapped[str] = mapped_column(String(300), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    """ISO 8601, UTC."""
    purpose: Mapped[str] = mapped_column(String(32), primary_key=True)
    requests: Mapped[int] = mapped_column(Integer)
    answered_at: Mapped[datetime | None]
    """When it last told the time; None if it never did."""
    ahead_s: Mapped[float | None] = mapped_column(Float)
    """Seconds by which its clock was ahead of ours then."""
