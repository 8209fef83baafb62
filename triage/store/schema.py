"""The tables. Definitions only: statements are in the module of their noun, changes in `migrations/`.

A class is a name for a table and its attributes are columns, for the statements of SQLAlchemy's Core. Nothing
is mapped to objects: what would do that takes .15 s to import and to set up, at every start.

Columns hold what was said or served; anything that is a function of the event log (labels, interests,
states) is computed by `triage.core.feedback` and has no table.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
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


class Base:
    """A table, of the columns that a class names; SQLAlchemy takes the class wherever it wants a table.

    A column may be NULL if its annotation says `None`. Options of the table are those of the class.
    """

    __tablename__: ClassVar[str]
    __table_args__: ClassVar[tuple[Any, ...]] = ()
    __table__: ClassVar[Table]

    metadata = MetaData(
        # Every constraint has a name, so that a migration can name it too.
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )

    def __init_subclass__(cls, **options: Any) -> None:  # noqa: ANN401 - they are SQLAlchemy's
        """Makes the table."""
        columns = {name: value for name, value in vars(cls).items() if isinstance(value, Column)}
        for name, each in columns.items():
            each.name = each.key = name
            each.nullable = cls.__annotations__[name].endswith("| None]")
        cls.__table__ = Table(
            cls.__tablename__, cls.metadata, *columns.values(), *cls.__table_args__, **options
        )

    @classmethod
    def __clause_element__(cls) -> Table:
        """What SQLAlchemy asks of whatever stands in the place of a table."""
        return cls.__table__


class Source(Base):
    """Something that is polled, and all that is known about polling it."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("ingestor", "target"),)

    id: ColumnElement[int] = Column(Integer, primary_key=True)
    ingestor: ColumnElement[str] = Column(String(64))
    kind: ColumnElement[str] = Column(String(16))
    target: ColumnElement[str] = Column(Text)
    title: ColumnElement[str] = Column(Text)
    tags: ColumnElement[list[str]] = Column(JSON)
    allow_local: ColumnElement[bool] = Column(Boolean)
    cursor: ColumnElement[dict[str, Any]] = Column(JSON)
    """Validators and positions of the last committed fetch."""
    added_at: ColumnElement[datetime] = Column(UtcDateTime)
    next_due_at: ColumnElement[datetime] = Column(UtcDateTime, index=True)
    wait_until: ColumnElement[datetime | None] = Column(UtcDateTime)
    """The server asked to be left alone until then (Retry-After); not even a person may ask sooner."""
    attempted_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    succeeded_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    failures: ColumnElement[int] = Column(Integer)
    """In a row."""
    failing_since: ColumnElement[datetime | None] = Column(UtcDateTime)
    """When the first of them was."""
    polling: ColumnElement[dict[str, Any]] = Column(JSON)
    """`triage.core.polling.Polling`: its rhythm, its manners, what it refuses, where it is moving to."""
    last_error: ColumnElement[str | None] = Column(Text)
    options: ColumnElement[dict[str, Any]] = Column(JSON)
    """What the reader has set for it: `full_text` (auto, always, never), mailbox folders, where its
    password is found. References to secrets, never secrets."""
    paused: ColumnElement[str | None] = Column(Text)
    """Why it is not polled until the reader says so: it is gone for good, or refuses the password."""
    removed_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    """A removed source is not polled; its items and marks stay, and count again when it is added again."""


class Host(Base):
    """A host that asked to be left alone, by Retry-After: all sources on it wait, across restarts."""

    __tablename__ = "host"

    name: ColumnElement[str] = Column(String(300), primary_key=True)
    """As `ingestors.throttle` names it: host and port, or the service that it belongs to."""
    wait_until: ColumnElement[datetime] = Column(UtcDateTime)


_REVISED = Index("ix_item_revised_at", "revised_at", sqlite_where=text("revised_at IS NOT NULL"))
"""Few items ever are."""


class Item(Base):
    """One document of one source, without its text."""

    __tablename__ = "item"
    __table_args__ = (UniqueConstraint("source_id", "key"), _REVISED)

    id: ColumnElement[int] = Column(Integer, primary_key=True)
    source_id: ColumnElement[int] = Column(Integer, ForeignKey("source.id", ondelete="CASCADE"))
    key: ColumnElement[str] = Column(Text)
    kind: ColumnElement[str] = Column(String(16))
    title: ColumnElement[str] = Column(Text)
    url: ColumnElement[str | None] = Column(Text)
    people: ColumnElement[list[str]] = Column(JSON)
    tags: ColumnElement[list[str]] = Column(JSON)
    identifiers: ColumnElement[dict[str, Any]] = Column(JSON)
    personal: ColumnElement[bool] = Column(Boolean)
    flags: ColumnElement[list[str]] = Column(JSON)
    """`ingestors.base.Flag`."""
    parent_id: ColumnElement[int | None] = Column(
        Integer, ForeignKey("item.id", ondelete="SET NULL"), index=True
    )
    """The item that this one is a part of: the newsletter around a story."""
    published_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    """Clamped to `first_seen_at`."""
    first_seen_at: ColumnElement[datetime] = Column(UtcDateTime, index=True)
    revised_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    """When its source last changed its words."""
    edition: ColumnElement[int] = Column(Integer)
    """Counts the texts that were read of it: 0 for the first. Passages belong to one edition."""
    content_hash: ColumnElement[str] = Column(String(32))
    words: ColumnElement[int] = Column(Integer)
    cjk_characters: ColumnElement[int] = Column(Integer)
    indexed_with: ColumnElement[str | None] = Column(String(128), index=True)
    """The encoder that made the passages' vectors, with a mark while it has read the lead only; `words` if
    there was none; None until the text as it now is has been split."""


