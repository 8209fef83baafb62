"""`triage interests` as a shell sees it: the sheet, profiles, and what a rule would hide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import triage
from world import NOW, clock, stored_items

from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.ranker.worker_client import ModelWorker
from triage.services.reader import feedback
from triage.store import openings
from triage.store.engine import Database


@pytest.fixture(autouse=True)
def items(database: Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Twenty-four items on bees, trams, chess and bread; the first source tells of bees and chess in turn."""
    monkeypatch.setenv("TRIAGE_NOW", NOW.isoformat())
    return stored_items(database)


@pytest.fixture
def editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program that rewrites the sheet with the sed script in the file that is returned."""
    script = tmp_path / "script.sed"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"sed -i -f {script}")
    return script


def ok(line: str) -> str:
    code, out, err = triage(line)
    assert code == 0, err
    return out


def sheet() -> list[str]:
    """The lines that `triage interests show` prints, without comments."""
    return [line for line in ok("triage interests show").splitlines() if line and not line.startswith("#")]


def test_a_sheet_is_edited_as_a_whole_and_undone_as_a_whole(editor: Path) -> None:
    ok("triage interests add trams --weight 2")
    ok("triage interests add honey")
    before = sheet()
    editor.write_text(
        r"""s/^honey$/+3 honey/
