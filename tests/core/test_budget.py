from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage.core.budget import Candidate, reading_minutes, select


def candidate(number: int, value: float = 0.5, **fields: object) -> Candidate:
    given: dict[str, object] = {"source": f"s{number}", "lane": "for-you", "minutes": 1.0} | fields
    return Candidate(id=number, value=value, **given)  # type: ignore[arg-type]


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        id=st.integers(1, 10**6),
        source=st.sampled_from("abc"),
        lane=st.sampled_from(["for-you", "people"]),
        minutes=st.floats(0.1, 60),
        value=st.floats(0, 1),
        content=st.sampled_from(["", "x", "y"]),
        kept=st.booleans(),
    ),
    max_size=30,
    unique_by=lambda c: c.id,
)


@given(CANDIDATES, st.floats(1, 120))
def test_the_result_depends_on_the_set_only(candidates: list[Candidate], minutes: float) -> None:
    assert select(candidates, minutes) == select(candidates[::-1], minutes)


@given(CANDIDATES, st.floats(1, 120))
def test_nothing_is_shown_twice_and_repeats_point_to_what_stands_for_them(
    candidates: list[Candidate], minutes: float
) -> None:
    chosen = select(candidates, minutes)
    assert len(set(chosen.ids)) == len(chosen.ids)
    assert not set(chosen.ids) & chosen.repeats.keys()
    content = {c.id: c.content for c in candidates}
    assert all(content[a] == content[b] != "" for a, b in chosen.repeats.items())


@given(CANDIDATES, st.floats(1, 120))
def test_the_minutes_are_kept_but_for_the_first_of_a_lane_and_what_was_kept_by_hand(
    candidates: list[Candidate], minutes: float
) -> None:
    chosen = set(select(candidates, minutes).ids)
    free = [c for c in candidates if c.id in chosen and not c.kept]
    over = sum(min(c.minutes, 8.0) for c in free) - minutes
    assert over <= 2 * 8.0


def test_the_best_come_first() -> None:
    assert select([candidate(1, 0.4), candidate(2, 0.9), candidate(3, 0.5)], 10).ids == (2, 3, 1)


def test_people_come_before_the_rest_and_are_not_crowded_out() -> None:
    flood = [candidate(n, 0.99, source=f"f{n}") for n in range(100, 200)]
    mail = candidate(1, 0.01, lane="people")
    assert select([*flood, mail], 10).ids[0] == 1


def test_one_source_cannot_fill_a_digest() -> None:
    flood = [candidate(n, 0.9, source="wire") for n in range(50)]
    others = [candidate(100 + n, 0.3) for n in range(50)]
    chosen = select([*flood, *others], 15).ids
    assert sum(n < 50 for n in chosen) <= 5


def test_a_digest_ends_early_rather_than_with_what_is_not_worth_it() -> None:
    assert select([candidate(1, 0.8), candidate(2, 0.3), candidate(3, 0.19)], 60).ids == (1, 2)
    assert select([candidate(1, 0.15), candidate(2, 0.14)], 60).ids == (1, 2)


def test_something_is_shown_even_if_it_alone_is_too_long() -> None:
    assert select([candidate(1, minutes=90.0)], 5).ids == (1,)


def test_what_was_marked_stays() -> None:
    better = [candidate(n, 0.9) for n in range(2, 40)]
    assert 1 in select([candidate(1, 0.0, kept=True), *better], 5).ids


def test_reading_time_counts_words_and_characters() -> None:
    assert 1.0 < reading_minutes(230) < 1.5
    assert reading_minutes(0, 416) > 1.0
