"""RSS, Atom, RDF and JSON Feed to entries; says what a document is when it is no feed."""

from __future__ import annotations

import calendar
import io
import re
from typing import Any

import feedparser

from ingestors.parsers.document import Document, read_document
from ingestors.parsers.html import html_to_line, html_to_text, parse_html, tidy
from ingestors.parsers.jsonfeed import parse_json_feed
from ingestors.wire import MAX_ITEMS, MAX_TITLE, EntryDict, RefusalError, entry_dict, unique_entries, web_url

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/json")
_PERIODS = {"hourly": 3600, "daily": 86_400, "weekly": 604_800, "monthly": 2_592_000, "yearly": 31_536_000}
_ARXIV = re.compile(r"arXiv(?:\.org)?:(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?$")
_ARXIV_PREAMBLE = re.compile(r"^arXiv:\S+ +Announce Type:[^\n]*\n+Abstract: *")


def parse_feed(body: bytes, *, url: str, content_type: str) -> dict[str, Any]:
    """Reads a feed of any kind.

    Args:
        body: The document as it came over the wire, unpacked.
        url: Where it came from, for relative links.
        content_type: The HTTP header; only its charset is believed.

    Returns:
        `title`, `entries`, `refusals`, `interval_s`, the polling interval that the feed asks for, and
        `whole`: False if the document ends before its root element does.

    Raises:
        RefusalError: It is no feed; the reason says what it seems to be.
    """
    document = read_document(body, content_type)
    if document.text.startswith(("{", "[")):
        title, entries, refusals = parse_json_feed(document.text, url)
        return _answer(title, entries, refusals, None, whole=True)
    if document.root.rpartition(":")[2].lower() not in ("rss", "rdf", "feed", "channel", "entry"):
        _refuse_known(document, url)
    # Neither links in texts nor unsafe markup matter, because only plain text is kept: without the two
    # passes feedparser takes half the time. It gets a stream, because it would open a path and fetch a URL.
    feed = feedparser.parse(
        io.BytesIO(document.text.encode("utf-8", "replace")),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not feed.version and not feed.entries:
        raise RefusalError("it is not a feed")
    entries, refusals = [], []
    for number, item in enumerate(feed.entries[:MAX_ITEMS], 1):
        try:
            entries.append(_entry(item, url))
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
            refusals.append(
                {"name": f"item {number}", "reason": f"it cannot be read ({type(error).__name__})"}
            )
    if len(feed.entries) > MAX_ITEMS:
        refusals.append(
            {"name": f"items from {MAX_ITEMS + 1} on", "reason": f"only {MAX_ITEMS} items are read"}
        )
    title = _plain(feed.feed.get("title_detail")) or _string(feed.feed.get("title"))
    whole = f"</{document.root}" in document.text
    if not whole:
        refusals.append({"name": "the rest of the feed", "reason": "the document ends in the middle"})
    return _answer(title[:MAX_TITLE], entries, refusals, _interval(feed.feed), whole=whole)


def _answer(
    title: str,
    entries: list[EntryDict],
    refusals: list[dict[str, str]],
    interval_s: int | None,
    *,
    whole: bool,
) -> dict[str, Any]:
    return {
        "title": title,
        "entries": unique_entries(entries),
        "refusals": refusals,
        "interval_s": interval_s,
        "whole": whole,
    }


def _entry(item: Any, base: str) -> EntryDict:  # noqa: ANN401  feedparser has no types
    links = [item.get("link"), *(link.get("href") for link in item.get("links", []))]
    url = next((u for link in links if (u := web_url(_string(link), base))), None)
    contents = [*item.get("content", []), item.get("summary_detail")]
    text = next((t for content in contents if (t := _text(content))), "") or tidy(
        _string(item.get("summary"))
    )
    guid = _string(item.get("id")).strip()
    identifiers = {}
    if arxiv := _ARXIV.search(guid):
        identifiers["arxiv"] = arxiv.group(1)
        text = _ARXIV_PREAMBLE.sub("", text)
    if doi := _string(item.get("prism_doi")) or _doi(_string(item.get("dc_identifier"))):
        identifiers["doi"] = doi
    return entry_dict(
        key=guid or url,
        title=_plain(item.get("title_detail")) or html_to_line(_string(item.get("title"))),
        text=text,
        url=url,
        people=_people(item, split=bool(arxiv)),
        published=_published(item),
        tags=[_string(tag.get("label")) or _string(tag.get("term")) for tag in item.get("tags", [])],
        identifiers=identifiers,
    )


def _text(content: Any) -> str:  # noqa: ANN401
    """The paragraphs of a text construct, if it is text at all."""
    if content is None or not str(content.get("type", "")).startswith(("text/", "application/xhtml")):
        return ""
    value = _string(content.get("value"))
    return tidy(value) if content["type"] == "text/plain" else html_to_text(value)


def _plain(content: Any) -> str:  # noqa: ANN401
    """A title construct in one line."""
    if content is None:
        return ""
    value = _string(content.get("value"))
    return " ".join(value.split()) if content.get("type") == "text/plain" else html_to_line(value)


def _people(item: Any, *, split: bool) -> list[str]:  # noqa: ANN401
    names = [
        _string(author.get("name")) or _string(author.get("email")) for author in item.get("authors", [])
    ]
    names = [name for name in names if name] or [_string(item.get("author"))]
    if split:  # arXiv puts all authors of a paper into one element
        names = [part for name in names for part in name.split(", ")]
    return [html_to_line(name) for name in names]


def _published(item: Any) -> int | None:  # noqa: ANN401
    for field in ("published_parsed", "updated_parsed", "created_parsed"):
        # `dict.get`, because feedparser answers a missing date with another one, and a warning.
        if parsed := dict.get(item, field):
            try:
                return calendar.timegm(parsed)
            except (ValueError, OverflowError):
                continue
    return None


def _interval(feed: Any) -> int | None:  # noqa: ANN401
    wanted = []
    ttl = _string(feed.get("ttl")).strip()
    if ttl.isascii() and ttl.isdigit() and len(ttl) < 8:
        wanted.append(int(ttl) * 60)
    if period := _PERIODS.get(_string(feed.get("sy_updateperiod")).strip().lower()):
        frequency = _string(feed.get("sy_updatefrequency")).strip()
        times = int(frequency) if frequency.isascii() and frequency.isdigit() and len(frequency) < 6 else 1
        wanted.append(period // max(times, 1))
    return max(wanted, default=None)


def _doi(identifier: str) -> str:
    found = re.match(r"(?:doi:|https?://(?:dx\.)?doi\.org/)(10\.\S+)", identifier, re.IGNORECASE)
    return found.group(1) if found else ""


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""


def _refuse_known(document: Document, url: str) -> None:
    """Raises for documents that are known to be something else than a feed."""
    root = document.root.lower()
    text = document.text
    if root == "opml":
        raise RefusalError("it is a list of subscriptions (OPML), not a feed: import it instead")
    if root in ("html", "head", "body") or "html" in document.doctype[:20].lower():
        links = _feed_links(text, url)
        offers = f"; it offers {', '.join(links)}" if links else ""
        raise RefusalError(f"it is a web page, not a feed{offers}")
    if text.startswith("%PDF"):
        raise RefusalError("it is a PDF document, not a feed")
    if not text:
        raise RefusalError("it is empty")
    if "<rss" not in text and "<feed" not in text and "RDF" not in text:
        raise RefusalError(f"it is not a feed but {f'<{root}>' if root else 'plain text or binary data'}")


def _feed_links(text: str, url: str) -> list[str]:
    tree = parse_html(text)
    if tree is None:
        return []
    found = (
        web_url(link.get("href"), url)
        for link in tree.iter("link")
        if (link.get("type") or "").split(";")[0].strip().lower() in _FEED_TYPES
        and "alternate" in (link.get("rel") or "").lower().split()
    )
    return list(dict.fromkeys(link for link in found if link))[:5]
