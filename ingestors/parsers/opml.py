"""OPML subscription lists."""

from __future__ import annotations

import html
import re
from typing import Any

from ingestors.parsers.document import read_document
from ingestors.parsers.html import html_to_line
from ingestors.wire import MAX_NAME, MAX_TITLE, RefusalError, web_url

MAX_SUBSCRIPTIONS = 10_000

# Lists in the wild hold bare ampersands and whole HTML tags in their attributes: of 118 real ones 80 are
# not well-formed, and a forgiving XML parser silently cuts their URLs short. So only what matters is read.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_OUTLINE = re.compile(r"<(/?)outline\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w:-])(text|title|xmlurl|category)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE
)
_SELF_CLOSED = re.compile(r"/>\s*(?:</(?:body|opml)\s*>\s*)*\Z", re.IGNORECASE)


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
    text = _COMMENT.sub("", document.text)
    subscriptions: dict[str, dict[str, Any]] = {}
    refusals: list[dict[str, str]] = []
    folders: list[str] = []
    marks = list(_OUTLINE.finditer(text))
    for mark, end in zip(marks, [*(mark.start() for mark in marks[1:]), len(text)], strict=True):
        if mark.group(1):
            del folders[-1:]
            continue
        segment = text[mark.end() : end]
        attributes: dict[str, str] = {}
        for name, double, single in _ATTRIBUTE.findall(segment):
            attributes.setdefault(name.lower(), html.unescape(double or single))
        label = html_to_line(attributes.get("title") or attributes.get("text") or "")[:MAX_TITLE]
        link = attributes.get("xmlurl", "").strip()
        url = web_url(link)
        if url is not None and (url in subscriptions or len(subscriptions) < MAX_SUBSCRIPTIONS):
            tags = [
                *folders,
                *(tag.strip(" /")[:MAX_NAME] for tag in attributes.get("category", "").split(",")),
            ]
            known = subscriptions.setdefault(url, {"title": label, "url": url, "tags": []})
            known["tags"] = list(dict.fromkeys(tag for tag in [*known["tags"], *tags] if tag))
        elif link:
            refusals.append({"name": label or link[:80], "reason": _reason(link)})
        if not _SELF_CLOSED.search(segment):
            folders.append("" if link else label[:MAX_NAME])
    return {"subscriptions": list(subscriptions.values()), "refusals": refusals}


def _reason(link: str) -> str:
    if web_url(link) is not None:
        return f"only {MAX_SUBSCRIPTIONS} subscriptions are read"
    if link.startswith("|") or link.lower().startswith(("exec:", "filter:", "file:")):
        return "it would run a command or read a file instead of fetching a feed"
    return "it is not the address of a feed on the web"
