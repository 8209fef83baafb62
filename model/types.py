"""The boundary types of the ranker: documents and what a reader said in, ranked documents out.

Owns frozen values only; knows no numpy and no torch, so that importing it is free.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One document to be ranked. Texts are sanitised by the caller."""

    id: str
    title: str
    text: str = ""
    kind: str = "feed"
    source: str = ""
    people: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    published: float | None = None
    """Unix seconds, clamped by the caller to the past; None = unknown."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a document: `field[start:end]`, in characters."""

    field: Literal["title", "text"]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """A text that the encoder reads in one piece, and the parts of it that get a vector each."""

    text: str
    spans: tuple[tuple[int, int], ...] = ()
    """[start, end) in characters, in order, without overlap; none = one vector for the whole text."""

    def __post_init__(self) -> None:
        """Refuses spans that are out of order, overlap or lie outside the text."""
        bounds = [bound for span in self.spans for bound in span]
        if bounds and not (bounds == sorted(bounds) and bounds[0] >= 0 and bounds[-1] <= len(self.text)):
            raise ValueError(f"spans {self.spans} of a text of {len(self.text)} characters")

    @property
    def parts(self) -> tuple[tuple[int, int], ...]:
        """What gets a vector each: the spans, or the whole text."""
        return self.spans or ((0, len(self.text)),)


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
    standing: float | None = None
    """How high the document stood (`Ranking.standings`) when it was marked; None if it was not ranked then,
    or by another construction of the ranker. Calibration learns from it; evidence must not use it."""


@dataclass(frozen=True, slots=True)
class Has:
    """Whether a field of a document holds some words, as whole words in any case.

    A star after the last word stands for any ending. A kind is compared as a whole.
    """

    field: Literal["source", "author", "tag", "kind", "title", "mentions"]
    """`mentions` looks at the title and the text."""
    words: str


@dataclass(frozen=True, slots=True)
class Older:
    """Whether a document was published before a moment; one of unknown age was not."""

    than: float
    """Unix seconds."""


@dataclass(frozen=True, slots=True)
class AllOf:
    """Whether all parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Whether one of the parts holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Whether a part does not hold."""

    part: Condition


Condition: TypeAlias = Has | Older | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Rule:
    """Prior knowledge of the reader's about the documents that meet a condition."""

    name: str
    """The condition in the reader's words."""
    condition: Condition
    effect: float | str
    """What they are worth, in units of the logit, until labels say otherwise; or a decision in words, which
    labels cannot change and which is the caller's to carry out."""


@dataclass(frozen=True, slots=True)
class Alias:
    """Two forms of one name, such as an abbreviation and what it stands for."""

    form: str
    other: str


@dataclass(frozen=True, slots=True)
class Profile:
    """All that the ranker knows of a reader: it is a pure function of this and the documents."""

    interests: tuple[Interest, ...] = ()
    labels: tuple[Label, ...] = ()
    rules: tuple[Rule, ...] = ()
    aliases: tuple[Alias, ...] = ()


ReasonKind = Literal["passage", "interest", "rule", "source", "person", "age", "bias"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """One row of an explanation: a signed share of the logit."""

    kind: ReasonKind
    name: str
    """A passage's own words, an interest phrase, a rule, a source name, a person."""
    value: float
    passage: Passage | None = None


@dataclass(frozen=True, slots=True)
class Highlight:
    """A passage worth marking."""

    passage: Passage
    value: float
    """How much of the logit goes when it is removed; negative = it speaks against the document. 0 where no
    interest is known and it only says best what the document is about."""
    phrases: tuple[Passage, ...] = ()
    """Inside a long one, the words that carry it."""


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
