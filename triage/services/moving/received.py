"""What the lines of an export say, checked as the bytes of a stranger.

Owns every rule that a line must keep beyond its form: references to lines before it, names that are those of
what they name, phrases that can be read, times that have been. Pure but for the question which sources can be
read here; what follows from a line is for `triage.services.moving.merging`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ingestors import registry
from model import artifacts
from model.knowledge import has_terms
from model.types import ModelError
from triage import config
from triage.core import query, rule_parser, rules
from triage.core.errors import TriageError
from triage.core.feedback import Event, as_event
from triage.core.interest_sheet import Line as Wish
from triage.core.interest_sheet import profile_name
from triage.core.portable import event_name, item_name
from triage.core.text import sanitize_text, without_password
from triage.core.verbs import PAST_TENSE, RULES, Verb
from triage.services.fetching import source_settings
from triage.services.fetching.sources import LIST_OPTION
from triage.services.moving import archive
from triage.services.moving.archive import (
    AliasLine,
    EventLine,
    InterestLine,
    ItemLine,
    ModelLine,
    RuleLine,
    SourceLine,
    wrong,
)
from triage.services.moving.exporting import PORTABLE
from triage.store import sources

AHEAD = timedelta(days=1)
"""How far the clock of another machine may be ahead."""


@dataclass(slots=True)
class Received:
    """The lines of a file, each with its number where its meaning can still be wrong."""

    sources: dict[tuple[str, str], SourceLine] = field(default_factory=dict)
    """(Ingestor, target) -> line."""
    claimed: set[tuple[str, str]] = field(default_factory=set)
    """Those that can be polled here."""
    items: dict[str, ItemLine] = field(default_factory=dict)
    """Name -> line, in the order of the file."""
    events: dict[str, EventLine] = field(default_factory=dict)
    wishes: list[Wish] = field(default_factory=list)
    """Interests, rules and aliases as they hold: verb, phrase, weight, until."""
    models: list[ModelLine] = field(default_factory=list)


def read(body: bytes, name: str, now: datetime) -> Received:
    """The lines of an export.

    Args:
        body: The file.
        name: Of the file, for errors.
        now: The present: nothing can have been said later.

    Raises:
        UsageError: A line cannot be used; the message says which, and why.
    """
    found = Received()
    for number, line in archive.decode(body, name):
        try:
            match line:
                case SourceLine():
                    _check_source(line, found)
                case ItemLine():
                    _check_item(line, found, now)
                case EventLine():
                    _check_event(line, found, now)
                case InterestLine():
                    _check_interest(line.phrase)
                    _check_term(line.until)
                    profile = None if line.profile is None else profile_name(line.profile)
                    found.wishes.append(Wish(Verb.INTEREST, line.phrase, line.weight, profile, line.until))
                case RuleLine():
                    verb, weight = as_event(line.effect)
                    _check_phrase(verb, line.condition)
                    _check_term(line.until)
                    found.wishes.append(Wish(verb, line.condition, weight, term=line.until))
                case AliasLine():
                    _check_phrase(Verb.ALIAS, line.phrase)
                    found.wishes.append(Wish(Verb.ALIAS, line.phrase, 1.0))
                case ModelLine():
                    artifacts.check(line.id, line.document, line.tensors)
                    found.models.append(line)
        except (ValueError, TriageError, ModelError) as error:
            raise wrong(name, number, str(error)) from error
    return found


def _check_source(line: SourceLine, found: Received) -> None:
    _check_line(line.ingestor)
    if any(unicodedata.category(char) == "Cc" for char in line.target):
        raise ValueError("its target holds control characters")
    if without_password(line.target) != line.target:
        raise ValueError("its target holds a password")
    for name, value in line.settings.items():
        if name not in PORTABLE:
            raise ValueError(f"the setting {name!r} cannot be imported")
        if name in source_settings.SETTINGS:
            text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
            source_settings.read([f"{name}={text}"])
        elif name == sources.NAME and not isinstance(value, str):
            raise ValueError("its title is no text")
        elif name == LIST_OPTION and not _is_texts(value):
            raise ValueError("what a list said of it is no object of texts")
    key = (line.ingestor, line.target)
    found.sources[key] = line
    claim = registry.claim(line.target)
    if claim is not None and (claim.ingestor, claim.target) == key:
        found.claimed.add(key)


def _check_item(line: ItemLine, found: Received, now: datetime) -> None:
    if (line.ingestor, line.target) not in found.sources:
        raise ValueError("no line before it is its source")
    if line.name != item_name(line.ingestor, line.target, line.key):
        raise ValueError("its name is not that of its source and key")
    if line.name in found.items:
        raise ValueError("the same item stands in a line before it")
    _check_moment(line.first_seen, now)
    found.items[line.name] = line


def _check_event(line: EventLine, found: Received, now: datetime) -> None:
    _check_moment(line.at, now)
    _check_term(line.stamp)
    _check_term(line.until)
    for text in (line.scope, line.model):
        if text is not None:
            _check_line(text)
    if line.name in found.events:
        raise ValueError("the same event stands in a line before it")
    if line.name != event_name(event(line), line.undoes):
        raise ValueError("its name is not that of what it says: it was changed or damaged")
    if (line.item is not None) is not (line.verb in PAST_TENSE):
        raise ValueError(f"{line.verb} is about {'an item' if line.item is None else 'no item'}")
    if line.item is not None and line.item not in found.items:
        raise ValueError("no line before it is its item")
    if (line.undoes is not None) is not (line.verb is Verb.UNDO):
        raise ValueError("an undo, and nothing else, undoes an event")
    for before in (line.undoes, line.step if line.step != line.name else None):
        if before is not None and before not in found.events:
            raise ValueError("no line before it is the event that it refers to")
    if line.verb is Verb.INTEREST:
        _check_interest(line.phrase or "")
        if line.scope is not None and profile_name(line.scope) != line.scope:
            raise ValueError(f"{line.scope!r} is no name of a profile")
    elif line.verb in (*RULES, Verb.ALIAS):
        _check_phrase(line.verb, line.phrase or "")
    elif line.verb is Verb.SEARCH:
        _check_search(line.phrase or "", removed=line.weight == 0)
    elif line.phrase is not None:
        _check_line(line.phrase)
    found.events[line.name] = line


def _check_interest(phrase: str) -> None:
    _check_line(phrase)
    if not any(char.isalnum() for char in phrase):
        raise ValueError("an interest needs at least one word")


def _check_phrase(verb: Verb, phrase: str) -> None:
    """A rule that cannot be read, or an alias, would keep everything from being ranked."""
    _check_line(phrase)
    if verb is not Verb.ALIAS:
        rule_parser.parse_condition(phrase)
        return
    form, _, other = phrase.partition(" = ")
    if rules.write_alias(form, other) != phrase or not (has_terms(form) and has_terms(other)):
        raise ValueError(f"{phrase!r} is no alias")


def _check_search(phrase: str, *, removed: bool) -> None:
    """Rules and views name searches, so one that cannot be read would break those."""
    _check_line(phrase)
    name, _, text = phrase.partition(" ")
    if not query.NAME.fullmatch(name):
        raise ValueError(f"{phrase!r} is no search with a name")
    if not removed:
        query.parse(text)


def _check_line(text: str) -> None:
    if sanitize_text(text) != text or "\n" in text:
        raise ValueError("a name or phrase holds characters that are no text")


def _check_moment(moment: datetime, now: datetime) -> None:
    if moment.year < config.FIRST_YEAR or moment > now + AHEAD:
        raise ValueError(f"{moment.isoformat()} has not come yet, by the clock of this machine")


def _check_term(moment: datetime | None) -> None:
    """A time zone is added to it, which the last year that there is has no room for."""
    if moment is not None and not config.FIRST_YEAR <= moment.year <= config.LAST_YEAR:
        raise ValueError(f"{moment.isoformat()} is no time that anything was said at, or ends at")


def _is_texts(value: object) -> bool:
    """Whether it is an object of a few short texts."""
    if not isinstance(value, dict) or len(value) > 200:
        return False
    return all(isinstance(v, str) and len(k) + len(v) <= 10_000 for k, v in value.items())


def event(
    line: EventLine, *, item_id: int | None = None, undoes: int | None = None, step: int | None = None
) -> Event:
    """The event of a line, with the ids that it has here; its own is not given yet."""
    return Event(
        id=0,
        at=line.at.astimezone(UTC),
        stamp=line.stamp.astimezone(UTC),
        verb=line.verb,
        item_id=item_id,
        undoes=undoes,
        phrase=line.phrase,
        weight=line.weight,
        standing=line.standing,
        model=line.model,
        until=None if line.until is None else line.until.astimezone(UTC),
        scope=line.scope,
        step=step,
    )
