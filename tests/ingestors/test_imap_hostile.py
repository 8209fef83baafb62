"""IMAP against a server that lies, breaks off, injects and floods. Cases: MAIL-02 to 09, 17, 18; PRV-03."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
import trustme
from scripted_imap import MAILS, ScriptedImap, Visit

from ingestors.base import FetchError, FetchRequest, FetchResult, JsonValue, Tools
from ingestors.imap import ImapIngestor
from ingestors.testing import check_claims, check_result

PASSWORD = "s3cret-canary"
READING = {
    "CAPABILITY",
    "AUTHENTICATE",
    "LOGIN",
    "STARTTLS",
    "ID",
    "ENABLE",
    "EXAMINE",
    "UID",
    "LIST",
    "IDLE",
}
READING |= {"NOOP", "LOGOUT", "NAMESPACE"}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    monkeypatch.setattr("ingestors.imap_reading.PAUSES_S", (0.0, 0.0))
    monkeypatch.setattr("ingestors.imap_wire.SILENCE_S", 1.0)


async def _fetch(
    target: str,
    tools: Tools,
    cursor: Mapping[str, JsonValue] | None = None,
    allow_local: bool = True,
    **options: JsonValue,
) -> FetchResult:
    settings = {"password_env": "MAIL_PASSWORD", **options}
    request = FetchRequest(target=target, cursor=cursor or {}, allow_local=allow_local, options=settings)
    result = await ImapIngestor().fetch(request, tools)
    check_result(request, result)
    shown = repr((result.error, result.refusals, result.cursor))
    assert PASSWORD not in shown
    assert "\x1b" not in shown
    return result


def _keys(result: FetchResult) -> list[str]:
    return sorted(entry.key.partition("@")[0] for entry in result.entries)


def _message(result: FetchResult) -> str:
    assert result.error is not None
    return result.error.message


def test_contract() -> None:
    check_claims(
        ImapIngestor(),
        [
            "imaps://ada@example.org",
            "imaps://ada%40example.org@imap.example.org:1993/Lists/python",
            "imap://ada@example.org@[::1]/",
        ],
    )


@pytest.mark.parametrize(
    ("target", "normalised"),
    [
        ("imaps://ada@imap.example.org", "imaps://ada@imap.example.org/INBOX"),
        ("imaps://ada@example.org@imap.example.org/a b", "imaps://ada%40example.org@imap.example.org/a%20b"),
        ("imaps://ada:secret@imap.example.org/", "imaps://ada@imap.example.org/INBOX"),
        ("imap://ada@imap.example.org:143/", "imap://ada@imap.example.org/INBOX"),
    ],
)
def test_a_target_is_normalised_and_loses_a_password(target: str, normalised: str) -> None:
    claim = ImapIngestor().claim(target)
    assert claim is not None
    assert claim.target == normalised


@pytest.mark.parametrize(
    "target",
    [
        "imaps://imap.example.org/",
        "imaps://ada@/x",
        "imaps://a%0d%0aA1@h/",
        "imaps://a@h/x%0d%0aA1%20DELETE",
        "x",
    ],
)
def test_what_is_no_target(target: str) -> None:
    """MAIL-08: a folder or a user with line breaks is nobody's."""
    assert ImapIngestor().claim(target) is None


async def test_an_honest_server_is_read_with_reading_commands_only(tools: Tools) -> None:
    with ScriptedImap() as server:
        result = await _fetch(server.target(), tools)
        again = await _fetch(server.target(), tools, result.cursor)
    assert _keys(result) == ["1", "2", "3"]
    assert result.entries[0].text == "The text of mail 3."
    assert again.not_modified
    assert {command.split()[0].upper() for command in server.commands if command[:4] != "AGFk"} <= READING
    assert not [line for line in server.log if "FETCH" in line and "PEEK" not in line]
    assert server.log[-1].endswith("LOGOUT")


