"""What the daemon does now and then: when it is due, what comes of it, and whom it tells of what."""

from __future__ import annotations

import dataclasses
import json
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import NOW

from triage.config import Config, DaemonConfig, DigestConfig, NotifyConfig
from triage.core import notifying as policy
from triage.core import quiet_hours, schedule
from triage.core.errors import TriageError, UsageError
from triage.core.feedback import Event
from triage.core.items import Item
from triage.core.verbs import Verb
from triage.daemon import desktop, jobs, metrics, power
from triage.daemon.jobs import AGAIN, DAY, Job
from triage.paths import Paths
from triage.services.ranker.worker_client import ModelWorker
from triage.services.upkeep import backups
from triage.store import jobs as log
from triage.store.engine import Database
from triage.store.jobs import JobRow


def job(name: str = "a", **changes: object) -> Job:
    return Job(name, "doing a", DAY, lambda: "done", **changes)  # type: ignore[arg-type]


def ran(hours_ago: float, *, failed: bool = False, finished: bool = True) -> dict[str, JobRow]:
    at = NOW - timedelta(hours=hours_ago)
    return {"a": JobRow("a", at, at if finished else None, "done", failed)}


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({}, True),
        (ran(23), False),
        (ran(24), True),
        (ran(2, failed=True), True),
        (ran(0.5, failed=True), False),
        (ran(2, finished=False), True),
        (ran(-5), True),
    ],
    ids=["never", "today", "yesterday", "failed", "failed just now", "killed in it", "in the future"],
)
def test_a_job_is_due_once_a_day_and_again_after_a_failure(last: dict[str, JobRow], expected: bool) -> None:
    assert bool(jobs.due((job(),), last, NOW)) is expected


def test_a_job_with_nothing_to_do_waits() -> None:
    assert jobs.due((job(worth_it=lambda row: row is not None),), {}, NOW) == []
    assert jobs.due((job(),), ran(AGAIN / timedelta(hours=1), finished=False), NOW) != []


def test_the_copies_of_the_daemon_are_rotated_and_those_of_the_reader_stay(
    paths: Paths, database: Database
) -> None:
    config = Config(daemon=DaemonConfig(backups=2))
    mine = backups.make(paths, NOW)
    for day in range(4):
        known = jobs.jobs(
            paths, config, lambda day=day: NOW + day * DAY, database, ModelWorker(paths, demo=False)
        )
        next(each for each in known if each.name == "backup").run()
    names = sorted(path.name for path in paths.backups.glob("*.db"))
    assert len([name for name in names if name.startswith("daily-")]) == 2
    assert Path(mine.path).name in names
    none = jobs.jobs(
        paths, Config(daemon=DaemonConfig(backups=0)), lambda: NOW, database, ModelWorker(paths, demo=False)
    )
    assert "backup" not in {each.name for each in jobs.due(none, {}, NOW)}


def test_the_digest_is_mailed_once_a_day_from_the_readers_hour_on(paths: Paths, database: Database) -> None:
    def due(config: Config, now: datetime, last: JobRow | None) -> bool:
        known = jobs.jobs(paths, config, lambda: now, database, ModelWorker(paths, demo=False))
        (mail,) = (each for each in known if each.name == "mail")
        return bool(jobs.due((mail,), {} if last is None else {"mail": last}, now))

    daily = Config(digest=DigestConfig(at="07:00", send=True))
    day = schedule.day_of(NOW, daily.digest.hour)
    sent = JobRow("mail", day + timedelta(minutes=1), day + timedelta(minutes=1), "sent", False)
    assert not due(Config(), NOW, None)
    assert due(daily, NOW, None)
    assert not due(daily, day + timedelta(hours=20), sent)
    assert due(daily, day + timedelta(hours=25), sent)
    failed = dataclasses.replace(sent, failed=True)
    assert not due(daily, day + timedelta(minutes=30), failed)
    assert due(daily, day + timedelta(hours=2), failed)
    (mail,) = (
        each
        for each in jobs.jobs(paths, daily, lambda: NOW, database, ModelWorker(paths, demo=False))
        if each.name == "mail"
    )
    with pytest.raises(TriageError, match="no digest to send"):
        mail.run()


