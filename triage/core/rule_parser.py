"""The language of rules, as people type it.

    rule       a condition with an effect before or after it: +2, -1, boost (soft), always, keep, never or
               mute, lane people, lane for-you (hard); at the end for 7d, or until 2026-12-01
    condition  tests joined by and, or, not, parentheses, all(..., ...), any(..., ...)
    test       source:"The Wire"  author:Jane  tag:cs.IR  kind:mail  title:word  mentions:"word*"
               older than 3d  newer than 2 weeks  @name, which stands for a saved search

Quotes are optional around one word, case never matters, and `and` may be left out between two tests. Owns
what is understood and how a mistake is explained: by quoting it, with the rule that was probably meant.
"""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NoReturn, get_args

from triage.core import query
from triage.core.errors import UsageError
from triage.core.rules import (
    HOURS,
    STRONGEST,
    AllOf,
    AnyOf,
    Condition,
    Effect,
    Field,
    Hard,
    Has,
    Not,
    Older,
    Rule,
    Term,
    write,
)
from triage.core.text import sanitize_line

MAX_LENGTH = 500
"""Characters of a condition in its canonical form, which is stored and read again."""
MAX_TYPED = 600
"""Of a rule as it is typed: with its effect and its end."""
MAX_VALUE = 200
MAX_DEPTH = 20
"""Of parentheses and `not`."""
MAX_AGE_HOURS = 100 * 365 * 24
EXAMPLE = "triage rules add 'author:\"Jane Doe\" +2'"

_FIELDS: dict[str, Field] = {name: name for name in get_args(Field)} | {
    "from": "author",
    "by": "author",
    "person": "author",
    "text": "mentions",
    "mention": "mentions",
    "type": "kind",
}
_NAMES = [*_FIELDS, "older", "newer", "always", "never", "mute", "keep", "boost", "lane", "until"]
_WORDS: dict[str, Hard] = {"always": "always", "keep": "keep", "never": "never", "mute": "never"}
_LANES: dict[str, Hard] = {"people": "lane people", "for-you": "lane for-you", "for you": "lane for-you"}
_KINDS = {"feed": "feed", "mail": "mail", "email": "mail", "e-mail": "mail", "paper": "paper"}
_UNITS = {unit: unit for unit in HOURS} | {"hour": "h", "day": "d", "week": "w", "month": "mo", "year": "y"}

_BLANK = re.compile(r"\s*")
_WORD = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"([+\-\u2212\u2013]?)(\d+(?:[.,]\d+)?)(?![\w:])")
_HARD = re.compile(r"(always|keep|never|mute)\b(?:\s+show\b)?\s*:?", re.IGNORECASE)
_BOOST = re.compile(r"boost\b\s*(?:(?:by\s+)?\+?(?=\d))?", re.IGNORECASE)
_LANE = re.compile(r"lane\b[\s:=]*(for\s+you\b|[^\s():\"]*)", re.IGNORECASE)
_LAST_EFFECT = re.compile(r"\s+(?:[+\-\u2212\u2013]\d[\d.,]*|always|keep|never|mute)$", re.IGNORECASE)
_SEPARATOR = re.compile(r"\s*(?::|==?|\bis\b)\s*|\s+", re.IGNORECASE)
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“”", "«": "»", "‘": "’"}
_UNQUOTED = re.compile(r'[^\s(),"“”„«»]+')
_AGE = re.compile(
    r"(?:(older|newer)(?:\s+than\b|\s*:)?|age\s*([<>]))\s*(\d+(?:[.,]\d+)?)?\s*([^\W\d]+)?", re.IGNORECASE
)
_TERM = re.compile(
    r"for\s+(\d+(?:[.,]\d+)?|an?|one)\s*([^\W\d]*)|until\b\s*(\S*(?:\s+\d\d?:\d\d)?)", re.IGNORECASE
)
_AND = re.compile(r"(?:and|but)\b|&&?", re.IGNORECASE)
_OR = re.compile(r"or\b|\|\|?", re.IGNORECASE)
_NOT = re.compile(r"not\b|!", re.IGNORECASE)
_GROUP = re.compile(r"(all|any)(?:\s+of)?\s*\(", re.IGNORECASE)
_SAVED = re.compile(rf"@({query.NAME.pattern})")
_OPEN, _COMMA, _CLOSE = re.compile(r"\("), re.compile(","), re.compile(r"\)")
_CUT_VALUE = re.compile(r'(\w+)(?:\s*[:=]\s*|\s+)([^\s(),":=]+)\s*$')
"""A test without quotes, at the end of what has been read."""
_LOOSE = re.compile(
    r"(?:(?!(?:and|but|or|not|always|never|until|for\s+\d)\b|[\w-]+\s*[:=])[^\W\d][^\s(),:\"]*(?:\s+|$|(?=[(),:\"])))+",
    re.IGNORECASE,
)
"""Words that are neither keywords nor the beginning of a test."""


