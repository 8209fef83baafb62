"""`triage evaluate replay`: day by day, nothing is known before it would have been."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from fake_encoder import encode

from model import replay
from model.replay import Start, Stream
from model.types import InvalidInput
from triage.cli.evaluate import evaluate as command
from triage.core.errors import UsageError

WORDS = {
    "heron": ["nest", "feather", "marsh", "flock", "wing", "reed", "egg", "migration", "census", "shore"],
    "railway": ["tunnel", "signal", "viaduct", "gauge", "freight", "siding", "buffer", "timetable", "train"],
}
READER: dict[str, Any] = {"user": "Ada", "positives": ["heron-0-0"], "start": ["heron-0-0"], "phrases": []}


def items(days: int = 6, each: int = 5) -> list[dict[str, Any]]:
    """`each` items of both topics a day, from day 0 to `days` - 1."""
    rows = []
    for day in range(days):
        for n in range(each):
            for topic, words in WORDS.items():
                rng = np.random.default_rng([day, n, len(topic)])
                text = " ".join(rng.choice(words, 6))
                title = f"{topic} {rng.choice(words)}"
                rows.append({"id": f"{topic}-{day}-{n}", "title": title, "text": text, "seen": day})
    return rows


def write(path: Path, rows: Sequence[object]) -> Path:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def stream(folder: Path, rows: Sequence[object]) -> Stream:
    return replay.read_stream(write(folder / "items.jsonl.gz", rows), str.strip)


def run(
    stream: Stream, start: Start, ask: Callable[[str], bool] = lambda name: "heron" in name, per_day: int = 4
) -> list[dict[str, Any]]:
    return list(replay.replay(stream, start, ask, per_day, encode))


KNOWN = Start(("heron-0-0",), ())


def test_it_learns_from_day_to_day_what_the_reader_wants(tmp_path: Path) -> None:
    both = stream(tmp_path, items())
    for topic in WORDS:
        days = run(both, Start((), ()), lambda name, topic=topic: topic in name)
        assert [day["day"] for day in days] == [0, 1, 2, 3, 4, 5]
        for day in days:
            assert len(day["shown"]) == len(set(day["shown"])) == len(day["p"]) == 4
            assert set(day["shown"]) <= set(both.days[day["day"]])
            assert day["p"] == sorted(day["p"], reverse=True)
            assert 0 <= day["p"][-1] <= day["p"][0] <= 1
        assert days[0]["shown"] == list(both.days[0][:4]), "who knows nothing shows what came first"
        assert all(topic in name for day in days[2:] for name in day["shown"])


def test_a_few_words_or_likes_are_known_on_day_one(tmp_path: Path) -> None:
    both = stream(tmp_path, items())
    for start in (KNOWN, Start((), ("the marsh of the heron",))):
        [first, *_] = run(both, start)
        assert all("heron" in name for name in first["shown"]), first


def test_labels_are_asked_for_after_showing_and_for_what_was_shown_only(tmp_path: Path) -> None:
    asked: list[str] = []
    shown: list[str] = []

    def ask(name: str) -> bool:
        asked.append(name)
        return "heron" in name

    for day in replay.replay(stream(tmp_path, items()), KNOWN, ask, 4, encode):
        assert asked == shown, "nothing of today is known when today is shown"
        shown += day["shown"]
    assert asked == shown


def test_what_was_never_shown_and_what_comes_later_changes_nothing(tmp_path: Path) -> None:
    rows = items()
    days = run(stream(tmp_path, rows), KNOWN)
    shown = {name for day in days for name in day["shown"]}
    lies = run(stream(tmp_path, rows), KNOWN, lambda name: ("heron" in name) is (name in shown))
    assert lies == days
    for end in (1, 3):
        assert run(stream(tmp_path, [row for row in rows if row["seen"] < end]), KNOWN) == days[:end]
    rewritten = [row | {"text": "heron marsh"} if row["seen"] > 3 else row for row in rows]
    assert run(stream(tmp_path, rewritten), KNOWN)[:4] == days[:4]


def test_what_is_known_from_the_start_is_never_shown(tmp_path: Path) -> None:
    start = Start(("heron-1-0", *(f"{topic}-2-{n}" for topic in WORDS for n in range(5))), ())
    days = run(stream(tmp_path, items()), start, per_day=50)
    assert [day["day"] for day in days] == [0, 1, 3, 4, 5], "nothing is left of day 2"
    assert [len(day["shown"]) for day in days] == [10, 9, 10, 10, 10]
    assert not {name for day in days for name in day["shown"]} & set(start.likes)


def test_days_stand_in_order_and_keep_their_kind(tmp_path: Path) -> None:
    numbers = [row | {"seen": {0: 10, 1: 9}[row["seen"]]} for row in items(days=2)]
    assert [day["day"] for day in run(stream(tmp_path, numbers), KNOWN)] == [9, 10]
    dates = [row | {"seen": {0: "2031-02-10", 1: "2031-02-09"}[row["seen"]]} for row in items(days=2)]
    days = run(stream(tmp_path, dates), KNOWN)
    assert [day["day"] for day in days] == ["2031-02-09", "2031-02-10"]


ITEM = {"id": "x", "title": "a heron", "text": "in the marsh", "seen": 1}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (ITEM | {"seen": None}, "`seen` must be a whole number or a string"),
        (ITEM | {"seen": 1.5}, "`seen` must be a whole number or a string"),
        (ITEM | {"seen": True}, "`seen` must be a whole number or a string"),
        (ITEM | {"seen": "monday"}, "`seen` must be a number in all items"),
        (ITEM | {"id": "heron-0-0"}, "'heron-0-0' was seen before"),
        (ITEM | {"id": 3}, "`id` must be a string"),
        (ITEM | {"text": ["a"]}, "`text` must be a string"),
        ("{", "not JSON"),
    ],
)
def test_a_bad_item_is_refused_with_file_and_line(tmp_path: Path, bad: object, message: str) -> None:
    rows = items(days=1)
    with pytest.raises(InvalidInput, match=message) as caught:
        stream(tmp_path, [*rows, bad])
    assert f"items.jsonl.gz:{len(rows) + 1}: " in str(caught.value)


def test_a_stream_without_items_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there are no items"):
        stream(tmp_path, [""])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("[1, 2]", "not a JSON object"),
        ("nothing", "not JSON"),
        ({"positives": None}, "`positives` must be a list"),
        ({"positives": [1]}, "`positives` must be a list of strings"),
        ({"start": "heron-0-0"}, "`start` must be a list"),
        ({"start": ["ghost"]}, "`start` names 'ghost', but no item has that id"),
        ({"phrases": [None]}, "`phrases` must be a list of strings"),
    ],
)
def test_a_bad_reader_is_refused_with_file_and_field(tmp_path: Path, change: Any, message: str) -> None:
    both = stream(tmp_path, items(days=1))
    bad = json.dumps(READER | change) if isinstance(change, dict) else change
    path = write(tmp_path / "ada.json", [bad])
    with pytest.raises(InvalidInput, match=message) as caught:
        replay.read_reader(path, both.documents, str.strip)
    assert f"{path}: " in str(caught.value)


def test_a_reader_may_want_what_is_not_in_the_stream_and_start_from_nothing(tmp_path: Path) -> None:
    both = stream(tmp_path, items(days=1))
    reader = READER | {"positives": ["elsewhere", "heron-0-1"], "start": None, "phrases": None}
    path = tmp_path / "ada.json"
    path.write_text(json.dumps(reader, indent=2))
    start, ask = replay.read_reader(path, both.documents, str.strip)
    assert start == Start((), ())
    assert [ask(name) for name in ("heron-0-0", "heron-0-1")] == [False, True]


def test_the_command_names_the_field_and_leaves_the_old_output_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "home"))
    rows = write(tmp_path / "items.jsonl", items(days=1))
    user = write(tmp_path / "ada.json", [READER | {"start": ["ghost"]}])
    output = write(tmp_path / "days.jsonl", ["old"])
    args = ["replay", "--items", str(rows), "--user", str(user), "--per-day", "3", "--output", str(output)]
    result = CliRunner().invoke(command, args)
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_code == 2
    assert f"{user}: `start` names 'ghost'" in str(result.exception)
    assert output.read_text() == "old\n"
    none_a_day = CliRunner().invoke(command, [*args[:6], "0", *args[7:]])
    assert none_a_day.exit_code == 2
    assert "--per-day" in none_a_day.stderr


@pytest.mark.slow
def test_the_whole_command_with_the_real_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "home"))
    rows = write(tmp_path / "items.jsonl.gz", items(days=3))
    user = write(
        tmp_path / "ada.json",
        [READER | {"positives": [f"heron-{d}-{n}" for d in range(3) for n in range(5)]}],
    )
    output = tmp_path / "days.jsonl"
    args = ["replay", "--items", str(rows), "--user", str(user), "--per-day", "4", "--output", str(output)]
    result = CliRunner().invoke(command, args, catch_exceptions=False)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert "Replayed 3 days" in result.stderr
    days = [json.loads(line) for line in output.read_text().splitlines()]
    assert [day["day"] for day in days] == [0, 1, 2]
    assert all("heron" in name for day in days for name in day["shown"])
