"""Cuts a document into passages: its title and groups of sentences, by character offsets.

Owns sentence and passage boundaries, and a cheap estimate of tokens. Pure text work: knows no
tokenizer, no vectors and no scores.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from model import hygiene
from model.stopwords import ENGLISH
from model.types import Passage, Window

PASSAGE_TOKENS = 96
"""Passages aim at this size or less; half of it is usual, because paragraphs and sentences stay whole."""

MAX_TEXT_PASSAGES = 6
"""Of one document, beside its title. Vectors of 100k documents then stay below 0.3 GB as int8."""

ONE_PIECE_CHARS = 2300
"""A document up to this length, about 512 tokens, is about one thing: its passages are read together, so
that each knows what the others say of it."""

COHERENCE = 0.25
"""A longer one whose passages share less of their words than this has parts of its own, as a newsletter has
stories. Of long abstracts 2 in 100 share less, of newsletters made of other people's texts 97."""

WINDOW_CHARS = 1100
"""Passages are read together up to this length: about the 254 tokens that the encoder sees."""

MAX_SENTENCE_CHARS = 600
"""A longer stretch without any sentence end is cut at white space: it is a table, a log or a quotation."""

Span = tuple[int, int]

_PARAGRAPH_END = re.compile(r"\n[ \t]*\n\s*")
# Two kinds of sentence ends: those of East Asian scripts need no white space after them; all others
# do. A list item starts a new sentence too, since lists rarely carry full stops.
_SENTENCE_END = re.compile(
    r"""
      (?P<wide>[。！？｡]+[」』”’）】》]*\s*)
    | (?<![.!?…؟۔।])(?P<stop>[.!?…؟۔।]+["'”’»)\]]*)\s+
    | \n(?=[ \t]*(?:[-*•–]|\d{1,2}[.)])[ \t])
    """,
    re.VERBOSE,
)
_LAST_WORD = re.compile(r"[^\s(\[\"“„«]+$")
_ABBREVIATION_LIST = """
    mr. mrs. ms. dr. prof. st. jr. sr. vs. etc. e.g. i.e. cf. al. fig. figs. eq. eqs. sec. ch. vol. no. nos.
    pp. p. ed. eds. approx. inc. ltd. co. corp. dept. univ. jan. feb. mar. apr. jun. jul. aug. sep. sept.
    oct. nov. dec. resp. ca. a.m. p.m. u.s. viz.
    bzw. evtl. ggf. z.b. d.h. u.a. u.ä. usw. bspw. sog. vgl. nr. str. hr. fr. s. abb. tab. zzgl. inkl.
    т.е. т.д. т.п. т.к. др. см. стр. рис. гл. им. г. гг. в. вв. руб. тыс. млн. млрд.
"""
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]")
_MIN_GROWTH = 1.25
_LAST_LATIN = "\u02af"  # the end of the phonetic extensions; accents alone are no letters
_LONG_WORD = re.compile(r"[^\W\d_]{4,}")
_ENOUGH_WORDS = 5


def estimate_tokens(text: str) -> float:
    """Word pieces that a BERT-like English vocabulary makes of `text`, from its characters alone.

    English prose has about 4.5 characters a piece, East Asian scripts one; other letters, which such a
    vocabulary spells out, about two. Good to 20 % for English, which is all that balancing needs.
    """
    if text.isascii():
        return len(text) / 4.5
    wide = len(_CJK.findall(text))
    plain = len(text.encode("ascii", "ignore"))
    return plain / 4.5 + wide + (len(text) - plain - wide) / 2


def share_beyond_latin(text: str) -> float:
    """The share of letters of other scripts than Latin, look-alikes aside, among all letters, in [0, 1]."""
    if text.isascii():
        return 0.0
    text = hygiene.fold(text)
    letters = [char for char in text if char.isalpha()]
    return sum(char > _LAST_LATIN for char in letters) / len(letters) if letters else 0.0


