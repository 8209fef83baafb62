"""What the doctor finds: every red line names what mends it, and what mends it makes it green."""

from __future__ import annotations

import os
import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from powerless import bound_by_permissions
from world import NOW

from ingestors.base import Entry, FetchError, FetchRequest, FetchResult
from triage.config import Config, DigestConfig, DigestMailConfig, ModelConfig
from triage.core.errors import LockedError, SchemaError, TriageError, UsageError
from triage.core.health import Check, Daemon
from triage.core.items import Digest
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import sources, writing
from triage.services.upkeep import backups, doctor, logins, machine
from triage.store import contacts, jobs
from triage.store.engine import SAFE_SQLITE, Database
from triage.store.migrate import HEAD

WELL = Daemon("well", "waiting until 07:40")
ABSENT = Daemon("absent", "not running")


def examined(paths: Paths, daemon: Daemon = ABSENT, now: datetime = NOW, **how: object) -> list[Check]:
    settings = how.pop("settings", Config(model=ModelConfig(encoder="/nonexistent")))
    return doctor.examine(paths, settings, now, daemon, **how)  # type: ignore[arg-type]


def found(paths: Paths, name: str, daemon: Daemon = ABSENT, now: datetime = NOW, **how: object) -> Check:
    (check,) = (each for each in examined(paths, daemon, now, **how) if each.name == name)
    return check


def add_source(database: Database) -> int:
    return sources.add(database, lambda: NOW, "https://e.example/feed", allow_local=False).id


def set_source(database: Database, **values: object) -> None:
    with database.write() as connection:
        for name, value in values.items():
            connection.exec_driver_sql(f"UPDATE source SET {name} = ?", (value,))


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.000000}"


