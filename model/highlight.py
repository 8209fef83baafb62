"""Which words to mark: passages read off the score, sentences by what they say, phrases by their words.

Owns the choice and the bounds of what is marked, and the formulas that compare the sentences of one
document. Contributions to the logit come from outside; so do vectors: nothing here runs an encoder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.attention import attention_weights
from model.hygiene import WIDE
from model.lexical import Terms, TfIdf, count_terms, occurrences
from model.passages import WINDOW_CHARS, sentences
from model.types import Document, Highlight, Passage, Window

MAX_HIGHLIGHTS = 3
MAX_SUMMARY = 2
SALIENCE_SHARPNESS = 8.0
READABLE_CHARS = 400
"""A longer passage is marked by its best run of sentences of about this length."""

WORD_SHARE = 0.1
"""What a sentence with all words of a query gains, in units of a cosine. Between sentences of one document
meaning decides and words break near ties; with an encoder that cannot read the text they are all there is."""

TITLE_SHARE = 0.95
"""Of what a query shares with the title, how much a sentence is not asked for: nearly all, as the title has
said it; not all, or nothing would be left of a query in the title's own words."""

PHRASE_CHARS = 160
"""A shorter sentence is marked as a whole: two lines are read at a glance."""
MAX_PHRASES = 3
MAX_GAP_WORDS = 2
"""Words without a value of their own between two that have one, as in `quality of care`."""

_WORD = re.compile(rf"[{WIDE}]{{1,2}}|[^\W{WIDE}]+")
_PLAIN = re.compile(r"[\w\s'’-]*")


def choose(
    document: Document,
    passages: Sequence[Passage],
    values: NDArray[np.float64],
    words: Sequence[tuple[int, float]],
) -> tuple[Highlight, ...]:
    """At most three passages of the text, by their contributions: what speaks for the document first.

    Args:
        document: Whose text is marked; a title is never marked, since it is always on screen.
        passages: All of them.
        values: (passages,), contributions to the logit.
        words: (position in the text, contribution) of every occurrence of a term in the text.
    """
    order = np.argsort(-values, kind="stable")
    best = [index for index in order if passages[index].field == "text" and values[index] != 0]
    marked = [_readable(document.text, passages[index], words) for index in best[:MAX_HIGHLIGHTS]]
    return tuple(
        Highlight(passage, float(values[index]), phrases(document.text, passage, words))
        for passage, index in zip(marked, best, strict=False)
    )


def summary(
    document: Document,
    passages: Sequence[Passage],
    vectors: NDArray[np.float32],
    tf_idf: TfIdf,
) -> tuple[Highlight, ...]:
    """The passages that say best what a document is about, for when no interest is known; value 0.

    Args:
        document: Whose text is marked.
        passages: All of them.
        vectors: (passages, d): of each passage, zero where there is none; (passages, 0) without an encoder.
        tf_idf: Of the corpus.
    """
    fields = {"title": document.title, "text": document.text}
    terms = [count_terms("", fields[part.field][part.start : part.end]) for part in passages]
    places = [place for place, part in enumerate(passages) if part.field == "text"]
    titles = [place for place, part in enumerate(passages) if part.field == "title"]
    of_text = [terms[place] for place in places]
    words = shared_words(of_text, tf_idf)
    values: list[tuple[int, float]] = []
    title = None
    if titles:
        words = words + word_shares(terms[titles[0]], of_text, tf_idf)
        title = _unit(vectors[titles[0]]) if vectors[titles[0]].any() else None
        sought = set(terms[titles[0]].buckets.tolist())
        values = [(at, 1.0) for bucket, _, at in occurrences("", document.text) if bucket in sought]
    weights = salience(_unit(vectors[places]), title, words)
    best = sorted(range(len(places)), key=lambda place: -weights[place])[:MAX_SUMMARY]
    chosen = [_readable(document.text, passages[places[place]], values) for place in best]
    return tuple(Highlight(passage, 0.0) for passage in chosen)


def _readable(text: str, passage: Passage, words: Sequence[tuple[int, float]]) -> Passage:
    """The passage, or its run of whole sentences that carries the most words in its favour."""
    if passage.end - passage.start <= READABLE_CHARS:
        return passage
    spans = [(passage.start + a, passage.start + b) for a, b in sentences(text[passage.start : passage.end])]
    worth = [sum(value for position, value in words if start <= position < end) for start, end in spans]
    best, best_worth = spans[0], -np.inf
    for first in range(len(spans)):
        total = 0.0
        for last in range(first, len(spans)):
            if last > first and spans[last][1] - spans[first][0] > READABLE_CHARS:
                break
            total += worth[last]
            if total > best_worth:
                best, best_worth = (spans[first][0], spans[last][1]), total
    return Passage("text", *best)


def sentence_windows(title: str, texts: Sequence[str]) -> tuple[list[Window], list[Window]]:
    """What the encoder reads of a title and sentences: each alone, and all of them in their context.

    Both lists have one part for the title, unless it is blank, and one for each sentence, in order. In
    context, neighbours are read together as far as the encoder sees.
    """
    units = [title, *texts] if title.strip() else list(texts)
    groups: list[list[str]] = []
    for unit in units:
        if groups and len(" ".join([*groups[-1], unit])) <= WINDOW_CHARS:
            groups[-1].append(unit)
        else:
            groups.append([unit])
    return [Window(unit) for unit in units], [_joined(group) for group in groups]


