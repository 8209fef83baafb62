"""Prior knowledge: rules about documents that meet a condition, and forms of one name.

Owns whether a condition holds, how labels revise a soft rule, which documents hard rules decide about, and
how evidence for one form of a name reaches the other. Knows nothing of how a rule is typed or stored.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, reduce

import numpy as np
from numpy.typing import NDArray

from model.hygiene import WIDE
from model.lexical import Floats, count_terms
from model.types import Alias, AllOf, AnyOf, Condition, Document, Has, InvalidInput, Not, Older, Rule

Booleans = NDArray[np.bool_]

LABEL_WEIGHT = 0.5
"""How much of a label counts for a rule: a document is liked for all that it says, and only in part for what
the rule looks at. With it, eight labels weigh about as much as what the reader said, as for a source."""

LINK = 0.5
"""How much of the evidence for one form of a name reaches the other. On ten reviews of papers with five
abbreviations each, where half of the papers were made to use one form only, .5 adds .003 average precision
over 4 to 20 labels and 1 adds .007; on the papers as they are, which mostly say both, .001 and .001, but 1
takes .006 away at 20 labels."""

_WIDE = re.compile(f"[{WIDE}]")
_GAP = r"[\s\-\u2010-\u2015]+"


class Matcher:
    """Answers which documents meet a condition; each test is looked up once and remembered.

    Args:
        documents: Treat them as immutable, as those of a corpus.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        self._documents = documents
        self._found: dict[Has | Older, Booleans] = {}

    def matches(self, condition: Condition) -> Booleans:
        """Where the condition holds, (documents,)."""
        match condition:
            case Has() | Older():
                if condition not in self._found:
                    self._found[condition] = self._look(condition)
                return self._found[condition]
            case Not(part):
                return ~self.matches(part)
            case AllOf(parts):
                return reduce(np.logical_and, map(self.matches, parts))
            case AnyOf(parts):
                return reduce(np.logical_or, map(self.matches, parts))

    def _look(self, test: Has | Older) -> Booleans:
        if isinstance(test, Older):
            dates = [document.published for document in self._documents]
            return np.array([date is not None and date < test.than for date in dates], dtype=bool)
        if test.field == "kind":
            return np.array([document.kind == test.words for document in self._documents], dtype=bool)
        holds = _finder(test.words)
        if test.field == "source":  # few sources, many documents
            holds = lru_cache(maxsize=None)(holds)
        fields = _FIELDS[test.field]
        found = (any(holds(text) for text in fields(document)) for document in self._documents)
        return np.fromiter(found, dtype=bool, count=len(self._documents))


_FIELDS: dict[str, Callable[[Document], Iterable[str]]] = {
    "source": lambda document: (document.source,),
    "author": lambda document: document.people,
    "tag": lambda document: document.tags,
    "title": lambda document: (document.title,),
    "mentions": lambda document: (document.title, document.text),
}


def _finder(words: str) -> Callable[[str], bool]:
    """A function that says whether a text holds `words`, as whole words with any blanks or hyphens between.

    East Asian text has no spaces, so there the beginning and end of a word cannot be told.
    """
    parts = [part for part in re.split(_GAP, _folded(words).removesuffix("*")) if part]
    if not parts:
        raise InvalidInput(f"A condition without words: {words!r}")
    first, last = parts[0][0], parts[-1][-1]
    start = r"(?<!\w)" if first.isalnum() and not _WIDE.match(first) else ""
    end = r"(?!\w)" if last.isalnum() and not _WIDE.match(last) and not words.endswith("*") else ""
    pattern = re.compile(start + _GAP.join(map(re.escape, parts)) + end)
    rarest = max(parts, key=len)

    def holds(text: str) -> bool:
        folded = _folded(text)
        return rarest in folded and pattern.search(folded) is not None

    return holds


