"""`triage open`: the link of an item handed to the browser, or its address where there is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from command_line import triage
from waiting import wait_for
from world import NOW, stored_items

from triage.store import openings
from triage.store.engine import Database


@pytest.fixture
def first(database: Database, monkeypatch: pytest.MonkeyPatch) -> int:
    """An item with a link of its own, two written links in its text, and one that nothing may open."""
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("BROWSER", raising=False)
    text = "First https://one.example/a then https://two.example/b?c=1 and http://exa$mple.org/x last."
    return stored_items(database, 1, lambda n: ("On bees", text))[0]


def test_the_browser_gets_the_link_of_an_item_or_one_of_its_text(
    first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    script, log = tmp_path / "browser", tmp_path / "log"
    script.write_text(f"#!{sys.executable}\nimport sys\nopen({str(log)!r}, 'a').write(sys.argv[1] + '\\n')\n")
    script.chmod(0o700)
    monkeypatch.setenv("BROWSER", str(script))
    monkeypatch.setenv("PATH", os.defpath)
    for number, line in enumerate((f"triage open {first}", f"triage open {first} 2"), 1):
        assert triage(line) == (0, "", "")
        wait_for(lambda number=number: log.exists() and log.read_text().count("\n") == number)
    assert log.read_text().split() == ["https://feed.example/0", "https://two.example/b?c=1"]
    with database.read() as connection:
        assert {opening.item_id for opening in openings.since(connection, NOW)} == {first}


def test_without_a_way_to_open_it_the_address_is_printed(first: int) -> None:
    code, out, err = triage(f"triage open {first} 1")
    assert (code, out) == (0, "https://one.example/a\n")
    assert "set $BROWSER" in err


def test_a_link_that_is_not_there_or_may_not_be_opened_is_one_sentence(first: int) -> None:
    for line, code, said in (
        (f"triage open {first} 9", 2, "its text has 3 links"),
        (f"triage open {first} 0", 2, "its text has 3 links"),
        (f"triage open {first} 3", 1, "Only http and https links are opened"),
        ("triage open 999", 2, "there is no item 999"),
    ):
        got, out, err = triage(line)
        assert (got, out) == (code, "")
        assert said in err
        assert "press y" not in err


def test_an_item_without_a_link_names_the_first_of_its_text(database: Database, first: int) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE item SET url = ''")
    code, _, err = triage(f"triage open {first}")
    assert code == 2
    assert f"triage open {first} 1" in err
