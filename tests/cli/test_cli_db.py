from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import triage
from world import scores, stored_items

from triage.daemon.lock import hold
from triage.paths import Paths
from triage.store import migrate
from triage.store.engine import APPLICATION_ID, Database


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM item").scalar_one())


def forget(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM item")


def made(paths: Paths) -> Path:
    code, out, _ = triage("triage db backup --json")
    assert code == 0
    return Path(json.loads(out)[0]["path"])


def test_a_copy_brings_everything_back_and_what_was_there_is_kept(database: Database, paths: Paths) -> None:
    """DB-11."""
    stored_items(database, 6)
    copy = made(paths)
    forget(database)
    code, out, _ = triage(f"triage db restore {copy} --yes")
    assert code == 0
    assert count(database) == 6  # through a connection that was open all the time
    aside = Path(out.split("kept as ")[1].splitlines()[0])
    assert triage(f"triage db check {aside}")[0] == 0
    triage(f"triage db restore {aside} --yes")
    assert count(database) == 0
    assert all(file.stat().st_mode & 0o077 == 0 for file in (paths.database, copy, aside))
    assert scores(database) == {}


def test_copies_are_listed_newest_first_and_only_the_newest_stay(
    database: Database, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1, 10):
        monkeypatch.setenv("TRIAGE_NOW", f"2026-03-{day:02}T07:00:00Z")
        made(paths)
    listed = json.loads(triage("triage db backup --list --json")[1])
    assert len(listed) == 7
    assert listed[0]["path"].endswith("copy-20260309T070000Z.db")


def test_a_copy_can_go_anywhere(database: Database, tmp_path: Path) -> None:
    target = tmp_path / "odd name?#%.db"
    assert triage(f"triage db backup '{target}'")[0] == 0
    assert triage(f"triage db check '{target}'")[0] == 0
    assert triage(f"triage db backup '{target}'")[0] == 0


def test_a_copy_is_written_over_nothing_but_a_copy(database: Database, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear reader")
    code, _, err = triage(f"triage db backup '{letter}'")
    assert code == 2
    assert "is something else and was left as it is" in err
    assert letter.read_text() == "Dear reader"


def test_nothing_is_replaced_without_consent_or_beside_an_ingesting_process(
    database: Database, paths: Paths
) -> None:
    stored_items(database, 2)
    copy = made(paths)
    forget(database)
    code, _, err = triage(f"triage db restore {copy}")
    assert code == 2
    assert "--yes" in err
    with hold(paths.ingest_lock, "the daemon"):
        code, _, err = triage(f"triage db restore {copy} --yes")
    assert code == 4
    assert "the daemon" in err
    assert count(database) == 0


@pytest.mark.parametrize("damage", ["zeros", "text", "truncated", "torn", "other", "newer", "missing"])
def test_a_copy_that_is_none_is_refused_and_the_database_left_alone(
    database: Database, paths: Paths, tmp_path: Path, damage: str
) -> None:
    stored_items(database, 40)
    copy = made(paths)
    whole = copy.read_bytes()
    bad = tmp_path / "bad.db"
    if damage == "zeros":
        bad.write_bytes(bytes(8192))
    elif damage == "text":
        bad.write_text("dear diary " * 1000)
    elif damage == "truncated":
        bad.write_bytes(whole[: len(whole) // 2])
    elif damage == "torn":
        middle = len(whole) // 2
        bad.write_bytes(whole[:middle] + b"\xff" * 8192 + whole[middle + 8192 :])
    elif damage in ("other", "newer"):
        bad.write_bytes(whole)
        opened = Database(bad)
        with opened.write() as connection:
            number, owner = (migrate.HEAD + 1, APPLICATION_ID) if damage == "newer" else (1, 7)
            connection.exec_driver_sql(f"PRAGMA user_version = {number}")
            connection.exec_driver_sql(f"PRAGMA application_id = {owner}")
        opened.close()
    code, _, err = triage(f"triage db restore {bad} --yes")
    assert code in (1, 2, 4)
    assert "Traceback" not in err
    assert count(database) == 40


@pytest.mark.parametrize(
    ("planted", "says"),
    [
        ("CREATE TRIGGER spy AFTER INSERT ON event BEGIN DELETE FROM event; END", "the trigger 'spy'"),
        ("CREATE VIEW spy AS SELECT * FROM item", "the view 'spy'"),
    ],
)
def test_a_copy_with_statements_of_somebody_else_is_refused(
    database: Database, paths: Paths, planted: str, says: str
) -> None:
    """They would run with every mark: a copy comes from a disk that others may write to."""
    copy = made(paths)
    opened = Database(copy)
    with opened.write() as connection:
        connection.exec_driver_sql(planted)
    opened.close()
    code, _, err = triage(f"triage db restore {copy} --yes")
    assert code == 1
    assert f"{says} is none of triage's" in err
    assert triage(f"triage db check {copy}")[0] == 1


def test_a_damaged_database_is_named_and_mended_from_a_copy(database: Database, paths: Paths) -> None:
    """DB-10."""
    stored_items(database, 6)
    copy = made(paths)
    database.close()
    for ending in ("-wal", "-shm"):
        paths.database.with_name(paths.database.name + ending).unlink(missing_ok=True)
    paths.database.write_bytes(b"not a database any more " * 1000)
    code, _, err = triage("triage db check")
    assert code != 0
    assert "no database" in err
    code, _, _ = triage(f"triage db restore {copy} --yes")
    assert code == 0
    assert count(Database(paths.database)) == 6
    assert any("replaced" in file.name for file in paths.backups.iterdir())


def test_there_is_nothing_to_copy_on_the_first_day(paths: Paths) -> None:
    code, _, err = triage("triage db backup")
    assert code == 2
    assert "triage add" in err


def test_an_upgrade_says_what_is_there(database: Database) -> None:
    code, out, _ = triage("triage db upgrade")
    assert code == 0
    assert f"schema {migrate.HEAD}" in out
