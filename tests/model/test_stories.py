from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from model import stories
from model.particulars import (
    CAPITAL,
    MINOR,
    NUMBER,
    RUNS,
    SMALL,
    TITLE,
    Particulars,
    is_answer,
    particulars,
    subject,
)
from model.stories import Report, Stories, wholes

DAY = 86_400.0
FLOOD = (
    "Levee fails at Marlowe Bridge",
    "About 620 people left their homes when the levee at Marlowe Bridge failed on Tuesday. The river Tarn"
    " stood at 5.83 metres, and the hospital of Eastholm took in 41 patients.",
)
RETOLD = (
    "Hundreds flee the Tarn at Marlowe Bridge",
    "The Tarn has broken its bank: 620 residents of Marlowe Bridge had to go, and 41 patients were taken to"
    " Eastholm. At 5.83 metres the water stands higher than ever.",
)
OTHER = (
    "Levee holds at Carlow",
    "Some 90 people watched the levee at Carlow hold on Friday. The river Ossip stood at 3.17 metres, and the"
    " school of Brede gave 12 classes a free day.",
)


def near(seed: int, cosine: float, dim: int = 32) -> NDArray[np.float32]:
    """A vector of length one with this cosine to the first axis."""
    rest = np.random.default_rng(seed).normal(size=dim - 1)
    rest *= math.sqrt(1 - cosine**2) / np.linalg.norm(rest)
    return np.concatenate([[cosine], rest]).astype(np.float32)


def report(
    number: int, said: tuple[str, str], vector: NDArray[np.float32] | None = None, **fields: object
) -> Report:
    given: dict[str, object] = {"published": 0.0, "kind": "feed", "source": f"s{number}"} | fields
    found = near(number, 0.92) if vector is None else vector
    return Report(
        id=number, particulars=particulars(*said), vector=found, answers=is_answer(said[0]), **given
    )  # type: ignore[arg-type]


def grouped(*reports: Report) -> list[int]:
    return list(Stories().add(reports).values())


# ---------------------------------------------------------------- particulars


def kinds_of(title: str, text: str, word: str) -> int:
    """The bits that hold of a token; 0 if it is not there."""
    found, wanted = particulars(title, text), particulars("", word).tokens
    return int(found.flags[np.isin(found.tokens, wanted)].sum())


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("2,400", "2400"),
        ("12th", "twelve"),
        ("18m", "18"),
        ("Forty-three", "43"),
        ("10:42", "10.42"),
        ("007", "7"),
    ],
)
def test_numbers_are_compared_by_value(a: str, b: str) -> None:
    assert particulars("", a).tokens.tolist() == particulars("", b).tokens.tolist()


def test_a_token_knows_what_it_is_and_where_it_stood() -> None:
    title, text = "Kestrel 4.2", "The Kestrel router of 2026 is quick, see CVE-2026-0001."
    assert kinds_of(title, text, "Kestrel") == TITLE | CAPITAL
    assert kinds_of(title, text, "router") & SMALL
    assert kinds_of(title, text, "4.2") == TITLE | NUMBER
    assert kinds_of(title, text, "2026") == NUMBER | MINOR
    assert kinds_of(title, text, "CVE-2026-0001") == NUMBER | CAPITAL
    assert kinds_of(title, text, "the") == 0


def test_answers_and_lists_leave_the_subject() -> None:
    assert subject("Re: [quern-dev] Fwd: AW: Build fails") == "Build fails"
    assert is_answer("Re: Build fails")
    assert not is_answer("Report: Build fails")


def test_particulars_survive_being_stored() -> None:
    for said in (FLOOD, ("", ""), ("x", "")):
        found = particulars(*said)
        again = Particulars.from_bytes(found.to_bytes())
        assert all(np.array_equal(getattr(found, f), getattr(again, f)) for f in ("tokens", "flags", "runs"))