class ItemText(Base):
    """The text of an item, apart, so that listings never read it."""

    __tablename__ = "item_text"

    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    text: ColumnElement[str] = Column(Text)
    links: ColumnElement[list[Any] | None] = Column(JSON(none_as_null=True))
    """What its text leads to, as its source served it: pairs of words and URL. None if to nothing."""


class Identity(Base, sqlite_with_rowid=False):
    """A name under which an item is known: what makes the document of a later poll the same one.

    Names of one source are its key, its link with its title, and its content; names that hold in all
    sources are those of a work (DOI, arXiv id, title with authors) and of a mail. `triage.core.identity`
    makes them.
    """

    __tablename__ = "identity"

    scope: ColumnElement[int] = Column(Integer, primary_key=True)
    """The source that gives the name; 0 for names that hold in all of them."""
    name: ColumnElement[bytes] = Column(LargeBinary(16), primary_key=True)
    """Hash of the kind of name and the name: at 100k items, text would take four times the space."""
    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), index=True)


class FullText(Base):
    """How far the text behind an item's link has come; the text itself replaces that of the item.

    `item.content_hash` stays that of what the source served, so that the next poll finds nothing revised.
    """

    __tablename__ = "full_text"

    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    state: ColumnElement[str] = Column(String(8))
    """have, same (the page has no more than the source served), failed (only the reader asks again), or
    wanted: it is to be fetched (again) from `next_try_at` on."""
    error: ColumnElement[str | None] = Column(Text)
    """Why it failed; of a text that is there, what is missing of it."""
    attempts: ColumnElement[int] = Column(Integer)
    """That failed, in a row."""
    tried_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    next_try_at: ColumnElement[datetime | None] = Column(UtcDateTime, index=True)
    url: ColumnElement[str | None] = Column(Text)
    """The address that the page calls its own, or where the text was found."""
    served: ColumnElement[str | None] = Column(Text)
    """What the source served in its place; None while the item still has that."""


class ItemTerms(Base):
    """The hashed term counts of an item, as `model.lexical` packs them."""

    __tablename__ = "item_terms"

    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    terms: ColumnElement[bytes] = Column(LargeBinary)


class Vector(Base):
    """Where the vector of a part of a window lies in its encoder's matrix file."""

    __tablename__ = "vector"
    __table_args__ = (UniqueConstraint("encoder", "key"),)

    id: ColumnElement[int] = Column(Integer, primary_key=True)
    encoder: ColumnElement[str] = Column(String(128))
    key: ColumnElement[bytes] = Column(LargeBinary(16))
    """Hash of all that the encoder read, and of which part of it this is."""
    row: ColumnElement[int] = Column(BigInteger)


class Passage(Base):
    """A part of an item: `field[start:end]`; its vector is None until it is encoded."""

    __tablename__ = "passage"

    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    ordinal: ColumnElement[int] = Column(Integer, primary_key=True)
    field: ColumnElement[str] = Column(String(8))
    start: ColumnElement[int] = Column(Integer)
    end: ColumnElement[int] = Column(Integer)
    vector_id: ColumnElement[int | None] = Column(
        Integer, ForeignKey("vector.id", ondelete="SET NULL"), index=True
    )


class ItemStory(Base):
    """Which story an item tells, and what of it is compared with items that come later.

    The story is named by the first item that told it. What the reader says against it is in the event log.
    """

    __tablename__ = "item_story"

    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    story: ColumnElement[int] = Column(Integer, index=True)
    particulars: ColumnElement[bytes] = Column(LargeBinary)
    """As `model.particulars` packs them."""