def average_reading(readings: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vectors of sentences from several readings of them, in equal parts.

    Alone, `it fell by half` lacks what fell; in context, all sentences of a text resemble each other. The
    two together find the sentences that answer a question better than either.

    Args:
        readings: (r, t, d): of the same t sentences. What one reading lacks (zero) the others give.

    Returns:
        (t, d), of length one each, or zero where there is no reading.
    """
    return _unit(_unit(readings).sum(axis=0))


def word_shares(
    query: Terms, texts: Sequence[Terms], tf_idf: TfIdf, title: Terms | None = None
) -> NDArray[np.float64]:
    """The share of a query's words that each sentence holds, by their tf-idf in the query, (t,) in [0, 1].

    Args:
        query: The terms of what is sought.
        texts: Of each sentence.
        tf_idf: Its vocabulary and the rarity of its words.
        title: Terms that the title holds already; they count for `1 - TITLE_SHARE` of what others do.
    """
    weights = tf_idf.transform([query]).toarray()[0].astype(np.float64)
    weights /= weights.sum() or 1.0
    if title is not None:
        weights[_known(tf_idf, title)] *= 1 - TITLE_SHARE
    return np.array([weights[_known(tf_idf, terms)].sum() for terms in texts], dtype=np.float64)


def shared_words(texts: Sequence[Terms], tf_idf: TfIdf) -> NDArray[np.float64]:
    """How much each sentence has in common with the others, (t,): the sum of its tf-idf cosines with them.

    The degree centrality of LexRank (Erkan & Radev 2004).
    """
    rows = tf_idf.transform(texts)
    return np.asarray(rows @ rows.sum(axis=0) - (rows * rows).sum(axis=1), dtype=np.float64)


def sentence_scores(
    vectors: NDArray[np.float32],
    query: NDArray[np.float32],
    title: NDArray[np.float32] | None,
    words: NDArray[np.float64],
) -> NDArray[np.float64]:
    """How well each sentence answers what a reader seeks, beyond what the title says of it already, (t,).

        score_t = x_t . (q - TITLE_SHARE * max(0, q . h) h) + WORD_SHARE * words_t

    The reader has seen the title h; a sentence that only says it again is the wrong one to mark, however
    close to the query. So what the query shares with the title is taken out of the query: the penalty of
    maximal marginal relevance (Carbonell & Goldstein 1998), as strong as query and title are alike. A title
    that has nothing to do with the query changes nothing; a query that is the title finds what is closest.

    Args:
        vectors: x, (t, d): of the sentences, of length one or zero (`average_reading`).
        query: q, (d,), of length one: a phrase, or the direction that labels taught.
        title: h, (d,), of length one, made as `vectors` are; None without a title.
        words: (t,): `word_shares` of the query, given the title.
    """
    sought = query.astype(np.float64)
    if title is not None:
        sought -= TITLE_SHARE * max(0.0, float(query @ title)) * title
    scores: NDArray[np.float64] = vectors @ sought + WORD_SHARE * words
    return scores


def salience(
    vectors: NDArray[np.float32], title: NDArray[np.float32] | None, words: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much each sentence says of its document when no interest is known: weights that sum to one, (t,).

    Attention to the title, the author's own summary; without one, self-attention: to what the sentences say
    on average. They are read alone here: in context each sounds like the title.

    Args:
        vectors: (t, d): of the sentences, each read alone, of length one or zero.
        title: (d,), of length one; None without a title.
        words: (t,): `word_shares` of the title and `shared_words`, added.
    """
    if not len(vectors):
        return np.zeros(0)
    query = _unit(vectors.sum(axis=0)) if title is None else title
    scores = (vectors @ query).astype(np.float64) + WORD_SHARE * words
    return np.asarray(attention_weights(SALIENCE_SHARPNESS * scores, np.ones(len(scores), dtype=bool)))


def phrases(text: str, passage: Passage, words: Sequence[tuple[int, float]]) -> tuple[Passage, ...]:
    """The runs of words that carry the value of a long sentence: at most three, in order.

    Words of the sign of the whole are joined over small gaps; punctuation and words that pull the other
    way part them. The runs with the largest sums are kept.

    Args:
        text: The text of the document.
        passage: A sentence of it; a short one needs no marks and gets none.
        words: (position in the text, contribution) of every occurrence of a term in the text.
    """
    if passage.end - passage.start <= PHRASE_CHARS:
        return ()
    values: dict[int, float] = {}
    for position, value in words:
        if passage.start <= position < passage.end:
            values[position] = values.get(position, 0.0) + value
    sign = np.sign(sum(values.values()))
    runs: list[tuple[int, int, float]] = []
    parted = True
    for position, value in sorted(values.items()):
        word = _WORD.match(text, position, passage.end)
        if word is None or value * sign <= 0:
            parted = True
            continue
        start, end, total = runs[-1] if runs else (position, position, 0.0)
        if position < end or not (parted or _parts(text[end:position])):
            runs[-1] = (start, max(end, word.end()), total + value * sign)
        else:
            runs.append((position, word.end(), value * sign))
        parted = False
    best = sorted(runs, key=lambda run: -run[2])[:MAX_PHRASES]
    return tuple(Passage("text", start, end) for start, end, _ in sorted(best))


def _joined(units: Sequence[str]) -> Window:
    """One window of which each unit is a span."""
    ends = np.cumsum([len(unit) + 1 for unit in units]) - 1
    spans = [(int(end) - len(unit), int(end)) for unit, end in zip(units, ends, strict=True)]
    return Window(" ".join(units), tuple(spans))


def _parts(gap: str) -> bool:
    """Whether what stands between two words is too much for one phrase."""
    return _PLAIN.fullmatch(gap) is None or len(gap.split()) > MAX_GAP_WORDS


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors (..., d) with length one each; zero stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)


def _known(tf_idf: TfIdf, terms: Terms) -> NDArray[np.int64]:
    """The columns of the terms in the vocabulary."""
    columns = tf_idf.columns(terms.buckets)
    return columns[columns >= 0]