@pytest.mark.parametrize("data", [b"", b"abc", b"\xff\xff\xff\xff"])
def test_stored_particulars_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="bytes"):
        Particulars.from_bytes(data)


def test_a_hostile_text_costs_little_and_keeps_its_bounds() -> None:
    for text in ("a" * 10**6, "1." * 10**6, "-9" * 10**6, "\u0430b" * 10**6, "\u4e00" * 10**6, "A-1" * 10**6):
        found = particulars(text[:5000], text)
        assert len(found.runs) <= RUNS
        assert np.all(np.diff(found.tokens.astype(np.int64)) > 0)


# ---------------------------------------------------------------- evidence against a plain reading of it


def test_the_evidence_is_that_of_a_plain_computation() -> None:
    said = [FLOOD, RETOLD, OTHER, ("Brede in 1998", "small words only in brede and carlow")]
    reports = [report(n, each, published=n * DAY) for n, each in enumerate(said)]
    found = Stories()
    found.add(reports)
    sets = [
        dict(zip(r.particulars.tokens.tolist(), r.particulars.flags.tolist(), strict=True)) for r in reports
    ]
    count = Counter(token for tokens in sets for token in tokens)
    small = Counter(token for tokens in sets for token, flags in tokens.items() if flags & SMALL)
    size = len(said) + stories.BACKGROUND

    def weight(tokens: set[int], flags: dict[int, int]) -> float:
        idf = (math.log(size / (count[t] + 0.5)) / math.log(size) for t in tokens)
        minor = (0.4 if flags[t] & (MINOR | TITLE) == MINOR else 1.0 for t in tokens)
        return sum(a**stories.RARITY * b for a, b in zip(idf, minor, strict=True))

    def chosen(n: int, kind: str) -> set[int]:
        flags = sets[n]
        if kind == "names":
            capital = {t for t, f in flags.items() if f & (CAPITAL | SMALL | NUMBER) == CAPITAL}
            return {t for t in capital if small[t] <= 0.25 * count[t]}
        if kind == "title numbers":
            return chosen(n, "numbers") & chosen(n, "title")
        return {t for t, f in flags.items() if f & (NUMBER if kind == "numbers" else TITLE)}

    for a, b in ((1, 0), (2, 0), (3, 1)):
        common = {
            kind: weight(chosen(a, kind) & chosen(b, kind), sets[a]) for kind in ("numbers", "names", "title")
        }
        titles = weight(chosen(a, "title"), sets[a]) + weight(chosen(b, "title"), sets[b])
        borne_out = weight(chosen(a, "title") & set(sets[b]), sets[a]) + weight(
            chosen(b, "title") & set(sets[a]), sets[a]
        )
        runs = sorted((set(reports[n].particulars.runs.tolist()) for n in (a, b)), key=len)
        copied = len(runs[0] & runs[1]) / len(runs[0]) if len(runs[0]) >= stories.SHORT else 0.0
        days = abs(a - b)
        expected = {
            "meaning": float(reports[a].vector @ reports[b].vector),
            "title": (borne_out + stories.TITLE_START) / (titles + 1),
            "numbers": math.log1p(common["numbers"]),
            "names": math.log1p(common["names"]) * max(0.0, 1 - days / stories.RECENT),
            "in common": min(common["numbers"] + common["names"], stories.ENOUGH),
            "copy": copied,
            "clash": 0.0,
            "running": 0.0,
            "days": float(days),
            "undated": 0.0,
            "same source": 0.0,
        }
        found_here = dict(zip(stories.WEIGHTS, found.evidence(a, [b])[0], strict=True))
        assert found_here == pytest.approx(expected, abs=1e-5)
        total = stories.BIAS + sum(stories.WEIGHTS[name] * value for name, value in expected.items())
        assert found.compare(a, [b])[0] == pytest.approx(total, abs=1e-4)
        assert (total > stories.AGREED) is ((a, b) == (1, 0)), "one pair tells the same, the others do not"


