"""What `triage learn` found and what it keeps: values that cross from the model worker to the reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """How well marks were foreseen before they were made."""

    log_loss: float
    """Mean of -ln P(what the reader said), in nats; .69 is a coin."""
    average_precision: float
    """Of what was liked, in the order of the window at that time; the unmarked count as unwanted."""

    def not_worse_than(self, other: Measures) -> bool:
        """In both measures."""
        return self.log_loss <= other.log_loss and self.average_precision >= other.average_precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One candidate: the current settings with one of them changed."""

    setting: str
    before: float
    after: float
    fitting: Measures
    """On the marks that candidates are chosen by."""

    def __str__(self) -> str:
        """`source 1 → 2`."""
        return f"{self.setting} {self.before:g} → {self.after:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a search among candidates led to."""

    message: str
    """One sentence for the reader."""
    labels: int
    """How many marks there were to learn from."""
    held_back: int = 0
    """How many of them no candidate was chosen by."""
    fitting: Measures | None = None
    """Of the current model, on the marks that candidates are chosen by; None if nothing was tried."""
    held_back_before: Measures | None = None
    """Of the current model, on the marks held back; None if no candidate came so far."""
    held_back_after: Measures | None = None
    """Of the best candidate."""
    trials: tuple[Trial, ...] = ()
    best: Trial | None = None
    """The best candidate, if one is better than the current model on the marks it was chosen by."""
    promotable: bool = False
    """Whether it is not worse on the marks held back."""
    version: str | None = None
    """The id of the new model, if it was promoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A model that was learned, as it lies on disk."""

    id: str
    current: bool
    created: datetime | None = None
    """None if it cannot be read; `problem` then says why."""
    parent: str | None = None
    """None = the built-in settings."""
    encoder: str | None = None
    settings: dict[str, float] | None = None
    """Those that differ from the built-in ones."""
    labels: int = 0
    """How many marks it was judged on."""
    held_back: int = 0
    """How many of them it was not chosen by."""
    before: Measures | None = None
    """Of its parent, on the marks held back."""
    after: Measures | None = None
    problem: str | None = None
