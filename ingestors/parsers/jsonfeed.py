"""JSON Feed 1.0 and 1.1."""

from __future__ import annotations

import json
from typing import Any

from ingestors.parsers.dates import read_date
from ingestors.parsers.feeditem import Feed, Item, Markup, to_entries
from ingestors.parsers.html import html_to_line
from ingestors.wire import MAX_TITLE, RefusalError, web_url


def read_json_feed(text: str, url: str) -> Feed:
    """Reads a JSON Feed.

    Args:
        text: The decoded document.
        url: Where it came from, for relative links.

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
    base = web_url(_text(feed.get("home_page_url")), url) or url
    entries, refusals = to_entries(items, lambda item: _item(item, feed, base))
    return Feed(
        title=html_to_line(_text(feed.get("title")))[:MAX_TITLE],
        entries=entries,
        refusals=refusals,
        interval_s=None,
        skip_hours=[],
        skip_days=[],
        whole=True,
    )


def _item(item: object, feed: dict[str, Any], base: str) -> Item:
    if not isinstance(item, dict):
        raise RefusalError("it is not a JSON object")
    markup, plain, summary = (_text(item.get(name)) for name in ("content_html", "content_text", "summary"))
    attachments = [each for each in _list(item.get("attachments")) if isinstance(each, dict)]
    return Item(
        guid=_text(item.get("id")),
        guid_is_link=True,
        titles=[Markup("html", _text(item.get("title")))],
        contents=[Markup("html", markup), Markup("text", plain)],
        summaries=[Markup("text", summary)],
        links=[_text(item.get("url")), _text(item.get("external_url"))],
        base=base,
        authors=_authors(item) or _authors(feed),
        published=read_date(_text(item.get("date_published"))) or read_date(_text(item.get("date_modified"))),
        tags=[_text(tag) for tag in _list(item.get("tags"))],
        enclosures=[(_text(each.get("url")), _text(each.get("mime_type"))) for each in attachments],
        duration=next(
            (_text(each["duration_in_seconds"]) for each in attachments if "duration_in_seconds" in each), ""
        ),
    )


def _authors(holder: dict[str, Any]) -> list[str]:
    """1.0 has `author`, 1.1 has `authors`; either may stand on the item or on the feed."""
    authors = holder.get("authors")
    authors = authors if isinstance(authors, list) else [holder.get("author")]
    return [_text(author.get("name")) for author in authors if isinstance(author, dict)]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """Strings as they are; numbers, which the format allows as ids, in digits; anything else is missing."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return ""


def _no_number(_: str) -> None:
    """NaN and Infinity are not JSON."""
