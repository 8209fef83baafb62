"""Interests, aliases and rules as one sheet of plain text: how it is read and written.

    cycling in cities          an interest; below [work] of the profile work, above any section of all
    +2 heat pumps              a stronger one, from -10 to +10
    -celebrity news            less of this; -0.5 for a little less
    "3 body problem" for 7d    quotes keep what would be read as something else; an end as in a rule
    [aliases]                  LLM = large language model
    [rules]                    as `triage.core.rule_parser` reads them

Pure. Owns the form, and which word was probably meant where a line cannot be understood.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from triage.core import feedback, rule_parser, rules
from triage.core.errors import UsageError
from triage.core.feedback import Event
from triage.core.rules import Term, write_term
from triage.core.sheet import SheetError, SheetRefused
from triage.core.text import sanitize_line
from triage.core.verbs import HARD, Verb

HEAD = """\
# What you want to read about, a phrase a line. With a sign in front: +2 for more, -1 or - for less of it.
# Above the first [section]: always. Below [work] or any name of yours: a profile, triage interests use work.
# At the end of a line: for 7d, until 2026-12-01. In quotes: a phrase that begins or ends like these.
# What you take out is forgotten; triage undo brings it back. Comments are not kept.
"""
ALIASES, RULES = "aliases", "rules"
_NOTES = {
    ALIASES: "# Two forms of one name: LLM = large language model",
    RULES: '# never source:"The Wire" for 7d     author:"Jane Doe" +1     triage rules add --help has all',
}
MAX_PHRASE = 200
MAX_PROFILE = 40
MAX_WEIGHT = 10.0
MAX_LINES = 5000
TOO_NEAR = 0.75
"""Names of profiles that are nearer than this to `aliases` or `rules` are slips of the hand."""

_SECTION = re.compile(r"\[\s*(.*?)\s*\]")
_SIGNED = re.compile(r'([+\-\u2212\u2013])\s*(?:(\d+(?:[.,]\d+)?)(?:\s+|(?=")))?(.*)')
_END = re.compile(r"(.*\S)\s+(for\s+\d\S*(?:\s*[^\W\d]+)?|until\s+\S+(?:\s+\d\d?:\d\d)?)", re.IGNORECASE)
_WEIGHT_BEHIND = re.compile(r"(.*\S)\s*=\s*([+-]?\d+(?:[.,]\d+)?)")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a sheet, as the event that would say it."""

    verb: Verb
    phrase: str
    weight: float | None = None
    profile: str | None = None
    term: Term | None = None
    number: int = field(default=0, compare=False)
    """Where it stands, counted from one."""

    @property
    def key(self) -> tuple[str, ...]:
        """Two lines with the same key are about the same."""
        if self.verb is Verb.INTEREST:
            return "interest", self.profile or "", self.phrase
        return "alias" if self.verb is Verb.ALIAS else "rule", self.phrase.casefold()

    def __str__(self) -> str:
        """The canonical form, which is read as the same line."""
        if self.verb is Verb.ALIAS:
            return self.phrase
        if self.verb is not Verb.INTEREST:
            return rules.in_words(self.phrase, HARD.get(self.verb, self.weight or 0.0), self.term)
        weight = 1.0 if self.weight is None else self.weight
        sign = "" if weight == 1 else "-" if weight == -1 else f"{weight:+.10g} "
        end = f" {write_term(self.term)}" if self.term is not None else ""
        plain = f"{sign}{self.phrase}{end}"
        try:
            if plain[0] not in "[#" and _interest(plain, self.profile, 0) == self:
                return plain
        except UsageError:
            pass
        return f'{sign}"{self.phrase}"{end}'


def current(events: Iterable[Event], now: datetime) -> list[Line]:
    """What holds at a moment."""
    log = list(events)
    lines = [
        Line(Verb.INTEREST, said.phrase, said.weight, said.profile, said.until)
        for said in feedback.active_interests(log, now)
    ]
    lines += [Line(Verb.ALIAS, phrase, 1.0) for phrase in feedback.aliases(log)]
    for condition, rule in feedback.active_rules(log, now).items():
        verb, weight = feedback.as_event(rule.effect)
        lines.append(Line(verb, condition, weight, term=rule.until))
    return lines


def write(lines: Iterable[Line]) -> str:
    """The sheet in canonical form: interests, profiles, aliases, rules, each in the order given."""
    parts: dict[str | None, list[str]] = {None: []}
    last: dict[str, list[str]] = {ALIASES: [], RULES: []}
    for line in lines:
        if line.verb is Verb.INTEREST:
            parts.setdefault(line.profile, []).append(str(line))
        else:
            last[ALIASES if line.verb is Verb.ALIAS else RULES].append(str(line))
    text = HEAD
    for name, said in [*parts.items(), *last.items()]:
        head = [f"[{name}]"] if name is not None else []
        head += [_NOTES[name]] if name in _NOTES and name is not None else []
        text += "\n" + "".join(f"{each}\n" for each in [*head, *said])
    return text


