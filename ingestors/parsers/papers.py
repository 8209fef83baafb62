"""Answers of paper services that were saved to a file: which service it is, and its entries."""

from __future__ import annotations

from typing import Any

from ingestors.parsers.arxiv import parse_arxiv_document
from ingestors.parsers.crossref import read_crossref
from ingestors.parsers.document import read_document, unpack
from ingestors.parsers.europepmc import read_europe_pmc
from ingestors.parsers.feeds import parse_feed
from ingestors.parsers.openalex import read_openalex
from ingestors.parsers.pubmed import parse_pubmed_document
from ingestors.parsers.records import read_json
from ingestors.parsers.semanticscholar import read_semantic_scholar
from ingestors.wire import RefusalError


def parse_papers(body: bytes) -> dict[str, Any]:
    """Reads a saved answer of any of the services, packed by gzip or not.

    Returns:
        `title`, `entries`, `refusals`; `title` names the service.

    Raises:
        RefusalError: It is none of them.
    """
    body = unpack(body)
    document = read_document(body)
    if document.text.startswith(("{", "[")):
        return _json(read_json(document.text))
    if document.root in ("rss", "rdf:RDF"):
        return {**parse_feed(body, url="", content_type=""), "title": "feed"}
    if document.root == "feed":
        return parse_arxiv_document(document)
    if document.root in ("PubmedArticleSet", "PubmedBookArticleSet"):
        return parse_pubmed_document(document)
    raise RefusalError("it is no answer of a paper service")


def _json(data: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    if isinstance(data, dict):
        if "message" in data and "status" in data:
            return read_crossref(data)
        if "resultList" in data:
            return read_europe_pmc(data)
        if "paperId" in data or "data" in data:
            return read_semantic_scholar(data)
        if "results" not in data and "id" not in data:
            raise RefusalError("it is JSON, but no answer of a paper service")
    return read_openalex(data)
