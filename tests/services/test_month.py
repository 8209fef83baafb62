"""A month of the whole program, with a reader who comes every morning: see `lived_month`."""

from __future__ import annotations

import encoder_in_process
import lived_month
import pytest

from triage.paths import Paths
from triage.store.engine import Database


def lived(days: int, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> lived_month.Month:
    from worker_in_process import WorkerInProcess

    encoder_in_process.install(monkeypatch.setattr)
    lived_month.install(monkeypatch.setattr)
    return lived_month.live(
        paths,
        lambda: Database(paths.database, checkpoints=True),
        WorkerInProcess(paths),
        days=days,
        encoder="stub",
    )


@pytest.mark.slow
def test_in_a_month_every_promise_is_kept_and_the_order_gets_better(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = lived(28, paths, monkeypatch)
    assert [promise for promise in found.promises if not promise.kept] == []