async def test_a_private_address_is_not_dialled_unless_allowed(tools: Tools) -> None:
    with ScriptedImap() as server:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            result = await _fetch(server.target(host=host), tools, allow_local=False)
            assert result.error is not None
            assert result.error.kind == "blocked"
            assert "--allow-local" in result.error.message
    assert server.connections == 0


# ---------------------------------------------------------------- what a server may say


def _huge(literal: str) -> dict[str, object]:
    def body(visit: Visit, tag: str, line: str) -> bytes | None:
        visit.send(f"* 3 FETCH (UID 3 BODY[]<0> {{{literal}}}\r\nabc".encode())
        return None

    return {"BODY": body}


@pytest.mark.parametrize("literal", ["4294967295", "-1", "10", "9" * 5_000, "99999999999999999999", "x"])
async def test_a_literal_that_lies_about_its_size(tools: Tools, literal: str) -> None:
    """MAIL-05: nothing is allocated because a server announces it."""
    with ScriptedImap(script=_huge(literal)) as server:
        result = await _fetch(server.target(), tools)
    assert result.error is not None
    assert result.error.kind in ("too-large", "network", "parse")


def _flood(piece: bytes) -> object:
    def answer(visit: Visit, tag: str, line: str) -> bytes | None:
        while visit.send(piece * 1_000):
            pass
        return None

    return answer


@pytest.mark.parametrize("name", ["", "EXAMINE", "SEARCH", "SUMMARY", "BODY", "CAPABILITY", "AUTHENTICATE"])
@pytest.mark.parametrize("piece", [b"x" * 100, b"* OK still here\r\n", b"* 1 FETCH (FLAGS ())\r\n"])
async def test_an_endless_answer_ends(tools: Tools, name: str, piece: bytes) -> None:
    with ScriptedImap(script={name: _flood(piece)}) as server:  # type: ignore[dict-item]
        started = time.process_time()
        result = await _fetch(server.target(), tools)
    assert result.error is not None
    assert time.process_time() - started < 15


async def test_a_dripping_server_ends_with_the_deadline(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestors.imap_reading.DEADLINE_S", 0.5)

    def drip(visit: Visit, tag: str, line: str) -> bytes | None:
        while visit.send(b"*"):
            time.sleep(0.05)
        return None

    with ScriptedImap(script={"EXAMINE": drip}) as server:
        result = await _fetch(server.target(), tools)
    assert result.error is not None
    assert result.error.kind == "timeout"


@pytest.mark.parametrize("name", ["", "CAPABILITY", "AUTHENTICATE", "EXAMINE", "SEARCH", "SUMMARY", "BODY"])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n",
        b"A1 OK\r\n",
        b"zz99 OK not your tag\r\n",
        b"* BYE go away \x1b]52;c;AA\x07\r\n",
        b"+ go on\r\n* BAD\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"* 1 FETCH " + b"(" * 5_000 + b"\r\n",
        b"* SEARCH 1 2 x\r\n",
        b"* OK [UIDVALIDITY x]\r\n* x EXISTS\r\n",
        b"\xff\xfe\x00\x1b[2J\r\n",
    ],
)
async def test_what_is_no_imap_is_an_error(tools: Tools, name: str, answer: bytes) -> None:
    """Wrong tags, BYE, nesting, other protocols: at every step a clear error and no crash."""

    def say(visit: Visit, tag: str, line: str) -> bytes | None:
        visit.send(answer)
        return None

    with ScriptedImap(script={name: say}) as server:
        result = await _fetch(server.target(), tools)
    assert result.error is not None
    assert "127.0.0.1" in result.error.message


async def test_answers_about_other_mails_change_nothing(tools: Tools) -> None:
    """MAIL-06: EXISTS goes down, EXPUNGE and FETCH of other mails in the middle, an ALERT with escapes."""

    def noisy(visit: Visit, tag: str, line: str) -> bytes:
        noise = b"* 1 EXISTS\r\n* 2 EXPUNGE\r\n* OK [ALERT] \x1b[2Jhello\r\n"
        noise += b"* 9 FETCH (UID 9 BODY[]<0> {3}\r\nabc)\r\n* 3 FETCH (FLAGS (\\Seen))\r\n"
        return noise + visit.usual("BODY", tag, line)

    with ScriptedImap(script={"BODY": noisy}) as server:
        result = await _fetch(server.target(), tools)
    assert _keys(result) == ["1", "2", "3"]
    assert {entry.text[:8] for entry in result.entries} == {"The text"}


