"""The paper services against servers of our own, whose answers have the shape of the real ones."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from loopback import LoopbackServer, Route

from ingestors import registry
from ingestors.base import FetchRequest, FetchResult, Ingestor, Tools
from ingestors.biorxiv import BiorxivIngestor, MedrxivIngestor
from ingestors.crossref import CrossrefIngestor
from ingestors.doi import DoiIngestor
from ingestors.europepmc import EuropePmcIngestor
from ingestors.openalex import OpenAlexIngestor
from ingestors.pubmed import PubMedIngestor
from ingestors.semanticscholar import SemanticScholarIngestor
from ingestors.testing import check_claims, check_result

Answer = Callable[[str, dict[str, str]], Any]


class Script(dict[str, Route]):
    """Routes of a server that a function answers: path and parameters to JSON, bytes, a Route or None."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self._answer = answer

    def get(self, path: str, default: Any = None) -> Any:
        parts = urlsplit(path)
        params = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((parts.path, params))
        found = self._answer(parts.path, params)
        if found is None or isinstance(found, Route):
            return found
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        return Route(body, etag=False)


def _serve(server: LoopbackServer, answer: Answer) -> Script:
    script = Script(answer)
    server.routes = script
    return script


async def _fetch(
    ingestor: Ingestor, server: LoopbackServer, tools: Tools, target: str, cursor: Any = None, **options: Any
) -> FetchResult:
    claim = ingestor.claim(target)
    assert claim is not None
    services = {name: {"base_url": server.url("/api")} for name in ("crossref", "openalex")}
    told = {"services": services} if ingestor.name == "doi" else {"base_url": server.url("/api")}
    request = FetchRequest(
        target=claim.target, cursor=cursor or {}, allow_local=True, options={**told, **options}
    )
    result = await ingestor.fetch(request, tools)
    check_result(request, result)
    return result