/^+2 trams/d
/^\[aliases\]/i [work]\nattention for ranking\n-prices until 2027-01-01
/^\[aliases\]/a LLM = large language model
$a mute title:chess for 7d
"""
    )
    out = ok("triage interests edit")
    for said in (
        "no longer an interest: trams",
        "an interest (+3): honey",
        "an interest of work (+1): attention for ranking",
        "less of this of work (-1): prices until 2027-01-01",
        "an alias: LLM = large language model",
        'a rule: never title:"chess" until 2026-03-09',
    ):
        assert said in out
    assert sheet()[:5] == [
        "+3 honey",
        "[work]",
        "attention for ranking",
        "-prices until 2027-01-01",
        "[aliases]",
    ]
    assert ok("triage undo") == "undone: 6 changes\n"
    assert sheet() == before


def test_nothing_that_was_not_changed_is_said_again(editor: Path, database: Database) -> None:
    ok("triage interests add trams --weight 2")
    ok("triage rules add never title:chess for 7d")
    editor.write_text("s/bees/bees/\n")
    code, out, err = triage("triage rules edit")
    assert (code, out, "Nothing was changed" in err) == (0, "", True)
    ok("triage interests show")
    assert len(feedback.events(database)) == 2


def test_a_broken_sheet_changes_nothing_and_is_kept(editor: Path, paths: Paths, database: Database) -> None:
    ok("triage interests add trams")
    editor.write_text("s/^trams/trams = 2/\ns/^.rules.$/[rulse]/\n")
    code, _, err = triage("triage interests edit")
    (kept,) = paths.state.glob("interests-*.txt")
    assert code == 1
    assert f"{kept}, line 6: the weight stands in front: +2 trams" in err
    assert "there is no section [rulse]; did you mean [rules]?" in err
    assert f"your sheet is kept in {kept}" in err
    assert "trams = 2" in kept.read_text(encoding="utf-8")
    assert len(feedback.events(database)) == 1


def test_a_sheet_too_large_to_be_read_whole_removes_nothing(
    editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok("triage interests add bees")
    before = sheet()
    monkeypatch.setattr("triage.cli.editor.MAX_SHEET", 20)
    editor.write_text("s/bees/wasps/\n")
    code, _, err = triage("triage interests edit --yes")
    assert code == 1
    assert "larger than" in err
    assert "your sheet is kept in" in err
    assert sheet() == before


def test_a_file_is_applied_and_what_show_prints_changes_nothing(tmp_path: Path) -> None:
    ok("triage interests add trams --profile work")
    file = tmp_path / "mine.txt"
    file.write_text(ok("triage interests show"), encoding="utf-8")
    assert ok(f"triage interests apply {file}") == ""
    file.write_text("honey\r\n-prices\r\n", encoding="utf-8-sig")
    out = ok(f"triage interests apply {file}").splitlines()
    assert out == [
        "no longer an interest of work: trams",
        "an interest (+1): honey",
        "less of this (-1): prices",
    ]
    assert sheet() == ["honey", "-prices", "[aliases]", "[rules]"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"honey = 2\n", "mine.txt, line 1: the weight stands in front: +2 honey"),
        (b"[rules]\nnevr source:x\n", 'line 2: there is no "nevr"; did you mean never?; try: never source:x'),
        (b"[rules]\nnever source:x until 2026-01-01\n", 'line 2: "until 2026-01-01" is over already'),
        (b"[aliases]\nit = LLM\n", 'line 2: "it" is too short or too common a word'),
        (b"\xff\xfe\x00bees", "is not UTF-8"),
    ],
)
def test_a_wrong_file_is_refused_by_line_and_word(
    tmp_path: Path, database: Database, content: bytes, says: str
) -> None:
    file = tmp_path / "mine.txt"
    file.write_bytes(content)
    code, out, err = triage(f"triage interests apply {file}")
    assert (code, out) == (2, "")
    assert says in err
    assert feedback.events(database) == []
    assert "cannot be read" in triage(f"triage interests apply {tmp_path / 'none'}")[2]


def test_profiles_are_used_and_their_choice_is_undone(database: Database) -> None:
    ok("triage interests add tides")
    ok("triage interests add attention --profile Work")
    ok("triage interests add bread --weight 2 --profile home")

    def used() -> set[str]:
        return {row["phrase"] for row in json.loads(ok("triage interests --json")) if row["used"]}

    assert used() == {"tides", "attention", "bread"}
    assert ok("triage interests use work") == "profiles in use: work\n"
    assert used() == {"tides", "attention"}
    assert feedback.interests(database) == {"tides": 1.0, "attention": 1.0}
    assert "   +2  bread  [home, not in use]" in ok("triage interests").splitlines()
    ok("triage interests use work,home")
    assert used() == {"tides", "attention", "bread"}
    assert ok("triage undo") == "undone: profiles in use: work, home\n"
    assert used() == {"tides", "attention"}
    assert ok("triage interests use") == "profiles in use: all\n"
    code, _, err = triage("triage interests use wrok")
    assert (code, 'there is no profile "wrok"; did you mean work?' in err) == (2, True)


def test_a_phrase_is_removed_from_every_profile_in_one_step() -> None:
    ok("triage interests add bread --profile work")
    ok("triage interests add bread --profile home")
    before = sheet()
    ok("triage interests remove bread")
    assert sheet() == ["[aliases]", "[rules]"]
    ok("triage undo")
    assert sheet() == before
    ok("triage interests add bread --weight -2")
    assert sheet()[:4] == ["[work]", "-2 bread", "[home]", "-2 bread"]
    code, _, err = triage("triage interests remove braed")
    assert (code, "try: triage interests remove bread" in err) == (2, True)
    assert triage("triage interests add x --profile rules")[0] == 2


def test_a_rule_that_would_hide_what_was_wanted_is_not_added_unasked(
    database: Database, items: list[int]
) -> None:
    with database.write() as connection:
        openings.add(connection, items[0], NOW, 30.0)
    feedback.mark(database, clock, items[4], Verb.LIKE)
    feedback.mark(database, clock, items[2], Verb.DISLIKE)
    code, out, err = triage("triage rules add never title:bees")
    assert (code, out) == (1, "")
    sentence = "hides 6 of 24 items of the last 30 days, of which you opened 2 and liked 1"
    assert f"it {sentence}; nothing was changed" in err
    assert "try: triage rules add --yes 'never title:\"bees\"'" in err
    assert f"opened {items[0]} bees number 0" in err
    assert ok("triage rules") == ""
    assert sentence in ok("triage rules preview never title:bees")
    preview = json.loads(ok("triage rules preview --json never title:bees"))
    assert (preview["met"], preview["items"], len(preview["opened"]), len(preview["liked"])) == (6, 24, 2, 1)
    assert preview["doubt"] == f"it {sentence}"
    ok("triage rules add --yes never title:bees")
    assert sentence in ok("triage rules")
    # What is soft hides nothing, and what was not opened is nobody's loss.
    ok("triage rules add title:chess -5")
    ok("triage rules add never title:trams")


@pytest.mark.parametrize("rule", ["never not mentions:zzzz", "never newer than 99y", "lane people kind:feed"])
def test_a_rule_that_meets_nearly_everything_is_not_added_unasked(rule: str) -> None:
    code, _, err = triage(f"triage rules add {rule}")
    assert code == 1
    assert "24 of 24 items of the last 30 days: nearly everything; nothing was changed" in err
    ok(f"triage rules add --yes {rule}")


def test_rules_that_contradict_each_other_say_so() -> None:
    ok("triage rules add always title:bees")
    shown = ok('triage rules preview never source:"Source 0"')
    assert "hides 6 of 24 items" in shown
    assert '! always title:"bees" shows 6 of them all the same' in shown
    assert "hides 0 of 24" in ok("triage rules preview never mentions:beekeepers")
    ok("triage rules add never title:chess")
    assert '! it takes the place of never title:"chess"' in ok("triage rules preview title:chess +2")
    assert '! never title:"chess" hides all' in ok("triage rules preview mentions:bishop +2")
    ok("triage rules add never mentions:honey")
    rows = json.loads(ok("triage rules --json"))["rules"]
    assert rows[0]["conflicts"] == ['it shows all, which never mentions:"honey" would hide']


def test_a_rule_that_meets_nothing_names_what_was_probably_meant() -> None:
    assert "did you mean 'Source 1'?" in ok('triage rules preview never source:"Sorce 1"')
    nothing = ok("triage rules preview never source:zzzzzzz")
    assert "did you mean" not in nothing
    assert "! it meets nothing yet\n" in nothing


def test_a_rule_that_looks_in_the_wrong_field_names_the_field_that_has_the_words() -> None:
    code, _, said = triage("triage rules add never source:bishop and mentions:chess")
    assert code == 0
    assert '! it meets nothing yet; mentions:"bishop" meets 6 items' in said
    found = json.loads(ok("triage rules preview --json never tag:bishop"))
    assert found["elsewhere"] == {"condition": 'mentions:"bishop"', "met": 6}
    assert "meets nothing" not in ok("triage rules preview never mentions:bishop")


def test_a_rule_whose_items_another_shows_does_not_say_that_it_meets_nothing() -> None:
    ok("triage rules add keep title:chess")
    said = ok("triage rules preview never mentions:chess")
    assert "hides 0 of 24" in said
    assert "meets nothing" not in said


def test_an_interest_says_what_it_brought(database: Database, worker: ModelWorker) -> None:
    ok("triage interests add 'bishop sacrifice'")
    ok("triage interests add 'zeppelin'")
    digest = worker.build(NOW)
    chess = [item for item in digest.items if item.title.startswith("chess")]
    feedback.mark(database, clock, chess[0].id, Verb.LIKE)
    rows = json.loads(ok("triage interests --json"))
    assert [(row["phrase"], row["hits"], row["liked"]) for row in rows] == [
        ("bishop sacrifice", len(chess), 1),
        ("zeppelin", 0, 0),
    ]
    assert len(chess) > 1


def test_interests_of_profiles_and_rules_of_every_effect_move_to_another_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ok("triage interests add attention --profile work")
    for rule in ("keep title:bees", "lane people title:trams", "never title:chess for 7d"):
        ok(f"triage rules add {rule}")
    ok("triage interests use work")
    before = sheet()
    for what in ("interests", "rules", "events"):
        ok(f"triage export {what} {tmp_path / what}.jsonl")
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "there"))
    ok(f"triage import {tmp_path / 'interests.jsonl'}")
    ok(f"triage import {tmp_path / 'rules.jsonl'}")
    assert sheet() == before
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "elsewhere"))
    ok(f"triage import {tmp_path / 'events.jsonl'}")
    assert sheet() == before