def test_every_pair_that_tells_the_same_is_a_candidate_in_a_crowd() -> None:
    """Against comparing all with all: the shortcut through neighbours and rare words misses none of these."""
    crowd = [
        report(
            n,
            (f"Note {n}", f"Item number {n} of the crowd on subject{n % 50}."),
            near(n, 0.1 + 0.5 * (n % 2)),
        )
        for n in range(400)
    ]
    told = [report(1000 + n, FLOOD if n % 2 else RETOLD, near(1000 + n, 0.95)) for n in range(6)]
    found = Stories()
    where = found.add([*crowd[:200], *told[:3], *crowd[200:], *told[3:]])
    assert {where[each.id] for each in told} == {1000}
    assert all(found.compare(1000, [each.id])[0] > 0 for each in told[1:])


# ---------------------------------------------------------------- what is one story, and what never is


def test_the_same_event_in_other_words_is_one_story_and_another_event_is_not() -> None:
    assert grouped(report(1, FLOOD), report(2, RETOLD), report(3, OTHER, near(3, 0.7))) == [1, 1, 3]


def test_copies_are_one_story_without_any_encoder() -> None:
    """ML-08."""
    nothing = np.zeros(32, dtype=np.float32)
    longer = (FLOOD[0], f"(Wire) {FLOOD[1]} Read more on our page.")
    assert grouped(report(1, FLOOD, nothing), report(2, longer, nothing), report(3, OTHER, nothing)) == [
        1,
        1,
        3,
    ]


def test_alerts_from_one_template_are_apart() -> None:
    text = "An item on your list is cheaper. Price now: {}. Price before: {}. Lowest in 90 days: {}. Shop: A."
    alerts = [
        (f"Price alert: Heron now {new}", text.format(new, old, new))
        for new, old in (("149.20", "179.90"), ("129.30", "148.80"))
    ]
    same = near(1, 0.99)
    assert grouped(
        *(report(n, each, same, source="deals", published=n * DAY) for n, each in enumerate(alerts))
    ) == [0, 1]


def test_episodes_of_one_series_are_apart_and_news_with_new_numbers_are_not() -> None:
    text = "Tam and Ida talk with the captain of a ship that mends cables in the Tarn, on {}."
    one = near(1, 0.95)
    episodes = [(f"Deep Water #{n}: talk of the week", text.format(what)) for n, what in enumerate("ab", 41)]
    assert grouped(*(report(n, each, one, source="pod") for n, each in enumerate(episodes))) == [0, 1]
    later = ("Tarn: 900 people have left Marlowe Bridge by now", FLOOD[1].replace("About 620", "Now 900"))
    assert grouped(report(1, FLOOD), report(2, later, published=DAY)) == [1, 1]


def test_abstracts_that_do_not_say_so_are_papers() -> None:
    """As those in a feed: a common subject and common names are nothing among papers."""
    said = (
        (
            "Pruning KESTREL",
            "We propose a novel method to prune KESTREL by 41.7 %, and experiments on BREDE.",
        ),
        (
            "KESTREL at 41.7 %",
            "Our framework prunes KESTREL by 41.7 %. An empirical study on BREDE benchmarks.",
        ),
    )
    assert grouped(*(report(n, each) for n, each in enumerate(said))) == [0, 1]
    plain = [(title, text.replace("propose a novel", "have a")) for title, text in said]
    assert grouped(*(report(n, each) for n, each in enumerate(plain))) == [0, 0]


def test_names_speak_for_one_event_while_it_is_news() -> None:
    first = (
        "Munro leaves Corvid",
        "Hal Munro gives up, and Priya Nand of Fennimore follows him at Corvid Foods.",
    )
    again = ("A new head", "Corvid Foods has Priya Nand of Fennimore now. Munro had to go, it is said.")
    scores = []
    for days in (0, 2, 8):
        found = Stories()
        found.add([report(1, first), report(2, again, published=days * DAY)])
        scores.append(found.evidence(1, [2])[0, list(stories.WEIGHTS).index("names")])
    assert scores[0] > scores[1] > scores[2] == 0


