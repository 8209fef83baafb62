"""The insight page as a shell sees it."""

from __future__ import annotations

import json

import pytest
from command_line import triage
from world import NOW, clock, stored_items

from triage.core.insight import Learned, Shift
from triage.core.verbs import Verb
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback
from triage.store import scores
from triage.store.engine import Database

LEARNED = Learned(
    since=NOW, said=3, shifts=(Shift(kind="source", name="Source \x1b[2J1", change=0.43, items=12),)
)


@pytest.fixture(autouse=True)
def _learned(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the worker says is tested where it runs; here it would cost two seconds a command."""
    monkeypatch.setattr(ModelWorker, "learned", lambda *_: LEARNED)


def test_text_and_json_hold_the_same_numbers(
    database: Database, worker: ModelWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())
    stored_items(database)
    digest = worker.build(NOW)
    for item in digest.items[:3]:
        feedback.mark(database, clock, item.id, Verb.LIKE)
    with database.write() as connection:
        scores.set_seen(connection, digest.built_at, clock())
    code, out, _ = triage("triage insight --json")
    assert code == 0
    found = json.loads(out)
    assert found["calibration"]["marks"] == 3
    assert found["calibration"]["error"] is None
    code, text, _ = triage("triage insight")
    assert code == 0
    assert "3 marks: too few to say how accurate" in text
    for bin_ in found["calibration"]["bins"]:
        assert f"{bin_['expected']:4.0%} → {bin_['liked']:4.0%}" in text
    assert found["learned"]["shifts"][0]["change"] == 0.43
    assert "+0.43" in text
    assert "\x1b" not in text
    assert f"chosen by score: kept 3 of {found['exploration']['chosen']}" in text


def test_an_empty_home_has_a_page_too() -> None:
    code, out, _ = triage("triage insight")
    assert code == 0
    assert out.count("yet") == 4
