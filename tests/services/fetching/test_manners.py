"""What the database remembers of a source's manners, over restarts; each sync is one with a new client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from loopback import LoopbackServer, Route
from world import NOW

from ingestors import throttle, transport
from triage.config import Config
from triage.core.errors import UsageError
from triage.services.fetching import ingest
from triage.services.fetching import sources as service
from triage.services.fetching.writing import SourceReport
from triage.services.reader import reading
from triage.store import sources
from triage.store.engine import Database
from triage.store.sources import SourceRow


class Hours:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hours:
    return Hours()


@pytest.fixture
def add(database: Database, clock: Hours) -> Callable[[str], int]:
    def added(url: str) -> int:
        return service.add(database, clock, url, allow_local=True).id

    return added


def rss(*titles: str, channel: str = "") -> bytes:
    items = "".join(f"<item><guid>{t}</guid><title>{t}</title></item>" for t in titles)
    return f"<rss version='2.0'><channel><title>T</title>{channel}{items}</channel></rss>".encode()


def sync(database: Database, clock: Hours, **how: bool) -> list[SourceReport]:
    return asyncio.run(ingest.sync(database, Config(), clock, **how))  # type: ignore[arg-type]


def rows(database: Database) -> dict[int, SourceRow]:
    with database.read() as connection:
        return {row.id: row for row in sources.active(connection)}


def titles(database: Database) -> list[str]:
    return sorted(item.title for item in reading.best(database, 100))


def sound(database: Database) -> bool:
    """No orphans, no two items of one name, every item in an existing source."""
    with database.read() as connection:
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        twins = connection.exec_driver_sql(
            "SELECT source_id, key FROM item GROUP BY source_id, key HAVING count(*) > 1"
        ).all()
    return database.pragma("integrity_check") == "ok" and not broken and not twins


def test_retry_after_holds_for_the_whole_host_and_over_a_restart(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int]
) -> None:
    """NET-15. A source that was not asked has not failed."""
    server.routes |= {"/busy": Route(b"", 429, {"Retry-After": "7200"}), "/calm": Route(rss("One"))}
    busy = add(server.url("/busy"))
    (report,) = sync(database, clock)
    assert report.error is not None
    calm = add(server.url("/calm"))
    (waiting,) = sync(database, clock)
    assert (waiting.id, waiting.error) == (calm, None)
    assert waiting.postponed is not None
    assert "left alone for 120 min" in waiting.postponed
    row = rows(database)[calm]
    assert (row.failures, row.last_error, row.attempted_at) == (0, None, None)
    assert row.next_due_at >= NOW + timedelta(hours=2)
    clock.now += timedelta(hours=1, minutes=59)
    assert sync(database, clock, ask_now=True) == []
    assert len(server.log) == 1
    clock.now += timedelta(minutes=10)
    assert {report.id for report in sync(database, clock, ask_now=True)} == {busy, calm}
    assert titles(database) == ["One"]


def test_a_pause_from_before_the_clock_was_set_back_is_none(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int]
) -> None:
    """DB-17."""
    server.routes |= {"/busy": Route(b"", 429, {"Retry-After": "7200"}), "/calm": Route(rss("One"))}
    clock.now += timedelta(days=900)
    add(server.url("/busy"))
    sync(database, clock)
    clock.now -= timedelta(days=900)
    calm = add(server.url("/calm"))
    assert [r.new for r in sync(database, clock) if r.id == calm] == [1]


def test_a_source_that_moved_is_asked_at_its_new_place_and_brings_nothing_twice(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int]
) -> None:
    """NET-07. The validators go with it."""
    server.routes |= {"/old": Route(b"", 301, {"Location": "/new"}, etag=False), "/new": Route(rss("One"))}
    number = add(server.url("/old"))
    sync(database, clock)
    clock.now += timedelta(hours=12)
    sync(database, clock)
    assert rows(database)[number].target == server.url("/old")
    clock.now += timedelta(hours=13)
    sync(database, clock)
    row = rows(database)[number]
    assert (row.target, row.polling.former) == (server.url("/new"), (server.url("/old"),))
    asked = len(server.requests("/old"))
    clock.now += timedelta(hours=2)
    server.routes["/new"] = Route(rss("One", "Two"))
    (report,) = sync(database, clock)
    assert (report.new, len(server.requests("/old"))) == (1, asked)
    assert "if-none-match" in server.requests("/new")[-1].headers
    assert titles(database) == ["One", "Two"]


def test_a_temporary_hop_in_the_chain_ends_the_move_there(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int]
) -> None:
    """NET-07."""
    server.routes |= {
        "/a": Route(b"", 301, {"Location": "/b"}, etag=False),
        "/b": Route(b"", 302, {"Location": "/c"}, etag=False),
        "/c": Route(rss("One")),
    }
    number = add(server.url("/a"))
    for _ in range(2):
        sync(database, clock)
        clock.now += timedelta(hours=25)
    assert rows(database)[number].target == server.url("/b")


@pytest.mark.parametrize("known_was_read", [True, False])
def test_a_source_that_moved_to_a_known_one_becomes_one_with_it(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int], known_was_read: bool
) -> None:
    """NET-07. What only the old one had comes along; nothing is new because of it."""
    server.routes |= {"/old": Route(rss("One", "Two")), "/new": Route(rss("Two", "Three"))}
    old = add(server.url("/old"))
    sync(database, clock)
    server.routes["/old"] = Route(b"", 301, {"Location": "/new"}, etag=False)
    if known_was_read:
        add(server.url("/new"))
    clock.now += timedelta(hours=2)
    sync(database, clock)
    clock.now += timedelta(hours=25)
    known = add(server.url("/new"))
    if not known_was_read:
        with database.write() as connection:
            connection.exec_driver_sql(
                "UPDATE source SET next_due_at = '2999-01-01 00:00:00' WHERE id = ?", (known,)
            )
    sync(database, clock)
    assert list(rows(database)) == [known]
    clock.now += timedelta(days=2)
    assert [report.new for report in sync(database, clock)] == [0]
    assert set(titles(database)) == {"One", "Two", "Three"}
    assert sound(database)
    assert old not in rows(database)


def test_a_page_that_is_gone_for_good_is_paused_in_words_until_the_reader_resumes_it(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int]
) -> None:
    """NET-14."""
    server.routes["/f"] = Route(rss("One"))
    number = add(server.url("/f"))
    sync(database, clock)
    server.routes["/f"] = Route(b"", 410, etag=False)
    for _ in range(80):
        clock.now += timedelta(hours=1)
        sync(database, clock)
    paused = rows(database)[number].paused
    assert paused is not None
    assert "gone for good" in paused
    asked = len(server.log)
    clock.now += timedelta(days=30)
    assert sync(database, clock, ask_now=True) == []
    assert len(server.log) == asked
    with pytest.raises(UsageError, match="is paused"):
        asyncio.run(ingest.sync(database, Config(), clock, only=[number]))
    with database.write() as connection:
        sources.resume(connection, number, clock())
    server.routes["/f"] = Route(rss("One", "Two"))
    assert [report.new for report in sync(database, clock)] == [1]
    assert titles(database) == ["One", "Two"]


def test_a_network_that_comes_back_is_noticed_by_all(
    database: Database, clock: Hours, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two days without it, nobody waits for another; who is dead alone stays so."""
    online = True

    def blocked(address: str, *, allow_local: bool) -> str | None:
        return None if online else "cut off"

    monkeypatch.setattr(transport, "address_problem", blocked)
    monkeypatch.setattr(throttle, "_HOST_SPACING_S", 0.0)
    for n in range(6):
        server.routes[f"/{n}"] = Route(rss(f"{n}"))
        service.add(database, clock, server.url(f"/{n}"), allow_local=False)
    off = LoopbackServer()
    dead = service.add(database, clock, off.url("/f"), allow_local=False).id
    off.close()
    sync(database, clock)
    clock.now += timedelta(minutes=90)
    sync(database, clock)
    online = False
    for _ in range(60):
        clock.now += timedelta(hours=1)
        sync(database, clock)
    assert all(row.failures >= 5 for row in rows(database).values())
    online = True
    while not any(report.error is None for report in sync(database, clock)):
        clock.now += timedelta(minutes=30)
    assert len(sync(database, clock)) >= 3
    well = [row.failures == 0 for row in rows(database).values()]
    assert well.count(True) == 6
    assert rows(database)[dead].failures > 5


