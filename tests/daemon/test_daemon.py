"""The daemon as a real process: one instance, a sign of life, a clean end."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from loopback import LoopbackServer, Route
from waiting import wait_for
from world import NOW

from triage.config import Config
from triage.core.errors import LockedError, WorkerError
from triage.core.items import Digest
from triage.daemon import app, heartbeat
from triage.daemon.heartbeat import Heartbeat
from triage.daemon.jobs import Job
from triage.daemon.lock import hold
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import sources
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import reading
from triage.store.engine import Database

ITEM = "<item><guid>1</guid><title>One</title></item>"
FEED = f'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title>{ITEM}</channel></rss>'.encode()


@pytest.fixture
def daemon(paths: Paths, database: Database, server: LoopbackServer) -> Iterator[subprocess.Popen[bytes]]:
    server.routes["/feed"] = Route(FEED)
    sources.add(database, lambda: datetime.now(UTC), server.url("/feed"), allow_local=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "daemon", "run"], stderr=subprocess.PIPE, start_new_session=True
    )
    yield process
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


def test_it_fetches_ranks_says_that_it_lives_and_ends_when_asked(
    daemon: subprocess.Popen[bytes], paths: Paths, database: Database
) -> None:
    wait_for(lambda: digest_file.read(paths.digest) is not None)
    assert [item.title for item in reading.best(database, 10)] == ["One"]
    wait_for(lambda: "waiting" in heartbeat.words(paths.heartbeat))

    second = subprocess.run(
        [sys.executable, "-m", "triage", "sync", "--now"], capture_output=True, text=True, timeout=30
    )
    assert second.returncode == 4
    assert "the daemon" in second.stderr

    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(timeout=20) == 0
    assert not paths.heartbeat.exists()
    assert heartbeat.words(paths.heartbeat) == "daemon: not running"
    assert "Traceback" not in paths.log.read_text()


def test_a_killed_daemon_leaves_nothing_that_stops_the_next(
    daemon: subprocess.Popen[bytes], paths: Paths, database: Database
) -> None:
    """DB-09."""
    wait_for(paths.heartbeat.exists)
    os.killpg(daemon.pid, signal.SIGKILL)
    daemon.wait()
    assert "ended without a word" in heartbeat.words(paths.heartbeat)
    with hold(paths.ingest_lock, "this test"):
        assert database.pragma("integrity_check") == "ok"


def test_a_second_holder_is_told_who_holds_the_lock(paths: Paths) -> None:
    """DB-09."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path; from triage.daemon.lock import hold\n"
            "with hold(Path(sys.argv[1]), 'the first'): print('held', flush=True); time.sleep(60)",
            str(paths.ingest_lock),
        ],
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"held\n"
    with (
        pytest.raises(LockedError, match=f"the first \\(process {child.pid}\\)"),
        hold(paths.ingest_lock, "b"),
    ):
        pytest.fail("two hold the lock")
    child.kill()
    child.wait()
    child.stdout.close()
    with hold(paths.ingest_lock, "the next"):
        pass


def test_a_daemon_that_only_seems_well_is_named(paths: Paths) -> None:
    """DB-17: it says nothing, it beats and gets nowhere, or another has its number."""
    now, this = time.monotonic(), os.getpid()
    beat = Heartbeat(this, now, "ranking, 3 of 9", now - 300, heartbeat.birth_of(this))

    def of(**changes: object) -> tuple[str, str]:
        heartbeat.write(paths.heartbeat, replace(beat, **changes))  # type: ignore[arg-type]
        found = heartbeat.read(paths.heartbeat)
        assert found is not None
        return found.health(), heartbeat.words(paths.heartbeat).removeprefix("daemon: ")

    assert of() == ("well", "ranking, 3 of 9")
    assert of(at_s=now - 301) == ("silent", f"silent for 5 min (process {this})")
    assert of(since_s=now - 3 * 3_600) == ("stuck", f"ranking, 3 of 9, for 3 h by now (process {this})")
    assert of(doing="in trouble: the disk is full") == ("in trouble", "in trouble: the disk is full")
    assert of(at_s=now + 3_600) == ("gone", "ended without a word"), "before the machine was started"
    if beat.birth is not None:
        assert of(birth="1")[0] == "gone"


