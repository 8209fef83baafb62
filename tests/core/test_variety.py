from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from triage.core.budget import Candidate, select
from triage.core.knapsack import Piece
from triage.core.variety import LEAST, Alike, discount, discounts

SUBJECTS = {n: n % 3 for n in range(30)}


def same_subject(item: int) -> Mapping[int, float]:
    return {n: 1.0 for n, subject in SUBJECTS.items() if subject == SUBJECTS[item]}


def candidate(number: int, worth: float, **fields: object) -> Candidate:
    given: dict[str, object] = {"source": f"s{number}", "lane": "for-you", "minutes": 1.0} | fields
    return Candidate(id=number, worth=worth, **given)  # type: ignore[arg-type]


def shown(worths: Mapping[int, float], minutes: float, alike: Alike | None = same_subject) -> list[int]:
    """How many items of each subject are chosen, by its number."""
    ids = select([candidate(n, worth) for n, worth in worths.items()], minutes, alike=alike).ids
    return [sum(SUBJECTS[i] == subject for i in ids) for subject in range(3)]


def test_subjects_that_are_nearly_as_good_take_turns() -> None:
    worths = {n: (0.9, 0.89, 0.88)[subject] for n, subject in SUBJECTS.items()}
    assert shown(worths, 9, alike=None) == [9, 0, 0]
    assert shown(worths, 9) == [3, 3, 3]


def test_what_is_worth_less_than_three_quarters_never_comes_in_for_variety() -> None:
    worths = {n: (0.9, 0.7 * 0.9, 0.2)[subject] for n, subject in SUBJECTS.items()}
    assert shown(worths, 9) == [9, 0, 0]


def test_what_stays_in_the_digest_counts_as_said_already() -> None:
    kept = [candidate(n, 0.9, kept=True) for n in (0, 3, 6)]
    free = [candidate(n, 0.9) for n in (9, 12, 1, 4)]
    assert set(select([*kept, *free], 5, alike=same_subject).ids) == {0, 3, 6, 1, 4}


@given(
    st.lists(
        st.builds(
            Piece,
            id=st.integers(0, 29),
            cost=st.floats(0.1, 20),
            value=st.floats(0.01, 1),
            group=st.sampled_from("ab"),
        ),
        max_size=20,
        unique_by=lambda piece: piece.id,
    ),
    st.floats(1, 60),
)
def test_a_discount_depends_on_the_set_only_and_keeps_its_bound(pieces: list[Piece], room: float) -> None:
    left = discounts(pieces, room, room / 3, {}, same_subject)
    assert left == discounts(pieces[::-1], room, room / 3, {}, same_subject)
    assert left.keys() == {piece.id for piece in pieces}
    assert all(LEAST < share <= 1 for share in left.values())


def test_the_more_was_said_the_less_is_left() -> None:
    assert discount(0) == 1
    assert all(discount(n) > discount(n + 1) for n in range(10))


def test_a_flood_that_has_its_share_takes_nothing_from_others_on_its_subject() -> None:
    """One source may take a third: what of it is not taken has not said anything."""
    flood = [Piece(n, 1.0, 0.9, "wire") for n in range(0, 27, 3)]
    other = Piece(27, 1.0, 0.5, "blog")
    assert discounts([*flood, other], 9, 3, {}, same_subject)[27] == discount(3)
