"""Health in words: every check says what it found, and what to do where it is not well.

Each check is independent: one that fails never hides the next.
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar

from sqlalchemy import Connection

from triage import __version__, config
from triage.core import words
from triage.core.errors import TriageError
from triage.paths import Paths
from triage.services import digest_file
from triage.store import contacts, items, jobs, sources
from triage.store.contacts import ContactRow
from triage.store.engine import SAFE_SQLITE, Database, sqlite_version
from triage.store.migrate import HEAD

Verdict = Literal["ok", "warning", "bad"]
LOW_DISK_MB = 500
CLOCK_SLACK = timedelta(minutes=10)
NETWORK_WINDOW = timedelta(days=7)
MOUNTS = Path("/proc/self/mounts")
"""What is mounted where, one line each: device, folder, type. Linux alone has it."""
NETWORKED = ("nfs", "cifs", "smb", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.glusterfs")
"""Beginnings of the types of file systems that other machines may write to at the same time."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    verdict: Verdict
    says: str
    fix: str | None = None


def examine(paths: Paths, settings: config.Config, now: datetime, daemon: str) -> list[Check]:
    """All checks, in the order in which trouble is best mended.

    Args:
        paths: Where to look.
        settings: Valid settings; a broken file is refused before we get here.
        now: The present.
        daemon: One line on the daemon.
    """
    checks: list[Callable[[], Iterator[Check]]] = [
        lambda: iter([Check("program", "ok", f"triage {__version__}, Python {platform.python_version()}")]),
        lambda: _folders(paths),
        lambda: _file_system(paths),
        _sqlite,
        lambda: _database(paths),
        lambda: _encoder(paths, settings),
        lambda: _daemon(daemon),
        lambda: _digest(paths, now),
        _plugins,
        lambda: _clock(paths, now),
        lambda: _jobs(paths),
        _processors,
        lambda: _sources(paths),
    ]
    return [check for run in checks for check in run()]


def _plugins() -> Iterator[Check]:
    from ingestors import registry

    if working := registry.plugins():
        yield Check("plug-ins", "ok", ", ".join(working))
    for reason in registry.problems().values():
        yield Check("plug-in", "warning", reason, "upgrade or uninstall the distribution that brings it")


def _folders(paths: Paths) -> Iterator[Check]:
    for folder in (paths.config, paths.data, paths.cache, paths.state):
        if not folder.exists():
            continue
        if folder.stat().st_mode & 0o077:
            yield Check("folder", "warning", f"{folder} can be read by others", f"chmod 700 {folder}")
    at = next(p for p in (paths.data, *paths.data.parents) if p.exists())
    free = shutil.disk_usage(at).free // 2**20
    verdict: Verdict = "ok" if free > LOW_DISK_MB else "bad"
    yield Check("disk", verdict, f"{free} MB free", None if verdict == "ok" else "free some disk space")


def _file_system(paths: Paths) -> Iterator[Check]:
    """Processes that share a write-ahead log share memory, which two machines cannot."""
    kind = _kind_of(paths.data.resolve())
    if kind.startswith(NETWORKED):
        yield Check(
            "file system",
            "warning",
            f"{paths.data} is on a network ({kind}): two machines that write there damage the database",
            "keep it on a local disk (TRIAGE_HOME), and move it between machines by: triage export all FILE",
        )
    else:
        yield Check("file system", "ok", kind or "unknown")


