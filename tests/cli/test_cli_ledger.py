"""The source ledger as a shell sees it."""

from __future__ import annotations

import json

import pytest
from command_line import triage
from world import NOW, clock, stored_items

from triage.core.verbs import Verb
from triage.services.reader import feedback
from triage.store.engine import Database


def test_the_shell_sees_the_same_numbers_and_the_way_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())
    ids = stored_items(database)
    feedback.mark(database, clock, ids[0], Verb.LATER)
    code, out, _ = triage("triage sources ledger --json")
    assert code == 0
    rows = {row["source"]: row for row in json.loads(out)["sources"]}
    assert rows[1]["kept"] == 1
    code, out, err = triage("triage sources quiet 1")
    assert (code, "--undo 1" in err) == (0, True)
    assert "quiet --undo 1" in triage("triage sources ledger")[1]
    assert triage("triage sources quiet --undo 1")[0] == 0
    assert "quiet" not in triage("triage sources ledger")[1]
