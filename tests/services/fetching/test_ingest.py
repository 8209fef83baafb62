from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from loopback import LoopbackServer, Route
from world import NOW

from ingestors.base import Entry, FetchResult
from triage.config import Config
from triage.core.errors import LockedError, UsageError
from triage.paths import Paths
from triage.services.fetching import ingest, sources, writing
from triage.services.fetching.writing import SourceReport
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import reading, searching
from triage.store import engine
from triage.store import sources as store_sources
from triage.store.engine import Database

ITEM = "<item><guid>{n}</guid><title>{title}</title><link>https://post.example/{n}</link><description>{text}</description></item>"


def rss(items: dict[str, tuple[str, str]], title: str = "Harbour Notes") -> bytes:
    body = "".join(ITEM.format(n=n, title=t, text=x) for n, (t, x) in items.items())
    channel = f"<channel><title>{title}</title>{body}</channel>"
    return f'<?xml version="1.0"?><rss version="2.0">{channel}</rss>'.encode()


class Hours:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def sync(database: Database, clock: Hours, *, ask_now: bool = False) -> list[SourceReport]:
    return asyncio.run(ingest.sync(database, Config(), clock, ask_now=ask_now))


def titles(database: Database) -> list[str]:
    return sorted(item.title for item in reading.best(database, 100))


@pytest.fixture
def clock() -> Hours:
    return Hours()


