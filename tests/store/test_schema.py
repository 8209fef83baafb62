from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from world import NOW

from triage.core.errors import SchemaError
from triage.core.query import parse
from triage.paths import Paths
from triage.store import migrate, search
from triage.store.engine import APPLICATION_ID, Database
from triage.store.schema import Base


def test_the_migrations_lead_to_the_tables_that_the_code_defines(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: not (name or "").startswith("item_search")},
        )
        assert compare_metadata(context, Base.metadata) == []


def test_the_number_of_the_code_is_that_of_the_last_migration(database: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.migrations_folder()))
    assert ScriptDirectory.from_config(config).get_current_head() == str(migrate.HEAD)
    assert database.pragma("user_version") == migrate.HEAD
    assert database.pragma("application_id") == APPLICATION_ID


def test_a_second_start_finds_nothing_to_do(database: Database, paths: Paths) -> None:
    before = database.change_counter()
    migrate.ensure_schema(Database(paths.database), paths.backups, NOW)
    assert database.change_counter() == before
    assert not paths.backups.exists()


def test_the_file_is_for_its_owner_only(database: Database, paths: Paths) -> None:
    assert paths.database.stat().st_mode & 0o077 == 0


def test_a_newer_schema_is_refused_and_left_alone(database: Database, paths: Paths) -> None:
    """DB-05."""
    with database.write() as connection:
        connection.exec_driver_sql(f"PRAGMA user_version = {migrate.HEAD + 1}")
    database.close()
    before = paths.database.read_bytes()
    with pytest.raises(SchemaError, match="newer"):
        migrate.ensure_schema(Database(paths.database), paths.backups, NOW)
    assert paths.database.read_bytes() == before


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    """DB-10."""
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE theirs (x)")
    other.commit()
    other.close()
    with pytest.raises(SchemaError, match="another program"):
        migrate.ensure_schema(Database(path), tmp_path, NOW)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """DB-10."""
    path = tmp_path / "text.db"
    path.write_text("this is a letter to my aunt, and by no means a database\n" * 100)
    with pytest.raises(SchemaError, match="no database"):
        migrate.ensure_schema(Database(path), tmp_path, NOW)


def test_an_upgrade_is_preceded_by_a_backup_that_opens(
    database: Database, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-05."""
    monkeypatch.setattr(migrate, "HEAD", migrate.HEAD + 1)
    monkeypatch.setattr(migrate, "upgrade", lambda *_: None)
    migrate.ensure_schema(database, paths.backups, NOW)
    (backup,) = paths.backups.iterdir()
    copy = Database(backup)
    assert copy.pragma("integrity_check") == "ok"
    assert copy.pragma("user_version") == migrate.HEAD - 1
    assert backup.stat().st_mode & 0o077 == 0
    copy.close()


def test_an_upgrade_builds_the_search_index_anew_and_a_failed_one_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-05."""
    database, ids = Database(tmp_path / "old.db"), [1, 2, 7]
    config = Config()
    config.set_main_option("script_location", str(migrate.migrations_folder()))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection.execution_options(triage_write=True)
        command.upgrade(config, "3")
    with database.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO source (ingestor, kind, target, title, tags, allow_local, cursor, added_at,"
            " next_due_at, failures, polling, options)"
            " VALUES ('feeds', 'feed', 'https://a.example/', 'The Wire', '[]', 0, '{}', '2026-01-01',"
            " '2026-01-01', 0, '{}', '{}')"
        )
        for key in ids:
            connection.exec_driver_sql(
                "INSERT INTO item (id, source_id, key, kind, title, people, tags, identifiers, personal,"
                " flags, first_seen_at, edition, content_hash, words, cjk_characters) VALUES"
                " (?, 1, ?, 'feed', 'A title', '[\"Mara Lind\"]', '[\"lakes\"]', '{}', 0, '[]',"
                " '2026-01-01', 0, 'h', 1, 3)",
                (key, str(key)),
            )
            connection.exec_driver_sql(
                "INSERT INTO item_text (item_id, text) VALUES (?, 'über 注意力')", (key,)
            )
    monkeypatch.setattr(search, "CHUNK", 2)
    whole = search.folded

    def broken(text: str) -> str:
        raise RuntimeError(f"the machine went down at {text!r}")

    monkeypatch.setattr(search, "folded", broken)
    with pytest.raises(RuntimeError, match="went down"):
        migrate.ensure_schema(database, tmp_path, NOW)
    assert database.pragma("user_version") == 3
    monkeypatch.setattr(search, "folded", whole)
    migrate.ensure_schema(database, tmp_path, NOW)
    with database.read() as connection:
        for query in ("uber", "注意", "title", "lind", "wire", "lakes"):
            assert sorted(search.find(connection, parse(query), NOW, 9)) == ids
    database.close()
