"""The ranker: learns, explains exactly, and survives every shape of input."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence

import numpy as np
import pytest
from fake_encoder import embed, encode, said
from hypothesis import given, settings
from hypothesis import strategies as st

from model.blend import Settings
from model.corpus import Corpus
from model.lexical import count_terms
from model.passages import split, to_encode
from model.ranker import Ranker, Ranking
from model.types import Document, Interest, InvalidInput, Label, Passage, Profile

WORDS = """
birds heron nest wetland migration feather plumage ringing census marsh flock
trains railway locomotive signal gauge timetable platform freight tunnel viaduct carriage
bread sourdough flour oven crust starter yeast hydration proofing dough bakery
"""
TOPICS = {line.split()[0]: line.split()[1:] for line in WORDS.strip().splitlines()}
COMMON = ["people", "found", "new", "report", "during", "many", "different", "recent", "usual", "several"]


def read(document: Document, parts: Sequence[Passage]) -> np.ndarray:
    return encode(to_encode(document.title, document.text, parts))


def make_documents(count: int, seed: int = 0) -> list[Document]:
    rng = random.Random(seed)
    documents = []
    for number in range(count):
        topic = list(TOPICS)[number % len(TOPICS)]
        lines = [
            " ".join(rng.choices(TOPICS[topic] + COMMON, k=12)).capitalize() + "."
            for _ in range(rng.randint(1, 30))
        ]
        documents.append(
            Document(
                id=f"{topic}-{number}",
                title=" ".join(rng.choices(TOPICS[topic], k=3)),
                text=" ".join(lines),
                source=f"source {number % 4}",
                people=("Ada Example",) if number % 5 == 0 else (),
                published=1_700_000_000.0 - number * 3_600 if number % 6 else None,
            )
        )
    return documents


def make_corpus(documents: Sequence[Document], *, dense: bool = True) -> Corpus:
    passages = [split(document.title, document.text) for document in documents]
    vectors = np.concatenate([np.zeros((0, 32), dtype=np.float32), *map(read, documents, passages)])
    terms = [count_terms(d.title, d.text, parts) for d, parts in zip(documents, passages, strict=True)]
    return Corpus(documents, passages, vectors if dense else None, terms)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return make_corpus(make_documents(60))


def test_a_document_about_one_thing_is_judged_by_all_that_it_says_the_beginning_first() -> None:
    documents = make_documents(30)
    corpus = make_corpus(documents)
    assert not corpus.grid.apart.any()
    only_meaning = Settings(words=0, echo=0, source=0, person=0, age=0)
    ranking = Ranker(corpus, only_meaning).fit(Profile(labels=likes(*BIRDS)))
    sentences = [d.text.split(". ") for d in documents]
    direction = np.mean([pooled(documents[n].title, sentences[n]) for n in (0, 3, 6)], axis=0)
    cosines = [pooled(d.title, s) @ direction for d, s in zip(documents, sentences, strict=True)]
    assert np.corrcoef(ranking.logits, cosines)[0, 1] > 0.98


def pooled(title: str, sentences: Sequence[str]) -> np.ndarray:
    """The words of a document, those after 450 characters half as loud, and so on."""
    total, before = said(title), len(title)
    for sentence in sentences:
        total = total + said(sentence) * 0.5 ** (before / 450)
        before += len(sentence)
    return total / np.linalg.norm(total)


def likes(*ids: str, value: float = 1.0) -> tuple[Label, ...]:
    return tuple(Label(name, value) for name in ids)


def share_on_top(ranking: Ranking, topic: str, known: set[str], top: int = 10) -> float:
    shown = [name for name in ranking.order() if name not in known][:top]
    return sum(name.startswith(topic) for name in shown) / top


BIRDS = ("birds-0", "birds-3", "birds-6")
OTHERS = ("trains-1", "bread-2", "trains-4")


@pytest.mark.parametrize(
    "profile",
    [
        Profile(labels=likes(*BIRDS) + likes(*OTHERS, value=0)),
        Profile(labels=likes(*BIRDS)),
        Profile(labels=likes(BIRDS[0])),
        Profile(labels=likes(*BIRDS, value=2)),
        Profile(interests=(Interest("heron migration"),)),
        Profile(interests=(Interest("railway tunnel", -1.0), Interest("sourdough crust", -1.0))),
        Profile(labels=likes("trains-1", "trains-4", "bread-2", "bread-5", value=0)),
    ],
    ids=["both", "likes", "one like", "loves", "phrase", "negative phrases", "dislikes"],
)
@pytest.mark.parametrize("dense", [True, False], ids=["dense", "words only"])
def test_it_learns_from_whatever_there_is(profile: Profile, dense: bool) -> None:
    """ML-02."""
    corpus = make_corpus(make_documents(60), dense=dense)
    vectors = {i.phrase: embed(i.phrase) for i in profile.interests} if dense else {}
    ranking = Ranker(corpus).fit(profile, vectors)
    assert share_on_top(ranking, "birds", {label.document for label in profile.labels}) >= 0.8


def test_contributions_sum_to_the_logit_and_say_which_passage(corpus: Corpus) -> None:
    profile = Profile(
        (Interest("feather census"), Interest("oven", -0.5)), likes(*BIRDS) + likes(*OTHERS, value=0)
    )
    ranking = Ranker(corpus).fit(profile, {i.phrase: embed(i.phrase) for i in profile.interests})
    for row, document in enumerate(corpus.documents):
        why = ranking.explain(document.id)
        assert why.logit == ranking.logits[row]
        assert sum(c.value for c in why.contributions) == pytest.approx(why.logit, abs=1e-5)
        assert why.probability == pytest.approx(ranking.probabilities[row])
        fields = {"title": document.title, "text": document.text}
        for part in (c for c in why.contributions if c.kind == "passage"):
            assert part.passage is not None
            assert part.name == fields[part.passage.field][part.passage.start : part.passage.end]


@pytest.mark.parametrize("dense", [True, False], ids=["dense", "words only"])
def test_removal_scores_what_is_left(dense: bool) -> None:
    documents = [*make_newsletters(30), *make_documents(30)]
    corpus = make_corpus(documents, dense=dense)
    assert 0 < corpus.grid.apart.sum() < 60
    phrase = "heron nest"
    ranking = Ranker(corpus).fit(
        Profile((Interest(phrase),), likes("letter-birds-3") + likes("trains-4", value=0)),
        {phrase: embed(phrase)} if dense else {},
    )
    for row, document in enumerate(documents):
        parts = range(len(corpus.passages[row]))
        assert ranking.logit_without(document.id, []) == pytest.approx(ranking.logits[row], abs=1e-6)
        emptied = ranking.logit_without(document.id, parts)
        assert np.isfinite(emptied)
    story = next(d for d in documents if d.id == "letter-birds-6")
    losses = [
        ranking.logits[corpus.row[story.id]] - ranking.logit_without(story.id, [place])
        for place in range(len(corpus.passages[corpus.row[story.id]]))
    ]
    best = corpus.passages[corpus.row[story.id]][int(np.argmax(losses))]
    marked = story.text[best.start : best.end].lower()
    assert set(marked.replace(".", "").split()) <= set(TOPICS["birds"])


def test_highlights_lie_in_the_text_best_first_and_are_short(corpus: Corpus) -> None:
    """ML-16."""
    ranking = Ranker(corpus).fit(Profile((Interest("locomotive"),)), {"locomotive": embed("locomotive")})
    for document in corpus.documents:
        marks = ranking.explain(document.id).highlights
        assert len(marks) <= 3
        assert [m.value for m in marks] == sorted((m.value for m in marks), reverse=True)
        for mark in marks:
            assert mark.passage.field == "text"
            text = document.text[mark.passage.start : mark.passage.end]
            assert text == text.strip() != ""
            assert len(text) <= 600


def test_the_passage_with_the_interest_is_the_first_highlight() -> None:
    filler = " ".join(["Several people considered the usual report during recent days."] * 12)
    text = f"{filler}\n\nThe heron nest in the marsh was found by the census. {filler[:300]}\n\n{filler}"
    documents = [*make_documents(30), Document(id="letter", title="Weekly letter", text=text)]
    phrase = "heron nest marsh"
    ranking = Ranker(make_corpus(documents)).fit(Profile((Interest(phrase),)), {phrase: embed(phrase)})
    best = ranking.explain("letter").highlights[0]
    assert "heron nest" in text[best.passage.start : best.passage.end]
    assert best.value > 0


def make_newsletters(count: int, seed: int = 3) -> list[Document]:
    """Newsletters of six stories; every third one has a story on birds among five on nothing else."""
    rng = random.Random(seed)
    documents = []
    for number in range(count):
        stories = []
        for story in range(6):
            own = ["".join(rng.choices("bcdfghjklmnpqrstvwxz", k=9)) for _ in range(8)]
            words = TOPICS["birds"] if story == 0 and number % 3 == 0 else own
            stories.append(" ".join(f"{' '.join(rng.choices(words, k=9)).capitalize()}." for _ in range(5)))
        rng.shuffle(stories)
        name = "letter-birds" if number % 3 == 0 else "letter-plain"
        documents.append(Document(id=f"{name}-{number}", title="Weekly digest", text="\n\n".join(stories)))
    return documents


def test_what_the_best_documents_have_in_common_finds_those_that_share_no_word_with_what_was_said() -> None:
    documents = [
        Document(id="liked", title="Heron counted"),
        *(
            Document(id=f"both-{n}", title="Heron counted", text=f"On plumage {n}, by ringing.")
            for n in range(4)
        ),
        Document(id="only", title="Plumage", text="By ringing."),
        *(Document(id=f"other-{n}", title=f"Signal {n}", text=f"A viaduct {n}.") for n in range(40)),
    ]
    corpus = make_corpus(documents, dense=False)
    places = {}
    for echo in (0.0, 1.0):
        ranking = Ranker(corpus, Settings(echo=echo, age=0)).fit(Profile(labels=likes("liked")))
        places[echo] = ranking.logits[corpus.row["only"]] - np.median(ranking.logits)
        shares = sum(c.value for c in ranking.explain("only").contributions)
        assert shares == pytest.approx(ranking.logits[corpus.row["only"]], abs=1e-5)
    assert places[0.0] < 0.1 < 0.8 < places[1.0]


def test_dislikes_alone_have_no_echo(corpus: Corpus) -> None:
    said = Profile((Interest("oven", -1.0),), likes(*OTHERS, value=0))
    with_echo, without = (Ranker(corpus, Settings(echo=echo)).fit(said).logits for echo in (1.0, 0.0))
    np.testing.assert_array_equal(with_echo, without)


def test_a_liked_newsletter_is_liked_for_the_story_it_shares() -> None:
    corpus = make_corpus(make_newsletters(60))
    profile = Profile(labels=likes(*(f"letter-birds-{n}" for n in (0, 3, 6, 9))))
    margins = {}
    for sharpness in (0.0, Settings().sharpness_apart):
        ranking = Ranker(corpus, Settings(sharpness_apart=sharpness, words=0)).fit(profile)
        wanted = np.array([name.startswith("letter-birds") for name in corpus.row])
        rest = np.arange(60) > 9
        margins[sharpness] = ranking.logits[wanted & rest].mean() - ranking.logits[~wanted & rest].mean()
    assert margins[Settings().sharpness_apart] > margins[0.0] + 0.1
    best = ranking.explain("letter-birds-12").highlights[0].passage
    marked = corpus.documents[corpus.row["letter-birds-12"]].text[best.start : best.end].lower()
    assert set(marked.replace(".", "").split()) <= set(TOPICS["birds"])


@given(st.permutations(range(8)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_what_was_said_changes_no_bit(corpus: Corpus, order: list[int]) -> None:
    """ML-03."""
    labels = likes(*BIRDS) + likes("bread-5", value=2) + likes(*OTHERS, "bread-8", value=0)
    phrases = (Interest("flock"), Interest("freight", -1.0))
    vectors = {i.phrase: embed(i.phrase) for i in phrases}
    expected = Ranker(corpus).fit(Profile(phrases, labels), vectors).logits
    shuffled = Profile(phrases[::-1], tuple(labels[i] for i in order))
    np.testing.assert_array_equal(Ranker(corpus).fit(shuffled, vectors).logits, expected)


def test_the_latest_label_of_a_document_counts(corpus: Corpus) -> None:
    twice = Profile(labels=(Label("birds-0", 0.0, at=1), Label("birds-0", 1.0, at=2), Label("gone", 1.0)))
    once = Profile(labels=(Label("birds-0", 1.0),))
    np.testing.assert_array_equal(Ranker(corpus).fit(twice).logits, Ranker(corpus).fit(once).logits)


def test_love_counts_more_than_like(corpus: Corpus) -> None:
    base = likes("trains-1") + likes("bread-2", value=0)
    liked = Ranker(corpus).fit(Profile(labels=base + likes("birds-0")))
    loved = Ranker(corpus).fit(Profile(labels=base + likes("birds-0", value=2)))
    birds = [row for name, row in corpus.row.items() if name.startswith("birds")]
    assert loved.logits[birds].mean() > liked.logits[birds].mean()


def test_an_old_interest_fades_to_half_and_never_goes(corpus: Corpus) -> None:
    """ML-12."""
    year = 365 * 86_400.0
    old = [Label(f"trains-{n}", 1.0, at=1.0) for n in (1, 4, 7)]
    new = [Label(f"birds-{n}", 1.0, at=year) for n in (0, 3, 6)]
    none = [Label(f"bread-{n}", 0.0, at=year) for n in (2, 5, 8)]
    by_age = Ranker(corpus).fit(Profile(labels=(*old, *new, *none)))
    alike = Ranker(corpus).fit(Profile(labels=tuple(Label(x.document, x.value) for x in (*old, *new, *none))))

    def mean(ranking: Ranking, topic: str) -> float:
        known = {label.document for label in (*old, *new, *none)}
        return float(
            np.mean([ranking.logits[r] for n, r in corpus.row.items() if n[:5] == topic and n not in known])
        )

    assert mean(by_age, "birds") - mean(by_age, "train") > mean(alike, "birds") - mean(alike, "train") + 0.1
    assert mean(by_age, "train") > mean(by_age, "bread") + 1


def test_one_dislike_never_silences_a_source(corpus: Corpus) -> None:
    base = likes(*BIRDS) + likes(*OTHERS, value=0)
    before = Ranker(corpus).fit(Profile(labels=base)).explain("birds-12")
    after = Ranker(corpus).fit(Profile(labels=base + likes("bread-8", value=0))).explain("birds-12")
    assert corpus.documents[corpus.row["bread-8"]].source == corpus.documents[corpus.row["birds-12"]].source

    def of_source(why: object) -> float:
        return sum(c.value for c in why.contributions if c.kind == "source")  # type: ignore[attr-defined]

    assert 0 < of_source(before) - of_source(after) < 0.15


def test_without_anything_known_the_newest_come_first(corpus: Corpus) -> None:
    """ML-02."""
    ranking = Ranker(corpus).fit(Profile())
    published = [corpus.documents[corpus.row[name]].published for name in ranking.order()]
    dated = [moment for moment in published if moment is not None]
    assert dated == sorted(dated, reverse=True)
    undated = corpus.row["birds-0"]
    assert ranking.logits[undated] == 0


def test_documents_not_encoded_yet_are_ranked_by_their_words() -> None:
    documents = make_documents(60)
    passages = [split(document.title, document.text) for document in documents]
    vectors = [read(*pair) * (n < 30) for n, pair in enumerate(zip(documents, passages, strict=True))]
    terms = [count_terms(d.title, d.text, parts) for d, parts in zip(documents, passages, strict=True)]
    partly = Corpus(documents, passages, np.concatenate(vectors), terms)
    assert partly.grid.readable.sum() == 30
    ranking = Ranker(partly).fit(Profile(labels=likes(*BIRDS) + likes(*OTHERS, value=0)))
    late = [name for name in ranking.order() if partly.row[name] >= 30]
    assert sum(name.startswith("birds") for name in late[:8]) >= 6
    assert ranking.explain(late[0]).logit == pytest.approx(
        sum(c.value for c in ranking.explain(late[0]).contributions), abs=1e-5
    )


@pytest.mark.parametrize(
    "documents",
    [
        [],
        [Document(id="a", title="")],
        [Document(id="a", title="", text=" \n "), Document(id="b", title="heron nest")],
        [Document(id="a", title="same"), Document(id="b", title="same"), Document(id="c", title="same")],
        [Document(id="a", title="注意力机制", text="它决定哪些部分重要。"), Document(id="b", title="heron")],
    ],
    ids=["no documents", "an empty one", "an empty one and another", "all alike", "Chinese"],
)
@pytest.mark.parametrize("value", [None, 0.0, 1.0])
def test_poor_corpora_give_finite_numbers(documents: list[Document], value: float | None) -> None:
    """ML-02."""
    corpus = make_corpus(documents)
    labels = () if value is None else tuple(Label(document.id, value) for document in documents[:1])
    ranking = Ranker(corpus).fit(Profile((Interest("heron"),), labels), {"heron": embed("heron")})
    assert np.isfinite(ranking.logits).all()
    assert np.isfinite(ranking.probabilities).all()
    assert sorted(ranking.order()) == [document.id for document in documents]
    for document in documents:
        why = ranking.explain(document.id)
        assert sum(c.value for c in why.contributions) == pytest.approx(why.logit, abs=1e-4)


def test_probabilities_follow_the_logit_and_start_near_the_base_rate(corpus: Corpus) -> None:
    ranking = Ranker(corpus).fit(Profile(labels=likes(*BIRDS) + likes(*OTHERS, value=0)))
    order = np.argsort(ranking.logits)
    assert (np.diff(ranking.probabilities[order]) >= 0).all()
    assert Ranker(corpus).fit(Profile()).probabilities.mean() == pytest.approx(0.15, abs=0.02)


def test_what_does_not_fit_together_is_refused(corpus: Corpus) -> None:
    document, terms = Document(id="a", title="x"), count_terms("x", "")
    with pytest.raises(InvalidInput, match="Two documents"):
        Corpus([document, document], [[], []], None, [terms, terms])
    with pytest.raises(InvalidInput, match="1 documents"):
        Corpus([document], [], None, [terms])
    with pytest.raises(InvalidInput, match="for 1 passages"):
        Corpus([document], [split("x", "")], np.zeros((2, 8), dtype=np.float32), [terms])
    with pytest.raises(InvalidInput, match="finite"):
        Ranker(corpus).fit(Profile(labels=likes("birds-0", value=float("nan"))))
    with pytest.raises(InvalidInput, match="shape"):
        Ranker(corpus).fit(Profile((Interest("x"),)), {"x": np.zeros(3, dtype=np.float32)})
    with pytest.raises(InvalidInput, match="no document 'z'"):
        Ranker(corpus).fit(Profile()).explain("z")


@pytest.mark.slow
def test_a_label_reranks_ten_thousand_documents_at_once() -> None:
    rng = np.random.default_rng(0)
    words = np.array([f"word{n}" for n in range(30_000)])
    odds = 1 / np.arange(1, 30_001)
    odds /= odds.sum()
    documents = [
        Document(
            id=str(n),
            title=" ".join(rng.choice(words, 8, p=odds)),
            text=" ".join(rng.choice(words, 150, p=odds)),
        )
        for n in range(10_000)
    ]
    terms = [count_terms(document.title, document.text) for document in documents]
    passages = [(split(document.title, document.text) * 6)[:6] for document in documents]
    vectors = rng.normal(size=(60_000, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ranker = Ranker(Corpus(documents, passages, vectors, terms))
    times = []
    for run in range(20):
        labels = tuple(Label(str(n), float(n % 2)) for n in range(run, run + 200))
        begin = time.thread_time()
        ranker.fit(Profile(labels=labels))
        times.append(time.thread_time() - begin)
    assert statistics.median(times) < 0.15
