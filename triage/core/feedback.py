"""What a reader says, as an append-only log of events, and the pure functions that read it.

The log is the only truth: labels, interests and states are functions of it, so undoing an event
gives exactly what would have been without it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

from triage.core.verbs import HARD, LABEL_VALUES, MARKS, RULES, Verb

if TYPE_CHECKING:
    from triage.core.rules import Effect


UNSTAMPED = datetime.min.replace(tzinfo=UTC)
"""Of an event in no store: its id says where it belongs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the log.

    `undoes` belongs to undo events, `phrase` and `weight` to interests and rules, `standing` and `model` to
    marks of items that had been ranked.
    """

    id: int
    at: datetime
    verb: Verb
    item_id: int | None = None
    undoes: int | None = None
    phrase: str | None = None
    weight: float | None = None
    standing: float | None = None
    """How high the item stood, as `model.ranker` measures it."""
    model: str | None = None
    """The kind of ranker that says so; standings of two kinds cannot be compared."""
    until: datetime | None = None
    """From when on it says nothing any more; None for ever."""
    scope: str | None = None
    """The profile that it belongs to, of a reader who has several; None for all of them."""
    step: int | None = None
    """Id of the first event of the step that it was made in, of one that is undone as a whole."""
    stamp: datetime = UNSTAMPED
    """Its place in the log, where events of another machine came in later; see `triage.store.feedback`."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the reader thinks of an item, and what the ranker thought before they said so."""

    value: float
    at: datetime
    standing: float | None
    model: str | None


@dataclass(frozen=True, slots=True)
class ActiveInterest:
    """An interest that holds, as it was last said."""

    phrase: str
    weight: float
    """Negative: less of this."""
    profile: str | None
    """None for one that always counts."""
    until: datetime | None
    """From when on it counts no more; None for ever."""


@dataclass(frozen=True, slots=True)
class ActiveRule:
    """What a rule that holds does, and until when; None for ever."""

    effect: Effect
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """What the reader has said in words, as it holds at a moment."""

    interests: dict[str, float]
    """Phrase -> weight."""
    rules: dict[str, Effect]
    """Condition -> effect."""


def as_event(effect: Effect) -> tuple[Verb, float | None]:
    """The verb and the weight of the event that says an effect."""
    return (Verb(effect), None) if isinstance(effect, str) else (Verb.RULE, effect)


def effective(events: Iterable[Event]) -> list[Event]:
    """The events that count, oldest first: without undo events and without what they take back.

    An undo of an undo restores the event, so the newest undo in a chain decides.
    """
    log = sorted(events, key=attrgetter("id"))
    undone = undoers(log)
    counted = [event for event in log if event.verb is not Verb.UNDO and event.id not in undone]
    return sorted(counted, key=attrgetter("stamp", "id"))


def undoers(events: Iterable[Event]) -> dict[int, int]:
    """Event id -> the undo that takes it back, undos among both; what counts has no entry."""
    found: dict[int, int] = {}
    undos = [event for event in events if event.verb is Verb.UNDO]
    for event in sorted(undos, key=lambda event: -event.id):
        if event.undoes is not None and event.id not in found:
            found.setdefault(event.undoes, event.id)
    return found


def redoable(events: Iterable[Event]) -> list[Event]:
    """The undos of the step that was taken back last: what the next redo undoes.

    Empty once something has been said since, as in an editor: what would come back then is out of its place.
    """
    log = sorted(events, key=lambda event: event.id)
    undone = undoers(log)
    said = {event.id: event for event in log if event.verb is not Verb.UNDO}
    newest = max(said, default=0)
    undos = [event for event in log if event.id > newest and event.undoes in said and event.id not in undone]
    if not undos or undos[-1].undoes is None:
        return []
    step = {event.id for event in _together(said.values(), said[undos[-1].undoes])}
    return [undo for undo in undos if undo.undoes in step and undo.at == undos[-1].at]


def judgements(events: Iterable[Event]) -> dict[int, Judgement]:
    """Item id -> what its training marks say: the last one decides.

    The standing is that of the first one: a ranker that has learned what an item is worth can no longer
    be judged by it.
    """
    found: dict[int, Judgement] = {}
    for event in effective(events):
        if event.verb in LABEL_VALUES and event.item_id is not None:
            before = found.get(event.item_id, event)
            found[event.item_id] = Judgement(
                LABEL_VALUES[event.verb], event.at, before.standing, before.model
            )
    return found


def labels(events: Iterable[Event]) -> dict[int, float]:
    """Item id -> label value; the last training mark of an item wins."""
    return {item_id: judgement.value for item_id, judgement in judgements(events).items()}


def states(events: Iterable[Event]) -> dict[int, str]:
    """Item id -> its last mark of any kind."""
    return {e.item_id: e.verb.value for e in effective(events) if e.verb in MARKS and e.item_id is not None}


def handed_in(events: Iterable[Event]) -> set[int]:
    """Ids of the items that the reader liked before they came here."""
    return {e.item_id for e in effective(events) if e.verb is Verb.KNOWN and e.item_id is not None}


