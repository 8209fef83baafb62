"""Moving house: what is exported ranks there as here, twice adds nothing, and half is never in."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from world import NOW, Ticking, scores, stored_items

from model.artifacts import Artifact, Judged, Measures
from model.blend import Settings
from triage import config
from triage.core import feedback as said
from triage.core.errors import UsageError
from triage.core.items import Digest
from triage.core.portable import event_name, event_names
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.moving import exporting, merging, received
from triage.services.moving.exporting import What
from triage.services.ranker.models import Models
from triage.services.ranker.ranking import RANKER
from triage.services.ranker.worker import Worker
from triage.services.reader import feedback, journal, rules, searching
from triage.store import fulltext, items, portable, sources
from triage.store.engine import Database
from triage.store.migrate import ensure_schema

WINDOW = timedelta(days=30)


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def models(paths: Paths) -> Models:
    return Models(paths.models, RANKER)


class Ranker:
    """The worker's inside, in this process."""

    def __init__(self, paths: Paths) -> None:
        self._inner = Worker(paths, config.load(paths.config_file), demo=False, replies=io.BytesIO())

    def rank(self, op: str) -> Digest:
        answer = self._inner.answer({"op": op, "now": NOW.isoformat()})
        self._inner.finish()
        return Digest.from_json(answer["digest"])

    def close(self) -> None:
        self._inner.close()


@pytest.fixture
def ranker(paths: Paths, database: Database) -> Iterator[Ranker]:
    started = Ranker(paths)
    yield started
    started.close()


class Home:
    """Another machine."""

    def __init__(self, folder: Path) -> None:
        self.paths = Paths.of({"TRIAGE_HOME": str(folder)})
        self.paths.create()
        self.paths.config_file.write_text('[model]\nencoder = "/nonexistent"\n')
        self.database = Database(self.paths.database)
        ensure_schema(self.database, self.paths.backups, NOW)
        self.models = Models(self.paths.models, RANKER)
        self.ranker = Ranker(self.paths)

    def take(self, body: bytes) -> str:
        return str(merging.merge(self.database, self.models, lambda: NOW + timedelta(days=1), body, "a file"))

    def close(self) -> None:
        self.ranker.close()
        self.database.close()


@pytest.fixture
def new_home(tmp_path: Path) -> Iterator[Callable[[], Home]]:
    homes: list[Home] = []

    def make() -> Home:
        homes.append(Home(tmp_path / f"home {len(homes)}"))
        return homes[-1]

    yield make
    for home in homes:
        home.close()


def exported(database: Database, models: Models, what: What = "all") -> bytes:
    return b"".join(exporting.export(database, models, what, NOW, WINDOW))


def order(database: Database) -> dict[str, float]:
    """Title -> score, best first."""
    ranked = scores(database)
    with database.read() as connection:
        titles = {i: row.title for i, row in items.by_ids(connection, list(ranked)).items()}
    return {titles[i]: ranked[i] for i in sorted(ranked, key=lambda i: (-ranked[i], titles[i]))}


def a_life(database: Database, clock: Ticking, ids: list[int]) -> None:
    """Marks, an interest, rules of every kind, an alias, and things that were taken back."""
    for place, verb in enumerate((Verb.LIKE, Verb.DISLIKE, Verb.LOVE, Verb.LATER, Verb.DISLIKE, Verb.LIKE)):
        feedback.mark(database, clock, ids[place], verb)
    feedback.mark(database, clock, ids[0], Verb.DISLIKE)
    feedback.set_interest(database, clock, "honey and hives", 2.0)
    rules.add(database, clock, 'source:"Source 1" +1')
    rules.add(database, clock, "kind:mail never")
    rules.alias(database, clock, "queen bee", "mother of the hive")
    searching.save(database, clock, "hives", "honey tag:bees")
    searching.save(database, clock, "gone", "honey")
    searching.forget(database, clock, "gone")
    journal.undo(database, clock, 2)
    journal.undo(database, clock, 4)
    journal.redo(database, clock, 2)


