"""`triage journal`, `undo`, `redo`: what you have said, what came of it, and the way back."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta
from typing import Any

import click

from triage.cli import diagnostics, output
from triage.cli.items import say_learned
from triage.core.errors import UsageError
from triage.core.journal import Entry, notes
from triage.runtime import Runtime

_DAY = timedelta(days=1)


@click.command()
@click.option("--since", metavar="WHEN", help="From a day on: 2026-03-01, or 7d for the last seven days.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=50, show_default=True)
@output.json_options
def journal(since: str | None, limit: int, as_json: bool, as_jsonl: bool) -> None:
    """Lists your marks and changes, newest first, with what each did to the digest of its day.

    The first column names an event for `triage undo` and `triage redo`.
    """
    from triage.services.reader import journal as service

    with Runtime.open() as runtime:
        now = runtime.clock()
        begin = None if since is None else _moment(since, now)
        found = service.entries(runtime.database, now, since=begin, limit=limit)
    if output.listing([_as_json(entry) for entry in found], as_json, as_jsonl):
        return
    if not found:
        diagnostics.note("You have said nothing yet: l and d in the digest, or triage mark ID like.")
    for entry in found:
        output.line(_line(entry))


@click.command()
@click.argument("event_id", metavar="[EVENT]", type=int, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document: the digest as it now stands.")
def undo(event_id: int | None, as_json: bool) -> None:
    """Undoes your last step, or EVENT of the journal, and everything that was learned from it.

    The order is then as if you had never done it. What you did since stays.
    """
    from triage.services.reader import feedback
    from triage.services.reader import journal as service

    with Runtime.open() as runtime:
        if event_id is None:
            recorded = feedback.undo(runtime.database, runtime.clock)
        else:
            recorded = service.undo(runtime.database, runtime.clock, event_id)
        say_learned(runtime, recorded.message, as_json)


@click.command()
@click.argument("event_id", metavar="[EVENT]", type=int, required=False)
@click.option("--json", "as_json", is_flag=True, help="One JSON document: the digest as it now stands.")
def redo(event_id: int | None, as_json: bool) -> None:
    """Redoes what you undid last, if you did nothing since, or EVENT of the journal."""
    from triage.services.reader import feedback
    from triage.services.reader import journal as service

    with Runtime.open() as runtime:
        if event_id is None:
            recorded = feedback.redo(runtime.database, runtime.clock)
        else:
            recorded = service.redo(runtime.database, runtime.clock, event_id)
        say_learned(runtime, recorded.message, as_json)


def _moment(said: str, now: datetime) -> datetime:
    """A day as people write it, or so many days before now."""
    try:
        if said.endswith("d"):
            return now - int(said[:-1]) * _DAY
        return datetime.fromisoformat(said).astimezone()
    except (ValueError, OverflowError):
        raise UsageError(
            f"--since {said}: not a day", fix="triage journal --since 2026-03-01, or 7d"
        ) from None


def _line(entry: Entry) -> str:
    said = f"{entry.id:>5}  {entry.at.astimezone():%Y-%m-%d %H:%M}  {output.clean(entry.says)}"
    return f"{said} · {came}" if (came := notes(entry)) else said


def _as_json(entry: Entry) -> dict[str, Any]:
    return {**dataclasses.asdict(entry), "at": entry.at.isoformat()}