async def test_uids_out_of_order_twice_and_out_of_range(tools: Tools) -> None:
    def search(visit: Visit, tag: str, line: str) -> bytes:
        return f"* SEARCH 3 1 2 2 0 4294967296 99999999999 3\r\n{tag} OK done\r\n".encode()

    with ScriptedImap(script={"SEARCH": search}) as server:
        result = await _fetch(server.target(), tools)
        again = await _fetch(server.target(), tools, result.cursor)
    assert [entry.key for entry in result.entries] == [f"{n}@example.org" for n in (3, 2, 1)]
    assert again.entries == ()


async def test_a_mail_that_the_server_cannot_serve_hides_no_other(tools: Tools) -> None:
    def body(visit: Visit, tag: str, line: str) -> bytes:
        uids = visit.uids(line)
        if 2 in uids:
            return f"{tag} NO [SERVERBUG] cannot read mail 2\r\n".encode()
        return visit.usual("BODY", tag, line)

    with ScriptedImap(script={"BODY": body}) as server:
        result = await _fetch(server.target(), tools)
    assert _keys(result) == ["1", "3"]
    assert [(r.name, "SERVERBUG" in r.reason) for r in result.refusals] == [("INBOX, UID 2", True)]


async def test_deleted_mails_are_left_out(tools: Tools) -> None:
    def summary(visit: Visit, tag: str, line: str) -> bytes:
        parts = [visit.summary(uid, flags="\\Deleted" if uid == 2 else "") for uid in visit.uids(line)]
        return b"".join(parts) + f"{tag} OK done\r\n".encode()

    with ScriptedImap(script={"SUMMARY": summary}) as server:
        assert _keys(await _fetch(server.target(), tools)) == ["1", "3"]


async def test_a_size_that_lies_is_no_way_in(tools: Tools) -> None:
    """A server that says 10 bytes and sends 40 MB is cut off; one that says 4 GB costs nothing."""
    small = {1: MAILS[1], 2: MAILS[2][:-2] + b"x" * 40_000_000 + b"\r\n"}

    def summary(visit: Visit, tag: str, line: str) -> bytes:
        return visit.summary(2, size=10) + visit.summary(1, size=2**32) + f"{tag} OK done\r\n".encode()

    with ScriptedImap(small, {"SUMMARY": summary}) as server:
        result = await _fetch(server.target(), tools)
    assert result.error is not None
    assert result.error.kind == "too-large"


# ---------------------------------------------------------------- UIDVALIDITY


@pytest.mark.parametrize("validity", [0, None])
async def test_uids_without_validity_are_looked_at_anew_and_fetched_once(
    tools: Tools, validity: int | None
) -> None:
    """MAIL-02: every poll asks for the headers of all mails, and for the bodies of new ones only."""
    with ScriptedImap(validity=validity) as server:
        first = await _fetch(server.target(), tools)
        server.mails[9] = MAILS[1].replace(b"mail 1", b"mail 9").replace(b"<1@", b"<9@")
        server.log.clear()
        second = await _fetch(server.target(), tools, first.cursor)
    assert _keys(first) == ["1", "2", "3"]
    assert _keys(second) == ["9"]
    assert first.interval_s is not None
    assert len([line for line in server.log if "BODY.PEEK[]" in line]) == 1


