"""The daemon fetches full texts after its ranking, and stops in the middle of them when it is asked to."""

from __future__ import annotations

from datetime import datetime

import pytest
from world import NOW

from triage.config import Config
from triage.core.items import Digest
from triage.daemon.app import Daemon
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.fetching import fulltext
from triage.services.fetching.fulltext import Fetched
from triage.services.ranker.worker_client import ModelWorker
from triage.store.engine import Database

DIGEST = Digest(built_at=NOW, budget_minutes=15.0, items=())


class Rereads(ModelWorker):
    """Notes that it was asked to rank again."""

    def __init__(self, paths: Paths) -> None:
        super().__init__(paths, demo=False)
        self.times: list[datetime] = []

    def reread(self, now: datetime, on_progress: object = None) -> Digest:
        self.times.append(now)
        return DIGEST


@pytest.mark.parametrize("got", [True, False])
async def test_it_ranks_again_only_when_texts_came(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch, got: bool
) -> None:
    asked: list[Digest | None] = []

    async def fetch(_d: object, _c: object, _k: object, digest: Digest | None, **_: object) -> list[Fetched]:
        asked.append(digest)
        return [Fetched(1, got, "said")]

    monkeypatch.setattr(fulltext, "fetch_likely", fetch)
    digest_file.write(paths.digest, DIGEST)
    worker = Rereads(paths)
    await Daemon(paths, Config(), lambda: NOW, database, worker)._fetch_texts()
    assert asked == [DIGEST]
    assert worker.times == ([NOW] if got else [])
