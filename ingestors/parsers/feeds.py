"""A feed of any kind to entries: chooses the parser, and says what a document is when it is no feed."""

from __future__ import annotations

from ingestors.parsers.document import Document, read_document
from ingestors.parsers.feeditem import Feed
from ingestors.parsers.html import parse_html
from ingestors.parsers.jsonfeed import read_json_feed
from ingestors.parsers.strictfeed import read_strictly
from ingestors.wire import RefusalError, web_url

_FEED_TYPES = ("application/rss+xml", "application/atom+xml", "application/feed+json", "application/json")


def parse_feed(body: bytes, *, url: str, content_type: str) -> Feed:
    """Reads a feed of any kind.

    Args:
        body: The document as it came over the wire, unpacked.
        url: Where it came from, for relative links.
        content_type: The HTTP header; only its charset is believed.

    Raises:
        RefusalError: It is no feed; the reason says what it seems to be.
    """
    document = read_document(body, content_type)
    if document.text.startswith(("{", "[")):
        return read_json_feed(document.text, url)
    if document.root.rpartition(":")[2].lower() not in ("rss", "rdf", "feed", "channel", "entry"):
        _refuse_known(document, url)
    feed = read_strictly(document, url)
    if feed is None:
        # Imported for the feeds that need it: it takes 70 ms, and most feeds are well-formed.
        from ingestors.parsers.loosefeed import read_loosely

        feed = read_loosely(document, url)
    return feed


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