def test_what_a_job_came_to_is_in_its_row(database: Database) -> None:
    with database.write() as connection:
        log.start(connection, "tidy", NOW)
        log.finish(connection, "tidy", NOW, "no space left", failed=True)
    with database.read() as connection:
        row = log.all_jobs(connection)["tidy"]
    assert (row.said, row.failed) == ("no space left", True)
    assert "failed: no space left" in jobs.listed([row])[0]


# ---------------------------------------------------------------- notifications


def item(item_id: int = 1, p: float | None = 0.9, hours: float = 1, **changes: object) -> Item:
    fields: dict[str, object] = {
        "kind": "feed",
        "source": "Wire",
        "title": "--help <b>$(id)</b>",
        "url": None,
        "people": (),
        "published": NOW - timedelta(hours=hours),
        "minutes": 1.0,
        "p": p,
    }
    return Item(id=item_id, **fields | changes)  # type: ignore[arg-type]


def events(*said: tuple[Verb, int]) -> list[Event]:
    return [Event(id=n, at=NOW, verb=verb, item_id=on) for n, (verb, on) in enumerate(said, 1)]


def test_only_what_is_likely_fresh_and_new_is_told_and_no_more_than_there_is_room_for() -> None:
    there = [
        item(1, 0.85),
        item(2, 0.95),
        item(3, 0.99, kind="paper"),
        item(4, None),
        item(5, 0.99, hours=7),
        item(6, 0.99, state="like"),
        item(7, 0.99, published=None),
        item(8, 0.7),
        item(9, 0.99),
    ]
    chosen = policy.choose(there, bar=0.8, notified={9}, room=2, now=NOW)
    assert [each.id for each in chosen] == [2, 1]
    assert policy.choose(there, bar=0.8, notified=(), room=0, now=NOW) == []


def test_a_complaint_raises_the_bar_and_undoing_it_lowers_it_again() -> None:
    first = policy.bar([], ())
    complaint = events((Verb.TOO_MUCH, 1))
    assert policy.bar(complaint, {1}) > first
    undone = [*complaint, Event(id=2, at=NOW, verb=Verb.UNDO, undoes=1)]
    assert policy.bar(undone, {1}) == first
    liked = events((Verb.TOO_MUCH, 1), (Verb.LIKE, 2))
    assert first < policy.bar(liked, {1, 2}) < policy.bar(complaint, {1})


@given(st.integers(0, 50), st.integers(0, 50))
def test_the_bar_never_falls_below_its_start_nor_reaches_certainty(complaints: int, likes: int) -> None:
    said = [(Verb.TOO_MUCH, n) for n in range(complaints)] + [(Verb.LIKE, 100 + n) for n in range(likes)]
    assert 0.8 <= policy.bar(events(*said), set(range(200))) <= 0.99


@pytest.mark.parametrize(
    ("span", "at", "expected"),
    [("21:00-08:00", "23:30", True), ("21:00-08:00", "07:59", True), ("21:00-08:00", "12:00", False),
     ("12:00-13:00", "12:30", True), ("12:00-13:00", "13:00", False), ("", "03:00", False)],
)  # fmt: skip
def test_quiet_hours_may_go_past_midnight(span: str, at: str, expected: bool) -> None:
    assert quiet_hours.within(span, time.fromisoformat(at)) is expected


@pytest.mark.parametrize("span", ["at night", "21:00", "21:00-25:00", "21-08-07"])
def test_quiet_hours_that_are_none_are_refused(span: str) -> None:
    with pytest.raises(UsageError, match="22:00-07:30"):
        quiet_hours.within(span, time.min)


def test_a_command_gets_the_item_as_json_and_no_shell_sees_its_title(tmp_path: Path) -> None:
    """TUI-05."""
    script = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read())"
    out = tmp_path / "out.json"
    config = NotifyConfig(command=f'{sys.executable} -c "{script}" {out}', desktop=False)
    assert desktop.notify(item(), config) == "your command"
    assert json.loads(out.read_text())["title"] == "--help <b>$(id)</b>"


