"""Interests, aliases and rules as a sheet: what a change of it means, as events of one step.

What was not changed on the sheet is not said again, so a change made meanwhile elsewhere is not lost.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime

from triage.config import Clock
from triage.core import interest_sheet, rule_parser, rules
from triage.core.errors import UsageError
from triage.core.feedback import HARD, Event, Verb
from triage.core.interest_sheet import Line
from triage.core.rules import Rule
from triage.core.sheet import SheetError, SheetRefused
from triage.services.feedback import in_words
from triage.services.preview import Past, Preview
from triage.services.rules import check_alias
from triage.store import feedback as event_log
from triage.store.engine import Database


@dataclass(frozen=True, slots=True)
class Changes:
    """What an edited sheet says anew."""

    said: tuple[Line, ...]
    """Each with the moment of its end, if it has one."""
    withdrawn: tuple[Line, ...]

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.said or self.withdrawn)


def show(database: Database, now: datetime) -> str:
    """The sheet as it stands."""
    with database.read() as connection:
        return interest_sheet.write(interest_sheet.current(event_log.events(connection), now))


def changes(before: str, after: str, now: datetime) -> Changes:
    """What an edited sheet changes.

    Raises:
        SheetRefused: Lines of it are wrong.
    """
    old, new = interest_sheet.read(before), interest_sheet.read(after)
    errors: list[SheetError] = []
    said: list[Line] = []
    for key, line in new.items():
        if key in old and old[key] == line:
            continue
        try:
            if line.verb is Verb.ALIAS:
                check_alias(line.phrase)
            said.append(dataclasses.replace(line, term=rules.ending(line.term, now)))
        except UsageError as error:
            errors.append(SheetError(line.number, str(error)))
    if errors:
        raise SheetRefused(errors)
    return Changes(tuple(said), tuple(line for key, line in old.items() if key not in new))


def previews(database: Database, now: datetime, changed: Changes) -> list[Preview]:
    """What the rules that are new or changed would have done in the last 30 days."""
    found = [line for line in changed.said if line.verb is Verb.RULE or line.verb in HARD]
    if not found:
        return []
    past = Past(database, now)
    return [
        past.preview(
            Rule(rule_parser.parse_condition(line.phrase), HARD.get(line.verb, line.weight or 0.0), line.term)
        )
        for line in found
    ]


def apply(database: Database, clock: Clock, changed: Changes) -> list[str]:
    """Appends the changes as the events of one step, which one undo takes back; says them, a line each."""
    now = clock()
    done: list[str] = []
    with database.write() as connection:
        step = event_log.last_id(connection) + 1
        for line, is_said in [
            *((line, False) for line in changed.withdrawn),
            *((line, True) for line in changed.said),
        ]:
            event = _event(line, now, is_said=is_said)
            event_log.append(
                connection,
                verb=event.verb,
                at=now,
                phrase=event.phrase,
                weight=event.weight,
                until=event.until,
                scope=event.scope,
                step=step,
            )
            done.append(in_words(event))
    return done


def _event(line: Line, now: datetime, *, is_said: bool) -> Event:
    """What is said with a line, or with its absence."""
    if is_said:
        until = rules.ending(line.term, now)
        return Event(
            id=0,
            at=now,
            verb=line.verb,
            phrase=line.phrase,
            weight=line.weight,
            until=until,
            scope=line.profile,
        )
    verb = line.verb if line.verb in (Verb.INTEREST, Verb.ALIAS) else Verb.RULE
    return Event(id=0, at=now, verb=verb, phrase=line.phrase, weight=0.0, scope=line.profile)
