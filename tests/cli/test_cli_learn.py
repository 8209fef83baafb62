"""`triage learn` as a shell sees it."""

from __future__ import annotations

import json
import re

import pytest
from command_line import triage
from world import NOW, babble, clock, stored_items

from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.reader import feedback
from triage.store.engine import Database


@pytest.fixture(autouse=True)
def a_month_of_items(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())
    return stored_items(database, 96, babble)


@pytest.mark.slow
def test_a_reader_of_plain_taste_learns_looks_back_and_goes_back(
    database: Database, a_month_of_items: list[int]
) -> None:
    assert triage("triage learn --history")[2].startswith("Nothing was learned yet")
    half = len(a_month_of_items) // 2
    for liked, disliked in zip(a_month_of_items[:30], a_month_of_items[half:], strict=False):
        feedback.mark(database, clock, liked, Verb.LIKE)
        feedback.mark(database, clock, disliked, Verb.DISLIKE)

    code, out, _ = triage("triage learn --dry-run --json")
    tried = json.loads(out)
    assert (code, tried["labels"], len(tried["trials"]), tried["version"]) == (0, 60, 12, None)
    assert tried["promotable"]
    assert triage("triage learn --history --json")[1] == "[]\n"

    code, out, err = triage("triage learn")
    assert (code, "trying settings: 15" in err) == (0, True)
    lines = out.splitlines()
    assert lines[0] == "60 marks, the newest 18 of them held back"
    assert lines[1].split() == ["log-loss", "average", "precision"]
    rows = [re.fullmatch(r"(.{28}) +(\d\.\d{4}) +(\d\.\d{4})(  best)?", line) for line in lines[2:15]]
    found = {row[1].strip(): (float(row[2]), row[4]) for row in rows if row}
    assert len(found) == 13
    assert [name for name, (_, best) in found.items() if best] == [min(found, key=lambda n: found[n][0])]
    assert lines[15].startswith("held back   log-loss ")

    (listed,) = json.loads(triage("triage learn --history --json")[1])
    version = listed["id"]
    assert lines[-1] == f"now ranking: version {version} (back: triage learn --rollback)"
    assert (listed["current"], listed["created"][:16]) == (True, "2026-03-02T07:00")
    assert listed["settings"] == {tried["best"]["setting"]: tried["best"]["after"]}
    assert listed["after"] == tried["held_back_after"]
    first, second, built_in = triage("triage learn --history")[1].splitlines()
    assert first.startswith(f"* {version}  2026-03-02 07:00 UTC  {tried['best']['setting']} ")
    assert second.startswith("    on 18 of 60 marks: log-loss ")
    assert built_in == "  the built-in settings"

    assert triage("triage learn --rollback")[1] == "back to the built-in settings\n"
    assert triage("triage learn --history")[1].splitlines()[-1] == "* the built-in settings"


@pytest.mark.slow
def test_a_damaged_version_is_named_where_it_matters(paths: Paths, a_month_of_items: list[int]) -> None:
    paths.models.mkdir()
    (paths.models / "current").write_text("0123456789abcdef\n")
    assert triage("triage digest --minutes 5")[1].count("! Ranked with the built-in settings, not with") == 1
    code, out, err = triage(f"triage why {a_month_of_items[0]}")
    assert (code, "Ranked with the built-in settings" in err) == (0, True)
    assert "Ranked with" not in out
    says = f"{paths.models}/0123456789abcdef/model.json: No such file"
    assert says in triage("triage doctor")[1]
    history = triage("triage learn --history")[1].splitlines()
    assert history[0].startswith(f"* 0123456789abcdef  cannot be used: {says}")
    assert "no version before it can be used" in triage("triage learn --rollback --json")[1]


def test_one_thing_at_a_time() -> None:
    code, _, err = triage("triage learn --rollback --history")
    assert (code, "exclude each other" in err) == (2, True)