class Mistake(UsageError):
    """A rule that cannot be read."""

    def __init__(self, message: str, mended: str | None) -> None:
        super().__init__(message, fix=f"triage rules add {shlex.quote(mended)}" if mended else EXAMPLE)
        self.mended = mended
        """The rule without this mistake, if that can be guessed."""


def parse(text: str, saved: Mapping[str, str] | None = None) -> Rule:
    """Reads a rule.

    Args:
        text: As typed.
        saved: Name -> text of the searches that `@name` may stand for.

    Raises:
        Mistake: It cannot be read; the message quotes the mistake.
    """
    return _Parser(text, saved).rule()


def parse_term(text: str) -> Term | None:
    """Reads `for 7d` or `until 2026-12-01`; None if it is something else."""
    found = _TERM.fullmatch(text)
    if found is None:
        return None
    amount, unit, date = found.groups()
    return _moment(date) if amount is None else _span(amount, unit)


def parse_condition(text: str) -> Condition:
    """Reads a condition without an effect, as `triage.core.rules.write` writes it; raises UsageError."""
    return _Parser(text).condition()


def from_arguments(arguments: Sequence[str]) -> str:
    """A rule that a shell has cut into words: puts back the quotes that it has taken away.

    The shell makes `author:"Jane Doe" +2` two arguments, `author:Jane Doe` and `+2`.
    """
    return arguments[0] if len(arguments) == 1 else " ".join(map(_requoted, arguments))


def _requoted(argument: str) -> str:
    field, colon, value = argument.partition(":")
    was_quoted = " " in value.strip() and not re.search(r'[":()]', value)
    return f'{field}:"{value}"' if colon and was_quoted and field.lower() in _FIELDS else argument


def _unit(name: str) -> str | None:
    """The unit of time that is meant, a key of `HOURS`."""
    return _UNITS.get(name.lower()) or _UNITS.get(name.lower().removesuffix("s"))


def _span(amount: str, unit: str) -> timedelta | None:
    known = _unit(unit)
    count = float(amount.replace(",", ".")) if amount[0].isdecimal() else 1.0
    hours = count * HOURS[known] if known else 0.0
    return timedelta(hours=hours) if 0 < hours <= MAX_AGE_HOURS else None


def _moment(date: str) -> datetime | None:
    """A local date, with or without a time of the day."""
    try:
        moment = datetime.fromisoformat(date.strip())
    except ValueError:
        return None
    if not 2000 <= moment.year < 2200:
        return None
    return (moment if moment.tzinfo else moment.astimezone()).astimezone(UTC)