def test_a_newsletter_and_its_parts_are_apart() -> None:
    one = near(1, 0.99)
    assert grouped(
        report(1, FLOOD, one), report(2, FLOOD, one, parent=1), report(3, FLOOD, one, parent=1)
    ) == [1, 2, 3]
    assert grouped(report(2, FLOOD, one, parent=1), report(4, RETOLD, one)) == [2, 2]


def test_papers_of_one_group_are_apart_and_versions_together() -> None:
    first = (
        "Knots in chains",
        "We show that chains of beads form knots of 3 kinds, and how often each one is found in them.",
    )
    second = (
        "Knots in chains",
        "We show that chains of beads form knots of 4 kinds, and how often each one is found in them.",
    )
    third = (
        "Speed of knots",
        "Knots in chains of beads move quickly; their speed falls with length, as our model predicts.",
    )
    given = {"kind": "paper", "people": frozenset({"Ada Chain"}), "source": ""}
    papers = [
        report(1, first, near(1, 0.99), published=0.0, **given),
        report(2, second, near(2, 0.99), published=200 * DAY, **given),
        report(3, third, near(3, 0.99), published=201 * DAY, **given),
    ]
    assert grouped(*papers) == [1, 1, 3]


def test_two_numbers_in_one_archive_are_two_papers() -> None:
    one = near(1, 0.99)
    ids = ({"arxiv": "2601.1"}, {"arxiv": "2601.2"}, {"doi": "10.1/x"})
    assert grouped(*(report(n, FLOOD, one, kind="paper", identifiers=i) for n, i in enumerate(ids))) == [
        0,
        1,
        0,
    ]


def test_weeks_later_it_is_another_story() -> None:
    assert grouped(report(1, FLOOD), report(2, RETOLD, published=20 * DAY)) == [1, 2]


def test_what_was_grouped_before_stays_and_newcomers_join_it() -> None:
    found = Stories()
    found.add([report(1, FLOOD), report(2, OTHER, near(2, 0.5)), report(3, RETOLD)], known={1: 1, 2: 1, 3: 3})
    assert [found.story_of(n) for n in (1, 2, 3)] == [1, 1, 3]
    assert found.add([report(4, RETOLD, near(3, 0.92))]) == {4: 3}


def test_what_the_reader_parted_is_not_put_together_again() -> None:
    found = Stories()
    found.add([report(1, FLOOD)])
    found.part(2, [1])
    assert found.add([report(2, FLOOD, near(1, 0.92))]) == {2: 2}


def test_words_are_as_rare_as_they_are_now_whenever_somebody_asked_before() -> None:
    first = [report(1, FLOOD), report(2, RETOLD)]
    later = [report(n, OTHER, near(n, 0.5)) for n in range(3, 9)]
    asked, fresh = Stories(), Stories()
    asked.add(first)
    before = asked.compare(1, [2])
    asked.add(later)
    fresh.add(first)
    fresh.add(later)
    assert asked.compare(1, [2, 5]) == pytest.approx(fresh.compare(1, [2, 5]))
    assert asked.compare(1, [2]) != pytest.approx(before)


def test_nothing_and_empty_texts_are_no_problem() -> None:
    assert Stories().add([]) == {}
    nothing = np.zeros(32, dtype=np.float32)
    assert grouped(report(1, ("", ""), nothing), report(2, ("", ""), nothing), report(3, FLOOD)) == [1, 2, 3]


def test_a_whole_is_the_direction_of_its_parts() -> None:
    values = np.array([[3, 0], [0, 4], [0, 2]], dtype=np.float32)
    assert np.allclose(wholes(values, [2, 0, 1]), [[0.6, 0.8], [0, 0], [0, 1]])
