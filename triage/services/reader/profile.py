"""What the ranker is told of the items and of the reader, in its own terms.

Owns the translation from rows and events to the types of `model`; nothing is loaded and nothing ranked here.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from model import types as model
from triage.core import feedback, rule_parser, rules
from triage.core.feedback import Event
from triage.store.items import ItemRow


def document(row: ItemRow, text: str, as_of: datetime) -> model.Document:
    """An item with its text, as of a moment; it has the tags of its source as well."""
    published = row.published_at or row.first_seen_at
    return model.Document(
        id=str(row.id),
        title=row.title,
        text=text,
        kind=row.kind,
        source=row.source,
        people=tuple(row.people),
        tags=(*row.tags, *row.source_tags),
        published=min(published, as_of).timestamp(),
    )


def profile(
    events: Iterable[Event],
    ranked: Container[int],
    as_of: datetime,
    kind: str | None = None,
    rehearsed: Mapping[str, float] = MappingProxyType({}),
) -> model.Profile:
    """All that the reader has said, as of a moment.

    Args:
        events: The log.
        ranked: Ids of the items that are ranked; labels of others cannot teach.
        as_of: What ages are measured from.
        kind: The kind of ranker that is to learn from it (`triage.store.scores.kind`): standings by
            another kind teach it nothing. None if no stored one is to teach.
        rehearsed: Item id -> the standing that teaches where none by that kind is stored.
    """
    log = list(events)
    pairs = (alias.partition(" = ") for alias in feedback.aliases(log))
    return model.Profile(
        interests=tuple(
            model.Interest(phrase, weight) for phrase, weight in feedback.interests(log, as_of).items()
        ),
        labels=tuple(
            model.Label(
                str(i),
                said.value,
                said.at.timestamp(),
                said.standing if kind is not None and said.model == kind else rehearsed.get(str(i)),
            )
            for i, said in sorted(feedback.judgements(log).items())
            if i in ranked
        ),
        rules=tuple(
            model.Rule(text, condition(rule_parser.parse_condition(text), as_of), effect)
            for text, effect in feedback.rules(log, as_of).items()
        ),
        aliases=tuple(model.Alias(form, other) for form, _, other in pairs),
    )


def condition(parsed: rules.Condition, as_of: datetime) -> model.Condition:
    """A condition in the ranker's terms: an age becomes a moment."""
    match parsed:
        case rules.Has(field, words):
            return model.Has(field, words)
        case rules.Older():
            return model.Older((as_of - timedelta(hours=parsed.hours)).timestamp())
        case rules.Not(part):
            return model.Not(condition(part, as_of))
        case rules.AllOf(parts):
            return model.AllOf(tuple(condition(part, as_of) for part in parts))
        case rules.AnyOf(parts):
            return model.AnyOf(tuple(condition(part, as_of) for part in parts))