async def test_a_new_validity_within_a_connection_starts_the_folder_anew(tools: Tools) -> None:
    """MAIL-02"""

    def replaced(visit: Visit, tag: str, line: str) -> bytes:
        answer = visit.usual("BODY", tag, line)
        if visit.number > 1:
            return answer
        visit.server.validity = 8
        visit.server.mails = {uid + 10: mail for uid, mail in visit.server.mails.items()}
        return b"* OK [UIDVALIDITY 8] replaced\r\n" + answer

    with ScriptedImap(script={"BODY": replaced}) as server:
        result = await _fetch(server.target(), tools)
    assert _keys(result) == ["1", "2", "3"]
    assert server.connections == 2


async def test_a_renumbered_folder_brings_what_is_new_and_nothing_twice(tools: Tools) -> None:
    """MAIL-01, scripted: the bodies of known mails are not even asked for."""
    with ScriptedImap() as server:
        first = await _fetch(server.target(), tools)
        server.validity = 8
        server.mails = {uid + 50: mail for uid, mail in MAILS.items()}
        server.mails[50] = MAILS[3].replace(b"mail 3", b"mail 4").replace(b"<3@", b"<4@")
        server.log.clear()
        second = await _fetch(server.target(), tools, first.cursor)
    assert _keys(second) == ["4"]
    assert [line.split("FETCH ")[1].split()[0] for line in server.log if "BODY.PEEK[]" in line] == ["50"]


async def test_a_borrowed_message_id_hides_no_mail(tools: Tools) -> None:
    with ScriptedImap() as server:
        first = await _fetch(server.target(), tools)
        server.mails[4] = MAILS[3].replace(b"The text", b"Another text, another")
        second = await _fetch(server.target(), tools, first.cursor)
    assert [entry.text for entry in second.entries] == ["Another text, another of mail 3."]


# ---------------------------------------------------------------- connections that end


async def test_a_connection_cut_at_any_byte_loses_and_doubles_nothing(tools: Tools) -> None:
    """MAIL-04: cut after the k-th byte of the bodies, once and for ever."""
    whole = sum(len(mail) + 40 for mail in MAILS.values())
    for limit in range(0, whole, 41):
        for ever in (False, True):

            def cut(visit: Visit, tag: str, line: str, limit: int = limit, ever: bool = ever) -> bytes | None:
                answer = visit.usual("BODY", tag, line)
                if visit.number > 1 and not ever:
                    return answer
                visit.send(answer[:limit])
                return None

            with ScriptedImap(script={"BODY": cut}) as server:
                result = await _fetch(server.target(), tools)
                assert server.connections == (3 if ever else 2)
                if ever:
                    assert result.error is not None
                    del server.script["BODY"]
                    result = await _fetch(server.target(), tools, result.cursor)
            assert _keys(result) == ["1", "2", "3"]
            assert {entry.text[-2:] for entry in result.entries} == {"1.", "2.", "3."}
            assert result.refusals == ()


