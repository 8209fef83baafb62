from __future__ import annotations

import json

import pytest
from command_line import triage


def test_without_stories_it_says_so_and_a_split_names_the_way() -> None:
    assert triage("triage stories")[2].startswith("No story of the last 7 days")
    assert triage("triage stories --json")[1] == "[]\n"
    code, _, err = triage("triage stories split 12")
    assert code == 2
    assert "there is no item 12" in err
    assert "triage stories" in err


@pytest.mark.slow
def test_the_demo_folds_what_is_told_twice_and_a_split_shows_it_again() -> None:
    triage("triage demo --plain")
    found = json.loads(triage("triage stories --json")[1])
    for told in found:
        assert len(told) == told[0]["copies"] + 1
        assert {item["story"] for item in told[1:]} == {told[0]["id"]}
