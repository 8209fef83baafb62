"""`triage status`, `triage doctor`, `triage paths`."""

from __future__ import annotations

import dataclasses

import click

from triage.cli import diagnostics, output
from triage.core import words
from triage.core.errors import TriageError
from triage.paths import Paths
from triage.runtime import Runtime

SIGNS = {"ok": " ok ", "warning": "warn", "bad": "BAD "}


@click.command()
@click.option("--network", is_flag=True, help="List every host that was asked in the last week, and why.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(network: bool, as_json: bool) -> None:
    """Checks everything; every line that is not well names the command that mends it."""
    from triage.daemon import heartbeat
    from triage.services.doctor import examine

    if network:
        _network(as_json)
        return
    with Runtime.open() as runtime:
        now = runtime.clock()
        daemon = heartbeat.words(runtime.paths.heartbeat)
        checks = examine(runtime.paths, runtime.config, now, daemon)
    if as_json:
        output.document([dataclasses.asdict(check) for check in checks])
    else:
        for check in checks:
            output.line(f"{SIGNS[check.verdict]}  {check.name:<9} {output.clean(check.says)}")
            if check.fix:
                output.line(f"                try: {output.clean(check.fix)}")
    bad = [check for check in checks if check.verdict == "bad"]
    if bad:
        raise TriageError(f"{words.plural(len(bad), 'thing')} must be mended: {bad[0].name}", fix=bad[0].fix)


def _network(as_json: bool) -> None:
    from triage.services.doctor import contacts_of

    with Runtime.open() as runtime:
        found = contacts_of(runtime.database, runtime.clock()) if runtime.paths.database.exists() else []
    if as_json:
        output.document([dataclasses.asdict(row) for row in found])
        return
    if not found:
        diagnostics.note("Nobody was asked in the last week.")
    for row in found:
        output.line(f"{row.day}  {row.requests:>6}  {row.purpose:<11} {output.clean(row.host)}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(as_json: bool) -> None:
    """Says in a few lines what is going on."""
    from triage.daemon import heartbeat, jobs
    from triage.services.status import status as state_of

    with Runtime.open() as runtime:
        now = runtime.clock()
        daemon = heartbeat.words(runtime.paths.heartbeat)
        digest = runtime.first_page()
        state = state_of(runtime.database, digest, now) if runtime.paths.database.exists() else None
    if as_json:
        found = dataclasses.asdict(state) if state else {"sources": 0, "labels": 0, "digest_items": 0}
        output.document({"daemon": daemon, **found})
        return
    output.line(output.clean(daemon))
    if state is None:
        output.line("sources: none yet (triage add URL-OR-PATH)")
        return
    trouble = f", {state.failing} failing (triage sources --failing)" if state.failing else ""
    output.line(f"sources: {state.sources}{trouble}, {state.due} due")
    if digest is None:
        output.line("digest: none yet (triage sync)")
    else:
        age = words.age(digest.built_at, now)
        when = "just now" if age == "now" else f"{age} ago"
        size = f"{words.plural(len(digest.items), 'item')}, {words.minutes(digest.minutes)}"
        output.line(f"digest: {size}, built {when}, taught by {words.plural(digest.labels, 'mark')}")
        own = f"your own, from {words.plural(digest.paced_by, 'text')}"
        whose = own if digest.paced_by else "of readers in general"
        output.line(f"pace: {digest.words_per_minute:.0f} words a minute, {whose}")
    for line in jobs.listed(state.jobs):
        output.line(output.clean(line))


@click.command()
@click.option("--folders", is_flag=True, help="Only the folders that hold all of it, one a line, to remove.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def paths(folders: bool, as_json: bool) -> None:
    """Prints where everything lies on disk."""
    where = Paths.of()
    if folders:
        present = [str(folder) for folder in where.folders if folder.exists()]
        if as_json:
            output.document(present)
        else:
            for folder in present:
                output.line(folder)
        return
    names = ("config_file", "database", "digest", "vectors", "models", "backups", "log", "cache", "state")
    found = {name: str(getattr(where, name)) for name in names}
    if as_json:
        output.document(found)
        return
    for name, path in found.items():
        output.line(f"{name:<12} {path}")
