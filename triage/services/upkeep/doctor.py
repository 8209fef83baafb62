"""Health in words: every check says what it found, and the command that mends it where it is not well.

Each check is independent: one that fails never hides the next. Nothing here asks a host; what does is
`triage.services.upkeep.logins`.
"""

from __future__ import annotations

import importlib.util
import shlex
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from triage import config
from triage.core import words
from triage.core.errors import LockedError, TriageError, UsageError, refused_by_system
from triage.core.health import SILENT_TOGETHER, Check, Daemon, are_cut_off
from triage.core.text import sanitize_line
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.upkeep import backups, machine
from triage.store import contacts, items, jobs, sources
from triage.store.contacts import ContactRow
from triage.store.engine import APPLICATION_ID, Database
from triage.store.migrate import HEAD
from triage.store.sources import SourceRow

NETWORK_WINDOW = timedelta(days=7)
TOGETHER = timedelta(hours=1)
"""Answers of hosts within this time are compared with our clock together."""
LATELY = timedelta(hours=24)
OVERDUE = timedelta(hours=2)
"""A source whose turn came so long ago has been forgotten, unless its host wants to be left alone."""
ROUND = timedelta(minutes=10)
"""Failures so soon after an answer may be of its round: a host that is gone is given up late."""
AGAIN = "triage daemon stop, then: triage daemon run"
LONG = timedelta(hours=6)
"""More than any job takes."""

T = TypeVar("T")


def examine(
    paths: Paths, settings: config.Config, now: datetime, daemon: Daemon, refused: UsageError | None = None
) -> list[Check]:
    """All checks, in the order in which trouble is best mended.

    Args:
        paths: Where to look.
        settings: As they are in force.
        now: The present.
        daemon: How it is.
        refused: Why the file of settings cannot be used; the defaults hold then.
    """
    checks: list[tuple[str, Callable[[], Iterator[Check]]]] = [
        ("program", machine.program),
        ("settings", lambda: _settings(paths, refused)),
        ("folder", lambda: machine.folders(paths)),
        ("disk", lambda: machine.disk(paths)),
        ("file system", lambda: machine.file_system(paths)),
        ("sqlite", machine.sqlite),
        ("database", lambda: _database(paths)),
        ("encoder", lambda: _encoder(paths, settings)),
        ("daemon", lambda: _daemon(paths, daemon, now)),
        ("digest", lambda: _digest(paths, now)),
        ("plug-in", _plugins),
        ("clock", lambda: _clock(paths, now)),
        ("job", lambda: _jobs(paths, now)),
        ("machine", machine.processors),
        ("sources", lambda: _sources(paths, daemon, now)),
    ]
    found: list[Check] = []
    unseen: dict[str, OSError] = {}
    for name, run in checks:
        try:
            found += run()
        except OSError as error:
            unseen[name] = error
    if unseen:
        first = next(iter(unseen.values()))
        fix = f"chmod -R u+rwX {' '.join(shlex.quote(str(folder)) for folder in paths.folders)}"
        says = f"{refused_by_system(first)}; not looked at: {', '.join(unseen)}"
        found.append(Check("unseen", "bad", says, fix if isinstance(first, PermissionError) else None))
    return found


def _settings(paths: Paths, refused: UsageError | None) -> Iterator[Check]:
    if refused is not None:
        yield Check("settings", "bad", str(refused), refused.fix or "triage config edit")
    elif paths.config_file.exists():
        yield Check("settings", "ok", str(paths.config_file))
    else:
        yield Check("settings", "ok", "the defaults")


def _plugins() -> Iterator[Check]:
    from ingestors import registry

    if working := registry.plugins():
        yield Check("plug-ins", "ok", ", ".join(working))
    for name, reason in registry.problems().items():
        fix = f"{sys.executable} -m pip uninstall {' '.join(registry.brought_by(name)) or 'what brings it'}"
        yield Check("plug-in", "warning", reason, fix)


