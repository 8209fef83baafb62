"""The commands as a shell sees them: their output and their exit codes."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest
from loopback import LoopbackServer, Route

from triage.cli.main import main
from triage.paths import Paths

FEED = b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour Notes</title>
<item><guid>1</guid><title>Tides of the week</title><link>https://post.example/1</link>
<description>The spring tide will reach the upper steps on Friday.</description></item>
<item><guid>2</guid><title>x [/] [@click=app.quit]y[/]</title>
<description>Escape &#x9b;31m artists perform on the quay.</description></item>
<item><guid>3</guid><title>Fishing quota</title><description>Herring boats stay in port.</description></item>
</channel></rss>"""


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def triage(*arguments: str) -> Done:
    """One command through the real entry point, in this process: a new one would import for a second."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["triage", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as left,
    ):
        main()
    code = left.value.code
    return Done(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """One command as a process of its own."""
    command = [sys.executable, "-m", "triage", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def synced_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one feed, synced and ranked; tests work on copies of it."""
    home = tmp_path_factory.mktemp("synced")
    with pytest.MonkeyPatch.context() as environment, LoopbackServer({"/feed": Route(FEED)}) as server:
        environment.setenv("TRIAGE_HOME", str(home))
        paths = Paths.of()
        paths.create()
        paths.config_file.write_text('[model]\nencoder = "/nonexistent"\n')
        assert triage("add", "--no-check", "--allow-local", server.url("/feed")).returncode == 0
        synced = triage("sync")
        assert (synced.returncode, "3 new" in synced.stdout) == (0, True), synced.stderr
    return home


@pytest.fixture
def harbour(synced_home: Path) -> Paths:
    """A reader's home with three items on a harbour."""
    home = Path(os.environ["TRIAGE_HOME"])
    shutil.copytree(synced_home, home, dirs_exist_ok=True)
    return Paths.of()


def test_a_mark_is_learned_and_undone(harbour: Paths) -> None:
    shown = json.loads(triage("digest", "--json").stdout)
    tides = next(item for item in shown["items"] if item["title"] == "Tides of the week")

    marked = triage("mark", str(tides["id"]), "like")
    assert marked.returncode == 0, marked.stderr
    assert "liked: Tides of the week" in marked.stdout
    liked = json.loads(triage("digest", "--json").stdout)
    assert liked["items"][0]["id"] == tides["id"]
    assert liked["labels"] == 1

    why = json.loads(triage("why", str(tides["id"]), "--json").stdout)
    assert sum(row["contribution"] for row in why["why"]) == pytest.approx(why["score"], abs=1e-5)

    undone = triage("undo")
    assert "undone: liked: Tides of the week" in undone.stdout
    after = json.loads(triage("digest", "--json").stdout)
    assert after["items"] == shown["items"]
    assert after["profile"] == shown["profile"]


def test_listings_are_text_or_json_lines(harbour: Paths) -> None:
    lines = [json.loads(line) for line in triage("list", "--jsonl").stdout.splitlines()]
    assert len(lines) == 3
    assert {line["schema_version"] for line in lines} == {1}
    assert [item["title"] for item in json.loads(triage("search", "herr", "--json").stdout)] == [
        "Fishing quota"
    ]
    assert json.loads(triage("sources", "--json").stdout)[0]["items"] == 3


def test_hostile_text_is_shown_literally(harbour: Paths) -> None:
    """TUI-01."""
    for command in (["digest"], ["list"], ["show", "2"], ["why", "2"], ["sources"]):
        done = triage(*command)
        assert done.returncode == 0, done.stderr
        assert not {"\x1b", "\x9b", "\x07"} & set(done.stdout)
    assert "x [/] [@click=app.quit]y[/]" in triage("list").stdout


