"""`triage evaluate`: files in, scores out, and a clear word on every bad line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from fake_encoder import encode

from model import evaluate
from model.types import InvalidInput
from triage.cli.evaluate import evaluate as command
from triage.core.errors import UsageError

ITEMS: list[dict[str, Any]] = [
    {
        "id": f"{topic}{n}",
        "title": f"{topic} {word}",
        "text": f"All about {topic}. The {word} of {topic} grows.",
    }
    for topic in ("heron", "railway")
    for n, word in enumerate(("nest", "tunnel", "signal", "feather", "marsh", "viaduct"))
]
TASK: dict[str, Any] = {
    "task": "t1",
    "labels": [["heron0", 1], ["railway0", 0], ["heron1", 1]],
    "phrases": [],
    "candidates": ["railway3", "heron2", "heron4", "railway4", "railway5", "heron5"],
}
ROW: dict[str, Any] = {
    "id": "r1",
    "query": "where is the nest",
    "title": "Herons",
    "sentences": ["Rain fell.", "The nest is in the marsh.", "Trains ran late."],
}


def write(path: Path, rows: Sequence[object]) -> Path:
    text = "\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_every_candidate_of_every_task_is_scored_by_its_own_labels(tmp_path: Path, suffix: str) -> None:
    items = evaluate.read_items([write(tmp_path / f"i.jsonl{suffix}", ITEMS)], str.strip)
    other = TASK | {"task": "t2", "labels": [[name, 1 - value] for name, value in TASK["labels"]]}
    phrase = TASK | {"task": "t3", "labels": [], "phrases": ["heron nest"]}
    tasks = evaluate.read_tasks(write(tmp_path / f"t.jsonl{suffix}", [TASK, other, phrase]), items, str.strip)
    herons, trains, asked = evaluate.rank_tasks(items, tasks, encode)
    for result, task in zip((herons, trains, asked), (TASK, other, phrase), strict=True):
        assert result["task"] == task["task"]
        assert result["probability"] is True
        assert set(result["scores"]) == set(task["candidates"])
        assert all(0 <= score <= 1 for score in result["scores"].values())
    for result, topic in ((herons, "heron"), (trains, "railway"), (asked, "heron")):
        best = sorted(result["scores"], key=result["scores"].get, reverse=True)[:3]
        assert all(name.startswith(topic) for name in best), best
    alone = list(evaluate.rank_tasks(items, tasks[1:2], encode))
    assert alone == [trains], "tasks must not know of each other"


def test_texts_that_the_encoder_cannot_read_are_ranked_by_words() -> None:
    items = {i["id"]: evaluate.Document(**i) for i in ITEMS}
    task = evaluate.Task("t", (evaluate.Label("heron0", 1.0),), (), tuple(TASK["candidates"]))
    [result] = evaluate.rank_tasks(items, [task], encode, readable=lambda _: False)
    best = sorted(result["scores"], key=result["scores"].get, reverse=True)[:3]
    assert all(name.startswith("heron") for name in best)


def test_sentences_are_scored_for_the_query_or_for_their_document(tmp_path: Path) -> None:
    rows = [ROW, ROW | {"query": None}, ROW | {"title": None}, ROW | {"id": "empty", "sentences": []}]
    read = evaluate.read_sentences(write(tmp_path / "r.jsonl", rows), str.strip)
    results = list(evaluate.highlight_rows(read, encode))
    assert [result["id"] for result in results] == ["r1", "r1", "r1", "empty"]
    assert [len(result["scores"]) for result in results] == [3, 3, 3, 0]
    for result in (results[0], results[2]):
        assert int(np.argmax(result["scores"])) == 1
    assert np.isfinite(results[1]["scores"]).all()
    assert len(set(results[1]["scores"])) > 1
    [alone] = evaluate.highlight_rows(read[:1], encode)
    assert int(np.argmax(alone["scores"])) == 1, "a single row is enough"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("{not json", "not JSON"),
        ("[1]", "not a JSON object"),
        ({"task": 5}, "`task` must be a string"),
        ({"labels": None}, "`labels` must be a list"),
        ({"labels": [["heron0"]]}, "pairs"),
        ({"labels": [["heron0", "yes"]]}, "pairs"),
        ({"labels": [["ghost", 1]]}, "no item has the id 'ghost'"),
        ({"phrases": "one"}, "`phrases` must be a list"),
        ({"candidates": []}, "`candidates` is empty"),
        ({"candidates": ["heron2", "heron2"]}, "repeats"),
        ({"candidates": ["ghost"]}, "no item has the id 'ghost'"),
        ({"candidates": [1]}, "list of strings"),
        ({}, "'t1' was seen before"),
    ],
)
def test_a_bad_task_is_refused_with_file_and_line(tmp_path: Path, change: Any, message: str) -> None:
    items = evaluate.read_items([write(tmp_path / "i.jsonl", ITEMS)], str.strip)
    bad = TASK | change if isinstance(change, dict) else change
    path = write(tmp_path / "t.jsonl", [TASK, "", bad])
    with pytest.raises(InvalidInput, match=message) as caught:
        evaluate.read_tasks(path, items, str.strip)
    assert f"{path}:3: " in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sentences": "one"}, "`sentences` must be a list"),
        ({"sentences": [1]}, "strings"),
        ({"id": None}, "`id`"),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = write(tmp_path / "r.jsonl", [ROW, ROW | change])
    with pytest.raises(InvalidInput, match=message) as caught:
        evaluate.read_sentences(path, str.strip)
    assert f"{path}:2: " in str(caught.value)


def test_repeated_items_and_unreadable_files_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "i.jsonl", ITEMS)
    with pytest.raises(InvalidInput, match="'heron0' was seen before"):
        evaluate.read_items([path, path], str.strip)
    broken = tmp_path / "broken.jsonl.gz"
    broken.write_bytes(b"not compressed at all")
    with pytest.raises(InvalidInput, match="cannot be read"):
        evaluate.read_items([broken], str.strip)


def test_the_command_names_the_line_and_leaves_the_old_output_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "home"))
    items = write(tmp_path / "i.jsonl", ITEMS)
    tasks = write(tmp_path / "t.jsonl", [TASK | {"candidates": ["ghost"]}])
    output = write(tmp_path / "o.jsonl", ["old"])
    result = CliRunner().invoke(
        command, ["rank", "--items", str(items), "--tasks", str(tasks), "--output", str(output)]
    )
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_code == 2
    assert f"{tasks}:1: no item has the id 'ghost'" in str(result.exception)
    assert output.read_text() == "old\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "i.jsonl", "o.jsonl", "t.jsonl"]


@pytest.mark.slow
def test_the_whole_command_with_the_real_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "home"))
    items, tasks = write(tmp_path / "i.jsonl.gz", ITEMS), write(tmp_path / "t.jsonl", [TASK])
    rows, output = write(tmp_path / "r.jsonl", [ROW, ROW | {"id": "r2", "query": None}]), tmp_path / "o.jsonl"
    runner = CliRunner()
    args = ["rank", "--items", str(items), "--tasks", str(tasks), "--output", str(output)]
    first = runner.invoke(command, args, catch_exceptions=False)
    assert first.exit_code == 0
    assert "Encoding" in first.stderr
    assert first.stdout == ""
    [scored] = [json.loads(line) for line in output.read_text().splitlines()]
    assert set(scored["scores"]) == set(TASK["candidates"])
    again = runner.invoke(command, args, catch_exceptions=False)
    assert "Encoding" not in again.stderr, "no text is encoded twice"
    [second] = [json.loads(line) for line in output.read_text().splitlines()]
    assert second == scored
    runner.invoke(
        command, ["highlight", "--rows", str(rows), "--output", str(output)], catch_exceptions=False
    )
    marked = [json.loads(line) for line in output.read_text().splitlines()]
    assert [row["id"] for row in marked] == ["r1", "r2"]
    assert int(np.argmax(marked[0]["scores"])) == 1
