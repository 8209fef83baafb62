from __future__ import annotations

import io
import os
import signal
import threading
from datetime import datetime, timedelta

import pytest
from world import NOW, clock, scores, stored_items

from triage import config
from triage.core import feedback as rules
from triage.core.errors import TriageError, UsageError, WorkerError
from triage.core.items import Digest
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.digest import digest_file
from triage.services.ranker.ranking import Ranked
from triage.services.ranker.worker import Worker
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback, reading
from triage.store.engine import Database


def test_a_mark_changes_the_order_and_undo_restores_it_exactly(
    database: Database, worker: ModelWorker
) -> None:
    """ML-09."""
    ids = stored_items(database)
    first = worker.build(NOW)
    for item, verb in ((ids[0], Verb.LIKE), (ids[1], Verb.DISLIKE)):
        feedback.mark(database, clock, item, verb)
        worker.rerank(NOW)
    before_digest, _ = worker.rerank(NOW)
    worker.flush(NOW)
    before = scores(database)
    before_hash = rules.profile_hash(feedback.events(database))

    feedback.mark(database, clock, ids[12], Verb.LIKE)
    changed, moved = worker.rerank(NOW)
    assert moved > 0
    assert [i.id for i in changed.items] != [i.id for i in before_digest.items]
    assert changed.profile != before_digest.profile

    feedback.undo(database, clock)
    restored, _ = worker.rerank(NOW)
    worker.flush(NOW)
    assert [i.id for i in restored.items] == [i.id for i in before_digest.items]
    assert scores(database) == pytest.approx(before, abs=1e-6)
    assert rules.profile_hash(feedback.events(database)) == before_hash == restored.profile
    assert first.profile != restored.profile


def test_a_like_lifts_what_is_like_it(database: Database, worker: ModelWorker) -> None:
    ids = stored_items(database)
    worker.build(NOW)
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    worker.rerank(NOW)
    worker.flush(NOW)
    best = sorted(scores(database).items(), key=lambda pair: -pair[1])
    titles = {item.id: item.title for item in reading.best(database, 100)}
    assert [titles[i].split()[0] for i, _ in best[:5]] == ["bees"] * 5


def test_what_is_marked_stays_in_the_digest_until_the_next_one(
    database: Database, worker: ModelWorker
) -> None:
    stored_items(database)
    item = worker.build(NOW).items[0].id
    feedback.mark(database, clock, item, Verb.DISLIKE)
    digest, _ = worker.rerank(NOW)
    assert {i.id: i.state for i in digest.items}[item] == "dislike"
    tomorrow = worker.build(NOW + timedelta(days=1))
    assert item not in {i.id for i in tomorrow.items}


def test_contributions_sum_to_the_score(database: Database, worker: ModelWorker) -> None:
    ids = stored_items(database)
    feedback.set_interest(database, clock, "honey and hives", 1.0)
    worker.build(NOW)
    feedback.mark(database, clock, ids[0], Verb.LIKE)
    feedback.mark(database, clock, ids[2], Verb.DISLIKE)
    worker.rerank(NOW)
    worker.flush(NOW)
    stored = scores(database)
    for item in ids[:6]:
        explained = worker.explain(item, NOW)
        assert sum(r.contribution for r in explained.reasons) == pytest.approx(explained.score, abs=1e-5)
        assert explained.score == pytest.approx(stored[item], abs=1e-9)


def test_numbers_are_not_said_before_fifteen_marks(database: Database, worker: ModelWorker) -> None:
    ids = stored_items(database, 40)
    worker.build(NOW)
    for item in ids[:14]:
        feedback.mark(database, clock, item, Verb.LIKE if item % 2 else Verb.DISLIKE)
    assert {i.p for i in worker.rerank(NOW)[0].items} == {None}
    feedback.mark(database, clock, ids[14], Verb.LIKE)
    assert all(i.p is not None and 0 <= i.p <= 1 for i in worker.rerank(NOW)[0].items)


def test_the_file_holds_the_digest_that_was_answered(
    database: Database, worker_process: ModelWorker, paths: Paths
) -> None:
    stored_items(database)
    assert digest_file.read(paths.digest) is None
    assert worker_process.build(NOW) == digest_file.read(paths.digest)
    assert paths.digest.stat().st_mode & 0o077 == 0
    paths.digest.write_text("{")
    assert digest_file.read(paths.digest) is None


def test_a_digest_without_an_encoder_says_so(database: Database, worker: ModelWorker) -> None:
    stored_items(database)
    assert any("words only" in warning for warning in worker.build(NOW).warnings)