def _folded(text: str) -> str:
    """Without difference of case or width."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


@dataclass(frozen=True, slots=True)
class SoftRule:
    """What a soft rule has become: `value` = what the reader said + what labels say."""

    rule: Rule
    matches: Booleans
    """(documents,)"""
    said: float
    labels: float
    """What labels have added to it."""
    value: float
    """Of each document that matches; between -|said| and |said|."""

    @property
    def shares(self) -> Floats:
        """Shares of the logit, (documents,)."""
        return np.where(self.matches, self.value, 0.0)

    @property
    def name(self) -> str:
        """Both opinions, and the rule."""
        labels = f", your marks say {self.labels:+.1f}" if abs(self.labels) >= 0.05 else ""
        return f"you said {self.said:+g}{labels}: {self.rule.name}"


def soft_rules(
    matcher: Matcher, rules: Sequence[Rule], rows: NDArray[np.intp], wanted: Booleans, importance: Floats
) -> tuple[SoftRule, ...]:
    """The soft ones among `rules`, each revised by the labels of the documents that it matches.

    Args:
        matcher: Of the corpus.
        rules: In any order; the result is in that of their names.
        rows: (labels,): the labelled documents.
        wanted: (labels,)
        importance: (labels,): how many labels each stands for.

    Raises:
        InvalidInput: A strength is not finite.
    """
    usual = (float(wanted.sum()) + 1) / (len(rows) + 2)
    found = []
    for rule in sorted(rules, key=lambda rule: (rule.name, str(rule.effect))):
        if isinstance(rule.effect, str):
            continue
        if not math.isfinite(rule.effect):
            raise InvalidInput(f"The strength of the rule {rule.name!r} must be a finite number")
        matches = matcher.matches(rule.condition)
        labelled = matches[rows] * importance
        value = revised(rule.effect, usual, float((labelled * wanted).sum()), float(labelled.sum()))
        found.append(SoftRule(rule, matches, rule.effect, value - rule.effect, value))
    return tuple(found)


def revised(said: float, usual: float, likes: float, labels: float) -> float:
    """What a rule is worth after labels: the mode of its posterior within +-|said|.

    The rule is one 0/1 feature of a logistic model whose weight t has the prior N(said, 1) and whose
    intercept b is the log-odds of `usual`. With k likes in n labels, of which each counts `LABEL_WEIGHT` = w,
    the derivative of the log-posterior is (said - t) + w (k - n sigmoid(b + t)). It falls in t, so its zero
    is found by bisection; one step of Newton's method would leave a strong rule standing against any number
    of labels. A like never lowers the value, a dislike never lifts it, and either moves it by less than w.

    Args:
        said: The reader's own number.
        usual: The share of documents that are wanted among all labels, in (0, 1).
        likes: Labels of documents that match and are wanted.
        labels: Labels of documents that match.
    """
    low, high = -abs(said), abs(said)
    if not labels:
        return said
    intercept = math.log(usual / (1 - usual))
    for _ in range(50):  # to the last bit of any strength that can be said
        middle = (low + high) / 2
        expected = labels / (1 + math.exp(-(intercept + middle)))
        if said - middle + LABEL_WEIGHT * (likes - expected) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def clamps(matcher: Matcher, rules: Sequence[Rule]) -> dict[int, tuple[Rule, ...]]:
    """Row -> the hard rules that it meets, in the order of their effects."""
    found: dict[int, list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: (str(rule.effect), rule.name)):
        if isinstance(rule.effect, str):
            for row in np.flatnonzero(matcher.matches(rule.condition)):
                found.setdefault(int(row), []).append(rule)
    return {row: tuple(met) for row, met in found.items()}


class AliasGraph:
    """Links between the terms of a vocabulary, by which evidence for one form of a name reaches the other.

    Weights u become u + LINK * A u, one hop. A is the sum of a b' + b a' over all aliases, where a and b are
    the vectors of length one over the terms of the two forms: so a form of three words shares what a form of
    one word gets, and the other way round. The terms of a form of several words are its pairs of neighbours
    (`large language`, `language model`): the words alone say something else.

    Args:
        aliases: In any order.
        columns: From buckets of `model.lexical` to columns of the vocabulary, -1 for those outside of it.
    """

    def __init__(
        self,
        aliases: Sequence[Alias],
        columns: Callable[[NDArray[np.uint32]], NDArray[np.int64]],
    ) -> None:
        pairs = sorted({(alias.form, alias.other) for alias in aliases})
        placed = [(_places(form, columns), _places(other, columns)) for form, other in pairs]
        # A form that no document holds has nothing to give and nobody to give to.
        self._links = [(form, other) for form, other in placed if len(form) and len(other)]

    def expand(self, weights: Floats) -> Floats:
        """Weights of the vocabulary, (vocabulary,), with what aliases add.

        What is passed on is what a weight is above the median. A classifier may give all terms that it has
        not seen one and the same weight, and that is no evidence for any of them. A thousand terms tell the
        median; sorting all 20,000 would take 2 ms for each vector of weights.
        """
        if not self._links:
            return weights
        evidence = weights - np.median(weights[:: len(weights) // 1000 + 1])
        out = weights.copy()
        for form, other in self._links:
            length = math.sqrt(len(form) * len(other))
            out[other] += LINK * evidence[form].sum() / length
            out[form] += LINK * evidence[other].sum() / length
        return out


def _places(form: str, columns: Callable[[NDArray[np.uint32]], NDArray[np.int64]]) -> NDArray[np.int64]:
    """Columns of the terms that stand for a form of a name."""
    whole = count_terms("", form).buckets
    alone = [count_terms("", word).buckets for word in re.findall(r"\w+", form)]
    pairs = np.setdiff1d(whole, np.concatenate(alone)) if alone else whole
    places = columns(pairs if len(pairs) else whole)
    return places[places >= 0]


def has_terms(form: str) -> bool:
    """Whether a form of a name has words that count: `IT` and `C` have none."""
    return len(count_terms("", form).buckets) > 0
