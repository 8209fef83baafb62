"""Lists of subscriptions: OPML files and the `urls` files of newsboat, read for consent and written.

Knows what such a list says, not what can be subscribed to. A list never runs anything: lines that would
are refused by name.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Literal

from ingestors.base import Refusal
from ingestors.quoting import quote
from ingestors.sandbox import ParseRefused, ParserPool
from ingestors.wire import to_refusal

Format = Literal["opml", "urls"]

PARSERS: dict[Format, str] = {
    "opml": "ingestors.parsers.opml:parse_opml",
    "urls": "ingestors.parsers.urls:parse_urls",
}
HEAD = 4_096
"""Bytes of a file that tell what it is."""

_FIRST_WORD = re.compile(rb'"?(?:https?|feed|exec|filter|query|file|gemini|gopher):', re.IGNORECASE)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One line of a list."""

    title: str
    """Empty if the list has no name for it."""
    url: str
    """In an OPML list always http(s); in a `urls` file whatever stands there, but no command."""
    tags: tuple[str, ...] = ()
    """The folders it was in, outermost first, then its categories or tags."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What else an OPML list says of it, kept for the next export."""


def list_format(head: bytes) -> Format | None:
    """What kind of list begins with `head`, the first `HEAD` bytes of a file; None if it is none."""
    if b"<opml" in head.replace(b"\0", b"").lower():
        return "opml"
    lines = (line.strip() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n"))
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return "urls" if _FIRST_WORD.match(first) else None


async def read_list(
    body: bytes, form: Format, parsers: ParserPool
) -> tuple[list[Subscription], list[Refusal]]:
    """Reads a list. Each feed occurs once, with all of its tags; what is refused is named."""
    try:
        answer = await parsers.parse(PARSERS[form], body)
    except ParseRefused as refused:
        return [], [Refusal("subscription list", refused.reason)]
    found = [
        Subscription(s["title"], s["url"], tuple(s["tags"]), s["attributes"]) for s in answer["subscriptions"]
    ]
    return found, [to_refusal(refusal) for refusal in answer["refusals"]]


def write_opml(subscriptions: Sequence[Subscription], *, title: str, created: datetime) -> str:
    """An OPML 2.0 document: the first tag of a feed is its folder, the others are its categories.

    Args:
        subscriptions: Written in their order; folders in the order of their first feed.
        title: Of the document.
        created: Aware.
    """
    folders: dict[str, list[str]] = {}
    for one in subscriptions:
        name = one.title or one.url
        attributes = {
            "type": "rss",
            **{name: value for name, value in one.attributes.items() if _writable(name, one.attributes)},
            "text": name,
            "title": name,
            "xmlUrl": one.url,
            "category": ",".join(one.tags[1:]),
        }
        written = " ".join(f'{key}="{_escaped(value)}"' for key, value in attributes.items() if value)
        folders.setdefault(one.tags[0] if one.tags else "", []).append(f"<outline {written}/>")
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<opml version="2.0">',
        "  <head>",
        f"    <title>{_escaped(title)}</title>",
        f"    <dateCreated>{format_datetime(created)}</dateCreated>",
        "  </head>",
        "  <body>",
    ]
    for folder, outlines in folders.items():
        if folder:
            lines.append(f'    <outline text="{_escaped(folder)}" title="{_escaped(folder)}">')
            lines += [f"      {outline}" for outline in outlines]
            lines.append("    </outline>")
        else:
            lines += [f"    {outline}" for outline in outlines]
    return "\n".join([*lines, "  </body>", "</opml>", ""])


def write_urls(subscriptions: Iterable[Subscription]) -> str:
    """A `urls` file: a line a source, its tags in quotes, its name after a tilde."""
    lines = [
        " ".join([one.url, *map(quote, one.tags), *([quote(f"~{one.title}")] if one.title else [])])
        for one in subscriptions
    ]
    return "".join(f"{line}\n" for line in lines)


def _writable(name: str, attributes: Mapping[str, str]) -> bool:
    """Whether a kept attribute may stand in an XML document: one with a prefix needs its namespace."""
    prefix, colon, _ = name.partition(":")
    return bool(_NAME.fullmatch(name)) and (not colon or prefix == "xmlns" or f"xmlns:{prefix}" in attributes)


def _escaped(text: str) -> str:
    """`text` as the value of an attribute, without what no XML document can hold."""
    return html.escape(_NOT_XML.sub("\ufffd", text)).replace("\n", "&#10;").replace("\t", "&#9;")