async def test_what_came_before_the_cut_is_kept_and_the_rest_follows(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-04"""
    monkeypatch.setattr("ingestors.imap_reading._BATCH_MAILS", 1)

    def cut(visit: Visit, tag: str, line: str) -> bytes | None:
        return None if visit.uids(line) == [1] else visit.usual("BODY", tag, line)

    with ScriptedImap(script={"BODY": cut}) as server:
        first = await _fetch(server.target(), tools)
        del server.script["BODY"]
        second = await _fetch(server.target(), tools, first.cursor)
    assert _keys(first) == ["2", "3"]
    assert "the rest follows" in first.refusals[0].reason
    assert not first.more
    assert _keys(second) == ["1"]


async def test_a_large_mailbox_comes_in_portions(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestors.imap_reading.PORTION_MAILS", 4)
    monkeypatch.setattr("ingestors.imap_reading._BATCH_MAILS", 2)
    monkeypatch.setattr("ingestors.imap_reading._CHUNK", 3)
    text = MAILS[1].decode()
    mails = {
        uid: text.replace("mail 1", f"mail {uid}").replace("<1@", f"<{uid}@").encode() for uid in range(1, 12)
    }
    with ScriptedImap(mails) as server:
        cursor: Mapping[str, JsonValue] = {}
        found: list[str] = []
        for more in (True, True, False):
            result = await _fetch(server.target(), tools, cursor)
            assert result.more is more
            cursor = result.cursor
            found += [entry.key.partition("@")[0] for entry in result.entries]
            server.mails.setdefault(20, text.replace("<1@", "<20@").encode())
    assert found == ["11", "10", "9", "8", "7", "20", "6", "5", "4", "3", "2", "1"]


async def test_the_oldest_of_too_many_mails_are_left_out_and_named(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestors.imap_reading.MAX_BACKLOG", 2)
    with ScriptedImap() as server:
        first = await _fetch(server.target(), tools)
        second = await _fetch(server.target(), tools, first.cursor)
    assert _keys(first) == ["2", "3"]
    assert first.refusals[0].reason == "only the newest 2 of its 3 mails are read"
    assert second.not_modified


# ---------------------------------------------------------------- logging in


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return context


def _secrets_sent(server: ScriptedImap) -> list[str]:
    return [line for line in server.log if "LOGIN" in line or "AUTHENTICATE" in line or PASSWORD in line]


@pytest.mark.parametrize("implicit", [True, False])
async def test_tls_and_starttls(tools: Tools, tls: ssl.SSLContext, implicit: bool) -> None:
    capabilities = "IMAP4rev1 AUTH=PLAIN" + ("" if implicit else " STARTTLS")
    with ScriptedImap(tls=tls, implicit=implicit, capabilities=capabilities) as server:
        scheme = "imaps" if implicit else "imap"
        result = await _fetch(server.target(scheme=scheme, host="localhost"), tools)
    assert _keys(result) == ["1", "2", "3"]


async def test_a_certificate_of_another_name_is_refused(tools: Tools, tls: ssl.SSLContext) -> None:
    with ScriptedImap(tls=tls, implicit=True) as server:
        result = await _fetch(server.target(scheme="imaps", host="127.0.0.1"), tools)
    assert "certificate" in _message(result)
    assert server.log == []


async def test_no_password_goes_over_a_plain_line_to_a_stranger(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-07: without STARTTLS a server that is not local gets nothing, whatever the source permits."""
    monkeypatch.setattr("ingestors.imap_wire.Wire.is_local", False)
    with ScriptedImap() as server:
        result = await _fetch(server.target(), tools)
    assert "offers no TLS" in _message(result)
    assert _secrets_sent(server) == []


async def test_what_is_injected_before_tls_is_refused(tools: Tools, tls: ssl.SSLContext) -> None:
    """MAIL-07"""

    def inject(visit: Visit, tag: str, line: str) -> bytes:
        return f"{tag} OK go on\r\n* OK [CAPABILITY IMAP4rev1 AUTH=EVIL]\r\n".encode()

    with ScriptedImap(script={"STARTTLS": inject}, tls=tls, capabilities="IMAP4rev1 STARTTLS") as server:
        result = await _fetch(server.target(host="localhost"), tools)
    assert "clear text" in _message(result)
    assert _secrets_sent(server) == []


@pytest.mark.parametrize("greeting", [b"* PREAUTH welcome, ada\r\n", b"* OK x\r\n* PREAUTH y\r\n"])
async def test_a_session_without_a_login_is_refused(tools: Tools, greeting: bytes) -> None:
    """MAIL-07: PREAUTH keeps a client from asking for TLS."""
    with ScriptedImap(script={"": lambda *_: greeting}, capabilities="IMAP4rev1 STARTTLS") as server:
        result = await _fetch(server.target(), tools)
    assert result.error is not None
    assert not [line for line in server.log if "EXAMINE" in line]


def _refuse(words: str) -> object:
    def answer(visit: Visit, tag: str, line: str) -> bytes:
        visit.send(b"+ \r\n")
        said = visit.readline()
        return f"{tag} NO {words.format(said=said, plain=PASSWORD)}\r\n".encode()

    return answer


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("[AUTHENTICATIONFAILED] wrong password", "denied"),
        ("[ALERT] Application-specific password required \x1b[2J", "denied"),
        ("[UNAVAILABLE] try later", "network"),
        ("I know your password, it is {plain}, you sent {said}", "denied"),
    ],
)
async def test_a_refused_login_is_tried_once_and_leaks_nothing(
    tools: Tools, words: str, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """MAIL-17, PRV-03: one attempt a fetch; the caller counts them."""
    caplog.set_level(logging.DEBUG)
    with ScriptedImap(script={"AUTHENTICATE": _refuse(words)}) as server:  # type: ignore[dict-item]
        result = await _fetch(server.target(), tools)
    assert result.error is not None
    assert result.error.kind == kind
    assert server.connections == 1
    encoded = base64.b64encode(f"\0ada\0{PASSWORD}".encode()).decode()
    assert encoded in server.log
    assert encoded not in result.error.message
    assert PASSWORD not in caplog.text
    assert encoded not in caplog.text


async def test_a_login_is_tried_without_reading_anything() -> None:
    """MAIL-09, MAIL-17: every folder is opened by EXAMINE, and a refusal is not repeated."""

    async def login(target: str, **options: JsonValue) -> FetchError | None:
        told = {"password_env": "MAIL_PASSWORD", **options}
        request = FetchRequest(target=target, cursor={}, allow_local=True, options=told)
        return await ImapIngestor().login(request)

    with ScriptedImap() as server:
        assert await login(server.target(), folders=["INBOX", "Lists"]) is None
        said = [line.split(" ", 1)[1] for line in server.log if " " in line]
    assert [line for line in said if "EXAMINE" in line] == ['EXAMINE "INBOX"', 'EXAMINE "Lists"']
    assert not [line for line in said if "SELECT" in line or "FETCH" in line or "SEARCH" in line]
    for script, kind in (
        ({"AUTHENTICATE": _refuse("wrong password")}, "denied"),
        ({"EXAMINE": lambda visit, tag, line: f"{tag} NO no such folder\r\n".encode()}, "not-found"),
    ):
        with ScriptedImap(script=script) as server:  # type: ignore[arg-type]
            error = await login(server.target())
            assert server.connections == 1
        assert error is not None
        assert error.kind == kind
    unset = await login(server.target(), password_env="NOT_SET")
    assert unset is not None
    assert "NOT_SET" in unset.message


async def test_login_where_the_server_knows_nothing_better(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", 'a "quoted\\ pass')
    with ScriptedImap(capabilities="IMAP4rev1") as server:
        result = await _fetch(server.target().replace("ada@", "ada%20l@"), tools)
    assert _keys(result) == ["1", "2", "3"]
    assert [line.split(" ", 1)[1] for line in server.log if "LOGIN" in line] == [
        r'LOGIN "ada l" "a \"quoted\\ pass"'
    ]


async def test_a_server_that_takes_no_passwords(tools: Tools) -> None:
    with ScriptedImap(capabilities="IMAP4rev1 LOGINDISABLED") as server:
        result = await _fetch(server.target(), tools)
    assert "token_command" in _message(result)
    assert _secrets_sent(server) == []


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
async def test_an_access_token_from_a_command(tools: Tools, mechanism: str) -> None:
    command = f"{sys.executable} -c \"print('token-123'); print('and a second line')\""
    with ScriptedImap(capabilities=f"IMAP4rev1 AUTH={mechanism}") as server:
        result = await _fetch(server.target(), tools, password_env=None, token_command=command)
    assert _keys(result) == ["1", "2", "3"]
    sent = [base64.b64decode(line) for line in server.log if " " not in line]
    assert len(sent) == 1
    assert b"auth=Bearer token-123\x01" in sent[0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"password_env": None}, "no password is set"),
        ({"password_env": "NOT_SET"}, "NOT_SET"),
        ({"password_env": None, "password_command": "false"}, "exit 1"),
    ],
)
async def test_a_password_that_is_not_found_is_named_by_its_option(
    tools: Tools, options: dict[str, JsonValue], message: str
) -> None:
    with ScriptedImap() as server:
        result = await _fetch(server.target(), tools, **options)
    assert message in _message(result)
    assert result.error is not None
    assert result.error.kind == "usage"
    assert _secrets_sent(server) == []


