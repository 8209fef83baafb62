"""The language of searches, as people type it.

    words      every one must occur: in title, text, people, source or tags; the last may be cut short, others
               end with * for that; "a phrase"; -word and -"a phrase" must not occur
    filters    title:word  text:word  from:person-or-source  source:name  tag:word  kind:paper
               is:liked  is:new  before:2026-11-01  after:7d; each may be negated: -source:wire
    @name      a saved search, as if it had been typed here

Owns what is understood and how a mistake is explained. Looking things up is the part of
`triage.store.search`; what is understood of rules is in `triage.core.rule_parser`.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from triage.core.errors import UsageError
from triage.core.rules import HOURS, AllOf, AnyOf, Condition, Field, Has, Not, Older
from triage.core.text import sanitize_line

MAX_LENGTH = 500
MAX_TERMS = 50
SHORTEST_PREFIX = 3
"""Letters from which on the last word is taken for the beginning of one: fewer begin half of all words."""

Place = Literal["words", "title", "text", "from", "source", "tag", "kind", "is", "before", "after"]
State = Literal["liked", "loved", "disliked", "saved", "later", "new", "settled", "opened"]

_PLACES: dict[str, Place] = {place: place for place in get_args(Place) if place != "words"} | {
    "author": "from",
    "by": "from",
    "person": "from",
    "in": "source",
    "feed": "source",
    "label": "tag",
    "type": "kind",
    "until": "before",
    "older": "before",
    "since": "after",
    "newer": "after",
}
KINDS = {"feed": "feed", "feeds": "feed", "mail": "mail", "mails": "mail", "email": "mail"} | {
    "paper": "paper",
    "papers": "paper",
}
STATES: dict[str, State] = {state: state for state in get_args(State)} | {
    "like": "liked",
    "love": "loved",
    "dislike": "disliked",
    "save": "saved",
    "unmarked": "new",
    "read": "opened",
}
FILTERS = tuple(f"{place}:" for place in get_args(Place) if place != "words")
OFFERED = (*FILTERS, *(f"is:{word}" for word in (*get_args(State), "paper", "mail", "feed")))
"""What is offered while one types."""

_TERM = re.compile(
    r"""(?P<minus>[-\u2212]?)(?:(?P<name>[^\W\d_]+):(?![:/\s]|$))?(?:["“”„](?P<quoted>[^"“”]*)["“”]?|(?P<plain>\S+))"""
)
_EMPTY = re.compile(r"[-\u2212]?([^\W\d_]+):(?:\s|$|\"\s*\")")
_AGE = re.compile(r"(\d{1,5})\s*(h|d|w|mo|m|y)[a-z]*", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?")
_DAYS = {"today": 0, "yesterday": 1}
NAME = re.compile(r"[^\W_][\w-]{0,39}")
"""Of a saved search."""
SAVING = re.compile(rf"@({NAME.pattern})\s*=\s*(.*)", re.DOTALL)
"""What is typed into one line to save a search."""


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that must hold, or must not."""

    place: Place
    value: str
    """As typed; of kind and is the canonical word."""
    phrase: bool = False
    """It was quoted."""
    prefix: bool = False
    """Its last word stands for any that begins with it."""
    negated: bool = False

    def __str__(self) -> str:
        """As it could be typed."""
        value = f'"{self.value}"' if self.phrase or " " in self.value else self.value
        name = "" if self.place == "words" else f"{self.place}:"
        return f"{'-' if self.negated else ''}{name}{value}{'*' if self.prefix else ''}"


@dataclass(frozen=True, slots=True)
class Query:
    """A search that was understood: all of its terms hold."""

    terms: tuple[Term, ...]

    @property
    def wanted(self) -> tuple[Term, ...]:
        """The words that must occur: what an order of hits goes by."""
        return tuple(term for term in self.terms if is_wanted(term))

    @property
    def meaning(self) -> str:
        """The words whose meaning is looked for; empty if there are only filters."""
        return " ".join(term.value for term in self.wanted)

    @property
    def narrowing(self) -> Query:
        """What else must hold, of what is near in meaning as well."""
        return Query(tuple(term for term in self.terms if not is_wanted(term)))


def is_wanted(term: Term) -> bool:
    """Whether a term says which words must occur."""
    return term.place in ("words", "title", "text") and not term.negated


def parse(text: str, saved: Mapping[str, str] | None = None, *, cut_short: bool = True) -> Query:
    """Reads a search.

    Args:
        text: Whatever was typed.
        saved: Name -> text of the searches that `@name` may stand for.
        cut_short: Takes the last word for the beginning of one: it may be still on its way.

    Raises:
        UsageError: There is no such filter, value or saved search, or nothing that could be looked for.
    """
    text = expand(text, saved or {})
    terms = []
    for found in _TERM.finditer(text):
        quoted, plain = found["quoted"], found["plain"]
        if (term := _term(found["name"], quoted, plain, bool(found["minus"]), text)) is not None:
            terms.append(term)
    if not terms:
        raise UsageError("a search needs a word or a filter", fix="triage search 'harbour is:new after:7d'")
    if len(terms) > MAX_TERMS:
        raise UsageError(f"a search has at most {MAX_TERMS} words and filters, not {len(terms)}")
    last = terms[-1]
    if cut_short and is_wanted(last) and not last.phrase and len(last.value) >= SHORTEST_PREFIX:
        terms[-1] = Term(last.place, last.value, prefix=True)
    return Query(tuple(terms))


def expand(text: str, saved: Mapping[str, str]) -> str:
    """A search with the texts of saved ones in the place of their names; raises UsageError."""
    text = sanitize_line(text)
    if len(text) > MAX_LENGTH:
        raise UsageError(f"a search has at most {MAX_LENGTH} characters, not {len(text)}")
    by_name = {name.casefold(): query for name, query in saved.items()}

    def stand_in(found: re.Match[str]) -> str:
        name = found[1]
        if name.casefold() not in by_name:
            near = difflib.get_close_matches(name.casefold(), by_name, n=1)
            hint = f"; did you mean @{near[0]}?" if near else ""
            raise UsageError(f"there is no saved search @{name}{hint}", fix="triage search --saved")
        return by_name[name.casefold()]

    return re.sub(rf"(?<!\S)@({NAME.pattern})(?!\S)", stand_in, text)


def _term(name: str | None, quoted: str | None, plain: str | None, negated: bool, text: str) -> Term | None:
    """One term; None if it holds nothing that could be looked for."""
    value = (plain or "") if quoted is None else quoted.strip()
    if name is None:
        if (empty := _EMPTY.match(value)) and empty[1].lower() in _PLACES and quoted is None:
            raise UsageError(
                f"{empty[1]}: needs a word right after it", fix=f"triage search '{empty[1]}:word'"
            )
        return _words("words", value, quoted is not None, negated)
    place = _PLACES.get(name.lower())
    if place is None:
        near = difflib.get_close_matches(name.lower(), _PLACES, n=1)
        hint = f"did you mean {near[0]}:?" if near else f"there are {' '.join(FILTERS)}"
        words = shlex.quote(f'"{name}:{value}"')
        raise UsageError(f'there is no filter "{name}:"; {hint}', fix=f"triage search {words}")
    if place == "kind":
        return Term(place, _one_of(value, KINDS, "kind", text), negated=negated)
    if place == "is":
        if value.lower() in KINDS:
            return Term("kind", KINDS[value.lower()], negated=negated)
        return Term(place, _one_of(value, STATES | KINDS, "is", text), negated=negated)
    if place in ("before", "after"):
        _check_moment(name, value)
        return Term(place, value.lower(), negated=negated)
    term = _words(place, value, quoted is not None, negated)
    if term is None:
        raise UsageError(f"{name}: needs a word right after it", fix=f"triage search '{name}:word'")
    return term


def _words(place: Place, value: str, quoted: bool, negated: bool) -> Term | None:
    prefix = not quoted and value.endswith("*")
    value = value.removesuffix("*") if prefix else value
    if not any(_counts(char) for char in value):
        return None
    return Term(place, value, phrase=quoted, prefix=prefix, negated=negated)


def _counts(char: str) -> bool:
    """Whether a character can be looked for: letters, digits, and symbols such as emoji."""
    return char.isalnum() or char >= "\u2190"


def _one_of(value: str, known: Mapping[str, str], name: str, text: str) -> str:
    if (found := known.get(value.lower())) is not None:
        return found
    near = difflib.get_close_matches(value.lower(), known, n=1, cutoff=0.5)
    shown = ", ".join(dict.fromkeys(known.values()))
    hint = f"did you mean {name}:{near[0]}?" if near else f"it is one of {shown}"
    meant = text.replace(f"{name}:{value}", f"{name}:{near[0]}") if near else f"{name}:{next(iter(known))}"
    raise UsageError(f'there is no {name}:"{value}"; {hint}', fix=f"triage search {shlex.quote(meant)}")


def _check_moment(name: str, value: str) -> None:
    try:
        moment(value, datetime.now().astimezone())
    except (ValueError, OverflowError):
        raise UsageError(
            f'{name}:"{value}" is no date: write 2026-11-01, 2026-11, today, or an age such as 7d, 2w, 3mo',
            fix=f"triage search '{name}:7d'",
        ) from None


def moment(value: str, now: datetime) -> datetime:
    """When a date begins, in the reader's zone, or what was an age ago.

    Raises:
        ValueError: It is neither.
        OverflowError: It is before there were dates.
    """
    if age := _AGE.fullmatch(value):
        unit = "mo" if age[2].lower() == "m" else age[2].lower()
        return now - timedelta(hours=int(age[1]) * HOURS[unit])
    if value.lower() in _DAYS:
        day = now.astimezone() - timedelta(days=_DAYS[value.lower()])
        return day.replace(hour=0, minute=0, second=0, microsecond=0)
    if found := _DATE.fullmatch(value):
        year, month, day_of = (int(part or 1) for part in found.groups())
        return datetime(year, month, day_of).astimezone()
    raise ValueError(value)


def condition(query: Query) -> Condition:
    """The same as the condition of a rule.

    Raises:
        UsageError: It looks at something that rules do not know, such as what the reader said of an item.
    """
    parts = tuple(_condition_of(term) for term in query.terms)
    return parts[0] if len(parts) == 1 else AllOf(parts)


_FIELDS: dict[Place, tuple[Field, ...]] = {
    "words": ("mentions",),
    "title": ("title",),
    "text": ("mentions",),
    "from": ("author", "source"),
    "source": ("source",),
    "tag": ("tag",),
    "kind": ("kind",),
}


def _condition_of(term: Term) -> Condition:
    age = _AGE.fullmatch(term.value)
    if term.place in ("before", "after") and age is not None:
        unit = "mo" if age[2].lower() == "m" else age[2].lower()
        older = Older(float(age[1]), unit)
        found: Condition = older if term.place == "before" else Not(older)
    elif term.place in _FIELDS:
        value = term.value.replace('"', "") + ("*" if term.prefix else "")
        tests = tuple(Has(field, value) for field in _FIELDS[term.place])
        found = tests[0] if len(tests) == 1 else AnyOf(tests)
    else:
        raise UsageError(
            f"{term} is nothing that a rule can look at: it knows words, title:, from:, source:, tag:, kind:"
            " and ages such as after:7d",
            fix="triage search --saved",
        )
    if not term.negated:
        return found
    return found.part if isinstance(found, Not) else Not(found)


def from_arguments(arguments: Sequence[str]) -> str:
    """A search that a shell has cut into words: puts back the quotes that it has taken away."""
    return arguments[0] if len(arguments) == 1 else " ".join(map(_requoted, arguments))


def _requoted(argument: str) -> str:
    if " " not in argument.strip() or '"' in argument:
        return argument
    minus = "-" if argument.startswith("-") else ""
    name, colon, value = argument.removeprefix("-").partition(":")
    if colon and name.lower() in _PLACES:
        return f'{minus}{name}:"{value}"'
    return f'{minus}"{argument.removeprefix("-")}"'