def test_two_workers_end_with_what_the_reader_said_last(
    database: Database, worker_process: ModelWorker, paths: Paths
) -> None:
    ids = stored_items(database)
    worker_process.build(NOW)
    other = ModelWorker(paths, demo=False)
    try:
        for item in ids[:6]:
            feedback.mark(database, clock, item, Verb.LIKE)
            threads = [threading.Thread(target=each.rerank, args=(NOW,)) for each in (worker_process, other)]
            for thread in threads:
                thread.start()
            feedback.mark(database, clock, item + 12, Verb.DISLIKE)
            last, _ = worker_process.rerank(NOW)
            for thread in threads:
                thread.join()
            on_disk = digest_file.read(paths.digest)
            assert on_disk is not None
            assert on_disk.profile == last.profile == rules.profile_hash(feedback.events(database))
    finally:
        other.close()


def test_a_killed_worker_is_an_error_in_words_and_the_next_request_works(
    database: Database, worker_process: ModelWorker
) -> None:
    """TUI-06."""
    stored_items(database)
    worker_process.build(NOW)
    assert worker_process._child is not None
    os.kill(worker_process._child.pid, signal.SIGKILL)
    worker_process._child.wait()
    assert worker_process.build(NOW).items  # a worker that is gone is started again

    def kill(*_: object) -> None:
        assert worker_process._child is not None
        os.kill(worker_process._child.pid, signal.SIGKILL)

    with database.write() as connection:
        connection.exec_driver_sql("UPDATE item SET indexed_with = NULL")
    with pytest.raises(WorkerError, match="signal 9"):
        worker_process.build(NOW, kill)
    assert worker_process.build(NOW).items


def test_what_cannot_be_marked_is_refused(database: Database) -> None:
    with pytest.raises(UsageError, match="no item 99"):
        feedback.mark(database, clock, 99, Verb.LIKE)
    with pytest.raises(TriageError, match="nothing to undo"):
        feedback.undo(database, clock)
    with pytest.raises(UsageError, match="at least one word"):
        feedback.set_interest(database, clock, " !? ", 1)
    with pytest.raises(UsageError, match="between -10 and 10"):
        feedback.set_interest(database, clock, "bees", 11)
    with pytest.raises(UsageError, match="no interest"):
        feedback.set_interest(database, clock, "bees", 0)
    assert feedback.events(database) == []


def test_an_empty_store_gives_an_empty_digest(database: Database, worker: ModelWorker) -> None:
    digest = worker.build(NOW)
    assert digest.items == ()
    assert digest.considered == 0


def test_a_mark_does_not_bring_back_the_digest_of_before(
    database: Database, worker: ModelWorker, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process builds a digest while this one re-ranks the last."""
    stored_items(database)
    worker.build(NOW)
    mine = Worker(paths, config.load(paths.config_file), demo=False, replies=io.BytesIO())
    rank, later = mine._ranking.rank, NOW + timedelta(hours=1)

    def overtaken(as_of: datetime) -> Ranked:
        ranked = rank(as_of)
        monkeypatch.setattr(mine._ranking, "rank", rank)
        worker.build(later)
        return ranked

    monkeypatch.setattr(mine._ranking, "rank", overtaken)
    answer = mine.answer({"op": "rerank", "now": NOW.isoformat()})
    mine.close()
    on_disk = digest_file.read(paths.digest)
    assert on_disk is not None
    assert on_disk.built_at == later
    assert Digest.from_json(answer["digest"]) == on_disk


@pytest.mark.parametrize("end", [KeyboardInterrupt, BrokenPipeError])
def test_who_stops_listening_leaves_no_answer_to_the_next_question(
    database: Database, worker_process: ModelWorker, end: type[BaseException]
) -> None:
    stored_items(database)

    def stop(*_: object) -> None:
        raise end

    with pytest.raises(end):
        worker_process.build(NOW, stop)
    digest, moved = worker_process.rerank(NOW + timedelta(minutes=1))
    assert (digest.built_at, moved) == (NOW + timedelta(minutes=1), 0)


def test_a_damaged_file_is_no_digest(database: Database, worker: ModelWorker, paths: Paths) -> None:
    stored_items(database)
    worker.build(NOW)
    whole = paths.digest.read_bytes()
    assert digest_file.read(paths.digest) is not None
    for damaged in (
        b"",
        b"[]",
        b"{",
        b"[" * 100_000,
        b"\xff",
        whole.replace(b"+00:00", b"", 1),
        whole.replace(b'"minutes":', b'"minutes":"x', 1),
        whole.replace(b'"schema_version":1', b'"schema_version":2'),
    ):
        assert damaged != whole
        paths.digest.write_bytes(damaged)
        assert digest_file.read(paths.digest) is None, damaged[:40]


def test_a_worker_without_work_gives_its_memory_back_and_another_goes_on(
    paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored_items(database)
    worker = ModelWorker(paths, demo=False)
    worker.build(NOW)
    worker.rest()
    assert worker._child is not None, "it has just worked"
    monkeypatch.setattr("triage.services.ranker.worker_client.IDLE_S", 0.0)
    worker.rest()
    assert worker._child is None
    assert worker.build(NOW).items
    worker.close()
