"""From what an ingestor brought to what is stored: the one place where outside text is made safe.

Owns the limits of stored text. Pure; knows no database.
"""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit

from ingestors.base import Entry
from triage.core.identity import Names, clamp_published, content_hash, names
from triage.core.length import measure
from triage.core.text import sanitize_line, sanitize_text
from triage.store.items import NewItem

MAX_TITLE = 512
MAX_NAME = 200
MAX_TEXT = 200_000
MAX_PEOPLE = 100
MAX_TAGS = 200
MAX_URL = 4096
MAX_LINKS = 100
UNTITLED = 80
"""Characters of the text that stand in for a missing title."""

_PLAIN_URL = re.compile(r"https?://[a-z0-9][a-z0-9.-]*(?:/|$)")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f-\x9f\"<>\\^`{|}\ufffd]")


def new_item(entry: Entry, kind: str, now: datetime) -> NewItem:
    """An entry, sanitised, measured and with a date that can be believed."""
    text = sanitize_text(entry.text, MAX_TEXT)
    title = sanitize_line(entry.title, MAX_TITLE) or sanitize_line(text, UNTITLED) or "(untitled)"
    words, cjk_characters = measure(text)
    return NewItem(
        key=entry.key,
        kind=kind,
        title=title,
        text=text,
        url=safe_url(entry.url),
        people=_lines(entry.people, MAX_PEOPLE),
        tags=_lines(entry.tags, MAX_TAGS),
        identifiers={
            sanitize_line(k, MAX_NAME): sanitize_line(v, MAX_URL) for k, v in entry.identifiers.items()
        },
        personal=entry.personal,
        flags=sorted(entry.flags),
        published_at=clamp_published(entry.published, now),
        content_hash=content_hash(title, text),
        words=words,
        cjk_characters=cjk_characters,
        links=[
            [sanitize_line(shown, MAX_NAME), url]
            for shown, link in entry.links[:MAX_LINKS]
            if (url := safe_url(link))
        ],
    )


def names_of(item: NewItem) -> Names:
    """Under what an item is known."""
    return names(
        kind=item.kind,
        key=item.key,
        url=item.url,
        title=item.title,
        text=item.text,
        content=item.content_hash,
        people=item.people,
        identifiers=item.identifiers,
    )


def safe_url(url: str | None) -> str | None:
    """An http(s) URL with a host and nothing in it that could be more than a URL, else None."""
    if url is None:
        return None
    url = url.strip()
    if len(url) > MAX_URL or _UNSAFE_IN_URL.search(url):
        return None
    if _PLAIN_URL.match(url):
        return url
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return None
    return url if parts.scheme in ("http", "https") and host else None


def _lines(values: tuple[str, ...], most: int) -> list[str]:
    lines = (sanitize_line(value, MAX_NAME) for value in values[:most])
    return list(dict.fromkeys(line for line in lines if line))
