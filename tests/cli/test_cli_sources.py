"""How sources get in, are listed, changed and written out, as a shell sees it."""

from __future__ import annotations

import io
import json
import os
import shlex
import stat
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command_line import triage
from loopback import LoopbackServer, Route
from world import stored_items

from triage import config
from triage.cli.commands import COMMANDS, cli
from triage.core.verbs import Verb
from triage.paths import Paths
from triage.services.reader import feedback
from triage.store.engine import Database

FEED = b"""<rss version="2.0"><channel><title>Harbour &#x1b;]0;Notes</title><ttl>360</ttl>
<item><guid>1</guid><title>Tides</title><link>https://p.example/1</link><description>High.</description></item>
<item><guid>2</guid><title>Gulls</title><link>https://p.example/2</link></item></channel></rss>"""
OTHER = FEED.replace(b"Harbour", b"Quay").replace(b"p.example", b"q.example")


def page(*feeds: str) -> Route:
    links = "".join(f'<link rel="alternate" type="application/rss+xml" href="{feed}">' for feed in feeds)
    return Route(f"<!doctype html><head>{links}</head>".encode())


@pytest.fixture
def site(paths: Paths, server: LoopbackServer) -> LoopbackServer:
    """A site with one feed at `/one`, and one with two feeds at `/two`."""
    server.routes |= {
        "/one": page("/feed"),
        "/two": page("/feed", "/other"),
        "/feed": Route(FEED),
        "/other": Route(OTHER),
    }
    return server


def listed() -> list[dict[str, object]]:
    code, out, _ = triage("triage sources --json")
    assert code == 0
    found: list[dict[str, object]] = json.loads(out)
    return found


def ok(line: str) -> str:
    code, out, err = triage(line)
    assert code == 0, err
    return out


# ---------------------------------------------------------------- add


def test_a_site_is_added_by_its_feed_and_what_was_fetched_is_kept(site: LoopbackServer) -> None:
    out = ok(f"triage add --allow-local {site.url('/one')}")
    assert "2 items" in out
    assert site.url("/feed") in out
    assert "\x1b" not in out
    (source,) = listed()
    assert (source["target"], source["items"], source["failures"]) == (site.url("/feed"), 2, 0)
    code, _, err = triage("triage sync")
    assert (code, "No source is due" in err) == (0, True)
    assert [request.path for request in site.log] == ["/one", "/feed"]


def test_what_is_a_source_already_is_not_asked_again(site: LoopbackServer) -> None:
    ok(f"triage add --allow-local {site.url('/feed')}")
    out = ok(f"triage add --allow-local --tag more {site.url('/feed')}")
    assert "known already" in out
    assert listed()[0]["tags"] == ["more"]
    assert len(site.log) == 1


def test_several_feeds_without_a_terminal_are_listed_and_nothing_is_added(site: LoopbackServer) -> None:
    code, out, err = triage(f"triage add --allow-local {site.url('/two')}")
    assert (code, out) == (2, "")
    assert "offers 2 feeds" in err
    assert "--yes" in err
    assert site.url("/other") in err
    assert "\x1b" not in err
    assert listed() == []


