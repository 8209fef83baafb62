"""The log: two forms of one record, and no secret in either, whoever puts it there."""

from __future__ import annotations

import json
import logging
import stat
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from loopback import LoopbackServer, Route
from world import NOW

from ingestors.feeds import FeedIngestor
from ingestors.secrets import secret
from triage import logs
from triage.config import Config
from triage.core.redaction import redact
from triage.logs import SafeFormatter
from triage.services.fetching import ingest, sources
from triage.store.engine import Database

CANARY = "c4n4ry/S3+cret"


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        (f"cannot open https://ada:{CANARY}@host.example/feed", "host.example/feed"),
        ("cannot open https://ada:p@ss@c4n4ry@host.example/feed", "host.example/feed"),
        ("cannot open https://ada:c4n4ry?x#y@host.example/feed", "host.example/feed"),
        (f"GET https://host.example/feed?u=1&auth={CANARY} failed", "https://host.example/feed?*** failed"),
        (f"GET https://host.example:80/feed?mail=a@b.example&k={CANARY} failed", "failed"),
        (f"('https://host.example/#access_token={CANARY}',)", "host.example"),
        (f"access_token={CANARY}&n=2", "n=2"),
        (f"apikey={CANARY}, next", "next"),
        (f"{{'password': '{CANARY} x', 'user': 'ada'}}", "'user': 'ada'"),
        (f'{{"client_secret":"{CANARY}","user":"ada"}}', '"user":"ada"'),
        (f"Authorization: Bearer {CANARY}", "Authorization"),
        (f"{{'Authorization': 'Basic {CANARY}==', 'Accept': '*/*'}}", "'Accept': '*/*'"),
        (f"Cookie: a=1; session={CANARY}", "Cookie"),
        (f"the server said: bearer {CANARY} is no token", "is no token"),
        (f"AUTH PLAIN failed, password: {CANARY}", "failed"),
    ],
)
def test_secrets_are_hidden_in_all_their_forms(text: str, stays: str) -> None:
    """PRV-03, PAP-07."""
    found = redact(text)
    assert "c4n4ry" not in found
    assert "S3" not in found
    assert stays in found