def sentences(text: str) -> list[Span]:
    """The sentences of `text` as (start, end), in order, without the white space around them.

    Paragraph ends and list items end a sentence; abbreviations, initials and ordinals (`am 3. Oktober`)
    do not. Every character but white space belongs to exactly one sentence.
    """
    return [span for paragraph in _paragraphs(text) for span in _sentences_of(text, *paragraph)]


def split(title: str, text: str) -> list[Passage]:
    """Cuts a document into its title and at most `MAX_TEXT_PASSAGES` passages, in order.

    The passages cover every sentence of the text of which anything counts (`hygiene.read`): what is said
    again gets no passage, or copies would widen all others. Paragraphs stay whole where they fit, so each
    story of a newsletter keeps a passage to itself; long paragraphs are cut at sentence ends into even
    parts, short neighbours are merged. In a document too long for six passages of `PASSAGE_TOKENS` they
    widen.
    Beyond the encoder's window, about 1,500 tokens of text, each is encoded by its beginning: six even
    samples of the text, while words are still found in all of it.

    Args:
        title: May be empty; then there is no title passage.
        text: May be empty.
    """
    passages = [Passage("title", *span) for span in _trimmed(title, 0, len(title))]
    parted = [_sentences_of(text, *paragraph) for paragraph in _paragraphs(text)]
    _, read = hygiene.read(title, text, [span for spans in parted for span in spans])
    silent = {(said.start, said.end) for said in read if not any(said.counts)}
    paragraphs = [
        [(span, estimate_tokens(text[slice(*span)])) for span in spans if span not in silent]
        for spans in parted
        if not silent.issuperset(spans)
    ]
    limit = float(PASSAGE_TOKENS)
    while len(groups := _merged(paragraphs, limit)) > MAX_TEXT_PASSAGES:
        limit *= _MIN_GROWTH
    return passages + [Passage("text", start, end) for start, end in groups]


def coherence(text: str, parts: Sequence[Passage]) -> float:
    """The share of a passage's longer words that another passage holds too, on average; in [0, 1].

    1 for a text of one passage, and for scripts without spaces, where words cannot be told.
    """
    found = [set(_LONG_WORD.findall(text[p.start : p.end].lower())) for p in parts if p.field == "text"]
    found = [words - ENGLISH for words in found]
    found = [words for words in found if len(words) >= _ENOUGH_WORDS]
    if len(found) < 2:
        return 1.0
    holders = Counter(word for words in found for word in words)
    return sum(sum(holders[w] > 1 for w in words) / len(words) for words in found) / len(found)


def read_apart(text: str, parts: Sequence[Passage]) -> bool:
    """Whether a document has parts of its own, so that its passages are each read, and judged, alone."""
    size = sum(part.end - part.start for part in parts)
    return size > ONE_PIECE_CHARS and coherence(text, parts) < COHERENCE


def windows(parts: Sequence[Passage], *, apart: bool) -> list[list[int]]:
    """Which passages of a document the encoder reads together, as lists of neighbours."""
    if apart:
        return [[place] for place in range(len(parts))]
    groups: list[list[int]] = []
    filled = 0
    for place, size in enumerate(part.end - part.start for part in parts):
        if groups and filled + size <= WINDOW_CHARS:
            groups[-1].append(place)
            filled += size
        else:
            groups.append([place])
            filled = size
    return groups


def locator(parts: Sequence[Passage]) -> Callable[[str, int], int]:
    """A function from a field and a position in it to the place of the passage that holds it.

    White space between two passages belongs to the earlier one; with no passages every place is 0.
    """
    starts = [(part.field == "text", part.start) for part in parts]
    return lambda field, position: max(0, bisect_right(starts, (field == "text", position)) - 1)


def to_encode(title: str, text: str, parts: Sequence[Passage]) -> list[Window]:
    """What the encoder reads of a document: its windows, whose spans in turn are its passages.

    Of a passage it reads what counts (`hygiene.read`); where nothing does, the span is empty.
    """
    head, body = hygiene.read(title, text, sentences(text))
    fields = {"title": (title, _gaps(head)), "text": (text, _gaps(body))}
    found = []
    for group in windows(parts, apart=read_apart(text, parts)):
        joined = ""
        spans: list[Span] = []
        for place in group:
            part = parts[place]
            if spans:
                joined += ". " if parts[place - 1].field == "title" else "\n"
            start = len(joined)
            joined += hygiene.legible(_without(*fields[part.field], part.start, part.end))
            spans.append((start, len(joined)))
        found.append(Window(joined, tuple(spans)))
    return found


