"""Answers of Zotero: items to entries, and what became of items that were sent."""

from __future__ import annotations

import re
from typing import Any

from ingestors.parsers.document import decode
from ingestors.parsers.records import (
    MAX_NAMES,
    answer,
    date,
    markup_line,
    markup_text,
    person,
    read_json,
    seconds,
    work_names,
    work_url,
)
from ingestors.wire import EntryDict, RefusalError, entry_dict, web_url

_NO_WORKS = {"attachment", "note", "annotation"}
_PMID = re.compile(r"^\s*PMID:\s*(\d{1,9})", re.MULTILINE | re.IGNORECASE)
_DOI_LINE = re.compile(r"^\s*DOI:\s*(\S+)", re.MULTILINE | re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_VENUES = ("publicationTitle", "proceedingsTitle", "bookTitle", "websiteTitle", "blogTitle")


def parse_zotero(body: bytes) -> dict[str, Any]:
    """Reads a list of items.

    Returns:
        `title`, `entries`, `refusals`, `count`.

    Raises:
        RefusalError: It is none.
    """
    items = read_json(decode(body))
    if not isinstance(items, list):
        raise RefusalError("it is no list of items")
    return answer("Zotero", items, _entry)


def parse_zotero_report(body: bytes) -> dict[str, Any]:
    """Reads what became of items that were sent: `added`, `known`, `refused` (pairs of number and reason).

    Raises:
        RefusalError: It is no such report.
    """
    report = read_json(decode(body))
    if not isinstance(report, dict) or not report.keys() & {"success", "successful", "failed"}:
        raise RefusalError("it is no report on items")
    failed = report.get("failed")
    known, refused = len(_dict(report.get("unchanged"))), []
    for number, problem in _dict(failed).items():
        if not number.isdigit() or not isinstance(problem, dict):
            continue
        if problem.get("code") == 412:  # an item of that key has a version already
            known += 1
        else:
            refused.append((int(number), " ".join(str(problem.get("message") or "refused").split())[:200]))
    added = len(_dict(report.get("successful")) or _dict(report.get("success")))
    return {"added": added, "known": known, "refused": refused}


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _entry(item: dict[str, Any]) -> EntryDict | None:
    data = item.get("data") if isinstance(item.get("data"), dict) else item
    assert isinstance(data, dict)
    if data.get("itemType") in _NO_WORKS:
        return None
    url, extra = str(data.get("url") or ""), str(data.get("extra") or "")
    doi = _DOI_LINE.search(extra)
    pmid = _PMID.search(extra)
    hints = [data.get("archiveID"), *(text for text in (url, extra) if "arxiv" in text.lower())]
    names = work_names(
        doi=data.get("DOI") or (doi.group(1) if doi else url if "doi.org/" in url else None),
        arxiv=next((hint for hint in hints if hint), None),
        pmid=pmid.group(1) if pmid else None,
    )
    creators = [c for c in (data.get("creators") or [])[:MAX_NAMES] if isinstance(c, dict)]
    authors = [c for c in creators if c.get("creatorType") == "author"] or creators
    tags = [str(tag.get("tag") or "") for tag in data.get("tags") or [] if isinstance(tag, dict)]
    return entry_dict(
        key=str(item.get("key") or data["key"]),
        title=markup_line(data.get("title")),
        text=markup_text(data.get("abstractNote")),
        url=web_url(url) or work_url(names),
        people=[person(c.get("firstName"), c.get("lastName")) or str(c.get("name") or "") for c in authors],
        published=_published(str(data.get("date") or "")),
        tags=tags,
        identifiers={**names, "venue": next((str(data[v]) for v in _VENUES if data.get(v)), "")},
    )


def _published(text: str) -> int | None:
    if (moment := seconds(text)) is not None:
        return moment
    year = _YEAR.search(text)
    return date(int(year.group())) if year else None
