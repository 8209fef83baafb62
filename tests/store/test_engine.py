from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy.exc import StatementError
from world import NOW, add_source

from triage.core.errors import LockedError, TriageError
from triage.paths import Paths
from triage.store import engine, items, sources
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

ADD_ONE = """
import sys
from pathlib import Path
from triage.store.engine import Database
database = Database(Path(sys.argv[1]))
for _ in range(100):
    with database.write() as connection:
        (n,) = connection.exec_driver_sql("SELECT coalesce(max(failures), 0) FROM source").one()
        connection.exec_driver_sql(f"UPDATE source SET failures = {n + 1}")
"""


def add(database: Database, target: str = "https://feed.example/") -> int:
    with database.write() as connection:
        return add_source(connection, target, title="t")


def test_two_processes_that_read_and_then_write_lose_nothing(database: Database) -> None:
    """DB-08."""
    add(database)
    command = [sys.executable, "-c", ADD_ONE, str(database.path)]
    children = [subprocess.Popen(command) for _ in range(2)]
    assert [child.wait(timeout=60) for child in children] == [0, 0]
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT failures FROM source").scalar_one() == 200


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    def fail_halfway() -> None:
        with database.write() as connection:
            connection.exec_driver_sql(
                "INSERT INTO event (at, stamp, verb, shown) VALUES ('', '', 'like', '')"
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM event").scalar_one() == 0


def test_a_lock_that_is_held_too_long_is_an_error_in_words(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-08."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    impatient = Database(database.path)
    # Of the same library: its locks are the process's, so another library in this process would not see them.
    holder = engine.driver.connect(str(database.path), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(LockedError), impatient.write():
            pytest.fail("the lock is held")
    finally:
        holder.rollback()
        holder.close()
        impatient.close()


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    add(database)
    with database.write() as writing:
        writing.exec_driver_sql("UPDATE source SET title = 'new'")
        with database.read() as reading:
            assert [s.title for s in sources.active(reading)] == ["t"]


def test_the_counter_changes_with_every_commit_of_others(database: Database) -> None:
    counter = database.change_counter()
    assert database.change_counter() == counter
    other = Database(database.path)
    add(other)
    other.close()
    assert database.change_counter() != counter


def test_threads_share_a_database(database: Database) -> None:
    threads = [threading.Thread(target=add, args=(database, f"https://{n}.example/")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert len(sources.active(connection)) == 8


def test_times_come_back_aware_and_naive_ones_are_refused(database: Database) -> None:
    elsewhere = datetime(2026, 3, 2, 9, 0, tzinfo=timezone(timedelta(hours=2)))
    with database.write() as connection:
        source = add_source(connection, now=elsewhere)
        assert sources.active(connection)[0].next_due_at == NOW
        with pytest.raises(StatementError, match="naive"):
            sources.remove(connection, source, datetime(2026, 3, 2))  # noqa: DTZ001 - the point of the test
    assert NOW.tzinfo is UTC


def test_an_unreadable_folder_is_an_error_in_words(tmp_path: Path) -> None:
    """DB-07."""
    from triage.core.errors import TriageError

    database = Database(tmp_path / "missing" / "x.db")
    with pytest.raises(TriageError, match="cannot use"), database.read():
        pytest.fail("there is no such folder")


def test_threads_wait_for_each_other_however_long_a_write_takes(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-08."""
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 20)
    impatient = Database(database.path)
    writing = threading.Event()

    def slow() -> None:
        with impatient.write():
            writing.set()
            time.sleep(0.3)

    thread = threading.Thread(target=slow)
    thread.start()
    assert writing.wait(5)
    add(impatient)
    thread.join()
    impatient.close()


def test_a_table_that_is_gone_is_an_error_in_words(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("DROP TABLE item_search")
    with pytest.raises(TriageError, match="damaged"), database.read() as connection:
        connection.exec_driver_sql("SELECT * FROM item_search")


def test_no_number_is_too_large_to_be_no_item(database: Database) -> None:
    with database.read() as connection:
        assert items.get(connection, 2**63) is None
        assert items.get(connection, 10**30) is None


def test_an_open_reader_does_not_keep_the_log_from_being_written_back(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-16. It reads now and then and looks whether others have written, for as long as it is open."""
    monkeypatch.setattr(engine, "CHECKPOINT_PAGES", 50)
    daemon = Database(paths.database, checkpoints=True)
    add(database)
    sizes = []
    for n in range(60):
        with daemon.write() as connection:
            connection.exec_driver_sql("UPDATE source SET title = ?", (f"{n} " * 30_000,))
        database.change_counter()
        with database.read() as connection:
            sources.active(connection)
        sizes.append(Path(f"{paths.database}-wal").stat().st_size)
    daemon.close()
    assert max(sizes[30:]) <= 1.5 * max(sizes[:30])


def test_what_another_process_writes_for_long_is_written_back_meanwhile(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-16."""
    monkeypatch.setattr(engine, "LONGEST_LOG", 1_000_000)
    daemon, worker = Database(paths.database, checkpoints=True), Database(paths.database)
    ensure_schema(daemon, paths.backups, NOW)
    add(daemon)
    sizes = []
    for n in range(30):
        with worker.write() as connection:
            connection.exec_driver_sql("UPDATE source SET title = ?", (f"{n} " * 60_000,))
        daemon.shorten_log()
        sizes.append(Path(f"{paths.database}-wal").stat().st_size)
    daemon.close()
    worker.close()
    assert max(sizes) < 3_000_000


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="this system does not show descriptors")
def test_no_child_has_a_descriptor_of_the_database(database: Database) -> None:
    """DB-13."""

    def descriptors(process: int | str) -> str:
        return subprocess.run(
            ["ls", "-l", f"/proc/{process}/fd"], capture_output=True, text=True, check=False
        ).stdout

    with database.read() as connection:
        connection.exec_driver_sql("SELECT count(*) FROM source")
        assert str(database.path) in descriptors(os.getpid())
        assert str(database.path) not in descriptors("self")
