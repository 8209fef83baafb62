"""Children that are killed again and again, for want of memory: who needs them waits, nothing runs hot."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import encoder_in_process
import numpy as np
import pytest
from numpy.typing import NDArray
from worker_in_process import WorkerInProcess
from world import NOW, stored_items

from model.encoder import EncoderFailed
from model.types import Window
from triage.config import Config
from triage.core.errors import TriageError, WorkerError
from triage.core.items import Digest
from triage.daemon import app
from triage.paths import Paths
from triage.services.fetching import ingest
from triage.services.ranker.worker_client import ModelWorker
from triage.store.engine import Database

POLL_S = 2**-6
"""Of these tests; a power of two, so that sums are exact."""


class Dying(ModelWorker):
    """A worker that dies of every request."""

    rounds = 0
    died_in: list[int]

    def build(self, *_: object, **__: object) -> Digest:  # type: ignore[override]
        self.died_in.append(self.rounds)
        raise WorkerError("the model worker was ended by signal 9")


def test_a_worker_that_dies_each_time_is_left_alone_for_twice_as_long_and_sources_are_polled(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-18: memory is short, and somebody has to give way."""
    worker = Dying(paths, demo=False)
    worker.died_in = []

    async def sync(*_: object, **__: object) -> list[object]:
        worker.rounds += 1
        if worker.rounds == 40:
            os.kill(os.getpid(), signal.SIGTERM)
        return []

    monkeypatch.setattr(app, "POLL_S", POLL_S)
    monkeypatch.setattr(app, "time", SimpleNamespace(monotonic=lambda: worker.rounds * POLL_S))
    monkeypatch.setattr(ingest, "sync", sync)
    asyncio.run(app.Daemon(paths, Config(), lambda: datetime.now(UTC), database, worker).run())
    assert worker.died_in == [1, 3, 7, 15, 31]


def test_an_encoder_that_was_killed_is_started_again_by_the_next_request(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-18."""
    doomed = [True]

    class Mortal(encoder_in_process.FakeEncoder):
        dead = False

        def encode(self, windows: Sequence[Window], on_progress: object = None) -> NDArray[np.float32]:
            self.dead = self.dead or doomed.pop()
            doomed.append(False)
            if self.dead:
                raise EncoderFailed("The encoder was killed, most likely because memory ran out")
            return super().encode(windows)

    encoder_in_process.install(monkeypatch.setattr)
    monkeypatch.setattr("triage.services.ranker.vectors.EncoderProcess", Mortal)
    stored_items(database, 3)
    worker = WorkerInProcess(paths)
    with pytest.raises(TriageError, match="memory ran out"):
        worker.build(NOW)
    assert len(worker.build(NOW).items) > 0
    worker.close()
