"""From every earlier schema to this one, with a reader's data in it, and killed after any step."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from world import NOW

from triage.core import feedback
from triage.core.crash import VARIABLE
from triage.paths import Paths
from triage.services.reader import searching
from triage.store import feedback as log
from triage.store import migrate
from triage.store.engine import Database

FIRST_DATA = """
INSERT INTO source (id, ingestor, kind, target, title, tags, allow_local, cursor, added_at, next_due_at,
        failures)
    VALUES (1, 'feeds', 'feed', 'https://e.example/', 'Marsh', '["birds"]', 0, '{}', :t, :t, 0);
INSERT INTO item (id, source_id, key, kind, title, url, people, tags, identifiers, personal, published_at,
        first_seen_at, content_hash, words, cjk_characters)
    VALUES (1, 1, 'a', 'feed', 'Herons counted', NULL, '["Ada"]', '[]', '{}', 0, :t, :t, 'h1', 3, 0),
           (2, 1, 'b', 'feed', '大阪の鷺', NULL, '[]', '[]', '{}', 0, :t, :t, 'h2', 3, 4);
INSERT INTO item_text (item_id, text) VALUES (1, 'Forty herons in the marsh.'), (2, '鷺');
INSERT INTO item_search (rowid, title, text, people, source)
    VALUES (1, 'Herons counted', 'Forty herons in the marsh.', 'Ada', 'Marsh'),
           (2, '大 阪 の 鷺', '鷺', '', 'Marsh');
INSERT INTO event (id, at, verb, item_id, undoes, phrase, weight, shown)
    VALUES (1, :t, 'like', 1, NULL, NULL, NULL, '{}'), (2, :t, 'interest', NULL, NULL, 'herons', 1, '{}'),
           (3, :t, 'dislike', 2, NULL, NULL, NULL, '{}'), (4, :t, 'undo', NULL, 3, NULL, NULL, '{}');
"""


@pytest.fixture
def old(paths: Paths, request: pytest.FixtureRequest) -> Database:
    """A database of an earlier schema, with data that was written in the first."""
    paths.database.touch(mode=0o600)
    database = Database(paths.database)
    migrate.upgrade(database, 1)
    moment = NOW.replace(tzinfo=None).isoformat(sep=" ")
    with database.write() as connection:
        for statement in FIRST_DATA.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(statement.replace(":t", f"'{moment}.000000'"))
    migrate.upgrade(database, request.param)
    assert database.pragma("user_version") == request.param
    database.close()
    return database


def is_whole(paths: Paths) -> None:
    database = Database(paths.database)
    assert database.pragma("user_version") == migrate.HEAD
    assert database.pragma("integrity_check") == "ok"
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
        events = log.events(connection)
    assert feedback.labels(events) == {1: 1.0}
    assert feedback.interests(events, NOW) == {"herons": 1.0}
    for words, item in (("herons marsh", 1), ("大阪", 2), ("鷺", 2)):
        assert [found.id for found in searching.find(database, lambda: NOW, words)] == [item]
    database.close()


@pytest.mark.parametrize("old", range(1, migrate.HEAD), indirect=True, ids="schema-{}".format)
def test_an_earlier_schema_is_upgraded_and_its_data_is_there(old: Database, paths: Paths) -> None:
    migrate.ensure_schema(old, paths.backups, NOW)
    old.close()
    is_whole(paths)
    (backup,) = paths.backups.glob("schema-*.db")
    assert backup.stat().st_size > 0


def cases() -> list[object]:
    """Every schema with every step at which its upgrade can die; the default run has the longest way."""
    return [
        pytest.param(start, step, marks=() if start == 1 and step in (1, 3) else pytest.mark.slow)
        for start in range(1, migrate.HEAD)
        for step in range(1, migrate.HEAD - start + 1)
    ]


@pytest.mark.parametrize(("old", "step"), cases(), indirect=["old"])
def test_an_upgrade_that_is_killed_goes_on_where_it_was(old: Database, step: int, paths: Paths) -> None:
    """The kill comes before the step is committed: a database has a whole number of steps behind it."""
    program = "import sys; from triage.cli.main import main; sys.argv = ['triage', 'db', 'upgrade']; main()"

    def upgrade(at: str) -> int:
        environ = os.environ | {VARIABLE: at}
        return subprocess.run(
            [sys.executable, "-c", program], env=environ, capture_output=True, timeout=60, check=False
        ).returncode

    assert upgrade(f"migrate:step:{step}") == -signal.SIGKILL
    assert upgrade("") == 0
    is_whole(paths)


def test_the_migrations_of_this_test_are_those_of_the_checkout() -> None:
    folder = Path(migrate.migrations_folder()) / "versions"
    assert len(list(folder.glob("[0-9]*.py"))) == migrate.HEAD
