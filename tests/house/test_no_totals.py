"""No screen and no command counts what is left to read: a counter turns reading into a duty."""

from __future__ import annotations

import dataclasses
import re
from datetime import timedelta
from pathlib import Path

import pytest
from world import NOW

from triage.cli import render
from triage.core import ending
from triage.core.items import Digest, Item
from triage.services.digest import digest_pages
from triage.tui.widgets.end_card import end_card

TOTAL = re.compile(
    r"\d[\d,.]*\s+(?:\w+\s+)?(?:unread|unseen|to read|left to read|waiting)|unread\s*[:(]", re.IGNORECASE
)
ITEM = Item(
    id=1,
    kind="feed",
    source="Wire",
    title="Bees",
    url=None,
    people=(),
    published=NOW,
    minutes=2.0,
)
DIGEST = Digest(
    built_at=NOW,
    budget_minutes=15.0,
    items=(ITEM, dataclasses.replace(ITEM, id=2, lane="people")),
    considered=5000,
    repeats=40,
    unfit=70,
    too_old=900,
    people_left=3,
    missed=12.4,
    since=NOW - timedelta(days=12),
    unread=300,
)


@pytest.mark.parametrize(
    "said", ["12 unread", "12 items unread", "Unread: 12", "3,000 to read", "unread (4)"]
)
def test_a_total_would_be_found(said: str) -> None:
    assert TOTAL.search(said)


def test_no_form_of_a_digest_has_a_total_of_what_is_unread() -> None:
    plain = "\n".join(render.digest_lines(DIGEST, NOW))
    card = "\n".join(line.text for line in end_card(DIGEST, 200, demo=False))
    forms = [form(DIGEST, NOW) for form in (digest_pages.text, digest_pages.markdown, digest_pages.html)]
    for page in (card, plain, ending.title(DIGEST), *forms):
        assert not TOTAL.search(page)
        assert "300" not in page


def test_no_screen_has_one() -> None:
    """The snapshots are all the screens of the interface, as a reader sees them."""
    screens = sorted(Path(__file__).parents[1].joinpath("tui", "snapshots").glob("*.txt"))
    assert len(screens) > 10
    for screen in screens:
        assert not TOTAL.search(screen.read_text(encoding="utf-8")), screen.name
