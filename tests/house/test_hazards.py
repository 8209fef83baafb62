"""Every case of the catalogue of hazards has a test that names it, or a reason why there is none."""

from __future__ import annotations

from hazards import PAGE, carriers, catalogue, page


def test_every_case_has_a_test_or_a_reason_and_no_case_has_both() -> None:
    cases, uncovered, found = catalogue()["cases"], catalogue()["uncovered"], carriers()
    assert len(cases) == 138
    assert not [case for case in cases if case not in found and case not in uncovered]
    assert not [case for case in uncovered if case in found], "it has a test now"


def test_no_test_names_a_case_that_does_not_exist() -> None:
    assert not set(carriers()) - set(catalogue()["cases"])


def test_the_page_is_what_the_tests_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make hazards"
