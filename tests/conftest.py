"""What every test may use: an empty home, a fixed clock, a loopback server."""

from __future__ import annotations

import os
import ssl

# Before numpy and torch are imported. Several tests run at once; threads of theirs would wait for each other.
os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from loopback import LoopbackServer
from world import NOW

from triage.paths import Paths
from triage.services.ranker.worker_client import ONE_THREAD, ModelWorker
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

if TYPE_CHECKING:
    import trustme

# As the worker has it; tests that run it in their own process import numpy after this.
os.environ.update(ONE_THREAD | os.environ)
# No deadline: the machine may be busy. Derandomised: a red run can be repeated.
settings.register_profile("ci", deadline=None, derandomize=True, max_examples=40)
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def no_reader_of_ours(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keeps the settings and data of whoever runs the tests out of them."""
    for name in [name for name in os.environ if name.startswith("TRIAGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def paths() -> Paths:
    """An empty home, created. It ranks by words only: starting the encoder takes seconds."""
    home = Paths.of()
    home.create()
    home.config_file.write_text('[model]\nencoder = "/nonexistent"\n')
    return home


@pytest.fixture
def database(paths: Paths) -> Iterator[Database]:
    """An empty database in that home."""
    opened = Database(paths.database)
    ensure_schema(opened, paths.backups, NOW)
    yield opened
    opened.close()


@pytest.fixture
def worker(paths: Paths, database: Database) -> Iterator[ModelWorker]:
    """A model worker on that home, in this process: starting one of its own takes a second of CPU."""
    from worker_in_process import WorkerInProcess  # numpy, which most tests do without

    started = WorkerInProcess(paths)
    yield started
    started.close()


@pytest.fixture
def worker_process(paths: Paths, database: Database) -> Iterator[ModelWorker]:
    """A model worker on that home, in a process of its own as outside of tests."""
    started = ModelWorker(paths, demo=False)
    yield started
    started.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that nobody trusts yet."""
    import trustme  # .06 s, which most tests do without

    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """For a server on `localhost`, whose certificate is trusted by this process."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return context


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A loopback HTTP server without routes."""
    with LoopbackServer() as running:
        yield running