def test_hours_in_which_a_feed_wants_to_sleep_are_kept_also_when_the_machine_wakes_in_one(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int]
) -> None:
    number = add(server.url("/f"))
    server.routes["/f"] = Route(rss("One"))
    sync(database, clock)
    with database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE source SET polling = json_set(polling, '$.skip_hours', json('[9, 10]')) WHERE id = ?",
            (number,),
        )
    clock.now = NOW.replace(hour=9, minute=30)
    assert sync(database, clock) == []
    assert ingest.until_next(database, clock, timedelta(days=1)) >= timedelta(minutes=90)
    clock.now = NOW.replace(hour=11, minute=59)
    assert len(sync(database, clock)) == 1


def test_not_modified_for_ever_changes_nothing_but_the_validators_that_it_brings(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int]
) -> None:
    """NET-17."""
    add(server.url("/f"))
    server.routes["/f"] = Route(rss("One"), headers={"ETag": '"0"', "Cache-Control": "max-age=10000"})
    sync(database, clock)
    for n in range(1, 6):
        server.routes["/f"] = Route(b"", 304, {"ETag": f'"{n}"'} if n % 2 else {}, etag=False)
        clock.now += timedelta(hours=2)
        assert sync(database, clock) == []  # it was good for longer than that, and still is
        clock.now += timedelta(hours=2)
        assert [report.not_modified for report in sync(database, clock)] == [True]
    sent = [request.headers.get("if-none-match") for request in server.log]
    assert sent == [None, '"0"', '"1"', '"1"', '"3"', '"3"']
    assert titles(database) == ["One"]


