"""Answers of Semantic Scholar to entries."""

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
    work_url,
)
from ingestors.wire import EntryDict, RefusalError, entry_dict, web_url


def parse_semantic_scholar(body: bytes) -> dict[str, Any]:
    """Reads a list of papers, a list of citations, or one paper.

    Returns:
        `title`, `entries`, `refusals`, `count`, `total` (None: the service only estimates it), `next` (token
        or number of the next page, or None) and `newest` (latest day of publication).

    Raises:
        RefusalError: It is none of them.
    """
    return read_semantic_scholar(read_json(decode(body)))


def read_semantic_scholar(data: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """`parse_semantic_scholar` for JSON that is decoded already."""
    if not isinstance(data, dict):
        raise RefusalError("it is no answer of Semantic Scholar")
    papers = [data] if "paperId" in data else data.get("data")
    if papers is None and data.get("total") == 0:
        papers = []
    if not isinstance(papers, list):
        problem = data.get("error") or data.get("message")
        said = f"Semantic Scholar reports: {str(problem)[:200]}" if problem else "it is no answer"
        raise RefusalError(said)
    parsed = answer("Semantic Scholar", papers, _entry)
    return {
        **parsed,
        "total": None,
        "next": data.get("token") or data.get("next"),
        "newest": day_of(entry["published"] for entry in parsed["entries"]),
    }


def _entry(paper: dict[str, Any]) -> EntryDict | None:
    if "citingPaper" in paper:
        paper = paper["citingPaper"]
    ids = paper.get("externalIds") or {}
    names = work_names(
        doi=ids.get("DOI"),
        arxiv=ids.get("ArXiv"),
        pmid=ids.get("PubMed"),
        pmcid=ids.get("PubMedCentral"),
        s2=paper.get("paperId"),
    )
    title = markup_line(paper.get("title"))
    if not title and not names:
        return None  # a citation that nobody could make out
    venue = (paper.get("journal") or {}).get("name") or paper.get("venue") or ""
    return entry_dict(
        key=names.get("s2") or names.get("doi"),
        title=title,
        text=markup_text(paper.get("abstract")),
        url=work_url(names) or web_url(paper.get("url")),
        people=[str(author.get("name") or "") for author in (paper.get("authors") or [])[:MAX_NAMES]],
        published=seconds(paper.get("publicationDate") or paper.get("year")),
        tags=[str(field) for field in paper.get("fieldsOfStudy") or []],
        identifiers={**names, "venue": str(venue)},
    )
