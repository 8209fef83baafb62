from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.grouping import group, read_reports
from model.types import InvalidInput, Window

TEXT = "About 620 people left Marlowe Bridge on Tuesday, when the river Tarn stood at 5.83 metres."


def encode(windows: Sequence[Window]) -> NDArray[np.float32]:
    """Every part says the same."""
    return np.ones((sum(len(window.parts) for window in windows), 8), dtype=np.float32)


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_each_document_gets_its_story_in_order(tmp_path: Path) -> None:
    rows = [
        {"id": "b", "title": "Flood", "text": TEXT},
        {"id": "x", "title": "Recipe", "text": "Knead 12 minutes."},
    ]
    path = write(tmp_path / "items.jsonl", *rows, {"id": "a", "title": "Flood", "text": TEXT, "parent": "x"})
    found = list(group([path], str.strip, encode))
    assert found == [{"id": "b", "story": "b"}, {"id": "x", "story": "x"}, {"id": "a", "story": "b"}]
    assert list(group([write(tmp_path / "none.jsonl")], str.strip, encode)) == []


def test_dates_are_read_in_every_form(tmp_path: Path) -> None:
    forms = [{"published": "2026-03-01T01:00:00+01:00"}, {"date": "2026-03-01"}, {"seen": 1772323200}, {}]
    path = write(
        tmp_path / "items.jsonl", *({"id": str(n), "title": "t"} | each for n, each in enumerate(forms))
    )
    found = [each.published for each in read_reports([path], str.strip, encode).values()]
    assert found == [1772323200.0, 1772323200.0, 1772323200.0, None]


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ({"date": "soon"}, "must be a date"),
        ({"identifiers": [1]}, "object of strings"),
        ({"people": 3}, "people"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_its_line(
    tmp_path: Path, field: dict[str, object], says: str
) -> None:
    path = write(tmp_path / "items.jsonl", {"id": "1", "title": "t"}, {"id": "2", "title": "t"} | field)
    with pytest.raises(InvalidInput, match=rf"items.jsonl:2: .*{says}"):
        list(group([path], str.strip, encode))
