from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.style import Style

from triage.core.items import Highlight, Item
from triage.tui.widgets.item_row import RowView, row_segments

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
ITEM = Item(
    id=1,
    kind="feed",
    source="Harbour Notes",
    title="New timetable",
    url=None,
    people=("Ada",),
    published=NOW - timedelta(days=2),
    minutes=1.0,
    highlights=(Highlight(0, 9, "At eight.", 1.0),),
)


def second_line(item: Item, width: int) -> str:
    view = RowView(width=width, now=NOW, state="new", selected=False)
    return "".join(segment.text for segment in row_segments(item, 1, view, defaultdict(Style)))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_an_item_that_its_source_changed_says_so_at_every_width(width: int) -> None:
    changed = replace(ITEM, revised=NOW - timedelta(hours=3))
    assert "revised 3h" in second_line(changed, width)
    assert "  At eight." in second_line(changed, width)
    assert "revised" not in second_line(ITEM, width)


@pytest.mark.parametrize("width", [20, 60, 120])
def test_a_line_has_exactly_its_width(width: int) -> None:
    assert len(second_line(replace(ITEM, revised=NOW), width)) == width
