"""Records with anything in any place: one damaged record refuses itself, never the page around it."""

from __future__ import annotations

import contextlib
import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ingestors.parsers.biorxiv import parse_biorxiv
from ingestors.parsers.crossref import parse_crossref
from ingestors.parsers.europepmc import parse_europe_pmc
from ingestors.parsers.openalex import parse_openalex, parse_openalex_id
from ingestors.parsers.pubmed import parse_pubmed_ids
from ingestors.parsers.records import markup_text, seconds, turned, work_names
from ingestors.parsers.semanticscholar import parse_semantic_scholar
from ingestors.parsers.zotero import parse_zotero, parse_zotero_report
from ingestors.wire import RefusalError

Parser = Callable[[bytes], dict[str, Any]]

ODD: list[Any] = [
    None, True, -1, 10**30, float("inf"), "", "\ud800", "0001-01-01T00:00:00+23:59", "2026-13-45", [], {},
    [None], [[]], {"a": None}, "<" * 300, "&#xD800;&#0;", "\x00\x1b]52;c;AA\x07", "٣", "10.1234/" + "a" * 999,
]  # fmt: skip

OPENALEX = {
    "id": "https://openalex.org/W1", "doi": "10.1234/ab", "title": "A", "publication_date": "2026-02-03",
    "ids": {"pmid": "77", "pmcid": "5"}, "topics": [{"display_name": "T"}],
    "authorships": [{"author": {"display_name": "Ada"}}], "abstract_inverted_index": {"We": [0]},
    "primary_location": {"landing_page_url": "http://e.org/", "source": {"display_name": "V"}},
}  # fmt: skip
CROSSREF = {
    "DOI": "10.1234/x", "title": ["T"], "subtitle": ["S"], "abstract": "<jats:p>x</jats:p>", "URL": "http://x",
    "author": [{"given": "A", "family": "B", "suffix": "Jr"}], "issued": {"date-parts": [[2026, 3, 2]]},
    "created": {"date-time": "2026-03-02T00:00:00Z"}, "subject": ["s"], "container-title": ["J"],
}  # fmt: skip
S2 = {
    "paperId": "a", "title": "T", "abstract": "x", "authors": [{"name": "A"}], "year": 2026, "url": "http://x",
    "externalIds": {"DOI": "10.1234/x", "ArXiv": "2401.01234", "PubMed": "1"}, "venue": "V",
    "publicationDate": "2026-03-02", "journal": {"name": "J"}, "fieldsOfStudy": ["f"],
}  # fmt: skip
EUROPE_PMC = {
    "id": "1", "source": "MED", "pmid": "1", "doi": "10.1234/x", "title": "T", "abstractText": "x",
    "firstPublicationDate": "2026-03-01", "firstIndexDate": "2026-03-02",
    "authorList": {"author": [{"firstName": "A", "lastName": "B"}]}, "keywordList": {"keyword": ["k"]},
    "journalInfo": {"journal": {"title": "J"}},
}  # fmt: skip
BIORXIV = {
    "doi": "10.1101/x1", "title": "T", "authors": "A, B; C, D", "date": "2026-03-02", "version": "1",
    "category": "c", "abstract": "x", "server": "bioRxiv",
}  # fmt: skip
ZOTERO = {
    "key": "AAAA2222", "data": {
        "itemType": "preprint", "title": "T", "abstractNote": "x", "date": "2026", "url": "http://x",
        "creators": [{"creatorType": "author", "firstName": "A", "lastName": "B"}], "DOI": "10.1234/x",
        "extra": "PMID: 1\nDOI: 10.1/x", "archiveID": "arXiv:2401.01234", "tags": [{"tag": "t"}],
    },
}  # fmt: skip