def read(text: str) -> dict[tuple[str, ...], Line]:
    """The lines of a sheet by their keys, in order.

    Raises:
        SheetRefused: Some lines cannot be understood; each is named with the word that was probably meant.
    """
    found: dict[tuple[str, ...], Line] = {}
    errors: list[SheetError] = []
    section: str | None = None
    is_known = True
    all_lines = text.split("\n")
    if len(all_lines) > MAX_LINES:
        raise SheetRefused([SheetError(MAX_LINES, f"a sheet has at most {MAX_LINES} lines")])
    for number, raw in enumerate(all_lines, start=1):
        typed = sanitize_line(raw)
        if not typed or typed.startswith("#"):
            continue
        try:
            if typed.startswith("["):
                is_known = False
                section = _section(typed)
                is_known = True
                continue
            if not is_known:
                continue  # its lines would all be wrong for the same reason
            line = _line(typed, section, number)
            if line.key in found:
                raise UsageError(f"{_cut(typed)} stands in line {found[line.key].number} already")
            found[line.key] = line
        except UsageError as error:
            errors.append(SheetError(number, str(error)))
    if errors:
        raise SheetRefused(errors)
    return found


def _section(typed: str) -> str | None:
    whole = _SECTION.fullmatch(typed)
    if whole is None:
        raise UsageError(
            f"{_cut(typed)} is no section: write {_cut(typed.split(']')[0].strip('[ '))!r} as [name]"
        )
    name = whole[1]
    folded = name.casefold()
    if folded in (ALIASES, RULES):
        return folded
    if folded == "interests":
        return None
    near = difflib.get_close_matches(folded, (ALIASES, RULES, "interests"), n=1, cutoff=TOO_NEAR)
    if near:
        raise UsageError(f"there is no section [{name}]; did you mean [{near[0]}]?")
    return profile_name(name)


def profile_name(name: str) -> str:
    """The name of a profile, as it is kept; raises UsageError for what can be none."""
    name = sanitize_line(name)
    if not re.fullmatch(r"[\w\-.]+", name) or not any(char.isalnum() for char in name):
        raise UsageError(f'"{_cut(name)}" is no name for a profile: use letters, digits and hyphens')
    if len(name) > MAX_PROFILE:
        raise UsageError(f"the name of a profile has at most {MAX_PROFILE} characters, not {len(name)}")
    if name.casefold() in (ALIASES, RULES, "interests"):
        raise UsageError(f'"{name}" is the name of a section of the sheet, so no profile can be called so')
    return name.casefold()


def _line(typed: str, section: str | None, number: int) -> Line:
    if section == ALIASES:
        form, equals, other = typed.partition("=")
        if not equals:
            raise UsageError(f"{_cut(typed)} is no alias: write LLM = large language model")
        return Line(Verb.ALIAS, rules.write_alias(form, other), 1.0, number=number)
    if section == RULES:
        return _rule(typed, number)
    return _interest(typed, section, number)


def _rule(typed: str, number: int) -> Line:
    try:
        rule = rule_parser.parse(typed)
    except rule_parser.Mistake as mistake:
        meant = f"; try: {mistake.mended}" if mistake.mended else ""
        raise UsageError(f"{mistake}{meant}") from mistake
    verb, weight = feedback.as_event(rule.effect)
    return Line(verb, rules.write(rule.condition), weight, term=rule.term, number=number)


def _interest(typed: str, profile: str | None, number: int) -> Line:
    rest, weight = typed, 1.0
    if signed := _SIGNED.fullmatch(typed):
        sign, digits, rest = signed.groups()
        if re.fullmatch(r"[\d.,]*", rest):
            raise UsageError(f"{_cut(typed)} has no word after it: an interest needs at least one")
        size = float(digits.replace(",", ".")) if digits else 1.0
        weight = size if sign == "+" else -size
        if size == 0:
            raise UsageError(f"{_cut(typed)} has no weight; take the line out if it no longer matters")
        if size > MAX_WEIGHT:
            raise UsageError(f"a weight lies between -{MAX_WEIGHT:g} and +{MAX_WEIGHT:g}, not {weight:+g}")
    rest, term = _without_end(rest)
    if _quoted(rest):
        phrase = rest[1:-1].strip()
    else:
        phrase = rest
        _refuse_others(typed, phrase)
    if not any(char.isalnum() for char in phrase):
        raise UsageError(f"{_cut(typed)} has no word: an interest needs at least one")
    if len(phrase) > MAX_PHRASE:
        raise UsageError(f"an interest has at most {MAX_PHRASE} characters, not {len(phrase)}")
    return Line(Verb.INTEREST, phrase, weight, profile, term, number)


def _without_end(rest: str) -> tuple[str, Term | None]:
    """What is before `for 7d` or `until 2026-12-01`, and that."""
    found = None if _quoted(rest) else _END.fullmatch(rest)
    if found is None:
        return rest, None
    term = rule_parser.parse_term(found[2])
    is_until = found[2].lower().startswith("until") and found[2][5:].strip()[0].isdigit()
    if term is None and is_until:
        raise UsageError(f"{_cut(found[2])} is no end: write a date such as until 2026-12-01, or for 7d")
    return (found[1], term) if term is not None else (rest, None)


def _quoted(rest: str) -> bool:
    return len(rest) > 2 and rest[0] == rest[-1] == '"'


def _refuse_others(typed: str, phrase: str) -> None:
    """What is no interest, but belongs elsewhere or is written otherwise."""
    if behind := _WEIGHT_BEHIND.fullmatch(phrase):
        signed = behind[2] if behind[2][0] in "+-" else f"+{behind[2]}"
        raise UsageError(f"the weight stands in front: {signed} {_cut(behind[1])}")
    if " = " in phrase:
        raise UsageError(f"{_cut(typed)} is an alias; it belongs below [{ALIASES}], or into quotes")
    try:
        rule_parser.parse(typed)
    except UsageError:
        return
    raise UsageError(f"{_cut(typed)} is a rule; it belongs below [{RULES}], or into quotes")


def _cut(text: str) -> str:
    return sanitize_line(text, 60)
