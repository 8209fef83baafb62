"""Making untrusted text safe to store and to show: the one way for a stranger's characters to get in.

Owns `sanitize_text`, which is applied once when a document is ingested and once more when it is
rendered. Decode first (entities, encoded words), sanitise last: `&#x9d;` is an escape sequence too.
"""

from __future__ import annotations

import re
import unicodedata

CJK = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Kana, Han and Hangul, for a class of a pattern: what is counted in characters instead of words."""
UNSPACED = rf"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005{CJK}\U00020000-\U0003ffff"
"""With Thai, Lao, Burmese and Khmer: scripts without spaces between words; and Hangul, whose endings are
syllables."""
MAX_COMBINING = 4
"""Marks kept per base character; real scripts need at most four, stacked text uses hundreds."""

# Removed without a trace: they have no width, so they can only hide something or reorder what is seen.
# Kept on purpose: U+200C and U+200D (joiners), without which Persian, Hindi and emoji fall apart.
_INVISIBLE = re.compile(
    "["
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "]+"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_JOINERS = re.compile("[\u200c\u200d]{2,}|(?<![^\\s])[\u200c\u200d]+|[\u200c\u200d]+(?![^\\s])")
_LINE_ENDS = re.compile("\r\n?|\u2028|\u0085|\x0b|\x0c")
_BLANK_RUNS = re.compile(r"\n{3,}")
_PASSWORD = re.compile(r"(?<=://)([^/?#:]*):[^/?#]*@")
_MARKS = re.compile(r"[^\x00-\u02ff]")
_PLAIN_ASCII = bytes([9, 10, *range(32, 127)])
# Letters and punctuation that nothing below touches; what most texts consist of altogether.
_NOT_PLAIN = re.compile(
    "[^\t\n -~\u00a0-\u00ac\u00ae-\u02ff\u0391-\u03a1\u03a3-\u03c9\u0400-\u0482\u048a-\u052f\u2010-\u2027"
    "\u2030-\u205e\u20a0-\u20bf\u2190-\u23ff\u3001-\u3029\u3041-\u3096\u30a1-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7a3]"
)


def sanitize_text(text: str, limit: int | None = None) -> str:
    """Returns `text` without anything that could act on a terminal or deceive an eye.

    C0 and C1 controls and lone surrogates become U+FFFD (so a reader sees that something was there),
    invisible and direction-changing characters vanish, at most four combining marks follow a letter,
    line ends become newlines and runs of blank lines one. The result holds no control character but
    newline and tab, and sanitising it again changes nothing.

    Args:
        text: Any string at all.
        limit: The longest result, in characters; a longer one ends with an ellipsis.
    """
    if not _is_plain(text):
        text = _LINE_ENDS.sub("\n", text)
        text = text.replace("\u2029", "\n\n")
        text = _CONTROL.sub("\ufffd", text)
        text = _INVISIBLE.sub("", text)
        if _MARKS.search(text):
            text = _limit_marks(text)
            text = _JOINERS.sub("", text)
    # Not by a regular expression: one for spaces before a line end tries every space of a run, which takes
    # minutes for the longest text that is stored.
    text = "\n".join([line.rstrip(" \t\u00a0") for line in text.split("\n")])
    text = (_BLANK_RUNS.sub("\n\n", text) if "\n\n\n" in text else text).strip()
    return _cut(text, limit)


def sanitize_line(text: str, limit: int | None = None) -> str:
    """`sanitize_text` for one line, such as a title or a name: all white space becomes single spaces."""
    if (text.isascii() and text.isprintable()) or _is_plain(text):
        return _cut(" ".join(text.split()), limit)
    return sanitize_text(" ".join(sanitize_text(text).split()), limit)


def without_password(address: str) -> str:
    """An address with an ellipsis in the place of a password, if it holds one."""
    return _PASSWORD.sub(r"\1:…@", address)


def _cut(text: str, limit: int | None) -> str:
    return text if limit is None or len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _is_plain(text: str) -> bool:
    """Whether there is nothing to do about single characters: a tenth of the time that doing it takes."""
    if text.isascii():
        return not text.encode().translate(None, _PLAIN_ASCII)
    return _NOT_PLAIN.search(text) is None


def _limit_marks(text: str) -> str:
    out: list[str] = []
    marks = 0
    for char in text:
        # Some marks that take room of their own (Mc) stack as well, and a run of them that is not in the
        # canonical order is sorted in quadratic time by every normalisation.
        if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
            marks += 1
            if marks > MAX_COMBINING:
                continue
        else:
            marks = 0
        out.append(char)
    return "".join(out)
