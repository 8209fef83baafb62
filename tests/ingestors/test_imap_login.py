"""Logging in to an IMAP server: by TLS, by password or token, once, and without a trace of the secret."""

from __future__ import annotations

import base64
import logging
import ssl
import sys

import pytest
from imap_fetch import PASSWORD, fetch, keys, message
from scripted_imap import ScriptedImap, Visit

from ingestors.base import FetchError, FetchRequest, JsonValue, Tools
from ingestors.imap import ImapIngestor

pytestmark = pytest.mark.usefixtures("impatient_imap")


def _secrets_sent(server: ScriptedImap) -> list[str]:
    return [line for line in server.log if "LOGIN" in line or "AUTHENTICATE" in line or PASSWORD in line]


@pytest.mark.parametrize("implicit", [True, False])
async def test_tls_and_starttls(tools: Tools, tls: ssl.SSLContext, implicit: bool) -> None:
    capabilities = "IMAP4rev1 AUTH=PLAIN" + ("" if implicit else " STARTTLS")
    with ScriptedImap(tls=tls, implicit=implicit, capabilities=capabilities) as server:
        scheme = "imaps" if implicit else "imap"
        result = await fetch(server.target(scheme=scheme, host="localhost"), tools)
    assert keys(result) == ["1", "2", "3"]


async def test_a_certificate_of_another_name_is_refused(tools: Tools, tls: ssl.SSLContext) -> None:
    with ScriptedImap(tls=tls, implicit=True) as server:
        result = await fetch(server.target(scheme="imaps", host="127.0.0.1"), tools)
    assert "certificate" in message(result)
    assert server.log == []


async def test_no_password_goes_over_a_plain_line_to_a_stranger(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-07: without STARTTLS a server that is not local gets nothing, whatever the source permits."""
    monkeypatch.setattr("ingestors.imap_wire.Wire.is_local", False)
    with ScriptedImap() as server:
        result = await fetch(server.target(), tools)
    assert "offers no TLS" in message(result)
    assert _secrets_sent(server) == []


async def test_what_is_injected_before_tls_is_refused(tools: Tools, tls: ssl.SSLContext) -> None:
    """MAIL-07"""

    def inject(visit: Visit, tag: str, line: str) -> bytes:
        return f"{tag} OK go on\r\n* OK [CAPABILITY IMAP4rev1 AUTH=EVIL]\r\n".encode()

    with ScriptedImap(script={"STARTTLS": inject}, tls=tls, capabilities="IMAP4rev1 STARTTLS") as server:
        result = await fetch(server.target(host="localhost"), tools)
    assert "clear text" in message(result)
    assert _secrets_sent(server) == []


@pytest.mark.parametrize("greeting", [b"* PREAUTH welcome, ada\r\n", b"* OK x\r\n* PREAUTH y\r\n"])
async def test_a_session_without_a_login_is_refused(tools: Tools, greeting: bytes) -> None:
    """MAIL-07: PREAUTH keeps a client from asking for TLS."""
    with ScriptedImap(script={"": lambda *_: greeting}, capabilities="IMAP4rev1 STARTTLS") as server:
        result = await fetch(server.target(), tools)
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
        result = await fetch(server.target(), tools)
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
        result = await fetch(server.target().replace("ada@", "ada%20l@"), tools)
    assert keys(result) == ["1", "2", "3"]
    assert [line.split(" ", 1)[1] for line in server.log if "LOGIN" in line] == [
        r'LOGIN "ada l" "a \"quoted\\ pass"'
    ]


async def test_a_server_that_takes_no_passwords(tools: Tools) -> None:
    with ScriptedImap(capabilities="IMAP4rev1 LOGINDISABLED") as server:
        result = await fetch(server.target(), tools)
    assert "token_command" in message(result)
    assert _secrets_sent(server) == []


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
async def test_an_access_token_from_a_command(tools: Tools, mechanism: str) -> None:
    command = f"{sys.executable} -c \"print('token-123'); print('and a second line')\""
    with ScriptedImap(capabilities=f"IMAP4rev1 AUTH={mechanism}") as server:
        result = await fetch(server.target(), tools, password_env=None, token_command=command)
    assert keys(result) == ["1", "2", "3"]
    sent = [base64.b64decode(line) for line in server.log if " " not in line]
    assert len(sent) == 1
    assert b"auth=Bearer token-123\x01" in sent[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"password_env": None}, "no password is set"),
        ({"password_env": "NOT_SET"}, "NOT_SET"),
        ({"password_env": None, "password_command": "false"}, "exit 1"),
    ],
)
async def test_a_password_that_is_not_found_is_named_by_its_option(
    tools: Tools, options: dict[str, JsonValue], said: str
) -> None:
    with ScriptedImap() as server:
        result = await fetch(server.target(), tools, **options)
    assert said in message(result)
    assert result.error is not None
    assert result.error.kind == "usage"
    assert _secrets_sent(server) == []


async def test_a_password_from_a_command_without_a_shell(tools: Tools) -> None:
    with ScriptedImap() as server:
        result = await fetch(server.target(), tools, password_env=None, password_command="echo $HOME;x")
    assert result.error is None
    assert base64.b64decode(next(line for line in server.log if " " not in line)) == b"\0ada\0$HOME;x"
