"""A flood of items: a first order from their beginnings, then the rest, whatever dies in between."""

from __future__ import annotations

import io
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from encoder_in_process import FakeEncoder, install
from sqlalchemy import Connection, update
from world import NOW, TOPICS, add_source, clock, new_item

from model.passages import split, to_encode
from model.types import Window
from triage import config
from triage.core.items import Digest
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.fetching import ingest
from triage.services.ranker import indexing, leads
from triage.services.ranker.worker import Worker
from triage.services.reader import feedback
from triage.store import items
from triage.store.engine import Database
from triage.store.schema import Item, ItemText

COUNT = 60
WORDS = ["committee", "minutes", "session", "decision", "report", "quarter", "office", "member", "motion"]


def filler(count: int, seed: int) -> str:
    """So many sentences of 95 characters or so, none of which repeats another."""
    rng = random.Random(seed)
    return " ".join(
        "The {} of the {} and a {} were with the {} for the {} in its {} by {}.".format(
            *(f"{rng.choice(WORDS)}{''.join(rng.choices('aeiou', k=3))}" for _ in range(7))
        )
        for _ in range(count)
    )


def flood(database: Database, count: int = COUNT) -> list[int]:
    """Items of about 350 tokens whose beginnings say what they are about."""
    new = [
        new_item(
            f"k{n}",
            f"{topic} number {n}",
            f"{text} {filler(6, 1)}\n\nIn short: {text} {filler(7, 2)} Item {n}.",
            words=60,
        )
        for n, (topic, text) in zip(range(count), list(TOPICS.items()) * count, strict=False)
    ]
    with database.write() as connection:
        source = add_source(connection, "https://flood.example/", title="Flood")
        return items.insert_new(connection, source, new, NOW)


def unread(database: Database) -> int:
    return ingest.unread(database)


def with_vectors(database: Database) -> int:
    with database.read() as connection:
        statement = "SELECT count(*) FROM passage WHERE vector_id IS NOT NULL"
        return int(connection.exec_driver_sql(statement).scalar_one())


