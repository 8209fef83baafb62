"""Answers of OpenAlex to entries."""

from __future__ import annotations

from typing import Any

from ingestors.parsers.document import decode
from ingestors.parsers.records import (
    MAX_NAMES,
    answer,
    day_of,
    markup_line,
    markup_text,
    read_json,
    seconds,
    work_names,
)
from ingestors.wire import EntryDict, RefusalError, entry_dict, web_url

MAX_WORDS = 20_000
"""Positions of an inverted index beyond this are dropped: one number may claim to be the billionth word."""


def parse_openalex(body: bytes) -> dict[str, Any]:
    """Reads a list of works, or one.

    Returns:
        `title`, `entries`, `refusals`, `count`, `total`, `next` (cursor or number of the next page, or None)
        and `newest` (latest day of publication).

    Raises:
        RefusalError: It is neither.
    """
    return read_openalex(read_json(decode(body)))


def read_openalex(data: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """`parse_openalex` for JSON that is decoded already; a bare list of works will do."""
    if isinstance(data, dict) and "openalex.org/W" in str(data.get("id")):
        data = [data]
    works = data.get("results") if isinstance(data, dict) else data
    if not isinstance(works, list):
        raise RefusalError("it is no answer of OpenAlex")
    parsed = answer("OpenAlex", works, _entry)
    meta = data.get("meta") if isinstance(data, dict) else None
    meta = meta if isinstance(meta, dict) else {}
    total = meta.get("count")
    return {
        **parsed,
        "total": total if isinstance(total, int) else None,
        "next": meta.get("next_cursor") or _next_page(meta),
        "newest": day_of(entry["published"] for entry in parsed["entries"]),
    }


def parse_openalex_id(body: bytes) -> dict[str, Any]:
    """The id of one work, `{"id": "W123"}`."""
    data = read_json(decode(body))
    found = str(data.get("id") if isinstance(data, dict) else "").rpartition("/")[2]
    if not found.startswith("W"):
        raise RefusalError("it is no work of OpenAlex")
    return {"id": found}


def _next_page(meta: dict[str, Any]) -> int | None:
    page, size, total = meta.get("page"), meta.get("per_page"), meta.get("count")
    if not (isinstance(page, int) and isinstance(size, int) and isinstance(total, int)):
        return None
    return page + 1 if page * size < total else None


def _entry(work: dict[str, Any]) -> EntryDict:
    ids = work.get("ids") or {}
    place = work.get("primary_location") or {}
    names = work_names(
        doi=work.get("doi"),
        arxiv=place.get("landing_page_url") if "arxiv.org/" in str(place.get("landing_page_url")) else None,
        pmid=ids.get("pmid"),
        pmcid=ids.get("pmcid"),
        openalex=work.get("id"),
    )
    topics = work.get("topics") or work.get("concepts") or []
    return entry_dict(
        key=names.get("openalex") or names.get("doi"),
        title=markup_line(work.get("title") or work.get("display_name")),
        text=_inverted(work.get("abstract_inverted_index")),
        url=web_url(work.get("doi")) or web_url(place.get("landing_page_url")) or web_url(work.get("id")),
        people=[
            str((author.get("author") or {}).get("display_name") or author.get("raw_author_name") or "")
            for author in (work.get("authorships") or [])[:MAX_NAMES]
        ],
        published=seconds(work.get("publication_date")),
        tags=[str(topic.get("display_name") or "") for topic in topics],
        identifiers={**names, "venue": str((place.get("source") or {}).get("display_name") or "")},
    )


def _inverted(index: object) -> str:
    """The abstract behind an index of words and their positions."""
    if not isinstance(index, dict):
        return ""
    words: dict[int, str] = {}
    for word, positions in index.items():
        for position in positions if isinstance(positions, list) else []:
            if isinstance(position, int) and 0 <= position < MAX_WORDS:
                words[position] = str(word)
    return markup_text(" ".join(words[position] for position in sorted(words)))
