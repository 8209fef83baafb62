"""Rules as values: what a reader knows beforehand about some items, and how it is written down.

Owns the canonical form of a rule, which is what the event log keeps. Reading what a person typed is the part
of `triage.core.rule_parser`; whether a condition holds is for the ranker to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from triage.core.errors import UsageError
from triage.core.text import sanitize_line

Field = Literal["source", "author", "tag", "kind", "title", "mentions"]
OF_WORDS: tuple[Field, ...] = ("source", "author", "tag", "title", "mentions")
"""Fields that hold words, so that one of them can be taken for another: those of few items first."""
Hard = Literal["always", "keep", "never", "lane people", "lane for-you"]
Effect: TypeAlias = float | Hard
"""What a soft rule adds to the score, or what a hard one decides: shown first, never left out, never shown,
or in which lane."""
DECIDING: tuple[Hard, ...] = ("always", "keep", "never")
"""Of the hard ones that an item meets, the first of these decides whether it is shown: what is shown too much
costs a moment, what is hidden is lost."""
SHOWN: tuple[Effect, ...] = ("always", "keep")
"""Those that have an item shown in any case, and its text kept for as long as they hold."""

STRONGEST = 5.0
"""Of a soft rule. The scores of a day differ by two or three, so this is all but a hard one."""
MAX_FORM = 100
"""Characters of one form of an alias."""

Term: TypeAlias = timedelta | datetime
"""For how long something holds, or the moment from which on it does not."""
MINUTE = timedelta(minutes=1)
"""What the end of a rule is rounded up to, so that it can be written down."""

HOURS = {"h": 1, "d": 24, "w": 7 * 24, "mo": 30 * 24, "y": 365 * 24}


@dataclass(frozen=True, slots=True)
class Has:
    """A field holds some words; a star after the last one stands for any ending."""

    field: Field
    words: str


@dataclass(frozen=True, slots=True)
class Older:
    """Published longer ago than this."""

    amount: float
    unit: str
    """A key of `HOURS`."""

    @property
    def hours(self) -> float:
        """The same in hours; a month has 30 days."""
        return self.amount * HOURS[self.unit]


@dataclass(frozen=True, slots=True)
class AllOf:
    """All of the parts hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the parts holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition: TypeAlias = Has | Older | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True)
class Rule:
    """A condition, and what is to happen to the items that meet it."""

    condition: Condition
    effect: Effect
    term: Term | None = None
    """None for ever."""

    def __str__(self) -> str:
        """The canonical form, which parses to the same rule."""
        return in_words(write(self.condition), self.effect, self.term)


def in_words(condition: str, effect: Effect, term: Term | None = None) -> str:
    """A written condition with its effect, and its end."""
    said = f"{effect} {condition}" if isinstance(effect, str) else f"{condition} {effect:+g}"
    return said if term is None else f"{said} {write_term(term)}"


def ending(term: Term | None, now: datetime) -> datetime | None:
    """The moment at which something ends that begins now; None if it never does.

    Raises:
        UsageError: It is over already.
    """
    if term is None:
        return None
    end = now + term if isinstance(term, timedelta) else term
    end += (datetime.min.replace(tzinfo=end.tzinfo) - end) % MINUTE
    if end <= now:
        raise UsageError(f'"{write_term(end)}" is over already')
    return end


def write_term(term: Term) -> str:
    """`for 7d`, `until 2026-12-01` or `until 2026-12-01 18:30`, in local time."""
    if isinstance(term, timedelta):
        hours = term / timedelta(hours=1)
        return f"for {hours / 24:.10g}d" if hours % 24 == 0 else f"for {hours:.10g}h"
    local = term.astimezone()
    return f"until {local:%Y-%m-%d}" if local.hour == local.minute == 0 else f"until {local:%Y-%m-%d %H:%M}"


def write(condition: Condition, *, inside: bool = False) -> str:
    """The canonical form of a condition: quotes around every value, parentheses where they are needed."""
    match condition:
        case Has(field, value):
            return f"kind:{value}" if field == "kind" else f'{field}:"{value}"'
        case Older(amount, unit):
            return f"older than {amount:.10g}{unit}"
        case Not(Older(amount, unit)):
            return f"newer than {amount:.10g}{unit}"
        case Not(part):
            return f"not {write(part, inside=True)}"
        case AllOf(parts) | AnyOf(parts):
            joint = " and " if isinstance(condition, AllOf) else " or "
            joined = joint.join(write(part, inside=True) for part in parts)
            return f"({joined})" if inside else joined


def write_alias(form: str, other: str) -> str:
    """Two forms of one name in one line, such as `LLM = large language model`.

    Raises:
        UsageError: One has no letters or an equals sign, or both are the same.
    """
    forms = sanitize_line(form, MAX_FORM), sanitize_line(other, MAX_FORM)
    for each in forms:
        if not any(char.isalnum() for char in each) or "=" in each:
            raise UsageError(
                f'"{each}" is no name: it takes at least one letter, and no equals sign',
                fix='triage rules alias LLM "large language model"',
            )
    if forms[0].casefold() == forms[1].casefold():
        raise UsageError(f'"{forms[0]}" and "{forms[1]}" are one form, and an alias needs two')
    return " = ".join(forms)
