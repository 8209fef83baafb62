from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from triage.core.budget import Candidate, Selection, draw, select
from triage.core.items import Drawn


def candidate(number: int, worth: float = 0.5, **fields: object) -> Candidate:
    given: dict[str, object] = {"source": f"s{number}", "lane": "for-you", "minutes": 1.0} | fields
    return Candidate(id=number, worth=worth, **given)  # type: ignore[arg-type]


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        id=st.integers(1, 10**6),
        source=st.sampled_from("abc"),
        lane=st.sampled_from(["for-you", "people"]),
        minutes=st.floats(0.1, 20),
        worth=st.floats(0, 1),
        story=st.sampled_from([None, 1, 2]),
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
    story = {c.id: c.story for c in candidates}
    assert all(story[a] == story[b] is not None for a, b in chosen.repeats.items())


@given(CANDIDATES, st.floats(1, 120))
def test_the_minutes_are_kept_but_for_the_first_of_a_lane_and_what_was_kept_by_hand(
    candidates: list[Candidate], minutes: float
) -> None:
    chosen = set(select(candidates, minutes).ids)
    free = [c for c in candidates if c.id in chosen and not c.kept]
    over = sum(c.minutes for c in free) - minutes
    assert over <= 2 * 20.0


def test_the_best_come_first() -> None:
    assert select([candidate(1, 0.4), candidate(2, 0.9), candidate(3, 0.5)], 10).ids == (2, 3, 1)


def test_what_a_rule_puts_first_is_shown_first_in_its_lane_whatever_it_is_worth() -> None:
    others = [candidate(n, 0.9) for n in range(1, 8)]
    faint = candidate(9, 0.01, first=True, minutes=6.0)
    letter = candidate(10, 0.5, lane="people")
    assert select([*others, faint, letter], 4).ids == (10, 9)
    assert select([*others, faint, letter], 10).ids == (10, 9, 1, 2, 3)


def test_people_come_before_the_rest_and_are_not_crowded_out() -> None:
    flood = [candidate(n, 0.99, source=f"f{n}") for n in range(100, 200)]
    mail = candidate(1, 0.01, lane="people")
    assert select([*flood, mail], 10).ids[0] == 1


def test_one_source_cannot_fill_a_digest() -> None:
    """IDN-09, ML-07."""
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


def test_the_same_in_other_words_is_folded_under_the_best_of_them() -> None:
    copies = [candidate(n, v, story=1) for n, v in ((1, 0.5), (2, 0.9), (3, 0.7))]
    chosen = select([*copies, candidate(4, 0.6)], 30)
    assert chosen.ids == (2, 4)
    assert chosen.repeats == {1: 2, 3: 2}


# ---------------------------------------------------------------- exploration


def day(count: int = 60) -> list[Candidate]:
    return [candidate(n, 0.95 - n * 0.015) for n in range(count)]


def drawn_from(candidates: list[Candidate], minutes: float, seed: str = "s") -> tuple[Drawn, ...]:
    return draw(candidates, select(candidates, minutes), minutes, seed)


@given(CANDIDATES, st.floats(1, 120), st.text(max_size=3))
def test_a_draw_depends_on_the_set_and_the_seed_only_and_takes_what_was_left_out(
    candidates: list[Candidate], minutes: float, seed: str
) -> None:
    drawn = drawn_from(candidates, minutes, seed)
    assert drawn == drawn_from(candidates[::-1], minutes, seed)
    before = select(candidates, minutes)
    by_id = {c.id: c for c in candidates}
    for each in drawn:
        assert 0 < each.propensity <= 1
        assert each.id not in before.ids
        assert each.id not in before.repeats
        assert not by_id[each.id].kept
        assert by_id[each.id].lane == "for-you"
    after = select(candidates, minutes, frozenset(each.id for each in drawn))
    assert after.explored == {each.id for each in drawn}
    assert set(after.ids[len(after.ids) - len(drawn) :]) == after.explored


def test_one_in_ten_is_explored_and_the_minutes_are_kept() -> None:
    candidates = day()
    for minutes, slots in ((12, 1), (20, 2), (35, 3)):
        assert len(select(candidates, minutes).ids) == minutes
        drawn = drawn_from(candidates, minutes)
        chosen = select(candidates, minutes, frozenset(each.id for each in drawn))
        assert (len(drawn), len(chosen.ids)) == (slots, minutes)


def test_a_short_digest_explores_only_where_there_is_room() -> None:
    assert drawn_from(day(), 9) == ()
    few = [candidate(1, 0.9), candidate(2, 0.1), candidate(3, 0.05, minutes=20.0)]
    assert [each.id for each in drawn_from(few, 5)] == [2]


def test_nothing_is_drawn_that_a_rule_or_the_reader_has_decided_or_that_is_certain() -> None:
    shown = [candidate(n, 0.9) for n in range(12)]
    decided = [candidate(20, 0.1, kept=True), candidate(21, 0.1, first=True), candidate(22, 0.0)]
    assert drawn_from([*shown, *decided], 14.0) == ()


