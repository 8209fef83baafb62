from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from encoder_in_process import install
from world import NOW, add_source, clock, new_item, store

from triage import config
from triage.core.errors import TriageError, UsageError
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.ranker.worker import Worker
from triage.services.reader import feedback, rule_book, rules, searching
from triage.store import items, stories
from triage.store.engine import Database

LONG_AGO = NOW - timedelta(days=40)


WIRE = [
    new_item("a", "Ferries return", "The harbour ferry runs again.", people=["Jane Doe"], tags=["transport"]),
    new_item("b", "Harbour plans", "Quays and cranes, and a tram.", published_at=LONG_AGO),
    new_item("c", "Sourdough", "Bread wants time.", tags=["machine learning", "bread"]),
]
POST = [
    new_item("d", "Minutes", "On the harbour, by Zoë Österberg.", kind="mail", people=["Zoë Österberg"]),
    new_item("e", "Attention pooling", "A survey of pooled attention.", kind="paper", tags=["cs.LG"]),
]


@pytest.fixture
def known(database: Database) -> dict[str, int]:
    """Key -> id of the items of two sources."""
    ids: dict[str, int] = {}
    with database.write() as connection:
        for title, tags, new in (("The Wire", ["news"], WIRE), ("Post Box", [], POST)):
            target = f"https://{title.split()[-1].lower()}.example/"
            source = add_source(connection, target, title=title, tags=tags)
            added = store(connection, source, new, name=title)
            ids |= {each.key: i for each, i in zip(new, added, strict=True)}
    return ids


@pytest.fixture
def inside(
    database: Database, paths: Paths, known: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Worker]:
    """The worker, in this process, with an encoder that knows words."""
    install(monkeypatch.setattr)
    worker = Worker(paths, config.load(paths.config_file), demo=False, replies=io.BytesIO())
    worker.answer({"op": "build", "now": NOW.isoformat()})
    yield worker
    worker.close()


def keys(
    database: Database, known: dict[str, int], text: str, near: list[tuple[int, float]] | None = None
) -> str:
    names = {item_id: key for key, item_id in known.items()}
    return "".join(names[found.id] for found in searching.find(database, clock, text, near=near or ()))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("harbour", "bad"),
        ("title:harbour", "b"),
        ("text:harbour", "ad"),
        ("harbour -ferry", "bd"),
        ('"harbour ferry"', "a"),
        ("harb* runs", "a"),
        ("-harbour", "ec"),
        ("from:jane", "a"),
        ('from:"the wire"', "cab"),
        ("from:osterberg", "d"),
        ("source:post", "ed"),
        ("source:wire.example harbour", "ba"),
        ("-source:wire", "ed"),
        ("tag:transport", "a"),
        ("tag:news", "cab"),
        ('tag:"machine learning"', "c"),
        ("tag:learning-bread", ""),
        ("tag:cs.*", "e"),
        ("kind:mail", "d"),
        ("is:paper", "e"),
        ("-is:feed", "ed"),
        ("before:30d", "b"),
        ("harbour after:2026-02", "ad"),
        ("harbour before:2026-02", "b"),
    ],
)
def test_filters_hold(database: Database, known: dict[str, int], text: str, found: str) -> None:
    assert sorted(keys(database, known, text)) == sorted(found)


def test_what_the_reader_said_is_a_filter_too(database: Database, known: dict[str, int]) -> None:
    feedback.mark(database, clock, known["a"], Verb.LIKE)
    feedback.mark(database, clock, known["b"], Verb.LOVE)
    feedback.mark(database, clock, known["c"], Verb.LATER)
    with database.write() as connection:
        stories.put(connection, [(known["a"], known["a"], b""), (known["d"], known["a"], b"")])
    assert keys(database, known, "is:loved") == "b"
    assert sorted(keys(database, known, "is:liked")) == ["a", "b"]
    assert keys(database, known, "is:later") == "c"
    assert keys(database, known, "is:settled") == "d"
    assert keys(database, known, "is:new") == "e"
    assert sorted(keys(database, known, "-is:new harbour")) == ["a", "b", "d"]
    assert keys(database, known, "is:disliked is:liked") == ""


def test_hits_are_shown_where_they_are(database: Database, known: dict[str, int]) -> None:
    (found,) = searching.find(database, clock, "by oster")
    (passage,) = found.highlights
    assert passage.text == "On the harbour, by Zoë Österberg."
    assert [passage.text[a:b] for a, b in passage.phrases] == ["by", "Österberg"]


