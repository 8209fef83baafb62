"""The source ledger: what each source took and gave, and the steps that it suggests.

Owns what the counts are counted from. Loads no numbers, so the terminal interface can ask it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from triage.config import Clock
from triage.core import feedback, pace, rules
from triage.core.errors import UsageError
from triage.core.items import KINDS, ItemKind, Recorded
from triage.core.ledger import Account, Ledger, judge
from triage.core.pace import GENERAL, OPENING_MINUTES
from triage.core.rules import Has
from triage.core.text import sanitize_line
from triage.core.verbs import MARKS, Verb
from triage.services.fetching import sources as service
from triage.services.reader import past
from triage.services.reader.feedback import MAX_SAID
from triage.store import feedback as event_log
from triage.store import openings, scores, sources
from triage.store.engine import Database
from triage.store.sources import Arrivals, SourceRow

DAYS = 90
QUIET = -1.0
"""Of the score: enough to put a source behind its equals, too little to hide what you like in it."""
DROPPED = "dropped from the ledger"
"""Why a source is paused that was dropped; `triage sources resume` takes it back as any other pause."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the reader saw and did in the time that the ledger looks back, by item id."""

    digests: int
    shown: frozenset[int]
    seconds: Mapping[int, float]
    """How long it was open, of all that was opened."""
    kept: Mapping[int, datetime]
    wanted: frozenset[int]
    by_source: Mapping[int, Sequence[int]]
    """Source id -> its items among those that were shown, opened or marked."""


def ledger(database: Database, now: datetime, days: int = DAYS) -> Ledger:
    """The accounts of all sources that are not removed, over so many days."""
    since = now - timedelta(days=days)
    with database.read() as connection:
        rows = sources.active(connection)
        came = sources.arrivals(connection, since)
        log = event_log.events(connection)
        seen = _seen(connection, log, since)
    soft = {text.casefold(): effect for text, effect in feedback.rules(log, now).items()}
    accounts = [_account(row, came.get(row.id, Arrivals()), seen, soft) for row in rows]
    return Ledger(days=days, digests=seen.digests, accounts=judge(accounts))


def _seen(connection: Connection, log: Sequence[feedback.Event], since: datetime) -> _Seen:
    opened = past.of_openings(connection, openings.since(connection, since))
    shown = scores.shown_since(connection, since, looked_at=True)
    shown_ids = frozenset(each.item for each in shown)
    seconds: defaultdict[int, float] = defaultdict(float)
    for opening, _ in opened:
        seconds[opening.item_id] += min(opening.seconds or 0.0, pace.LONGEST_S)
    marked = {e.item_id for e in feedback.effective(log) if e.verb in MARKS and e.at >= since}
    disliked = {item for item, state in feedback.states(log).items() if state == Verb.DISLIKE}
    read = {opening.item_id for opening, read in opened if pace.was_read(read)}
    kept = service.kept(log, since)
    judged = sorted(shown_ids | seconds.keys() | {item for item in marked if item is not None})
    by_source: defaultdict[int, list[int]] = defaultdict(list)
    for item, source in sources.of_items(connection, judged).items():
        by_source[source].append(item)
    return _Seen(
        digests=len({each.digest for each in shown}),
        shown=shown_ids,
        seconds=seconds,
        kept=kept,
        wanted=frozenset(kept.keys() | (read - disliked)),
        by_source=by_source,
    )


def _account(row: SourceRow, came: Arrivals, seen: _Seen, soft: Mapping[str, rules.Effect]) -> Account:
    judged = seen.by_source.get(row.id, ())
    condition = _condition(row.title)
    effect = soft.get(condition.casefold()) if condition else None
    return Account(
        source=row.id,
        title=row.title,
        kind=row.kind,
        items=came.items,
        minutes_in=round(_minutes(came, KINDS[row.kind]), 1),
        minutes_read=round(sum(seen.seconds.get(item, 0.0) for item in judged) / 60, 1),
        opened=sum(item in seen.seconds for item in judged),
        shown=sum(item in seen.shown for item in judged),
        judged=len(judged),
        kept=sum(item in seen.kept for item in judged),
        wanted=sum(item in seen.wanted for item in judged),
        last_kept=max((seen.kept[item] for item in judged if item in seen.kept), default=None),
        quiet=_lowers(effect),
        paused=row.paused,
    )


