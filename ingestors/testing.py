"""The contract suite of ingestors, ours and those of plug-ins. Each function raises AssertionError.

def test_contract():
    check_claims(MyIngestor(), ["my:target"])

async def test_fetch():
    request = FetchRequest(target="my:target")
    check_result(request, await MyIngestor().fetch(request, tools))
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import get_args

from ingestors.base import Claim, FetchErrorKind, FetchRequest, FetchResult, Ingestor, Kind
from ingestors.wire import MAX_NAME, MAX_TEXT, MAX_TITLE, web_url

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
    json.dumps(dict(result.cursor), allow_nan=False)
    if result.error is not None:
        assert result.entries == (), "an error brings no entries"
        assert result.cursor == request.cursor, "an error keeps the cursor"
        assert result.error.kind in get_args(FetchErrorKind)
        assert result.error.message
    if result.not_modified:
        assert result.entries == (), "what has not changed brings no entries"
    for seconds in (result.retry_after_s, result.interval_s):
        assert seconds is None or seconds >= 0
    keys = [entry.key for entry in result.entries]
    assert len(set(keys)) == len(keys), "keys are unique within a fetch"
    for entry in result.entries:
        assert entry.key
        assert len(entry.title) <= MAX_TITLE
        assert len(entry.text) <= MAX_TEXT
        assert "\n" not in entry.title
        assert entry.url is None or web_url(entry.url) == entry.url
        assert isinstance(entry.people, tuple)
        assert isinstance(entry.tags, tuple)
        assert all(name and len(name) <= MAX_NAME for name in (*entry.people, *entry.tags))
        assert entry.published is None or isinstance(entry.published, datetime)
        assert entry.published is None or entry.published.tzinfo is not None
        assert all(isinstance(v, str) and v for v in entry.identifiers.values())
        texts = (entry.key, entry.title, entry.text, *entry.people, *entry.tags)
        assert all(_is_unicode(text) for text in texts), "lone surrogates cannot be stored"
    for refusal in result.refusals:
        assert refusal.name
        assert refusal.reason


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