def learned(models: Models, database: Database, ids: list[int]) -> str:
    """A version with settings of its own, and standings of marks that were made before it."""
    same = Measures(log_loss=0.5, average_precision=0.5)
    with database.read() as connection:
        names = portable.names_of_items(connection, ids[:4])
    return models.promote(
        Artifact(
            ranker=RANKER,
            encoder="words",
            created=NOW,
            parent=None,
            settings=Settings(words=2.0),
            rehearsed={name: 0.5 + n for n, name in enumerate(names.values())},
            judged=Judged(
                how="a test",
                labels=45,
                held_back=15,
                fitting_before=same,
                fitting_after=same,
                held_back_before=same,
                held_back_after=same,
            ),
        )
    )


def test_an_empty_home_ranks_exactly_as_the_one_that_was_exported(
    database: Database, ranker: Ranker, clock: Ticking, models: Models, new_home: Callable[[], Home]
) -> None:
    ids = stored_items(database, 40)
    version = learned(models, database, ids)
    ranker.rank("build")
    a_life(database, clock, ids)
    digest = ranker.rank("rerank")
    body = exported(database, models)
    home = new_home()
    assert home.take(body) == "2 sources, 40 items, 17 events and 1 version of the model imported"
    assert home.models.in_use("words").version == version
    home.ranker.rank("build")
    assert order(home.database) == order(database)
    assert len(order(database)) == 40
    events, there = feedback.events(database), feedback.events(home.database)
    assert said.profile_hash(there) == said.profile_hash(events) == digest.profile
    entries = journal.entries(home.database, clock())
    assert entries == journal.entries(database, clock())
    assert any(entry.effect for entry in entries)
    assert exported(home.database, home.models) == body


def test_without_the_model_another_order_would_be_there(
    database: Database, ranker: Ranker, clock: Ticking, models: Models, new_home: Callable[[], Home]
) -> None:
    """So that the test above can fail."""
    ids = stored_items(database, 40)
    learned(models, database, ids)
    ranker.rank("build")
    a_life(database, clock, ids)
    ranker.rank("rerank")
    lines = exported(database, models).splitlines(keepends=True)
    home = new_home()
    home.take(b"".join(line for line in lines if b'"kind":"model"' not in line))
    home.ranker.rank("build")
    assert order(home.database) != order(database)


def test_where_the_items_are_already_the_events_alone_give_the_same_order(
    database: Database, ranker: Ranker, clock: Ticking, models: Models, new_home: Callable[[], Home]
) -> None:
    ids = stored_items(database, 40)
    ranker.rank("build")
    a_life(database, clock, ids)
    ranker.rank("rerank")
    home = new_home()
    stored_items(home.database, 40)
    assert home.take(exported(database, models, "events")) == "17 events imported"
    home.ranker.rank("build")
    assert order(home.database) == order(database)


def test_the_same_file_twice_adds_nothing(
    database: Database, clock: Ticking, models: Models, new_home: Callable[[], Home]
) -> None:
    ids = stored_items(database)
    learned(models, database, ids)
    a_life(database, clock, ids)
    home = new_home()
    whats: list[What] = ["all", "events", "interests", "rules", "model"]
    files = [exported(database, models, what) for what in whats]
    home.take(files[0])
    before = exported(home.database, home.models)
    for body in files:
        assert home.take(body) == "nothing new: all of it is here already"
        merged = merging.merge(database, models, clock, body, "its own")
        assert (str(merged), merged.notes) == ("nothing new: all of it is here already", [])
    assert exported(home.database, home.models) == before


