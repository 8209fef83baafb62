"""What an answer of an ingestor must be: checked of plug-ins at every fetch, of all by the contract suite.

One list of promises for both, so that what passes the suite is stored, and what would be refused fails it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import get_args

from ingestors.base import Entry, FetchError, FetchErrorKind, FetchRequest, FetchResult, Flag, Refusal
from ingestors.wire import MAX_NAME, MAX_TEXT, MAX_TITLE, web_url

MAX_ENTRIES = 20_000
"""Of one fetch; who has more answers in portions (`FetchResult.more`)."""


def broken_promise(request: FetchRequest, result: object) -> str | None:
    """The first promise of `ingestors.base` that a result breaks, in words; None if it keeps them all."""
    try:
        return next(_broken(request, result), None)
    except (TypeError, ValueError, AttributeError, RecursionError) as error:
        return f"the result has the wrong shape ({type(error).__name__}: {error})"


def _broken(request: FetchRequest, result: object) -> Iterator[str]:
    if not isinstance(result, FetchResult):
        yield f"a fetch returns a FetchResult, not {type(result).__name__}"
        return
    json.dumps(dict(result.cursor), allow_nan=False)
    if result.error is not None:
        if not isinstance(result.error, FetchError) or result.error.kind not in get_args(FetchErrorKind):
            yield "an error is a FetchError of a known kind"
        if not result.error.message:
            yield "an error says why"
        if result.entries:
            yield "an error brings no entries"
        if result.cursor != request.cursor:
            yield "an error keeps the cursor of the request"
    if result.not_modified and result.entries:
        yield "what has not changed brings no entries"
    if any(seconds is not None and not seconds >= 0 for seconds in (result.retry_after_s, result.interval_s)):
        yield "times to wait are not negative"
    if len(result.entries) > MAX_ENTRIES:
        yield f"a fetch brings at most {MAX_ENTRIES} entries"
        return
    keys: set[str] = set()
    for entry in result.entries:
        yield from _broken_by(entry)
        if entry.key in keys:
            yield f"keys are unique within a fetch, {entry.key[:80]!r} is not"
        keys.add(entry.key)
    for refusal in result.refusals:
        if not (isinstance(refusal, Refusal) and refusal.name and refusal.reason):
            yield "a refusal has a name and a reason"


def _broken_by(entry: object) -> Iterator[str]:
    if not isinstance(entry, Entry):
        yield f"entries are of the type Entry, not {type(entry).__name__}"
        return
    if not entry.key:
        yield "an entry has a key"
    if len(entry.title) > MAX_TITLE or "\n" in entry.title:
        yield f"a title is one line of at most {MAX_TITLE} characters"
    if len(entry.text) > MAX_TEXT:
        yield f"a text has at most {MAX_TEXT} characters"
    if entry.url is not None and web_url(entry.url) != entry.url:
        yield "a url is an http(s) URL or None"
    if not (isinstance(entry.people, tuple) and isinstance(entry.tags, tuple)):
        yield "people and tags are tuples"
    if not all(name and len(name) <= MAX_NAME for name in (*entry.people, *entry.tags)):
        yield f"a name has 1 to {MAX_NAME} characters"
    if entry.published is not None and not (
        isinstance(entry.published, datetime) and entry.published.tzinfo is not None
    ):
        yield "a date is an aware datetime or None"
    if not all(isinstance(value, str) and value for value in entry.identifiers.values()):
        yield "identifiers are strings, and not empty"
    if set(entry.flags) - set(get_args(Flag)):
        yield f"flags are among {', '.join(get_args(Flag))}"
    for text in (entry.key, entry.title, entry.text, *entry.people, *entry.tags):
        text.encode()  # raises for lone surrogates, which no database takes