def same_step(events: Iterable[Event], event: Event) -> list[Event]:
    """The events that count and were made in one step with `event`: a list is handed in as a whole."""
    return _together(effective(events), event)


def _together(events: Iterable[Event], event: Event) -> list[Event]:
    """Those of some events that were made in one step with `event`, whether they count or not."""
    if event.step is not None:
        return [each for each in events if each.step == event.step]
    if event.verb is not Verb.KNOWN:
        return [event]
    step = (event.verb, event.at, event.phrase)
    return [each for each in events if (each.verb, each.at, each.phrase) == step]


def parted(events: Iterable[Event]) -> frozenset[int]:
    """Ids of the items that tell a story of their own, because the reader says so."""
    return frozenset(e.item_id for e in effective(events) if e.verb is Verb.SPLIT and e.item_id is not None)


def _lasting(events: Iterable[Event], now: datetime | None) -> list[Event]:
    """The events that count at a moment.

    One whose time is over was never said, so that the word before it counts again; without `now`, no time is
    ever over.
    """
    counted = effective(events)
    return [each for each in counted if now is None or each.until is None or each.until > now]


def interests(events: Iterable[Event], now: datetime | None = None) -> dict[str, float]:
    """Interest phrase -> weight at a moment, in the order of their first mention, of the profiles in use.

    Of a phrase that stands in several of them, the strongest weight counts.
    """
    log = list(events)
    used = profiles(log, now)
    weights: dict[str, float] = {}
    for said in active_interests(log, now):
        if said.profile is None or used[said.profile]:
            weights[said.phrase] = max(weights.get(said.phrase, 0.0), said.weight, key=abs)
    return weights


def active_interests(events: Iterable[Event], now: datetime | None = None) -> list[ActiveInterest]:
    """The interests of all profiles at a moment, in the order of their first mention.

    The last word on a phrase of a profile counts, and weight 0 removes it.
    """
    found: dict[tuple[str | None, str], ActiveInterest] = {}
    for event in _lasting(events, now):
        if event.verb is Verb.INTEREST and event.phrase is not None:
            weight = 1.0 if event.weight is None else event.weight
            said = ActiveInterest(event.phrase, weight, event.scope, event.until)
            found[event.scope, event.phrase] = said
    return [said for said in found.values() if said.weight]


def profiles(events: Iterable[Event], now: datetime | None = None) -> dict[str, bool]:
    """Name of each profile that holds an interest -> whether it is in use.

    All are unless some were chosen; what was chosen and holds nothing any more is no choice.
    """
    log = list(events)
    names = dict.fromkeys(said.profile for said in active_interests(log, now) if said.profile is not None)
    chosen: list[str] = []
    for event in _lasting(log, now):
        if event.verb is Verb.USE:
            chosen = [name for name in (event.phrase or "").split(",") if name in names]
    return {name: not chosen or name in chosen for name in names}


def rules(events: Iterable[Event], now: datetime | None = None) -> dict[str, Effect]:
    """Condition -> effect of each rule at a moment, in the order of their first mention."""
    return {condition: said.effect for condition, said in active_rules(events, now).items()}


def active_rules(events: Iterable[Event], now: datetime | None = None) -> dict[str, ActiveRule]:
    """Condition -> what holds of it at a moment, in the order of their first mention.

    The last word on a condition counts, whatever the case of its letters.
    """
    found: dict[str, tuple[str, ActiveRule]] = {}
    for event in _lasting(events, now):
        if event.verb in RULES and event.phrase is not None:
            effect = HARD.get(event.verb, 0.0 if event.weight is None else event.weight)
            found[event.phrase.casefold()] = (event.phrase, ActiveRule(effect, event.until))
    return {condition: said for condition, said in found.values() if said.effect}


def saved_searches(events: Iterable[Event]) -> dict[str, str]:
    """Name -> text of the searches that are kept, in the order of their names."""
    kept: dict[str, tuple[str, str, bool]] = {}
    for event in effective(events):
        if event.verb is Verb.SEARCH and event.phrase is not None:
            name, _, text = event.phrase.partition(" ")
            kept[name.casefold()] = (name, text, event.weight != 0)
    return {name: text for _, (name, text, counts) in sorted(kept.items()) if counts}


def aliases(events: Iterable[Event]) -> list[str]:
    """The aliases that count, as `write_alias` wrote them, in the order of their first mention."""
    linked: dict[str, tuple[str, bool]] = {}
    for event in effective(events):
        if event.verb is Verb.ALIAS and event.phrase is not None:
            linked[event.phrase.casefold()] = (event.phrase, event.weight != 0)
    return [phrase for phrase, counts in linked.values() if counts]


def profile_hash(events: Iterable[Event], now: datetime | None = None) -> str:
    """Hash of what the events teach at a moment: equal logs up to undone events give equal hashes."""
    import hashlib  # 4 ms that the first frame need not wait for

    log = list(events)
    judged = {i: (j.value, j.at.timestamp(), j.standing, j.model) for i, j in judgements(log).items()}
    wanted, known = interests(log, now).items(), rules(log, now).items()
    said = [judged.items(), wanted, known, [(alias, 1) for alias in aliases(log)]]
    content = json.dumps([sorted(pairs) for pairs in said])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