@given(st.data())
def test_two_logs_become_one_whichever_way_they_are_put_together(data: st.DataObject) -> None:
    """On the values alone: names do not depend on ids, and the order is that of the stamps."""
    stamps = data.draw(st.lists(st.integers(0, 1000), min_size=1, max_size=8, unique=True))
    verbs = st.sampled_from([Verb.LIKE, Verb.LOVE, Verb.DISLIKE])
    log = [
        said.Event(
            id=n,
            at=NOW,
            stamp=NOW + timedelta(microseconds=stamp),
            verb=data.draw(verbs),
            item_id=data.draw(st.integers(1, 3)),
        )
        for n, stamp in enumerate(stamps)
    ]
    moved = [
        dataclasses.replace(event, id=100 - n) for n, event in enumerate(data.draw(st.permutations(log)))
    ]
    assert list(event_names(log).values()) == list(event_names(moved).values())
    assert said.judgements(log) == said.judgements(moved)
    assert said.states(log) == said.states(moved)


def test_two_machines_that_exchange_their_events_agree(
    database: Database, ranker: Ranker, clock: Ticking, models: Models, new_home: Callable[[], Home]
) -> None:
    """The last word on an item counts, wherever it was said and whichever file came first."""
    home = new_home()
    ids, there = stored_items(database), stored_items(home.database)
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    feedback.mark(home.database, clock, there[0], Verb.DISLIKE)
    feedback.mark(database, clock, ids[1], Verb.LOVE)
    feedback.mark(home.database, clock, there[1], Verb.LIKE)
    journal.undo(home.database, clock, 1)
    here, over_there = exported(database, models, "events"), exported(home.database, home.models, "events")
    assert home.take(here) == "2 events imported"
    merging.merge(database, models, clock, over_there, "a file")
    assert said.states(feedback.events(database)) == {ids[0]: "like", ids[1]: "like"}
    assert exported(database, models, "events") == exported(home.database, home.models, "events")
    for machine in (ranker, home.ranker):
        machine.rank("build")
    assert len(order(database)) == 24
    assert order(database) == order(home.database)


def test_interests_and_rules_alone_are_said_where_they_do_not_hold(
    database: Database, clock: Ticking, models: Models, new_home: Callable[[], Home]
) -> None:
    a_life(database, clock, stored_items(database))
    home = new_home()
    feedback.set_interest(home.database, clock, "honey and hives", 1.0)
    assert home.take(exported(database, models, "interests")) == "1 event imported"
    assert home.take(exported(database, models, "rules")) == "3 events imported"
    events, there = feedback.events(database), feedback.events(home.database)
    assert said.interests(there) == said.interests(events) == {"honey and hives": 2.0}
    assert said.rules(there) == said.rules(events)
    assert said.aliases(there) == said.aliases(events)


def test_items_that_share_a_text_stay_apart(
    database: Database, models: Models, new_home: Callable[[], Home]
) -> None:
    """Where they came from they were told apart by their keys."""
    stored_items(database, 6, lambda n: ("The same title", "The same text, long enough to be a name." * 4))
    home = new_home()
    assert home.take(exported(database, models)) == "2 sources and 6 items imported"
    assert exported(home.database, home.models) == exported(database, models)


def test_a_full_text_moves_with_what_the_source_served(
    database: Database, models: Models, new_home: Callable[[], Home]
) -> None:
    item_id = stored_items(database)[0]
    with database.write() as connection:
        row = fulltext.rows(connection, [item_id])[item_id]
        fulltext.exchange_text(connection, row, "The whole story of hives.", words=5, cjk_characters=0)
        fulltext.record_text(
            connection, item_id, missing=None, tried_at=NOW, found_at="https://a.example/", served=row.served
        )
    home = new_home()
    home.take(exported(database, models))
    with home.database.read() as connection:
        moved = fulltext.rows(connection, [item_id])[item_id]
        assert items.text(connection, item_id) == "The whole story of hives."
        assert (moved.served, moved.found_at) == (row.served, "https://a.example/")
    assert [item.id for item in searching.find(home.database, lambda: NOW, "whole story")] == [item_id]
    assert exported(home.database, home.models) == exported(database, models)


# ---------------------------------------------------------------- what a stranger may have written