def test_an_sqlite_that_can_lose_pages_is_named(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """DB-14."""
    monkeypatch.setattr(machine, "sqlite_version", lambda: (3, 51, 2))
    old = found(paths, "sqlite")
    assert old.verdict == "warning"
    assert old.fix is not None
    assert old.fix.endswith("pip install pysqlite3")
    monkeypatch.setattr(machine, "sqlite_version", lambda: SAFE_SQLITE)
    assert found(paths, "sqlite").verdict == "ok"


@pytest.mark.parametrize(
    ("mounts", "verdict"),
    [
        ("{root} ext4", "ok"),
        ("{root} ext4\n{home} nfs4", "warning"),
        ("{root} nfs\n{home} ext4", "ok"),
        ("{root} ext4\n{home} cifs", "warning"),
        ("{root} ext4\n{home}-other nfs4", "ok"),
        ("{root} ext4\n{home} fuse.sshfs", "warning"),
        ("", "ok"),
        ("what is this", "ok"),
    ],
)
def test_a_home_on_a_network_is_named(
    paths: Paths,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    mounts: str,
    verdict: str,
) -> None:
    """DB-12. Two machines that write to one database damage it."""
    table = tmp_path_factory.mktemp("proc") / "mounts"
    lines = mounts.format(root="/", home=str(paths.data.resolve()).replace(" ", "\\040")).splitlines()
    table.write_text("".join(f"server:/x {line} rw,relatime 0 0\n" for line in lines))
    monkeypatch.setattr(machine, "MOUNTS", table)
    check = found(paths, "file system")
    assert check.verdict == verdict
    assert (check.fix is None) == (verdict == "ok")


def test_settings_that_cannot_be_used_hide_no_other_line(paths: Paths, database: Database) -> None:
    """DB-21."""
    refused = UsageError("line 2: unknown setting", fix="triage config edit")
    checks = {check.name: check for check in examined(paths, refused=refused)}
    assert (checks["settings"].verdict, checks["settings"].fix) == ("bad", "triage config edit")
    assert checks["database"].verdict == "ok"


def test_a_folder_that_others_can_read_or_own_is_named(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """PRV-04."""
    paths.data.chmod(0o755)
    check = found(paths, "folder")
    assert (check.verdict, check.fix) == ("warning", f"chmod go= {paths.data}")
    paths.data.chmod(0o700)
    assert not [check for check in examined(paths) if check.name == "folder"]
    somebody = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody)
    foreign = next(check for check in examined(paths) if check.name == "folder")
    assert foreign.verdict == "bad"
    assert (foreign.fix or "").startswith(f"sudo chown -R {somebody}:")


def test_what_cannot_be_written_is_named_and_what_cannot_be_seen_too(
    paths: Paths, database: Database
) -> None:
    """DB-07, DB-19."""
    database.close()
    with bound_by_permissions():
        paths.database.chmod(0o400)
        bad = [check for check in examined(paths) if check.verdict == "bad"]
        assert [check.name for check in bad] == ["database"]
        assert "readonly" in bad[0].says
        paths.database.chmod(0o600)
        paths.data.chmod(0o000)
        checks = {check.name: check for check in examined(paths)}
        paths.data.chmod(0o700)
    assert checks["folder"].fix == f"chmod u+rwx {paths.data}"
    assert "database" in checks["unseen"].says


def test_a_database_that_is_gone_damaged_or_foreign_comes_back_from_the_copy_that_is_named(
    paths: Paths, database: Database
) -> None:
    """DB-10."""
    add_source(database)
    copy = backups.make(paths, NOW)
    database.close()

    def gone() -> None:
        paths.database.unlink()

    def damaged() -> None:
        with paths.database.open("r+b") as file:
            file.seek(8192)
            file.write(b"garbage" * 5_000)

    def foreign() -> None:
        gone()
        with sqlite3.connect(paths.database) as connection:
            connection.executescript("CREATE TABLE a (b); PRAGMA user_version = 3")

    def junk() -> None:
        paths.database.write_bytes(b"no database, but long enough to be looked at" * 50)

    for harm in (gone, damaged, foreign, junk):
        for log in ("-wal", "-shm"):
            paths.database.with_name(f"triage.db{log}").unlink(missing_ok=True)
        harm()
        check = found(paths, "database")
        assert (check.verdict, check.fix) == ("bad", f"triage db restore {copy.path}"), harm
        backups.restore(paths, Path(copy.path), NOW)
        assert found(paths, "database").verdict == "ok", harm


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (TriageError("no space left for x", fix="free some disk space"), "free some disk space"),
        (SchemaError("SQLite 3.1 is too old", fix="pip install pysqlite3"), "pip install pysqlite3"),
        (TriageError("cannot use x: readonly", fix="check the permissions"), "chmod u+rwx "),
        (LockedError("locked for 10 s"), "triage status"),
    ],
)
def test_what_keeps_a_sound_database_from_being_written_has_a_fix_of_its_own(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch, error: TriageError, fix: str
) -> None:
    """DB-06, DB-08."""
    backups.make(paths, NOW)

    def write(_: Database) -> None:
        raise error

    monkeypatch.setattr(doctor, "_write", write)
    (refused,) = (each for each in examined(paths) if each.name == "database" and each.verdict != "ok")
    assert (refused.fix or "").startswith(fix)


