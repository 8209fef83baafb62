"""Rules and aliases, as the reader says them: written to the log. Loads no numbers."""

from __future__ import annotations

from datetime import datetime

from triage.config import Clock
from triage.core import feedback, rule_parser, rules
from triage.core.errors import UsageError
from triage.core.items import Recorded
from triage.core.query import Place, Query, Term
from triage.core.rules import AllOf, Condition, Has, Rule
from triage.core.verbs import Verb
from triage.services.reader.feedback import in_words
from triage.store import feedback as event_log
from triage.store import search
from triage.store.engine import Database


def add(database: Database, clock: Clock, text: str) -> Recorded:
    """Adds a rule, or gives its condition another effect.

    Raises:
        UsageError: The text is no rule; the message quotes the mistake, the fix is without it.
    """
    rule = parse(database, text)
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


def may_meet(database: Database, now: datetime, condition: Condition) -> bool:
    """Whether any stored item can have the words that a condition wants to be mentioned.

    By the index of searches, which takes more for the same word than a rule does: a no is certain, and needs
    none of the texts. Of other conditions nothing is known, so they may.
    """
    match condition:
        case Has("mentions", said):
            word = said.removesuffix("*")
            places: tuple[Place, ...] = ("title", "text")
            with database.read() as connection:
                return any(
                    search.find(connection, Query((Term(place, word, prefix=word != said),)), now, 1)
                    for place in places
                )
        case AllOf(parts):
            return all(may_meet(database, now, part) for part in parts)
    return True


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
    from model import knowledge

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


def parse(database: Database, text: str) -> Rule:
    """A rule as it was typed, with kept searches in the place of their names; raises UsageError."""
    with database.read() as connection:
        return rule_parser.parse(text, feedback.saved_searches(event_log.events(connection)))