async def test_a_password_from_a_command_without_a_shell(tools: Tools) -> None:
    with ScriptedImap() as server:
        result = await _fetch(server.target(), tools, password_env=None, password_command="echo $HOME;x")
    assert result.error is None
    assert base64.b64decode(next(line for line in server.log if " " not in line)) == b"\0ada\0$HOME;x"


# ---------------------------------------------------------------- names and contents that become commands


@pytest.mark.parametrize(
    "folder", ["../../x", "a\x00b", "&AAA-&", "é/ü", 'a"b\\c', "x" * 1_000, "INBOX\r\nA1 DELETE INBOX", "{5}"]
)
async def test_a_folder_name_is_never_a_command(tools: Tools, folder: str) -> None:
    """MAIL-08"""
    with ScriptedImap() as server:
        result = await _fetch(server.target(), tools, folders=[folder])
    assert _keys(result) == ["1", "2", "3"]
    assert {command.split()[0].upper() for command in server.commands} <= READING
    assert not any("DELETE" in line.split("EXAMINE")[0] for line in server.log)


async def test_folders_that_are_missing_are_named_with_those_that_are_there(tools: Tools) -> None:
    def examine(visit: Visit, tag: str, line: str) -> bytes:
        if "INBOX" in line:
            return visit.usual("EXAMINE", tag, line)
        return f"{tag} NO [NONEXISTENT] no such folder\r\n".encode()

    def folders(visit: Visit, tag: str, line: str) -> bytes:
        names = b'* LIST () "/" INBOX\r\n* LIST () "/" "../../\x1b[2J"\r\n* LIST () "/" "caf&AOk-"\r\n'
        return names + f"{tag} OK done\r\n".encode()

    with ScriptedImap(script={"EXAMINE": examine, "LIST": folders}) as server:
        some = await _fetch(server.target(), tools, folders=["INBOX", "Gone"])
        none = await _fetch(server.target("Gone"), tools)
    assert _keys(some) == ["1", "2", "3"]
    assert [refusal.name for refusal in some.refusals] == ["Gone"]
    assert none.error is not None
    assert none.error.kind == "not-found"
    assert "café" in none.error.message


