"""Brings a database to the schema of this program: at start, under a lock, after a backup.

The schema number lives in `user_version`, so that a start that has nothing to do needs no alembic
(650 ms of CPU to import). Owns the decision whether to upgrade; the steps are in `migrations/`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from triage.core.errors import SchemaError
from triage.store.backup import copy, discard_abandoned
from triage.store.engine import APPLICATION_ID, Database, named_errors

HEAD = 5
"""The newest schema number. Each file in `migrations/versions` is named by the number it leads to."""
KEPT_BACKUPS = 3


def migrations_folder() -> Path:
    """The scripts: inside the package when installed from a wheel, at the top of a checkout otherwise."""
    package = Path(__file__).resolve().parent.parent
    shipped = package / "_migrations"
    return shipped if shipped.is_dir() else package.parent / "migrations"


def ensure_schema(database: Database, backups: Path, now: datetime) -> None:
    """Creates or upgrades the schema if needed; returns at once if it is current.

    Raises:
        SchemaError: The file belongs to another program, or to a newer version of this one.
    """
    if _number(database) == HEAD:
        return
    with _exclusive(database.path.with_name("upgrade.lock")):
        number = _number(database)  # another process may have been first
        if number == HEAD:
            return
        if number:
            _back_up(database, backups, now, number)
        upgrade(database)


def upgrade(database: Database, target: int = HEAD) -> None:
    """Runs the steps up to `target`, each in one transaction that also stamps its number.

    Raises:
        TriageError: There is no room for one; those before it are done.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    with named_errors(database.path), database.engine.connect() as connection:
        # Batch migrations rebuild tables: to drop the old one would delete what points to it. Enforcement is
        # switched outside of transactions only, and SQLAlchemy begins one by itself, so the driver is asked.
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys = OFF").close()
        config.attributes["connection"] = connection.execution_options(triage_write=True)
        command.upgrade(config, str(target))
        connection.rollback()
        raw.execute("PRAGMA foreign_keys = ON").close()
    database.path.chmod(0o600)


def _number(database: Database) -> int:
    """The schema number of the file; 0 for a new one."""
    if not database.path.exists():
        _create_private(database.path)
        return 0
    application, number = int(database.pragma("application_id")), int(database.pragma("user_version"))
    if application != APPLICATION_ID and _has_tables(database):
        raise SchemaError(f"{database.path} belongs to another program")
    if number > HEAD:
        raise SchemaError(
            f"{database.path} has schema {number}, newer than this program's {HEAD}", fix="upgrade triage"
        )
    return number


def _has_tables(database: Database) -> bool:
    # A kill between two statements of the very first start may leave alembic's own, empty table.
    with database.read() as connection:
        query = (
            "SELECT count(*) FROM sqlite_master WHERE name != 'alembic_version' AND name NOT LIKE 'sqlite_%'"
        )
        return bool(connection.exec_driver_sql(query).scalar())


def _create_private(path: Path) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _back_up(database: Database, backups: Path, now: datetime, number: int) -> None:
    backups.mkdir(mode=0o700, exist_ok=True)
    target = backups / f"schema-{number}-{now:%Y%m%dT%H%M%SZ}.db"
    discard_abandoned(backups)
    copy(database.path, target)
    written = {path: path.stat().st_mtime for path in backups.glob("schema-*.db")}
    # The one just made is the newest, whatever the clock said when the others were made.
    for old in sorted(written, key=lambda path: (path == target, written[path]))[:-KEPT_BACKUPS]:
        old.unlink()


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    _create_private(path)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
