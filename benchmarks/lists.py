"""What a long list costs: a hundred thousand rows against a thousand, in our list and in Textual's table.

    python benchmarks/lists.py [--rows 100000] [--rounds 3]

Each program shows its rows on a screen of 120 x 40, then goes to forty places from top to bottom and draws
each. Many rows and a thousand take turns in one process; making the rows does not count. The table of Textual
is what its documentation offers for many rows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from textual.app import App, ComposeResult
from textual.strip import Strip
from textual.widgets import DataTable
from timing import CPU, OURS, say

from triage.core.items import Item
from triage.tui.session import Section
from triage.tui.widgets.item_list import ItemList

NOW = datetime(2026, 11, 1, tzinfo=UTC)
FEW = 1_000
PLACES = 40
TABLE = "Textual's DataTable"


def rows(count: int) -> tuple[Item, ...]:
    """Items that differ in what a row shows."""
    return tuple(
        Item(
            id=number,
            kind="feed",
            source=f"Source {number % 200}",
            title=f"Item {number} of a list that is longer than any reader",
            url=None,
            people=(),
            published=NOW,
            minutes=1.5,
            lane="for-you",
            state="new",
            score=0.5,
            p=0.3,
            value=0.2,
            match="good",
        )
        for number in range(1, count + 1)
    )


async def of_ours(items: Sequence[Item]) -> float:
    """CPU seconds of our list."""

    class Screen(App[None]):
        def compose(self) -> ComposeResult:
            yield ItemList(state_of=lambda item: item.state, now=lambda: NOW)

    app = Screen()
    async with app.run_test(size=(120, 40)) as pilot:
        shown = app.query_one(ItemList)
        return await _drawn(
            pilot,
            lambda: shown.show([Section("All", tuple(items))], lambda _: []),
            lambda _place: shown.action_move(len(items) // PLACES),
            lambda: (shown.render_line(y) for y in range(shown.size.height)),
            len(items),
        )


async def of_table(items: Sequence[Item]) -> float:
    """CPU seconds of Textual's table."""

    class Screen(App[None]):
        def compose(self) -> ComposeResult:
            yield DataTable(cursor_type="row")

    app = Screen()
    async with app.run_test(size=(120, 40)) as pilot:
        table = app.query_one(DataTable)
        table.add_columns("title", "source")
        return await _drawn(
            pilot,
            lambda: table.add_rows((item.title, item.source) for item in items),
            lambda place: table.move_cursor(row=place),
            lambda: (table.render_line(y) for y in range(table.size.height)),
            len(items),
        )


async def _drawn(
    pilot: Any,  # noqa: ANN401 - of an application of its own type
    fill: Callable[[], object],
    go: Callable[[int], object],
    lines: Callable[[], Iterator[Strip]],
    count: int,
) -> float:
    started = time.process_time()
    fill()
    await pilot.pause()
    for place in range(PLACES):
        go(place * count // PLACES)
        for _ in lines():
            pass
    await pilot.pause()
    return time.process_time() - started


def measure(many: int) -> dict[str, dict[str, float]]:
    """Program -> CPU seconds of so many rows, of a thousand, and how many times the one is the other."""
    long, short = rows(many), rows(FEW)
    found = {}
    for name, program in ((OURS, of_ours), (TABLE, of_table)):
        asyncio.run(program(short))
        few, lots = (asyncio.run(program(items)) for items in (short, long))
        found[name] = {CPU: lots, "CPU s of 1,000": few, "times": lots / few}
    return found


def main() -> None:
    """Prints a line a round; JSON if there is one round."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    asked = parser.parse_args()
    for _ in range(asked.rounds):
        say(json.dumps(measure(asked.rows)))


if __name__ == "__main__":
    main()