async def test_headers_of_a_mail_never_become_a_command(tools: Tools) -> None:
    """MAIL-09"""
    evil = b"Subject: x\r\n A1 STORE 1:* +FLAGS (\\Deleted)\r\n"
    evil += b"Message-ID: <a\r\n A2 STORE 1:* +FLAGS (\\Seen)@x>\r\n\r\nx\r\n"
    with ScriptedImap({1: evil}) as server:
        result = await _fetch(server.target(), tools)
        await _fetch(server.target(), tools, result.cursor)
    assert len(result.entries) == 1
    assert not [line for line in server.log if "STORE" in line]


async def test_the_same_mail_in_two_folders_is_fetched_once(tools: Tools) -> None:
    """MAIL-18"""
    with ScriptedImap() as server:
        result = await _fetch(server.target(), tools, folders=["INBOX", "All Mail"])
    assert _keys(result) == ["1", "2", "3"]
    assert len([line for line in server.log if "BODY.PEEK[]" in line]) == 1


@pytest.mark.parametrize(
    "cursor", [{"folders": 5}, {"folders": {"INBOX": {"high": "x", "low": -1}}, "known": 7}]
)
async def test_a_damaged_cursor_is_a_first_fetch(tools: Tools, cursor: dict[str, JsonValue]) -> None:
    with ScriptedImap() as server:
        assert _keys(await _fetch(server.target(), tools, cursor)) == ["1", "2", "3"]


# ---------------------------------------------------------------- waiting


