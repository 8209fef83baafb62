"""Pages and PDF documents for tests, written here."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

SENTENCE = (
    "The tram line to the harbour opens in May, with new tracks, stops and quieter carriages than before."
)


def article(more: str = "") -> str:
    """A page with an article that begins with `SENTENCE`, and with what stands around articles."""
    paragraphs = "".join(f"<p>{SENTENCE} It was decided in year {n} of the plan.</p>" for n in range(6))
    return (
        "<!doctype html><html><head><title>The tram line | Harbour Post</title></head><body>"
        "<nav><a href='/'>Home</a> <a href='/news'>News</a></nav><div class='cookies'>We use cookies</div>"
        f"<article><p>{SENTENCE}</p>{paragraphs}{more}</article>"
        "<aside><a href='/x'>Most read</a></aside><footer>Imprint</footer></body></html>"
    )


def pdf(
    pages: Sequence[Sequence[str]], *, raw: bool = False, kids: bytes = b"", trailer: bytes = b""
) -> bytes:
    """A PDF document.

    Args:
        pages: The lines of each.
        raw: Whether lines are operators instead of text.
        kids: Instead of the references to the pages.
        trailer: More entries of the trailer.
    """
    own = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids or own, len(pages)),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for n, lines in enumerate(pages):
        shown = lines if raw else [f"({line}) Tj T*" for line in lines]
        packed = zlib.compress(f"BT /F1 11 Tf 72 720 Td 14 TL {' '.join(shown)} ET".encode("latin-1"))
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
            b"/Contents %d 0 R>>" % (5 + 2 * n)
        )
        objects.append(b"<</Length %d/Filter/FlateDecode>>stream\n%s\nendstream" % (len(packed), packed))
    out, offsets = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table)
        + b"trailer\n<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF"
        % (len(objects) + 1, trailer, len(out))
    )