def test_a_schema_of_another_version_is_no_damage(paths: Paths, database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {HEAD - 1}")
    older = found(paths, "database")
    assert (older.verdict, older.fix) == ("warning", "triage db upgrade")
    with database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {HEAD + 1}")
    newer = found(paths, "database")
    assert newer.verdict == "bad"
    assert (newer.fix or "").endswith("pip install --upgrade triage")


def test_weights_that_are_not_there_are_named_with_what_brings_them(paths: Paths) -> None:
    configured = found(paths, "encoder")
    assert (configured.verdict, configured.fix) == ("warning", "triage config set model.encoder ''")


@pytest.mark.parametrize(
    ("daemon", "verdict", "fix"),
    [
        (WELL, "ok", None),
        (Daemon("in trouble", "in trouble: no space left"), "bad", "triage daemon logs"),
        (Daemon("silent", "silent for 9 min (process 3)"), "bad", "triage daemon stop, then: "),
        (Daemon("stuck", "ranking, for 3h by now", "systemctl --user restart triage"), "bad", "systemctl"),
        (Daemon("gone", "ended without a word"), "warning", "triage daemon install"),
        (ABSENT, "warning", "triage daemon install"),
    ],
)
def test_the_daemon_is_well_only_if_it_gets_on(
    paths: Paths, daemon: Daemon, verdict: str, fix: str | None
) -> None:
    check = found(paths, "daemon", daemon)
    assert check.verdict == verdict
    assert (check.fix or "").startswith(fix or "")
    assert (check.fix is None) == (fix is None)


def test_who_polls_without_a_daemon_needs_none(paths: Paths, database: Database) -> None:
    add_source(database)
    set_source(database, attempted_at=stamp(NOW - timedelta(hours=3)))
    check = found(paths, "daemon")
    assert (check.verdict, check.says) == ("ok", "not running; sources were last asked 3h ago")
    assert found(paths, "daemon", now=NOW + timedelta(days=2)).verdict == "warning"


def test_a_digest_is_stale_only_where_there_is_something_newer(paths: Paths, database: Database) -> None:
    digest = Digest(built_at=NOW - timedelta(days=3), budget_minutes=15.0, items=(), considered=0)
    digest_file.write(paths.digest, digest)
    assert found(paths, "digest").verdict == "ok"
    source = add_source(database)
    writing.keep(database, lambda: NOW, source, FetchResult(entries=(Entry(key="1", title="A", text="B"),)))
    assert found(paths, "digest").fix == "triage sync"
    assert "still to come" in found(paths, "digest", now=NOW - timedelta(days=9)).says


@pytest.mark.parametrize(
    ("ahead", "verdict", "words"),
    [
        ([1.0, -2.0, 0.0], "ok", "as 3 hosts said 1h ago"),
        ([86_400.0, 86_399.0, 0.0], "bad", "24 hours behind 3 hosts"),
        ([-86_400.0 * 3], "warning", "3 days ahead of 1 host"),
        ([0.0, 1.0, 86_400.0], "ok", "as 3 hosts"),
    ],
)
def test_the_clock_is_compared_with_hosts_that_were_asked_anyway(
    paths: Paths, database: Database, ahead: list[float], verdict: str, words: str
) -> None:
    """DB-17."""
    by_host = {f"h{n}.example": seconds for n, seconds in enumerate(ahead)}
    with database.write() as connection:
        # Of a day on which the clock was wrong, and of a time that has not come yet.
        contacts.count(
            connection, "polling", {"old.example": 1}, NOW - timedelta(days=1), {"old.example": 9e5}
        )
        contacts.count(
            connection, "polling", {"new.example": 1}, NOW + timedelta(days=1), {"new.example": 9e5}
        )
        contacts.count(connection, "polling", dict.fromkeys(by_host, 1), NOW - timedelta(hours=1), by_host)
    check = found(paths, "clock")
    assert (check.verdict, words in check.says) == (verdict, True), check.says
    assert (check.fix is None) == (verdict == "ok")


def test_a_job_that_failed_or_did_not_end_is_named(paths: Paths, database: Database) -> None:
    with database.write() as connection:
        jobs.start(connection, "backup", NOW)
        jobs.finish(connection, "backup", NOW, "no space left", failed=True)
        jobs.start(connection, "tidy", NOW - timedelta(days=1))
        jobs.start(connection, "learn", NOW - timedelta(minutes=1))
    said = [check.says for check in examined(paths) if check.name == "job"]
    assert len(said) == 2
    assert "no space left" in said[0]
    assert "did not end" in said[1]


def test_sources_that_fail_are_paused_or_forgotten_are_named(paths: Paths, database: Database) -> None:
    assert "triage demo" in (found(paths, "sources").fix or "")
    number = add_source(database)
    assert found(paths, "sources").verdict == "ok"
    set_source(database, next_due_at=stamp(NOW - timedelta(hours=5)))
    forgotten = found(paths, "sources", WELL)
    assert (forgotten.verdict, "1 should have been asked" in forgotten.says) == ("bad", True)
    assert found(paths, "sources", ABSENT).verdict == "ok", "the line on the daemon says it"
    assert found(paths, "sources", Daemon("well", "fetching, 3 of 9")).verdict == "ok", "it is at it"
    set_source(database, wait_until=stamp(NOW + timedelta(hours=5)))
    assert found(paths, "sources", WELL).verdict == "ok"
    set_source(database, failures=9, last_error="no answer", failing_since=stamp(NOW - timedelta(days=7)))
    failing = found(paths, "source")
    assert "failed 9 times since" in failing.says
    assert f"triage sync {number}" in (failing.fix or "")
    set_source(database, paused="the password was refused")
    assert f"triage sources resume {number}" in (found(paths, "source").fix or "")
    set_source(database, failures=0)
    assert not [check for check in examined(paths) if check.name == "source"], "the reader paused it"


def test_a_machine_without_a_network_is_one_line_not_two_for_every_source(
    paths: Paths, database: Database
) -> None:
    for number in range(3):
        sources.add(database, lambda: NOW, f"https://e.example/{number}", allow_local=False)
    set_source(database, failures=2, failing_since=stamp(NOW), attempted_at=stamp(NOW))
    set_source(database, last_error="there is no host named e.example")
    offline = found(paths, "network")
    assert "3 sources cannot be reached" in offline.says
    assert "triage sync" in (offline.fix or "")
    assert not [check for check in examined(paths) if check.name == "source"]
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET last_error = 'the page is gone' WHERE id = 1")
    assert len([check for check in examined(paths) if check.name == "source"]) == 3
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET failures = 0, last_error = NULL WHERE id = 1")
    names = [check.name for check in examined(paths)]
    assert (names.count("network"), names.count("source")) == (0, 2), "two may be gone by chance"


@pytest.mark.parametrize(
    ("failing_since", "attempted", "answered", "lines"),
    [
        ("00:00", "09:00", "08:59", (0, 3)),
        ("09:00", "09:00", "08:59", (0, 3)),
        ("00:00", "09:00", "09:30", (0, 3)),
        ("08:00", "09:00", "07:00", (1, 0)),
    ],
    ids=["gone long ago", "gone in the first round", "others answer since", "no network since 8"],
)
def test_sources_that_are_gone_are_told_from_a_network_that_is(
    paths: Paths,
    database: Database,
    failing_since: str,
    attempted: str,
    answered: str,
    lines: tuple[int, int],
) -> None:
    def at(time: str) -> str:
        return stamp(NOW - timedelta(hours=12) + timedelta(hours=int(time[:2]), minutes=int(time[3:])))

    for number in range(4):
        sources.add(database, lambda: NOW, f"https://e.example/{number}", allow_local=False)
    set_source(database, failures=2, last_error="cannot connect to e.example")
    set_source(database, failing_since=at(failing_since), attempted_at=at(attempted))
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE source SET failures = 0, last_error = NULL, succeeded_at = ? WHERE id = 4",
            (at(answered),),
        )
    names = [check.name for check in examined(paths)]
    assert (names.count("network"), names.count("source")) == lines


