"""Statements on what the daemon does now and then: when each job ran last, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from triage.store.engine import upsert
from triage.store.schema import Job


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as it ran last."""

    name: str
    started_at: datetime
    finished_at: datetime | None
    """None while it runs, or where it never came to its end."""
    said: str | None
    failed: bool


def all_jobs(connection: Connection) -> dict[str, JobRow]:
    """Every job that ever ran, by name."""
    rows = connection.execute(select(Job.name, Job.started_at, Job.finished_at, Job.said, Job.failed))
    return {row.name: JobRow(*row) for row in rows}


def start(connection: Connection, name: str, now: datetime) -> None:
    """A job begins."""
    values = {"started_at": now, "finished_at": None, "said": None, "failed": False}
    row = upsert(Job).values(name=name, **values)
    connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=values))


def finish(connection: Connection, name: str, now: datetime, said: str, *, failed: bool) -> None:
    """It has ended; `said` is what came of it, or why it failed."""
    connection.execute(update(Job).where(Job.name == name).values(finished_at=now, said=said, failed=failed))
