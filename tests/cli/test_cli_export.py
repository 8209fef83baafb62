"""Items on their way to reference managers, as a shell sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import triage
from loopback import LoopbackServer, Route
from world import NOW, stored_items

from ingestors.parsers.bibliography import parse_bibliography
from triage.core.text import sanitize_line
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.reader import feedback
from triage.store.engine import Database


@pytest.fixture
def liked(paths: Paths, database: Database) -> list[int]:
    ids = stored_items(database, 4)
    for item_id, verb in zip(ids, (Verb.LIKE, Verb.DISLIKE, Verb.LOVE), strict=False):
        feedback.mark(database, lambda: NOW, item_id, verb)
    database.close()
    return [ids[0], ids[2]]


def test_what_is_liked_goes_to_standard_output_or_a_file(liked: list[int], tmp_path: Path) -> None:
    code, out, _ = triage("triage export bibtex --liked")
    assert code == 0
    assert parse_bibliography(out.encode())["total"] == 2
    file = tmp_path / "liked.ris"
    code, out, err = triage(f"triage export ris {file}")
    assert (code, out) == (0, "")
    assert "2 items written" in err
    assert parse_bibliography(file.read_bytes())["total"] == 2


def test_items_by_their_numbers(liked: list[int]) -> None:
    _, out, _ = triage(f"triage export bibtex --ids {liked[1]},{liked[0]},{liked[1]}")
    assert parse_bibliography(out.encode())["total"] == 2
    mistakes = {"--ids x": "ids are numbers", "--ids 999": "no item 999", "--ids 1 --liked": "two"}
    for wrong, words in mistakes.items():
        code, out, err = triage(f"triage export ris {wrong}")
        assert (code, out) == (2, "")
        assert words in err


def test_to_zotero_and_not_twice(
    liked: list[int], server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIAGE_ZOTERO_URL", server.url("/api"))
    route = "/api/users/7/items"
    server.routes[route] = Route(json.dumps({"successful": {"0": {}, "1": {}}}).encode(), etag=False)
    assert triage("triage export zotero users/7 --allow-local")[:2] == (0, "2 items added, 0 there already\n")
    known = {number: {"code": 412, "message": "exists"} for number in ("0", "1")}
    server.routes[route] = Route(json.dumps({"successful": {}, "failed": known}).encode(), etag=False)
    assert triage("triage export zotero users/7 --allow-local")[:2] == (0, "0 items added, 2 there already\n")
    first, second = (json.loads(request.sent) for request in server.log)
    assert [item["key"] for item in first] == [item["key"] for item in second]
    assert {item["itemType"] for item in first} == {"webpage"}
    server.routes[route] = Route(status=403, etag=False)
    code, _, err = triage("triage export zotero users/7 --allow-local")
    assert code == 1
    assert "[services.zotero] key_env" in err
    assert triage("triage export zotero seven")[0] == 2


HOSTILE = (
    "=cmd|' /C calc'!A0 ../../etc/passwd } @misc{forged, title={x}} "
    "\\input{/etc/passwd} \r\nER  - \r\nTY  - X \x1b[2J"
)


def test_a_title_is_neither_a_record_nor_a_command_nor_a_name_of_a_file(
    paths: Paths, database: Database, tmp_path: Path
) -> None:
    """TUI-09."""
    (item,) = stored_items(database, 1, lambda _: (sanitize_line(HOSTILE, 500), ""))
    feedback.mark(database, lambda: NOW, item, Verb.LIKE)
    database.close()
    folder = tmp_path / "out"
    folder.mkdir()
    for form in ("bibtex", "ris"):
        assert triage(f"triage export {form} --liked {folder / 'liked'}")[0] == 0
        read = parse_bibliography((folder / "liked").read_bytes())
        assert (read["total"], len(read["entries"]), read["refusals"]) == (1, 1, [])
        assert "forged" in read["entries"][0]["title"]
    assert [path.name for path in folder.iterdir()] == ["liked"]
