"""Killed at random, and at every point where it could hurt: nothing lost, nothing double, every mark there.

`KILLS=1000 python -m pytest tests/daemon/test_kills.py -k random` for a longer life than the default.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from encoder_in_process import install
from family import KINDS, Family
from killing import Home, Numbered, fork
from world import NOW

from triage.core.crash import LABELS, VARIABLE
from triage.core.errors import LockedError
from triage.daemon import app, heartbeat
from triage.paths import Paths
from triage.services.upkeep import backups
from triage.store import migrate
from triage.store.engine import Database

KILLS = int(os.environ.get("KILLS", "50"))


@pytest.fixture
def home(paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch) -> Home:
    database.close()
    install(monkeypatch.setattr)
    monkeypatch.setattr("triage.services.fetching.ingest.registry.get", {"numbered": Numbered()}.get)
    found = Home(paths)
    found.prepare()
    return found


def test_random_kills_lose_nothing_and_double_nothing(home: Home) -> None:
    """DB-02."""
    rng = random.Random(KILLS)
    # A slow machine gets longer lives, so that there is something to lose.
    life = min(home.lives(30, "both", marked=True), 5.0)
    for number in range(KILLS):
        home.lives(rng.expovariate(2 / life), rng.choice(["ingest", "mark", "both"]))
        assert home.problems(thorough=number % 10 == 9) == [], f"after {number + 1} kills"
    assert len(home.acknowledged) > KILLS / 5, "the processes lived long enough to do something"
    with home.opened() as database, database.read() as connection:
        polled = connection.exec_driver_sql("SELECT count(*) FROM item").scalar_one()
    assert polled > KILLS / 5


def test_of_two_daemons_that_start_within_milliseconds_one_runs(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-09."""

    async def nothing(_: app.Daemon) -> None:
        return

    monkeypatch.setattr(app.Daemon, "round", nothing)
    rng = random.Random(5)
    for _ in range(20):
        home.paths.heartbeat.unlink(missing_ok=True)
        one = fork(home.run_daemon)
        time.sleep(rng.uniform(0, 0.005))
        other = fork(home.run_daemon)
        ended = (0, 0)
        while not ended[0]:
            time.sleep(0.01)
            ended = max(os.waitpid(pid, os.WNOHANG) for pid in (one, other))
        assert os.waitstatus_to_exitcode(ended[1]) == LockedError.exit_code
        alive = one if ended[0] == other else other
        while (beat := heartbeat.read(home.paths.heartbeat)) is None:
            time.sleep(0.01)
        os.kill(alive, signal.SIGKILL)
        assert os.waitpid(alive, 0)[1] == signal.SIGKILL
        assert beat.pid == alive


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are found by /proc")
def test_children_that_are_killed_one_by_one_or_all_together_lose_nothing(
    paths: Paths, database: Database
) -> None:
    """DB-02, DB-03, DB-18: parsers, encoder, worker, daemon and a reader who marks, with the real encoder."""
    database.close()
    paths.config_file.unlink()
    home, rng = Home(paths), random.Random(KILLS)
    home.prepare()
    family = Family(home, rng)
    killed: Counter[str] = Counter()
    end = time.monotonic() + 60 + 5 * KILLS
    while killed.total() < KILLS / 5:
        assert time.monotonic() < end, killed
        time.sleep(rng.expovariate(1 / 1.5))
        kind = rng.choice([*KINDS, "all"])
        killed[kind] += family.kill(kind)
        home.acknowledged = family.acknowledged()
        assert home.problems(thorough=kind == "all") == [], f"after {killed}"
    family.close()
    assert home.problems(thorough=True) == []
    assert home.acknowledged
    sys.stderr.write(f"{killed}, {len(home.acknowledged)} marks\n")


PROGRAM = """
import sys
sys.path[:0] = sys.argv[1].split(":")
from pathlib import Path
import encoder_in_process
from killing import Home, Numbered
from triage.paths import Paths
from triage.services.fetching import ingest
encoder_in_process.install()
ingest.registry.get = {"numbered": Numbered()}.get
home = Home(Paths.of())
if sys.argv[2] == "ingest":
    home.ingest()
else:
    home.mark(lambda line: None)
"""
MARKING = ("event:queued", "event:written", "event:committed")
ONCE = ("learn:begun", "learn:promoted", "restore:aside", "migrate:step", "retention:written")
"""Points that are not passed in the life of these processes; they have tests of their own."""


def run(*arguments: str, at: str) -> int:
    here = Path(__file__).parent
    folders = f"{here}:{here.parent}"
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, folders, *arguments],
        env=os.environ | {VARIABLE: at},
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    ).returncode


AT_A_ROUND = [label for label in LABELS if label not in (*MARKING, *ONCE)]
QUICK = ("vectors:appended", "digest:filed")
"""Passed by the default run, for a second each: between two places that hold the same. Of the others, chance
finds most."""


@pytest.mark.parametrize(
    "label",
    [pytest.param(each, marks=() if each in QUICK else pytest.mark.slow) for each in AT_A_ROUND],
)
def test_a_death_at_any_point_of_a_round_leaves_all_or_nothing(home: Home, label: str) -> None:
    """DB-01."""
    assert run("ingest", at=f"{label}:2") == -signal.SIGKILL
    assert home.problems(thorough=True) == []
    home.lives(0.4, "both")
    assert home.problems(thorough=True) == []


@pytest.mark.slow
@pytest.mark.parametrize("label", MARKING)
def test_a_death_at_a_mark_leaves_it_whole_or_not_at_all(home: Home, label: str) -> None:
    """DB-01."""
    home.lives(0.4, "both")
    assert run("mark", at=f"{label}:3") == -signal.SIGKILL
    assert home.problems(thorough=True) == []


CLI = "import sys; from triage.cli.main import main; sys.argv = ['triage', *sys.argv[1:]]; main()"


def triage(*arguments: str, at: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CLI, *arguments],
        env=os.environ | {VARIABLE: at},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_restore_that_dies_leaves_the_database_and_its_copy(home: Home) -> None:
    """DB-11."""
    home.lives(0.4, "both")
    copy = backups.make(home.paths, NOW).path
    assert triage("db", "restore", copy, "--yes", at="restore:aside").returncode == -signal.SIGKILL
    assert home.problems(thorough=True) == []
    assert triage("db", "restore", copy, "--yes").returncode == 0
    assert home.problems(thorough=True) == []


@pytest.mark.parametrize(
    "step",
    [*(pytest.param(step, marks=pytest.mark.slow) for step in range(1, migrate.HEAD)), migrate.HEAD],
)
def test_an_upgrade_that_dies_goes_on_where_it_was(paths: Paths, step: int) -> None:
    """DB-04."""
    assert triage("status", at="").returncode == 0
    assert triage("db", "upgrade", at=f"migrate:step:{step}").returncode == -signal.SIGKILL
    assert triage("db", "upgrade").returncode == 0
    database = Database(paths.database)
    assert database.pragma("user_version") == migrate.HEAD
    assert database.pragma("integrity_check") == "ok"
    database.close()


def test_a_point_that_is_not_asked_for_costs_next_to_nothing() -> None:
    from triage.core.crash import crash_point

    started = time.process_time()
    for _ in range(100_000):
        crash_point("ingest:fetched")
    assert time.process_time() - started < 0.5
