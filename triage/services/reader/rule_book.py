"""Rules and aliases as they are listed: what they meet, and what became of them. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from model import knowledge
from triage.core import feedback, rule_parser, rules
from triage.core.rules import Effect
from triage.services.reader.preview import Preview, RecentItems
from triage.services.reader.profile import condition as in_its_terms
from triage.services.reader.profile import document, profile
from triage.services.reader.rules import parse
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


def book(database: Database, now: datetime) -> RuleBook:
    """The rules and aliases that count, with what they meet and what labels say of them."""
    recent = RecentItems(database, now)
    told = profile(recent.events, recent.rows, now)
    places = {str(i): place for place, i in enumerate(recent.rows)}
    soft = knowledge.soft_rules(
        recent.matcher,
        told.rules,
        np.array([places[label.document] for label in told.labels], dtype=np.intp),
        np.array([label.value > 0 for label in told.labels], dtype=bool),
        np.array([max(label.value, 1.0) for label in told.labels], dtype=np.float64),
    )
    revised = {found.rule.name: found for found in soft}
    active = feedback.active_rules(recent.events, now)
    listed = []
    for number, (condition, said) in enumerate(active.items(), start=1):
        met, found = recent.of(condition), revised.get(condition)
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
    aliases = enumerate(feedback.aliases(recent.events), start=len(listed) + 1)
    return RuleBook(tuple(listed), tuple(aliases), recent.count)


def preview(database: Database, now: datetime, text: str) -> Preview:
    """What a rule would have done in the last 30 days; raises UsageError for what is no rule."""
    rule = parse(database, text)
    rules.ending(rule.term, now)
    return RecentItems(database, now).preview(rule)


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
