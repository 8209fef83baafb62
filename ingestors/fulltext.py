"""The text behind a link: a web page or a PDF document, fetched by our own client, read in a child.

Knows neither what a feed said of it nor whether it should be fetched: that is the caller's to decide, for
each link, because a request tells the other side that somebody is interested.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ingestors.base import FetchError
from ingestors.http import HttpError, Response
from ingestors.sandbox import ParseRefused

if TYPE_CHECKING:
    from ingestors.base import Tools

PAGE_PARSER = "ingestors.parsers.page:parse_page"
PDF_PARSER = "ingestors.parsers.pdf:parse_pdf"
PLAIN_PARSER = "ingestors.parsers.page:parse_plain"

ACCEPT = "text/html, application/xhtml+xml, application/pdf;q=0.9, text/plain;q=0.8"
MAX_PAGE = 8 * 2**20
"""Bytes of a page, scripts and all."""
MAX_PDF = 32 * 2**20
PDF_CPU_S = 4.0
"""Processor time for a PDF document; the pages that were read by then are kept."""

_PARSERS = {
    "text/html": PAGE_PARSER,
    "application/xhtml+xml": PAGE_PARSER,
    "application/pdf": PDF_PARSER,
    "application/x-pdf": PDF_PARSER,
    "text/plain": PLAIN_PARSER,
}
_UNNAMED = ("", "application/octet-stream", "binary/octet-stream", "application/force-download")
"""What servers say that do not know."""
_ABSTRACT = re.compile(r"/abs/([^?#]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class FullText:
    """What stands behind a link. With `error` set, there is no text."""

    text: str = ""
    """Plain text; paragraphs are separated by a blank line. Untrusted, like that of an entry."""
    url: str | None = None
    """The address that the page calls its own, or where it was found."""
    missing: str | None = None
    """That a part of it could not be read, in words: `only 200 of 312 pages could be read`."""
    error: FetchError | None = None
    retry_after_s: float | None = None


def addresses(url: str, identifiers: Mapping[str, str]) -> tuple[str, ...]:
    """Where the text of an item may be found, in the order in which to ask.

    The page of an arXiv paper has its abstract only; the paper stands beside it, as HTML for most since
    2023, and as PDF.
    """
    parts = urlsplit(url)
    if "arxiv" in identifiers and (abstract := _ABSTRACT.fullmatch(parts.path)):
        places = (f"/html/{abstract.group(1)}", f"/pdf/{abstract.group(1)}")
        return tuple(parts._replace(path=path, query="", fragment="").geturl() for path in places)
    return (url,)


async def fetch_full_text(
    places: Sequence[str], tools: Tools, *, allow_local: bool = False, papers: bool = True
) -> FullText:
    """Fetches and reads the first of `places` that exists.

    One request for most items: the next place is asked only if there is nothing at the one before. Never
    raises for what a server or a document did wrong.

    Args:
        places: http(s) URLs.
        tools: Client and parsers.
        allow_local: Whether loopback and private addresses may be contacted.
        papers: Whether the PDF document is fetched that a publisher's page presents, in place of the page.
    """
    found = FullText(error=FetchError("usage", "there is no link"))
    asked: set[str] = set()
    left = list(places)
    while left:
        place = left.pop(0)
        asked.add(place)
        # A page may be trusted with a private address, but not to name another one.
        local = allow_local and urlsplit(place).netloc == urlsplit(places[0]).netloc
        found, paper = await _fetch(place, tools, allow_local=local)
        if papers and found.error is None and paper is not None and paper not in asked:
            left = [paper]
        elif found.error is None or found.error.kind != "not-found":
            break
    return found


async def _fetch(url: str, tools: Tools, *, allow_local: bool) -> tuple[FullText, str | None]:
    """The text at one address, and the address of the paper that it presents."""
    try:
        response = await tools.http.get(url, allow_local=allow_local, accept=ACCEPT, max_body=MAX_PDF)
    except HttpError as error:
        # The way out that is named for a source's own address does not hold for a page.
        reason = error.message.partition("; add the source")[0]
        return FullText(error=FetchError(error.kind, reason), retry_after_s=error.retry_after_s), None
    if urlsplit(url).path.strip("/") and not urlsplit(response.url).path.strip("/"):
        message = f"{urlsplit(response.url).hostname} leads to its front page instead"
        return FullText(error=FetchError("not-found", message)), None
    parser = _parser(response)
    if parser is None:
        kind = _media_type(response) or "something of no stated type"
        return FullText(error=FetchError("parse", f"its link leads to {kind}, not to a page of text")), None
    if parser != PDF_PARSER and len(response.body) > MAX_PAGE:
        return FullText(
            error=FetchError("too-large", f"its page is larger than {MAX_PAGE // 2**20} MB")
        ), None
    try:
        if parser == PDF_PARSER:
            answer = await tools.parsers.parse(parser, response.body, seconds=PDF_CPU_S)
        else:
            kind = response.headers.get("content-type", "")
            answer = await tools.parsers.parse(parser, response.body, url=response.url, content_type=kind)
    except ParseRefused as refused:
        return FullText(error=FetchError("parse", refused.reason)), None
    missing = None
    if answer.get("read", 0) < answer.get("pages", 0):
        missing = f"only {answer['read']} of {answer['pages']} pages could be read"
    found = FullText(text=str(answer["text"]), url=answer.get("url") or response.url, missing=missing)
    return found, answer.get("pdf")


def _parser(response: Response) -> str | None:
    """By what the server says that it is; a server that does not say so is helped for PDF only."""
    kind = _media_type(response)
    if kind in _UNNAMED and response.body.startswith(b"%PDF-"):
        return PDF_PARSER
    return _PARSERS.get(kind)


def _media_type(response: Response) -> str:
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()[:80]
