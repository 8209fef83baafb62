"""docs/performance.md has a place for every figure that benchmarks write, and says how each came about."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import bench  # noqa: E402  beside the program, not in it
import growth  # noqa: E402
import page  # noqa: E402

PAGE = page.PAGE.read_text(encoding="utf-8")


def test_every_table_has_its_place_on_the_page_and_no_place_is_without_a_table() -> None:
    assert page.blocks(PAGE).keys() == {
        "budgets",
        *bench.TABLES,
        *(f"growth-{each}" for each in growth.SIZES),
    }


def test_new_figures_leave_the_prose_as_it_is() -> None:
    written = page.replaced(PAGE, {"first": "new figures\n"})
    assert page.blocks(written)["first"] == "new figures\n"
    assert page.replaced(written, {"first": page.blocks(PAGE)["first"]}) == PAGE
    with pytest.raises(ValueError, match="no block of figures named other"):
        page.replaced(PAGE, {"other": ""})


def test_every_figure_names_the_command_that_measures_it_alone() -> None:
    for name, text in page.blocks(PAGE).items():
        if text:
            command = re.match(r"(?:By )?`(?:python benchmarks/([\w.]+)|make bench)", text)
            assert command, name
            assert not command[1] or (BENCHMARKS / command[1]).exists()


def test_a_budget_is_judged_by_the_median_of_its_rounds() -> None:
    budget = bench.Budget("t", "job", "CPU s", 1.0, "peer")
    measured = {"t": {"triage": [{"CPU s": n} for n in (0.5, 1.0, 9.0)], "peer": [{"CPU s": 2.0}] * 3}}
    assert budget.row(measured, wall=False)[2:] == ["0.50 (0.25-4.50)", "yes"]
    measured["t"]["triage"][1] = {"CPU s": 2.2}
    assert budget.row(measured, wall=False)[2:] == ["1.10 (0.25-4.50)", "**no**"]
    assert "peer is not here" in budget.row({"t": {"triage": [{"CPU s": 1.0}]}}, wall=False)[3]


def test_wall_time_of_a_busy_machine_is_not_said() -> None:
    budget = bench.Budget("t", "job", "wall s", 1.0)
    measured = {"t": {"triage": [{"wall s": 0.5, "CPU s": 0.25}]}}
    assert budget.row(measured, wall=True)[3] == "yes"
    assert budget.row(measured, wall=False)[3] == "needs a quiet machine"
    assert "wall" not in bench.blocks({"first": measured["t"]}, "", wall=False)["first"]


def test_a_growth_is_the_power_between_the_last_two_sizes_and_bold_above_n_log_n() -> None:
    figures = [
        {"sorting": n * n * 1e-9, "reading": n * 1e-6, "peak MB": float(n)} for n in (100, 1_000, 10_000)
    ]
    head, *lines = growth.rows(figures, (100, 1_000, 10_000))
    assert head == ["CPU s", "100", "1,000", "10,000", "exponent"]
    assert [line[-1] for line in lines] == ["**2.0**", "1.0", "1.0"]
    drawn = growth.plot(figures, (100, 1_000, 10_000)).splitlines()
    assert drawn[0].rstrip().endswith("a"), "the dearest stands on top, at the largest size"
    assert "b reading" in drawn[-1]