@pytest.mark.parametrize(
    ("answer", "added"),
    [("\n", ["/feed"]), ("9\n2\n", ["/other"]), ("2 1\n", ["/feed", "/other"]), ("q\n", [])],
)
def test_who_is_there_is_asked_which(
    site: LoopbackServer, monkeypatch: pytest.MonkeyPatch, answer: str, added: list[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    monkeypatch.setattr("triage.cli.diagnostics.somebody_is_there", lambda: True)
    ok(f"triage add --allow-local {site.url('/two')}")
    assert sorted(str(source["target"]) for source in listed()) == [site.url(path) for path in added]


def test_scripts_take_the_best_or_read_the_choices(site: LoopbackServer) -> None:
    code, out, _ = triage(f"triage add --json --allow-local {site.url('/two')}")
    assert code == 2
    (problem,) = json.loads(out)["problems"]
    assert [choice["target"] for choice in problem["choices"]] == [site.url("/feed"), site.url("/other")]
    (added,) = json.loads(ok(f"triage add --json --yes --allow-local {site.url('/two')}"))["added"]
    assert (added["target"], added["new"]) == (site.url("/feed"), True)


def test_what_is_wished_for_is_set(site: LoopbackServer) -> None:
    wishes = "--allow-local --title 'My  sea' --tag news --tag a,b --full-text always"
    ok(f"triage add {wishes} {site.url('/feed')}")
    (source,) = listed()
    assert (source["title"], source["tags"]) == ("My sea", ["news", "a b"])
    assert source["settings"] == {"full_text": "always"}


def test_unseen_means_without_a_request(site: LoopbackServer) -> None:
    ok(f"triage add --no-check --allow-local {site.url('/missing')}")
    assert site.log == []
    assert listed()[0]["last_success"] is None


def test_one_bad_target_does_not_stop_the_others(site: LoopbackServer) -> None:
    code, out, err = triage(f"triage add --allow-local {site.url('/missing')} {site.url('/feed')} nonsense")
    assert code == 3
    assert "404" in err
    assert "nothing here can read 'nonsense'" in err
    assert "Harbour" in out
    assert len(listed()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("arxiv:cs.IR --password-env X", "is for mailboxes and feeds on a server"),
        ("imaps://me@e.example/INBOX", "where is the password for imaps://me@e.example/INBOX?"),
        ("imaps://me:hunter2@e.example/ --no-check", "would be stored"),
        (
            "imaps://me@e.example:hunter2@e.example/ --no-check",
            "imaps://me@e.example:…@e.example/ would",
        ),
        ("https://me:hunter2@e.example/feed", "the password in https://me:…@e.example/feed would be stored"),
        ("imaps://me@e.example/ --password-env NO_SUCH", "NO_SUCH (password_env) is not set"),
        ("a.example b.example --title T", "--title names one source"),
        ("/no/such/file", "there is no file or folder"),
        ("'https://e.example/\x1b[2J'", "holds control characters"),
        ("'|rm -rf ~'", "nothing here can read"),
        ("exec:ls", "nothing here can read 'exec:ls'\n"),
        ("nope.mbox", "nothing here can read 'nope.mbox', and there is no file of that name"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_sentence(paths: Paths, arguments: str, says: str) -> None:
    code, out, err = triage(f"triage add {arguments}")
    assert (code, out) == (2, "")
    assert says in err
    assert "\x1b" not in err
    assert "hunter2" not in err
    assert listed() == []


def test_papers_in_a_file_are_counted(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "refs.bib").write_text("@article{a, title={On Tides}, author={Ada Lovelace}, year={2020}}")
    out = ok(f"triage add {tmp_path / 'refs.bib'}")
    assert "paper" in out
    assert "1 item" in out
    assert listed()[0]["items"] == 1


def test_a_feed_may_want_a_password_that_is_nowhere_stored(
    site: LoopbackServer, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEA_PASSWORD", "hunter2")
    url = site.url("/feed").replace("://", "://me@")
    shown = ok(f"triage add --allow-local --password-env SEA_PASSWORD {url}") + ok("triage sources check")
    assert {request.headers["authorization"] for request in site.log} == {"Basic bWU6aHVudGVyMg=="}
    ok("triage sources set 1 password_env= token_env=SEA_PASSWORD")
    shown += ok("triage sources check")
    assert site.log[-1].headers["authorization"] == "Bearer hunter2"
    shown += ok("triage sources --json") + ok("triage export urls")
    assert "hunter2" not in shown
    assert b"hunter2" not in paths.database.read_bytes()


def test_a_list_with_a_password_is_refused_by_name(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "urls").write_text("https://me:hunter2@e.example/feed\nhttps://f.example/feed\n")
    code, out, err = triage(f"triage import {tmp_path / 'urls'}")
    assert code == 0
    assert "its address holds a password" in out + err
    assert "hunter2" not in out + err
    assert [source["target"] for source in listed()] == ["https://f.example/feed"]


# ---------------------------------------------------------------- lists


OPML = """<opml version="2.0"><body><outline text="Sea"><outline text="Mine" xmlUrl="https://a.example/f"
 custom="kept"/></outline><outline text="Evil" xmlUrl="|rm -rf ~"/></body></opml>"""


def test_a_list_is_merged_and_comes_out_again(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "in.opml").write_text(OPML)
    code, out, err = triage(f"triage add {tmp_path / 'in.opml'}")
    assert (code, "1 added" in out) == (0, True)
    assert "refused Evil: it would run a command" in err
    ok("triage sources rename 1 'Better name'")
    assert "1 known already" in ok(f"triage import --tag more {tmp_path / 'in.opml'}")
    (source,) = listed()
    assert (source["title"], source["tags"]) == ("Better name", ["Sea", "more"])

    ok(f"triage export opml {tmp_path / 'out.opml'}")
    assert stat.S_IMODE((tmp_path / "out.opml").stat().st_mode) == 0o600
    outline = ElementTree.parse(tmp_path / "out.opml").find("body/outline/outline")
    assert outline is not None
    assert {k: outline.get(k) for k in ("text", "xmlUrl", "category", "custom")} == {
        "text": "Better name",
        "xmlUrl": "https://a.example/f",
        "category": "more",
        "custom": "kept",
    }
    assert ok("triage export urls") == 'https://a.example/f "Sea" "more" "~Better name"\n'


def test_one_bad_list_does_not_stop_the_others(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "a.opml").write_text(OPML)
    (tmp_path / "b.opml").write_text("<rss/>")
    code, out, err = triage(f"triage import {tmp_path / 'b.opml'} {tmp_path / 'a.opml'} {tmp_path / 'none'}")
    assert (code, "1 source: 1 added" in out) == (3, True)
    assert "b.opml is neither" in err
    assert "2 lists of 3 could not be read" in err


def test_sources_that_opml_has_no_place_for_are_counted(paths: Paths) -> None:
    ok("triage add --no-check arxiv:cs.IR")
    code, out, err = triage("triage export opml")
    assert code == 0
    assert list(ElementTree.fromstring(out).iter("outline")) == []
    assert "1 source that OPML has no place for" in err
    assert ok("triage export urls") == "arxiv:cs.IR\n"


def test_an_urls_file_comes_in(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "urls").write_text('# x\nhttps://a.example/f news "~A"\nexec:ls\n/etc/passwd\n')
    _, out, err = triage(f"triage add {tmp_path / 'urls'}")
    assert "1 source: 1 added" in out
    assert "refused exec:ls: it would run a command" in err
    assert "refused /etc/passwd: nothing here can read" in err


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("x.opml", "<rss/>", "neither an OPML file"),
        ("x.opml", "<opml><body/></opml>", "there is nothing in it"),
        ("x.opml", "<!DOCTYPE opml [<!ENTITY a 'b'>]><opml/>", "declares entities"),
        ("x.txt", "hello", "neither an OPML file"),
        ("x.opml", "<opml>" + "<outline>" * 50_000, "there is nothing in it"),
    ],
)
def test_what_is_no_list(paths: Paths, tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content)
    code, out, err = triage(f"triage import {tmp_path / name}")
    assert (code, out) == (2, "")
    assert says in err


def test_files_that_cannot_be_read_or_written_are_named(paths: Paths, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.opml")
    (tmp_path / "endless.opml").symlink_to("/dev/zero")
    for name, says in (("pipe.opml", "regular"), ("endless.opml", "regular"), ("none.opml", "No such file")):
        code, _, err = triage(f"triage import {tmp_path / name}")
        assert (code, says in err) == (2, True), err
    code, _, err = triage(f"triage export opml {tmp_path / 'no' / 'x.opml'}")
    assert (code, "No such file" in err) == (1, True)
    code, _, err = triage(f"triage export opml {tmp_path}")
    assert (code, "directory" in err) == (1, True)


# ---------------------------------------------------------------- sources


def test_a_listing_says_what_was_kept(paths: Paths, database: Database) -> None:
    ids = stored_items(database, 8)
    for item, verb in zip(ids[:4], (Verb.LIKE, Verb.LOVE, Verb.LATER, Verb.DISLIKE), strict=True):
        feedback.mark(database, config.clock(), item, verb)
    feedback.undo(database, config.clock())
    feedback.undo(database, config.clock())
    assert sum(int(str(source["keeps"])) for source in listed()) == 2
    assert "2 kept" in ok("triage sources")


def test_a_source_is_named_by_its_number_or_a_part_of_its_name(paths: Paths, database: Database) -> None:
    stored_items(database, 2)
    assert "Source 1" in ok("triage sources show 'source 1'")
    code, _, err = triage("triage sources pause source")
    assert (code, "may be 1 Source 0, 2 Source 1" in err) == (2, True)
    code, _, err = triage("triage sources remove 99")
    assert (code, "there is no source 99" in err) == (2, True)


def test_a_source_is_changed(paths: Paths, database: Database) -> None:
    stored_items(database, 2)
    ok("triage sources tag 1 news 'two words'")
    ok("triage sources tag 1 --remove NEWS")
    ok("triage sources set 1 full_text=always password_command='pass show x' folders=a,b")
    ok("triage sources set 1 folders= allow_local=yes")
    ok("triage sources pause 1")
    source = json.loads(ok("triage sources show 1 --json"))
    assert source["tags"] == ["two words"]
    assert source["settings"] == {"full_text": "always", "password_command": "pass show x"}
    assert (source["allow_local"], source["paused"]) == (True, "you paused it")
    assert "paused: you paused it" in ok("triage sources --failing")
    ok("triage sources resume 1")
    assert listed()[0]["paused"] is None


@pytest.mark.parametrize(
    "target",
    ["https://example.org/feed?a=1&b=it's", 'arxiv:all:"two words"', "imaps://me@host.example/INBOX"],
)
def test_a_removed_source_comes_back_as_it_was_by_the_line_that_the_removal_prints(
    paths: Paths, database: Database, target: str
) -> None:
    ok(f"triage add --no-check --tag news --tag 'two words' --title Mine {shlex.quote(target)}")
    ok("triage sources set 1 allow_local=yes interval_minutes=90")
    before = listed()
    code, out, err = triage("triage sources remove 1")
    assert (code, out, listed()) == (0, "removed: Mine\n", [])
    assert "triage undo does not" in err
    ok("triage add" + err.splitlines()[0].partition("triage add")[2])
    assert listed() == before


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("full_text=perhaps", "must be one of auto, always, never"),
        ("interval_minutes=5", "must be a number from 30 to 1440"),
        ("colour=red", "there is no setting 'colour'"),
        ("full_text", "write it as full_text=value"),
        ("password=hunter2", "a password itself is not stored"),
        ("key_env=\x1b[2J", "must be printable"),
    ],
)
def test_settings_that_make_no_sense(paths: Paths, database: Database, setting: str, says: str) -> None:
    stored_items(database, 2)
    code, _, err = triage(f"triage sources set 1 {shlex.quote(setting)}")
    assert (code, says in err) == (2, True), err
    assert "hunter2" not in err


def test_a_check_says_what_would_come_and_stores_nothing(site: LoopbackServer) -> None:
    ok(f"triage add --no-check --allow-local {site.url('/feed')}")
    before = listed()
    out = ok("triage sources check")
    for words in ("status 200", "RSS", "2 items", "asks for 6 h between fetches"):
        assert words in out
    assert "\x1b" not in out
    (report,) = json.loads(ok(f"triage sources check --json --allow-local {site.url('/other')}"))
    assert (report["id"], report["ok"], report["items"], report["validators"]) == (None, True, 2, True)
    assert listed() == before
    code, out, err = triage(f"triage sources check --allow-local {site.url('/missing')}")
    assert (code, "404" in out, "cannot be read" in err) == (1, True, True)


def test_names_and_numbers_are_completed_for_a_shell(paths: Paths, database: Database) -> None:
    from click.shell_completion import ShellComplete

    stored_items(database, 2)
    complete = ShellComplete(cli, {}, "triage", "_TRIAGE_COMPLETE")
    assert [item.value for item in complete.get_completions(["sources", "remove"], "")] == ["1", "2"]
    found = complete.get_completions(["sources", "show"], "Source 1")
    assert [(item.value, item.help) for item in found] == [("2", "Source 1")]
    assert [item.value for item in complete.get_completions([], "so")] == ["sources"]
    assert len(complete.get_completions([], "")) >= len(COMMANDS)


# ---------------------------------------------------------------- edit


@pytest.fixture
def editor(paths: Paths, database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program that rewrites the sheet with the sed script in the file that is returned; two sources."""
    stored_items(database, 2)
    script = tmp_path / "script.sed"
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"sed -i -f {script}")
    return script


def test_a_sheet_changes_what_was_changed_on_it(editor: Path) -> None:
    editor.write_text(
        r"""s|"~Source 0"|"news" "~My \\"own\\" name" full_text=never paused=yes|
$a https://new.example/feed fresh # a comment
/"~Source 1"/d
"""
    )
    out = ok("triage sources edit")
    for words in ("stopped: Source 1", "added: new.example", "paused", "full_text=never"):
        assert words in out
    first, new = listed()
    assert (first["title"], first["tags"], first["paused"]) == ('My "own" name', ["news"], "you paused it")
    assert first["settings"] == {"full_text": "never"}
    assert (new["target"], new["tags"]) == ("https://new.example/feed", ["fresh"])


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("s|full|full|", "Nothing was changed"),
        ("$s|$| full_text=perhaps|", "line 7: full_text must be one of"),
        ("$s|^ *2|1|", "line 7: the number 1 stands in line 6 already"),
        ("$s|^ *2|77|", "there is no source 77"),
        ("$s|https[^ ]*|exec:ls|", "line 7: nothing here can read 'exec:ls'"),
        ("$s|https[^ ]*|https://0.example/|", "line 7: https://0.example/ is a source already"),
        ("/^[^#]/d", "no source is left"),
    ],
)
def test_a_sheet_that_is_wrong_changes_nothing_and_is_kept(
    editor: Path, paths: Paths, script: str, says: str
) -> None:
    before = listed()
    editor.write_text(script + "\n")
    code, _, err = triage("triage sources edit")
    assert says in err
    assert listed() == before
    kept = list(paths.state.glob("sources-*.txt"))
    assert (code, len(kept)) == ((0, 0) if says == "Nothing was changed" else (1, 1))


def test_an_editor_that_fails_or_is_missing_changes_nothing(
    editor: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = listed()
    for command, says in (
        ("false", "ended with 1"),
        ("/no/such", "cannot be run"),
        ("rm", "the sheet is gone"),
    ):
        monkeypatch.setenv("EDITOR", command)
        code, _, err = triage("triage sources edit")
        assert code in (1, 2)
        assert says in err
    assert listed() == before


def test_many_lines_taken_out_need_a_word(paths: Paths, editor: Path) -> None:
    """DB-21."""
    for number in range(4):
        ok(f"triage add --no-check https://x{number}.example/")
    editor.write_text("/x[0-9].example/d\n")
    code, _, err = triage("triage sources edit")
    assert (code, "this stops 4 sources" in err) == (1, True)
    assert len(listed()) == 6
    ok("triage sources edit --yes")
    assert len(listed()) == 2
