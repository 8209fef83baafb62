"""`triage status`, as a tired reader reads it."""

from __future__ import annotations

import json
import os
import shlex
import time
from dataclasses import replace
from pathlib import Path

import pytest
from command_line import triage
from world import NOW

from ingestors.base import Entry, FetchResult
from triage.daemon import heartbeat
from triage.daemon.heartbeat import Heartbeat
from triage.daemon.lock import hold
from triage.daemon.service_files import service_file
from triage.paths import Paths
from triage.services.fetching import sources, writing
from triage.store import jobs
from triage.store.engine import Database


def lines() -> list[str]:
    code, out, _ = triage("triage status")
    assert code == 0
    return out.splitlines()


def test_it_says_what_is_going_on_and_what_is_not(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())
    assert lines() == [
        "daemon: not running, so nothing is fetched by itself (triage daemon install)",
        "sources: none yet (triage start, or triage add URL-OR-PATH)",
    ]
    ids = [
        sources.add(database, lambda: NOW, f"https://{n}.example/feed", allow_local=False).id for n in "abc"
    ]
    writing.keep(database, lambda: NOW, ids[0], FetchResult(entries=(Entry(key="1", title="A", text="B"),)))
    sources.pause(database, ids[1], sources.BY_READER)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET failures = 2 WHERE id = ?", (ids[2],))
        jobs.start(connection, "backup", NOW)
        jobs.finish(connection, "backup", NOW, "no space left", failed=True)
        jobs.start(connection, "tidy", NOW)
    said = lines()
    assert said[1].startswith(
        "sources: 3, 1 failing (triage sources --failing), 1 paused, 1 due now, next at "
    )
    assert said[2] == "items: 1, 1 not ranked yet"
    assert said[3] == "digest: none yet (triage sync)"
    assert said[4].endswith("failed: no space left")
    assert said[5].endswith("not ended yet")
    told = json.loads(triage("triage status --json")[1])
    assert (told["daemon"], told["paused"], told["leads"]) == ("daemon: not running", 1, 0)


def test_it_says_how_the_daemon_is_and_who_else_is_at_work(paths: Paths, database: Database) -> None:
    with hold(paths.ingest_lock, "triage sync"):
        assert lines()[0] == f"daemon: not running, but triage sync (process {os.getpid()}) is at work"
    now = time.monotonic()
    beat = Heartbeat(os.getpid(), now, "reading, 3 of 9", now)
    heartbeat.write(paths.heartbeat, beat)
    assert lines()[0] == "daemon: reading, 3 of 9"
    heartbeat.write(paths.heartbeat, replace(beat, at_s=now - 600))
    assert lines()[0].endswith("(triage doctor says what to do)")


def test_a_daemon_that_is_installed_is_started_again_not_installed(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert triage("triage daemon install")[0] == 0
    assert lines()[0].endswith(f"nothing is fetched by itself ({shlex.join(service_file().restart)})")