@pytest.mark.parametrize(
    ("ingestor", "targets", "others"),
    [
        (
            OpenAlexIngestor(),
            ["openalex:attention", "openalex:author:https://orcid.org/0000-0002-1825-0097",
             "openalex:issn:1234-567x", "openalex:cites:W123456", "openalex:W123456", "openalex:10.1234/X"],
            ["openalex:", "openalex:issn:nature", "openalex:author:"],
        ),
        (
            SemanticScholarIngestor(),
            ["s2:graph attention", "S2:author:1741101", "s2:cites:10.1234/x", "s2:cites:arXiv:2401.01234",
             "semanticscholar:2401.01234v2"],
            ["s2:issn:1234-5678", "s2:author:Ada", "s2:cites:something"],
        ),
        (CrossrefIngestor(), ["crossref:pooling", "crossref:10.1234/ABC"], ["crossref:cites:10.1234/x"]),
        (PubMedIngestor(), ["pubmed:sleep[ti]", "pmid:12345", "pubmed:author:L A"], ["pubmed:cites:1"]),
        (EuropePmcIngestor(), ['epmc:AUTH:"L A"', "europepmc:cites:123"], ["europepmc:issn:x"]),
        (BiorxivIngestor(), ["biorxiv:cell_biology", "biorxiv:all"], ["biorxiv:author:Ada", "biorxiv:a;b"]),
        (MedrxivIngestor(), ["medrxiv:epidemiology"], ["biorxiv:all"]),
        (DoiIngestor(), ["10.1234/AbC", "doi:10.1234/x", "https://doi.org/10.1234/x"], ["doi:", "10.x/y"]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)  # fmt: skip
def test_contract(ingestor: Ingestor, targets: list[str], others: list[str]) -> None:
    check_claims(ingestor, targets)
    for target in targets:
        claim = registry.claim(target)
        assert claim is not None
        assert claim.ingestor == ingestor.name
    for target in others:
        assert ingestor.claim(target) is None


def _work(number: int, published: str = "2026-03-02", **more: Any) -> dict[str, Any]:
    return {
        "id": f"https://openalex.org/W{1000 + number}",
        "doi": f"https://doi.org/10.1234/{number}",
        "title": f"Work {number} of the <i>series</i>",
        "publication_date": published,
        "authorships": [{"author": {"display_name": "Zoe A"}}, {"author": {"display_name": "Ada B"}}],
        "abstract_inverted_index": {"We": [0], "pool": [1], "never": [10**9]},
        **more,
    }


async def test_openalex_goes_back_over_the_days_it_knows(server: LoopbackServer, tools: Tools) -> None:
    """PAP-06, PAP-04: what is indexed late lies within the overlap, and known papers keep their keys; a word
    at place 10**9 of an abstract costs nothing."""
    works = [_work(1), _work(2, "2026-03-01")]
    script = _serve(server, lambda _, __: {"meta": {"count": len(works)}, "results": works})
    first = await _fetch(OpenAlexIngestor(), server, tools, "openalex:pooling, attention")
    assert first.cursor == {"newest": "2026-03-02"}
    assert script.asked[0][1]["filter"] == "title_and_abstract.search:pooling  attention"
    works.append(_work(3, "2026-02-10"))
    again = await _fetch(OpenAlexIngestor(), server, tools, "openalex:pooling", first.cursor)
    assert script.asked[1][1]["filter"].endswith(",from_publication_date:2026-01-31")
    assert [entry.key for entry in again.entries] == ["W1001", "W1002", "W1003"]
    assert again.entries[0].people == ("Zoe A", "Ada B"), "authors in their order"
    assert again.entries[0].text == "We pool"
    assert again.cursor == first.cursor


async def test_a_date_that_lies_ahead_does_not_move_the_cursor(server: LoopbackServer, tools: Tools) -> None:
    ahead = (datetime.now(UTC) + timedelta(days=400)).date().isoformat()
    _serve(server, lambda _, __: {"meta": {"count": 1}, "results": [_work(1, ahead)]})
    result = await _fetch(OpenAlexIngestor(), server, tools, "openalex:x")
    assert str(result.cursor["newest"]) <= datetime.now(UTC).date().isoformat()


@pytest.mark.parametrize("key", [None, "canary"])
async def test_openalex_pages(
    server: LoopbackServer, tools: Tools, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    """Without a key the service refuses cursors; PAP-07: with one, the key is in no value that is kept."""
    options = {}
    if key:
        monkeypatch.setenv("OPENALEX_KEY", key)
        options = {"key_env": "OPENALEX_KEY"}

    def answer(_: str, params: dict[str, str]) -> Any:
        if key:
            position = {"*": 0, "c1": 1, "c2": 2}[params["cursor"]]
            meta = {"count": 3, "next_cursor": f"c{position + 1}" if position < 2 else None}
        else:
            position = int(params["page"]) - 1
            meta = {"count": 3, "page": position + 1, "per_page": 1}
        return {"meta": meta, "results": [_work(position)]}

    script = _serve(server, answer)
    cursor = {"newest": "2026-03-02"}
    result = await _fetch(OpenAlexIngestor(), server, tools, "openalex:x", cursor, **options)
    assert [entry.key for entry in result.entries] == ["W1000", "W1001", "W1002"]
    assert [params.get("api_key") for _, params in script.asked] == [key] * 3
    assert "canary" not in repr(result)


@pytest.mark.parametrize("status", [401, 403, 409, 429])
async def test_without_a_key_the_reader_is_told_where_to_get_one(
    server: LoopbackServer, tools: Tools, status: int
) -> None:
    """PAP-04."""
    _serve(server, lambda _, __: Route(status=status, headers={"Retry-After": "0"}, etag=False))
    for ingestor, target in ((OpenAlexIngestor(), "openalex:x"), (SemanticScholarIngestor(), "s2:x")):
        result = await _fetch(ingestor, server, tools, target)
        assert result.error is not None
        assert result.error.kind == "limit"
        assert "get one at https://" in result.error.message
        assert f"[services.{ingestor.name}] key_env" in result.error.message


async def test_a_refused_key_is_said_to_be_refused(
    server: LoopbackServer, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAP-07."""
    monkeypatch.setenv("S2_KEY", "canary")
    _serve(server, lambda _, __: Route(status=403, etag=False))
    result = await _fetch(SemanticScholarIngestor(), server, tools, "s2:x", key_env="S2_KEY")
    assert server.log[0].headers["x-api-key"] == "canary"
    assert result.error is not None
    assert result.error.kind == "denied"
    assert "canary" not in result.error.message
    missing = await _fetch(SemanticScholarIngestor(), server, tools, "s2:x", key_env="NOT_SET")
    assert missing.error is not None
    assert "NOT_SET" in missing.error.message


async def test_a_key_does_not_follow_a_redirect_to_another_host(
    server: LoopbackServer, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAP-07, PRV-03."""
    monkeypatch.setenv("S2_KEY", "canary")
    with LoopbackServer() as thief:
        _serve(thief, lambda _, __: {"data": [], "total": 0})
        _serve(
            server, lambda _, __: Route(status=302, headers={"Location": thief.url("/stolen")}, etag=False)
        )
        await _fetch(SemanticScholarIngestor(), server, tools, "s2:x", key_env="S2_KEY")
        assert len(thief.log) == 1
        assert "x-api-key" not in thief.log[0].headers


async def test_a_key_in_a_query_is_in_no_address_that_comes_back(
    server: LoopbackServer, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PAP-07, PRV-03: who shows where an answer came from must not show the key, nor must a redirect."""
    urls: list[str] = []
    get = tools.http.get

    async def watched(url: str, **how: Any) -> Any:
        response = await get(url, **how)
        urls.extend([url, response.url, str(response.permanent_redirect_to)])
        return response

    monkeypatch.setattr(tools.http, "get", watched)
    monkeypatch.setenv("OPENALEX_KEY", "canary")
    asked = "/api/works?api_key=canary&moved=1"
    with LoopbackServer() as thief:
        _serve(thief, lambda _, __: {"results": []})
        for place in (server.url(asked), thief.url("/stolen?api_key=canary")):
            moved = Route(status=301, headers={"Location": place}, etag=False)
            _serve(server, lambda _, params, m=moved: {"results": []} if "moved" in params else m)  # type: ignore[misc]
            await _fetch(OpenAlexIngestor(), server, tools, "openalex:x", key_env="OPENALEX_KEY")
        assert "canary" in server.log[1].path, "the same service gets it again"
        assert thief.log
        assert "canary" not in thief.log[0].path
    assert urls
    assert "canary" not in " ".join(urls)


async def test_a_storm_of_refusals_keeps_the_cursor(server: LoopbackServer, tools: Tools) -> None:
    """PAP-03."""
    _serve(server, lambda _, __: Route(status=429, etag=False))
    cursor = {"newest": "2026-03-02"}
    for _ in range(5):
        result = await _fetch(SemanticScholarIngestor(), server, tools, "s2:x", cursor)
        assert result.error is not None
        assert result.cursor == cursor
    assert len(server.log) <= 5, "a refusal is not answered with more requests"


async def test_what_breaks_off_in_the_middle_is_no_result(server: LoopbackServer, tools: Tools) -> None:
    """PAP-01: an empty page is not believed while there should be more."""

    def answer(_: str, params: dict[str, str]) -> Any:
        number = int(params["page"])
        meta = {"count": 500, "page": number, "per_page": 100}
        return {"meta": meta, "results": [_work(1)] if number == 1 else []}

    _serve(server, answer)
    result = await _fetch(OpenAlexIngestor(), server, tools, "openalex:x", {"newest": "2026-03-02"})
    assert result.error is not None
    assert "broke off" in result.error.message


async def test_a_flood_is_cut_and_said_to_be(server: LoopbackServer, tools: Tools) -> None:
    def answer(_: str, params: dict[str, str]) -> Any:
        number = int(params["page"])
        return {"meta": {"count": 10**6, "page": number, "per_page": 1}, "results": [_work(number)]}

    script = _serve(server, answer)
    result = await _fetch(OpenAlexIngestor(), server, tools, "openalex:x", {"newest": "2026-03-02"})
    assert len(script.asked) == OpenAlexIngestor.max_pages
    assert [refusal.reason for refusal in result.refusals] == ["only 10 of 1000000 are read; ask for less"]


async def test_openalex_finds_the_work_that_is_cited(server: LoopbackServer, tools: Tools) -> None:
    def answer(path: str, _: dict[str, str]) -> Any:
        if path == "/api/works/doi:10.1234/x":
            return {"id": "https://openalex.org/W77777"}
        return {"meta": {"count": 1}, "results": [_work(1)]} if path == "/api/works" else None

    script = _serve(server, answer)
    result = await _fetch(OpenAlexIngestor(), server, tools, "openalex:cites:10.1234/x")
    assert len(result.entries) == 1
    assert script.asked[1][1]["filter"] == "cites:W77777"
    unknown = await _fetch(OpenAlexIngestor(), server, tools, "openalex:cites:10.1234/none")
    assert unknown.error is not None
    assert unknown.error.kind == "not-found"


async def test_semantic_scholar_with_nothing_in_any_field(server: LoopbackServer, tools: Tools) -> None:
    """PAP-03: every field of a record may be null."""
    texts = ["title", "abstract", "publicationDate", "year", "url", "venue"]
    nulls = dict.fromkeys([*texts, "authors", "externalIds", "journal", "fieldsOfStudy"])
    paper = {"paperId": "a" * 40, **nulls}
    _serve(server, lambda _, __: {"total": 2, "token": None, "data": [paper, {"paperId": None}, None]})
    result = await _fetch(SemanticScholarIngestor(), server, tools, "s2:x")
    assert [entry.key for entry in result.entries] == ["a" * 40]
    assert len(result.refusals) == 1


async def test_semantic_scholar_citations_come_in_no_order(server: LoopbackServer, tools: Tools) -> None:
    def paper(number: int) -> dict[str, Any]:
        day = (datetime(2026, 3, 1, tzinfo=UTC) - timedelta(days=number)).date().isoformat()
        return {"citingPaper": {"paperId": f"{number:040}", "title": f"P {number}", "publicationDate": day}}

    def answer(path: str, params: dict[str, str]) -> Any:
        assert path == "/api/paper/DOI:10.1234/x/citations"
        start = int(params["offset"])
        end = start + 300
        return {"offset": start, "data": [paper(n) for n in reversed(range(start, end))],
                **({"next": end} if end < 600 else {})}  # fmt: skip

    _serve(server, answer)
    first = await _fetch(SemanticScholarIngestor(), server, tools, "s2:cites:10.1234/X")
    assert {int(entry.key) for entry in first.entries} == set(range(100))
    again = await _fetch(SemanticScholarIngestor(), server, tools, "s2:cites:10.1234/X", first.cursor)
    assert {int(entry.key) for entry in again.entries} == set(range(46)), "the days of the overlap"


async def test_crossref(server: LoopbackServer, tools: Tools) -> None:
    work = {
        "DOI": "10.1234/X", "title": ["On <mml:math><mml:mi>α</mml:mi></mml:math>-pooling"],
        "subtitle": ["A study"], "container-title": ["J. Pool."],
        "author": [{"given": "Zoe", "family": "A"}, {"given": "Ada", "family": "B", "suffix": "Jr."}],
        "abstract": "<jats:p>One.</jats:p><jats:p>Two.</jats:p>", "issued": {"date-parts": [[2026, 3]]},
        "created": {"date-time": "2026-03-05T10:00:00Z"},
    }  # fmt: skip
    message = {"status": "ok", "message": {"total-results": 1, "items": [work]}}
    script = _serve(server, lambda _, __: message)
    result = await _fetch(CrossrefIngestor(), server, tools, "crossref:issn:1234-567X", contact="me@e.org")
    (entry,) = result.entries
    assert (entry.key, entry.title, entry.text) == ("10.1234/x", "On α-pooling: A study", "One.\n\nTwo.")
    assert entry.people == ("Zoe A", "Ada B Jr.")
    assert entry.identifiers == {"doi": "10.1234/x", "venue": "J. Pool."}
    assert result.cursor == {"newest": "2026-03-05"}
    assert script.asked[0][1]["mailto"] == "me@e.org"
    await _fetch(CrossrefIngestor(), server, tools, "crossref:issn:1234-567X", result.cursor)
    assert script.asked[1][1]["filter"] == "from-created-date:2026-03-02,issn:1234-567X"
    assert "mailto" not in script.asked[1][1], "nobody's address is sent who did not give it"
    await _fetch(CrossrefIngestor(), server, tools, "crossref:pooling of α", result.cursor)
    assert script.asked[2][1]["sort"] == "score"


async def test_pubmed(server: LoopbackServer, tools: Tools) -> None:
    """PAP-05: a DTD is named and never fetched; formulas, thousands of authors, a record without an id."""
    crowd = "".join(f"<Author><LastName>L{n}</LastName></Author>" for n in range(10_000))
    records = f"""<?xml version="1.0"?>
    <!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD" "{server.url("/dtd")}"><PubmedArticleSet>
    <PubmedArticle><MedlineCitation><PMID>11</PMID><Article><Journal><Title>Sleep</Title></Journal>
    <ArticleTitle>On <mml:math xmlns:mml="m"><mml:mi>x</mml:mi><mml:mn>2</mml:mn></mml:math>.</ArticleTitle>
    <AuthorList><Author><LastName>King</LastName><ForeName>M</ForeName><Suffix>Jr</Suffix></Author>
    {crowd}</AuthorList></Article></MedlineCitation><PubmedData>
    <ArticleIdList><ArticleId IdType="doi">10.1234/A</ArticleId><ArticleId IdType="pmc">PMC99999</ArticleId>
    </ArticleIdList><History><PubMedPubDate PubStatus="entrez"><Year>2026</Year><Month>3</Month><Day>5</Day>
    </PubMedPubDate></History><ReferenceList><Reference><ArticleIdList><ArticleId IdType="doi">10.9999/other
    </ArticleId></ArticleIdList></Reference></ReferenceList></PubmedData></PubmedArticle>
    <PubmedArticle><MedlineCitation><Article><ArticleTitle>No id</ArticleTitle></Article></MedlineCitation>
    </PubmedArticle></PubmedArticleSet>""".encode()

    def answer(path: str, _: dict[str, str]) -> Any:
        if path.endswith("esearch.fcgi"):
            return {"esearchresult": {"count": "2", "idlist": ["11", "12"]}}
        return records if path.endswith("efetch.fcgi") else None

    script = _serve(server, answer)
    result = await _fetch(PubMedIngestor(), server, tools, "pubmed:author:King M")
    first, second = result.entries
    assert (first.key, first.title, first.people[0]) == ("11", "On x2", "M King Jr")
    assert first.identifiers == {"pmid": "11", "pmcid": "PMC99999", "doi": "10.1234/a", "venue": "Sleep"}
    assert len(first.people) == 500
    assert second.title == "No id"
    assert result.cursor == {"newest": "2026-03-05"}
    assert [path for path, _ in script.asked] == ["/api/esearch.fcgi", "/api/efetch.fcgi"]
    await _fetch(PubMedIngestor(), server, tools, "pubmed:author:King M", result.cursor)
    assert script.asked[2][1]["mindate"] == "2026/03/02"


async def test_pubmed_reports_what_it_does_not_understand(server: LoopbackServer, tools: Tools) -> None:
    _serve(server, lambda _, __: {"esearchresult": {"ERROR": "Invalid query"}})
    result = await _fetch(PubMedIngestor(), server, tools, "pubmed:((")
    assert result.error is not None
    assert "PubMed reports: Invalid query" in result.error.message


async def test_europe_pmc(server: LoopbackServer, tools: Tools) -> None:
    paper = {
        "id": "PPR1", "source": "PPR", "doi": "10.1101/2026.03.01.1", "title": "On <i>pooling</i>.",
        "abstractText": "<h4>Aim</h4>To pool.", "firstPublicationDate": "2026-03-01",
        "firstIndexDate": "2026-03-04", "pmid": None,
        "authorList": {"author": [{"firstName": "Zoe", "lastName": "A"}, {"collectiveName": "Group"}]},
    }  # fmt: skip

    def answer(_: str, params: dict[str, str]) -> Any:
        first = params["cursorMark"] == "*"
        return {"hitCount": 1, "nextCursorMark": "m1" if first else params["cursorMark"],
                "request": {"cursorMark": params["cursorMark"]},
                "resultList": {"result": [paper] if first else []}}  # fmt: skip

    script = _serve(server, answer)
    result = await _fetch(EuropePmcIngestor(), server, tools, "europepmc:author:0000-0002-1825-0097")
    (entry,) = result.entries
    assert (entry.key, entry.title, entry.text) == ("PPR:PPR1", "On pooling", "Aim\n\nTo pool.")
    assert entry.people == ("Zoe A", "Group")
    assert result.cursor == {"newest": "2026-03-04"}
    assert script.asked[0][1]["query"] == 'AUTHORID:"0000-0002-1825-0097"'
    again = await _fetch(EuropePmcIngestor(), server, tools, "europepmc:cites:123", result.cursor)
    assert script.asked[1][1]["query"] == '(CITES:"123_MED") AND (FIRST_IDATE:[2026-03-01 TO 3000-01-01])'
    assert len(again.entries) == 1


async def test_biorxiv(server: LoopbackServer, tools: Tools) -> None:
    def record(number: int, **more: Any) -> dict[str, Any]:
        return {"doi": f"10.1101/2026.03.0{number}", "title": f"P{number}", "server": "bioRxiv",
                "authors": "Smith, J. A.; Doe, B.", "date": "2026-03-02",
                "version": "1", "category": "cell biology",
                "abstract": "O_ST_ABSAimC_ST_ABSTo pool C_SCPLOWatC_SCPLOW once.", **more}  # fmt: skip

    records = [record(1), record(1, version="2"), record(2, category="ecology"), record(3)]

    def answer(path: str, params: dict[str, str]) -> Any:
        assert params == {"category": "cell_biology"}
        start = int(path.split("/")[-2])
        page = records[start : start + 2]
        message = {"status": "ok", "count": len(page), "total": str(len(records)), "cursor": start}
        return {"messages": [message], "collection": page}

    script = _serve(server, answer)
    result = await _fetch(BiorxivIngestor(), server, tools, "biorxiv:Cell_Biology", {"newest": "2026-03-04"})
    assert script.asked[0][0].startswith("/api/details/biorxiv/2026-03-02/")
    first, last = result.entries
    assert (first.key, first.identifiers["version"]) == ("10.1101/2026.03.01", "2")
    assert first.people == ("J. A. Smith", "B. Doe")
    assert first.text == "Aim\n\nTo pool at once."
    assert last.key == "10.1101/2026.03.03"


async def test_biorxiv_on_a_day_without_posts(server: LoopbackServer, tools: Tools) -> None:
    _serve(server, lambda _, __: {"messages": [{"status": "no posts found"}], "collection": []})
    result = await _fetch(BiorxivIngestor(), server, tools, "biorxiv:all", {"newest": "2026-03-04"})
    assert result.error is None
    assert result.cursor == {"newest": "2026-03-04"}


async def test_a_doi_that_crossref_has_not_is_looked_up_in_openalex(
    server: LoopbackServer, tools: Tools
) -> None:
    def answer(path: str, _: dict[str, str]) -> Any:
        return _work(5) if path == "/api/works/doi:10.1234/5" else None

    script = _serve(server, answer)
    result = await _fetch(DoiIngestor(), server, tools, "https://doi.org/10.1234/5")
    assert [entry.identifiers["doi"] for entry in result.entries] == ["10.1234/5"]
    assert result.title == "Work 5 of the series"
    assert [path for path, _ in script.asked] == ["/api/works/10.1234/5", "/api/works/doi:10.1234/5"]
    unknown = await _fetch(DoiIngestor(), server, tools, "10.1234/none")
    assert unknown.error is not None
    assert unknown.error.kind == "not-found"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"<html>busy</html>", b'{"error": "x"}', b"7"])
async def test_what_is_no_answer_is_an_error_in_words(
    server: LoopbackServer, tools: Tools, body: bytes
) -> None:
    _serve(server, lambda _, __: Route(body, etag=False))
    for target in ("s2:x", "crossref:x", "pubmed:x", "epmc:x", "biorxiv:all", "openalex:x", "doi:10.1234/x"):
        claim = registry.claim(target)
        assert claim is not None
        result = await _fetch(registry.load()[claim.ingestor], server, tools, target)
        if body != b"[]" or claim.ingestor != "openalex":  # a list of works is an answer, if an empty one
            assert result.error is not None
            assert result.error.kind == "parse"
