"""Sources whose servers tell of news are due when they do, and cost nothing where no wait is possible."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from world import NOW, add_source, clock

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, Kind, Tools
from triage.config import Config
from triage.services.fetching import watching
from triage.services.fetching.watching import Watching
from triage.store import sources
from triage.store.engine import Database
from triage.store.sources import SourceRow


class Pushing:
    """An ingestor that answers to each wait what the test has put into `answers`; then it waits for ever."""

    name = "pushing"
    kind: Kind = "mail"

    def __init__(self) -> None:
        self.answers: list[FetchError | Exception | None] = []
        self.waits: list[FetchRequest] = []
        self.ended = 0

    def claim(self, target: str) -> Claim | None:
        return None

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        return FetchResult(cursor=request.cursor)

    async def watch(self, request: FetchRequest) -> FetchError | None:
        self.waits.append(request)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1
        return None


@pytest.fixture
def pushing(monkeypatch: pytest.MonkeyPatch) -> Pushing:
    ingestor = Pushing()
    monkeypatch.setattr("triage.services.fetching.watching.registry.get", {"pushing": ingestor}.get)
    for name in ("LOOK_S", "SETTLE_S", "FIRST_PAUSE_S"):
        monkeypatch.setattr(watching, name, 0.01)
    return ingestor


def _source(database: Database, *, fetched: bool = True) -> int:
    with database.write() as connection:
        source_id = add_source(connection, "push:1", ingestor="pushing", kind="mail")
        if fetched:
            source = next(row for row in sources.active(connection) if row.id == source_id)
            state = source.poll_state
            sources.record_success(
                connection, source, cursor={"at": 7}, title=None, now=NOW, note=None,
                state=type(state)(next_due_at=clock().replace(year=2027), polling=state.polling),
            )  # fmt: skip
    return source_id


def _row(database: Database) -> SourceRow:
    with database.read() as connection:
        return sources.active(connection)[0]


async def _run_until(database: Database, condition: Callable[[], bool]) -> None:
    task = asyncio.create_task(Watching(database, Config(), clock).run())
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  what it waits for is in a database
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_news_make_a_source_due_and_the_wait_goes_on(database: Database, pushing: Pushing) -> None:
    _source(database)
    pushing.answers = [None]
    await _run_until(database, lambda: len(pushing.waits) == 2)
    assert _row(database).next_due_at <= clock()
    assert pushing.waits[0].cursor == {"at": 7}
    assert pushing.ended == 1  # the second wait, with the process


async def test_a_lost_connection_is_made_again(database: Database, pushing: Pushing) -> None:
    """MAIL-03"""
    _source(database)
    pushing.answers = [FetchError("network", "lost"), FetchError("timeout", "silent")]
    await _run_until(database, lambda: len(pushing.waits) == 3)
    assert _row(database).next_due_at > clock()


@pytest.mark.parametrize(
    "answer", [FetchError("usage", "no push"), FetchError("denied", "no"), ValueError("bug")]
)
async def test_what_cannot_be_waited_for_is_left_to_polling(
    database: Database, pushing: Pushing, answer: FetchError | Exception
) -> None:
    _source(database)
    pushing.answers = [answer]
    await _run_until(database, lambda: len(pushing.waits) == 1)
    task = asyncio.create_task(Watching(database, Config(), clock).run())
    pushing.answers = [answer]
    async with asyncio.timeout(10):
        while len(pushing.waits) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)  # in which nothing more happens
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(pushing.waits) == 2


async def test_a_paused_source_is_not_waited_for(database: Database, pushing: Pushing) -> None:
    """MAIL-17: no login behind the reader's back after the password was refused."""
    source_id = _source(database)
    task = asyncio.create_task(Watching(database, Config(), clock).run())
    async with asyncio.timeout(10):
        while not pushing.waits:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        with database.write() as connection:
            sources.pause(connection, source_id, "the password was refused")
        while not pushing.ended:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(pushing.waits) == 1


async def test_what_was_never_fetched_is_not_waited_for(database: Database, pushing: Pushing) -> None:
    _source(database, fetched=False)
    task = asyncio.create_task(Watching(database, Config(), clock).run())
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert pushing.waits == []
