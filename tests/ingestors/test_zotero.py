"""A Zotero library read and added to, against a server of our own."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from loopback import LoopbackServer, Request, Route

from ingestors.base import FetchRequest, FetchResult, Tools
from ingestors.http import HttpError
from ingestors.testing import check_claims, check_result
from ingestors.zotero import PAGES, Library, ZoteroIngestor, push_items


def _item(number: int, **data: Any) -> dict[str, Any]:
    filled = {"itemType": "journalArticle", "title": f"Item {number}", "date": "March 2026", **data}
    return {"key": f"KEY{number:05}", "version": number, "data": filled}


class Shelf(dict[str, Route]):
    """The items of a library, in pages; every answer names the version of the library."""

    def __init__(self, items: list[dict[str, Any]], version: int, page: int = 100) -> None:
        super().__init__()
        self.items, self.version, self.page = items, version, page
        self.more: dict[str, str] = {}
        self.asked: list[dict[str, str]] = []

    def get(self, path: str, default: Any = None) -> Any:
        params = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        self.asked.append({"path": urlsplit(path).path, **params})
        found = [item for item in self.items if item["version"] > int(params["since"])]
        start = int(params["start"])
        headers = {"Last-Modified-Version": str(self.version), "Total-Results": str(len(found)), **self.more}
        return Route(json.dumps(found[start : start + self.page]).encode(), headers=headers, etag=False)


async def _fetch(
    server: LoopbackServer, tools: Tools, cursor: Any = None, target: str = "zotero:users/7", **options: Any
) -> FetchResult:
    request = FetchRequest(
        target=target,
        cursor=cursor or {},
        allow_local=True,
        options={"base_url": server.url("/api"), **options},
    )
    result = await ZoteroIngestor().fetch(request, tools)
    check_result(request, result)
    return result


def test_contract() -> None:
    check_claims(ZoteroIngestor(), ["zotero:users/7", "Zotero:Groups/0012/collections/abcd2345"])
    for target in ("zotero:", "zotero:users/x", "zotero:users/7/collections/x", "users/7"):
        assert ZoteroIngestor().claim(target) is None


async def test_a_library_is_read_once_and_then_what_changed(server: LoopbackServer, tools: Tools) -> None:
    creators = [
        {"creatorType": "editor", "firstName": "E", "lastName": "D"},
        {"creatorType": "author", "firstName": "Zoe", "lastName": "A"},
        {"creatorType": "author", "name": "The Group"},
    ]
    article = _item(1, DOI="10.1234/X", creators=creators, abstractNote="We <i>pool</i>.", extra="PMID: 9",
                    publicationTitle="J. Pool.", tags=[{"tag": "sums"}])  # fmt: skip
    preprint = _item(2, itemType="preprint", archiveID="arXiv:2601.00001", url="", date="2026-03-02")
    shelf = Shelf([article, preprint, _item(3, itemType="attachment")], 3)
    server.routes = shelf
    first = await _fetch(server, tools)
    one, two = first.entries
    assert one.identifiers == {"doi": "10.1234/x", "pmid": "9", "venue": "J. Pool."}
    assert (one.people, one.text, one.tags) == (("Zoe A", "The Group"), "We pool.", ("sums",))
    assert one.published is not None
    assert two.identifiers == {"arxiv": "2601.00001"}
    assert two.url == "https://arxiv.org/abs/2601.00001"
    assert first.cursor == {"version": 3}
    assert (await _fetch(server, tools, first.cursor)).not_modified
    shelf.items.append(_item(4))
    shelf.version = 4
    assert [entry.key for entry in (await _fetch(server, tools, first.cursor)).entries] == ["KEY00004"]
    assert shelf.asked[-1]["since"] == "3"


async def test_a_big_library_comes_in_portions_and_nothing_between_is_lost(
    server: LoopbackServer, tools: Tools
) -> None:
    count = PAGES + 3
    shelf = Shelf([_item(n) for n in range(1, count + 1)], count, page=1)
    server.routes = shelf
    first = await _fetch(server, tools)
    assert first.more
    # While it is read, an item changes: its new version is later than that of the first answer.
    shelf.version = count + 1
    second = await _fetch(server, tools, first.cursor)
    assert not second.more
    assert {e.key for e in (*first.entries, *second.entries)} == {f"KEY{n:05}" for n in range(1, count + 1)}
    assert second.cursor == {"version": count}


async def test_the_service_is_left_alone_when_it_asks_for_it(server: LoopbackServer, tools: Tools) -> None:
    shelf = Shelf([_item(1), _item(2)], 2, page=1)
    shelf.more = {"Backoff": "30"}
    server.routes = shelf
    result = await _fetch(server, tools)
    assert (len(result.entries), result.more, result.retry_after_s) == (1, False, 30.0)
    shelf.more = {}
    rest = await _fetch(server, tools, result.cursor)
    assert [entry.key for entry in rest.entries] == ["KEY00002"]


async def test_a_collection_and_a_key(
    server: LoopbackServer, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAP-07."""
    monkeypatch.setenv("ZOTERO_KEY", "canary")
    shelf = Shelf([_item(1)], 1)
    server.routes = shelf
    target = "zotero:groups/5/collections/ABCD2345"
    result = await _fetch(server, tools, target=target, key_env="ZOTERO_KEY")
    assert shelf.asked[0]["path"] == "/api/groups/5/collections/ABCD2345/items/top"
    assert server.log[0].headers["zotero-api-key"] == "canary"
    assert "canary" not in repr(result)


