"""Interests, aliases and rules as a sheet: what a change of it means, as events of one step.

What was not changed on the sheet is not said again, so a change made meanwhile elsewhere is not lost.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from triage.config import Clock
from triage.core import interest_sheet, rule_parser, rules
from triage.core.errors import UsageError
from triage.core.interest_sheet import Line
from triage.core.rules import Rule
from triage.core.sheet import SheetError, SheetRefused
from triage.core.verbs import HARD, Verb
from triage.services.reader.feedback import in_words
from triage.services.reader.preview import Preview, RecentItems
from triage.services.reader.rules import check_alias
from triage.store import feedback as event_log
from triage.store.engine import Database


def show(database: Database, now: datetime) -> str:
    """The sheet as it stands."""
    with database.read() as connection:
        return interest_sheet.write(interest_sheet.current(event_log.events(connection), now))


def changes(before: str, after: str, now: datetime) -> list[Line]:
    """What an edited sheet says anew, with the moments at which it ends; what is gone from it has weight 0.

    Raises:
        SheetRefused: Lines of it are wrong.
    """
    old, new = interest_sheet.read(before), interest_sheet.read(after)
    errors: list[SheetError] = []
    said = [_withdrawn(line) for key, line in old.items() if key not in new]
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
    return said


def _withdrawn(line: Line) -> Line:
    verb = line.verb if line.verb in (Verb.INTEREST, Verb.ALIAS) else Verb.RULE
    return dataclasses.replace(line, verb=verb, weight=0.0, term=None)


def previews(database: Database, now: datetime, changed: Sequence[Line]) -> list[Preview]:
    """What the rules that are new or changed would have done in the last 30 days."""
    found = [line for line in changed if line.verb in HARD or (line.verb is Verb.RULE and line.weight)]
    if not found:
        return []
    recent = RecentItems(database, now)
    return [
        recent.preview(
            Rule(rule_parser.parse_condition(line.phrase), HARD.get(line.verb, line.weight or 0.0), line.term)
        )
        for line in found
    ]


def apply(database: Database, clock: Clock, changed: Sequence[Line]) -> list[str]:
    """Appends the changes as the events of one step, which one undo takes back; says them, a line each."""
    now = clock()
    done: list[str] = []
    with database.write() as connection:
        step = event_log.last_id(connection) + 1
        for line in changed:
            event = event_log.append(
                connection,
                verb=line.verb,
                at=now,
                phrase=line.phrase,
                weight=line.weight,
                until=line.term if isinstance(line.term, datetime) else None,
                scope=line.profile,
                step=step,
            )
            done.append(in_words(event))
    return done