def _minutes(came: Arrivals, kind: ItemKind) -> float:
    """Estimated minutes to read all of it; each item has to be opened."""
    opening = (came.items - 1) * OPENING_MINUTES
    return GENERAL.minutes(came.words, came.cjk_characters, kind) + opening if came.items else 0.0


def _condition(title: str) -> str | None:
    """The condition that meets the items of a source of this name, or None if no words can.

    A rule looks for words in the name, and has no way to write a quotation mark.
    """
    name = max(title.split('"'), key=len).strip().rstrip("*")
    return rules.write(Has("source", name)) if any(char.isalnum() for char in name) else None


def quiet(database: Database, clock: Clock, source_id: int) -> Recorded:
    """Lowers a source by a soft rule, which your marks revise as they do any other.

    Raises:
        UsageError: There is no such source, its name holds no word, or it is quiet already.
    """
    with database.write() as connection:
        row = _row(connection, source_id)
        condition = _condition(row.title)
        if condition is None:
            raise UsageError(
                f"a rule cannot name source {source_id}, whose name holds no word",
                fix=f"triage sources rename {source_id} TITLE",
            )
        if _lowered(connection, condition, clock()):
            raise UsageError(
                f"{_named(row)} is quiet already", fix=f"triage sources quiet --undo {source_id}"
            )
        event = event_log.append(connection, verb=Verb.RULE, at=clock(), phrase=condition, weight=QUIET)
        words = condition.removeprefix('source:"').removesuffix('"').casefold()
        also = [each for each in sources.active(connection) if each.id != row.id]
        met = [_named(each) for each in also if words in each.title.casefold()]
    others = f"; the rule meets {', '.join(met[:3])} too" if met else ""
    return Recorded(event.id, f"quiet: {_named(row)}{others}")


def drop(database: Database, source_id: int) -> str:
    """Pauses a source; what happened, in words.

    Raises:
        UsageError: There is no such source, or it is paused already.
    """
    with database.write() as connection:
        row = _row(connection, source_id)
        if row.paused:
            raise UsageError(f"{_named(row)} is paused already", fix=f"triage sources resume {source_id}")
        sources.pause(connection, source_id, DROPPED)
    return f"paused: {_named(row)}"


def unquiet(database: Database, clock: Clock, source_id: int) -> Recorded:
    """Takes the rule of `quiet` back.

    Raises:
        UsageError: There is no such source, or it is not quiet.
    """
    with database.write() as connection:
        row = _row(connection, source_id)
        condition = _condition(row.title)
        if condition is None or (stored := _lowered(connection, condition, clock())) is None:
            raise UsageError(f"{_named(row)} is not quiet", fix="triage sources ledger")
        event = event_log.append(connection, verb=Verb.RULE, at=clock(), phrase=stored, weight=0.0)
    return Recorded(event.id, f"no longer quiet: {_named(row)}")


def _row(connection: Connection, source_id: int) -> SourceRow:
    row = sources.get(connection, source_id)
    if row is None:
        raise UsageError(f"there is no source {source_id}", fix="triage sources ledger")
    return row


def _lowered(connection: Connection, condition: str, now: datetime) -> str | None:
    """The condition of the rule that lowers a source, as it is stored; None if there is none."""
    soft = feedback.rules(event_log.events(connection), now).items()
    return next((t for t, e in soft if t.casefold() == condition.casefold() and _lowers(e)), None)


def _lowers(effect: rules.Effect | None) -> bool:
    return isinstance(effect, float) and effect < 0


def _named(row: SourceRow) -> str:
    return sanitize_line(row.title, MAX_SAID)