@pytest.mark.parametrize(
    "beat",
    ["[" * 100_000, "[1, 2]", '{"pid": 1, "at_s": 1, "doing": "", "since_s": 1}',
     '{"pid": 0, "at_s": 1, "doing": "", "since_s": 1, "birth": null}',
     '{"pid": 1e400, "at_s": 1, "doing": "", "since_s": 1, "birth": null}',
     '{"pid": 99999999999999999999, "at_s": 1, "doing": "", "since_s": 1, "birth": null}',
     '{"pid": 1, "at_s": NaN, "doing": "", "since_s": 1, "birth": null}'],
)  # fmt: skip
def test_a_damaged_sign_of_life_is_none(paths: Paths, beat: str) -> None:
    paths.heartbeat.write_text(beat)
    assert heartbeat.words(paths.heartbeat) == "daemon: not running"


def test_without_a_terminal_it_reads_its_settings_again_and_keeps_the_last_good_ones(
    daemon: subprocess.Popen[bytes], paths: Paths
) -> None:
    """DB-21."""
    wait_for(lambda: "waiting" in heartbeat.words(paths.heartbeat))
    paths.config_file.write_text("[digest]\nminuts = 3\n")
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: "the settings are as they were" in paths.log.read_text())
    assert "did you mean digest.minutes?" in paths.log.read_text()
    paths.config_file.write_text("[digest]\nminutes = 3\n")
    daemon.send_signal(signal.SIGHUP)
    wait_for(lambda: "the settings were read again" in paths.log.read_text())
    assert daemon.poll() is None


@pytest.mark.slow
def test_it_ends_with_its_terminal_also_in_the_middle_of_a_fetch(
    daemon: subprocess.Popen[bytes], paths: Paths, server: LoopbackServer
) -> None:
    """DB-18."""
    daemon.kill()
    daemon.wait()
    server.routes["/feed"] = Route(FEED, delay=2)
    main, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "triage", "daemon", "run"],
        stdin=terminal,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_for(lambda: bool(server.requests("/feed")))
    process.send_signal(signal.SIGHUP)
    assert process.wait(timeout=20) == 0
    for descriptor in (main, terminal):
        os.close(descriptor)
    assert not paths.heartbeat.exists()
    assert "Traceback" not in paths.log.read_text()


@pytest.mark.parametrize("hanging", ["a source", "ranking", "a job"])
def test_whatever_is_under_way_is_given_up_in_time(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch, hanging: str
) -> None:
    """DB-18."""
    began, release = threading.Event(), threading.Event()

    async def asking(*_: object, **__: object) -> list[object]:
        if hanging == "a source":
            began.set()
            await asyncio.Event().wait()
        return []

    def blocked() -> str:
        began.set()
        assert release.wait(60)
        return "done"

    class Worker(ModelWorker):
        def build(self, *_: object, **__: object) -> Digest:  # type: ignore[override]
            if hanging == "ranking":
                blocked()
            raise WorkerError("it has been ended")

        def close(self) -> None:
            """The thread that waits for it goes on."""
            if hanging == "ranking":
                release.set()

    async def live() -> bool:
        daemon = app.Daemon(paths, Config(), lambda: NOW, database, Worker(paths, demo=False))
        try:
            return await daemon.run()
        finally:
            release.set()  # outside of tests, the process ends here

    job = Job("copy", "copying", timedelta(days=1), blocked)
    monkeypatch.setattr(app.jobs, "jobs", lambda *_: (job,) if hanging == "a job" else ())
    monkeypatch.setattr(app, "DRAIN_S", 0.1)
    monkeypatch.setattr(app, "GIVE_UP_S", 0.5)
    monkeypatch.setattr(app.ingest, "sync", asking)
    killer = threading.Thread(target=lambda: began.wait(60) and os.kill(os.getpid(), signal.SIGTERM))
    killer.start()
    assert asyncio.run(live()) is False
    killer.join()
    assert not paths.heartbeat.exists()


@pytest.mark.slow
def test_what_does_not_end_in_time_is_given_up(
    daemon: subprocess.Popen[bytes], paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-18."""
    wait_for(lambda: "waiting" in heartbeat.words(paths.heartbeat))
    daemon.kill()
    daemon.wait()
    monkeypatch.setattr(app, "DRAIN_S", 0.5)
    worker = ModelWorker(paths, demo=False)
    worker.warm_up()
    assert worker._child is not None
    os.kill(worker._child.pid, signal.SIGSTOP)  # it ranks and ranks
    paths.digest.unlink()
    threading.Timer(2, os.kill, (os.getpid(), signal.SIGTERM)).start()
    started = time.monotonic()
    asyncio.run(app.Daemon(paths, Config(), lambda: datetime.now(UTC), database, worker).run())
    assert time.monotonic() - started < 60
