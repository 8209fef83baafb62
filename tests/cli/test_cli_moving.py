"""`triage export all` on one machine, `triage import` on another, as a shell sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import triage
from world import NOW, stored_items

from triage.store import sources
from triage.store.engine import Database


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())


def test_a_house_is_moved_by_two_commands(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = stored_items(database)
    with database.write() as connection:
        sources.change(connection, 1, options={"password_command": "pass show feed", "days": 3})
    triage(f"triage mark {first} like")
    triage("triage interests add 'quiet boats'")
    file = tmp_path / "house.jsonl"
    code, out, err = triage(f"triage export all {file}")
    assert (code, out) == (0, "")
    assert "28 lines written to" in err
    assert "not in it, to be set there again: Source 0: password_command" in err
    assert "triage sources set SOURCE NAME=VALUE" in err
    assert "pass show" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0

    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "there"))
    code, out, err = triage(f"triage import {file}")
    assert (code, out) == (0, "2 sources, 24 items and 2 events imported\n")
    assert "To fetch what is new: triage sync" in err
    assert triage(f"triage import {file}")[:2] == (0, "nothing new: all of it is here already\n")
    assert [row["phrase"] for row in json.loads(triage("triage interests --json")[1])] == ["quiet boats"]
    assert triage("triage journal")[1].count("\n") == 2
    said = json.loads(triage(f"triage import --json {file}")[1])
    assert said["merged"][0] == {"sources": 0, "items": 0, "events": 0, "models": 0, "notes": []}


@pytest.mark.parametrize("what", ["events", "interests", "rules", "model"])
def test_each_part_goes_to_standard_output_and_comes_back(
    database: Database, what: str, tmp_path: Path
) -> None:
    code, out, err = triage(f"triage export {what}")
    assert (code, err) == (0, "")
    assert json.loads(out.splitlines()[0])["holds"] == what
    (tmp_path / "part.jsonl").write_text(out)
    assert triage(f"triage import {tmp_path / 'part.jsonl'}")[0] == 0


def test_a_line_that_is_wrong_is_named_for_the_reader(database: Database, tmp_path: Path) -> None:
    file = tmp_path / "broken.jsonl"
    file.write_text(triage("triage export all")[1] + '{"kind":"\x1b[2J"}\n')
    code, out, err = triage(f"triage import {file}")
    assert (code, out) == (2, "")
    assert "broken.jsonl, line 2: " in err
    assert "nothing was imported" in err
    assert "\x1b" not in err