def nearest(worker: Worker, text: str) -> list[tuple[int, float]]:
    request = {"op": "nearest", "query": text, "limit": 10, "now": NOW.isoformat()}
    return [(found[0], found[1]) for found in worker.answer(request)["nearest"]]


def test_what_is_near_in_meaning_is_found_behind_what_has_the_words(
    database: Database, known: dict[str, int], inside: Worker
) -> None:
    near = nearest(inside, "pooled attention bread")
    assert {known["e"], known["c"]} <= {item_id for item_id, _ in near}
    assert all(0.3 <= cosine <= 1.01 for _, cosine in near)
    assert keys(database, known, "pooled attention bread") == ""
    assert keys(database, known, "pooled attention bread", near)[0] == "e"
    assert keys(database, known, "harbour", [(known["c"], 0.9)])[0] == "b", "all words are in its title"


def test_filters_hold_of_what_is_near_as_well(known: dict[str, int], inside: Worker) -> None:
    assert known["e"] in dict(nearest(inside, "pooled attention"))
    assert known["e"] not in dict(nearest(inside, "pooled attention -is:paper"))
    assert nearest(inside, "is:paper") == [], "there are no words to be near to"


def test_new_items_are_near_as_soon_as_they_are_read(
    database: Database, known: dict[str, int], inside: Worker
) -> None:
    assert nearest(inside, "lighthouse keepers") == []
    with database.write() as connection:
        (new,) = items.insert_new(connection, 1, [new_item("z", "Lighthouse keepers", "They keep it.")], NOW)
    inside.answer({"op": "build", "now": NOW.isoformat()})
    assert nearest(inside, "lighthouse keepers")[0][0] == new


def test_a_passage_is_near_however_long_the_text_around_it_is(
    database: Database, known: dict[str, int], inside: Worker
) -> None:
    around = " ".join(f"Committee {word} met about quarterly reports and minutes again." for word in "abcdef")
    said = "Lighthouse keepers trim lamps while foghorns sound across empty straits."
    with database.write() as connection:
        new = [new_item("y", "One", said), new_item("z", "Two", f"{around}\n\n{said}\n\n{around}")]
        ids = items.insert_new(connection, 1, new, NOW)
    inside.answer({"op": "build", "now": NOW.isoformat()})
    near = dict(nearest(inside, said))
    assert near[ids[0]] == pytest.approx(1, abs=0.01)
    assert near[ids[1]] > 0.75


def test_without_an_encoder_it_says_that_there_is_no_meaning(
    database: Database, paths: Paths, known: dict[str, int]
) -> None:
    worker = Worker(paths, config.load(paths.config_file), demo=False, replies=io.BytesIO())
    reply = worker.answer({"op": "nearest", "query": "harbour", "limit": 9, "now": NOW.isoformat()})
    worker.close()
    assert reply["nearest"] == []
    assert "encoder" in reply["problem"]


def test_a_kept_search_is_an_event_like_any_other(database: Database, known: dict[str, int]) -> None:
    assert (
        searching.save(database, clock, "Quays", "harbour -ferry").message
        == "a search: @Quays = harbour -ferry"
    )
    searching.save(database, clock, "old", "@quays before:30d")
    assert searching.saved(database) == {"old": "harbour -ferry before:30d", "Quays": "harbour -ferry"}
    assert keys(database, known, "@old") == "b"
    assert searching.forget(database, clock, "@quays").message == "no longer a search: @Quays"
    assert list(searching.saved(database)) == ["old"]
    assert feedback.undo(database, clock).message == "undone: no longer a search: @Quays"
    assert list(searching.saved(database)) == ["old", "Quays"]


@pytest.mark.parametrize(
    ("name", "text"), [("a b", "x"), ("", "x"), ("x" * 41, "x"), ("ok", "is:lked"), ("ok", "-")]
)
def test_what_is_no_search_is_not_kept(database: Database, name: str, text: str) -> None:
    with pytest.raises(UsageError):
        searching.save(database, clock, name, text)
    with pytest.raises(TriageError, match="no saved search"):
        searching.forget(database, clock, "ok")
    assert searching.saved(database) == {}


def test_a_kept_search_makes_a_rule(database: Database, known: dict[str, int]) -> None:
    searching.save(database, clock, "boats", "ferry from:jane")
    said = rules.add(database, clock, "never @boats").message
    assert 'never mentions:"ferry" and (author:"jane" or source:"jane")' in said
    searching.forget(database, clock, "boats")
    (row,) = rule_book.book(database, datetime.now().astimezone().replace(year=2026, month=3, day=2)).rules
    assert row.matched == 1