class Mailbox:
    """An ingestor that logs in, or not."""

    error: FetchError | None = None

    async def login(self, request: FetchRequest) -> FetchError | None:
        assert request.target.startswith("imaps://")
        return self.error


def test_logins_are_tried_when_asked_and_remembered(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-17."""
    target = "imaps://ada@mail.example/INBOX"
    number = sources.add(database, lambda: NOW, target, allow_local=False).id
    mailbox = Mailbox()
    monkeypatch.setattr(logins.registry, "get", lambda name: mailbox if name == "imap" else None)
    (well,) = logins.try_all(database, lambda: NOW, Config())
    assert (well.verdict, well.fix) == ("ok", None)
    mailbox.error = FetchError("denied", "mail.example refused the login")
    unsent = Config(digest=DigestConfig(mail=DigestMailConfig(host="localhost", port=1, user="ada")))
    refused, sending = logins.try_all(database, lambda: NOW, unsent)
    assert (refused.verdict, sending.verdict) == ("bad", "bad")
    assert (refused.fix or "").startswith(f"triage sources set {number} password_command=")
    with database.read() as connection:
        asked = {(row.host, row.purpose): row.requests for row in contacts.since(connection, NOW)}
    assert asked == {("mail.example", "login"): 2, ("localhost", "login"): 1}
