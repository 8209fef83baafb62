"""No room on the disk at each place that writes: it is said, no part stays behind, the next try succeeds."""

from __future__ import annotations

import errno
import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from world import NOW, stored_items

from model.artifacts import Artifact, Judged, Measures
from model.blend import Settings
from model.vectors import VectorFile
from triage.config import RetentionConfig
from triage.core.errors import TriageError
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import subscriptions
from triage.services.ranker.models import Models
from triage.services.ranker.worker_client import ModelWorker
from triage.services.upkeep import backups, maintenance, settings
from triage.store import migrate
from triage.store.engine import Database

SAME = Measures(log_loss=0.5, average_precision=0.5)
JUDGED = Judged(
    how="in time",
    labels=30,
    held_back=15,
    fitting_before=SAME,
    fitting_after=SAME,
    held_back_before=SAME,
    held_back_after=SAME,
)


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """What a full disk does to a file: bytes beyond are refused (EFBIG, where a disk would say ENOSPC)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def fails_then_works(act: Callable[[], object], *, room: int, folder: Path) -> None:
    """Fails in words and leaves no file behind; succeeds once there is room."""
    before = files(folder)
    with no_file_longer_than(room), pytest.raises((TriageError, OSError)) as failure:
        act()
    assert "Traceback" not in str(failure.value)
    locks = {name for name in files(folder) - before if name.endswith("lock")}
    assert files(folder) - before == locks, "parts were left behind"
    act()


def test_a_copy(paths: Paths, database: Database) -> None:
    """DB-06, DB-07."""
    stored_items(database)
    fails_then_works(lambda: backups.make(paths, NOW), room=100_000, folder=paths.backups)
    (made,) = backups.listing(paths)
    assert backups.check(Path(made.path)).problems == ()


def test_a_copy_whose_maker_was_killed_is_no_copy_and_goes_with_the_next_one(
    paths: Paths, database: Database
) -> None:
    """DB-06."""
    abandoned = paths.backups / ".daily-20260301T000000Z.db.part"
    paths.backups.mkdir(exist_ok=True)
    abandoned.write_bytes(b"half")
    assert backups.listing(paths) == []
    made = backups.make(paths, NOW)
    assert files(paths.backups) == {Path(made.path).name}


def test_tidying_up(paths: Paths, database: Database) -> None:
    """DB-06, DB-07."""
    stored_items(database, 200)

    def tidy() -> str:
        return maintenance.tidy(database, RetentionConfig(feed_days=30), NOW + timedelta(days=40))

    with no_file_longer_than(100_000), pytest.raises(TriageError, match=r"cannot use|no space"):
        tidy()
    assert "200 items" in tidy()
    assert database.pragma("integrity_check") == "ok"


def test_a_model(tmp_path: Path) -> None:
    """DB-06, ML-03."""
    models = Models(tmp_path, "blend-1")
    artifact = Artifact(
        ranker="blend-1",
        encoder="words",
        created=NOW,
        parent=None,
        settings=Settings(),
        rehearsed={},
        judged=JUDGED,
    )
    fails_then_works(lambda: models.promote(artifact), room=50, folder=tmp_path)
    assert models.in_use("words").version is not None


def test_a_digest(
    paths: Paths, database: Database, worker: ModelWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-06: neither in the database nor in its file, and the one before stays."""
    stored_items(database)
    before = worker.build(NOW).built_at

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as broken:
        broken.setattr("triage.services.digest.digest_file.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            worker.build(NOW + timedelta(days=1))

    def built() -> object:
        digest = digest_file.read(paths.digest)
        with database.read() as connection:
            count = connection.exec_driver_sql("SELECT count(*) FROM digest").scalar_one()
        return digest and digest.built_at, count

    assert built() == (before, 1)
    worker.build(NOW + timedelta(days=1))
    assert built() == (NOW + timedelta(days=1), 2)


def test_vectors(tmp_path: Path) -> None:
    """DB-06: also where not even the head of the file has room."""
    path, rows = tmp_path / "v", np.ones((100, 8), dtype=np.float32)
    with no_file_longer_than(20), pytest.raises(OSError, match="File too large"):
        VectorFile(path, 8, "e").append(rows)
    with VectorFile(path, 8, "e") as file:
        with no_file_longer_than(700), pytest.raises(OSError, match="File too large"):
            file.append(rows)
        first = file.append(rows[:2])
        assert np.allclose(file.rows([first, first + 1]), 1)


def test_an_upgrade(paths: Paths) -> None:
    """DB-06: both its copy and its steps."""
    database = Database(paths.database)
    migrate.upgrade(database, migrate.HEAD - 1)
    for step in (
        lambda: migrate.ensure_schema(database, paths.backups, NOW),
        lambda: migrate.upgrade(database),
    ):
        with no_file_longer_than(20_000), pytest.raises(TriageError, match=r"cannot use|no space"):
            step()
        assert database.pragma("user_version") == migrate.HEAD - 1
    migrate.ensure_schema(database, paths.backups, NOW)
    assert database.pragma("user_version") == migrate.HEAD
    database.close()


def test_settings_and_exports(tmp_path: Path) -> None:
    """DB-06."""
    config, export = tmp_path / "config.toml", tmp_path / "feeds.opml"
    config.write_text("# mine\n")
    fails_then_works(
        lambda: settings.change(config, "digest.minutes", "20", lambda *_: None), room=10, folder=tmp_path
    )
    assert config.read_text().startswith("# mine\n")
    fails_then_works(lambda: subscriptions.write_file(export, "x" * 100), room=10, folder=tmp_path)
    assert export.read_text() == "x" * 100
