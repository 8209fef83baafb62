"""`triage search` as a shell sees it, without an encoder."""

from __future__ import annotations

import json

import pytest
from command_line import triage
from world import NOW, stored_items

from triage.cli.items import NO_ITEMS
from triage.cli.search import search
from triage.store.engine import Database


@pytest.fixture(autouse=True)
def some_items(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())
    return stored_items(database, 8)


def test_hits_are_marked_and_json_has_their_places() -> None:
    code, said, _ = triage("triage search --words harbour tracks -title:2")
    assert code == 0
    assert "new ⟦tracks⟧" in said
    assert "to the ⟦harbour⟧" in said
    found = json.loads(triage("triage search --words --json tracks --limit 1")[1])
    (passage,) = found[0]["highlights"]
    start, end = passage["phrases"][0]
    assert passage["text"][start - passage["start"] : end - passage["start"]] == "tracks"
    assert len(triage("triage search --words --jsonl source:1")[1].splitlines()) == 4


def test_where_nothing_is_stored_it_says_how_to_begin(database: Database) -> None:
    with database.write() as connection:
        connection.exec_driver_sql("DELETE FROM item")
    assert triage("triage search tracks") == (0, "", f"{NO_ITEMS}\n")


def test_without_an_encoder_words_are_found_and_it_says_so() -> None:
    code, said, told = triage("triage search tracks")
    assert code == 0
    assert "trams number" in said
    assert "Found by words only." in told


def test_searches_are_kept_used_listed_and_forgotten() -> None:
    assert "No search is kept yet" in triage("triage search --saved")[2]
    assert "a search: @boats = harbour -bees" in triage("triage search --save boats harbour -bees --words")[2]
    assert "trams number" in triage("triage search --words @boats after:7d")[1]
    assert json.loads(triage("triage search --saved --json")[1]) == [
        {"name": "boats", "query": "harbour -bees"}
    ]
    assert triage("triage search --forget boats")[1] == "no longer a search: @boats\n"
    assert "there is no saved search @boats" in triage("triage search @boats")[2]
    assert triage("triage undo")[1] == "undone: no longer a search: @boats\n"
    assert triage("triage search --saved")[1] == "@boats  harbour -bees\n"


@pytest.mark.parametrize(
    "line",
    ["", "--saved words", "--save a", "--save a --forget b", "is:lked", "autor:x", "-", "--save @ x"],
)
def test_what_cannot_be_meant_is_one_sentence_with_a_way_out(line: str) -> None:
    code, said, told = triage(f"triage search {line}")
    assert (code, said) == (2, "")
    assert "triage search" in told


def test_a_shell_completes_filters_and_kept_searches() -> None:
    triage("triage search --words --save boats harbour")
    (argument,) = [each for each in search.params if each.name == "query"]

    def completed(begun: str) -> list[str]:
        return [each.value for each in argument.type.shell_complete(None, argument, begun)]  # type: ignore[arg-type]

    assert completed("is:l") == ["is:liked", "is:loved", "is:later"]
    assert completed("@b") == ["@boats"]
