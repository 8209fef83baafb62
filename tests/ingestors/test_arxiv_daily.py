"""arXiv's daily lists beside its query interface: what is read from which, and what a bad day leaves."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from loopback import LoopbackServer, Route
from paced import times_sent

from ingestors.arxiv import ArxivIngestor
from ingestors.base import FetchRequest, FetchResult, Tools
from ingestors.testing import check_result

DAILY = "/rss/cs.IR"
WEDNESDAY, THURSDAY, FRIDAY = (date(2026, 3, day) for day in (4, 5, 6))


def _daily(day: date, items: Sequence[tuple[str, str]] = ()) -> bytes:
    """The list of one day; items are (id with version, announce type)."""
    entries = "".join(
        f"""<item><title>Paper &lt;{arxiv}&gt; on $x &lt; y$</title><link>https://arxiv.org/abs/{arxiv}</link>
        <description>arXiv:{arxiv} Announce Type: {kind}
Abstract: We pool, as a &lt; b.</description><guid>oai:arXiv.org:{arxiv}</guid><category>cs.IR</category>
        <arxiv:announce_type>{kind}</arxiv:announce_type><pubDate>{day:%a, %d %b %Y} 00:00:00 -0500</pubDate>
        <dc:creator>Zoe A (Univ. of X, Y), Ada B</dc:creator></item>"""
        for arxiv, kind in items
    )
    return f"""<?xml version='1.0'?><rss xmlns:arxiv="http://arxiv.org/schemas/atom"
      xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0"><channel><title>cs.IR updates</title>
      <pubDate>{day:%a, %d %b %Y} 00:00:00 -0500</pubDate>
      <skipDays><day>Sunday</day><day>Saturday</day></skipDays>{entries}</channel></rss>""".encode()


def _results(numbers: Sequence[int], total: int) -> bytes:
    entries = "".join(
        f"""<entry><id>http://arxiv.org/abs/2603.{n:05}v1</id><title>Found {n}</title>
        <summary>We pool.</summary><published>2026-03-{n:02}T00:00:00Z</published>
        <author><name>Ada B</name></author></entry>"""
        for n in numbers
    )
    return f"""<feed xmlns="http://www.w3.org/2005/Atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">
      <o:totalResults>{total}</o:totalResults>{entries}</feed>""".encode()


class Mirror(dict[str, Route]):
    """Daily lists and the query interface of one host; `asked` names what was read, in order."""

    def __init__(self, daily: bytes | Route, *results: bytes | Route) -> None:
        super().__init__()
        self.daily = daily if isinstance(daily, Route) else Route(daily)
        self.results = [found if isinstance(found, Route) else Route(found, etag=False) for found in results]
        self.asked: list[str] = []

    def get(self, path: str, default: Any = None) -> Any:
        if path.startswith("/rss/"):
            self.asked.append("daily")
            return self.daily
        self.asked.append(parse_qs(urlsplit(path).query).get("search_query", ["paper"])[0])
        return self.results.pop(0) if len(self.results) > 1 else self.results[0]


async def _fetch(
    server: LoopbackServer, tools: Tools, cursor: Any = None, target: str = "arxiv:cs.IR"
) -> FetchResult:
    options = {"base_url": server.url("/api/query")}
    request = FetchRequest(target=target, allow_local=True, options=options, cursor=cursor or {})
    result = await ArxivIngestor().fetch(request, tools)
    check_result(request, result)
    return result


async def test_the_first_fetch_reads_both_and_later_ones_the_daily_list(
    server: LoopbackServer, tools: Tools
) -> None:
    mirror = Mirror(
        _daily(WEDNESDAY, [("2603.00003v1", "new"), ("2603.00009v1", "cross")]), _results([3, 2], 2)
    )
    server.routes = mirror
    first = await _fetch(server, tools)
    found = {entry.key: entry for entry in first.entries}
    assert mirror.asked == ["daily", "cat:cs.IR"]
    assert set(found) == {"2603.00003", "2603.00009", "2603.00002"}
    assert found["2603.00003"].title == "Found 3", "the query interface has the fuller record"
    assert found["2603.00003"].identifiers == {"arxiv": "2603.00003", "version": "1", "announce": "new"}
    cross = found["2603.00009"]
    assert (cross.title, cross.text) == ("Paper <2603.00009v1> on $x < y$", "We pool, as a < b.")
    assert (cross.people, cross.identifiers["announce"]) == (("Zoe A", "Ada B"), "cross")
    assert first.skip_days == {5, 6}

    assert (await _fetch(server, tools, first.cursor)).not_modified
    mirror.daily = Route(_daily(THURSDAY, [("2603.00010v1", "new")]))
    next_day = await _fetch(server, tools, first.cursor)
    assert [entry.key for entry in next_day.entries] == ["2603.00010"]
    assert mirror.asked == ["daily", "cat:cs.IR", "daily", "daily"]
    assert next_day.cursor["newest"] == int(datetime(2026, 3, 4, tzinfo=UTC).timestamp())


async def test_a_day_that_nobody_read_is_asked_for(server: LoopbackServer, tools: Tools) -> None:
    """PAP-06."""
    mirror = Mirror(_daily(FRIDAY, [("2603.00010v1", "new")]), _results([9, 8], 2))
    server.routes = mirror
    cursor = {"newest": int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()), "day": str(WEDNESDAY)}
    result = await _fetch(server, tools, cursor)
    assert {entry.key for entry in result.entries} == {"2603.00010", "2603.00009", "2603.00008"}


@pytest.mark.parametrize("day", [date(2026, 3, 7), date(2026, 3, 8)])
async def test_an_empty_weekend_is_no_error(server: LoopbackServer, tools: Tools, day: date) -> None:
    mirror = Mirror(_daily(day), _results([], 0))
    server.routes = mirror
    cursor = {"newest": int(datetime(2026, 3, 5, tzinfo=UTC).timestamp()), "day": str(FRIDAY)}
    result = await _fetch(server, tools, cursor)
    assert result.error is None
    assert result.entries == ()
    monday = Route(_daily(date(2026, 3, 9), [("2603.00011v1", "new")]))
    mirror.daily = monday
    assert len((await _fetch(server, tools, result.cursor)).entries) == 1
    assert mirror.asked == ["daily", "daily"]


async def test_revisions_keep_the_key_of_their_paper(server: LoopbackServer, tools: Tools) -> None:
    items = [("2603.00001v2", "replace"), ("2602.00001v3", "replace-cross"), ("2401.00001v4", "replace")]
    server.routes = Mirror(_daily(THURSDAY, items), _results([], 0))
    cursor = {"newest": int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()), "day": str(WEDNESDAY)}
    result = await _fetch(server, tools, cursor)
    assert [(e.key, e.identifiers["version"], e.identifiers["announce"]) for e in result.entries] == [
        ("2603.00001", "2", "replace"),
        ("2602.00001", "3", "replace"),
        ("2401.00001", "4", "replace"),
    ]


async def test_406_leaves_todays_papers_and_asks_again(server: LoopbackServer, tools: Tools) -> None:
    busy = Route(status=406, etag=False)
    mirror = Mirror(_daily(WEDNESDAY, [("2603.00003v1", "new")]), busy, _results([2], 1))
    server.routes = mirror
    first = await _fetch(server, tools)
    assert [entry.key for entry in first.entries] == ["2603.00003"]
    assert "406" in first.refusals[0].reason
    second = await _fetch(server, tools, first.cursor)
    assert {entry.key for entry in second.entries} == {"2603.00003", "2603.00002"}
    mirror.daily, mirror.results = Route(status=404, etag=False), [busy]
    failed = await _fetch(server, tools)
    assert failed.error is not None
    assert failed.error.kind == "limit"
    assert "turns requests away" in failed.error.message


async def test_a_total_that_shrinks_to_nothing_is_not_believed(server: LoopbackServer, tools: Tools) -> None:
    """PAP-01: an empty second page that claims there was never anything."""
    newest = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    server.routes = Mirror(Route(status=404), _results([20], 1_000), _results([], 0))
    cursor = {"newest": newest}
    result = await _fetch(server, tools, cursor)
    assert result.error is not None
    assert "empty page" in result.error.message
    assert result.cursor == cursor


async def test_neither_nothing_nor_a_date_ahead_moves_the_cursor(
    server: LoopbackServer, tools: Tools
) -> None:
    mirror = Mirror(_daily(WEDNESDAY), _results([], 0))
    server.routes = mirror
    assert "newest" not in (await _fetch(server, tools)).cursor
    mirror.results = [Route(_results([3], 1).replace(b"2026-03-03", b"9998-03-03"), etag=False)]
    newest = (await _fetch(server, tools)).cursor["newest"]
    assert isinstance(newest, int)
    assert newest <= datetime.now(UTC).timestamp()


async def test_one_paper_through_its_versions(server: LoopbackServer, tools: Tools) -> None:
    mirror = Mirror(Route(status=404), _results([7], 1), _results([], 0))
    server.routes = mirror
    result = await _fetch(server, tools, target="arxiv:2603.00007")
    assert [(entry.key, entry.title) for entry in result.entries] == [("2603.00007", "Found 7")]
    assert mirror.asked == ["paper"]
    unknown = await _fetch(server, tools, target="arxiv:2603.99999")
    assert unknown.error is not None
    assert unknown.error.kind == "not-found"


@pytest.mark.parametrize(
    ("target", "query"),
    [
        ("arxiv:attention pooling", "all:attention AND all:pooling"),
        ("arxiv:au:Ada Lovelace", 'au:"Ada Lovelace"'),
        ("arxiv:au:lovelace_a", "au:lovelace_a"),
        ('arxiv:ti:"neural ranking" AND cat:cs.IR', 'ti:"neural ranking" AND cat:cs.IR'),
        ("arxiv:cs.IR+cs.LG", "cat:cs.IR OR cat:cs.LG"),
        ("arxiv:math", "cat:math.*"),
        ("arxiv:hep-th", "cat:hep-th"),
    ],
)
async def test_how_a_target_is_asked_for(
    server: LoopbackServer, tools: Tools, target: str, query: str
) -> None:
    mirror = Mirror(Route(status=404), _results([], 0))
    server.routes = mirror
    await _fetch(server, tools, target=target)
    assert mirror.asked[-1] == query


async def test_all_hosts_of_arxiv_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """PAP-02: three seconds between any two requests."""
    hosts = ("export.arxiv.org", "rss.arxiv.org", "arxiv.org", "export.arxiv.org", "www.arxiv.org")
    starts = await times_sent(monkeypatch, [f"https://{host}/{n}" for n, host in enumerate(hosts)], {})
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert len(gaps) == 4
    assert min(gaps) >= 3.0


@pytest.mark.parametrize(
    ("limit", "interval", "least"),
    [("1", "5s", 5.0), ("50", "1s", 1.0), ("0", "1s", 1.0), ("1", "99999s", 60.0), ("x", "-1s", 1.0)],
)
async def test_a_service_says_how_often_it_may_be_asked(
    monkeypatch: pytest.MonkeyPatch, limit: str, interval: str, least: float
) -> None:
    """Crossref names its limits with each answer; no answer makes us quicker, or wait for ever."""
    headers = {"x-rate-limit-limit": limit, "x-rate-limit-interval": interval}
    urls = [f"https://api.crossref.org/works/{n}" for n in range(4)]
    starts = await times_sent(monkeypatch, urls, headers)
    gaps = [later - earlier for earlier, later in itertools.pairwise(starts)][1:]
    assert min(gaps) >= least
    assert max(gaps) < least + 5
