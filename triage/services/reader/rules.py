"""Rules and aliases: written to the log, and listed with what they match and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from model import knowledge
from triage.config import Clock
from triage.core import feedback, rule_parser, rules
from triage.core.errors import UsageError
from triage.core.items import Recorded
from triage.core.rules import Effect, Rule
from triage.core.verbs import Verb
from triage.services.reader.feedback import in_words
from triage.services.reader.preview import Past, Preview
from triage.services.reader.profile import condition as in_its_terms
from triage.services.reader.profile import document, profile
from triage.store import feedback as event_log
from triage.store import items
from triage.store.engine import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """A rule as it is listed."""

    number: int
    condition: str
    effect: Effect
    matched: int
    """How many items of the last 30 days meet it; of `never`, those that it hides."""
    opened: int
    """How many of them the reader opened or marked, unless as disliked."""
    liked: int
    labels: float
    """What labels have added to a soft rule."""
    value: float | None
    """What a soft rule is worth now, in units of the score; None for a hard one."""
    until: datetime | None
    """From when on it counts no more; None for ever."""
    conflicts: tuple[str, ...]
    """What other rules have to do with it, a sentence each."""


@dataclass(frozen=True, slots=True)
class RuleBook:
    """All rules and aliases that count; aliases are numbered on from the rules."""

    rules: tuple[RuleRow, ...]
    aliases: tuple[tuple[int, str], ...]
    items: int
    """How many items came in the last 30 days."""


def add(database: Database, clock: Clock, text: str) -> Recorded:
    """Adds a rule, or gives its condition another effect.

    Raises:
        UsageError: The text is no rule; the message quotes the mistake, the fix is without it.
    """
    rule = _parse(database, text)
    condition = rules.write(rule.condition)
    now = clock()
    verb, weight = feedback.as_event(rule.effect)
    with database.write() as connection:
        event = event_log.append(
            connection,
            verb=verb,
            at=now,
            phrase=condition,
            weight=weight,
            until=rules.ending(rule.term, now),
        )
    return Recorded(event.id, in_words(event))


def alias(database: Database, clock: Clock, form: str, other: str) -> Recorded:
    """Links two forms of one name.

    Raises:
        UsageError: One has no word that counts, or both are the same.
    """
    phrase = rules.write_alias(form, other)
    check_alias(phrase)
    with database.write() as connection:
        event = event_log.append(connection, verb=Verb.ALIAS, at=clock(), phrase=phrase, weight=1.0)
    return Recorded(event.id, in_words(event))


def check_alias(phrase: str) -> None:
    """Raises UsageError for an alias of which one form has no word that counts."""
    for form in phrase.split(" = "):
        if not knowledge.has_terms(form):
            raise UsageError(f'"{form}" is too short or too common a word to be told from others')


def remove(database: Database, clock: Clock, number: int) -> Recorded:
    """Removes the rule or alias with this number in the list.

    Raises:
        UsageError: There is none.
    """
    with database.write() as connection:
        log = event_log.events(connection)
        effects = feedback.rules(log, clock())
        listed = [(Verb.RULE, phrase) for phrase in effects]
        listed += [(Verb.ALIAS, phrase) for phrase in feedback.aliases(log)]
        if not 1 <= number <= len(listed):
            raise UsageError(f"there is no rule {number}", fix="triage rules")
        verb, phrase = listed[number - 1]
        event = event_log.append(connection, verb=verb, at=clock(), phrase=phrase, weight=0.0)
    what = rules.in_words(phrase, effects[phrase]) if verb is Verb.RULE else phrase
    return Recorded(event.id, f"no longer {'a rule' if verb is Verb.RULE else 'an alias'}: {what}")


def change(database: Database, clock: Clock, condition: str, effect: float) -> Recorded:
    """Gives a soft rule that holds another effect, or removes a rule of any kind with 0.

    Raises:
        UsageError: No rule has this condition.
    """
    with database.write() as connection:
        effects = feedback.rules(event_log.events(connection), clock())
        if condition not in effects:
            raise UsageError(f"there is no rule {condition}", fix="triage rules")
        event = event_log.append(connection, verb=Verb.RULE, at=clock(), phrase=condition, weight=effect)
    if effect:
        return Recorded(event.id, in_words(event))
    return Recorded(event.id, f"no longer a rule: {rules.in_words(condition, effects[condition])}")


def book(database: Database, now: datetime) -> RuleBook:
    """The rules and aliases that count, with what they meet and what labels say of them."""
    past = Past(database, now)
    told = profile(past.events, past.rows, now)
    places = {str(i): place for place, i in enumerate(past.rows)}
    soft = knowledge.soft_rules(
        past.matcher,
        told.rules,
        np.array([places[label.document] for label in told.labels], dtype=np.intp),
        np.array([label.value > 0 for label in told.labels], dtype=bool),
        np.array([max(label.value, 1.0) for label in told.labels], dtype=np.float64),
    )
    revised = {found.rule.name: found for found in soft}
    active = feedback.active_rules(past.events, now)
    listed = []
    for number, (condition, said) in enumerate(active.items(), start=1):
        met, found = past.of(condition), revised.get(condition)
        listed.append(
            RuleRow(
                number=number,
                condition=condition,
                effect=said.effect,
                matched=met.met,
                opened=len(met.opened),
                liked=len(met.liked),
                labels=0.0 if found is None else found.labels,
                value=None if found is None else found.value,
                until=said.until,
                conflicts=met.conflicts,
            )
        )
    aliases = enumerate(feedback.aliases(past.events), start=len(listed) + 1)
    return RuleBook(tuple(listed), tuple(aliases), past.count)


def preview(database: Database, now: datetime, text: str) -> Preview:
    """What a rule would have done in the last 30 days; raises UsageError for what is no rule."""
    rule = _parse(database, text)
    rules.ending(rule.term, now)
    return Past(database, now).preview(rule)


def shown(database: Database, ids: Sequence[int], now: datetime) -> list[int]:
    """Those of the items that a rule has shown in any case (`keep`, `always`), ascending."""
    with database.read() as connection:
        effects = feedback.rules(event_log.events(connection), now)
        rows, texts = items.by_ids(connection, ids), items.texts(connection, ids)
    matcher = knowledge.Matcher([document(row, texts.get(i, ""), now) for i, row in rows.items()])
    met = np.zeros(len(rows), dtype=bool)
    for text, effect in effects.items():
        if effect in rules.SHOWN:
            met |= matcher.matches(in_its_terms(rule_parser.parse_condition(text), now))
    return sorted(i for i, holds in zip(rows, met.tolist(), strict=True) if holds)


def _parse(database: Database, text: str) -> Rule:
    with database.read() as connection:
        return rule_parser.parse(text, feedback.saved_searches(event_log.events(connection)))
