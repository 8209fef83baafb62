"""Answers of paper services to entries: arXiv Atom, OpenAlex, Crossref, PubMed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import lxml.etree

from ingestors.parsers.document import Document, read_document, unpack
from ingestors.parsers.feeds import parse_feed
from ingestors.parsers.html import html_to_line, html_to_text
from ingestors.wire import MAX_ITEMS, EntryDict, RefusalError, entry_dict, unique_entries, web_url

MAX_ABSTRACT_WORDS = 20_000
"""Positions of an inverted index beyond this are dropped: one number may claim to be the billionth word."""

_ATOM = "{http://www.w3.org/2005/Atom}"
_ARXIV = "{http://arxiv.org/schemas/atom}"
_OPENSEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_ARXIV_ID = re.compile(r"arxiv\.org/abs/([^\s?#]+?)(?:v\d+)?$")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_JATS_BLOCK = re.compile(r"</?jats:(?:p|title|sec|list-item)\b[^>]*>")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

Element = Any  # lxml has no types


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
        return _json_answer(document.text)
    if document.root in ("rss", "rdf:RDF"):
        return {**parse_feed(body, url="", content_type=""), "title": "feed"}
    if document.root == "feed":
        return parse_arxiv_document(document)
    if document.root in ("PubmedArticleSet", "PubmedBookArticleSet"):
        root = _tree(document)
        items = [item for item in root if item.tag in ("PubmedArticle", "PubmedBookArticle")]
        return _answer("PubMed", items, _pubmed)
    raise RefusalError("it is no answer of arXiv, OpenAlex, Crossref or PubMed")


def parse_arxiv(body: bytes) -> dict[str, Any]:
    """Reads an answer of the arXiv query interface.

    Returns:
        `title`, `entries`, `refusals`, `total` (matches of the query) and `oldest` (seconds; the
        submission of the last entry).

    Raises:
        RefusalError: It is no such answer, or the service reports an error.
    """
    return parse_arxiv_document(read_document(body))


def parse_arxiv_document(document: Document) -> dict[str, Any]:
    """`parse_arxiv` for a document that is decoded already."""
    if document.root != "feed":
        raise RefusalError("it is no answer of arXiv")
    root = _tree(document)
    items = root.findall(_ATOM + "entry")
    if len(items) == 1 and "arxiv.org/api/errors" in _child(items[0], _ATOM + "id"):
        raise RefusalError(f"arXiv reports: {' '.join(_child(items[0], _ATOM + 'summary').split())[:200]}")
    answer = _answer("arXiv", items, _arxiv)
    total = _child(root, _OPENSEARCH + "totalResults")
    answer["total"] = int(total) if total.isascii() and total.isdigit() and len(total) < 10 else len(items)
    answer["count"] = len(items)
    answer["oldest"] = min((e["published"] for e in answer["entries"] if e["published"]), default=None)
    return answer


def _arxiv(item: Element) -> EntryDict:
    found = _ARXIV_ID.search(_child(item, _ATOM + "id").strip())
    if found is None:
        raise ValueError("no arXiv id")
    arxiv = found.group(1)
    doi = _DOI.search(_child(item, _ARXIV + "doi"))
    return entry_dict(
        key=arxiv,
        title=_child(item, _ATOM + "title"),
        text=" ".join(_child(item, _ATOM + "summary").split()),
        url=f"https://arxiv.org/abs/{arxiv}",
        people=[_child(author, _ATOM + "name") for author in item.findall(_ATOM + "author")],
        published=_iso(_child(item, _ATOM + "published") or _child(item, _ATOM + "updated")),
        tags=[category.get("term", "") for category in item.findall(_ATOM + "category")],
        identifiers={"arxiv": arxiv, "doi": doi.group().lower() if doi else ""},
    )


def _json_answer(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        raise RefusalError("it looks like JSON but is damaged") from None
    if isinstance(data, dict) and isinstance(data.get("message"), dict):
        message = data["message"]
        items = message.get("items", [message])
        if isinstance(items, list) and data.get("status") == "ok":
            return _answer("Crossref", items, _crossref)
    if isinstance(data, dict) and str(data.get("id", "")).startswith("https://openalex.org/W"):
        data = [data]
    works = data.get("results") if isinstance(data, dict) else data
    if isinstance(works, list):
        return _answer("OpenAlex", works, _openalex)
    raise RefusalError("it is JSON, but no answer of OpenAlex or Crossref")


def _openalex(work: dict[str, Any]) -> EntryDict:
    doi = _DOI.search(str(work.get("doi") or ""))
    ids = work.get("ids") or {}
    pmid = re.search(r"\d+$", str(ids.get("pmid") or ""))
    openalex = str(work.get("id") or "").rpartition("/")[2]
    place = work.get("primary_location") or {}
    concepts = work.get("topics") or work.get("concepts") or []
    return entry_dict(
        key=openalex or (doi.group().lower() if doi else None),
        title=html_to_line(str(work.get("title") or work.get("display_name") or "")),
        text=_inverted(work.get("abstract_inverted_index")),
        url=web_url(work.get("doi")) or web_url(place.get("landing_page_url")) or web_url(work.get("id")),
        people=[
            str((author.get("author") or {}).get("display_name") or "")
            for author in work.get("authorships") or []
        ],
        published=_iso(str(work.get("publication_date") or "")),
        tags=[str(concept.get("display_name") or "") for concept in concepts],
        identifiers={
            "openalex": openalex,
            "doi": doi.group().lower() if doi else "",
            "pmid": pmid.group() if pmid else "",
        },
    )


def _inverted(index: object) -> str:
    """The abstract behind an index of words and their positions."""
    if not isinstance(index, dict):
        return ""
    words: dict[int, str] = {}
    for word, positions in index.items():
        for position in positions if isinstance(positions, list) else []:
            if isinstance(position, int) and 0 <= position < MAX_ABSTRACT_WORDS:
                words[position] = str(word)
    return html_to_text(" ".join(words[position] for position in sorted(words)))


def _crossref(work: dict[str, Any]) -> EntryDict:
    doi = str(work.get("DOI") or "").lower()
    abstract = _JATS_BLOCK.sub("\n\n", str(work.get("abstract") or ""))
    titles = work.get("title") or []
    return entry_dict(
        key=doi or None,
        title=html_to_line(str(titles[0]) if isinstance(titles, list) and titles else ""),
        text=html_to_text(abstract.replace("\n\n", "<p>")) if abstract else "",
        url=web_url(str(work.get("URL") or "")) or web_url(f"https://doi.org/{doi}" if doi else ""),
        people=[
            " ".join(filter(None, (author.get("given"), author.get("family"))))
            or str(author.get("name") or "")
            for author in work.get("author") or []
        ],
        published=_crossref_date(work),
        tags=[str(subject) for subject in work.get("subject") or []],
        identifiers={"doi": doi},
    )


def _crossref_date(work: dict[str, Any]) -> int | None:
    for field in ("published-online", "published", "published-print", "issued", "created"):
        parts = ((work.get(field) or {}).get("date-parts") or [[]])[0]
        if parts and isinstance(parts[0], int):
            return _date(*(part for part in parts[:3] if isinstance(part, int)))
    return None


def _pubmed(item: Element) -> EntryDict:
    pmid = next((_text(found) for found in item.iter("PMID")), "")
    article = item.find(".//Article")
    article = item if article is None else article
    title = next((t for tag in ("ArticleTitle", "BookTitle") if (t := _text(article.find(f".//{tag}")))), "")
    doi = next(
        (
            _text(found)
            for found in item.iter("ArticleId", "ELocationID")
            if "doi" in (found.get("IdType"), found.get("EIdType"))
        ),
        "",
    )
    abstract = article.find(".//Abstract")
    sections = [] if abstract is None else abstract.findall("AbstractText")
    paragraphs = [": ".join(filter(None, (part.get("Label"), _text(part)))) for part in sections]
    authors = article.find(".//AuthorList")
    return entry_dict(
        key=pmid or doi or None,
        title=title,
        text="\n\n".join(paragraphs),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/" if pmid else None,
        people=[] if authors is None else [_pubmed_author(author) for author in authors.findall("Author")],
        published=_pubmed_date(item),
        tags=[_text(heading) for heading in item.iter("DescriptorName", "Keyword")],
        identifiers={"pmid": pmid, "doi": doi.lower()},
    )


def _pubmed_author(author: Element) -> str:
    given = _text(author.find("ForeName")) or _text(author.find("Initials"))
    return " ".join(filter(None, (given, _text(author.find("LastName"))))) or _text(
        author.find("CollectiveName")
    )


def _pubmed_date(item: Element) -> int | None:
    for tag in ("ArticleDate", "PubDate", "ContributionDate"):
        for found in item.iter(tag):
            year, month, day = (_text(found.find(part)) for part in ("Year", "Month", "Day"))
            year = year or _text(found.find("MedlineDate"))[:4]
            if year.isdigit():
                named = month[:3].lower()
                number = (
                    _MONTHS.index(named) + 1 if named in _MONTHS else int(month) if month.isdigit() else 1
                )
                return _date(int(year), number, int(day) if day.isdigit() else 1)
    return None


def _answer(title: str, items: list[Any], read: Callable[[Any], EntryDict]) -> dict[str, Any]:
    entries: list[EntryDict] = []
    refusals: list[dict[str, str]] = []
    for number, item in enumerate(items[:MAX_ITEMS], 1):
        try:
            entries.append(read(item))
        except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError):
            refusals.append({"name": f"paper {number}", "reason": "its record is incomplete or damaged"})
    if len(items) > MAX_ITEMS:
        refusals.append({"name": f"papers from {MAX_ITEMS + 1} on", "reason": f"only {MAX_ITEMS} are read"})
    return {"title": title, "entries": unique_entries(entries), "refusals": refusals}


def _tree(document: Document) -> Element:
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return lxml.etree.fromstring(document.text.encode("utf-8", "replace"), parser)
    except lxml.etree.XMLSyntaxError:
        raise RefusalError("its XML is damaged") from None


def _child(item: Element, tag: str) -> str:
    return _text(item.find(tag))


def _text(item: Element) -> str:
    """All text below an element, as titles hold markup and formulas."""
    return "" if item is None else " ".join("".join(_strings(item)).split())


def _strings(item: Element) -> Iterator[str]:
    return (str(piece) for piece in item.itertext())


def _iso(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def _date(year: int, month: int = 1, day: int = 1) -> int | None:
    try:
        return int(datetime(year, month, day, tzinfo=UTC).timestamp())
    except ValueError:
        return None
