"""RSS, RDF and Atom as they are found in the wild, broken ones too, by feedparser."""

from __future__ import annotations

import calendar
import io
import re
from typing import Any

import feedparser

from ingestors.parsers.document import Document
from ingestors.parsers.feeditem import (
    KINDS_OF_HTML,
    NO_PAGES,
    Feed,
    Item,
    Markup,
    media_kind,
    read_days,
    read_hours,
    read_interval,
    to_entries,
)
from ingestors.wire import MAX_TITLE, RefusalError

Values = Any  # feedparser has no types
_HEAD = 20_000
"""Characters at the start of a feed in which it says when not to ask; feedparser keeps only the last hour."""


def read_loosely(document: Document, url: str) -> Feed:
    """Reads a feed of whatever shape.

    Raises:
        RefusalError: It is no feed.
    """
    # Neither links in texts nor unsafe markup matter, because only plain text is kept: without the two
    # passes feedparser takes half the time. It gets a stream, because it would open a path and fetch a URL;
    # and no URL to resolve against, because that would change guids along with links.
    found = feedparser.parse(
        io.BytesIO(document.text.encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not found.version and not found.entries:
        raise RefusalError("it is not a feed")
    feed, atom = found.feed, found.version.startswith("atom")
    no_contents = "encoded>" not in document.text
    entries, refusals = to_entries(
        found.entries, lambda item: _item(item, feed, url, atom=atom, no_contents=no_contents)
    )
    whole = f"</{document.root}" in document.text
    if not whole:
        refusals.append({"name": "the rest of the feed", "reason": "the document ends in the middle"})
    title = _markup(feed.get("title_detail"))
    head = document.text[:_HEAD]
    return Feed(
        title=(title.line() if title else _string(feed.get("title")))[:MAX_TITLE],
        entries=entries,
        refusals=refusals,
        interval_s=read_interval(
            *(_string(feed.get(name)) for name in ("ttl", "sy_updateperiod", "sy_updatefrequency"))
        ),
        skip_hours=read_hours(re.findall(r"<hour>\s*(\d{1,2})\s*</hour>", head)),
        skip_days=read_days(re.findall(r"<day>\s*(\w{6,9})\s*</day>", head)),
        whole=whole,
    )


def _item(item: Values, feed: Values, url: str, *, atom: bool, no_contents: bool) -> Item:
    contents = [_markup(content) for content in item.get("content", ())]
    summary = _markup(item.get("summary_detail")) or _plain(item.get("summary"))
    # A second description, such as that of iTunes, is content to feedparser.
    later = [each for each in contents if each and (each.kind == "text" or no_contents) and not atom]
    links = item.get("links", ())
    media = item.get("media_content", ())
    guid, link = _string(item.get("id")), _string(item.get("link"))
    return Item(
        guid=guid,
        guid_is_link=atom or bool(item.get("guidislink")),
        titles=_some(
            _markup(item.get("title_detail")), _plain(item.get("title")), _plain(item.get("itunes_title"))
        ),
        contents=[each for each in contents if each and each not in later],
        summaries=_some(summary, *later),
        links=[
            _string(item.get("feedburner_origlink")),
            link if link != guid else "",
            *(_string(each.get("href")) for each in links if each.get("rel") not in NO_PAGES),
        ],
        base=url,
        authors=_authors(item) or (_authors(feed) if atom else []),
        published=_published(item),
        tags=[_string(tag.get("label")) or _string(tag.get("term")) for tag in item.get("tags", ())],
        enclosures=[
            *((_string(e.get("href")), _string(e.get("type"))) for e in links if e.get("rel") == "enclosure"),
            *((_string(e.get("url")), media_kind(e.get("medium"), e.get("type"))) for e in media),
        ],
        duration=_string(item.get("itunes_duration"))
        or next((duration for each in media if (duration := _string(each.get("duration")))), ""),
        comments=_string(item.get("comments")) or _replies(links),
        doi=_string(item.get("prism_doi")) or _string(item.get("dc_identifier")),
    )


def _markup(content: Values) -> Markup | None:
    """A text construct, if it is text at all."""
    if content is None or not (value := _string(content.get("value")).strip()):
        return None
    kind = _string(content.get("type"))
    if not kind.startswith(("text/", "application/xhtml")):
        return None
    return Markup("text" if kind == "text/plain" else "html", value)


def _plain(value: Values) -> Markup | None:
    return Markup("html", value) if isinstance(value, str) else None


def _some(*markups: Markup | None) -> list[Markup]:
    return [markup for markup in markups if markup]


def _authors(item: Values) -> list[str]:
    names = [_string(each.get("name")) or _string(each.get("email")) for each in item.get("authors", ())]
    names = [name for name in names if name] or [_string(item.get("author"))]
    return [name for name in names if name]


def _replies(links: Values) -> str:
    """The page of the comments, among the links of an item of Atom."""
    replies = (each for each in links if each.get("rel") == "replies" and each.get("type") in KINDS_OF_HTML)
    return next((_string(each.get("href")) for each in replies), "")


def _published(item: Values) -> int | None:
    for field in ("published_parsed", "updated_parsed", "created_parsed"):
        # `dict.get`, because feedparser answers a missing date with another one, and a warning.
        if parsed := dict.get(item, field):
            try:
                return calendar.timegm(parsed)
            except (ValueError, OverflowError):
                continue
    return None


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