def _kind_of(folder: Path) -> str:
    """The type of the file system that holds a folder; empty where nobody says."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ""
    mounted = {}
    for line in lines:
        _, place, kind, *_ = (*line.split(" "), "", "", "")
        mounted[Path(place.replace("\\040", " "))] = kind  # of two on one folder, the later hides the other
    holding = [place for place in mounted if place in (folder, *folder.parents)]
    return mounted[max(holding, key=lambda place: len(place.parts))] if holding else ""


def _sqlite() -> Iterator[Check]:
    version = sqlite_version()
    text = ".".join(map(str, version))
    if version >= SAFE_SQLITE:
        yield Check("sqlite", "ok", text)
    else:
        yield Check(
            "sqlite",
            "warning",
            f"{text} can lose pages when two processes write (fixed in {'.'.join(map(str, SAFE_SQLITE))})",
            f"{sys.executable} -m pip install pysqlite3",
        )


def _database(paths: Paths) -> Iterator[Check]:
    if not paths.database.exists():
        yield Check("database", "warning", "there is none yet", "triage add URL-OR-PATH")
        return
    database = Database(paths.database)
    try:
        number = database.pragma("user_version")
        if number == 0:  # the first start was killed before it made the tables
            yield Check("database", "warning", "it is empty", "triage add URL-OR-PATH")
            return
        found = database.pragma("quick_check")
        if found != "ok":
            yield Check(
                "database",
                "bad",
                f"damaged: {found}",
                "triage db backup --list, then: triage db restore FILE",
            )
            return
        with database.read() as connection:
            count, waiting = items.count(connection), items.count_stale(connection, None)
        behind = f", {waiting} not ranked yet" if waiting else ""
        verdict: Verdict = "ok" if number == HEAD else "bad"
        yield Check(
            "database",
            verdict,
            f"schema {number}, {count} items{behind}",
            None if number == HEAD else "upgrade triage",
        )
        if paths.database.stat().st_mode & 0o077:
            yield Check("database", "warning", "can be read by others", f"chmod 600 {paths.database}")
    except TriageError as error:
        yield Check("database", "bad", str(error), error.fix)
    finally:
        database.close()


def _encoder(paths: Paths, settings: config.Config) -> Iterator[Check]:
    from model.encoder import INSTALL, find_weights
    from model.types import EncoderUnavailable

    configured = Path(settings.model.encoder).expanduser() if settings.model.encoder else None
    fix = "correct or remove `encoder` in the settings (triage paths)" if configured else INSTALL
    try:
        weights = find_weights(configured)
    except EncoderUnavailable as error:
        yield Check("encoder", "warning", f"ranking by words only: {error}", fix)
        yield from _model(paths, None)
        return
    language = "English only" if weights.english_only else "multilingual"
    yield Check("encoder", "ok", f"{weights.id}, {language}, every file verified")
    yield from _model(paths, weights.id)


def _model(paths: Paths, encoder: str | None) -> Iterator[Check]:
    if not paths.models.exists():
        return  # nothing was ever learned, and nothing need be imported to say so
    from triage.services.models import BUILT_IN, Models
    from triage.services.ranking import RANKER
    from triage.services.vectors import WORDS_ONLY

    found = Models(paths.models, RANKER).in_use(encoder or WORDS_ONLY)
    if found.problem is not None:
        yield Check("model", "warning", found.problem, "triage learn --rollback, then: triage learn")
    else:
        yield Check("model", "ok", BUILT_IN if found.version is None else f"version {found.version}")


def _daemon(says: str) -> Iterator[Check]:
    says = says.removeprefix("daemon: ")
    if "not running" in says or "ended" in says or "silent" in says:
        fix = "triage daemon install, or by hand: triage daemon run; triage sync polls once"
        yield Check("daemon", "warning", says, fix)
    else:
        yield Check("daemon", "ok", says)


def _digest(paths: Paths, now: datetime) -> Iterator[Check]:
    digest = digest_file.read(paths.digest)
    if digest is None:
        yield Check("digest", "warning", "none has been built yet", "triage sync")
        return
    hours = max((now - digest.built_at).total_seconds() / 3600, 0.0)
    verdict: Verdict = "ok" if hours < 24 else "warning"
    holds, taught = words.plural(len(digest.items), "item"), words.plural(digest.labels, "mark")
    says = f"built {hours:.0f} h ago, {holds}, taught by {taught}"
    yield Check("digest", verdict, says, None if verdict == "ok" else "triage sync")


def _clock(paths: Paths, now: datetime) -> Iterator[Check]:
    """A clock that was ahead once leaves times in the database that have not come yet."""
    found = _read(paths, lambda connection: items.latest_first_seen(connection))
    if found is not None and found > now + CLOCK_SLACK:
        yield Check(
            "clock",
            "bad",
            f"it says {now:%Y-%m-%d %H:%M} UTC, but an item came in on {found:%Y-%m-%d %H:%M} UTC",
            "set the clock of this machine (timedatectl set-ntp true)",
        )
    else:
        yield Check("clock", "ok", f"{now.astimezone():%Y-%m-%d %H:%M %Z}")


def _jobs(paths: Paths) -> Iterator[Check]:
    for row in (_read(paths, jobs.all_jobs) or {}).values():
        if row.failed:
            says = f"{row.name} failed on {row.started_at:%Y-%m-%d %H:%M} UTC: {row.said}"
            yield Check("job", "warning", says, f"the log has more ({paths.log}); it is tried again")


def _processors() -> Iterator[Check]:
    """What encodes, told without importing torch, which takes seconds."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    gpus = sorted(path.name for path in Path("/proc/driver/nvidia/gpus").glob("*"))
    with_gpu = f", {words.plural(len(gpus), 'NVIDIA GPU')}" if gpus else ", no NVIDIA GPU"
    yield Check("machine", "ok", f"{words.plural(count or 1, 'processor core')}{with_gpu}")


def contacts_of(database: Database, now: datetime) -> list[ContactRow]:
    """Every host that was asked in the last week, by day and purpose."""
    with database.read() as connection:
        return contacts.since(connection, now - NETWORK_WINDOW)


def _read(paths: Paths, question: Callable[[Connection], T]) -> T | None:
    """The answer of the database; None where there is none, which another check says."""
    if not paths.database.exists():
        return None
    database = Database(paths.database)
    try:
        with database.read() as connection:
            return question(connection)
    except TriageError:
        return None
    finally:
        database.close()


def _sources(paths: Paths) -> Iterator[Check]:
    rows = _read(paths, sources.active)
    if rows is None:
        return
    failing = [row for row in rows if row.failures]
    yield Check("sources", "ok", f"{len(rows)} polled, {len(failing)} failing")
    for row in failing:
        since = f"since {row.failing_since:%Y-%m-%d}" if row.failing_since else "from the start"
        if row.paused:
            fix = f"triage sources resume {row.id}"
            yield Check("source", "warning", f"{row.title} is paused: {row.paused}", fix)
            continue
        yield Check(
            "source",
            "warning",
            f"{row.title} has failed {since}: {row.last_error} (next try {row.next_due_at:%a %H:%M} UTC)",
            f"triage sources check {row.id}; if it is gone for good: triage sources remove {row.id}",
        )