def test_a_failed_source_is_exit_code_3_and_the_rest_is_stored(paths: Paths, server: LoopbackServer) -> None:
    server.routes["/feed"] = Route(FEED)
    for path in ("/feed", "/missing"):
        triage("add", "--no-check", "--allow-local", server.url(path))
    done = process("sync")
    assert done.returncode == 3
    assert "3 new" in done.stdout
    assert "1 source of 2 failed" in done.stderr
    assert "try: triage sources" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["mark", "77", "like"], 2, "no item 77"),
        (["mark", "1", "adore"], 2, "adore"),
        (["digset"], 2, "try: triage digest"),
        (["like", "12"], 2, "try: triage mark ID like"),
        (["sources", "add", "x"], 2, "try: triage add URL"),
        (["rules", "ls"], 2, "try: triage rules\n"),
        (["db", "bakup"], 2, "try: triage db backup"),
        (["daemon", "xyz"], 2, "try: triage daemon --help"),
        (["digest"], 1, "nothing to read yet"),
        (["sync"], 1, "no sources yet"),
        (["undo"], 1, "nothing to undo"),
        (["add", "/no/such/thing"], 2, "no file or folder"),
        (["show", "5"], 2, "no item 5"),
        (["interests", "add", "bees", "--weight", "99"], 2, "between -10 and 10"),
    ],
)
def test_errors_say_what_to_do(paths: Paths, arguments: list[str], code: int, says: str) -> None:
    done = triage(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_configuration_names_the_setting(paths: Paths) -> None:
    """DB-21."""
    paths.config_file.write_text("[digest]\nminuets = 5\n")
    done = triage("digest")
    assert done.returncode == 2
    assert "did you mean digest.minutes?" in done.stderr
    paths.config_file.write_text("[digest\n")
    assert "config.toml" in triage("digest").stderr


def test_a_home_that_cannot_be_used_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-07, DB-19."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "file"))
    done = triage("sources")
    assert done.returncode == 2
    assert "TRIAGE_HOME" in done.stderr


def test_a_closed_pipe_is_no_error(harbour: Paths) -> None:
    command = f"{sys.executable} -m triage list | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_folders_and_files_are_the_readers_alone(harbour: Paths, synced_home: Path) -> None:
    """PRV-04."""
    paths = Paths.under(synced_home)
    for path in (paths.data, paths.state, paths.database, paths.digest):
        assert path.stat().st_mode & 0o077 == 0, path


def test_interests_are_learned_and_listed(harbour: Paths) -> None:
    assert triage("interests", "add", "herring boats").returncode == 0
    assert json.loads(triage("digest", "--json").stdout)["items"][0]["title"] == "Fishing quota"
    (listed,) = json.loads(triage("interests", "--json").stdout)
    assert (listed["phrase"], listed["weight"]) == ("herring boats", 1.0)
    assert "no longer an interest" in triage("interests", "remove", "herring boats").stdout
    assert json.loads(triage("interests", "--json").stdout) == []


def test_the_doctor_names_what_is_wrong(paths: Paths) -> None:
    done = triage("doctor", "--json")
    assert done.returncode == 0, done.stderr
    checks = {check["name"]: check for check in json.loads(done.stdout)}
    assert checks["encoder"]["verdict"] == "warning"
    assert checks["database"]["fix"] == "triage add URL-OR-PATH"
    paths.database.write_bytes(b"not a database at all, but long enough to be looked at" * 50)
    broken = triage("doctor")
    assert broken.returncode == 1
    assert "BAD   database" in broken.stdout


def test_help_and_version_need_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_HOME", str(tmp_path / "none"))
    assert "Say what you think:" in process("--help").stdout
    assert process("--version").stdout.startswith("triage, version")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        ("0<&-", 0, ""),
        ("1>&-", 0, ""),
        ("2>&-", 0, ""),
        ("1>/dev/full", 1, "triage: No space left on device\n"),
    ],
)
def test_streams_that_are_closed_or_full(harbour: Paths, redirection: str, code: int, said: str) -> None:
    """DB-19."""
    command = f"{sys.executable} -m triage {redirection}"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (code, said)


def test_a_terminal_without_our_characters_gets_others(
    harbour: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DB-19."""
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    done = process("show", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Escape ?31m artists" in done.stdout


@pytest.mark.parametrize(
    "command",
    [("digest", "--minutes", "nan"), ("show", "1" + "0" * 30), ("mark", "9223372036854775808", "like")],
)
def test_odd_numbers_are_wrong_usage(harbour: Paths, command: tuple[str, ...]) -> None:
    done = triage(*command)
    assert done.returncode == 2
    assert done.stderr.startswith("triage: ")


@pytest.mark.parametrize("now", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z"])
def test_a_clock_of_another_age_is_wrong_usage(
    harbour: Paths, monkeypatch: pytest.MonkeyPatch, now: str
) -> None:
    monkeypatch.setenv("TRIAGE_NOW", now)
    assert triage("status").returncode == 2


def test_a_time_zone_of_another_world_is_wrong_usage(harbour: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "<+99>-99")
    done = triage("digest")
    assert done.returncode == 2
    assert "TZ=<+99>-99" in done.stderr


def test_the_home_of_nobody_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_HOME", "~nobody-of-that-name/triage")
    assert triage("paths").returncode == 2


def test_the_folders_to_remove_hold_all_that_there_is(paths: Paths) -> None:
    folders = triage("paths", "--folders").stdout.splitlines()
    assert folders == [str(paths.config), str(paths.data), str(paths.cache), str(paths.state)]
    shutil.rmtree(paths.cache)
    assert json.loads(triage("paths", "--folders", "--json").stdout) == [
        folder for folder in folders if folder != str(paths.cache)
    ]