def test_items_are_drawn_as_often_as_their_propensity_says() -> None:
    candidates, times = [candidate(n, 0.9) for n in range(10)], 4000
    candidates += [candidate(10, 0.2), candidate(11, 0.1), candidate(12, 0.02)]
    drawn = [drawn_from(candidates, 10, f"day {n}")[0] for n in range(times)]
    for weight, item in ((0.16, 10), (0.09, 11), (0.0196, 12)):
        share = weight / (0.16 + 0.09 + 0.0196)
        said = {each.propensity for each in drawn if each.id == item}
        assert all(abs(each - share) < 1e-12 for each in said)
        assert abs(sum(each.id == item for each in drawn) / times - share) < 0.03


def test_what_comes_and_goes_does_not_change_a_draw() -> None:
    candidates = day()
    kept = [
        drawn_from(candidates, 20, f"{n}")[0].id == drawn_from(candidates[:-1], 20, f"{n}")[0].id
        for n in range(50)
    ]
    assert sum(kept) >= 45


def test_what_was_drawn_stays_but_not_in_two_places() -> None:
    candidates = day()
    (each,) = drawn_from(candidates, 12)
    risen = [candidate(c.id, 0.99 if c.id == each.id else c.worth) for c in candidates]
    chosen = select(risen, 12, {each.id})
    assert chosen.ids.count(each.id) == 1
    assert chosen.ids[-1] == each.id
    saved = [candidate(c.id, c.worth, lane="people" if c.id == each.id else "for-you") for c in candidates]
    assert select(saved, 12, {each.id}).explored == frozenset()
    by_rule = [candidate(c.id, c.worth, first=c.id == each.id) for c in candidates]
    assert select(by_rule, 12, {each.id}).ids[0] == each.id


def test_without_anything_nothing_is_drawn() -> None:
    assert draw([], Selection((), {}), 10, "s") == ()


# ---------------------------------------------------------------- the optimum and its stability


def test_one_long_text_gives_way_to_many_short_ones_that_are_nearly_as_good() -> None:
    long = candidate(1, 0.9, minutes=8.0)
    short = [candidate(n, 0.6) for n in range(2, 12)]
    assert 1 not in select([long, *short], 10).ids
    assert 1 in select([long, *short[:3]], 10).ids


@given(CANDIDATES, st.floats(2, 60))
def test_what_was_chosen_comes_near_to_its_bound(candidates: list[Candidate], minutes: float) -> None:
    chosen = select(candidates, minutes)
    by_id = {c.id: c for c in candidates}
    assert abs(chosen.value - sum(by_id[i].value for i in chosen.ids)) < 1e-9
    assert chosen.value <= chosen.bound + 1e-9
    assert chosen.value >= 0.99 * chosen.bound


@given(CANDIDATES, st.floats(1, 120))
def test_every_candidate_is_shown_or_accounted_for(candidates: list[Candidate], minutes: float) -> None:
    chosen = select(candidates, minutes)
    parts = [set(chosen.ids), set(chosen.repeats), chosen.unfit, chosen.faint]
    assert sum(map(len, parts)) == len(candidates) == len(set().union(*parts))


def test_hair_wide_changes_exchange_nothing_and_what_becomes_good_comes_in() -> None:
    candidates = [candidate(n, 0.5 + (n % 7) / 1000, minutes=1.0 + n % 3 / 10) for n in range(60)]
    built = select(candidates, 15)
    shaken = [candidate(c.id, c.worth + (c.id % 5) / 500, minutes=c.minutes) for c in candidates]
    assert set(select(shaken, 15, staying=built.ids).ids) == set(built.ids)
    assert set(select(shaken, 15).ids) != set(built.ids)
    risen = [*shaken[:-1], candidate(59, 0.9)]
    assert 59 in select(risen, 15, staying=built.ids).ids
    assert select(candidates, 15, staying=built.ids).ids == built.ids


def test_letters_have_no_share_to_keep_but_that_of_all_people() -> None:
    letters = [candidate(n, 0.6, lane="people", source="mailbox") for n in range(20)]
    news = [candidate(100 + n, 0.9) for n in range(20)]
    chosen = select([*letters, *news], 10)
    assert sum(n < 100 for n in chosen.ids) == 5
    assert len(chosen.unfit) == 30


def test_letters_that_have_grown_old_do_not_keep_half_of_the_minutes() -> None:
    old = [candidate(n, 0.07, lane="people", source="mailbox") for n in range(20)]
    news = [candidate(100 + n, 0.6) for n in range(20)]
    chosen = select([*old, *news], 10)
    assert sum(n < 100 for n in chosen.ids) == 1


def test_what_was_drawn_and_has_grown_long_takes_nothing_from_others() -> None:
    short = [candidate(n, 0.9, minutes=1.0, source=f"s{n}") for n in range(1, 16)]
    grown = candidate(99, 0.2, minutes=8.0, source="s99")
    assert 99 not in select([*short, grown], 15.0, frozenset({99})).ids
    with_room = select([*short[:6], grown], 15.0, frozenset({99}))
    assert with_room.ids[-1] == 99
    assert with_room.explored == {99}