PAGES: list[tuple[Parser, Callable[[list[Any]], Any], Any]] = [
    (parse_openalex, lambda w: {"meta": {"count": 1, "page": 1, "per_page": 1}, "results": w}, OPENALEX),
    (parse_crossref, lambda w: {"status": "ok", "message": {"total-results": 1, "items": w}}, CROSSREF),
    (parse_semantic_scholar, lambda papers: {"total": 1, "token": "t", "data": papers}, S2),
    (parse_semantic_scholar, lambda p: {"data": [{"citingPaper": one} for one in p]}, S2),
    (parse_europe_pmc, lambda p: {"hitCount": 1, "resultList": {"result": p}}, EUROPE_PMC),
    (parse_biorxiv, lambda r: {"messages": [{"status": "ok", "total": "1"}], "collection": r}, BIORXIV),
    (parse_zotero, list, ZOTERO),
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from _places(value[key], (*path, key))


def _put(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    if not path:
        return odd
    changed = copy.deepcopy(value)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = odd
    return changed


@pytest.mark.parametrize(("parse", "page", "record"), PAGES)
def test_a_damaged_record_hides_no_other(
    parse: Parser, page: Callable[[list[Any]], Any], record: Any
) -> None:
    good = page([record])
    titles = [entry["title"] for entry in parse(json.dumps(good).encode())["entries"]]
    for path in _places(record):
        for odd in ODD:
            body = json.dumps(page([_put(record, path, odd), record])).encode("utf-8", "replace")
            assert titles[0] in [entry["title"] for entry in parse(body)["entries"]], (path, odd)


@pytest.mark.parametrize(
    ("parse", "answer"),
    [
        *((parse, page([record])) for parse, page, record in PAGES),
        (parse_pubmed_ids, {"esearchresult": {"count": "1", "idlist": ["1"]}}),
        (parse_openalex_id, {"id": "https://openalex.org/W1"}),
        (parse_zotero_report, {"successful": {"0": {}}, "failed": {"1": {"code": 412, "message": "m"}}}),
    ],
)
def test_odd_answers_are_read_or_refused(parse: Parser, answer: Any) -> None:
    for path in _places(answer):
        for odd in ODD:
            body = json.dumps(_put(answer, path, odd)).encode("utf-8", "replace")
            with contextlib.suppress(RefusalError):
                assert isinstance(json.dumps(parse(body)), str)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (
            "<jats:title>Aim</jats:title><jats:p>We <jats:italic>pool</jats:italic>.</jats:p>",
            "Aim\n\nWe pool.",
        ),
        ("H<sub>2</sub>O &amp; a < b", "H2O & a < b"),
        ("<mml:math><mml:mi>x</mml:mi><annotation>x TeX</annotation></mml:math> is", "x is"),
        ("<a><tex-math>$\\alpha$</tex-math><mml:math><mi>α</mi></mml:math></a>", "α"),
        ("<tex-math>\\usepackage{x}\\begin{document}$$\\beta$$\\end{document}</tex-math>", "$\\beta$"),
        (None, ""),
    ],
)
def test_markup(markup: object, text: str) -> None:
    assert markup_text(markup) == text


def test_names_of_works() -> None:
    assert work_names(doi="https://doi.org/10.48550/arXiv.2401.01234v2") == {
        "arxiv": "2401.01234",
        "version": "2",
    }
    assert work_names(doi="doi:10.1234/ABC.", pmcid="5139140") == {
        "doi": "10.1234/abc",
        "pmcid": "PMC5139140",
    }
    assert work_names(arxiv="hep-th/9901001v3", pmid=None) == {"arxiv": "hep-th/9901001", "version": "3"}
    assert work_names(doi="nothing", s2="") == {}


def test_people_and_dates() -> None:
    assert [turned(n) for n in ("L, Ada", "King, Martin, Jr.", "King, Jr., Martin", "Ada  L")] == [
        "Ada L", "Martin King Jr.", "Martin King Jr.", "Ada L",
    ]  # fmt: skip
    assert seconds("2026-03") == seconds("2026-03-01T00:00:00Z")
    assert seconds("no date") is None