def test_a_command_that_fails_is_named(tmp_path: Path) -> None:
    config = NotifyConfig(command=f"{tmp_path}/missing", desktop=False)
    with pytest.raises(TriageError, match=r"notify\.command does not work"):
        desktop.notify(item(), config)
    config = NotifyConfig(command=f'{sys.executable} -c "import sys; sys.exit(3)"', desktop=False)
    with pytest.raises(TriageError, match="status 3"):
        desktop.notify(item(), config)
    with pytest.raises(TriageError, match="open quotation mark"):
        desktop.notify(item(), NotifyConfig(command="say 'x", desktop=False))


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("  ", "names no program"),
        ("a\0b", "a null character in it"),
        ("sh -c 'kill -9 $$'", "ended by signal 9"),
        ("sh -c 'printf \"\\033[31mred\" >&2; exit 1'", r"failed: [^\x1b]*\[31mred$"),
        ("sh -c 'head -c 1000000 /dev/zero >&2; exit 1'", "failed: .{200}$"),
    ],
)
def test_a_command_that_misbehaves_is_an_error_in_one_line(command: str, says: str) -> None:
    with pytest.raises(TriageError, match=says):
        desktop.notify(item(), NotifyConfig(command=command, desktop=False))


def test_a_command_that_fails_is_named_without_its_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """PRV-03: the address of a web hook is as good as a password."""
    monkeypatch.setattr(desktop, "WAIT_S", 0.05)
    for program in ("import time; time.sleep(9)", "import sys; sys.exit(sys.argv[1])"):
        command = f'{sys.executable} -c "{program}" https://hooks.example/c4n4ry'
        with pytest.raises(TriageError, match=r"notify\.command") as failed:
            desktop.notify(item(), NotifyConfig(command=command, desktop=False))
        assert "c4n4ry" not in str(failed.value)


def test_the_desktop_is_asked_without_options_or_markup_of_strangers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TUI-05."""
    log_file, program = tmp_path / "argv", tmp_path / "notify-send"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {log_file}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    environ = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/none"}
    assert desktop.notify(item(source="<i>"), NotifyConfig(), environ) == "the desktop"
    said = log_file.read_text().splitlines()
    assert said.index("--") < said.index("--help <b>$(id)</b>")
    assert "&lt;i&gt;" in said[-1]
    assert desktop.notify(item(), NotifyConfig(), {}).startswith("nobody")


# ---------------------------------------------------------------- power and figures


def supply(root: Path, name: str, **files: str) -> None:
    (root / name).mkdir(parents=True)
    for file, text in files.items():
        (root / name / file).write_text(f"{text}\n")


def test_a_laptop_without_its_cable_is_on_battery_and_a_mouse_is_no_laptop(tmp_path: Path) -> None:
    assert not power.on_battery(tmp_path / "none", "linux")
    supply(tmp_path, "mouse", type="Battery", scope="Device", status="Discharging")
    assert not power.on_battery(tmp_path, "linux")
    supply(tmp_path, "BAT0", type="Battery", status="Discharging")
    assert power.on_battery(tmp_path, "linux")
    supply(tmp_path, "AC", type="Mains", online="1")
    assert not power.on_battery(tmp_path, "linux")


def test_the_figures_are_in_the_format_of_prometheus(
    paths: Paths, database: Database, tmp_path: Path
) -> None:
    with database.write() as connection:
        log.start(connection, "tidy", NOW)
    target = tmp_path / "triage.prom"
    metrics.write(target, paths, database, datetime.now(UTC))
    lines = target.read_text().splitlines()
    assert "triage_sources 0" in lines
    assert 'triage_job_failed{job="tidy"} 0' in lines
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert named == {line.partition("{")[0].split()[0] for line in lines if not line.startswith("#")}


def test_the_figures_follow_no_link_that_somebody_planted(
    paths: Paths, database: Database, tmp_path: Path
) -> None:
    mine, target = tmp_path / "mine", tmp_path / "triage.prom"
    mine.write_text("precious")
    target.with_name("triage.prom.part").symlink_to(mine)
    metrics.write(target, paths, database, NOW)
    assert mine.read_text() == "precious"
    assert "triage_sources 0" in target.read_text()
