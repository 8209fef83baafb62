from __future__ import annotations

import asyncio
import gzip
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from loopback import LoopbackServer, Route

from ingestors.arxiv import ArxivIngestor
from ingestors.base import FetchRequest, FetchResult, Tools
from ingestors.paperfile import PaperFileIngestor
from ingestors.parsers.papers import parse_papers
from ingestors.testing import check_claims, check_result
from ingestors.wire import RefusalError


def _page(numbers: range | list[int], total: int) -> bytes:
    """Paper n was submitted n days after the first of January."""
    entries = "".join(
        f"""<entry><id>http://arxiv.org/abs/2601.{n:05}v2</id><title>Paper
          {n}</title><summary>We
          pool.</summary><published>2026-01-{1 + n % 28:02}T00:00:00Z</published>
          <arxiv:doi>10.1234/{n}</arxiv:doi>
          <author><name>Ada</name></author><author><name>Bo</name></author>
          <category term="cs.IR"/><category term="cs.LG"/></entry>"""
        for n in numbers
    )
    return f"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"
      xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:o="http://a9.com/-/spec/opensearch/1.1/">
      <o:totalResults>{total}</o:totalResults>{entries}</feed>""".encode()


def _query(start: int = 0, size: int = 200, query: str = "cat%3Acs.IR") -> str:
    return (
        f"/q?search_query={query}&sortBy=submittedDate&sortOrder=descending&start={start}&max_results={size}"
    )


async def _fetch(
    server: LoopbackServer, tools: Tools, target: str = "arxiv:cs.IR", cursor: dict[str, Any] | None = None
) -> FetchResult:
    options = {"base_url": server.url("/q")}
    request = FetchRequest(target=target, allow_local=True, options=options, cursor=cursor or {})
    result = await ArxivIngestor().fetch(request, tools)
    check_result(request, result)
    return result


def test_contract() -> None:
    check_claims(ArxivIngestor(), ["arxiv:cs.IR", "arXiv: cat:cs.IR AND all:attention", "arxiv:hep-th"])
    for target, known_as in {
        "https://arxiv.org/abs/2601.00001v3": "arxiv:2601.00001",
        "https://arxiv.org/pdf/2601.00001v1.pdf": "arxiv:2601.00001",
        "2601.00001": "arxiv:2601.00001",
        "arXiv:hep-th/9901001v2": "arxiv:hep-th/9901001",
        "https://doi.org/10.48550/arXiv.2601.00001": "arxiv:2601.00001",
        "https://arxiv.org/list/cs.IR/recent": "arxiv:cs.IR",
        "http://rss.arxiv.org/rss/cs.IR+cs.LG": "arxiv:cs.IR+cs.LG",
        "cs.IR": "arxiv:cs.IR",
        "physics.optics": "arxiv:physics.optics",
        "arxiv:author:Ada Lovelace": "arxiv:au:Ada Lovelace",
    }.items():
        claim = ArxivIngestor().claim(target)
        assert claim is not None
        assert claim.target == known_as
    for target in ("https://arxiv.org/", "https://arxiv.org/abs/nothing", "arxiv:", "cs.it", "10.1234/x"):
        assert ArxivIngestor().claim(target) is None


async def test_papers_of_a_category(server: LoopbackServer, tools: Tools) -> None:
    server.routes[_query()] = Route(_page([3, 2], 2))
    result = await _fetch(server, tools)
    first = result.entries[0]
    assert (first.key, first.title, first.text) == ("2601.00003", "Paper 3", "We pool.")
    assert (first.people, first.tags) == (("Ada", "Bo"), ("cs.IR", "cs.LG"))
    assert first.identifiers == {"arxiv": "2601.00003", "version": "2", "doi": "10.1234/3"}
    assert first.url == "https://arxiv.org/abs/2601.00003"
    assert result.cursor == {"newest": int(datetime(2026, 1, 4, tzinfo=UTC).timestamp())}


async def test_a_query(server: LoopbackServer, tools: Tools) -> None:
    server.routes[_query(query="cat%3Acs.IR+AND+all%3Aattention")] = Route(_page([1], 1))
    assert len((await _fetch(server, tools, "arxiv:cat:cs.IR AND all:attention")).entries) == 1


async def test_pages_are_read_until_nothing_is_new(server: LoopbackServer, tools: Tools) -> None:
    newest = int(datetime(2026, 1, 15, tzinfo=UTC).timestamp())
    server.routes[_query()] = Route(_page([27, 20, 15], 1_000))
    server.routes[_query(200)] = Route(_page([14, 13], 1_000))
    server.routes[_query(400)] = Route(_page([12, 5], 1_000))
    result = await _fetch(server, tools, cursor={"newest": newest})
    assert len(result.entries) == 7
    assert [request.path for request in server.log] == [_query(), _query(200), _query(400)]
    assert result.cursor == {"newest": int(datetime(2026, 1, 28, tzinfo=UTC).timestamp())}


async def test_an_empty_page_is_asked_for_again_and_never_believed(
    server: LoopbackServer, tools: Tools
) -> None:
    newest = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    server.routes[_query()] = Route(_page([20], 1_000))
    server.routes[_query(200)] = Route(_page([], 1_000))
    result = await _fetch(server, tools, cursor={"newest": newest})
    assert result.error is not None
    assert "empty page" in result.error.message
    assert len(server.requests(_query(200))) == 3


async def test_nothing_today_is_no_error(server: LoopbackServer, tools: Tools) -> None:
    server.routes[_query()] = Route(_page([], 0))
    result = await _fetch(server, tools)
    assert result.error is None
    assert result.entries == ()


async def test_an_error_of_the_service_is_an_error(server: LoopbackServer, tools: Tools) -> None:
    server.routes[_query()] = Route(
        b"""<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>http://arxiv.org/api/errors#x</id>
        <title>Error</title><summary>incorrect id format</summary></entry></feed>"""
    )
    result = await _fetch(server, tools)
    assert result.error is not None
    assert "arXiv reports: incorrect id format" in result.error.message


async def test_a_busy_service(server: LoopbackServer, tools: Tools) -> None:
    server.routes[_query()] = Route(status=503, headers={"Retry-After": "30"}, etag=False)
    result = await _fetch(server, tools)
    assert result.error is not None
    assert result.retry_after_s == 30


def _entry(data: object) -> dict[str, Any]:
    (entry,) = parse_papers(json.dumps(data).encode())["entries"]
    result: dict[str, Any] = entry
    return result


def test_openalex() -> None:
    work = {
        "id": "https://openalex.org/W1", "doi": "https://doi.org/10.1234/AB", "title": "A <i>work</i>",
        "publication_date": "2026-02-03", "ids": {"pmid": "https://pubmed.ncbi.nlm.nih.gov/77"},
        "authorships": [{"author": {"display_name": "Ada"}}, {"author": None}],
        "abstract_inverted_index": {"We": [0], "pool": [1, 3], "and": [2], "bomb": [10**9, -1, "x"]},
    }  # fmt: skip
    for answer in ({"results": [work]}, [work], work):
        entry = _entry(answer)
        assert (entry["key"], entry["title"], entry["text"]) == ("W1", "A work", "We pool and pool")
        assert entry["identifiers"] == {"openalex": "W1", "doi": "10.1234/ab", "pmid": "77"}
        assert entry["people"] == ["Ada"]
    nulls = dict.fromkeys(work) | {"id": "https://openalex.org/W2"}
    assert _entry([nulls])["key"] == "W2"


def test_crossref() -> None:
    work = {
        "DOI": "10.1234/X",
        "title": ["T"],
        "abstract": "<jats:title>Abstract</jats:title><jats:p>We <jats:italic>pool</jats:italic>.</jats:p>",
        "author": [{"given": "Ada", "family": "L"}, {"name": "The Group"}],
        "issued": {"date-parts": [[2026, 3]]},
    }
    entry = _entry({"status": "ok", "message": {"items": [work]}})
    assert entry["text"] == "Abstract\n\nWe pool."
    assert entry["people"] == ["Ada L", "The Group"]
    assert entry["published"] == datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    assert (
        _entry({"status": "ok", "message": {"DOI": "10.1/y", "issued": {"date-parts": [[None]]}}})["key"]
        == "10.1/y"
    )


def test_pubmed() -> None:
    body = b"""<?xml version="1.0"?><!DOCTYPE PubmedArticleSet PUBLIC "-//N//E" "http://127.0.0.1:9/x.dtd">
    <PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>7</PMID><Article>
    <ArticleTitle>On <i>H<sub>2</sub>O</i>.</ArticleTitle>
    <Abstract><AbstractText Label="AIM">To pool.</AbstractText>
    <AbstractText>Done.</AbstractText></Abstract><AuthorList>
    <Author><LastName>L</LastName><ForeName>Ada</ForeName></Author><Author><CollectiveName>Group</CollectiveName></Author></AuthorList><ArticleDate><Year>2026</Year><Month>Mar</Month>
    </ArticleDate></Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"""
    (entry,) = parse_papers(body)["entries"]
    assert (entry["key"], entry["title"], entry["text"]) == ("7", "On H2O", "AIM: To pool.\n\nDone.")
    assert entry["people"] == ["Ada L", "Group"]
    assert entry["published"] == datetime(2026, 3, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"message": 1}',
        b"<html/>",
        b"<feed>",
        gzip.compress(b"x", mtime=0)[:-3],
        gzip.compress(bytes(2**26), mtime=0),
        b"<!DOCTYPE feed [<!ENTITY a 'b'>]><feed/>",
    ],
)
def test_what_is_no_answer_of_a_paper_service(body: bytes) -> None:
    with pytest.raises(RefusalError):
        parse_papers(body)


async def test_a_saved_answer(tmp_path: Path, tools: Tools) -> None:
    file = tmp_path / "saved.xml.gz"
    file.write_bytes(gzip.compress(_page([1, 2], 2)))
    check_claims(PaperFileIngestor(), [str(file)])
    request = FetchRequest(target=str(file))
    result = await PaperFileIngestor().fetch(request, tools)
    check_result(request, result)
    assert [entry.key for entry in result.entries] == ["2601.00001", "2601.00002"]
    again = await PaperFileIngestor().fetch(FetchRequest(target=str(file), cursor=result.cursor), tools)
    assert again.not_modified


async def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(tmp_path: Path, tools: Tools) -> None:
    os.mkfifo(tmp_path / "papers.json")
    request = FetchRequest(target=str(tmp_path / "papers.json"))
    result = await asyncio.wait_for(PaperFileIngestor().fetch(request, tools), 5)
    assert result.error is not None
    assert "not a regular file" in result.error.message