async def _watch(server: ScriptedImap, cursor: Mapping[str, JsonValue]) -> str | None:
    options: dict[str, JsonValue] = {"password_env": "MAIL_PASSWORD"}
    request = FetchRequest(target=server.target(), cursor=cursor, allow_local=True, options=options)
    error = await asyncio.wait_for(ImapIngestor().watch(request), 10)
    return error.message if error else None


async def test_what_came_before_the_wait_ends_it_at_once(tools: Tools) -> None:
    with ScriptedImap() as server:
        result = await _fetch(server.target(), tools)
        server.mails[4] = MAILS[1]
        assert await _watch(server, result.cursor) is None
    assert not [line for line in server.log if "IDLE" in line]


async def test_a_wait_is_renewed_and_ends_with_news(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """MAIL-03: IDLE is renewed before a server or a middlebox forgets it."""
    monkeypatch.setattr("ingestors.imap_reading.IDLE_S", 0.05)
    rounds: list[int] = []

    def idle(visit: Visit, tag: str, line: str) -> bytes:
        rounds.append(1)
        visit.send(b"+ idling\r\n* OK still here\r\n")
        if len(rounds) == 3:
            visit.send(b"* 4 EXISTS\r\n")
        visit.readline()
        return f"{tag} OK done\r\n".encode()

    with ScriptedImap(script={"IDLE": idle}) as server:
        result = await _fetch(server.target(), tools)
        assert await _watch(server, result.cursor) is None
    assert len(rounds) == 3
    assert [line for line in server.log if line == "DONE"] == ["DONE"] * 3


@pytest.mark.parametrize("words", [b"* BYE shutting down\r\n", b""])
async def test_a_server_that_ends_the_wait(tools: Tools, words: bytes) -> None:
    """MAIL-03"""

    def idle(visit: Visit, tag: str, line: str) -> bytes | None:
        visit.send(b"+ idling\r\n" + words)
        return None

    with ScriptedImap(script={"IDLE": idle}) as server:
        result = await _fetch(server.target(), tools)
        assert await _watch(server, result.cursor) is not None


async def test_a_wait_into_nowhere_is_noticed_at_its_renewal(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-03: the connection is dropped without a word; keep-alive finds out sooner, where it is real."""
    monkeypatch.setattr("ingestors.imap_reading.IDLE_S", 0.05)
    monkeypatch.setattr("ingestors.imap_session.SILENCE_S", 0.1)
    monkeypatch.setattr("ingestors.imap_wire.SILENCE_S", 0.1)

    def idle(visit: Visit, tag: str, line: str) -> bytes:
        visit.send(b"+ idling\r\n")
        visit.readline()
        return b""

    with ScriptedImap(script={"IDLE": idle}) as server:
        result = await _fetch(server.target(), tools)
        assert "in time" in str(await _watch(server, result.cursor))


async def test_a_server_that_does_not_push(tools: Tools) -> None:
    with ScriptedImap(capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        result = await _fetch(server.target(), tools)
        assert "does not tell" in str(await _watch(server, result.cursor))


async def test_a_cancelled_wait_ends_its_connection(tools: Tools) -> None:
    idling, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def idle(visit: Visit, tag: str, line: str) -> bytes | None:
        loop.call_soon_threadsafe(idling.set)
        visit.send(b"+ idling\r\n")
        visit.readline()  # returns when the connection ends
        loop.call_soon_threadsafe(ended.set)
        return None

    with ScriptedImap(script={"IDLE": idle}) as server:
        result = await _fetch(server.target(), tools)
        task = asyncio.create_task(_watch(server, result.cursor))
        await asyncio.wait_for(idling.wait(), 5)
        task.cancel()
        await asyncio.wait_for(ended.wait(), 5)


def test_the_cursor_of_a_large_mailbox_stays_small() -> None:
    from ingestors.mime import Marks

    marks = Marks("", 50_000)
    for number in range(60_000):
        marks.add(b"%d" % number)
    assert len(json.dumps(marks.dump())) < 500_000
    again = Marks(marks.dump(), 50_000)
    assert b"59999" in again
    assert b"0" not in again
