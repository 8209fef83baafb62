"""JSON Feed 1.0 and 1.1."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from ingestors.parsers.html import html_to_line, html_to_text, tidy
from ingestors.wire import MAX_ITEMS, MAX_TITLE, EntryDict, RefusalError, entry_dict, web_url


def parse_json_feed(text: str, base: str) -> tuple[str, list[EntryDict], list[dict[str, str]]]:
    """Reads a JSON Feed.

    Args:
        text: The decoded document.
        base: The URL that it came from, for relative links.

    Returns:
        Title of the feed, entries, refusals.

    Raises:
        RefusalError: It is no JSON, or JSON of another kind.
    """
    try:
        feed = json.loads(text, parse_constant=_no_number)
    except ValueError:
        raise RefusalError("it looks like JSON but is damaged") from None
    if not isinstance(feed, dict) or "jsonfeed.org/version" not in _text(feed.get("version")):
        raise RefusalError("it is JSON, but not a JSON Feed")
    items = feed.get("items")
    if not isinstance(items, list):
        raise RefusalError("it is a JSON Feed without a list of items")
    entries: list[EntryDict] = []
    refusals: list[dict[str, str]] = []
    for number, item in enumerate(items[:MAX_ITEMS], 1):
        if isinstance(item, dict):
            entries.append(_entry(item, feed, base))
        else:
            refusals.append({"name": f"item {number}", "reason": "it is not a JSON object"})
    if len(items) > MAX_ITEMS:
        refusals.append(
            {"name": f"items from {MAX_ITEMS + 1} on", "reason": f"only {MAX_ITEMS} items are read"}
        )
    return html_to_line(_text(feed.get("title")))[:MAX_TITLE], entries, refusals


def _entry(item: dict[str, Any], feed: dict[str, Any], base: str) -> EntryDict:
    home = web_url(_text(feed.get("home_page_url")), base) or base
    url = web_url(_text(item.get("url")), home) or web_url(_text(item.get("external_url")), home)
    markup = _text(item.get("content_html"))
    plain = _text(item.get("content_text")) or _text(item.get("summary"))
    text = html_to_text(markup) if markup else tidy(plain)
    # 1.0 has `author`, 1.1 has `authors`; either may stand on the item or on the feed.
    people: list[str] = []
    for holder in (item, feed):
        authors = holder.get("authors")
        authors = authors if isinstance(authors, list) else [holder.get("author")]
        people = people or [_text(author.get("name")) for author in authors if isinstance(author, dict)]
    tags = item.get("tags")
    return entry_dict(
        key=_text(item.get("id")).strip() or url,
        title=html_to_line(_text(item.get("title"))),
        text=text,
        url=url,
        people=people,
        published=_time(item.get("date_published")) or _time(item.get("date_modified")),
        tags=[_text(tag) for tag in tags] if isinstance(tags, list) else [],
    )


def _text(value: object) -> str:
    """Strings as they are; numbers, which the format allows as ids, in digits; anything else is missing."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return ""


def _time(value: object) -> int | None:
    try:
        moment = datetime.fromisoformat(_text(value).strip())
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _no_number(_: str) -> None:
    """NaN and Infinity are not JSON."""
