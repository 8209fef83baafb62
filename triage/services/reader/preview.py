"""What a rule would have done in the last 30 days, before it does anything.

Owns what is counted, and which rules a reader should be asked about. Nothing is written here.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from model import knowledge
from triage.core import feedback, rule_parser, rules, words
from triage.core.feedback import Event
from triage.core.rules import AllOf, AnyOf, Condition, Effect, Has, Rule
from triage.core.verbs import Verb
from triage.services.reader.profile import condition, document
from triage.store import feedback as event_log
from triage.store import items, openings
from triage.store.engine import Database
from triage.store.items import ItemRow

LATELY = timedelta(days=30)
LATELY_WORDS = "of the last 30 days"
MAX_ITEMS = 20_000
NEARLY_ALL = 0.95
"""A rule that meets more than this share of what comes in is probably not what was meant."""
LEAST_ITEMS = 20
"""With fewer items in 30 days, a rule that meets all of them says nothing."""

_DOES: dict[Effect, str] = {
    "always": "puts first",
    "keep": "leaves in",
    "never": "hides",
    "lane people": "moves to the people",
    "lane for-you": "moves to the lane for you",
}

Rows = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Title:
    """An item by its name."""

    id: int
    title: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A test of the same words in another field, where the one that was written meets nothing."""

    condition: str
    met: int
    """How many items of the last 30 days meet it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a rule meets among the items of the last 30 days; the fields of `triage rules preview --json`."""

    rule: str
    effect: Effect
    items: int
    """How many there are."""
    met: int
    """How many of them the rule meets, or hides, if it hides."""
    opened: tuple[Title, ...]
    """Those of them that the reader has opened or marked, unless as disliked; the newest first."""
    liked: tuple[Title, ...]
    """Those of them that the reader wanted, the newest first."""
    meets: bool
    """Whether it meets anything, be it that another rule shows all of that."""
    conflicts: tuple[str, ...] = ()
    """What other rules have to do with it, a sentence each."""
    meant: str | None = None
    """The name that was probably meant, if it meets nothing."""
    elsewhere: Elsewhere | None = None
    """The field that was probably meant, if it meets nothing."""

    @property
    def sentence(self) -> str:
        """`hides 41 of 812 items of the last 30 days, of which you opened 2 and liked 1`."""
        does = _DOES.get(
            self.effect, "lifts" if isinstance(self.effect, float) and self.effect > 0 else "lowers"
        )
        said = f"{does} {self.met} of {words.plural(self.items, 'item')} {LATELY_WORDS}"
        if self.opened or self.liked:
            said += f", of which you opened {len(self.opened)} and liked {len(self.liked)}"
        return said

    @property
    def nothing(self) -> str | None:
        """That it meets nothing, and what was probably meant; None where it meets something."""
        if self.elsewhere is not None:
            counted = words.plural(self.elsewhere.met, "item")
            return f"it meets nothing yet; {self.elsewhere.condition} meets {counted}"
        if self.meant is not None:
            return f"it meets nothing yet; did you mean {self.meant!r}?"
        return None if self.meets else "it meets nothing yet"

    @property
    def doubt(self) -> str | None:
        """Why the reader should be asked first; None where a rule does no harm."""
        if isinstance(self.effect, float):
            return None
        if self.items >= LEAST_ITEMS and self.met > NEARLY_ALL * self.items:
            return f"it {self.sentence}: nearly everything"
        if self.effect == "never" and (self.opened or self.liked):
            return f"it {self.sentence}"
        return None