def _database(paths: Paths) -> Iterator[Check]:
    copies = [copy for copy in backups.listing(paths) if not backups.was_replaced(copy)]
    if not paths.database.exists() and not copies:
        yield Check("database", "warning", "there is none yet", "triage add URL-OR-PATH")
        return
    if copies:
        restore = f"triage db restore {shlex.quote(copies[0].path)}"
    else:
        restore = f"mv {shlex.quote(str(paths.database))} somewhere else, and begin anew: triage start"
    if not paths.database.exists():
        yield Check(
            "database",
            "bad",
            f"it is gone; the last copy is of {copies[0].made_at.astimezone():%Y-%m-%d %H:%M}",
            restore,
        )
        return
    try:
        database = Database(paths.database)
        try:
            number = int(database.pragma("user_version"))
            if number == 0:  # the first start was killed before it made the tables
                yield Check("database", "warning", "it is empty", "triage add URL-OR-PATH")
            elif database.pragma("application_id") != APPLICATION_ID:
                yield Check("database", "bad", f"{paths.database} belongs to another program", restore)
            elif number > HEAD:
                says = f"schema {number} is newer than this program, which knows {HEAD}"
                yield Check("database", "bad", says, f"{sys.executable} -m pip install --upgrade triage")
            elif number < HEAD:
                says = f"schema {number}; the next start makes it {HEAD}, after a copy"
                yield Check("database", "warning", says, "triage db upgrade")
            elif (found := database.pragma("quick_check")) != "ok":
                yield Check("database", "bad", f"damaged: {sanitize_line(str(found), 120)}", restore)
            else:
                says = _contents(database)
                _write(database)
                yield Check("database", "ok", says)
        finally:
            database.close()
    except LockedError as error:
        yield Check("database", "warning", str(error), "triage status, which says who is at work")
    except TriageError as error:
        fix = error.fix
        if "is no database" in str(error) or "damaged" in str(error):
            fix = restore
        elif "permissions" in (fix or ""):
            fix = _permit(paths)
        yield Check("database", "bad", str(error), fix)


def _contents(database: Database) -> str:
    with database.read() as connection:
        count, waiting = items.count(connection), items.count_stale(connection, None)
        places = words.plural(len(sources.active(connection)), "source")
    left = f", {waiting} not ranked yet" if waiting else ""
    return f"schema {HEAD}, {words.plural(count, 'item')} from {places}{left}"


def _write(database: Database) -> None:
    """Writes and takes it back; raises TriageError where what can be read cannot be written."""
    # A transaction for writing that writes nothing begins on a read-only file as well.
    with database.write() as connection, connection.begin_nested() as point:
        connection.exec_driver_sql(f"PRAGMA user_version = {HEAD}")
        point.rollback()


def _permit(paths: Paths) -> str:
    """The command after which the database and its logs can be written, if permissions are what it lacks."""
    return f"chmod u+rwx {shlex.quote(str(paths.data))}; chmod u+rw {shlex.quote(str(paths.database))}*"


def _encoder(paths: Paths, settings: config.Config) -> Iterator[Check]:
    from model.encoder import INSTALL, find_weights
    from model.types import EncoderUnavailable

    configured = Path(settings.model.encoder).expanduser() if settings.model.encoder else None
    fix = "triage config set model.encoder ''" if configured else f"{INSTALL} --force-reinstall"
    try:
        weights = find_weights(configured)
    except EncoderUnavailable as error:
        says = str(error).partition("; run: ")[0]
        yield Check("encoder", "warning", f"ranking by words only: {says}", fix)
        yield from _model(paths, None)
        return
    language = "English only" if weights.english_only else "multilingual"
    says = f"{weights.id}, {language}, {'your own' if configured else 'every file verified'}"
    if importlib.util.find_spec("torch") is None:
        torch = f"{shlex.quote(sys.executable)} -m pip install torch"
        yield Check("encoder", "warning", f"ranking by words only: {says}, but there is no torch", torch)
    else:
        yield Check("encoder", "ok", says)
    yield Check("hub", "ok", f"no model hub is asked; the weights lie in {weights.path}")
    yield from _model(paths, weights.id)


def _model(paths: Paths, encoder: str | None) -> Iterator[Check]:
    if not paths.models.exists():
        return  # nothing was ever learned, and nothing need be imported to say so
    from triage.services.ranker.models import BUILT_IN, Models
    from triage.services.ranker.ranking import RANKER
    from triage.services.ranker.vectors import WORDS_ONLY

    found = Models(paths.models, RANKER).in_use(encoder or WORDS_ONLY)
    if found.problem is not None:
        yield Check("model", "warning", found.problem, "triage learn --rollback, then: triage learn")
    else:
        yield Check("model", "ok", BUILT_IN if found.version is None else f"version {found.version}")


def _daemon(paths: Paths, daemon: Daemon, now: datetime) -> Iterator[Check]:
    says = daemon.says
    start = daemon.start or "triage daemon install, or by hand: triage daemon run"
    match daemon.health:
        case "well":
            yield Check("daemon", "ok", says)
        case "in trouble":
            yield Check("daemon", "bad", says, "triage daemon logs")
        case "stuck" | "silent":
            yield Check("daemon", "bad", says, daemon.start or AGAIN)
        case "gone":
            yield Check("daemon", "warning", says, f"{start}; if it is not to run: triage daemon stop")
        case "absent":
            rows = _read(paths, sources.active) or []
            asked = max((row.attempted_at for row in rows if row.attempted_at is not None), default=None)
            if asked is not None and timedelta(0) <= now - asked < LATELY:
                age = words.age(asked, now)
                when = "just now" if age == "now" else f"{age} ago"
                yield Check("daemon", "ok", f"{says}; sources were last asked {when}")
            else:
                yield Check("daemon", "warning", says, f"{start}; triage sync polls once")


