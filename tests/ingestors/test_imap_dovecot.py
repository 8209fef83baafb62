"""IMAP against a real Dovecot: what comes in, what comes in twice, and that nothing is changed there."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator, Mapping

import dovecot
import pytest
from dovecot import Dovecot

from ingestors.base import FetchRequest, FetchResult, JsonValue, Tools
from ingestors.imap import ImapIngestor
from ingestors.testing import check_result


@pytest.fixture(scope="module")
def running() -> Iterator[Dovecot]:
    if shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None:
        pytest.skip("there is no Dovecot here: apt-get install dovecot-imapd")
    with dovecot.running() as server:
        yield server


@pytest.fixture
def server(running: Dovecot, monkeypatch: pytest.MonkeyPatch) -> Dovecot:
    monkeypatch.setenv("MAIL_PASSWORD", dovecot.PASSWORD)
    monkeypatch.setenv("SSL_CERT_FILE", str(running.certificate))
    running.empty()
    return running


def _mail(name: str, text: str = "Hello.", headers: str = "") -> bytes:
    return (
        f"From: Bob <bob@example.org>\nTo: {dovecot.USER}\nSubject: Mail {name}\n"
        f"Message-ID: <{name}@example.org>\n"
        f"Date: Tue, 03 Nov 2026 08:00:00 +0000\n{headers}\n{text}\n"
    ).encode()


def _request(server: Dovecot, cursor: Mapping[str, JsonValue], **options: JsonValue) -> FetchRequest:
    settings = {"password_env": "MAIL_PASSWORD", **options}
    return FetchRequest(target=server.target(), cursor=cursor, allow_local=True, options=settings)


async def _fetch(
    server: Dovecot, tools: Tools, cursor: Mapping[str, JsonValue] | None = None, **options: JsonValue
) -> FetchResult:
    request = _request(server, cursor or {}, **options)
    result = await ImapIngestor().fetch(request, tools)
    check_result(request, result)
    assert result.error is None, result.error
    assert result.refusals == ()
    return result


def _names(result: FetchResult) -> list[str]:
    return sorted(entry.key.partition("@")[0] for entry in result.entries)


def _number(result: FetchResult, name: str) -> int:
    folders = result.cursor["folders"]
    assert isinstance(folders, dict)
    inbox = folders["INBOX"]
    assert isinstance(inbox, dict)
    number = inbox[name]
    assert isinstance(number, int)
    return number


async def test_first_fetch_new_mail_and_no_flag_changed(server: Dovecot, tools: Tools) -> None:
    server.deliver(_mail("a"), _mail("b"))
    with server.connect() as client:
        client.select_folder("INBOX")  # takes \Recent away, and keeps it away from us
        client.add_flags(1, [b"\\Seen", b"\\Flagged"])
    before = server.flags()
    first = await _fetch(server, tools)
    second = await _fetch(server, tools, first.cursor)
    assert server.flags() == before
    assert (_names(first), second.not_modified) == (["a", "b"], True)
    assert first.entries[0].flags == {"to-me"}
    # CONDSTORE is announced after the login only, and counts once it is enabled.
    assert _number(first, "modseq") > 0
    server.deliver(_mail("c"))
    before = server.flags()
    third = await _fetch(server, tools, second.cursor)
    assert _names(third) == ["c"]
    assert server.flags() == before
    assert not any(b"\\Seen" in flags for uid, flags in before.items() if uid > 1)


async def test_three_hundred_mails(server: Dovecot, tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestors.imap_reading.PORTION_MAILS", 200)
    names = [f"{number:03}" for number in range(300)]
    for name in names:  # into the Maildir: faster than APPEND
        server.drop(_mail(name))
    before = server.flags()
    first = await _fetch(server, tools)
    second = await _fetch(server, tools, first.cursor)
    third = await _fetch(server, tools, second.cursor)
    assert (first.more, second.more, third.not_modified) == (True, False, True)
    assert len(first.entries) == 200
    assert sorted(_names(first) + _names(second)) == names
    assert server.flags() == before


async def test_a_new_uidvalidity_doubles_and_loses_nothing(server: Dovecot, tools: Tools) -> None:
    """MAIL-01: the folder is deleted and restored from a backup, with one mail more."""
    validities = []
    cursor: Mapping[str, JsonValue] = {}
    for mails, expected in ([["a", "b"], ["a", "b"]], [["new", "b", "a"], ["new"]], [["a"], []]):
        with server.connect() as client:
            if client.folder_exists("Lists"):
                client.delete_folder("Lists")
            client.create_folder("Lists")
            validities.append(client.folder_status("Lists")[b"UIDVALIDITY"])
        server.deliver(*(_mail(name) for name in mails), folder="Lists")
        result = await _fetch(server, tools, cursor, folders=["Lists"])
        assert _names(result) == expected
        cursor = result.cursor
    assert len(set(validities)) == 3
    assert (await _fetch(server, tools, cursor, folders=["Lists"])).not_modified


async def test_a_renamed_folder_is_named_and_its_mails_come_once(server: Dovecot, tools: Tools) -> None:
    with server.connect() as client:
        client.create_folder("Zürich & Co")
    server.deliver(_mail("a"), folder="Zürich & Co")
    first = await _fetch(server, tools, folders=["INBOX", "Zürich & Co"])
    assert _names(first) == ["a"]
    with server.connect() as client:
        client.rename_folder("Zürich & Co", "Archiv")
    request = _request(server, first.cursor, folders=["INBOX", "Zürich & Co"])
    missing = await ImapIngestor().fetch(request, tools)
    assert [refusal.name for refusal in missing.refusals] == ["Zürich & Co"]
    assert "Archiv" in missing.refusals[0].reason
    renamed = await _fetch(server, tools, missing.cursor, folders=["INBOX", "Archiv"])
    assert renamed.entries == ()


async def test_deleted_mails_leave_no_trace(server: Dovecot, tools: Tools) -> None:
    server.deliver(_mail("a"), _mail("b"), _mail("c"))
    first = await _fetch(server, tools)
    with server.connect() as client:
        client.select_folder("INBOX")
        client.delete_messages([1, 3])
        client.expunge()
    server.deliver(_mail("d"), _mail("marked"))
    with server.connect() as client:
        client.select_folder("INBOX")
        client.delete_messages([5])
    assert _names(await _fetch(server, tools, first.cursor)) == ["d"]


async def test_replies_to_what_the_reader_sent_are_marked(server: Dovecot, tools: Tools) -> None:
    server.deliver(_mail("mine"), folder="Sent")
    reply = _mail("reply", headers="In-Reply-To: <mine@example.org>\n")
    server.deliver(reply, _mail("other", headers="In-Reply-To: <theirs@example.org>\n"))
    result = await _fetch(server, tools)
    flags = {entry.title: entry.flags for entry in result.entries}
    assert flags == {"Mail reply": {"to-me", "reply-to-me"}, "Mail other": {"to-me"}}
    assert "mine" not in _names(result)


async def test_a_mail_with_endless_header_fields_hides_no_other(server: Dovecot, tools: Tools) -> None:
    """MAIL-10: some fields are asked for before it is fetched, and they must not use up what all may send."""
    endless = _mail("endless").replace(b"Subject: ", b"Subject: " + b"much " * 200_000)
    server.drop(endless)
    server.drop(_mail("honest"))
    request = _request(server, {})
    result = await ImapIngestor().fetch(request, tools)
    check_result(request, result)
    assert result.error is None
    assert "honest" in _names(result)
    assert [refusal.reason for refusal in result.refusals] == [
        "only its headers were read: its headers are larger than 256 KB"
    ]
    assert (await ImapIngestor().fetch(_request(server, result.cursor), tools)).not_modified


async def test_only_the_last_days_on_request(server: Dovecot, tools: Tools) -> None:
    server.drop(_mail("old"), age_days=40)
    server.drop(_mail("young"))
    first = await _fetch(server, tools, days=30)
    assert _names(first) == ["young"]
    assert (await _fetch(server, tools, first.cursor, days=30)).not_modified


async def test_a_new_mail_is_pushed(server: Dovecot, tools: Tools) -> None:
    """MAIL-03"""
    server.deliver(_mail("a"))
    first = await _fetch(server, tools)
    waiting = asyncio.create_task(ImapIngestor().watch(_request(server, first.cursor)))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    server.deliver(_mail("b"))
    assert await asyncio.wait_for(waiting, 10) is None
    assert _names(await _fetch(server, tools, first.cursor)) == ["b"]


async def test_a_killed_session_is_noticed_and_the_next_fetch_goes_on(server: Dovecot, tools: Tools) -> None:
    server.deliver(_mail("a"))
    first = await _fetch(server, tools)
    waiting = asyncio.create_task(ImapIngestor().watch(_request(server, first.cursor)))
    async with asyncio.timeout(20):
        while not server.sessions():  # noqa: ASYNC110  only the server knows of them
            await asyncio.sleep(0.05)
    for pid in server.sessions():
        os.kill(pid, signal.SIGKILL)
    error = await asyncio.wait_for(waiting, 10)
    assert error is not None
    assert error.kind == "network"
    server.deliver(_mail("b"))
    assert _names(await _fetch(server, tools, first.cursor)) == ["b"]


async def test_a_wrong_password_is_refused_once(
    server: Dovecot, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-17"""
    monkeypatch.setenv("MAIL_PASSWORD", "wrong-canary")
    result = await ImapIngestor().fetch(_request(server, {}), tools)
    assert result.error is not None
    assert result.error.kind == "denied"
    assert "wrong-canary" not in result.error.message
