"""A backend in memory with a day of made-up items: what the interface is tested and looked at with."""

from __future__ import annotations

import dataclasses
import threading
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from triage.core import insight, words
from triage.core.errors import TriageError
from triage.core.feedback import Event, Said
from triage.core.history import Shown
from triage.core.insight import Insight, Learned, Shift
from triage.core.items import Change, Digest, Highlight, Item, Reason, Recorded
from triage.core.journal import Effect as Came
from triage.core.journal import Entry
from triage.core.ledger import Account, Ledger, Step, judge
from triage.core.links import Link
from triage.core.readings import Explained, MarkShare, Reading, Related
from triage.core.rules import Effect, Rule, write
from triage.core.verbs import PAST_TENSE, Verb
from triage.tui.start import Start

NOW = datetime(2026, 3, 12, 7, 30, tzinfo=UTC)

STORIES = tomllib.loads(Path(__file__).with_name("day.toml").read_text(encoding="utf-8"))["story"]


def cut(marked: str) -> tuple[str, tuple[Highlight, ...]]:
    """Takes the marks of a story out: its text and its highlights."""
    text, highlights, begin, sign = "", [], 0, 1
    for char in marked:
        if char in "«‹":
            begin, sign = len(text), 1 if char == "«" else -1
        elif char in "»›":
            passage = text[begin:]
            highlights.append(Highlight(begin, len(text), passage, sign * (0.4 + len(passage) / 200)))
        else:
            text += char
    return text, tuple(highlights)


def make_items(*, learned: bool = True) -> tuple[tuple[Item, ...], dict[int, str]]:
    """The day's items and their texts; without marks learned there are scores but no probabilities."""
    items, texts = [], {}
    for number, story in enumerate(STORIES, 1):
        # A text is wrapped in its file; single line ends are spaces.
        paragraphs = story["text"].split("\n\n")
        texts[number], highlights = cut("\n\n".join(part.replace("\n", " ") for part in paragraphs))
        items.append(
            Item(
                id=number,
                kind=story["kind"],
                lane=story["lane"],
                source=story["source"],
                title=story["title"],
                url=f"https://example.org/{number}?ref=digest" if story["kind"] != "mail" else None,
                people=tuple(story["people"]),
                published=NOW - timedelta(hours=story["hours_ago"]),
                p=story["p"] if learned else None,
                score=(story["p"] - 0.5) * 5,
                minutes=story["minutes"],
                value=story["p"],
                match=words.match(story["p"], 0.0),
                highlights=highlights,
            )
        )
    return tuple(items), texts


def make_digest(*, learned: bool = True, demo: bool = False) -> Digest:
    """The day's digest."""
    return Digest(
        built_at=NOW - timedelta(minutes=90),
        budget_minutes=45.0,
        items=make_items(learned=learned)[0],
        considered=412,
        repeats=12,
        labels=23 if learned else 0,
        profile="made-up",
        demo=demo,
    )


def make_accounts() -> list[Account]:
    """Four sources: one gives much, one little, one nothing at all, and one is new."""
    rows = [
        (1, "Harbour Notes", 130.0, 52.0, 40, 21),
        (2, "The Wire", 940.0, 11.0, 120, 1),
        (3, "Kitchen Weekly", 210.0, 9.0, 60, 6),
        (4, "Night Trains", 14.0, 3.0, 2, 0),
    ]
    return [
        Account(
            source=number,
            title=title,
            kind="feed",
            items=3 * judged,
            minutes_in=came,
            minutes_read=read,
            opened=kept + 1,
            shown=judged,
            judged=judged,
            kept=kept,
            wanted=kept,
            last_kept=NOW - timedelta(days=number) if kept else None,
        )
        for number, title, came, read, judged, kept in rows
    ]


