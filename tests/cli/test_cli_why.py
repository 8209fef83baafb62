from __future__ import annotations

import json

import pytest
from command_line import triage
from world import NOW, stored_items

from triage.services.ranker.worker_client import ModelWorker
from triage.store.engine import Database


def test_the_marks_that_move_an_item_are_named(
    database: Database, worker: ModelWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_NOW", "2026-03-02T07:10:00Z")
    first, second, *_, last = stored_items(database, 8)
    worker.build(NOW)
    assert triage(f"triage mark {first} like")[0] == 0
    assert triage(f"triage mark {second} dislike")[0] == 0
    code, out, _ = triage(f"triage why {last} --marks")
    assert code == 0
    assert "bees number 0" in out
    marks = json.loads(triage(f"triage why {last} --marks --json")[1])["marks"]
    assert {mark["item"]: mark["state"] for mark in marks}[first] == "like"
    assert "marks" not in json.loads(triage(f"triage why {last} --json")[1])
