"""What of a text counts for ranking: what a reader would read in it, each thing said once.

Owns the folding of look-alike and invisible characters, and the search for repetitions and for lists of
keywords. Knows no vectors and no scores, and is told where sentences end. All of it takes time in proportion
to the length of the text, whatever the text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, groupby, pairwise

from model.stopwords import ENGLISH

Span = tuple[int, int]

RUN = 10
"""A sentence of so many words, none of them a function word or a number, is a list of keywords; so is a
longer row of such words within a sentence. Of the words of abstracts and mails 1 in 100 stands in such.
Leaving out shorter rows costs .01 average precision on mails: what a text enumerates is worth something."""

TITLE_RUN = 5
"""In a title, where words count double, what follows on so many in a row does not count. On nine mailing
lists and ten reviews of papers it costs nothing."""

REPEATED = 8
"""So many words in the order in which they stood before are a repetition, not a turn of phrase."""

PROSE_WORDS = 20
PROSE_SHARE = 0.2
"""A text with so many words, of which so many are function words, is English prose, in which a list stands
out. 95 in 100 abstracts and mails have .25 or more; other languages have less than .1."""

WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
"""Characters of scripts without spaces, for use inside [...] of a regular expression."""

_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff"
)
_MARKS = "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u064b-\u065f\u0670\u20d0-\u20f0"
_SKIPPED = re.compile(f"[{_INVISIBLE}{_MARKS}]+")
_WORD = re.compile(rf"[{WIDE}]+|[^\W{WIDE}]{{2,}}")
# Not without a bound: to normalise a word with a thousand marks on one letter takes a million steps.
_PARTED_WORD = re.compile(rf"[{WIDE}]+|[^\W{WIDE}](?:[{_INVISIBLE}{_MARKS}]{{0,8}}[^\W{WIDE}])+")
_BESIDE_LATIN = re.compile(f"(?<=[a-zA-Z])[{_INVISIBLE}]+|(?<![{_INVISIBLE}])[{_INVISIBLE}]+(?=[a-zA-Z])")
_STOP = re.compile(r"[.!?…]\s")

_TWINS = str.maketrans(
    "асԁеһіјкӏмпорԛгѕтѵԝхуАВСЕНІЈКМОРЅТХУԌԚԜ" + "αγεικνορτυωχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "օոսցհɑɡı",
    "acdehijklmnopqrstvwxyABCEHIJKMOPSTXYGQW" + "ayeikvoptuwxABEZHIKMNOPTYX" + "onughagi",
)
"""Letters that look like a Latin one: Cyrillic, Greek, Armenian and others."""
_HAS_TWIN = re.compile("[" + "".join(map(chr, _TWINS)) + "]")
_HAS_LATIN = re.compile("[a-zA-Z]")
_LETTERS = re.compile(rf"[\w{_INVISIBLE}]+")


class _Forms(dict[int, int]):
    """Code of a character -> code of the letter or digit it is a form of; filled as characters are met."""

    def __missing__(self, code: int) -> int:
        plain = unicodedata.normalize("NFKC", chr(code))
        self[code] = ord(plain) if len(plain) == 1 and plain.isalnum() else code
        return self[code]


_FORMS = _Forms(zip(map(ord, "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"), map(ord, "abcdefghijklmnoprstuvwyz"), strict=True))
for _first in (0x249C, 0x1F150, 0x1F170):  # in parentheses, black circles and black squares
    _FORMS.update((_first + n, ord("a") + n) for n in range(26))


def fold(text: str) -> str:
    """The text with every look-alike of a letter as that letter; as long as before, position by position.

    Full-width, mathematical, circled letters become plain ones (NFKC). Letters of other scripts that look
    Latin become so in words that hold Latin letters and nothing but such others: a word with a Cyrillic `а`
    in it is what it looks like, while Russian words and the `λmax` of a formula stay what they are.
    """
    if text.isascii():
        return text
    text = text.translate(_FORMS)
    return _LETTERS.sub(_latin, text) if _HAS_TWIN.search(text) else text


def legible(text: str) -> str:
    """The text as an encoder is to read it: folded, and without what is invisible beside Latin letters."""
    return text if text.isascii() else _BESIDE_LATIN.sub("", fold(text))


def _latin(word: re.Match[str]) -> str:
    found = word[0].translate(_TWINS)
    if found == word[0] or not _HAS_LATIN.search(word[0]):
        return word[0]
    return found if _SKIPPED.sub("", found).isascii() else word[0]


@dataclass(slots=True)
class Sentence:
    """A sentence of the title or the text, and what of it counts.

    A word has two characters or more, or is a run of characters of a script without spaces.
    """

    start: int
    end: int
    words: list[str]
    """In lower case, without what is invisible in them."""
    places: list[int]
    """Where each word begins in the field."""
    counts: list[bool]
    """Whether each word does."""
    stops: list[int]
    """Numbers of the words after a full stop within: a small letter follows, or it is an abbreviation."""

    @property
    def heard(self) -> Iterator[tuple[str, int]]:
        """The words that count, and where they begin."""
        return compress(zip(self.words, self.places, strict=True), self.counts)

    @property
    def gaps(self) -> Iterator[Span]:
        """What does not count, up to the next word that does."""
        start: int | None = None
        for number, (place, counts) in enumerate(zip(self.places, self.counts, strict=True)):
            if not counts and start is None:
                start = place if number else self.start
            elif counts and start is not None:
                yield start, place
                start = None
        if start is not None:
            yield start, self.end


def read(title: str, text: str, sentences: Sequence[Span]) -> tuple[list[Sentence], list[Sentence]]:
    """The sentences of the title, which is one, and of the text, that hold words, and which of these count.

    Three kinds do not: those of a sentence whose words, numbers aside, are all those of an earlier one;
    those that stood before, `REPEATED` of them in the same order in one sentence; and in English prose those
    of a list of keywords (`RUN`). So a sentence said again changes nothing, wherever it stands after the
    first time: it is not compared with what follows, nor does it make prose of what is none.

    Args:
        title: May be empty.
        text: May be empty.
        sentences: Of the text, in order.
    """
    head, body = _parted(title, [(0, len(title))]), _parted(text, sentences)
    _mark_repetition([*head, *body])
    _mark_lists(head, body)
    return head, body


def _parted(text: str, sentences: Sequence[Span]) -> list[Sentence]:
    folded = fold(text)
    plain = folded.isascii()
    if plain:
        folded = folded.lower()
    pattern = _PARTED_WORD if not plain and _SKIPPED.search(folded) else _WORD
    found = []
    for start, end in sentences:
        matches = list(pattern.finditer(folded, start, end))
        if not matches:
            continue
        words = [match[0] for match in matches]
        if not plain:
            words = [word.lower() if word.isascii() else _normal(word) for word in words]
        places = [match.start() for match in matches]
        stops = [bisect_left(places, stop.end()) for stop in _STOP.finditer(folded, start, end)]
        found.append(Sentence(start, end, words, places, [True] * len(words), stops))
    return found


def _normal(word: str) -> str:
    return _SKIPPED.sub("", unicodedata.normalize("NFKC", word)).lower()


def _mark_repetition(sentences: Sequence[Sentence]) -> None:
    known: set[tuple[str, ...]] = set()
    rows: set[tuple[str, ...]] = set()
    for sentence in sentences:
        spoken = [number for number, word in enumerate(sentence.words) if not word.isdigit()]
        told = [sentence.words[number] for number in spoken]
        said = tuple(told or sentence.words)
        if said in known:
            sentence.counts = [False] * len(sentence.words)
            continue
        known.add(said)
        new = list(zip(*(told[skipped:] for skipped in range(REPEATED)), strict=False))
        if len(set(new)) == len(new) and rows.isdisjoint(new):
            rows.update(new)
            continue
        marked = 0
        for first, row in enumerate(new):
            if row in rows:
                for number in spoken[max(marked, first) : first + REPEATED]:
                    sentence.counts[number] = False
                marked = first + REPEATED
            rows.add(row)


def _mark_lists(head: Sequence[Sentence], body: Sequence[Sentence]) -> None:
    listed = [(sentence, {n for row in _rows(sentence) for n in row[TITLE_RUN:]}) for sentence in head]
    listed += [
        (sentence, {*_whole_lists(sentence), *(n for row in _rows(sentence) if len(row) > RUN for n in row)})
        for sentence in body
    ]
    if not any(numbers for _, numbers in listed):
        return
    heard = [word for sentence, _ in listed for word in compress(sentence.words, sentence.counts)]
    functions = sum(word in ENGLISH for word in heard)
    prose = len(heard) - sum(len(numbers) for _, numbers in listed)
    if prose >= PROSE_WORDS and functions >= PROSE_SHARE * prose:
        for sentence, numbers in listed:
            for number in numbers:
                sentence.counts[number] = False


def _whole_lists(sentence: Sentence) -> Iterator[int]:
    """Numbers of the words between two full stops that are keywords and nothing else."""
    if len(sentence.words) < RUN:
        return
    for start, end in pairwise([0, *sentence.stops, len(sentence.words)]):
        heard = [number for number in range(start, end) if sentence.counts[number]]
        words = [sentence.words[number] for number in heard]
        if len(words) >= RUN and not any(word in ENGLISH or word.isdigit() for word in words):
            yield from heard


def _rows(sentence: Sentence) -> Iterator[list[int]]:
    """Numbers of the words that count, in rows between function words and full stops."""

    def part(number: int) -> tuple[bool, int]:
        return sentence.words[number] in ENGLISH, bisect_right(sentence.stops, number)

    heard = compress(range(len(sentence.words)), sentence.counts)
    for (is_function, _), row in groupby(heard, part):
        if not is_function:
            yield list(row)
