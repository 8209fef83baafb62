"""OPML subscription lists."""

from __future__ import annotations

import re
from typing import Any

import lxml.etree

from ingestors.parsers.document import read_document
from ingestors.parsers.html import html_to_line
from ingestors.wire import MAX_NAME, MAX_TITLE, RefusalError, web_url

MAX_SUBSCRIPTIONS = 10_000

_BARE_AMPERSAND = re.compile(r"&(?!(?:#\d+|#x[0-9a-f]+|amp|lt|gt|quot|apos);)", re.IGNORECASE)


def parse_opml(body: bytes) -> dict[str, Any]:
    """Reads a subscription list.

    Returns:
        `subscriptions` (`title`, `url`, `tags`: the folders around one, outermost first) and `refusals`.

    Raises:
        RefusalError: It is not OPML.
    """
    document = read_document(body)
    if document.root.lower() != "opml":
        raise RefusalError("it is not a subscription list in OPML")
    # Lists in the wild hold bare ampersands, which would cut their URLs short, and unescaped quotes:
    # as HTML they can be read nevertheless.
    parser = lxml.etree.HTMLPullParser(("start", "end"), encoding="utf-8", no_network=True)
    parser.feed(_BARE_AMPERSAND.sub("&amp;", document.text).encode("utf-8", "replace"))
    parser.close()
    subscriptions: dict[str, dict[str, Any]] = {}
    refusals: list[dict[str, str]] = []
    folders: list[str] = []
    for event, element in parser.read_events():
        if str(element.tag).lower() != "outline":
            continue
        if event == "end":
            folders.pop()
            continue
        attributes = {str(name).lower(): str(value) for name, value in element.attrib.items()}
        label = html_to_line(attributes.get("title") or attributes.get("text") or "")[:MAX_TITLE]
        link = attributes.get("xmlurl", "").strip()
        folders.append("" if link else label[:MAX_NAME])
        if not link:
            continue
        url = web_url(link)
        if url is None:
            refusals.append({"name": label or link[:80], "reason": _reason(link)})
        elif len(subscriptions) < MAX_SUBSCRIPTIONS:
            tags = [folder for folder in folders if folder]
            tags += [tag.strip(" /")[:MAX_NAME] for tag in attributes.get("category", "").split(",")]
            known = subscriptions.setdefault(url, {"title": label, "url": url, "tags": []})
            known["tags"] = list(dict.fromkeys(tag for tag in [*known["tags"], *tags] if tag))
    if len(subscriptions) == MAX_SUBSCRIPTIONS:
        refusals.append({"name": "the rest", "reason": f"only {MAX_SUBSCRIPTIONS} subscriptions are read"})
    return {"subscriptions": list(subscriptions.values()), "refusals": refusals}


def _reason(link: str) -> str:
    if link.startswith("|") or link.lower().startswith(("exec:", "filter:", "file:")):
        return "it would run a command or read a file instead of fetching a feed"
    return "it is not the address of a feed on the web"