def _digest(paths: Paths, now: datetime) -> Iterator[Check]:
    digest = digest_file.read(paths.digest)
    if digest is None:
        if _read(paths, sources.active):
            yield Check("digest", "warning", "none has been built yet", "triage sync")
        return
    if digest.built_at > now + machine.CLOCK_SLACK:
        says = f"built at {digest.built_at.astimezone():%Y-%m-%d %H:%M}, which is still to come"
        yield Check("digest", "warning", says, "triage sync")
        return
    age = max(now - digest.built_at, timedelta(0))
    holds, taught = words.plural(len(digest.items), "item"), words.plural(digest.labels, "mark")
    says = f"built {age / timedelta(hours=1):.0f} h ago, {holds}, taught by {taught}"
    newer = _read(paths, lambda connection: items.changed_since(connection, digest.built_at, now))
    if age >= LATELY and newer:
        yield Check("digest", "warning", f"{says}; there is newer to choose from", "triage sync")
    else:
        yield Check("digest", "ok", says)


def _clock(paths: Paths, now: datetime) -> Iterator[Check]:
    """A clock that was ahead once leaves times in the database that have not come yet."""
    newest = _read(paths, items.latest_first_seen)
    compared = _read(paths, lambda connection: contacts.clocks(connection, now, TOGETHER))
    yield from machine.clock(now, newest, compared)


def _jobs(paths: Paths, now: datetime) -> Iterator[Check]:
    for row in (_read(paths, jobs.all_jobs) or {}).values():
        when = f"{row.started_at.astimezone():%Y-%m-%d %H:%M}"
        if row.failed:
            says = f"{row.name} failed on {when}, and is tried again within an hour: {row.said}"
            yield Check("job", "warning", says, "triage daemon logs")
        elif row.finished_at is None and now - row.started_at > LONG:
            yield Check("job", "warning", f"{row.name} began on {when} and did not end", "triage daemon logs")


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


def _sources(paths: Paths, daemon: Daemon, now: datetime) -> Iterator[Check]:
    rows = _read(paths, sources.active)
    if rows is None:
        return
    if not rows:
        fix = "triage add URL-OR-PATH, or look around with: triage demo"
        yield Check("sources", "warning", "there are none yet", fix)
        return
    polled = [row for row in rows if not row.paused]
    failing = [row for row in polled if row.failures]
    late = [row for row in polled if row.next_due_at < now - OVERDUE and not _waits(row, now)]
    says = f"{len(polled)} polled, {len(failing)} failing, {len(rows) - len(polled)} paused"
    # While it fetches, as after a night asleep, it is about to ask them.
    if late and daemon.health == "well" and daemon.says.startswith("waiting"):
        oldest = words.age(min(row.next_due_at for row in late), now)
        says += f"; {len(late)} should have been asked by now, the first {oldest} ago"
        yield Check("sources", "bad", says, daemon.start or AGAIN)
    else:
        yield Check("sources", "ok", says)
    offline = _is_offline(paths, failing, now)
    if offline:
        hosts = words.plural(len(failing), "source")
        says = f"{hosts} cannot be reached, and none has answered since: {failing[0].last_error}"
        yield Check("network", "warning", says, "look whether this machine is online; then: triage sync")
    for row in rows:
        if row.paused and row.failures:
            fix = f"triage sources check {row.id}; if it answers: triage sources resume {row.id}"
            yield Check("source", "warning", f"{row.title} is paused: {row.paused}", fix)
        elif row.failures and not offline:
            since = f"since {row.failing_since.astimezone():%Y-%m-%d}" if row.failing_since else "at once"
            times = words.plural(row.failures, "time")
            next_try = f"next try {row.next_due_at.astimezone():%a %H:%M}"
            says = f"{row.title} has failed {times} {since}: {row.last_error} ({next_try})"
            fix = f"triage sources check {row.id}; if it answers: triage sync {row.id}"
            yield Check("source", "warning", says, f"{fix}; if it is gone: triage sources remove {row.id}")


def _is_offline(paths: Paths, failing: list[SourceRow], now: datetime) -> bool:
    """Whether nothing but the network is what sources fail for: then one line says it for all of them.

    Hosts that are gone, as in an old list of feeds, fail in the same way, but beside others that answer.
    """
    if not are_cut_off([row.last_error for row in failing]):
        return False
    answered = _read(paths, lambda connection: sources.last_answer(connection, now))
    if answered is None:
        return True
    silent = [row for row in failing if row.failing_since is not None and row.failing_since > answered]
    asked = max((row.attempted_at for row in failing if row.attempted_at is not None), default=answered)
    return len(silent) >= SILENT_TOGETHER and asked - answered > ROUND


def _waits(row: SourceRow, now: datetime) -> bool:
    """Whether its host wants to be left alone."""
    return row.wait_until is not None and row.wait_until > now