def test_a_captive_portal_keeps_the_validators(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int]
) -> None:
    """NET-19. What a login page says about itself is not about the feed."""
    server.routes["/f"] = Route(rss("One"))
    add(server.url("/f"))
    sync(database, clock)
    good = server.routes["/f"]
    server.routes["/f"] = Route(
        b"<html><title>Log in to Hotel Wifi</title></html>", headers={"ETag": '"portal"'}
    )
    clock.now += timedelta(hours=2)
    (report,) = sync(database, clock)
    assert report.error is not None
    assert "web page" in report.error
    server.routes["/f"] = good
    clock.now += timedelta(hours=2)
    assert [report.not_modified for report in sync(database, clock)] == [True]
    etags = [request.headers.get("if-none-match") for request in server.log]
    assert etags[0] is None
    assert etags[1] == etags[2] != '"portal"'


def test_empty_pages_and_cut_feeds_delete_nothing_and_are_asked_for_again(
    database: Database, clock: Hours, server: LoopbackServer, add: Callable[[str], int], tmp_path: Path
) -> None:
    """NET-20, NET-05."""
    whole = rss("One", "Two", "Three")
    server.routes["/f"] = Route(whole[:-40])
    add(server.url("/f"))
    sync(database, clock)
    for body, failed in ((b"", True), (b" \n", True), (rss(), False), (whole, False)):
        server.routes["/f"] = Route(body)
        clock.now += timedelta(days=2)
        (report,) = sync(database, clock)
        assert bool(report.error) is failed
    assert titles(database) == ["One", "Three", "Two"]
    assert "if-none-match" not in server.log[1].headers
    assert sound(database)
