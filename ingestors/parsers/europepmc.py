"""Answers of Europe PMC to entries."""

from __future__ import annotations

from typing import Any

from ingestors.parsers.document import decode
from ingestors.parsers.records import (
    MAX_NAMES,
    answer,
    day_of,
    markup_line,
    markup_text,
    person,
    read_json,
    seconds,
    work_names,
    work_url,
)
from ingestors.wire import EntryDict, RefusalError, entry_dict


def parse_europe_pmc(body: bytes) -> dict[str, Any]:
    """Reads a page of results with all their fields (`resultType=core`).

    Returns:
        `title`, `entries`, `refusals`, `count`, `total`, `next` (mark of the next page) and `newest` (the
        latest day on which a record was indexed).

    Raises:
        RefusalError: It is none, or the service reports an error.
    """
    return read_europe_pmc(read_json(decode(body)))


def read_europe_pmc(data: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """`parse_europe_pmc` for JSON that is decoded already."""
    found = data.get("resultList") if isinstance(data, dict) else None
    papers = found.get("result") if isinstance(found, dict) else None
    if not isinstance(papers, list):
        problem = data.get("errMsg") if isinstance(data, dict) else None
        raise RefusalError(f"Europe PMC reports: {str(problem)[:200]}" if problem else "it is no answer")
    parsed = answer("Europe PMC", papers, _entry)
    total, mark = data.get("hitCount"), data.get("nextCursorMark")
    request = data.get("request")
    asked = request.get("cursorMark") if isinstance(request, dict) else None
    stamps = (seconds(paper.get("firstIndexDate")) for paper in papers if isinstance(paper, dict))
    return {
        **parsed,
        "total": total if isinstance(total, int) else None,
        "next": mark if papers and mark != asked else None,
        "newest": day_of(stamps),
    }


def _entry(paper: dict[str, Any]) -> EntryDict:
    names = work_names(doi=paper.get("doi"), pmid=paper.get("pmid"), pmcid=paper.get("pmcid"))
    authors = (paper.get("authorList") or {}).get("author") or []
    words = (paper.get("keywordList") or {}).get("keyword") or []
    journal = ((paper.get("journalInfo") or {}).get("journal") or {}).get("title")
    source, own = str(paper.get("source") or "MED"), str(paper.get("id") or "")
    return entry_dict(
        key=f"{source}:{own}" if own else names.get("doi"),
        title=markup_line(paper.get("title")).removesuffix("."),
        text=markup_text(paper.get("abstractText")),
        url=work_url(names) or (f"https://europepmc.org/article/{source}/{own}" if own else None),
        people=[_author(author) for author in authors[:MAX_NAMES]],
        published=seconds(paper.get("firstPublicationDate") or paper.get("pubYear")),
        tags=[str(word) for word in words],
        identifiers={**names, "venue": str(journal or "")},
    )


def _author(author: dict[str, Any]) -> str:
    written = person(author.get("firstName") or author.get("initials"), author.get("lastName"))
    return written or str(author.get("collectiveName") or author.get("fullName") or "")
