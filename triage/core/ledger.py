"""The account of each source: what it takes of a reader's time, what it gives, and what might be done.

Pure. Owns when a source is judged and in which words; what the counts are counted from is not its business.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from triage.core.interval import wilson
from triage.core.words import age, minutes, plural

Advice = Literal["quiet", "drop", "loved", "fine", "unsure", "settled"]
"""`quiet` and `drop` are suggestions, `settled` says that one is in force; the others ask for nothing."""
Step = Literal["quiet", "unquiet", "drop", "resume"]
"""What can be done about a source, and what takes it back."""

LEAST_JUDGED = 8
"""Items that must have been before the reader's eyes: with fewer, no source is spoken of."""
QUIET_BELOW, DROP_BELOW = 0.5, 0.25
"""Of the share that is wanted of other sources: what even the upper end of the interval must stay below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One source in the time that the ledger looks back; the fields of `triage sources ledger --json`."""

    source: int
    title: str
    kind: str
    items: int
    """That came."""
    minutes_in: float
    """Estimated reading time of all of them."""
    minutes_read: float
    """How long items of it were open."""
    opened: int
    shown: int
    """In digests that the reader looked at."""
    judged: int
    """Shown, opened or marked: the items that the reader could say something of."""
    kept: int
    """Liked, loved or kept for later."""
    wanted: int
    """Kept, or read without a dislike."""
    last_kept: datetime | None
    quiet: bool = False
    """A rule as `quiet` makes it is in force."""
    paused: str | None = None
    """Why it is not polled."""
    advice: Advice = "unsure"
    because: str = ""
    """One sentence: the advice and what speaks for it."""

    @property
    def undo(self) -> Step | None:
        """What takes back the step that is in force, the last one first."""
        return "resume" if self.paused else "unquiet" if self.quiet else None

    def to_json(self) -> dict[str, Any]:
        """Its fields; times are RFC 3339. `per_hour` is what was kept for an hour that came in."""
        per_hour = round(60 * self.kept / self.minutes_in, 2) if self.minutes_in else None
        last = self.last_kept.isoformat() if self.last_kept else None
        return {**dataclasses.asdict(self), "last_kept": last, "per_hour": per_hour}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The accounts, those that are worth a decision first."""

    days: int
    digests: int
    """How many digests the reader looked at in that time: others say nothing of what they showed."""
    accounts: tuple[Account, ...]

    def to_json(self) -> dict[str, Any]:
        """Its fields, with the accounts as `sources`."""
        sources = [account.to_json() for account in self.accounts]
        return {"days": self.days, "digests": self.digests, "sources": sources}


def facts(account: Account, now: datetime) -> str:
    """What a source took and gave, in one line."""
    if not account.items and not account.judged:
        return "nothing came"
    took = f"{minutes(account.minutes_in)} came in, {minutes(account.minutes_read)} read"
    last = f", last {age(account.last_kept, now)}" if account.last_kept else ""
    return f"{took}; {account.shown} shown, {account.opened} opened, {account.kept} kept{last}"


def judge(accounts: Iterable[Account]) -> tuple[Account, ...]:
    """The accounts with advice: suggestions first, then by the time that they take.

    A source is compared with all others together. It is quieted or dropped only where even the upper end of
    the interval (`triage.core.interval.wilson`) of its wanted share is far below theirs.
    """
    found = list(accounts)
    judged, wanted = sum(a.judged for a in found), sum(a.wanted for a in found)
    advised = [_advised(a, judged - a.judged, wanted - a.wanted) for a in found]
    urgency = {"drop": 0, "quiet": 1}
    return tuple(sorted(advised, key=lambda a: (urgency.get(a.advice, 2), -a.minutes_in, a.source)))


def _advised(account: Account, judged: int, wanted: int) -> Account:
    """An account with advice; of all other sources together, so many items were judged and wanted."""

    def say(advice: Advice, because: str) -> Account:
        return dataclasses.replace(account, advice=advice, because=because)

    if account.paused:
        return say("settled", f"paused: {account.paused}")
    if account.quiet:
        return say("settled", "quiet: a rule of yours lowers it")
    if account.judged < LEAST_JUDGED:
        return say(
            "unsure", f"too early: you saw {plural(account.judged, 'item')}, {LEAST_JUDGED} are needed"
        )
    if judged < LEAST_JUDGED or not wanted:
        return say("unsure", "too early: too little of other sources to compare it with")
    usual = wanted / judged
    low, high = wilson(account.wanted, account.judged)
    share = f"wanted {account.wanted} of {account.judged}"
    if high < DROP_BELOW * usual:
        return say("drop", f"{share}: {high:.0%} at most, elsewhere {usual:.0%}")
    if high < QUIET_BELOW * usual:
        return say("quiet", f"{share}: {high:.0%} at most, elsewhere {usual:.0%}")
    if low > usual:
        return say("loved", f"{share}: {low:.0%} at least, elsewhere {usual:.0%}; nothing to do")
    return say("fine", f"{share}: {low:.0%} to {high:.0%}, elsewhere {usual:.0%}")
