"""What crosses the pipe between the program and a parser child: frames, refusals and entries.

Owns the limits that every parser applies and the JSON shape of an entry, with its writer (for the
child) and its reader (for the parent). Imports next to nothing: both sides import it.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypedDict
from urllib.parse import urljoin, urlsplit, urlunsplit

import msgspec

from ingestors.base import Entry, Flag, Refusal

FRAME = struct.Struct(">I")
"""Length of the JSON that follows; a request is followed by `size` raw bytes as well."""

MAX_ITEMS = 2_000
MAX_TITLE = 512
MAX_TEXT = 200_000
MAX_NAME = 200
MAX_PEOPLE = 500
MAX_TAGS = 200
MAX_KEY = 512
MAX_URL = 4_096
MAX_LINKS = 100
MAX_LINK_WORDS = 200


class RefusalError(Exception):
    """A parser's word that it will not take a document; the message is for the reader."""


class EntryDict(TypedDict):
    """`ingestors.base.Entry` as JSON; `published` in seconds since 1970, UTC."""

    key: str
    title: str
    text: str
    url: str | None
    people: list[str]
    published: int | None
    tags: list[str]
    identifiers: dict[str, str]
    personal: bool
    parent: str | None
    flags: list[str]
    links: list[list[str]]


def entry_dict(
    *,
    key: str | None,
    title: str,
    text: str,
    url: str | None = None,
    people: Sequence[str] = (),
    published: int | None = None,
    tags: Sequence[str] = (),
    identifiers: Mapping[str, str] | None = None,
    personal: bool = False,
    parent: str | None = None,
    flags: Collection[Flag] = (),
    links: Sequence[tuple[str, str]] = (),
) -> EntryDict:
    """Builds the JSON form of an entry within the limits; without `key` its content is its identity."""
    title = " ".join(title.split())[:MAX_TITLE]
    text = text.strip()[:MAX_TEXT]
    if key is None:
        key = content_key(title, text)
    elif len(key) > MAX_KEY:
        key = content_key(key)
    return EntryDict(
        key=key,
        title=title,
        text=text,
        url=url,
        people=_names(people, MAX_PEOPLE),
        published=published if published is not None and _EARLIEST <= published <= _LATEST else None,
        tags=_names(tags, MAX_TAGS),
        identifiers={k: v[:MAX_KEY] for k, v in (identifiers or {}).items() if v},
        personal=personal,
        parent=parent,
        flags=sorted(flags),
        links=[[words[:MAX_LINK_WORDS], url] for words, url in links[:MAX_LINKS] if len(url) <= MAX_URL],
    )


def content_key(*parts: str) -> str:
    """An identity made from what a document says, for documents that bring none."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "replace"))
    return "sha256:" + digest.hexdigest()[:32]


def unique_entries(entries: Sequence[EntryDict], *, first_keeps: bool = False) -> list[EntryDict]:
    """Gives entries that share a key with a different entry an identity of their own; drops true copies.

    Feeds whose items all carry one guid exist, and so do mails that borrow another's Message-ID:
    none of them may hide another document. The fallback is the link, where it tells them apart,
    else the content.

    Args:
        entries: In the order of the document.
        first_keeps: Whether the first of several keeps the shared key. Right where documents are
            appended (mail); wrong where they are put in front (feeds), because the first of today
            is not the first of tomorrow.
    """
    groups: dict[str, list[EntryDict]] = {}
    links: dict[str | None, int] = {}
    for entry in entries:
        group = groups.setdefault(entry["key"], [])
        if not any(_same(entry, other) for other in group):
            group.append(entry)
            links[entry["url"]] = links.get(entry["url"], 0) + 1
    out: dict[str, EntryDict] = {}
    for key, group in groups.items():
        for number, entry in enumerate(group):
            if len(group) > 1 and not (first_keeps and number == 0):
                url = entry["url"]
                told_apart = url is not None and links[url] == 1 and len(url) <= MAX_KEY
                entry["key"] = url if url and told_apart else content_key(key, entry["title"], entry["text"])
            out.setdefault(entry["key"], entry)
    return list(out.values())


def to_entry(data: Mapping[str, Any]) -> Entry:
    """The inverse of `entry_dict`; raises ValueError for anything else."""
    return msgspec.convert(data, Entry, strict=False)  # not strict: seconds become a time


def to_refusal(data: Mapping[str, Any]) -> Refusal:
    """A refusal as a parser sends it, `{"name", "reason"}`."""
    return Refusal(str(data["name"]), str(data["reason"]))


# What nearly every link looks like; what follows in `web_url` would leave it as it is.
_PLAIN_URL = re.compile(
    r"https?://[a-z0-9.-]+(?:/[\w/.,:@~%+=!$*-]*(?:\?[\w/.,:@~%+=!$*&-]+)?(?:#[\w/.,:@~%+=!$*&-]+)?)?",
    re.ASCII,
)


def web_url(link: str | None, base: str = "") -> str | None:
    """`link` as an absolute http(s) URL without credentials, or None if it is anything else."""
    if not link:
        return None
    link = link.strip()
    if _PLAIN_URL.fullmatch(link) and len(link) <= MAX_URL:
        return link
    if any(char <= " " or "\x7f" <= char <= "\x9f" for char in link):
        link = "".join("" if char < " " or "\x7f" <= char <= "\x9f" else char for char in link)
        link = link.replace(" ", "%20")
    try:
        parts = urlsplit(urljoin(base, link) if base else link)
        host = parts.hostname
        _ = parts.port  # raises ValueError for a port that is none
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host:
        return None
    netloc = parts.netloc.rpartition("@")[2]
    url = urlunsplit((parts.scheme, netloc, parts.path, parts.query, parts.fragment))
    return url if len(url) <= MAX_URL else None


def _same(one: EntryDict, other: EntryDict) -> bool:
    return all(one[field] == other[field] for field in ("title", "text", "url"))


def _names(values: Sequence[str], limit: int) -> list[str]:
    names = (" ".join(value.split())[:MAX_NAME] for value in values[: limit * 4])
    return list(dict.fromkeys(name for name in names if name))[:limit]


_EARLIEST = int(datetime(1, 1, 2, tzinfo=UTC).timestamp())
_LATEST = int(datetime(9999, 12, 30, tzinfo=UTC).timestamp())