def make_insight() -> Insight:
    """Forty days of a reader who likes what is likely, reads half of the plan, and has two interests."""
    events, foreseen, shown = [], {}, []
    for n in range(120):
        foreseen[n] = (n % 20 + 0.5) / 20
        verb = Verb.LIKE if n * 37 % 97 < 97 * foreseen[n] else Verb.DISLIKE
        events.append(Event(id=n, at=NOW - timedelta(days=n / 3), verb=verb, item_id=n))
        interest = "small tools that last" if n % 3 else "ferries"
        why = ({"kind": "interest", "name": interest, "contribution": 0.4},)
        day = NOW - timedelta(days=40 - n // 3)
        shown.append(Shown(n // 3, day, n, "exploring" if n % 10 == 9 else "for-you", 2.5, why))
    kept = {event.item_id for event in events if event.verb is Verb.LIKE}
    return Insight(
        days=90,
        calibration=insight.calibration(events, foreseen, NOW - timedelta(days=90)),
        time=insight.time_spent(shown, ((each.built_at, 150.0) for each in shown[::2]), datetime.date),
        topics=insight.topics(shown, {}, kept, datetime.date),
        exploration=insight.exploration(
            shown, {(n // 3, n): 0.1 + n / 200 for n in range(9, 120, 10)}, kept, {9, 19}
        ),
    )


class FakeBackend:
    """Does at once and in memory what the real one does with a database and a model.

    Attributes:
        calls: What was asked for, in order.
        gates: Events by method name that a call waits for, so that a test can hold it back.
        failures: Errors by method name that the next calls raise, first one first.
        summaries: Why the text of an item is a summary only, by its id.
    """

    def __init__(self, *, stored: Digest | None = None, digest: Digest | None = None) -> None:
        self.stored = stored
        self.current = digest or make_digest()
        self.texts = make_items()[1]
        self.summaries: dict[int, str] = {}
        self.links: dict[int, tuple[Link, ...]] = {}
        self.related: dict[int, tuple[Related, ...]] = {}
        self.calls: list[tuple[object, ...]] = []
        self.gates: dict[str, threading.Event] = {}
        self.failures: dict[str, list[Exception]] = {}
        self.near: set[int] = set()
        self.search_note = ""
        self.kept: dict[str, str] = {}
        self.closed = False
        self.guide: Start | None = None
        self.was_changed = False
        self.daemon = "daemon: not running"
        self.accounts = make_accounts()
        self.look = make_insight()
        self.interests = {"small tools that last": 1.0}
        self.rules: dict[str, Effect] = {}
        self.entries = [
            Entry(id=n, at=NOW - timedelta(hours=40 - n), verb=verb, says=says, effect=effect, undone_by=by)
            for n, verb, says, effect, by in (
                (3, Verb.RULE, 'a rule: +1 for source:"The Wire"', Came(0, 12), None),
                (2, Verb.DISLIKE, "disliked: Ten gadgets you cannot live without", Came(5, 12, 2), 4),
                (1, Verb.LIKE, "liked: A lighthouse keeper's notes on fog", None, None),
            )
        ]
        self._log: list[Digest] = []
        self._undone: list[Digest] = []
        self._moved = 0

    def _enter(self, *call: object) -> None:
        self.calls.append(call)
        name = str(call[0])
        if gate := self.gates.get(name):
            assert gate.wait(20), f"{name} was never let through"
        if waiting := self.failures.get(name):
            raise waiting.pop(0)

    def called(self, name: str) -> list[tuple[object, ...]]:
        return [call for call in self.calls if call[0] == name]

    def first_page(self) -> Digest | None:
        self.calls.append(("first_page",))
        return self.stored

    def digest(self) -> Digest:
        self._enter("digest")
        return self.current

    def item(self, item_id: int) -> Item:
        return next(item for item in self.current.items if item.id == item_id)

    def read(self, item_id: int) -> Reading:
        self._enter("read", item_id)
        note = self.summaries.get(item_id)
        return Reading(
            item=self.item(item_id),
            text=self.texts.get(item_id, "No text."),
            text_state="summary" if note else "served",
            text_note=note,
            links=self.links.get(item_id, ()),
            related=self.related.get(item_id, ()),
        )

    def opened(self, item_id: int, seconds: float | None) -> None:
        self._enter("opened", item_id, seconds)

    def fetch_text(self, item_id: int) -> str:
        self._enter("fetch_text", item_id)
        self.texts[item_id] += "\n\nThe rest of it."
        del self.summaries[item_id]
        return "the full text is here, 400 words"

    def explain(self, item_id: int) -> Explained:
        self._enter("explain", item_id)
        item = self.item(item_id)
        reasons = [Reason("passage", h.text, h.contribution) for h in item.highlights]
        reasons += [
            Reason("interest", "small tools that last", 0.82),
            Reason("source", item.source, 0.31),
            Reason("age", "one day old", -0.12),
            Reason("bias", "where every item starts", -0.55),
        ]
        return Explained(
            item=item,
            score=sum(reason.contribution for reason in reasons),
            reasons=tuple(reasons),
            calibration="Of 40 items with a score like this, 33 mattered to you.",
        )

    def mark_shares(self, item_id: int) -> tuple[MarkShare, ...]:
        self._enter("mark_shares", item_id)
        first, *_, last = self.current.items
        return (
            MarkShare(first.id, first.title, "like", 0.4),
            MarkShare(last.id, last.title, "dislike", -0.2),
        )

    def learn(self) -> Change:
        self._enter("learn")
        moved, self._moved = self._moved, 0
        return Change(self.current, moved)

    def mark(self, item_id: int, verb: Verb) -> Recorded:
        self._enter("mark", item_id, verb.value)
        row = [item.id for item in self.current.items].index(item_id)
        self._log.append(self.current)
        self._undone.clear()
        self._change(item_id, verb.value, to=row - 2 if verb is Verb.LOVE else row)
        return Recorded(len(self._log), PAST_TENSE[verb], {item_id: verb.value})

    def mark_all(self, item_ids: Sequence[int], verb: Verb) -> Recorded:
        self._enter("mark_all", tuple(item_ids), verb.value)
        self._log.append(self.current)
        items = [replace(i, state=verb.value) if i.id in item_ids else i for i in self.current.items]
        self.current = replace(self.current, items=tuple(items))
        said = f"{PAST_TENSE[verb]}: {len(item_ids)} items"
        return Recorded(len(self._log), said, dict.fromkeys(item_ids, verb.value))

    def unmark(self, item_id: int) -> Recorded:
        self._enter("unmark", item_id)
        return self._said("undone")

    def add_rule(self, rule: Rule) -> Recorded:
        self._enter("add_rule", str(rule))
        self.rules[write(rule.condition)] = rule.effect
        return self._said(f"a rule: {rule}")

    def change_rule(self, condition: str, effect: float) -> Recorded:
        self._enter("change_rule", condition, effect)
        self.rules[condition] = effect
        return self._said(f"a rule: {condition} {effect:+g}")

    def set_interest(self, phrase: str, weight: float) -> Recorded:
        self._enter("set_interest", phrase, weight)
        self.interests[phrase] = weight
        return self._said(f"an interest ({weight:+g}): {phrase}")

    def _said(self, message: str) -> Recorded:
        self._log.append(self.current)
        self._moved = 3
        return Recorded(len(self._log), message)

    def edit_interests(self) -> str:
        self._enter("edit_interests")
        return "2 changes made; u takes back all of it"

    def said(self) -> Said:
        self._enter("said")
        return Said(dict(self.interests), dict(self.rules))

    def undo(self) -> Recorded:
        self._enter("undo")
        if not self._log:
            raise TriageError("There is nothing to undo")
        self._undone.append(self.current)
        return self._turned("undone", self._log.pop())

    def redo(self) -> Recorded:
        self._enter("redo")
        if not self._undone:
            raise TriageError("There is nothing to redo")
        self._log.append(self.current)
        return self._turned("redone", self._undone.pop())

    def _turned(self, message: str, digest: Digest) -> Recorded:
        before = {item.id: item.state for item in self.current.items}
        self.current = digest
        states = {item.id: item.state for item in digest.items if before.get(item.id) != item.state}
        return Recorded(len(self._log), message, states)

    def _change(self, item_id: int, state: str, *, to: int) -> None:
        """A loved item goes up two places, the others stay."""
        items = [dataclasses.replace(i, state=state) if i.id == item_id else i for i in self.current.items]
        row = [item.id for item in items].index(item_id)
        to = max(to, 0)
        items.insert(to, items.pop(row))
        self.current = dataclasses.replace(self.current, items=tuple(items), labels=self.current.labels + 1)
        self._moved = abs(to - row) + (to != row)

    def search_meaning(self, query: str) -> tuple[list[Item], str]:
        self._enter("search_meaning", query)
        near = [item for item in self.current.items if item.id in self.near]
        found = self._with_words(query)
        return [*found, *(item for item in near if item not in found)], self.search_note

    def saved_searches(self) -> dict[str, str]:
        return self.kept

    def save_search(self, name: str, query: str) -> Recorded:
        self._enter("save_search", name, query)
        self.kept = {**self.kept, name: query} if query else {k: v for k, v in self.kept.items() if k != name}
        return Recorded(0, f"a search: @{name} = {query}")

    def search(self, query: str) -> list[Item]:
        self._enter("search", query)
        return self._with_words(query)

    def _with_words(self, query: str) -> list[Item]:
        wanted = query.lower().split()
        return [
            item
            for item in self.current.items
            if all(word in f"{item.title} {self.texts[item.id]}".lower() for word in wanted)
        ]

    def ledger(self) -> Ledger:
        self._enter("ledger")
        return Ledger(days=90, digests=61, accounts=judge(self.accounts))

    def journal(self, limit: int) -> list[Entry]:
        self._enter("journal", limit)
        return self.entries[:limit]

    def turn_back(self, event_id: int) -> Recorded:
        self._enter("turn_back", event_id)
        self.entries = [
            dataclasses.replace(each, undone_by=None if each.undone_by else 90)
            if each.id == event_id
            else each
            for each in self.entries
        ]
        return self._said(f"turned: event {event_id}")

    def insight(self) -> Insight:
        self._enter("insight")
        return self.look

    def learned(self) -> Learned:
        self._enter("learned")
        shifts = [
            ("source", "The Wire", -0.41, 120),
            ("word", "ferries", 0.62, 14),
            ("item", "Tides", 0.9, 1),
        ]
        return Learned(
            since=NOW - timedelta(days=7),
            said=31,
            shifts=tuple(Shift(kind=k, name=n, change=c, items=i) for k, n, c, i in shifts),
        )

    def settle_source(self, source_id: int, step: Step) -> str:
        self._enter("settle_source", source_id, step)
        changes = {
            "quiet": {"quiet": True},
            "unquiet": {"quiet": False},
            "drop": {"paused": "dropped from the ledger"},
            "resume": {"paused": None},
        }[step]
        self.accounts = [
            dataclasses.replace(each, **changes) if each.source == source_id else each
            for each in self.accounts
        ]
        return f"{step}: source {source_id}"

    def keep_theme(self, name: str) -> None:
        self._enter("keep_theme", name)

    def changed(self) -> bool:
        self._enter("changed")
        was, self.was_changed = self.was_changed, False
        return was

    def status(self) -> str:
        self._enter("status")
        return self.daemon

    def start(self) -> Start:
        assert self.guide is not None
        return self.guide

    def close(self) -> None:
        self.calls.append(("close",))
        self.closed = True