@pytest.fixture
def inside(database: Database, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker in this process, on the encoder in memory, to which twenty items are a flood."""
    install(monkeypatch.setattr)
    monkeypatch.setattr(indexing, "FLOOD", 20)
    monkeypatch.setattr(indexing, "PORTION", 8)
    worker = Worker(paths, config.load(paths.config_file), demo=False, replies=io.BytesIO())
    yield worker
    worker.close()


def ask(worker: Worker, op: str, **more: object) -> dict[str, object]:
    reply = worker.answer({"op": op, "now": NOW.isoformat(), **more})
    worker.finish()
    return reply


def digest_of(reply: dict[str, object]) -> Digest:
    assert isinstance(reply["digest"], dict)
    return Digest.from_json(reply["digest"])


def best(database: Database, count: int) -> list[int]:
    with database.read() as connection:
        return [row.id for row in items.best(connection, count)]


def test_a_first_order_needs_an_eighth_of_the_reading_and_is_much_like_the_last(
    database: Database, inside: Worker
) -> None:
    ids = flood(database)
    for item, verb in ((ids[0], Verb.LIKE), (ids[1], Verb.DISLIKE), (ids[4], Verb.LIKE)):
        feedback.mark(database, clock, item, verb)
    first = digest_of(ask(inside, "build"))
    assert first.items
    assert f"{COUNT} items" in first.warnings[0]
    assert unread(database) == with_vectors(database) == COUNT
    skimmed = sum(len(window.text) for window in FakeEncoder.read)
    soon = best(database, 15)

    FakeEncoder.read.clear()
    while ask(inside, "read_on")["waiting"]:
        assert inside._current().document["warnings"]  # type: ignore[union-attr]
    assert unread(database) == 0
    assert sum(len(window.text) for window in FakeEncoder.read) > 8 * skimmed
    assert len(set(soon) & set(best(database, 15))) >= 9
    last = Digest.from_json(inside._current().document)  # type: ignore[union-attr]
    assert last.warnings == ()
    assert last.built_at == first.built_at
    assert ask(inside, "read_on") == {"waiting": 0}


def test_the_best_are_read_whole_first(database: Database, inside: Worker) -> None:
    ids = flood(database)
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    ask(inside, "build")
    wanted = best(database, 8)
    FakeEncoder.read.clear()
    assert ask(inside, "read_on") == {"waiting": COUNT - 8}
    with database.read() as connection:
        texts = items.texts(connection, wanted)
        rows = items.by_ids(connection, wanted)
    expected = {w for i in wanted for w in to_encode(rows[i].title, texts[i], split(rows[i].title, texts[i]))}
    assert set(FakeEncoder.read) == expected


def test_a_flood_is_put_in_order_once_for_each_ranking_not_for_each_portion(
    database: Database, inside: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids, orders, best_leads = flood(database), [], items.best_leads

    def in_order(connection: Connection, encoder: str) -> list[int]:
        orders.append(best_leads(connection, encoder))
        return orders[-1]

    monkeypatch.setattr(items, "best_leads", in_order)
    ask(inside, "build")
    assert [ask(inside, "read_on")["waiting"] for _ in range(3)] == [COUNT - 8, COUNT - 16, COUNT - 24]
    assert len(orders) == 1
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    ask(inside, "rerank")
    assert ask(inside, "read_on") == {"waiting": COUNT - 32}
    with database.read() as connection:
        assert best_leads(connection, "fake@1") == orders[1][8:]
    assert orders[1] != [i for i in orders[0] if i in orders[1]]


def test_what_another_process_has_read_meanwhile_is_passed_over(database: Database, inside: Worker) -> None:
    flood(database)
    ask(inside, "build")
    ask(inside, "read_on")
    with database.write() as connection:
        next_ones = items.best_leads(connection, "fake@1")[:12]
        editions = {row.id: row.edition for row in items.leads(connection, "fake@1", next_ones)}
        items.mark_indexed(connection, editions, "fake@1")
    ask(inside, "read_on")
    assert unread(database) == COUNT - 8 - 12 - 4
    while ask(inside, "read_on")["waiting"]:
        pass
    assert unread(database) == 0


def test_few_items_are_read_whole_at_once(database: Database, inside: Worker) -> None:
    flood(database, 20)
    assert digest_of(ask(inside, "build")).warnings == ()
    assert unread(database) == 0


def test_marks_between_two_portions_see_one_corpus_and_undo_is_exact(
    database: Database, inside: Worker
) -> None:
    ids = flood(database)
    ask(inside, "build")
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    before = digest_of(ask(inside, "rerank"))
    ask(inside, "read_on")
    feedback.mark(database, clock, ids[5], Verb.DISLIKE)
    ask(inside, "rerank")
    ask(inside, "read_on")
    feedback.undo(database, clock)
    after = digest_of(ask(inside, "rerank"))
    assert [(i.id, i.score) for i in after.items] == [(i.id, i.score) for i in before.items]


def test_who_is_killed_while_reading_goes_on_where_it_was(
    database: Database, paths: Paths, inside: Worker
) -> None:
    flood(database)
    ask(inside, "build")
    program = (
        "import io, sys; from encoder_in_process import install; from triage import config; "
        "from triage.paths import Paths; from triage.services.ranker import indexing; "
        "from triage.services.ranker.worker import Worker; "
        "install(); indexing.PORTION = 8; paths = Paths.of(); "
        "worker = Worker(paths, config.load(paths.config_file), demo=False, replies=io.BytesIO())\n"
        "while True: "
        f"print(worker.answer({{'op': 'read_on', 'now': '{NOW.isoformat()}'}})['waiting'], flush=True)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert child.stdout is not None
    left = [int(child.stdout.readline()) for _ in range(3)][-1]
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert database.pragma("integrity_check") == "ok"
    assert unread(database) <= left == COUNT - 24
    known = with_vectors(database)
    rest = unread(database)
    FakeEncoder.read.clear()
    while ask(inside, "read_on")["waiting"]:
        pass
    assert len(FakeEncoder.read) <= 2 * rest  # two windows an item
    assert with_vectors(database) > known
    assert inside._current().document["warnings"] == []  # type: ignore[union-attr]


def test_an_item_that_is_revised_meanwhile_is_read_anew(database: Database, inside: Worker) -> None:
    ids = flood(database)
    ask(inside, "build")
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE item SET content_hash = 'new', indexed_with = NULL WHERE id = ?", (ids[3],)
        )
    while ask(inside, "read_on")["waiting"]:
        pass
    with database.read() as connection:
        assert [row.id for row in items.stale(connection, "fake@1", 10)] == [ids[3]]
    inside.answer({"op": "build", "now": (NOW + timedelta(hours=1)).isoformat()})
    with database.read() as connection:
        assert items.stale(connection, "fake@1", 10) == []


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("A title", "One sentence. Another one.", "A title One sentence. Another one."),
        ("A title", "", "A title"),
        ("", "One sentence. " + "Word " * 90, "One sentence."),
        ("A title", "word " * 90, "A title" + " word" * 27),
        ("", "", ""),
        (
            "标题",
            "第一句话。第二句话。" * 9,
            "标题 第一句话。 第二句话。 第一句话。 第二句话。 第一句话。 第二句话。",
        ),
    ],
)
def test_the_lead_ends_with_a_sentence_if_it_can(title: str, text: str, expected: str) -> None:
    assert leads.lead(title, text) == Window(expected)


def test_the_share_of_a_passage_is_that_of_its_window() -> None:
    title, text = "A title", "\n\n".join(f"{filler(5, n)} {n}." for n in range(4))
    parts = split(title, text)
    shares = [leads.share(title, text, parts, n) for n in range(len(parts))]
    for window in to_encode(title, text, parts):
        taken, shares = shares[: len(window.parts)], shares[len(window.parts) :]
        assert sum(taken) == pytest.approx(1)
    assert shares == []
    with pytest.raises(ValueError, match="no passage"):
        leads.share(title, text, parts, len(parts))


def test_what_the_encoder_cannot_read_is_ranked_by_words_and_the_digest_says_so(
    database: Database, inside: Worker
) -> None:
    ids = flood(database, 10)
    with database.write() as connection:
        connection.execute(update(Item).where(Item.id == ids[3]).values(title="Пчёлы весной"))
        text = "Пасечники считают ульи весной и находят их здоровыми."
        connection.execute(update(ItemText).where(ItemText.item_id == ids[3]).values(text=text))
    assert digest_of(ask(inside, "build")).by_words == 1
