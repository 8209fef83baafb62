"""`triage status`."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from triage.cli import output
from triage.core import words
from triage.paths import Paths
from triage.runtime import Runtime

if TYPE_CHECKING:
    from triage.core.items import Digest
    from triage.services.upkeep.status import Status


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(as_json: bool) -> None:
    """Shows what is going on, in a few lines."""
    from triage.daemon import heartbeat, jobs
    from triage.services.upkeep.status import status as state_of

    with Runtime.open() as runtime:
        now = runtime.clock()
        digest = runtime.first_page()
        state = state_of(runtime.database, digest, now) if runtime.paths.database.exists() else None
    if as_json:
        found = dataclasses.asdict(state) if state else {"sources": 0, "labels": 0, "digest_items": 0}
        output.document({"daemon": heartbeat.words(runtime.paths.heartbeat), **found})
        return
    output.line(output.clean(_daemon(runtime.paths)))
    if state is None or not state.sources:
        output.line("sources: none yet (triage start, or triage add URL-OR-PATH)")
        return
    for line in (*_lines(state, digest, now), *jobs.listed(state.jobs)):
        output.line(output.clean(line))


def _daemon(paths: Paths) -> str:
    """How the daemon is, and what to do if it is not well."""
    from triage.daemon import heartbeat, lock
    from triage.daemon.service_files import service_file

    says, beat = heartbeat.words(paths.heartbeat), heartbeat.read(paths.heartbeat)
    health = beat.health() if beat is not None else "absent"
    if health in ("absent", "gone"):
        if (who := lock.holder(paths.ingest_lock)) is not None:
            return f"{says}, but {who} is at work"
        service = service_file()
        fix = shlex.join(service.restart) if service.path.exists() else "triage daemon install"
        return f"{says}, so nothing is fetched by itself ({fix})"
    return f"{says} (triage doctor says what to do)" if health in ("silent", "stuck") else says


def _lines(state: Status, digest: Digest | None, now: datetime) -> Iterator[str]:
    sources = [str(state.sources)]
    sources += [f"{state.failing} failing (triage sources --failing)"] if state.failing else []
    sources += [f"{state.paused} paused"] if state.paused else []
    sources += [f"{state.due} due now"] if state.due else []
    if state.next_due_at is not None:
        sources.append(f"next at {_moment(state.next_due_at, now)}")
    yield f"sources: {', '.join(sources)}"
    items = [f"{state.items:,}"]
    items += [f"{state.unranked:,} not ranked yet"] if state.unranked else []
    items += [f"{state.leads:,} ranked by how they begin, until the rest is read"] if state.leads else []
    yield f"items: {', '.join(items)}"
    if digest is None:
        yield "digest: none yet (triage sync)"
        return
    age = words.age(digest.built_at, now)
    when = "just now" if age == "now" else f"{age} ago"
    size = f"{words.plural(len(digest.items), 'item')}, {words.minutes(digest.minutes)}"
    taught = words.plural(digest.labels, "mark") if digest.labels else "no mark yet"
    yield f"digest: {size}, built {when}, taught by {taught}"
    whose = f"yours, from {words.plural(digest.paced_by, 'text')}" if digest.paced_by else "as most readers"
    yield f"pace: {digest.words_per_minute:.0f} words a minute, {whose}"


def _moment(moment: datetime, now: datetime) -> str:
    local = moment.astimezone()
    return f"{local:%H:%M}" if (moment - now).total_seconds() < 12 * 3600 else f"{local:%a %d %b %H:%M}"
