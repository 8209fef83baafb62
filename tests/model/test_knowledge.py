from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.knowledge import LABEL_WEIGHT, LINK, AliasGraph, Matcher, clamps, has_terms, revised, soft_rules
from model.lexical import Floats, NaiveBayes, TfIdf, count_terms
from model.types import Alias, AllOf, AnyOf, Condition, Document, Has, InvalidInput, Not, Older, Rule

DAY = 86_400.0
DOCUMENTS = [
    Document(
        id="a",
        title="Python 4 is out",
        text="A snake of a release.",
        source="The Wire",
        people=("Jane Doe <jane@doe.example>",),
        tags=("cs.IR", "Open Source"),
        published=10 * DAY,
    ),
    Document(
        id="b", title="Robots", text="Deep-learning in ﬁelds.", source="the wire daily", published=5 * DAY
    ),
    Document(id="c", title="大型言語モデル", text="C++ and monty-pythons", source="Rewire", kind="paper"),
]


def found(condition: Condition) -> str:
    """Ids of the documents that meet a condition."""
    return "".join(
        d.id for d, met in zip(DOCUMENTS, Matcher(DOCUMENTS).matches(condition), strict=True) if met
    )


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        (Has("source", "wire"), "ab"),  # whole words, in any case
        (Has("source", "The Wire"), "ab"),
        (Has("source", "wire daily"), "b"),
        (Has("author", "jane doe"), "a"),
        (Has("author", "jane@doe.example"), "a"),
        (Has("author", "jan"), ""),
        (Has("tag", "open source"), "a"),
        (Has("tag", "cs"), "a"),
        (Has("kind", "paper"), "c"),
        (Has("kind", "pape"), ""),
        (Has("title", "python"), "a"),
        (Has("title", "snake"), ""),
        (Has("mentions", "snake"), "a"),
        (Has("mentions", "python"), "a"),
        (Has("mentions", "python*"), "ac"),
        (Has("mentions", "deep learning"), "b"),  # blanks and hyphens are alike
        (Has("mentions", "fields"), "b"),  # so are forms of one letter
        (Has("mentions", "言語"), "c"),  # no spaces, so no whole words
        (Has("mentions", "c++"), "c"),
        (Older(7 * DAY), "b"),  # an unknown age is not old
        (Not(Older(7 * DAY)), "ac"),
        (AllOf((Has("source", "wire"), Has("mentions", "python"))), "a"),
        (AnyOf((Has("kind", "paper"), Has("mentions", "python"))), "ac"),
        (AllOf((Has("source", "wire"), Not(Has("mentions", "python")))), "b"),
    ],
)
def test_a_condition_holds_where_it_says(condition: Condition, ids: str) -> None:
    assert found(condition) == ids


def test_a_condition_without_words_is_refused() -> None:
    for words in ("", "*", " - "):
        with pytest.raises(InvalidInput):
            found(Has("mentions", words))


def test_no_documents_meet_nothing() -> None:
    assert Matcher([]).matches(AllOf((Has("title", "x"), Older(1.0)))).shape == (0,)


STRENGTHS = st.floats(-5, 5).filter(lambda strength: abs(strength) > 0.01)
RATES = st.floats(0.02, 0.98)
COUNTS = st.integers(0, 60)


@given(STRENGTHS, RATES, COUNTS, COUNTS)
def test_a_rule_never_exceeds_what_was_said(said: float, usual: float, likes: int, dislikes: int) -> None:
    assert abs(revised(said, usual, likes, likes + dislikes)) <= abs(said)
    assert revised(said, usual, 0, 0) == said


@given(STRENGTHS, RATES, COUNTS, COUNTS)
def test_a_label_moves_a_rule_in_its_own_direction_and_by_less_than_its_weight(
    said: float, usual: float, likes: int, dislikes: int
) -> None:
    before = revised(said, usual, likes, likes + dislikes)
    liked = revised(said, usual, likes + 1, likes + dislikes + 1)
    disliked = revised(said, usual, likes, likes + dislikes + 1)
    assert before - 1e-9 <= liked < before + LABEL_WEIGHT
    assert before - LABEL_WEIGHT < disliked <= before + 1e-9


@given(STRENGTHS, RATES, COUNTS, COUNTS)
def test_the_value_is_the_mode_of_the_posterior(said: float, usual: float, likes: int, dislikes: int) -> None:
    intercept = math.log(usual / (1 - usual))
    grid = np.linspace(-abs(said), abs(said), 2001)
    chance = 1 / (1 + np.exp(-(intercept + grid)))
    posterior = -((grid - said) ** 2) / 2 + LABEL_WEIGHT * (
        likes * np.log(chance) + dislikes * np.log(1 - chance)
    )
    best = grid[np.argmax(posterior)]
    assert revised(said, usual, likes, likes + dislikes) == pytest.approx(best, abs=abs(said) / 999)


def test_one_dislike_says_little_and_many_overrule() -> None:
    assert revised(2.0, 0.5, 0, 1) > 1.5
    assert revised(2.0, 0.5, 0, 8) == pytest.approx(0.0, abs=1e-9)
    assert revised(2.0, 0.5, 0, 20) < -0.8
    assert revised(5.0, 0.5, 0, 60) < 0  # the strongest rule is not beyond reach
    assert revised(2.0, 0.5, 10, 20) < revised(2.0, 0.5, 20, 20) == pytest.approx(2.0)


def rule(name: str, condition: Condition, effect: object) -> Rule:
    return Rule(name, condition, effect)  # type: ignore[arg-type]


