"""A Zotero library or collection: read by versions, and added to when a reader says so.

Cursor: `version` of the library up to which everything was read; while there is more, `next` (the number of
the first item not read yet), `since` and `until` (versions between which that reading goes).
Options: `base_url`; where the key is (`key_env`, `key_command`). Public groups need none.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ingestors.base import Claim, Entry, FetchError, FetchRequest, FetchResult, JsonValue, Kind, Refusal
from ingestors.http import MAX_RETRY_AFTER_S, HttpClient, HttpError, Response
from ingestors.papers import settings
from ingestors.sandbox import ParseRefused, ParserPool
from ingestors.secrets import SecretError, secret
from ingestors.wire import to_entry, to_refusal

if TYPE_CHECKING:
    from ingestors.base import Tools

PARSER = "ingestors.parsers.zotero:parse_zotero"
REPORT_PARSER = "ingestors.parsers.zotero:parse_zotero_report"
BASE_URL = "https://api.zotero.org"
KEY_PAGE = "https://www.zotero.org/settings/keys"
PAGE = 100
PAGES = 10
"""Pages of one portion; a big library is read in several, each stored."""
BATCH = 50
"""Items that the service takes at once."""
MAX_BACKOFF_S = 120.0
"""Longer than that nobody waits for a push."""
INTERVAL_S = 3_600.0

_LIBRARY = re.compile(r"(users|groups)/(\d{1,12})(?:/collections/([A-Z0-9]{8}))?/?", re.IGNORECASE)
_KEY_CHARACTERS = "23456789ABCDEFGHIJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Library:
    """A library, or a collection in it."""

    path: str
    """`users/123`, `groups/5`."""
    collection: str | None = None

    @classmethod
    def parse(cls, text: str) -> Library | None:
        """From `users/123/collections/ABCD2345`; None if it is no such thing."""
        found = _LIBRARY.fullmatch(text.strip())
        if found is None:
            return None
        kind, number, collection = found.groups()
        return cls(f"{kind.lower()}/{int(number)}", collection.upper() if collection else None)

    def __str__(self) -> str:
        """As it is parsed."""
        return f"{self.path}/collections/{self.collection}" if self.collection else self.path


class ZoteroIngestor:
    """`zotero:users/123`, `zotero:groups/5/collections/ABCD2345`."""

    name = "zotero"
    kind: Kind = "paper"

    def claim(self, target: str) -> Claim | None:
        """Whatever begins with `zotero:` and names a library or a collection."""
        scheme, _, rest = target.strip().partition(":")
        library = Library.parse(rest) if scheme.lower() == "zotero" else None
        if library is None:
            return None
        return Claim(self.name, self.kind, f"zotero:{library}", f"Zotero {library}")

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads what was added or changed since the version in the cursor."""
        library = Library.parse(request.target.partition(":")[2])
        if library is None:
            error = FetchError("usage", f"{request.target!r} is no library of Zotero")
            return FetchResult(cursor=request.cursor, error=error)
        try:
            key = await secret(settings(self.name, request.options), "key")
            return await self._read(library, key, request, tools)
        except HttpError as failed:
            error = _explain(failed, key)
            return FetchResult(cursor=request.cursor, error=error, retry_after_s=failed.retry_after_s)
        except ParseRefused as refused:
            error = FetchError("parse", f"the answer of Zotero was refused: {refused.reason}")
            return FetchResult(cursor=request.cursor, error=error)
        except SecretError as missing:
            error = FetchError("usage", f"the key of Zotero: {missing.message}")
            return FetchResult(cursor=request.cursor, error=error)

    async def _read(
        self, library: Library, key: str | None, request: FetchRequest, tools: Tools
    ) -> FetchResult:
        cursor = request.cursor
        start, since, until = (_number(cursor.get(name)) for name in ("next", "since", "until"))
        if start is None or since is None or until is None:
            start, since, until = 0, _number(cursor.get("version")) or 0, None
        place = f"/collections/{library.collection}" if library.collection else ""
        entries: dict[str, Entry] = {}
        refusals: list[Refusal] = []
        more, backoff_s = False, None
        for _ in range(PAGES):
            query = {
                "format": "json",
                "include": "data",
                "since": since,
                "sort": "dateAdded",
                "direction": "asc",
                "limit": PAGE,
                "start": start,
            }
            response = await tools.http.get(
                f"{_base(request.options)}/{library.path}{place}/items/top?{urlencode(query)}",
                allow_local=request.allow_local,
                headers=_headers(key),
                accept="application/json, */*;q=0.1",
            )
            page = await tools.parsers.parse(PARSER, response.body)
            # What changes while this is read has a later version than the first answer, and comes next time.
            until = until if until is not None else _header(response, "last-modified-version") or since
            total = _header(response, "total-results")
            entries |= {data["key"]: to_entry(data) for data in page["entries"]}
            refusals += [to_refusal(refusal) for refusal in page["refusals"]]
            start += page["count"]
            more = total is not None and start < total
            if more and not page["count"]:
                raise HttpError("http", "Zotero broke off in the middle of its answer")
            backoff_s = parse_backoff(response)
            if not more or backoff_s:
                break
        after: dict[str, JsonValue] = {"version": until}
        if more:
            after = {"version": since, "next": start, "since": since, "until": until}
        return FetchResult(
            entries=tuple(entries.values()),
            refusals=tuple(refusals),
            cursor=after,
            not_modified=not entries and not refusals and not more,
            more=more and not backoff_s,
            retry_after_s=backoff_s,
            interval_s=INTERVAL_S,
        )


