"""Figures for Prometheus, in the text format that its node exporter reads from a file.

Owns the names of the figures. No port is opened: a file needs no guard, and is read where it is wanted.
"""

from __future__ import annotations

import os
import resource
import sys
from datetime import datetime
from pathlib import Path

from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.upkeep.status import status
from triage.store.engine import Database


def text(paths: Paths, database: Database, now: datetime) -> str:
    """All figures, each with its help."""
    state = status(database, digest_file.read(paths.digest), now)
    peak_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    built = state.digest_built_at
    figures = [
        ("sources", "Sources that are polled.", state.sources),
        ("sources_failing", "Sources whose last poll failed.", state.failing),
        ("sources_due", "Sources whose turn has come.", state.due),
        ("items", "Items stored.", state.items),
        ("items_unranked", "Items that wait for their passages.", state.unranked),
        ("labels", "Items liked, loved or disliked.", state.labels),
        ("digest_items", "Items in the current digest.", state.digest_items),
        (
            "digest_built_seconds",
            "When it was built, in seconds since 1970.",
            built.timestamp() if built else 0,
        ),
        ("database_bytes", "Size of the database.", paths.database.stat().st_size),
        ("daemon_peak_memory_bytes", "Most memory the daemon itself has used.", peak_kb * 1024),
        ("daemon_alive_seconds", "When this was written, in seconds since 1970.", now.timestamp()),
    ]
    lines: list[str] = []
    for name, about, value in figures:
        lines += [*_head(name, about), f"triage_{name} {value:.0f}"]
    lines += _head("job_failed", "Whether the last run of a job failed.")
    lines += [f'triage_job_failed{{job="{row.name}"}} {int(row.failed)}' for row in state.jobs]
    return "\n".join(lines) + "\n"


def _head(name: str, about: str) -> list[str]:
    return [f"# HELP triage_{name} {about}", f"# TYPE triage_{name} gauge"]


def write(path: Path, paths: Paths, database: Database, now: datetime) -> None:
    """Replaces the file atomically; its folder exists."""
    partial = path.with_name(path.name + ".part")
    partial.unlink(missing_ok=True)
    # Others may write to the folder too, such as /tmp: no link of theirs is followed.
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text(paths, database, now))
    partial.replace(path)