def labelled(*pairs: tuple[int, bool]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows, wanted = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(rows, dtype=np.intp), np.array(wanted, dtype=bool), np.ones(len(pairs))


def test_a_soft_rule_shows_both_opinions_and_shares_only_with_what_it_meets() -> None:
    wire = rule('source:"Wire"', Has("source", "wire"), 2.0)
    hard = rule("kind:paper", Has("kind", "paper"), "never")
    (soft,) = soft_rules(Matcher(DOCUMENTS), [wire, hard], *labelled((0, False), (2, True)))
    assert soft.shares.tolist() == [soft.value, soft.value, 0.0]
    assert soft.value == pytest.approx(soft.said + soft.labels)
    assert soft.value == pytest.approx(revised(2.0, 0.5, 0, 1))
    assert soft.name == f'you said +2, your marks say {soft.labels:+.1f}: source:"Wire"'
    (unlabelled,) = soft_rules(Matcher(DOCUMENTS), [wire], *labelled())
    assert (unlabelled.value, unlabelled.name) == (2.0, 'you said +2: source:"Wire"')


def test_the_order_in_which_rules_and_labels_come_changes_no_bit() -> None:
    rules = [rule(f"r{n}", Has("source", "wire"), 0.1 * (n + 1)) for n in range(5)]
    labels = ((0, False), (1, True), (2, True))
    matcher = Matcher(DOCUMENTS)
    one = soft_rules(matcher, rules, *labelled(*labels))
    other = soft_rules(matcher, rules[::-1], *labelled(*labels[::-1]))
    assert [found.value for found in one] == [found.value for found in other]
    assert [found.name for found in one] == [found.name for found in other]


def test_a_strength_that_is_no_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match="finite"):
        soft_rules(Matcher(DOCUMENTS), [rule("r", Has("title", "x"), math.nan)], *labelled())


def test_always_decides_over_never_and_soft_rules_decide_nothing() -> None:
    never = rule("n", Has("source", "wire"), "never")
    always = rule("y", Has("mentions", "python"), "always")
    soft = rule("s", Has("kind", "paper"), 5.0)
    assert clamps(Matcher(DOCUMENTS), [never, soft, always]) == {0: (always, never), 1: (never,)}


# ---------------------------------------------------------------- aliases

TEXTS = [
    "LLM safety in practice",
    "a large language model in the wild",
    "a large garden, a foreign language, a fashion model",
    "bees in the garden",
    "LLM benchmarks and their uses",
    "trams in practice",
    "neural networks of the wild",
]
LLM = Alias("LLM", "large language model")


def words() -> TfIdf:
    return TfIdf([count_terms("", text) for text in TEXTS])


def graph(tf_idf: TfIdf, *aliases: Alias) -> AliasGraph:
    return AliasGraph(aliases, tf_idf.columns)


def query(tf_idf: TfIdf, text: str) -> Floats:
    return tf_idf.transform([count_terms("", text)]).toarray()[0].astype(np.float64)


def test_what_is_asked_for_by_one_name_is_found_by_the_other() -> None:
    tf_idf = words()
    for form, own, linked in (("LLM", 0, 1), ("large language model", 1, 0)):
        plain = query(tf_idf, form)
        scores = tf_idf.matrix @ graph(tf_idf, LLM).expand(plain)
        unlinked = tf_idf.matrix @ plain
        assert unlinked[linked] == 0 < scores[linked] < scores[own]
        assert scores[own] == pytest.approx(unlinked[own])
        # Words of a name are not the name.
        assert scores[2] == pytest.approx(unlinked[2])
        assert scores[3] == 0


def test_what_marks_teach_of_one_name_reaches_the_other() -> None:
    tf_idf = words()
    wanted = np.array([True, True, False, False])
    fit = NaiveBayes.fit(tf_idf.matrix[[0, 4, 3, 5]], wanted, np.ones(4))
    before = tf_idf.matrix @ fit.weights
    after = tf_idf.matrix @ graph(tf_idf, LLM).expand(fit.weights)
    assert after[1] > before[1] + 0.1
    np.testing.assert_allclose(after[[2, 3, 5, 6]], before[[2, 3, 5, 6]])


def test_the_links_are_symmetric_and_one_hop_long() -> None:
    tf_idf = words()
    chain = graph(tf_idf, LLM, Alias("neural networks", "llm"), Alias("Trams", "bees"))
    size = tf_idf.matrix.shape[1]
    links = np.stack([chain.expand(row) for row in np.eye(size)]) - np.eye(size)
    np.testing.assert_allclose(links, links.T, atol=1e-12)
    spectrum = np.linalg.eigvalsh(links)
    assert np.abs(spectrum).max() <= LINK * math.sqrt(2) + 1e-9  # two links meet at LLM
    two_hops = tf_idf.matrix @ chain.expand(query(tf_idf, "neural networks"))
    assert two_hops[0] > 0
    assert two_hops[1] == 0


def test_a_weight_that_all_terms_share_is_no_evidence() -> None:
    tf_idf = words()
    constant = np.full(tf_idf.matrix.shape[1], -0.7)
    np.testing.assert_array_equal(graph(tf_idf, LLM).expand(constant), constant)


def test_a_name_that_no_document_holds_links_nothing() -> None:
    tf_idf = words()
    weights = query(tf_idf, "LLM")
    for alias in (Alias("LLM", "unheard of"), Alias("it", "LLM")):
        np.testing.assert_array_equal(graph(tf_idf, alias).expand(weights), weights)
    empty = TfIdf([])
    assert graph(empty, LLM).expand(np.zeros(0)).shape == (0,)


def test_names_without_a_word_that_counts_are_known() -> None:
    assert [has_terms(form) for form in ("LLM", "大型言語", "it", "C", "the")] == [
        True,
        True,
        False,
        False,
        False,
    ]
