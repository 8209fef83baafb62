"""The source ledger as plain lines."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from triage.cli import output
from triage.core import ledger, words
from triage.core.ledger import Account, Ledger

COMMANDS = {
    "quiet": "triage sources quiet {}",
    "drop": "triage sources pause {}",
    "unquiet": "triage sources quiet --undo {}",
    "resume": "triage sources resume {}",
}
"""Step -> the command that takes it."""


def lines(found: Ledger, now: datetime) -> Iterator[str]:
    """Three lines a source, those that are worth a decision first."""
    if found.accounts:
        looked = f"{words.plural(found.digests, 'digest')} that you looked at"
        yield f"{words.plural(found.days, 'day')}, {looked}"
    for account in found.accounts:
        yield f"{account.source:>5}  {output.clean(account.title)}"
        yield f"       {ledger.facts(account, now)}"
        yield f"       {_advice(account)}"


def _advice(account: Account) -> str:
    said = output.clean(account.because)
    if account.advice in ("quiet", "drop"):
        return f"{account.advice}? {said} ({COMMANDS[account.advice].format(account.source)})"
    if account.undo:
        return f"{said} (to take that back: {COMMANDS[account.undo].format(account.source)})"
    return f"loved: {said}" if account.advice == "loved" else said