class Event(Base):
    """What the reader said: append-only, never updated, never deleted."""

    __tablename__ = "event"

    id: ColumnElement[int] = Column(Integer, primary_key=True)
    at: ColumnElement[datetime] = Column(UtcDateTime)
    verb: ColumnElement[str] = Column(String(16))
    item_id: ColumnElement[int | None] = Column(Integer, ForeignKey("item.id"), index=True)
    undoes: ColumnElement[int | None] = Column(Integer, ForeignKey("event.id"))
    phrase: ColumnElement[str | None] = Column(Text)
    weight: ColumnElement[float | None] = Column(Float)
    standing: ColumnElement[float | None] = Column(Float)
    """How high the item stood when it was marked; its score in units that stay comparable."""
    model: ColumnElement[str | None] = Column(String(256))
    """What ranked it: a ranker and its encoder (`triage.store.scores.kind`)."""
    shown: ColumnElement[dict[str, Any]] = Column(JSON)
    """What was on the screen when it was said: digest, rank, score, p, lane, propensity."""
    until: ColumnElement[datetime | None] = Column(UtcDateTime)
    """From when on it says nothing any more; None for ever."""
    scope: ColumnElement[str | None] = Column(Text)
    """The profile that it belongs to, of a reader who has several; None for all of them."""
    step: ColumnElement[int | None] = Column(Integer)
    """The first event of the step that it was made in, of several that are undone together."""
    stamp: ColumnElement[datetime] = Column(UtcDateTime, index=True)
    """Its place in the log, also among events that came from another machine: see `triage.store.feedback`."""


class Effect(Base):
    """What an event did to the digest, written once, when it was first learned from.

    Not part of the log: nothing is computed from it.
    """

    __tablename__ = "effect"

    event_id: ColumnElement[int] = Column(Integer, ForeignKey("event.id"), primary_key=True)
    moved: ColumnElement[int] = Column(Integer)
    """How many items of the digest stood elsewhere afterwards."""
    size: ColumnElement[int] = Column(Integer)
    """How many there were."""
    together: ColumnElement[int] = Column(Integer)
    """How many events were learned from at once, this one among them: the effect is that of all."""


class Opening(Base):
    """That the reader opened an item to read it, and for how long: not what they think of it."""

    __tablename__ = "opening"

    id: ColumnElement[int] = Column(Integer, primary_key=True)
    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), index=True)
    at: ColumnElement[datetime] = Column(UtcDateTime, index=True)
    seconds: ColumnElement[float | None] = Column(Float)
    """None where nobody saw it closed: in a browser, or from the shell."""
    digest_id: ColumnElement[int | None] = Column(Integer, ForeignKey("digest.id", ondelete="SET NULL"))
    """The digest that it stood in then; None where it was found elsewhere."""


class ModelVersion(Base):
    """A state of the ranker: what it had learned from, and with which encoder."""

    __tablename__ = "model_version"
    __table_args__ = (UniqueConstraint("profile", "encoder", "ranker"),)

    id: ColumnElement[int] = Column(Integer, primary_key=True)
    profile: ColumnElement[str] = Column(String(64))
    encoder: ColumnElement[str] = Column(String(128))
    ranker: ColumnElement[str] = Column(String(64))
    labels: ColumnElement[int] = Column(Integer)
    created_at: ColumnElement[datetime] = Column(UtcDateTime)


class Score(Base):
    """The latest score of an item, and the model that gave it."""

    __tablename__ = "score"

    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), primary_key=True)
    model_version_id: ColumnElement[int] = Column(Integer, ForeignKey("model_version.id"))
    logit: ColumnElement[float] = Column(Float, index=True)
    standing: ColumnElement[float] = Column(Float)
    probability: ColumnElement[float] = Column(Float)


class Digest(Base):
    """A digest as it was built and last re-ranked; its JSON form is that of `triage.core.items.Digest`."""

    __tablename__ = "digest"

    id: ColumnElement[int] = Column(Integer, primary_key=True)
    built_at: ColumnElement[datetime] = Column(UtcDateTime, index=True)
    seen_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    """When the reader last looked at it; None if they never did."""
    model_version_id: ColumnElement[int] = Column(Integer, ForeignKey("model_version.id"))
    document: ColumnElement[dict[str, Any]] = Column(JSON)


class Job(Base):
    """What the daemon does now and then, as it ran last. When it is due again is for the code to say."""

    __tablename__ = "job"

    name: ColumnElement[str] = Column(String(32), primary_key=True)
    started_at: ColumnElement[datetime] = Column(UtcDateTime)
    finished_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    """None while it runs, or where it never came to its end."""
    said: ColumnElement[str | None] = Column(Text)
    """What came of it, in words."""
    failed: ColumnElement[bool] = Column(Boolean)


class Notification(Base):
    """An item that the reader was told of at once."""

    __tablename__ = "notification"

    id: ColumnElement[int] = Column(Integer, primary_key=True)
    item_id: ColumnElement[int] = Column(Integer, ForeignKey("item.id", ondelete="CASCADE"), index=True)
    at: ColumnElement[datetime] = Column(UtcDateTime)
    probability: ColumnElement[float] = Column(Float)


class Contact(Base):
    """How often a host was asked on a day, and what for."""

    __tablename__ = "contact"

    host: ColumnElement[str] = Column(String(300), primary_key=True)
    day: ColumnElement[str] = Column(String(10), primary_key=True)
    """ISO 8601, UTC."""
    purpose: ColumnElement[str] = Column(String(32), primary_key=True)
    requests: ColumnElement[int] = Column(Integer)
    answered_at: ColumnElement[datetime | None] = Column(UtcDateTime)
    """When it last told the time; None if it never did."""
    ahead_s: ColumnElement[float | None] = Column(Float)
    """Seconds by which its clock was ahead of ours then."""
