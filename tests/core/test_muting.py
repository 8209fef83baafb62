from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.core import muting, rule_parser
from triage.core.errors import UsageError
from triage.core.items import Item
from triage.core.rules import Has, Rule


@given(st.text(max_size=300))
def test_whatever_a_name_is_its_rule_can_be_read_again(name: str) -> None:
    """HOST: a source may call itself anything."""
    try:
        condition = muting.condition("source", name)
    except UsageError:
        return
    rule = Rule(condition, "never", muting.DURATIONS["a week"])
    assert rule_parser.parse(str(rule)) == rule


def test_a_name_without_a_letter_cannot_be_muted() -> None:
    with pytest.raises(UsageError, match="has no word to look for"):
        muting.condition("source", '"!"')


def test_what_an_item_offers_is_its_source_and_its_people_without_addresses() -> None:
    item = Item(
        id=1,
        kind="mail",
        source="Inbox",
        title="Hello",
        url=None,
        people=("Jane Doe <jane@example.org>", "...", "<j@example.org>"),
        published=datetime(2026, 3, 2, tzinfo=UTC),
        minutes=1.0,
    )
    assert muting.subjects(item) == [
        ("source", "Inbox", Has("source", "Inbox")),
        ("person", "Jane Doe", Has("author", "Jane Doe")),
        ("person", "<j@example.org>", Has("author", "<j@example.org>")),
    ]
