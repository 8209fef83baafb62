"""OPML subscription lists."""

from __future__ import annotations

import html
import re
from typing import Any

from ingestors.parsers.document import read_document
from ingestors.parsers.html import html_to_line
from ingestors.wire import MAX_NAME, MAX_TITLE, RefusalError, web_url

MAX_SUBSCRIPTIONS = 10_000
MAX_REFUSALS = 200
MAX_FOLDERS = 20
"""Folders around one subscription that become its tags."""
MAX_HEAD = 4_096
"""Characters in which the root element declares its namespaces."""
MAX_ATTRIBUTES = 20
MAX_ATTRIBUTE = 1_000
"""Characters of an attribute that is kept for nothing but the next export."""

# Lists in the wild hold bare ampersands and whole HTML tags in their attributes: of 118 real ones 80 are
# not well-formed, and a forgiving XML parser silently cuts their URLs short. So only what matters is read.
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_OUTLINE = re.compile(r"<(/?)outline\b", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w:-])(text|title|xmlurl|category)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE
)
# What else a line says, apart: a stray quote in one of these must not swallow one of those.
_OTHER_ATTRIBUTE = re.compile(r"""(?<![\w:.-])([A-Za-z_][\w:.-]{0,99}+)\s*+=\s*+(?:"([^"]*+)"|'([^']*+)')""")
_NAMESPACE = re.compile(r"""\bxmlns:([A-Za-z_][\w.-]{0,40})\s*=\s*["']([^"'<>&]{1,200})["']""")
_SELF_CLOSED = re.compile(r"/>\s*(?:</(?:body|opml)\s*>\s*)*\Z", re.IGNORECASE)

_CREDENTIALS = re.compile(r"https?://[^/?#]*@", re.IGNORECASE)

_COMMANDS = ("|", "exec:", "filter:", "file:")


def parse_opml(body: bytes) -> dict[str, Any]:
    """Reads a subscription list.

    Returns:
        `subscriptions` (`title`, `url`, `tags`: the folders around one, outermost first, and
        `attributes`: what else its line said, which is kept for an export) and `refusals`.

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
    spaces = dict(_NAMESPACE.findall(document.text[:MAX_HEAD]))
    ends = [*(mark.start() for mark in marks), len(text)]
    for mark, end in zip(marks, ends[1:], strict=True):
        if mark.group(1):
            del folders[-1:]
            continue
        segment = text[mark.end() : end]
        attributes: dict[str, str] = {}
        for name, double, single in _ATTRIBUTE.findall(segment):
            attributes.setdefault(name.lower(), html.unescape(double or single))
        label = html_to_line(attributes.get("title") or attributes.get("text") or "")[:MAX_TITLE]
        link = attributes.get("xmlurl", "").strip()
        label = "" if label == link else label
        url = web_url(link)
        if url is not None and (url in subscriptions or len(subscriptions) < MAX_SUBSCRIPTIONS):
            tags = [*folders[:MAX_FOLDERS], *map(tag_name, attributes.get("category", "").split(","))]
            known = subscriptions.setdefault(
                url, {"title": label, "url": url, "tags": [], "attributes": _others(segment, spaces)}
            )
            merged = dict.fromkeys(tag for tag in [*known["tags"], *tags] if tag)
            known["tags"] = list(merged)[: 2 * MAX_FOLDERS]
            if any(name.lower() == "filtercmd" for name in known["attributes"]):
                reason = "its filter command is not run; the feed itself is read"
                refusals.append({"name": label or url, "reason": reason})
            if _CREDENTIALS.match(link):
                reason = "the name and password in its address were left out; the feed is read without them"
                refusals.append({"name": label or url, "reason": reason})
        elif link:
            full = f"only {MAX_SUBSCRIPTIONS} subscriptions are read" if url is not None else None
            why = refusal_reason(link) or full or "it is not the address of a feed on the web"
            refusals.append({"name": label or link[:80], "reason": why})
        if not _SELF_CLOSED.search(segment):
            folders.append("" if link else tag_name(label))
    return {"subscriptions": list(subscriptions.values()), "refusals": few(refusals)}


def _others(segment: str, spaces: dict[str, str]) -> dict[str, str]:
    """What a line says beyond what is read, within limits; with the namespaces of the names that have one."""
    found: dict[str, str] = {}
    for name, double, single in _OTHER_ATTRIBUTE.findall(segment):
        value = html.unescape(double or single)[:MAX_ATTRIBUTE]
        if value and name.lower() not in ("text", "title", "xmlurl", "category"):
            if (prefix := name.partition(":")[0]) in spaces and prefix != name:
                found[f"xmlns:{prefix}"] = spaces[prefix]
            found.setdefault(name, value)
            if len(found) >= MAX_ATTRIBUTES:
                break
    return found


def few(refusals: list[dict[str, str]]) -> list[dict[str, str]]:
    """The first refusals, with one word on how many more there are."""
    if len(refusals) <= MAX_REFUSALS:
        return refusals
    more = len(refusals) - MAX_REFUSALS
    return [
        *refusals[:MAX_REFUSALS],
        {"name": f"{more} more lines", "reason": "they cannot be subscribed to"},
    ]


def tag_name(label: str) -> str:
    """The label of a folder or a category as a tag. Commas part the categories of a line, so none is left."""
    return " ".join(label.replace(",", " ").split()).strip(" /")[:MAX_NAME]


def refusal_reason(link: str) -> str | None:
    """Why a line of a list is not subscribed to, whatever can read it: it would run something."""
    if link.lower().startswith(_COMMANDS):
        return "it would run a command or read a file instead of fetching a feed"
    if link.lower().startswith("query:"):
        return "it is a search over other feeds, not a source"
    return None