@pytest.fixture(scope="module")
def body(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """What an honest machine has written."""
    home = Home(tmp_path_factory.mktemp("honest"))
    ids = stored_items(home.database)
    learned(home.models, home.database, ids)
    a_life(home.database, Ticking(), ids)
    body = exported(home.database, home.models)
    home.close()
    return body


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home that refuses everything, so it stays empty."""
    home = Home(tmp_path_factory.mktemp("untouched"))
    yield home
    assert exported(home.database, home.models).count(b"\n") == 1
    assert not home.paths.models.exists()
    home.close()


def changed(body: bytes, kind: str, fields: dict[str, object]) -> tuple[bytes, int]:
    """The file with other fields in its first line of a kind, and the number of that line."""
    rows = [json.loads(line) for line in body.splitlines()]
    number = next(n for n, row in enumerate(rows) if row["kind"] == kind)
    rows[number] |= fields
    return "\n".join(map(json.dumps, rows)).encode(), number + 1


def renamed(event: dict[str, Any]) -> dict[str, Any]:
    """An event under the name that fits what it says: a stranger can make one."""
    line = received.archive.EventLine(
        **{k: v for k, v in event.items() if k not in ("kind", "name", "stamp", "at", "until", "verb")},
        name="0" * 32,
        stamp=datetime.fromisoformat(event["stamp"]),
        at=datetime.fromisoformat(event["at"]),
        verb=Verb(event["verb"]),
    )
    return event | {"name": event_name(received.event(line), line.undoes)}


STAMP = NOW.isoformat()


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        ("source", {"kind": "sauce"}, "Invalid value 'sauce'"),
        ("source", {"more": 1}, "unknown field `more`"),
        ("source", {"target": "https://me:secret@feed.example/"}, "its target holds a password"),
        ("source", {"settings": {"password_command": "rm -rf /"}}, "password_command' cannot be imported"),
        ("source", {"settings": {"token_env": "HOME"}}, "token_env' cannot be imported"),
        ("source", {"settings": {"allow_local": True}}, "allow_local' cannot be imported"),
        ("source", {"settings": {"days": 10**9}}, "days must be a number"),
        ("source", {"settings": {"title": 5}}, "its title is no text"),
        ("source", {"ingestor": "\x1b[2J"}, "characters that are no text"),
        ("item", {"key": "other"}, "its name is not that of its source and key"),
        ("item", {"target": "https://other.example/"}, "no line before it is its source"),
        ("item", {"first_seen": "2999-01-01T00:00:00Z"}, "has not come yet"),
        ("item", {"first_seen": "2026-01-01T00:00:00"}, "timezone"),
        ("item", {"text": "x" * 200_001}, "length <= 200000"),
        ("item", {"people": ["a"] * 201}, "length <= 200"),
        ("event", {"weight": 2.0}, "its name is not that of what it says"),
        ("event", {"at": "2999-01-01T00:00:00Z"}, "has not come yet"),
        ("event", {"verb": "hate"}, "Invalid enum value 'hate'"),
        ("event", {"standing": 1e9}, "<= 1000"),
        ("event", {"effect": {"kind": "effect", "moved": -1, "size": 1}}, ">= 0"),
        ("model", {"tensors": base64.b64encode(b"PK").decode()}, "its hash is not the one"),
        ("model", {"id": "../../../etc/x"}, "regex"),
        ("triage-export", {"version": 2}, "is of version 2"),
        ("triage-export", {"kind": "source"}, "unknown field `version`"),
    ],
)
def test_a_line_that_cannot_be_used_is_named_and_nothing_is_imported(
    body: bytes, untouched: Home, kind: str, fields: dict[str, object], says: str
) -> None:
    hostile, number = changed(body, kind, fields)
    with pytest.raises(UsageError) as refused:
        untouched.take(hostile)
    assert says in str(refused.value)
    assert "version 2" in says or f"a file, line {number}: " in str(refused.value)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ({"verb": "like", "item": "f" * 32}, "no line before it is its item"),
        ({"verb": "like"}, "like is about an item"),
        ({"verb": "undo", "undoes": "f" * 32}, "no line before it is the event"),
        ({"verb": "undo"}, "an undo, and nothing else"),
        ({"verb": "interest", "phrase": "!!", "weight": 1}, "needs at least one word"),
        ({"verb": "interest", "phrase": "a\x1b[31mb", "weight": 1}, "no text"),
        ({"verb": "never", "phrase": "colour:red"}, "colour"),
        ({"verb": "alias", "phrase": "one form", "weight": 1}, ""),
        ({"verb": "rule", "phrase": 'title:"x"', "weight": 1, "stamp": "9999-12-31T23:59:59Z"}, "no time"),
        ({"verb": "search", "phrase": "crypto is:(((", "weight": 1}, ""),
        ({"verb": "search", "phrase": "@@ bees"}, "no search"),
        ({"verb": "rule", "phrase": "(" * 11_000, "weight": 1}, "length <= 10000"),
    ],
)
def test_an_event_that_says_nothing_that_can_be_said_is_refused(
    body: bytes, untouched: Home, event: dict[str, Any], says: str
) -> None:
    """It would keep everything from being ranked, if it were in."""
    line = renamed({"kind": "event", "name": "", "stamp": STAMP, "at": STAMP, **event})
    with pytest.raises(UsageError, match=r"a file, line \d+: ") as refused:
        untouched.take(body + json.dumps(line).encode())
    assert says in str(refused.value)


def test_texts_are_sanitised_and_flags_are_known_ones(body: bytes, new_home: Callable[[], Home]) -> None:
    fields: dict[str, object] = {"title": "\x1b]0;t\x07 [bold]", "text": "a\x00b"}
    hostile, _ = changed(body, "item", {**fields, "url": "javascript:x", "flags": ["\x1b"]})
    home = new_home()
    home.take(hostile)
    with home.database.read() as connection:
        row = items.by_ids(connection, [1])[1]
        assert (row.title, items.text(connection, 1), row.url) == (
            "\ufffd]0;t\ufffd [bold]",
            "a\ufffdb",
            None,
        )


BEYOND_ALL_TIME = b'{"kind":"interest","phrase":"bees","weight":1,"until":"9999-12-31T23:59:59-14:00"}'


@pytest.mark.parametrize("tail", [b"[" * 100_000, b"\xff\xfe", b"{}", b"null", b'{"kind":', BEYOND_ALL_TIME])
def test_bytes_that_are_no_line_are_refused(body: bytes, untouched: Home, tail: bytes) -> None:
    with pytest.raises(UsageError, match=f"line {body.count(chr(10).encode()) + 1}: "):
        untouched.take(body + tail)


def test_what_nothing_here_can_read_is_kept_but_not_asked(body: bytes, new_home: Callable[[], Home]) -> None:
    rows = [json.loads(line) for line in body.splitlines()]
    rows = [r for r in rows if r["kind"] in ("triage-export", "source")]
    rows[1] |= {"ingestor": "elsewhere", "settings": {}}
    home = new_home()
    merged = merging.merge(
        home.database, home.models, lambda: NOW, "\n".join(map(json.dumps, rows)).encode(), "a file"
    )
    assert str(merged) == "1 source imported"
    assert merged.notes == ["nothing here can read https://0.example/: its items are kept, it is not asked"]
    with home.database.read() as connection:
        assert [source.target for source in sources.active(connection)] == ["https://1.example/"]


def test_an_honest_machine_with_odd_names_can_be_moved(
    database: Database, clock: Ticking, models: Models, new_home: Callable[[], Home]
) -> None:
    """What is unusual is not hostile: its own export must never be refused."""
    item_id = stored_items(database, 2)[0]
    with database.write() as connection:
        sources.change(connection, 1, target="/home/x/My  Mail ", title="Ünusual  \u200bname")
    rules.add(database, clock, 'title:"two  spaces" +1')
    feedback.set_interest(database, clock, "日本語 と English", 1.0)
    feedback.mark(database, clock, item_id, Verb.LIKE)
    home = new_home()
    assert home.take(exported(database, models)) == "1 source, 2 items and 3 events imported"
    assert home.take(exported(database, models, "events")) == "nothing new: all of it is here already"