class _Parser:
    """Recursive descent, straight over the characters: what a value is depends on what is before it."""

    def __init__(self, text: str, saved: Mapping[str, str] | None = None) -> None:
        self._text = sanitize_line(text)
        self._saved = saved or {}
        self._at = 0
        self._depth = 0
        if len(self._text) > MAX_TYPED:
            self._fail(f"a rule has at most {MAX_LENGTH} characters, not {len(self._text)}")

    def rule(self) -> Rule:
        if not self._text:
            self._fail("a rule needs a condition and an effect")
        before = self._effect()
        if self._done():
            self._fail(f'"{self._text}" needs a condition: for which items?')
        condition = self._any()
        effect, term = before, None
        while not self._done():
            start = self._at
            if (said := self._term()) is not None:
                if term is not None:
                    self._fail(
                        f'"{self._text[start : self._at].strip()}" is a second end, and a rule has one'
                    )
                term = said
            elif (after := self._effect()) is None:
                self._stray()
            elif effect is not None:
                self._fail(f'"{self._text[start : self._at].strip()}" is a second effect, and a rule has one')
            else:
                effect = after
        if effect is None:
            fixed = f"{self._text} +2"
            self._fail(
                f'"{self._text}" needs an effect: a number such as +2 or -1, always, keep or never', fixed
            )
        if (length := len(write(condition))) > MAX_LENGTH:
            self._fail(f"a rule has at most {MAX_LENGTH} characters, not {length} with all its quotes")
        return Rule(condition, effect, term)

    def condition(self) -> Condition:
        condition = self._any()
        if not self._done():
            self._stray()
        return condition

    def _any(self) -> Condition:
        parts = [self._all()]
        while self._take(_OR):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _all(self) -> Condition:
        parts = [self._one()]
        while self._take(_AND) or self._starts_test():
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _starts_test(self) -> bool:
        """Whether a test follows without `and` before it."""
        if any(self._peek(start) for start in (_NOT, _GROUP, _AGE, _OPEN, _SAVED)):
            return True
        name = self._peek(_WORD)
        return name is not None and name[0].lower() in _FIELDS

    def _one(self) -> Condition:
        if self._take(_NOT):
            return self._nested(lambda: Not(self._one()))
        if found := self._take(_GROUP):
            kind = AllOf if found[1].lower() == "all" else AnyOf
            return self._nested(lambda: self._list(kind))
        if self._take(_OPEN):
            return self._nested(self._parenthesis)
        if self._peek(_AGE):
            return self._age()
        if found := self._take(_SAVED):
            # What it stands for now is what the rule keeps: the log means the same wherever it is read.
            return query.condition(query.parse(found[0], self._saved, cut_short=False))
        return self._has()

    def _nested(self, read: Callable[[], Condition]) -> Condition:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            self._fail(f"more than {MAX_DEPTH} parentheses or nots inside of one another")
        found = read()
        self._depth -= 1
        return found

    def _parenthesis(self) -> Condition:
        found = self._any()
        self._close()
        return found

    def _list(self, kind: type[AllOf] | type[AnyOf]) -> Condition:
        parts = [self._any()]
        while self._take(_COMMA):
            parts.append(self._any())
        self._close()
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def _close(self) -> None:
        if not self._take(_CLOSE):
            if self._done() or self._at_effect():
                fixed = f"{self._text[: self._at].rstrip()}) {self._text[self._at :].lstrip()}"
                self._fail('"(" is never closed', fixed.rstrip())
            self._stray()

    def _age(self) -> Condition:
        found = self._take(_AGE)
        assert found is not None
        word, sign, amount, unit = found.groups()
        is_older = sign == ">" or (word or "").lower() == "older"
        known = _unit(unit or "")
        if amount is None or known is None:
            meant = f"{'older' if is_older else 'newer'} than {amount or 3}d"
            self._fail(
                f'"{found[0].strip()}" is no age: write a number and h, d, w, mo or y',
                f"{self._text[: found.start()]}{meant} {self._text[found.end() :].lstrip()}".rstrip(),
            )
        age = Older(float(amount.replace(",", ".")), known)
        if age.hours > MAX_AGE_HOURS:
            self._fail(f'"{found[0].strip()}" is longer than a hundred years')
        return age if is_older else Not(age)

    def _has(self) -> Condition:
        name = self._peek(_WORD)
        field = _FIELDS.get(name[0].lower()) if name else None
        if name is None or field is None:
            self._stray()
        self._at = name.end()
        self._take(_SEPARATOR, blanks=False)
        at = self._at
        value = sanitize_line(self._value(), MAX_VALUE).replace('"', "")
        if not any(char.isalnum() for char in value) or _NUMBER.fullmatch(self._text[at : self._at]):
            self._fail(f'"{name[0]}" needs a word after it')
        if field != "kind":
            return Has(field, value)
        kind = _KINDS.get(value.lower()) or _KINDS.get(value.lower().removesuffix("s"))
        if kind is None:
            near = difflib.get_close_matches(value.lower(), _KINDS, n=1, cutoff=0.0)[0]
            fixed = self._text[:at] + near + self._text[self._at :]
            self._fail(f'there is no kind "{value}": it is feed, mail or paper', fixed)
        return Has(field, kind)

    def _value(self) -> str:
        closing = _QUOTES.get(self._text[self._at : self._at + 1])
        if closing is None:
            found = self._take(_UNQUOTED, blanks=False)
            return found[0] if found else ""
        start = self._at + 1
        ends = [place for place in range(start, len(self._text)) if self._text[place] in closing]
        if not ends:
            effect = _LAST_EFFECT.search(self._text, start)
            end = effect.start() if effect else len(self._text)
            fixed = f"{self._text[:end]}{closing[0]}{self._text[end:]}"
            self._fail(f"the quote in {self._text[self._at :]} is never closed", fixed)
        self._at = ends[0] + 1
        return self._text[start : ends[0]]

    def _effect(self) -> Effect | None:
        if found := self._take(_HARD):
            return _WORDS[found[1].lower()]
        if found := self._take(_LANE):
            return self._lane(found)
        boosted = self._take(_BOOST)
        if not (found := self._take(_NUMBER)):
            return 1.0 if boosted else None
        sign, digits = found.groups()
        sign = sign or ("+" if boosted else "")
        before, after = self._text[: found.start()], self._text[found.end() :]
        if not sign:
            message = f'"{digits}" needs a sign: +{digits} for more, -{digits} for less'
            self._fail(message, f"{before}+{digits}{after}")
        strength = float(digits.replace(",", ".")) * (1 if sign == "+" else -1)
        if strength == 0:
            self._fail(
                f'"{found[0]}" changes nothing; for a rule that is no longer wanted: triage rules remove N'
            )
        if abs(strength) > STRONGEST:
            most = STRONGEST if strength > 0 else -STRONGEST
            message = f'"{found[0]}" is too strong: from -{STRONGEST:g} to +{STRONGEST:g}'
            self._fail(message, f"{before}{most:+g}{after}")
        return strength

    def _lane(self, found: re.Match[str]) -> Hard:
        name = " ".join(found[1].lower().split())
        if name not in _LANES:
            near = difflib.get_close_matches(name, _LANES, n=1)
            fixed = f"{self._text[: found.start(1)]}{near[0]}{self._text[found.end(1) :]}" if near else None
            said = f'there is no lane "{name}"' if name else '"lane" needs a name after it'
            self._fail(f"{said}: it is people or for-you", fixed)
        return _LANES[name]

    def _term(self) -> Term | None:
        found = self._take(_TERM)
        if found is None:
            return None
        term = parse_term(found[0])
        if term is None:
            before, after = self._text[: found.start()], self._text[found.end() :].strip()
            wants = "a date such as 2026-12-01" if found[1] is None else "a number and h, d, w, mo or y"
            self._fail(f'"{found[0].strip()}" is no end: write {wants}', f"{before}for 7d {after}".rstrip())
        return term

    def _at_effect(self) -> bool:
        return any(self._peek(start) for start in (_NUMBER, _HARD, _BOOST, _LANE, _TERM))

    def _stray(self) -> NoReturn:
        """Says what is wrong with whatever comes next."""
        before, rest = self._text[: self._at], self._text[self._at :].lstrip()
        if not rest or self._at_effect():
            self._fail(
                f'something has to follow "{before.split()[-1]}"' if before else "a condition is missing"
            )
        lead = self._text[: len(self._text) - len(rest)]
        if rest[0] in "),":
            self._fail(f'there is a "{rest[0]}" too many', f"{before}{rest[1:]}")
        quoted = re.match(r'"[^"]*"?|[“„«][^”“»]*.?', rest)
        word = (quoted or _UNQUOTED.match(rest) or rest)[0]
        name, colon, _ = word.partition(":")
        near = difflib.get_close_matches(name.lower(), _NAMES, n=1)
        if near and name.lower() != near[0]:
            fixed = f"{lead}{near[0]}{rest[len(name) :]}"
            self._fail(f'there is no "{name}"; did you mean {near[0]}?', fixed)
        if colon:
            self._fail(f'there is no "{name}": a rule looks at {", ".join(get_args(Field))} or age')
        cut, loose = _CUT_VALUE.search(before), _LOOSE.match(rest)
        if cut and loose and cut[1].lower() in _FIELDS:
            more, after = loose[0].strip(), rest[loose.end() :]
            fixed = f'{before[: cut.start(2)]}"{cut[2]} {more}" {after}'
            self._fail(f'"{more}" stands alone; several words need quotes', fixed.rstrip())
        meant = f"{lead}mentions:{rest}" if loose or quoted else None
        self._fail(f"{word if quoted else repr(word)} stands alone: look for it where?", meant)

    def _fail(self, message: str, fixed: str | None = None) -> NoReturn:
        """Raises; `fixed` is the rule without this mistake, if that can be guessed."""
        raise Mistake(message, fixed)

    def _done(self) -> bool:
        return _BLANK.fullmatch(self._text, self._at) is not None

    def _peek(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        blanks = _BLANK.match(self._text, self._at)
        assert blanks is not None
        return pattern.match(self._text, blanks.end())

    def _take(self, pattern: re.Pattern[str], *, blanks: bool = True) -> re.Match[str] | None:
        found = self._peek(pattern) if blanks else pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found
