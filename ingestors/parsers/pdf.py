"""The text of PDF documents: lines joined to paragraphs, without what is repeated on every page."""

from __future__ import annotations

import io
import re
import time
from collections import Counter
from typing import Any

import pypdf
from pypdf.errors import PyPdfError

from ingestors.wire import MAX_TEXT, RefusalError

MAX_PAGES = 200
EDGE_LINES = 2
"""Lines at the top and the bottom of a page among which running titles and page numbers are looked for."""
REPEATED = 3
"""Pages that share a line at their edge, digits aside, from which on it is a running title."""

_DIGITS = re.compile(r"\d+")
_LETTER = re.compile(r"[^\W\d_]")
_SENTENCE_END = (".", "!", "?", ":", "”", '"', ")", "。")


def parse_pdf(body: bytes, *, seconds: float) -> dict[str, Any]:
    """Reads the text of a document, page after page.

    Args:
        body: The document.
        seconds: Processor time after which no further page is begun.

    Returns:
        `text`, `pages` (how many there are) and `read` (how many of them were read).

    Raises:
        RefusalError: It is no such document, is encrypted, or holds pictures only.
    """
    end = time.process_time() + seconds
    try:
        reader = pypdf.PdfReader(io.BytesIO(body))
        if reader.is_encrypted and not reader.decrypt(""):
            raise RefusalError("the PDF document is encrypted")
        count = len(reader.pages)
        pages, failed, size = [], 0, 0
        for number in range(min(count, MAX_PAGES)):
            if size > MAX_TEXT or time.process_time() > end:
                break
            if (lines := _lines(reader, number)) is None:
                failed += 1
                continue
            pages.append(lines)
            size += sum(map(len, lines))
    except pypdf.errors.DependencyError:
        raise RefusalError("the PDF document is encrypted") from None
    except (PyPdfError, NotImplementedError):
        raise RefusalError("the PDF document is damaged") from None
    text = _paragraphs(_without_edges(pages))[:MAX_TEXT]
    if len(_LETTER.findall(text[:5_000])) < 20 and failed:
        raise RefusalError("the PDF document is damaged")
    if len(_LETTER.findall(text[:5_000])) < 20:
        raise RefusalError("the PDF document holds pictures of its pages, but no text")
    return {"text": text, "pages": count, "read": len(pages)}


def _lines(reader: pypdf.PdfReader, number: int) -> list[str] | None:
    """The lines of one page; None for one that cannot be read, so that the others can."""
    try:
        text = reader.pages[number].extract_text()
    except (
        PyPdfError,
        NotImplementedError,  # an unknown filter
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
    ):
        return None
    return [" ".join(line.split()) for line in text.split("\n")]


def _without_edges(pages: list[list[str]]) -> list[str]:
    """All lines, without running titles and page numbers."""
    edges = [{_DIGITS.sub("#", line) for line in [*p[:EDGE_LINES], *p[-EDGE_LINES:]] if line} for p in pages]
    running = {line for line, n in Counter(line for edge in edges for line in edge).items() if n >= REPEATED}
    out: list[str] = []
    for page in pages:
        last = len(page) - EDGE_LINES
        out += [
            line
            for n, line in enumerate(page)
            if EDGE_LINES <= n < last or not (line.isdigit() or _DIGITS.sub("#", line) in running)
        ]
    return out


def _paragraphs(lines: list[str]) -> str:
    """Joins lines, and words cut by a hyphen.

    A paragraph ends with an empty line, or with one that is short and ends a sentence.
    """
    width = sorted(map(len, lines))[len(lines) * 3 // 4] if lines else 0
    out: list[str] = []
    fresh = True
    for line in lines:
        if not line:
            fresh = True
            continue
        if fresh or not out:
            out.append(line)
        elif out[-1].endswith("-") and line[:1].islower():
            out[-1] = out[-1][:-1] + line
        else:
            out[-1] += " " + line
        fresh = len(line) < 0.8 * width and line.endswith(_SENTENCE_END)
    return "\n\n".join(out)