def _gaps(read: Sequence[hygiene.Sentence]) -> list[Span]:
    return [gap for sentence in read for gap in sentence.gaps]


def _without(text: str, gaps: Sequence[Span], start: int, end: int) -> str:
    """The text between two places, without the gaps in it."""
    kept = []
    for first, last in gaps[bisect_right(gaps, start, key=itemgetter(1)) :]:
        if first >= end:
            break
        kept.append(text[start:first])
        start = last
    return "".join([*kept, text[start:end]]).strip()


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The span without the white space at its ends; nothing if there is only white space."""
    part = text[start:end]
    stripped = part.strip()
    if stripped:
        start += len(part) - len(part.lstrip())
        yield start, start + len(stripped)


def _paragraphs(text: str) -> Iterator[Span]:
    start = 0
    for match in _PARAGRAPH_END.finditer(text):
        yield from _trimmed(text, start, match.start())
        start = match.end()
    yield from _trimmed(text, start, len(text))


def _sentences_of(text: str, start: int, end: int) -> list[Span]:
    """The sentences of one paragraph."""
    spans: list[Span] = []
    for match in _SENTENCE_END.finditer(text, start, end):
        if match["stop"] is None or _is_end(text, start, match):
            spans.extend(_bounded(text, start, match.end()))
            start = match.end()
    spans.extend(_bounded(text, start, end))
    return spans


def _is_end(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether a full stop ends its sentence: it does not after an abbreviation or before a small letter."""
    if match["stop"] != ".":
        return not text[match.end() : match.end() + 1].islower()
    if text[match.end() : match.end() + 1].islower():
        return False
    word = _LAST_WORD.search(text, max(start, match.start() - 12), match.end("stop"))
    if word is None:
        return True
    last = word[0]
    initial = len(last) == 2 and last[0].isupper() and last[0] != "I"
    ordinal = last[:-1].isdigit() and len(last) <= 3
    return not (initial or ordinal or last.lower() in _ABBREVIATIONS)


def _bounded(text: str, start: int, end: int) -> Iterator[Span]:
    """The trimmed span, cut at white space into pieces of at most `MAX_SENTENCE_CHARS`."""
    while end - start > MAX_SENTENCE_CHARS:
        window = text[start : start + MAX_SENTENCE_CHARS]
        space = max(window.rfind(" "), window.rfind("\n"))
        cut = start + (space if space > MAX_SENTENCE_CHARS // 2 else MAX_SENTENCE_CHARS)
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, end)


def _merged(paragraphs: list[list[tuple[Span, float]]], limit: float) -> list[Span]:
    """Groups of sentences of about `limit` tokens: no paragraph that fits is cut, small neighbours join."""
    groups: list[tuple[Span, float]] = []
    for paragraph in paragraphs:
        for span, tokens in _even_parts(paragraph, limit):
            if groups and groups[-1][1] + tokens <= limit:
                (start, _), before = groups[-1]
                groups[-1] = ((start, span[1]), before + tokens)
            else:
                groups.append((span, tokens))
    return [span for span, _ in groups]


def _even_parts(paragraph: list[tuple[Span, float]], limit: float) -> list[tuple[Span, float]]:
    """The paragraph in the fewest parts of about `limit` tokens, as even as its sentences allow."""
    total = sum(tokens for _, tokens in paragraph)
    count = max(1, -int(-total // limit))
    parts: list[list[tuple[Span, float]]] = [[] for _ in range(count)]
    before = 0.0
    for span, tokens in paragraph:
        parts[min(count - 1, int((before + tokens / 2) * count / total))].append((span, tokens))
        before += tokens
    return [((part[0][0][0], part[-1][0][1]), sum(tokens for _, tokens in part)) for part in parts if part]
