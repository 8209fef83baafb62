"""Answers of PubMed to entries: lists of ids (JSON), and records (XML)."""

from __future__ import annotations

from typing import Any

from ingestors.parsers.document import Document, decode, read_document
from ingestors.parsers.records import (
    MAX_NAMES,
    Element,
    answer,
    date,
    day_of,
    element_text,
    month,
    person,
    read_json,
    read_tree,
    work_names,
)
from ingestors.wire import EntryDict, RefusalError, entry_dict


def parse_pubmed_ids(body: bytes) -> dict[str, Any]:
    """Reads an answer of ESearch: `ids` and `total`.

    Raises:
        RefusalError: It is none, or the service reports an error.
    """
    data = read_json(decode(body))
    data = data if isinstance(data, dict) else {}
    found = data.get("esearchresult")
    found = found if isinstance(found, dict) else {}
    if problem := found.get("ERROR") or data.get("error"):
        raise RefusalError(f"PubMed reports: {' '.join(str(problem).split())[:200]}")
    if not isinstance(found.get("idlist"), list):
        raise RefusalError("it is no answer of PubMed")
    total = str(found.get("count", ""))
    ids = [str(pmid) for pmid in found["idlist"] if str(pmid).isascii() and str(pmid).isdigit()]
    return {"ids": ids, "total": int(total) if total.isascii() and total.isdigit() else len(ids)}


def parse_pubmed(body: bytes) -> dict[str, Any]:
    """Reads the records of EFetch.

    Returns:
        `title`, `entries`, `refusals`, `count` and `newest` (the latest day on which a record came in).

    Raises:
        RefusalError: There are none.
    """
    return parse_pubmed_document(read_document(body))


def parse_pubmed_document(document: Document) -> dict[str, Any]:
    """`parse_pubmed` for a document that is decoded already."""
    if document.root not in ("PubmedArticleSet", "PubmedBookArticleSet"):
        raise RefusalError("it is no answer of PubMed")
    items = [item for item in read_tree(document) if item.tag in ("PubmedArticle", "PubmedBookArticle")]
    return {**answer("PubMed", items, _entry), "newest": day_of(_entered(item) for item in items)}


def _entry(item: Element) -> EntryDict:
    article = item.find(".//Article")
    article = item if article is None else article
    names = _names(item)
    titles = (element_text(article.find(f".//{tag}")) for tag in ("ArticleTitle", "BookTitle"))
    abstract = article.find(".//Abstract")
    sections = [] if abstract is None else abstract.findall("AbstractText")
    paragraphs = [": ".join(filter(None, (part.get("Label"), element_text(part)))) for part in sections]
    authors = article.find(".//AuthorList")
    people = [] if authors is None else authors.findall("Author")
    return entry_dict(
        key=names.get("pmid") or names.get("doi"),
        title=next((title for title in titles if title), "").removesuffix("."),
        text="\n\n".join(paragraphs),
        url=f"https://pubmed.ncbi.nlm.nih.gov/{names['pmid']}/" if "pmid" in names else None,
        people=[_author(author) for author in people[:MAX_NAMES]],
        published=_published(item),
        tags=[element_text(heading) for heading in item.iter("DescriptorName", "Keyword")],
        identifiers={**names, "venue": element_text(article.find("Journal/Title"))},
    )


def _names(item: Element) -> dict[str, str]:
    """The article's own identifiers: the list of its references holds those of others."""
    own = next((found for found in item.iter("PMID")), None)
    ids = {
        found.get("IdType"): element_text(found)
        for path in ("PubmedData/ArticleIdList/ArticleId", "PubmedBookData/ArticleIdList/ArticleId")
        for found in item.iterfind(path)
    }
    places = {found.get("EIdType"): element_text(found) for found in item.iter("ELocationID")}
    return work_names(doi=ids.get("doi") or places.get("doi"), pmid=element_text(own), pmcid=ids.get("pmc"))


def _author(author: Element) -> str:
    given = element_text(author.find("ForeName")) or element_text(author.find("Initials"))
    family, suffix = element_text(author.find("LastName")), element_text(author.find("Suffix"))
    return person(given, family, suffix) or element_text(author.find("CollectiveName"))


def _published(item: Element) -> int | None:
    for tag in ("ArticleDate", "PubDate", "ContributionDate"):
        for found in item.iter(tag):
            if (moment := _date(found)) is not None:
                return moment
    return None


def _entered(item: Element) -> int | None:
    found = item.find("PubmedData/History/PubMedPubDate[@PubStatus='entrez']")
    return None if found is None else _date(found)


def _date(found: Element) -> int | None:
    year, named, day = (element_text(found.find(part)) for part in ("Year", "Month", "Day"))
    year = year or element_text(found.find("MedlineDate"))[:4]
    if not (year.isascii() and year.isdigit() and len(year) == 4):
        return None
    return date(int(year), month(named), int(day) if day.isascii() and day.isdigit() else 1)
