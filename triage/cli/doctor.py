"""`triage status`, `triage doctor`, `triage paths`."""

from __future__ import annotations

import dataclasses

import click

from triage.cli import output
from triage.core import words
from triage.core.errors import TriageError
from triage.paths import Paths
from triage.runtime import Runtime

SIGNS = {"ok": " ok ", "warning": "warn", "bad": "BAD "}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(as_json: bool) -> None:
    """Checks everything; every line that is not well names the command that mends it."""
    from triage.daemon import heartbeat
    from triage.services.doctor import examine

    with Runtime.open() as runtime:
        now = runtime.clock()
        daemon = heartbeat.words(runtime.paths.heartbeat, now)
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


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(as_json: bool) -> None:
    """Says in a few lines what is going on."""
    from triage.daemon import heartbeat
    from triage.services import sources

    with Runtime.open() as runtime:
        now = runtime.clock()
        daemon = heartbeat.words(runtime.paths.heartbeat, now)
        digest = runtime.first_page()
        views = sources.listing(runtime.database, now) if runtime.paths.database.exists() else []
    failing = [view for view in views if view.failures]
    due = [view for view in views if view.next_try <= now]
    if as_json:
        output.document(
            {
                "daemon": daemon,
                "sources": len(views),
                "failing": len(failing),
                "due": len(due),
                "digest_built_at": digest.built_at.isoformat() if digest else None,
                "digest_items": len(digest.items) if digest else 0,
                "labels": digest.labels if digest else 0,
            }
        )
        return
    output.line(output.clean(daemon))
    trouble = f", {len(failing)} failing (triage sources)" if failing else ""
    output.line(f"sources: {len(views)}{trouble}, {len(due)} due")
    if digest is None:
        output.line("digest: none yet (triage sync)")
    else:
        age = words.age(digest.built_at, now)
        when = "just now" if age == "now" else f"{age} ago"
        size = f"{words.plural(len(digest.items), 'item')}, {words.minutes(digest.minutes)}"
        output.line(f"digest: {size}, built {when}, taught by {words.plural(digest.labels, 'mark')}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def paths(as_json: bool) -> None:
    """Prints where everything lies on disk."""
    where = Paths.of()
    names = ("config_file", "database", "digest", "vectors", "models", "backups", "log", "cache", "state")
    found = {name: str(getattr(where, name)) for name in names}
    if as_json:
        output.document(found)
        return
    for name, path in found.items():
        output.line(f"{name:<12} {path}")