class RecentItems:
    """The items of the last 30 days and what became of them.

    The marked items from before are known too, because they revise soft rules.
    """

    def __init__(self, database: Database, now: datetime) -> None:
        self.now = now
        since = now - LATELY
        with database.read() as connection:
            self.events: Sequence[Event] = event_log.events(connection)
            recent = {row.id: row for row in items.seen_since(connection, since, MAX_ITEMS)}
            labelled = feedback.labels(self.events)
            older = items.by_ids(connection, sorted(labelled.keys() - recent.keys()))
            self.rows: dict[int, ItemRow] = recent | older
            texts = items.texts(connection, list(self.rows))
            opened = {opening.item_id for opening in openings.since(connection, since)}
        states = feedback.states(self.events)
        disliked = {item for item, state in states.items() if state == Verb.DISLIKE}
        self.matcher = knowledge.Matcher(
            [document(row, texts.get(i, ""), now) for i, row in self.rows.items()]
        )
        self._ids = np.array(list(self.rows), dtype=np.int64)
        self.lately = self._among(recent)
        self.count = len(recent)
        self.opened = self._among((opened | states.keys()) - disliked)
        self.liked = self._among(item for item, value in labelled.items() if value > 0)
        self.rules = {
            text: (self._meets(rule_parser.parse_condition(text)), effect)
            for text, effect in feedback.rules(self.events, now).items()
        }
        """Condition -> which rows it meets, and its effect, of the rules that hold."""

    def preview(self, rule: Rule) -> Preview:
        """What a rule would have done, beside those that hold."""
        text = rules.write(rule.condition).casefold()
        others = {name: said for name, said in self.rules.items() if name.casefold() != text}
        replaced = [(name, said[1]) for name, said in self.rules.items() if name.casefold() == text]
        met = self._meets(rule.condition)
        conflicts = [
            f"it takes the place of {rules.in_words(name, effect)}"
            for name, effect in replaced
            if effect != rule.effect
        ]
        found = dataclasses.replace(
            self._seen(str(rule), rule.effect, met),
            conflicts=(*conflicts, *self._conflicts(met, rule.effect, others)),
            meant=None if met.any() else self._meant(rule.condition),
            elsewhere=None if met.any() else self._elsewhere(rule.condition),
        )
        if rule.effect != "never":
            return found
        shown = np.zeros_like(met)
        for rows, effect in others.values():
            shown |= rows if effect in rules.SHOWN else False
        left = self._seen(str(rule), rule.effect, met & ~shown)
        return dataclasses.replace(found, met=left.met, opened=left.opened, liked=left.liked)

    def of(self, text: str) -> Preview:
        """The same for a rule that holds already, by its condition; raises KeyError if none does."""
        return self.preview(Rule(rule_parser.parse_condition(text), self.rules[text][1]))

    def _among(self, ids: Iterable[int]) -> Rows:
        return np.isin(self._ids, np.fromiter(ids, dtype=np.int64))

    def _meets(self, parsed: Condition) -> Rows:
        """Which of the items of the last 30 days meet a condition, (items,)."""
        return self.matcher.matches(condition(parsed, self.now)) & self.lately

    def _seen(self, rule: str, effect: Effect, met: Rows) -> Preview:
        return Preview(
            rule=rule,
            effect=effect,
            items=self.count,
            met=int(met.sum()),
            meets=bool(met.any()),
            opened=self._titles(met & self.opened),
            liked=self._titles(met & self.liked),
        )

    def _titles(self, chosen: Rows) -> tuple[Title, ...]:
        ids = self._ids[chosen].tolist()[::-1]
        return tuple(Title(i, self.rows[i].title) for i in ids)

    def _conflicts(self, met: Rows, effect: Effect, others: dict[str, tuple[Rows, Effect]]) -> list[str]:
        """What each other rule has to do with one that meets these rows."""
        found: list[str] = []
        for text, (rows, other) in others.items():
            both = int((rows & met).sum())
            if not both:
                continue
            name = rules.in_words(text, other)
            share = "all" if both == met.sum() else f"{both} of them"
            if effect == "never" and other in rules.SHOWN:
                found.append(f"{name} shows {share} all the same")
            elif effect in rules.SHOWN and other == "never":
                found.append(f"it shows {share}, which {name} would hide")
            elif effect == "keep" and other == "always":
                found.append(f"{name} puts {share} first")
            elif other == "never":
                found.append(f"{name} hides {share}, so there it changes nothing")
            elif {effect, other} == {"lane people", "lane for-you"}:
                found.append(f"{name} meets {share} too; the lane of people wins")
            elif isinstance(effect, float) and isinstance(other, float) and effect * other < 0:
                found.append(f"{name} says the opposite of {share}")
        return found

    def _meant(self, parsed: Condition) -> str | None:
        """A known name near to one of a condition that meets nothing."""
        for test in _tests(parsed):
            known = self._names(test.field)
            near = difflib.get_close_matches(test.words.casefold(), known, n=1, cutoff=0.7)
            if near and near[0] != test.words.casefold():
                return known[near[0]]
        return None

    def _elsewhere(self, parsed: Condition) -> Elsewhere | None:
        """The first field in which words are met that are not met where a condition looks for them."""
        for test in _tests(parsed):
            if test.field not in rules.OF_WORDS or self._meets(test).any():
                continue
            for field in rules.OF_WORDS:
                other = Has(field, test.words)
                if met := int(self._meets(other).sum()):
                    return Elsewhere(rules.write(other), met)
        return None

    def _names(self, name: str) -> dict[str, str]:
        rows = [row for row, late in zip(self.rows.values(), self.lately, strict=True) if late]
        found: dict[str, None] = {}
        for row in rows:
            of = {"source": [row.source], "author": row.people, "tag": [*row.tags, *row.source_tags]}
            found |= dict.fromkeys(of.get(name, []))
        return {each.casefold(): each for each in list(found)[:MAX_ITEMS]}


def _tests(parsed: Condition) -> list[Has]:
    """The tests of names in a condition, without those that are denied."""
    match parsed:
        case Has():
            return [parsed]
        case AllOf(parts) | AnyOf(parts):
            return [test for part in parts for test in _tests(part)]
    return []
