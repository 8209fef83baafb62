"""The boundary types of the ranker: documents and what a reader said in, ranked documents out.

Owns frozen values only; knows no numpy and no torch, so that importing it is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document to be ranked. Texts are sanitised by the caller."""

    id: str
    title: str
    text: str = ""
    kind: str = "feed"
    source: str = ""
    people: tuple[str, ...] = ()
    published: float | None = None
    """Unix seconds, clamped by the caller to the past; None = unknown."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document: `field[start:end]`, in characters."""

    field: Literal["title", "text"]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Interest:
    """A phrase in the reader's own words. A negative weight means: less of this."""

    phrase: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Label:
    """What the reader said of one document."""

    document: str
    value: float
    """1 = wanted, 0 = not wanted; 2 = loved (a like that counts double)."""
    at: float = 0.0
    """Unix seconds; 0 where unknown."""


@dataclass(frozen=True, slots=True)
class Profile:
    """All that the ranker knows of a reader: it is a pure function of this and the documents."""

    interests: tuple[Interest, ...] = ()
    labels: tuple[Label, ...] = ()


ReasonKind = Literal["passage", "interest", "source", "person", "age", "bias"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """One row of an explanation: a signed share of the logit."""

    kind: ReasonKind
    name: str
    """A passage's own words, an interest phrase, a source name, a person."""
    value: float
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage worth marking, and how much of the logit it carries (negative = speaks against)."""

    passage: Passage
    value: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a document stands where it stands. The values of `contributions` sum to `logit`."""

    document: str
    logit: float
    probability: float
    contributions: tuple[Contribution, ...]
    highlights: tuple[Highlight, ...] = ()


class ModelError(Exception):
    """The base of everything this package raises for a reason the caller can name to a reader."""


class EncoderUnavailable(ModelError):
    """No verified weights were found; the message names what was tried and the command that installs them."""


class InvalidInput(ModelError):
    """A file or value given to the ranker cannot be used; the message says where and why."""