def test_a_feed_comes_in_and_unchanged_polls_bring_nothing(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    server.routes["/f"] = Route(rss({"1": ("One", "first"), "2": ("Two", "second")}))
    sources.add(database, clock, server.url("/f"), allow_local=True)
    (report,) = sync(database, clock)
    assert (report.new, report.revised, report.error, report.title) == (2, 0, None, "Harbour Notes")
    assert sync(database, clock) == []
    clock.now += timedelta(hours=2)
    (again,) = sync(database, clock)
    assert again.not_modified
    assert "if-none-match" in server.requests("/f")[-1].headers
    assert titles(database) == ["One", "Two"]


def test_an_edited_item_is_revised_in_place(database: Database, clock: Hours, server: LoopbackServer) -> None:
    server.routes["/f"] = Route(rss({"1": ("One", "first")}))
    sources.add(database, clock, server.url("/f"), allow_local=True)
    sync(database, clock)
    before = reading.best(database, 1)[0].id
    server.routes["/f"] = Route(rss({"1": ("One", "corrected"), "2": ("Two", "second")}))
    clock.now += timedelta(hours=2)
    (report,) = sync(database, clock)
    assert (report.new, report.revised) == (1, 1)
    assert reading.read(database, before).text == "corrected"
    assert [item.id for item in searching.find(database, lambda: NOW, "corrected")] == [before]
    assert searching.find(database, lambda: NOW, "first") == []


def test_one_failing_source_does_not_fail_the_others(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    """NET-13, NET-19."""
    server.routes |= {"/good": Route(rss({"1": ("One", "first")})), "/bad": Route(b"<html>login</html>")}
    for path in ("/bad", "/gone", "/good"):
        sources.add(database, clock, server.url(path), allow_local=True)
    bad, gone, good = sync(database, clock)
    assert good.new == 1
    assert bad.error is not None
    assert "not a feed" in bad.error
    assert gone.error is not None
    views = {view.target: view for view in sources.listing(database, NOW)}
    assert views[server.url("/bad")].failures == 1
    assert views[server.url("/bad")].last_error == bad.error


def test_validators_and_items_are_stored_together_or_not_at_all(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    """NET-21."""
    server.routes["/f"] = Route(rss({"1": ("One", "first")}))
    sources.add(database, clock, server.url("/f"), allow_local=True)
    with database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE ON source BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
        )
    with pytest.raises(ExceptionGroup):
        sync(database, clock)
    with database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert titles(database) == []
    assert sync(database, clock)[0].new == 1
    assert "if-none-match" not in server.requests("/f")[-1].headers


def test_a_source_that_cannot_be_stored_keeps_no_other_from_it(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    """DB-02: sources that come in together go into one transaction; then each gets one of its own."""
    for number in range(8):
        server.routes[f"/{number}"] = Route(
            rss({str(number): (f"Title {number}", "text")}, title=f"S{number}")
        )
        sources.add(database, clock, server.url(f"/{number}"), allow_local=True)
    with database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER bad BEFORE UPDATE ON source WHEN NEW.title = 'S3'"
            " BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
        )
    with pytest.raises(ExceptionGroup):
        sync(database, clock)
    with database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER bad")
    assert "Title 3" not in titles(database)
    clock.now += timedelta(hours=2)
    sync(database, clock, ask_now=True)
    assert titles(database) == [f"Title {number}" for number in range(8)]


async def test_sources_that_wait_to_be_stored_together_are_each_whole_or_absent(
    database: Database, clock: Hours
) -> None:
    for number in range(3):
        sources.add(database, clock, f"https://e{number}.example/", allow_local=False)
    with database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER bad BEFORE UPDATE ON source WHEN NEW.title = 'S1'"
            " BEGIN SELECT RAISE(ABORT, 'disk on fire'); END"
        )
    with database.read() as connection:
        rows = store_sources.active(connection)
    writer = writing.Writer(database, clock)
    outcomes = await asyncio.gather(
        *(
            writer.store(
                row,
                FetchResult(entries=(Entry(key="k", title=f"Title {n}", text="t"),), title=f"S{n}"),
            )
            for n, row in enumerate(rows)
        ),
        return_exceptions=True,
    )
    await writer.aclose()
    assert [isinstance(outcome, SourceReport) for outcome in outcomes] == [True, False, True]
    assert titles(database) == ["Title 0", "Title 2"]


def test_local_addresses_need_permission(database: Database, clock: Hours, server: LoopbackServer) -> None:
    """NET-09."""
    server.routes["/f"] = Route(rss({"1": ("One", "first")}))
    sources.add(database, clock, server.url("/f"), allow_local=False)
    (report,) = sync(database, clock)
    assert report.error is not None
    assert server.log == []


def test_text_is_made_safe_on_its_way_in(database: Database, clock: Hours, server: LoopbackServer) -> None:
    """PRS-07."""
    hostile = "x [/] [@click=app.quit]y[/] &#x9d;52;c;aGk=&#x90; \u202ez"
    server.routes["/f"] = Route(rss({"1": (hostile, hostile)}, title=hostile))
    sources.add(database, clock, server.url("/f"), allow_local=True)
    sync(database, clock)
    (item,) = reading.best(database, 1)
    for text in (item.title, item.source, reading.read(database, item.id).text):
        assert "[@click=app.quit]y[/]" in text
        assert not {"\x9d", "\x90", "\u202e", "\x1b"} & set(text)


def test_asking_by_hand_goes_before_the_due_time_but_not_within_minutes(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    server.routes["/f"] = Route(rss({"1": ("One", "first")}))
    sources.add(database, clock, server.url("/f"), allow_local=True)
    sync(database, clock)
    assert sync(database, clock, ask_now=True) == []
    clock.now += timedelta(minutes=6)
    assert sync(database, clock) == []
    assert len(sync(database, clock, ask_now=True)) == 1


def test_what_failed_on_the_way_may_be_asked_again_at_once_but_no_server_that_answered(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    """NET-13."""
    server.routes |= {"/slow": Route(b"", 503, {"Retry-After": "3600"})}
    with LoopbackServer() as broken, LoopbackServer() as off:
        unplugged = off.url("/f")
        off.close()
        for url in (server.url("/slow"), broken.url("/404"), unplugged):
            sources.add(database, clock, url, allow_local=True)
        assert all(report.error for report in sync(database, clock))
        clock.now += timedelta(minutes=1)
        assert [report.target for report in sync(database, clock, ask_now=True)] == [unplugged]
        clock.now += timedelta(minutes=5)
        assert len(sync(database, clock, ask_now=True)) == 2
        clock.now += timedelta(hours=1)
        assert len(sync(database, clock, ask_now=True)) == 3


def test_a_mailbox_in_portions_comes_in_whole(
    database: Database, clock: Hours, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestors.mail.MAX_MAILS", 7)
    head = "From a@b.example Thu Jan  1 00:00:00 2026\nFrom: a@b.example\n"
    mail = head + "Subject: Number {n}\nMessage-ID: <{n}@b.example>\n\nText {n}\n\n"
    box = tmp_path / "box.mbox"
    box.write_text("".join(mail.format(n=n) for n in range(20)))
    sources.add(database, clock, str(box), allow_local=False)
    (report,) = sync(database, clock)
    assert report.new == 20


def test_a_removed_source_keeps_its_items_and_comes_back_where_it_was(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    """IDN-13."""
    server.routes["/f"] = Route(rss({"1": ("One", "first")}))
    first = sources.add(database, clock, server.url("/f"), allow_local=True)
    sync(database, clock)
    sources.remove(database, clock, first.id)
    assert sources.listing(database, NOW) == []
    assert titles(database) == ["One"]
    again = sources.add(database, clock, server.url("/f"), allow_local=True)
    assert (again.id, again.new) == (first.id, True)
    clock.now += timedelta(days=2)
    assert sync(database, clock)[0].new == 0


@pytest.mark.parametrize("target", ["ftp://x.example/", "/no/such/file", "--help", "javascript:alert(1)", ""])
def test_what_nobody_can_read_is_refused(database: Database, clock: Hours, target: str) -> None:
    with pytest.raises(UsageError):
        sources.add(database, clock, target, allow_local=False)
    assert sources.listing(database, NOW) == []


def test_a_sync_that_is_killed_at_any_moment_leaves_a_consistent_database(
    database: Database, paths: Paths, clock: Hours, server: LoopbackServer
) -> None:
    """NET-21, DB-02."""
    feeds = 6
    for f in range(feeds):
        server.routes[f"/{f}"] = Route(
            rss({f"{f}-{n}": (f"Post {f} {n}", "text " * 200) for n in range(40)}), delay=0.02 * f
        )
        sources.add(database, clock, server.url(f"/{f}"), allow_local=True)
    database.close()
    command = [sys.executable, "-m", "triage", "sync", "--now"]
    moment = random.Random(7)
    for _ in range(6):
        child = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            child.wait(timeout=moment.uniform(0.4, 2.0))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        assert database.pragma("integrity_check") == "ok"
        with database.read() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
            stored = connection.exec_driver_sql(
                "SELECT source_id, count(*), count(DISTINCT key) FROM item GROUP BY source_id"
            ).all()
            with_cursor = connection.exec_driver_sql(
                "SELECT count(*) FROM source WHERE cursor != '{}'"
            ).scalar_one()
        assert [(total, keys) for _, total, keys in stored] == [(40, 40)] * with_cursor
        database.close()
    done = subprocess.run(
        [*command, *map(str, range(1, feeds + 1))], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM item").scalar_one() == 40 * feeds


def test_a_database_that_takes_nothing_is_one_error_in_words(
    database: Database, clock: Hours, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("/a", "/b", "/c"):
        server.routes[path] = Route(rss({path: ("One", "first")}))
        sources.add(database, clock, server.url(path), allow_local=True)
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_MS", 50)
    impatient = Database(database.path)
    with database.write() as connection:
        connection.exec_driver_sql("UPDATE source SET failures = 0")
        with pytest.raises(LockedError):
            sync(impatient, clock)
    assert [report.new for report in sync(impatient, clock)] == [1, 1, 1]
    impatient.close()


def test_a_clock_that_is_set_back_silences_no_source(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    """DB-17."""
    server.routes["/f"] = Route(rss({"1": ("One", "first")}))
    sources.add(database, clock, server.url("/f"), allow_local=True)
    clock.now += timedelta(days=900)
    sync(database, clock)
    clock.now -= timedelta(days=900)
    assert len(sync(database, clock)) == 1
    assert sync(database, clock) == []


def test_what_came_in_before_a_kill_is_ranked_by_the_next_round(
    database: Database, clock: Hours, server: LoopbackServer, worker: ModelWorker
) -> None:
    server.routes["/f"] = Route(rss({"1": ("One", "first")}))
    sources.add(database, clock, server.url("/f"), allow_local=True)
    assert ingest.anything_new(database, None, clock())
    sync(database, clock)
    digest = worker.build(clock())
    assert not ingest.anything_new(database, digest, clock())
    assert ingest.anything_new(database, digest, clock() - timedelta(days=1))
    clock.now += timedelta(hours=2)
    server.routes["/f"] = Route(rss({"1": ("One", "first"), "2": ("Two", "second")}))
    sync(database, clock)  # and was killed before it ranked
    clock.now += timedelta(minutes=2)
    assert ingest.anything_new(database, digest, clock())
    assert not ingest.anything_new(database, worker.build(clock()), clock())


@pytest.mark.parametrize(
    "target",
    ["/tmp/\udcff.mbox", "https://e.example/\udcff", "~nobody-of-that-name/x", "a" * 5000, "/dev/zero"],
)
def test_what_no_file_system_or_database_could_hold_is_refused(
    database: Database, clock: Hours, target: str
) -> None:
    with pytest.raises(UsageError):
        sources.add(database, clock, target, allow_local=False)


CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")


@pytest.mark.skipif(not CHILDREN.exists(), reason="this system does not show the children of a process")
def test_rounds_leave_no_descriptor_no_thread_and_no_child_behind(
    database: Database, clock: Hours, server: LoopbackServer
) -> None:
    """DB-20. Half of the sources fail, in all ways at once."""
    server.routes |= {"/good": Route(rss({"1": ("One", "first")})), "/bad": Route(b"<html>login</html>")}
    for path in ("/good", "/bad", "/gone"):
        sources.add(database, clock, server.url(path), allow_local=True)
    sources.add(database, clock, "http://127.0.0.1:9/nobody", allow_local=True)

    def held() -> tuple[int, int, int]:
        # The server has a thread and a descriptor for each connection, for as long as it likes.
        fds = [each for each in Path("/proc/self/fd").iterdir() if "socket" not in str(each.resolve())]
        threads = [each for each in threading.enumerate() if "process_request" not in each.name]
        children = CHILDREN.read_text().split()
        return len(fds), len(threads), len(children)

    counts = []
    for _ in range(6):
        clock.now += timedelta(days=2)
        sync(database, clock)
        counts.append(held())
    assert counts[-1] == counts[1]