async def push_items(
    records: Sequence[Mapping[str, object]],
    library: Library,
    options: Mapping[str, JsonValue],
    http: HttpClient,
    parsers: ParserPool,
    *,
    allow_local: bool = False,
) -> tuple[int, int, list[str]]:
    """Adds items to a library; what was added before stays as it is.

    The key of an item is made from what it is, so the service itself knows one that it has.

    Args:
        records: Items in the service's own form; `work` names what the item is and is not sent.
        library: Where to.
        options: As those of a fetch.
        http: The client.
        parsers: For the answers.
        allow_local: Whether the service may be on this machine.

    Returns:
        How many were added, how many were there already, and what was refused, with the reason.

    Raises:
        HttpError: The service takes nothing; batches before that one are in.
        ParseRefused: Its answer cannot be read.
        SecretError: There is no key behind the reference to one.
    """
    key = await secret(settings("zotero", options), "key")
    added = known = 0
    problems: list[str] = []
    for start in range(0, len(records), BATCH):
        batch = [_sendable(record, library) for record in records[start : start + BATCH]]
        try:
            response = await http.post(
                f"{_base(options)}/{library.path}/items",
                json.dumps(batch, ensure_ascii=False).encode("utf-8", "replace"),
                headers={**_headers(key), "Content-Type": "application/json"},
                allow_local=allow_local,
            )
        except HttpError as failed:
            message = _explain(failed, key).message
            raise HttpError(failed.kind, message, status=failed.status) from failed
        report = await parsers.parse(REPORT_PARSER, response.body)
        added += report["added"]
        known += report["known"]
        problems += [f"{batch[number]['title']}: {why}" for number, why in report["refused"]
                     if 0 <= number < len(batch)]  # fmt: skip
        wait_s = parse_backoff(response)
        if wait_s and start + BATCH < len(records):
            if wait_s > MAX_BACKOFF_S:
                raise HttpError(
                    "limit",
                    f"Zotero wants to be left alone for {wait_s:.0f} s; {added} are in, try again then",
                )
            await asyncio.sleep(wait_s)
    return added, known, problems


def parse_backoff(response: Response) -> float | None:
    """Seconds for which the service wants to be left alone, from its `Backoff` or Retry-After header."""
    for name in ("backoff", "retry-after"):
        value = (response.headers.get(name) or "").strip()
        if value.isascii() and value.isdigit() and len(value) < 10 and int(value):
            return min(float(value), MAX_RETRY_AFTER_S)
    return None


def _sendable(record: Mapping[str, object], library: Library) -> dict[str, object]:
    number = int.from_bytes(hashlib.sha256(str(record.get("work", "")).encode()).digest()[:8], "big")
    key = ""
    for _ in range(8):
        number, digit = divmod(number, len(_KEY_CHARACTERS))
        key += _KEY_CHARACTERS[digit]
    sent = {name: value for name, value in record.items() if name != "work"}
    collections = [library.collection] if library.collection else []
    return {**sent, "key": key, "version": 0, "collections": collections}


def _base(options: Mapping[str, JsonValue]) -> str:
    return str(settings("zotero", options).get("base_url") or BASE_URL).rstrip("/")


def _headers(key: str | None) -> dict[str, str]:
    return {"Zotero-API-Version": "3", **({"Zotero-API-Key": key} if key else {})}


def _header(response: Response, name: str) -> int | None:
    value = response.headers.get(name, "").strip()
    return int(value) if value.isascii() and value.isdigit() and len(value) < 16 else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and value >= 0 else None


def _explain(error: HttpError, key: str | None) -> FetchError:
    if error.status in (401, 403):
        if key:
            return FetchError(
                "denied", f"Zotero refuses the key for this library ({error.status}): {KEY_PAGE}"
            )
        return FetchError(
            "denied",
            f"Zotero wants a key here ({error.status}): make one at {KEY_PAGE} and name it in the "
            'settings, [services.zotero] key_env = "NAME_OF_A_VARIABLE"',
        )
    if error.status == 404:
        return FetchError("not-found", "Zotero has no such library or collection")
    return error.as_value()
