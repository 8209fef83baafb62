"""Answers of Crossref to entries."""

from __future__ import annotations

from typing import Any

from ingestors.parsers.document import decode
from ingestors.parsers.records import (
    MAX_NAMES,
    answer,
    date,
    day_of,
    markup_line,
    markup_text,
    person,
    read_json,
    seconds,
    work_names,
    work_url,
)
from ingestors.wire import EntryDict, RefusalError, entry_dict, web_url

_DATES = ("published-online", "published", "published-print", "posted", "issued", "created")


def parse_crossref(body: bytes, start: int = 0) -> dict[str, Any]:
    """Reads a list of works, or one.

    Args:
        body: The answer.
        start: Number of its first work among all.

    Returns:
        `title`, `entries`, `refusals`, `count`, `total`, `next` (number of the first work of the next page,
        or None) and `newest` (the latest day on which a DOI was registered).

    Raises:
        RefusalError: It is neither.
    """
    return read_crossref(read_json(decode(body)), start)


def read_crossref(data: Any, start: int = 0) -> dict[str, Any]:  # noqa: ANN401  JSON
    """`parse_crossref` for JSON that is decoded already."""
    message = data.get("message") if isinstance(data, dict) and data.get("status") == "ok" else None
    works = message.get("items", [message]) if isinstance(message, dict) else None
    if message is None or not isinstance(works, list):
        raise RefusalError("it is no answer of Crossref")
    parsed = answer("Crossref", works, _entry)
    total = message.get("total-results")
    end = start + len(works)
    return {
        **parsed,
        "total": total if isinstance(total, int) else None,
        "next": end if isinstance(total, int) and end < total else None,
        "newest": day_of(_created(work) for work in works if isinstance(work, dict)),
    }


def _entry(work: dict[str, Any]) -> EntryDict:
    names = work_names(doi=work.get("DOI"))
    title, subtitle = _first(work.get("title")), _first(work.get("subtitle"))
    if subtitle and subtitle.lower() not in title.lower():
        title = f"{title}: {subtitle}"
    return entry_dict(
        key=names.get("doi") or names.get("arxiv") or str(work.get("DOI") or "").lower() or None,
        title=title,
        text=markup_text(work.get("abstract")),
        url=web_url(str(work.get("URL") or "")) or work_url(names),
        people=[
            person(author.get("given"), author.get("family"), author.get("suffix"))
            or str(author.get("name") or "")
            for author in (work.get("author") or [])[:MAX_NAMES]
        ],
        published=_published(work),
        tags=[str(subject) for subject in work.get("subject") or []],
        identifiers={**names, "venue": _first(work.get("container-title"))},
    )


def _first(values: object) -> str:
    return markup_line(values[0]) if isinstance(values, list) and values else ""


def _published(work: dict[str, Any]) -> int | None:
    for field in _DATES:
        parts = ((work.get(field) or {}).get("date-parts") or [[]])[0]
        if parts and isinstance(parts[0], int):
            return date(*(part for part in parts[:3] if isinstance(part, int)))
    return None


def _created(work: dict[str, Any]) -> int | None:
    created = work.get("created")
    return seconds(created.get("date-time")) if isinstance(created, dict) else None
