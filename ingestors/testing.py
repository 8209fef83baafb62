"""The contract suite of ingestors, ours and those of plug-ins. Each function raises AssertionError.

def test_claims():
    check_claims(MyIngestor(), ["my:target"])

async def test_fetch(server):
    entries = await check_fetch(MyIngestor(), FetchRequest(target="my:target"), tools)

async def test_hostile():
    await check_hostile(MyIngestor(), FetchRequest(target="my:target"), tools)

`docs/plugins.md` has a whole one.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import cast, get_args

from ingestors.base import (
    Claim,
    Entry,
    FetchErrorKind,
    FetchRequest,
    FetchResult,
    Ingestor,
    JsonValue,
    Kind,
    Tools,
)
from ingestors.contract import broken_promise
from ingestors.http import HttpClient, HttpError, Response

ODD_TARGETS = (
    "",
    " ",
    "\0",
    "\n",
    ":",
    "://",
    "http://",
    "http://[",
    "http://[::1",
    "http://a:b:c/",
    "http://a:99999/",
    "javascript:alert(1)",
    "file:///etc/passwd",
    "--help",
    "|rm",
    "~",
    "~no-such-user/x",
    "/",
    "/dev/zero",
    "\udcff",
    "a" * 100_000,
    "/" + "a" * 5_000,
    "\x1b]52;c;AA\x07",
    "٣",
)


HOSTILE_BODIES = (
    b"",
    b"\0" * 1_000,
    b"\xff\xfe\x00\xd8" * 1_000,
    b"\x1b]52;c;AA\x07\x9b31m",
    b"<html><body><form>Log in <input type='password'></form></body></html>",
    b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><rss><channel><item>&a;</item></channel></rss>",
    b"<a>" * 20_000,
    b"[" * 50_000,
    b"{",
    b"null",
    b"[]",
    b'{"items": 1, "results": [null], "data": "x", "message": {"items": {}}}',
    b"\x1f\x8b\x08\0\0\0\0\0damaged",
    b"%PDF-1.4\n",
    b"/etc/passwd",
    b"word " * 400_000,
)
HOSTILE_TYPES = ("text/html; charset=utf-7", "application/json", "application/xml; charset=no-such-set")
MAX_REQUESTS = 100
"""Of one fetch: who needs more answers in portions."""
MAX_PORTIONS = 1_000


def check_claims(ingestor: Ingestor, targets: Iterable[str]) -> None:
    """An ingestor claims its `targets`, leaves normalised ones alone, and survives odd strings."""
    assert ingestor.name
    assert ingestor.kind in get_args(Kind)
    for target in targets:
        claim = ingestor.claim(target)
        assert claim is not None, f"{target!r} is not claimed"
        again = ingestor.claim(claim.target)
        assert again is None or again.target == claim.target, "normalising twice changes the target"
    for target in ODD_TARGETS:
        odd = ingestor.claim(target)
        assert odd is None or isinstance(odd, Claim)
        if odd is not None:
            assert (odd.ingestor, odd.kind) == (ingestor.name, ingestor.kind)
            assert odd.target
            assert odd.title


def check_result(request: FetchRequest, result: FetchResult) -> None:
    """A result keeps the promises of `ingestors.base`."""
    promise = broken_promise(request, result)
    assert promise is None, promise


async def check_fetch(ingestor: Ingestor, request: FetchRequest, tools: Tools) -> list[Entry]:
    """Fetching a source that works: promises, portions, repetition and cancellation.

    The same cursor brings the same keys, and the cursor of the last fetch brings no others as long as the
    source does not change. Cursors go through JSON in between, as they do through a database.

    Returns:
        The entries of the first fetch, all its portions together.
    """
    first, last = await _fetch_all(ingestor, request, tools)
    assert first, "a source that works brings entries"
    again, _ = await _fetch_all(ingestor, request, tools)
    keys = [entry.key for entry in first]
    assert [entry.key for entry in again] == keys, "the same cursor brings the same keys"
    later, _ = await _fetch_all(ingestor, replace(request, cursor=last), tools)
    assert {entry.key for entry in later} <= set(keys), "what has not changed brings no new keys"
    await check_cancellation(ingestor, request, tools)
    return first


async def check_cancellation(ingestor: Ingestor, request: FetchRequest, tools: Tools) -> None:
    """A fetch that is cancelled while it waits for a server ends, and passes the cancellation on."""
    silent = _SilentHttp()
    tools = replace(tools, http=cast("HttpClient", silent))
    task = asyncio.ensure_future(ingestor.fetch(request, tools))
    await asyncio.wait({task}, timeout=0.2)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=5)
    assert done, "a cancelled fetch ends"
    assert task.cancelled() or not silent.asked, "a fetch passes its cancellation on"


async def check_hostile(
    ingestor: Ingestor,
    request: FetchRequest,
    tools: Tools,
    place: Callable[[bytes], object] | None = None,
) -> None:
    """Whatever a server answers or a file holds, a fetch ends with a result that keeps its promises.

    Args:
        ingestor: To be tested.
        request: For one source; its cursor must survive an error.
        tools: `tools.parsers` is used; the network is not.
        place: Puts a body where the source is read from, for sources that are files. Without it, every GET is
            answered with the body.
    """
    for body in HOSTILE_BODIES:
        if place is not None:
            place(body)
        answers = [{}] if place is not None else [{"content-type": kind} for kind in HOSTILE_TYPES]
        for headers in answers:
            await _fetch_once(ingestor, request, tools, ScriptedHttp(body, headers))
    if place is None:
        for kind in get_args(FetchErrorKind):
            error = HttpError(kind, f"a failure of the kind {kind}", retry_after_s=60.0)
            result = await _fetch_once(ingestor, request, tools, ScriptedHttp(error=error))
            assert result.error is not None, "a request that failed is an error"


class ScriptedHttp:
    """Stands for `ingestors.http.HttpClient`: every GET has the same answer, and nothing is sent."""

    def __init__(
        self, body: bytes = b"", headers: Mapping[str, str] | None = None, *, error: HttpError | None = None
    ) -> None:
        self._body = body
        self._headers = dict(headers or {})
        self._error = error
        self.asked: list[str] = []
        self.waits: Mapping[str, datetime] = {}

    async def get(self, url: str, **_: object) -> Response:
        """The answer."""
        self.asked.append(url)
        assert len(self.asked) <= MAX_REQUESTS, f"one fetch sends at most {MAX_REQUESTS} requests"
        if self._error is not None:
            raise self._error
        return Response(200, url, self._headers, self._body)


class _SilentHttp(ScriptedHttp):
    async def get(self, url: str, **_: object) -> Response:
        self.asked.append(url)
        await asyncio.Event().wait()
        raise AssertionError("a silent server has answered")


async def _fetch_once(
    ingestor: Ingestor, request: FetchRequest, tools: Tools, http: ScriptedHttp
) -> FetchResult:
    async with asyncio.timeout(60):
        result = await ingestor.fetch(request, replace(tools, http=cast("HttpClient", http)))
    check_result(request, result)
    return result


async def _fetch_all(
    ingestor: Ingestor, request: FetchRequest, tools: Tools
) -> tuple[list[Entry], Mapping[str, JsonValue]]:
    """The entries of all portions, and the last cursor."""
    entries: list[Entry] = []
    for _ in range(MAX_PORTIONS):
        result = await ingestor.fetch(request, tools)
        check_result(request, result)
        assert result.error is None, result.error
        entries += result.entries
        request = replace(request, cursor=json.loads(json.dumps(dict(result.cursor))))
        if not result.more:
            return entries, request.cursor
    raise AssertionError(f"a source ends within {MAX_PORTIONS} portions")
