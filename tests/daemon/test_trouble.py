"""When the machine fails the daemon: a clear state, and recovery without a restart."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from loopback import LoopbackServer, Route
from waiting import wait_for

from triage.daemon import heartbeat
from triage.paths import Paths
from triage.services.fetching import sources
from triage.store import items
from triage.store.engine import Database

QUICK = """
import sys
from triage.daemon import app
from triage.store import engine
app.POLL_S, engine.BUSY_TIMEOUT_MS = 1, 300
from triage.cli.main import main
sys.argv = ["triage", "daemon", "run"]
main()
"""
"""A daemon that looks every second and has little patience."""


def feed(count: int) -> bytes:
    words = " ".join(f"heron{n}" for n in range(2_000))
    items = "".join(
        f"<item><guid>{n}</guid><title>Number {n}</title><description>{words} {n}</description></item>"
        for n in range(count)
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{items}</channel></rss>'.encode()
    )


@contextmanager
def running(**how: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", QUICK], stderr=subprocess.DEVNULL, start_new_session=True, **how
    )  # type: ignore[call-overload]
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def says(paths: Paths) -> str:
    return heartbeat.words(paths.heartbeat)


def stored(database: Database) -> int:
    """How many items there are, also those that tell the same."""
    with database.read() as connection:
        return items.count(connection)


def come_due(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET next_due_at = '2000-01-01 00:00:00.000000'")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="this system has no prlimit")
def test_a_full_disk_is_named_and_the_round_is_made_up_for_when_there_is_room(
    paths: Paths, database: Database, server: LoopbackServer
) -> None:
    """DB-06, DB-07."""
    server.routes["/feed"] = Route(feed(60))
    sources.add(database, lambda: datetime.now(UTC), server.url("/feed"), allow_local=True)
    database.close()
    full = paths.database.stat().st_size + 100_000
    with running(
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    ) as daemon:
        wait_for(lambda: "in trouble" in says(paths))
        assert str(paths.database) in says(paths)
        assert daemon.poll() is None
        assert stored(database) == 0, "all or nothing"
        resource.prlimit(daemon.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        wait_for(lambda: stored(database) == 60)
        wait_for(lambda: "waiting" in says(paths))
    assert database.pragma("integrity_check") == "ok"


def test_a_database_that_somebody_else_holds_is_waited_for(
    paths: Paths, database: Database, server: LoopbackServer
) -> None:
    """DB-08."""
    server.routes["/feed"] = Route(feed(1))
    sources.add(database, lambda: datetime.now(UTC), server.url("/feed"), allow_local=True)
    with running():
        wait_for(lambda: "waiting" in says(paths))
        other = sqlite3.connect(paths.database, isolation_level=None)
        server.routes["/feed"] = Route(feed(2))
        come_due(database)
        other.execute("BEGIN IMMEDIATE")
        wait_for(lambda: "locked by another process" in says(paths))
        other.execute("ROLLBACK")
        other.close()
        wait_for(lambda: stored(database) == 2)
