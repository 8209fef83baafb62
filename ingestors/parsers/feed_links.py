"""What a page says of the feeds that belong to it; also what kind of document one is at all."""

from __future__ import annotations

import json
import re
from typing import Any

from ingestors.parsers.document import read_document
from ingestors.parsers.html import Element, html_to_line, parse_html
from ingestors.wire import MAX_TITLE, RefusalError, web_url

MAX_FEEDS = 50
MAX_PAGE = 2**20
"""Characters of a page that are looked at; feeds are named in its head."""

_FORMATS = {"rss": "RSS", "rdf": "RSS 1.0", "feed": "Atom", "opml": "OPML", "html": "HTML"}
_TYPES = {
    *("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"),
    *("application/x.atom+xml", "application/x-atom+xml", "text/xml", "application/xml", "application/rss"),
}
_JSON_TYPE = "application/json"
"""WordPress offers its programming interface under this type, others a JSON Feed."""

_SCHEMES = ("feed:", "pcast:", "itpc:", "podcast:")
_LOOKS_LIKE_FEED = re.compile(
    r"(?:/|\.|^)(?:rss|atom|rdf)(?:[/?.]|$)|/feeds?(?:/|$)|/(?:feed|index|rss|atom)\.(?:xml|json)$|"
    r"feeds\.feedburner\.com/",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\b(?:rss|atom|feed)\b", re.IGNORECASE)


def parse_links(body: bytes, *, url: str, content_type: str) -> dict[str, Any]:
    """Looks for the feeds that a page names.

    Args:
        body: The document as it came over the wire, unpacked.
        url: Where it came from.
        content_type: The HTTP header; only its charset is believed.

    Returns:
        `format` (`HTML`, `RSS`, `Atom`, `JSON Feed`, ... or empty), `feeds` (`url` and `title` of each, in
        the order of the page), `about` (other addresses of the page, which may say more than the one asked
        for) and `generator`, the program that made it.
    """
    document = read_document(body, content_type)
    found: dict[str, Any] = {"format": "", "feeds": [], "about": [], "generator": ""}
    if document.text.startswith(("{", "[")):
        return found | _json(document.text)
    root = document.root.rpartition(":")[2].lower()
    found["format"] = _FORMATS.get(root, "")
    if root in ("head", "body") or "html" in document.doctype[:20].lower():
        found["format"] = "HTML"
    if found["format"] == "HTML" or (not found["format"] and "<a " in document.text[:MAX_PAGE]):
        found |= _page(document.text[:MAX_PAGE], url) | {"format": "HTML"}
    return found


def _json(text: str) -> dict[str, Any]:
    """A JSON Feed, or the answer of a directory of podcasts, which names feeds."""
    try:
        data = json.loads(text)
    except ValueError:
        raise RefusalError("it is not JSON, though it begins like it") from None
    if isinstance(data, dict) and "jsonfeed.org/version" in str(data.get("version", "")):
        return {"format": "JSON Feed"}
    results = data.get("results") if isinstance(data, dict) else None
    rows = [row for row in results if isinstance(row, dict)] if isinstance(results, list) else []
    feeds = [
        {"url": link, "title": str(row.get("collectionName", ""))[:MAX_TITLE]}
        for row in rows[:MAX_FEEDS]
        if isinstance(row.get("feedUrl"), str) and (link := web_url(row["feedUrl"]))
    ]
    return {"format": "HTML" if feeds else "JSON", "feeds": feeds}


def _page(text: str, url: str) -> dict[str, Any]:
    tree = parse_html(text)
    if tree is None:
        return {}
    base = next((b for tag in tree.iter("base") if (b := web_url(tag.get("href"), url))), url)
    feeds: dict[str, str] = {}
    about: dict[str, None] = {}
    for link in tree.iter("link"):
        relations = (link.get("rel") or "").lower().split()
        if _names_feed(link, relations):
            _offer(feeds, link.get("href"), base, link.get("title") or "")
        elif "canonical" in relations:
            _note(about, link.get("href"), base)
        if len(feeds) >= MAX_FEEDS:
            break
    generator = ""
    for meta in tree.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        content = (meta.get("content") or "").strip()
        if name == "generator":
            generator = generator or " ".join(content.split())[:80]
        elif name == "og:url":
            _note(about, content, base)
        elif name in ("identifier", "channelid") and re.fullmatch(r"UC[\w-]{10,30}", content):
            _note(about, f"/channel/{content}", base)
    if not feeds:
        _anchors(tree, base, feeds)
    return {
        "feeds": [{"url": link, "title": title} for link, title in feeds.items()],
        "about": list(about)[:5],
        "generator": generator,
    }


def _names_feed(link: Element, relations: list[str]) -> bool:
    kind = (link.get("type") or "").split(";")[0].strip().lower()
    if "alternate" not in relations:
        return "feed" in relations
    if kind == _JSON_TYPE:
        return "/wp-json" not in (link.get("href") or "")
    return kind in _TYPES


def _anchors(tree: Element, base: str, feeds: dict[str, str]) -> None:
    """Links that look like feeds: for pages that name none in their head."""
    for number, anchor in enumerate(tree.iter("a")):
        href = (anchor.get("href") or "").strip()
        words = " ".join("".join(anchor.itertext()).split())[:80] if len(anchor) < 5 else ""
        if (
            href.lower().startswith(_SCHEMES)
            or _LOOKS_LIKE_FEED.search(href)
            or (len(words) < 20 and _WORDS.search(words))
        ):
            _offer(feeds, href, base, words)
        if len(feeds) >= MAX_FEEDS or number > 20_000:
            return


def _offer(feeds: dict[str, str], href: str | None, base: str, title: str) -> None:
    link = (href or "").strip()
    scheme = next((s for s in _SCHEMES if link.lower().startswith(s)), None)
    if scheme is not None:
        rest = link[len(scheme) :]
        link = rest if rest.lower().startswith(("http:", "https:")) else f"https:{rest}"
    if (found := web_url(link, base)) is not None:
        feeds.setdefault(found.partition("#")[0], html_to_line(title)[:MAX_TITLE])


def _note(about: dict[str, None], link: str | None, base: str) -> None:
    if (found := web_url(link, base)) is not None:
        about.setdefault(found)