@pytest.mark.parametrize(
    ("route", "words"),
    [
        (Route(status=403, etag=False), "wants a key"),
        (Route(status=404, etag=False), "no such library"),
        (Route(b"{}", etag=False), "no list of items"),
        (Route(b"[]", headers={"Total-Results": "5"}, etag=False), "broke off"),
    ],
)
async def test_what_goes_wrong_is_said(
    server: LoopbackServer, tools: Tools, route: Route, words: str
) -> None:
    class Same(dict[str, Route]):
        def get(self, path: str, default: Any = None) -> Any:
            return route

    server.routes = Same()
    result = await _fetch(server, tools, {"version": 1})
    assert result.error is not None
    assert words in result.error.message


async def _push(server: LoopbackServer, tools: Tools, records: list[dict[str, object]]) -> Any:
    library = Library.parse("users/7/collections/ABCD2345")
    assert library is not None
    options = {"base_url": server.url("/api")}
    return await push_items(records, library, options, tools.http, tools.parsers, allow_local=True)


def _sent(request: Request) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = json.loads(request.sent)
    return sent


async def test_items_are_added_once(server: LoopbackServer, tools: Tools) -> None:
    report = {
        "successful": {"0": {}},
        "unchanged": {},
        "failed": {"1": {"code": 412, "message": "x"}, "2": {"code": 400, "message": "no such\nfield"}},
    }
    server.routes["/api/users/7/items"] = Route(json.dumps(report).encode(), etag=False)
    records: list[dict[str, object]] = [{"title": f"T{n}", "work": f"w{n}"} for n in range(3)]
    assert await _push(server, tools, records) == (1, 1, ["T2: no such field"])
    assert await _push(server, tools, records[:1])
    (all_three, again) = map(_sent, server.log)
    assert again[0]["key"] == all_three[0]["key"], "the service knows by its key what it has"
    assert len({item["key"] for item in all_three}) == 3
    assert all(item["version"] == 0 and item["collections"] == ["ABCD2345"] for item in all_three)
    assert all("work" not in item and len(item["key"]) == 8 for item in all_three)


async def test_many_items_go_in_batches(server: LoopbackServer, tools: Tools) -> None:
    report = json.dumps({"successful": {str(n): {} for n in range(50)}}).encode()
    server.routes["/api/users/7/items"] = Route(report, etag=False)
    await _push(server, tools, [{"title": "T", "work": str(n)} for n in range(120)])
    assert [len(_sent(request)) for request in server.log] == [50, 50, 20]


async def test_a_push_is_sent_to_nobody_else(server: LoopbackServer, tools: Tools) -> None:
    with LoopbackServer() as other:
        headers = {"Location": other.url("/api/users/7/items")}
        server.routes["/api/users/7/items"] = Route(status=307, headers=headers, etag=False)
        with pytest.raises(HttpError):
            await _push(server, tools, [{"title": "T", "work": "w"}])
        assert other.log == []
    server.routes["/api/users/7/items"] = Route(status=403, etag=False)
    with pytest.raises(HttpError, match="wants a key"):
        await _push(server, tools, [{"title": "T", "work": "w"}])