@pytest.mark.parametrize(
    "text",
    [
        "https://social.example/@ada/1234 answered 404",
        "password_command: 'pass' failed (exit 1)",
        "the environment variable MAIL_PASSWORD (password_env) is not set",
        "source 3 (Basic Instincts): 2 new",
        "ada@host.example refused the login of ada@example.org",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


EVERY_PATH = f"""
import asyncio, logging, os, sys, threading, warnings
from pathlib import Path
from triage import logs

os.umask(0)
logs.MAX_BYTES = 4_000
logs.to_file(Path(sys.argv[1]), sys.argv[2])
log = logging.getLogger("triage.test")
url = "https://ada:{CANARY}@host.example/feed?key={CANARY}"
log.info("asked %s", url)
log.info("asked", extra={{"event": "asked", "address": url, "source": 3, "seconds": 0.5}})
log.info("a title\\n2026-01-01 00:00:00+0000 ERROR triage forged \\x1b]52;c;YQ==\\x07")
try:
    raise ValueError(url, {{"password": "{CANARY}"}})
except ValueError:
    log.exception("failed at %s", url)
log.warning("%d", url)  # a mistake in the call
warnings.warn("token={CANARY}")
thread = threading.Thread(target=lambda: (_ for _ in ()).throw(ValueError(url)))
thread.start()
thread.join()

async def forgotten():
    asyncio.get_running_loop().call_exception_handler({{"message": "lost", "exception": ValueError(url)}})

asyncio.run(forgotten())
for n in range(100):
    log.info("line %d", n)
raise SystemError(url)
"""


@pytest.mark.parametrize("form", ["plain", "json"])
def test_whatever_is_logged_or_escapes_is_redacted(tmp_path: Path, form: str) -> None:
    """PRV-03, PRV-04."""
    file = tmp_path / "daemon.log"
    command = [sys.executable, "-W", "always", "-c", EVERY_PATH, str(file), form]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    written = sorted(tmp_path.glob("daemon.log*"), reverse=True)
    assert len(written) > 1, "it was rotated"
    assert all(stat.S_IMODE(each.stat().st_mode) == 0o600 for each in written)
    text = "".join(each.read_text() for each in written)
    for place in (text, done.stderr):
        assert "c4n4ry" not in place
        assert "\x1b" not in place
    assert "a line of the log is lost (TypeError, triage.test)" in done.stderr
    assert "SystemError" in done.stderr
    assert "SystemError" in text
    lines = text.splitlines()
    if form == "plain":
        assert not [line for line in lines if line.startswith("2026-01-01")], "a title is no record"
        return
    found = [json.loads(line) for line in lines]
    assert all(datetime.fromisoformat(each["time"]).tzinfo is not None for each in found)
    assert {each["level"] for each in found} <= {"info", "warning", "error", "critical"}


def test_both_forms_are_shown_alike(tmp_path: Path) -> None:
    record = logging.LogRecord("triage.x", logging.WARNING, "", 0, "source %d: %s", (3, "no answer"), None)
    vars(record).update(event="fetched", source=3, seconds=1.5, error=None)
    file = tmp_path / "daemon.log"
    plain, as_json = SafeFormatter("plain").format(record), SafeFormatter("json").format(record)
    told = json.loads(as_json)
    assert (told["event"], told["source"], told["seconds"], told["error"]) == ("fetched", 3, 1.5, None)
    assert plain.endswith("WARNING triage.x source 3: no answer")
    (tmp_path / "daemon.log.1").write_text("an older line\n")
    file.write_text(f'{plain}\n    its traceback\n{as_json}\n{{"cut of\n')
    assert logs.tail(file, 9) == ["an older line", f"{plain}\n    its traceback", plain, '{"cut of']
    assert logs.tail(file, 2) == [plain, '{"cut of']
    assert logs.tail(tmp_path / "missing", 9) == []


def test_a_journal_gets_a_priority_in_place_of_the_time() -> None:
    record = logging.LogRecord("triage.x", logging.ERROR, "", 0, "two\nlines", None, None)
    assert SafeFormatter(in_journal=True).format(record) == "<3>two lines"
    assert SafeFormatter("json", in_journal=True).format(record).startswith('<3>{"time"')


def no_canary(records: list[logging.LogRecord]) -> bool:
    written = [SafeFormatter(form).format(record) for record in records for form in ("plain", "json")]
    return not any("c4n4ry" in line or "S3%2B" in line for line in written)


async def test_no_failure_of_a_source_brings_its_secret_into_the_log_or_the_database(
    database: Database,
    server: LoopbackServer,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """PRV-03, PAP-07."""
    caplog.set_level(logging.DEBUG)
    plain = server.url("/x").removeprefix("http://").partition("/")[0]
    server.routes |= {
        f"/500?key={CANARY}": Route(b"", status=500),
        f"/html?key={CANARY}": Route(b"<html>no feed</html>"),
        f"/away?key={CANARY}": Route(status=302, headers={"location": f"ftp://ada:{CANARY}@host.example/"}),
    }
    for path in ("500", "html", "away", "missing"):
        options = {"password_command": f"echo {CANARY}"}
        target = f"http://c4n4ry@{plain}/{path}?key={CANARY}"
        sources.add(database, lambda: NOW, target, allow_local=True, options=options)
    reports = await ingest.sync(database, Config(), lambda: NOW)
    assert all(report.error for report in reports)

    async def broken(self: FeedIngestor, request: object, tools: object) -> None:
        raise ValueError(request)

    monkeypatch.setattr(FeedIngestor, "fetch", broken)
    await ingest.sync(database, Config(), lambda: NOW + timedelta(hours=2), only=[1])
    assert any(record.exc_info for record in caplog.records)
    assert no_canary(caplog.records)
    with database.read() as connection:
        errors = connection.exec_driver_sql("SELECT last_error FROM source").scalars().all()
    assert not [error for error in errors if "c4n4ry" in error]


async def test_what_a_command_printed_is_hidden_whoever_quotes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """PRV-03: a server may repeat a password in words that no pattern knows."""
    monkeypatch.setenv("MINE", "correct horse battery")
    assert await secret({"password_env": "MINE"}, "password") == "correct horse battery"
    assert logs.safe("NO login: correct horse battery is wrong") == "NO login: *** is wrong"
    assert logs.safe("/correct%20horse%20battery/feed") == "/***/feed"
