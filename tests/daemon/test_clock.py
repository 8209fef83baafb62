"""A clock that leaps, a machine that sleeps, a reader who travels: nothing stands still, nothing storms."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import virtual_time
from world import NOW, stored_items

from ingestors.base import Entry, FetchRequest, FetchResult, Tools
from triage import config
from triage.config import Config, DigestConfig, RetentionConfig
from triage.core import schedule
from triage.core.verbs import Verb
from triage.daemon import jobs, wakeups
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import ingest, sources
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, reading
from triage.services.upkeep import backups, maintenance
from triage.store import hosts
from triage.store.engine import Database
from triage.store.jobs import JobRow

DAY = timedelta(days=1)
YEAR = timedelta(days=365)


class Setting:
    """A clock that can be set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Wire:
    """An ingestor that brings one more entry each time it is asked."""

    name = "wire"
    kind = "feed"

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """The next entry."""
        self.asked += 1
        entry = Entry(key=str(self.asked), title=f"Number {self.asked}", text=f"herons {self.asked} " * 20)
        return FetchResult(entries=(entry,))


@pytest.fixture
def wire(database: Database, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """One source, which is asked by `Wire`."""
    found = Wire()
    monkeypatch.setattr("triage.services.fetching.ingest.registry.get", {"feeds": found}.get)
    sources.add(database, lambda: NOW, "https://wire.example/feed", allow_local=False)
    return found


def sync(database: Database, clock: config.Clock) -> int:
    return len(asyncio.run(ingest.sync(database, Config(), clock)))


# ---------------------------------------------------------------- being woken


def woken(monkeypatch: pytest.MonkeyPatch, leap: timedelta) -> tuple[int, int]:
    """How often a call of every 7 s is made in ten minutes before a leap, and in the ten after it."""
    leapt = timedelta(0)

    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
            return NOW + timedelta(seconds=asyncio.get_event_loop().time()) + leapt

    monkeypatch.setattr("apscheduler.schedulers.base.datetime", Shifted)
    monkeypatch.setattr(wakeups, "_now", Shifted.now)
    monkeypatch.setattr(wakeups.time, "monotonic", lambda: asyncio.get_event_loop().time())
    calls = [0, 0]

    async def main() -> None:
        nonlocal leapt
        half = 0

        async def call() -> None:
            calls[half] += 1

        started = wakeups.Wakeups()
        started.every(7, call)
        started.start()
        await asyncio.sleep(601)  # a call comes before the clocks are compared again
        leapt, half = leap, 1
        await asyncio.sleep(600)
        started.close()

    virtual_time.run(main())
    return calls[0], calls[1]


@pytest.mark.parametrize(
    "leap", [-DAY, -YEAR, timedelta(hours=-1), timedelta(hours=8), YEAR, 50 * YEAR, timedelta(0)], ids=str
)
def test_the_daemon_is_woken_as_often_whatever_the_clock_does(
    monkeypatch: pytest.MonkeyPatch, leap: timedelta
) -> None:
    """DB-17."""
    before, after = woken(monkeypatch, leap)
    assert before in range(84, 88)
    assert after in range(84, 90), "no pause, and what was missed is made up for once"


def test_what_was_missed_in_fifty_years_is_one_wake_up() -> None:
    """DB-17: the scheduler would list all of them."""
    assert wakeups.Every(timedelta(seconds=30)).get_next_fire_time(NOW - 50 * YEAR, NOW) == NOW + timedelta(
        seconds=30
    )


# ---------------------------------------------------------------- what is due


@pytest.mark.parametrize("leap", [DAY, YEAR], ids=["a day", "a year"])
def test_a_clock_that_was_ahead_delays_nothing_when_it_is_right_again(
    database: Database, worker: ModelWorker, paths: Paths, wire: Wire, leap: timedelta
) -> None:
    """DB-17: one poll and one digest for each leap; no storm after it, and no silence."""
    clock = Setting()

    def build() -> None:
        worker.build(clock())
        digest = digest_file.read(paths.digest)
        assert digest is not None
        assert digest.built_at == clock()
        assert not ingest.anything_new(database, digest, clock()), "it would be built again every minute"

    assert sync(database, clock) == 1
    build()
    for shift in (leap, -leap):
        clock.now += shift
        assert sync(database, clock) == 1
        assert sync(database, clock) == 0
        assert ingest.until_next(database, clock, DAY) > timedelta(minutes=30)
        assert ingest.anything_new(database, digest_file.read(paths.digest), clock())
        build()
    clock.now += timedelta(hours=2)
    assert sync(database, clock) == 1
    build()
    assert {item.title for item in reading.best(database, 10)} == {f"Number {n}" for n in range(1, 5)}


def test_a_source_that_was_added_when_the_clock_was_ahead_is_asked_now(
    database: Database, wire: Wire
) -> None:
    """DB-17."""
    sources.add(database, lambda: NOW + YEAR, "https://later.example/feed", allow_local=False)
    assert sync(database, Setting()) == 2


def test_a_machine_that_slept_asks_each_source_once(database: Database, wire: Wire) -> None:
    """DB-17."""
    clock = Setting()
    sync(database, clock)
    clock.now += timedelta(hours=8)
    assert (sync(database, clock), sync(database, clock)) == (1, 0)
    assert wire.asked == 2


def test_a_host_that_wanted_to_be_left_alone_when_the_clock_was_ahead_may_be_asked(
    database: Database, wire: Wire
) -> None:
    """DB-17, NET-15."""

    def waits(now: datetime) -> int:
        with database.read() as connection:
            return len(hosts.waits(connection, now))

    sync(database, Setting())
    with database.write() as connection:
        hosts.wait(connection, {"wire.example": NOW + timedelta(hours=1)}, NOW)
    assert waits(NOW) == 1
    assert waits(NOW - DAY) == 0


def due(paths: Paths, database: Database, now: datetime, ran: dict[str, JobRow]) -> set[str]:
    wanted = Config(digest=DigestConfig(at="07:00", send=True))
    known = jobs.jobs(paths, wanted, lambda: now, database, ModelWorker(paths, demo=False))
    return {job.name for job in jobs.due(known, ran, now)}


def test_jobs_that_ran_when_the_clock_was_ahead_run_once_and_then_daily_again(
    paths: Paths, database: Database
) -> None:
    """DB-17."""
    for item_id in stored_items(database):
        feedback.mark(database, lambda: NOW, item_id, Verb.LIKE)
    names = {"mail", "backup", "tidy", "learn"}
    ahead = {name: JobRow(name, NOW + YEAR, NOW + YEAR, "", False) for name in names}
    assert due(paths, database, NOW, ahead) == names
    today = {name: JobRow(name, NOW, NOW, "", False) for name in names}
    assert due(paths, database, NOW + timedelta(minutes=5), today) == set()


def test_copies_of_a_wrong_clock_do_not_push_out_those_of_a_right_one(
    paths: Paths, database: Database
) -> None:
    """DB-17."""
    for day in range(3):
        backups.make(paths, NOW + YEAR + day * DAY, automatic=3)
    made = [backups.make(paths, NOW + day * DAY, automatic=3).path for day in range(4)]
    assert sorted(paths.backups.glob("daily-*.db")) == sorted(map(Path, made[-3:]))


def test_a_clock_that_is_ahead_for_less_than_a_day_drops_no_text(
    paths: Paths, database: Database, worker: ModelWorker
) -> None:
    """DB-17."""
    policy = RetentionConfig(feed_days=30)
    stored_items(database)
    worker.build(NOW)
    worker.build(NOW + YEAR)
    assert "is the clock right?" in maintenance.tidy(database, policy, NOW + YEAR)
    assert maintenance.tidy(database, policy, NOW) == "nothing to drop"
    assert "24 items" in maintenance.tidy(database, policy, NOW + YEAR + timedelta(hours=25))


# ---------------------------------------------------------------- where the reader is


@pytest.fixture
def zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Puts this process back where it was."""
    yield monkeypatch
    monkeypatch.undo()
    time.tzset()


def test_a_reader_who_travels_has_the_digest_at_the_hour_of_the_place(zones: pytest.MonkeyPatch) -> None:
    """DB-17."""
    clock = config.clock({})
    begins = {}
    for zone in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe"):
        zones.setenv("TZ", zone)
        clock()
        begins[zone] = schedule.day_of(NOW + timedelta(hours=6), DigestConfig(at="07:00").hour)
    assert begins == {
        "Europe/Berlin": datetime(2026, 3, 2, 5, 50, tzinfo=UTC),
        "America/New_York": datetime(2026, 3, 2, 11, 50, tzinfo=UTC),
        "Australia/Lord_Howe": datetime(2026, 3, 1, 19, 50, tzinfo=UTC),
    }
