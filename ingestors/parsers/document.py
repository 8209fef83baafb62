"""What comes before the first element of an untrusted document: character set, prolog, DTD, root.

Libraries get a document without any of it: text in UTF-8 that begins with its root element. That
closes the ways in that a prolog opens (entity bombs, codecs that decode to escape sequences,
quadratic scans over leading white space) before a parser sees a byte.
"""

from __future__ import annotations

import codecs
import re
import zlib
from dataclasses import dataclass

from ingestors.wire import RefusalError

MAX_UNPACKED = 32 * 2**20

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, of which it is an extension
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BARE = (
    (b"<\0?\0", "utf-16-le"),
    (b"\0<\0?", "utf-16-be"),
    (b"<\0r\0", "utf-16-le"),
    (b"\0<\0r", "utf-16-be"),
)

# Python's codecs by their own names, as `codecs.lookup` gives them: to look all of them up would import each.
# Not among them: whatever turns plain ASCII into something else (utf-7, unicode_escape, EBCDIC, punycode),
# with which a filter before the decoder is passed by.
_NAMES = """
ascii utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be
iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9
iso8859-10 iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-16
cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp874 cp866 koi8-r koi8-u mac-roman
shift_jis cp932 euc_jp iso2022_jp gb2312 gbk gb18030 big5 big5hkscs euc_kr cp949
"""
_ALLOWED = frozenset(_NAMES.split())
# Supersets that browsers use in their place, because so much is mislabelled.
_SUPERSETS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
}

_XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([^"'\s>]{1,64})""")
_HTTP_CHARSET = re.compile(r"""charset\s*=\s*["']?([^\s"';,]{1,64})""", re.IGNORECASE)
_NAME = re.compile(r"<([A-Za-z_][\w.:-]{0,99})")


@dataclass(frozen=True, slots=True)
class Document:
    """A document from its root element on."""

    root: str
    """Name of the root element as written, `rss`, `rdf:RDF`; empty if the text is no markup."""
    text: str
    doctype: str
    """The DOCTYPE declaration as written, or empty."""


def read_document(body: bytes, content_type: str = "") -> Document:
    """Decodes `body`, refuses declared entities and cuts everything before the root element.

    Raises:
        RefusalError: The character set is not one that is read, or a DTD declares entities.
    """
    text = decode(body, content_type)
    at, doctype = 0, ""
    while True:
        # Every branch moves `at` forward past what it looked at, so the scan is linear.
        while at < len(text) and text[at] in " \t\r\n\ufeff\0":
            at += 1
        if text.startswith("<?", at):
            at = _after(text, "?>", at)
        elif text.startswith("<!--", at):
            at = _after(text, "-->", at + 4)
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            end = _doctype_end(text, at)
            doctype, at = text[at:end], end
            if "<!ENTITY" in doctype.upper():
                raise RefusalError("it declares entities of its own, which can blow up without end")
        else:
            name = _NAME.match(text, at)
            return Document(name.group(1) if name else "", text[at:], doctype)


def decode(body: bytes, content_type: str = "") -> str:
    """The text of `body`, by byte order mark, else HTTP charset, else XML prolog, else by trying.

    Raises:
        RefusalError: A character set is named that is not on the list.
    """
    for bom, name in _BOMS:
        if body.startswith(bom):
            return body.decode(name, "replace").removeprefix("\ufeff")
    for start, name in _BARE:
        if body.startswith(start):
            return body.decode(name, "replace")
    http = _HTTP_CHARSET.search(content_type)
    prolog = _XML_ENCODING.match(body[:1024])
    labels = [http.group(1)] if http else []
    if prolog:
        labels.append(prolog.group(1).decode("ascii", "replace"))
    charsets = [charset for label in labels if (charset := _charset(label)) is not None]
    # UTF-8 hardly ever decodes by accident, so it goes before the single-byte sets, in which anything does.
    multibyte = [c for c in charsets if c not in _SUPERSETS and not c.startswith(("cp12", "iso8859", "koi8"))]
    for charset in (*multibyte, "utf-8", *(_SUPERSETS.get(c, c) for c in charsets)):
        try:
            return body.decode(charset)
        except UnicodeDecodeError:
            continue
    # Nothing fits. Mostly UTF-8 with a stray byte, else the commonest single-byte set.
    as_utf8 = body.decode("utf-8", "replace")
    bad = as_utf8.count("\ufffd")
    high = sum(1 for byte in body[:100_000] if byte >= 0x80)
    if bad * 10 < high:
        return as_utf8
    return body.decode(_SUPERSETS.get(charsets[0], charsets[0]) if charsets else "cp1252", "replace")


def unpack(body: bytes) -> bytes:
    """`body`, unpacked if it is gzip.

    Raises:
        RefusalError: It unpacks to more than MAX_UNPACKED bytes, or is damaged.
    """
    if not body.startswith(b"\x1f\x8b"):
        return body
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = unpacker.decompress(body, MAX_UNPACKED)
    except zlib.error:
        raise RefusalError("its gzip packing is damaged") from None
    if unpacker.unconsumed_tail:
        raise RefusalError(f"it unpacks to more than {MAX_UNPACKED // 2**20} MB")
    if not unpacker.eof:
        raise RefusalError("its gzip packing is cut short")
    return data


def _charset(label: str) -> str | None:
    """Python's name of a charset label; None for a word that names nothing at all."""
    try:
        name = codecs.lookup(label.replace("\0", "")).name
    except (LookupError, ValueError):
        return None
    if name not in _ALLOWED:
        raise RefusalError(f"its character set {label!r} is not one that is read")
    return name


def _after(text: str, mark: str, start: int) -> int:
    found = text.find(mark, start)
    return len(text) if found < 0 else found + len(mark)


def _doctype_end(text: str, start: int) -> int:
    """Where a DOCTYPE ends, its internal subset and quoted strings included."""
    depth = 0
    for match in re.compile(r"""\[|\]|>|"[^"]*"|'[^']*'|<!--.*?-->""", re.DOTALL).finditer(text, start):
        mark = match.group()
        if mark == "[":
            depth += 1
        elif mark == "]":
            depth -= 1
        elif mark == ">" and depth <= 0:
            return match.end()
    return len(text)
