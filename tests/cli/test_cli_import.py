"""`triage interests import`: what was liked elsewhere, handed in as a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import triage
from world import NOW, stored_items

from triage.core import feedback
from triage.core.verbs import Verb
from triage.services.reader.feedback import events
from triage.store import items, sources
from triage.store.engine import Database

BIBTEX = """@article{one, title = {Herons of the {Baltic} marshes}, author = {Ada Example},
  abstract = {We count herons from a boat.}, year = 2020}
@article{two, title = {A second census}}
"""
RIS = "TY  - JOUR\nTI  - Herons of the marshes\nAB  - We count herons.\nER  - \n"
LINES = "\n".join(
    [
        json.dumps({"title": "Herons", "text": "We count herons."}),
        json.dumps({"title": "Herons", "text": "We count herons."}),
        json.dumps({"text": "Only a text."}),
        "",
        "{broken",
        json.dumps({"title": 7}),
        "[" * 5000,
    ]
)


@pytest.fixture(autouse=True)
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())


def handed_in(database: Database) -> dict[str, str]:
    """Title -> text of what teaches."""
    ids = sorted(feedback.handed_in(events(database)))
    with database.read() as connection:
        found = items.by_ids(connection, ids)
        return {row.title: items.text(connection, row.id) for row in found.values()}


@pytest.mark.parametrize(
    ("name", "content", "said", "titles"),
    [
        ("a.bib", BIBTEX, "2 documents of a.bib liked", {"Herons of the Baltic marshes", "A second census"}),
        ("a.ris", RIS, "1 document of a.ris liked", {"Herons of the marshes"}),
        ("a.jsonl", LINES, "2 documents of a.jsonl liked, 3 could not be read", None),
        ("a.txt", "Herons\n\n  Storks \nHerons\n", "2 documents of a.txt liked", {"Herons", "Storks"}),
    ],
)
def test_a_list_of_any_form_teaches(
    database: Database, tmp_path: Path, name: str, content: str, said: str, titles: set[str] | None
) -> None:
    (tmp_path / name).write_text(content)
    assert triage(f"triage interests import {tmp_path / name}")[:2] == (0, f"{said}\n")
    found = handed_in(database)
    assert titles is None or set(found) == titles
    labels = feedback.labels(events(database))
    assert list(labels.values()) == [1.0] * len(found)
    with database.read() as connection:
        assert sources.active(connection) == []


def test_one_undo_takes_the_whole_list_back_and_no_other(database: Database, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.txt").write_text(f"Herons {name}\nStorks {name}\n")
        triage(f"triage interests import {tmp_path / name}.txt")
    assert triage("triage undo")[1] == "undone: 2 documents of b.txt liked\n"
    assert set(handed_in(database)) == {"Herons a", "Storks a"}
    assert triage("triage undo")[1] == "undone: 2 documents of a.txt liked\n"
    assert feedback.labels(events(database)) == {}


def test_a_list_twice_likes_nothing_twice(database: Database, tmp_path: Path) -> None:
    (tmp_path / "a.bib").write_text(BIBTEX)
    triage(f"triage interests import {tmp_path / 'a.bib'}")
    said = triage(f"triage interests import {tmp_path / 'a.bib'}")[1]
    assert said == "0 documents of a.bib liked, 2 were marked before\n"
    assert sum(event.verb is Verb.KNOWN for event in events(database)) == 2


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.bib", "no bibliography", "neither BibTeX nor RIS"),
        ("a.txt", " \n", "holds no documents"),
        ("a.jsonl", "{}", "no line is a JSON object with a title or a text"),
        ("a.pdf", "%PDF", "of no form that can be read"),
        ("a.txt", "\n".join(map(str, range(1001))), "1000 at most"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    database: Database, tmp_path: Path, name: str, content: str, why: str
) -> None:
    (tmp_path / name).write_text(content)
    code, _, error = triage(f"triage interests import {tmp_path / name}")
    assert code == 2
    assert why in error
    assert events(database) == []
    assert "cannot be read" in triage(f"triage interests import {tmp_path}")[2]


def test_nothing_of_a_list_is_shown_in_a_digest(database: Database, tmp_path: Path) -> None:
    stored_items(database)
    (tmp_path / "a.txt").write_text("Herons\nStorks\n")
    triage(f"triage interests import {tmp_path / 'a.txt'}")
    shown = json.loads(triage("triage digest --json")[1])
    assert not {"Herons", "Storks"} & {item["title"] for item in shown["items"]}
    assert shown["labels"] == 2
