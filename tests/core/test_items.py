from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import pytest

from triage.core.identity import clamp_published, content_hash
from triage.core.items import Digest, Highlight, Item, Reason, lanes

NOW = datetime(2026, 3, 2, 7, 0, tzinfo=UTC)
ITEM = Item(
    id=7,
    kind="paper",
    source="arXiv",
    title="On attention",
    url="https://papers.example/7",
    people=("Ada L.", "Grace H."),
    published=NOW,
    revised=NOW,
    p=0.72,
    score=1.25,
    minutes=3.5,
    value=0.72,
    why=(Reason("passage", "We show", 0.5), Reason("bias", "", 0.75)),
    highlights=(Highlight(0, 7, "We show", 0.5, ((0, 2), (3, 7))),),
    state="like",
)


def test_the_json_form_has_the_documented_fields_and_comes_back_equal() -> None:
    data = ITEM.to_json()
    assert set(data) == {
        *(
            "schema_version",
            "id",
            "kind",
            "source",
            "title",
            "url",
            "people",
            "published",
            "revised",
            "story",
            "copies",
        ),
        *("lane", "p", "score", "minutes", "length", "value", "match", "why", "highlights", "state"),
    }
    assert Item.from_json(json.loads(json.dumps(data))) == ITEM


def test_a_digest_comes_back_equal() -> None:
    digest = Digest(built_at=NOW, budget_minutes=15, items=(ITEM,), considered=3, warnings=("w",))
    assert Digest.from_json(json.loads(json.dumps(digest.to_json()))) == digest


def test_a_digest_of_another_form_is_refused() -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Digest.from_json({"items": []})


def test_the_same_words_are_the_same_content() -> None:
    assert content_hash("A Title!", "Some — text.") == content_hash("a title", "some text")
    assert content_hash("a title", "some text") != content_hash("a title", "other text")


@pytest.mark.parametrize(
    ("claimed", "expected"),
    [
        (None, None),
        (datetime(9999, 12, 31, tzinfo=UTC), NOW),
        (datetime(1, 1, 1, tzinfo=UTC), None),
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_no_date_lies_in_the_future(claimed: datetime | None, expected: datetime | None) -> None:
    """IDN-10."""
    assert clamp_published(claimed, NOW) == expected


@pytest.mark.parametrize(
    ("states", "name"),
    [
        (("new", "like"), "People"),
        (("later", "new"), "People and kept"),
        (("later", "save"), "Kept"),
    ],
)
def test_what_was_kept_is_not_called_people(states: tuple[str, str], name: str) -> None:
    items = [dataclasses.replace(ITEM, lane="people", state=state) for state in states]
    assert list(lanes([*items, dataclasses.replace(ITEM, state="later")])) == [name, "For you"]
