from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from command_line import triage

from triage import config
from triage.paths import Paths
from triage.services.upkeep import settings


def shown(name: str) -> dict[str, object]:
    found: list[dict[str, object]] = json.loads(triage("triage config show --json")[1])
    return next(setting for setting in found if setting["name"] == name)


def test_every_setting_is_shown_with_who_gave_it(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    paths.config_file.write_text("[digest]\nminutes = 25\n")
    monkeypatch.setenv("TRIAGE_ARXIV_URL", "http://127.0.0.1:1/")
    assert shown("digest.minutes") == {"name": "digest.minutes", "value": 25.0, "origin": "file"}
    assert shown("digest.window_days")["origin"] == "default"
    assert shown("services.arxiv.url")["origin"] == "environment"
    assert "digest.minutes" in triage("triage config show")[1]


def test_a_setting_is_changed_and_comments_stay(paths: Paths) -> None:
    paths.config_file.write_text("# mine\n[digest]\nminutes = 25  # after coffee\n")
    assert triage("triage config set digest.minutes 40")[0] == 0
    assert triage("triage config set services.openalex.key_env OPENALEX_KEY")[0] == 0
    text = paths.config_file.read_text()
    assert triage("triage config set digest.at 07:30")[0] == 0
    assert config.load(paths.config_file).digest.at == "07:30"
    assert 'such as "07:00", not "7"' in triage("triage config set digest.at 7")[2]
    assert "# mine" in text
    assert "minutes = 40  # after coffee" in text
    assert config.load(paths.config_file).services["openalex"].key_env == "OPENALEX_KEY"
    assert stat.S_IMODE(paths.config_file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("digest.minutes many", "must be a number, not text"),
        ("digest.minutes 0", "above 0"),
        ("digest.minuts 5", "did you mean digest.minutes"),
        ("minutes 5", "triage config show"),
        ("keys.lik z", "there is no action lik; did you mean like?"),
        ("keys.like d", "keys.like stays as it was: d is the key of dislike already"),
        ("keys.like 55", "there is no key"),
        ("daemon.metrics ~nobody-of-that-name/x", "daemon.metrics: "),
        ("daemon.metrics '\"a\\u0000b\"'", "without a null character"),
        ("tui.mouse maybe", "must be true or false"),
        ("digest.minutes.more 5", "must be a number, not a table"),
    ],
)
def test_what_cannot_be_is_refused_and_the_file_stays(paths: Paths, line: str, says: str) -> None:
    before = paths.config_file.read_text()
    code, _, err = triage(f"triage config set {line}")
    assert code == 2
    assert says in err
    assert paths.config_file.read_text() == before


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[digest]\n\nminuts = 5\n", "line 3"),
        ("[digest]\nminutes = \n", "line 2"),
        ("\n[digst]\n", "line 2"),
        ("[services.arxif]\nurl = 'x'\n", "line 1"),
    ],
)
def test_an_error_names_file_and_line(paths: Paths, text: str, line: str) -> None:
    paths.config_file.write_text(text)
    code, _, err = triage("triage config check")
    assert code == 2
    assert line in err
    assert str(paths.config_file) in err
    assert "triage config edit" in err


def test_the_editor_may_not_save_what_cannot_be_used(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "%s\\n" "[digest]" "minutes = $MINUTES" > "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    monkeypatch.setenv("MINUTES", "12")
    assert triage("triage config edit")[0] == 0
    assert config.load(paths.config_file).digest.minutes == 12
    monkeypatch.setenv("MINUTES", "soon")
    assert triage("triage config edit")[0] == 2
    assert config.load(paths.config_file).digest.minutes == 12


def test_the_list_of_all_settings_is_itself_a_file_of_settings(paths: Paths) -> None:
    paths.config_file.unlink()
    text = settings.text_of(paths.config_file)
    assert config.parse(text, paths.config_file) == config.Config()
    assert "# minutes = 15.0" in text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = " + "[" * 5000, "nested too deeply"),
        ("[digest]\nminutes = " + "9" * 5000, "limit"),
        ("# " + "x" * config.MAX_FILE, "larger than 1 MiB"),
        ("\udcff", "can't decode"),
    ],
)
def test_a_file_that_is_no_settings_is_named_whatever_it_holds(paths: Paths, text: str, says: str) -> None:
    paths.config_file.write_bytes(text.encode(errors="surrogateescape"))
    code, _, err = triage("triage status")
    assert code == 2
    assert says in err
    assert triage("triage config set digest.minutes 5")[0] == 2


def test_settings_that_are_a_pipe_are_not_waited_for(paths: Paths) -> None:
    paths.config_file.unlink(missing_ok=True)
    os.mkfifo(paths.config_file)
    for line in ("status", "config set digest.minutes 5"):
        code, _, err = triage(f"triage {line}")
        assert code == 2
        assert "not a regular file" in err


def test_a_value_that_no_number_can_be_is_a_text(paths: Paths) -> None:
    assert triage(f"triage config set notify.command {'9' * 5000}")[0] == 0
    assert config.load(paths.config_file).notify.command == "9" * 5000
