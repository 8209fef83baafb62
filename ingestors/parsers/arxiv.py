"""Answers of arXiv to entries: the query interface (Atom) and the daily list of a category (RSS)."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

from ingestors.parsers.document import Document, read_document
from ingestors.parsers.records import Element, answer, element_text, read_tree, seconds, work_names
from ingestors.wire import EntryDict, RefusalError, entry_dict

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_CREATOR = "{http://purl.org/dc/elements/1.1/}creator"

_PREAMBLE = re.compile(r"^\s*arXiv:\S+\s+Announce Type:[^\n]*\n+\s*Abstract:\s*")
_AFFILIATION = re.compile(r"\([^()]*\)")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def parse_arxiv(body: bytes) -> dict[str, Any]:
    """Reads an answer of the query interface.

    Returns:
        `title`, `entries`, `refusals`, `count`, `total` (matches of the query) and `oldest` (seconds; the
        earliest submission).

    Raises:
        RefusalError: It is no such answer, or the service reports an error.
    """
    return parse_arxiv_document(read_document(body))


def parse_arxiv_document(document: Document) -> dict[str, Any]:
    """`parse_arxiv` for a document that is decoded already."""
    if document.root != "feed":
        raise RefusalError("it is no answer of arXiv")
    root = read_tree(document)
    items = root.findall(_ATOM + "entry")
    if len(items) == 1 and "arxiv.org/api/errors" in _child(items[0], _ATOM + "id"):
        raise RefusalError(f"arXiv reports: {_child(items[0], _ATOM + 'summary')[:200]}")
    parsed = answer("arXiv", items, _entry)
    total = _child(root, _OPENSEARCH + "totalResults")
    parsed["total"] = int(total) if total.isascii() and total.isdigit() and len(total) < 10 else len(items)
    parsed["oldest"] = min((e["published"] for e in parsed["entries"] if e["published"]), default=None)
    return parsed


def parse_arxiv_daily(body: bytes) -> dict[str, Any]:
    """Reads the daily list of announcements; on weekends and holidays it is empty, which is no error.

    Returns:
        `title`, `entries`, `refusals`, `count`, `day` (of the announcement, `2026-03-02`) and `skip_days`
        (days of the week without one, 0 for Monday).

    Raises:
        RefusalError: It is no such list.
    """
    document = read_document(body)
    if document.root != "rss":
        raise RefusalError("it is no daily list of arXiv")
    channel = read_tree(document).find("channel")
    if channel is None:
        raise RefusalError("it is no daily list of arXiv")
    parsed = answer("arXiv", channel.findall("item"), _announced)
    day = _rfc822(_child(channel, "pubDate"))
    skipped = (element_text(day).lower() for day in channel.iterfind("skipDays/day"))
    return {
        **parsed,
        "day": None if day is None else day.date().isoformat(),
        "skip_days": [_DAYS.index(name) for name in skipped if name in _DAYS],
    }


def _entry(item: Element) -> EntryDict:
    names = work_names(arxiv=_child(item, _ATOM + "id"), doi=_child(item, _ARXIV + "doi"))
    if "arxiv" not in names:
        raise ValueError("no arXiv id")
    return entry_dict(
        key=names["arxiv"],
        title=_child(item, _ATOM + "title"),
        text=_child(item, _ATOM + "summary"),
        url=f"https://arxiv.org/abs/{names['arxiv']}",
        people=[_child(author, _ATOM + "name") for author in item.findall(_ATOM + "author")],
        published=seconds(_child(item, _ATOM + "published") or _child(item, _ATOM + "updated")),
        tags=[category.get("term", "") for category in item.findall(_ATOM + "category")],
        identifiers={**names, "venue": _child(item, _ARXIV + "journal_ref")},
    )


def _announced(item: Element) -> EntryDict:
    link, description = _child(item, "link"), item.findtext("description") or ""
    numbered = description.split(maxsplit=1)[0] if _PREAMBLE.match(description) else ""
    names = work_names(arxiv=numbered or _child(item, "guid") or link, doi=_child(item, _ARXIV + "DOI"))
    if "arxiv" not in names:
        raise ValueError("no arXiv id")
    announce = _child(item, _ARXIV + "announce_type")
    moment = _rfc822(_child(item, "pubDate"))
    return entry_dict(
        key=names["arxiv"],
        title=_child(item, "title"),
        text=" ".join(_PREAMBLE.sub("", description).split()),
        url=f"https://arxiv.org/abs/{names['arxiv']}",
        people=_AFFILIATION.sub("", _child(item, _CREATOR)).split(","),
        published=None if moment is None else int(moment.timestamp()),
        tags=[element_text(category) for category in item.findall("category")],
        # `replace-cross` says of a revision that the category is not its first.
        identifiers={**names, "announce": announce.partition("-")[0]},
    )


def _child(item: Element, tag: str) -> str:
    return element_text(item.find(tag))


def _rfc822(text: str) -> Any:  # noqa: ANN401  a datetime, or None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
