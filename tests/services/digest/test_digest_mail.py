"""`triage digest --send`: to a mail server on this machine that remembers what it was told."""

from __future__ import annotations

import base64
import email
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from email import policy
from email.message import EmailMessage
from typing import Self

import pytest
from world import NOW

from triage.config import DigestMailConfig
from triage.core.errors import TriageError, UsageError
from triage.core.items import Digest, Item
from triage.services.digest import digest_mail

ITEM = Item(
    id=1,
    kind="feed",
    source="Wire",
    title="Bees\r\nBcc: x@y.example",
    url=None,
    people=(),
    published=NOW,
    minutes=1.0,
)
DIGEST = Digest(built_at=NOW, budget_minutes=15.0, items=(ITEM,), considered=9)
PASSWORD = "hunter2 of the hill"


class ScriptedSmtp(socketserver.ThreadingTCPServer):
    """Takes mail; `answers` replaces what it says to a command."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, *, tls: ssl.SSLContext | None = None, implicit: bool = True, **answers: str) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.tls, self.implicit, self.answers = tls, implicit, answers
        self.log: list[str] = []
        self.mails: list[EmailMessage] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Conversation(socketserver.BaseRequestHandler):
    server: ScriptedSmtp

    def handle(self) -> None:
        with ExitStack() as opened, suppress(ssl.SSLError, ConnectionError):
            self._talk(opened)

    def _secured(self, opened: ExitStack) -> ssl.SSLSocket:
        assert self.server.tls is not None
        return opened.enter_context(self.server.tls.wrap_socket(self.request, server_side=True))

    def _talk(self, opened: ExitStack) -> None:
        server = self.server
        secure = server.tls is not None and server.implicit
        peer = self._secured(opened) if secure else self.request
        stream = opened.enter_context(peer.makefile("rwb", buffering=0))

        def say(answer: str) -> None:
            stream.write(answer.encode() + b"\r\n")

        say("220 scripted")
        while line := stream.readline().decode():
            server.log.append(line.strip())
            verb = line.split()[0].upper()
            if verb in server.answers:
                say(server.answers[verb])
            elif verb == "EHLO":
                more = "250-STARTTLS\r\n" if server.tls and not secure else ""
                say(f"250-here\r\n{more}250 AUTH PLAIN")
            elif verb == "STARTTLS":
                say("220 go")
                secure = True
                stream = opened.enter_context(self._secured(opened).makefile("rwb", buffering=0))
            elif verb == "AUTH":
                said = base64.b64decode(line.split()[2]).decode().split("\0")[-1]
                say("235 in" if said == PASSWORD else f"535 {said} is wrong")
            elif verb == "DATA":
                say("354 go on")
                lines = []
                while (body := stream.readline()) != b".\r\n":
                    lines.append(body.removeprefix(b".") if body.startswith(b"..") else body)
                server.mails.append(email.message_from_bytes(b"".join(lines), policy=policy.default))
                say("250 taken")
            else:
                say("221 bye" if verb == "QUIT" else "250 ok")


@contextmanager
def plain(**answers: str) -> Iterator[tuple[ScriptedSmtp, DigestMailConfig]]:
    with ScriptedSmtp(**answers) as server:
        yield (
            server,
            DigestMailConfig(
                to="robin@ashgrove.example", host="127.0.0.1", port=server.port, security="none"
            ),
        )


@pytest.fixture
def tls(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The same with the password of the scripted server at hand."""
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
    return tls


def by_tls(server: ScriptedSmtp, host: str = "localhost") -> DigestMailConfig:
    return DigestMailConfig(
        to="robin@ashgrove.example",
        sender="triage@ashgrove.example",
        host=host,
        port=server.port,
        security="tls" if server.implicit else "starttls",
        user="robin",
        password_env="SMTP_PASSWORD",
    )


def test_a_digest_is_a_mail_of_html_with_a_text_beside_it() -> None:
    with plain() as (server, mail):
        assert digest_mail.send(DIGEST, mail, NOW) == "robin@ashgrove.example"
    (letter,) = server.mails
    assert letter["To"] == letter["From"] == "robin@ashgrove.example"
    assert letter["Subject"] == "Monday 2 March · 1 item · 1 min"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Bcc"] is None
    text, page = letter.get_body(("plain",)), letter.get_body(("html",))
    assert text is not None
    assert page is not None
    assert "That is all." in text.get_content()
    assert "Bees Bcc: x@y.example" in page.get_content()
    assert not any(line.startswith("AUTH") for line in server.log)


@pytest.mark.parametrize("implicit", [True, False])
def test_by_tls_the_password_is_sent_and_the_digest_taken(tls: ssl.SSLContext, implicit: bool) -> None:
    with ScriptedSmtp(tls=tls, implicit=implicit) as server:
        digest_mail.send(DIGEST, by_tls(server), NOW)
    (letter,) = server.mails
    assert letter["From"] == "triage@ashgrove.example"
    assert PASSWORD not in str(letter)


def test_a_certificate_of_another_name_gets_no_password(tls: ssl.SSLContext) -> None:
    with (
        ScriptedSmtp(tls=tls) as server,
        pytest.raises(TriageError, match="no safe connection to"),
    ):
        digest_mail.send(DIGEST, by_tls(server, host="127.0.0.1"), NOW)
    assert server.log == server.mails == []


def test_a_server_without_tls_gets_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
    with ScriptedSmtp(implicit=False) as server, pytest.raises(TriageError):
        digest_mail.send(DIGEST, by_tls(server), NOW)
    assert not [line for line in server.log if line.startswith("AUTH")]


def test_a_refused_password_is_said_without_it(tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_PASSWORD", "another secret")
    with ScriptedSmtp(tls=tls) as server, pytest.raises(TriageError, match="refuses the login") as caught:
        digest_mail.send(DIGEST, by_tls(server), NOW)
    assert "another secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert server.mails == []


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"RCPT": "550 who"}, "does not take mail for robin@ashgrove.example"),
        ({"MAIL": "451 later"}, "it answered 451"),
        ({"DATA": "554 spam"}, "it answered 554"),
        ({"EHLO": "500 no", "HELO": "500 no"}, "it answered 500"),
    ],
)
def test_what_a_server_refuses_is_one_sentence(answers: dict[str, str], said: str) -> None:
    with plain(**answers) as (_, mail), pytest.raises(TriageError, match=said):
        digest_mail.send(DIGEST, mail, NOW)


@pytest.mark.parametrize(
    ("mail", "said"),
    [
        (DigestMailConfig(), "digest.mail.to is not set"),
        (DigestMailConfig(to="robin"), "digest.mail.to must be an address"),
        (DigestMailConfig(to="a@b.example\nBcc: c@d.example"), "digest.mail.to must be an address"),
        (DigestMailConfig(to="a@b.example"), "digest.mail.host names no server"),
        (
            DigestMailConfig(to="a@b.example", host="mail.example", user="a", security="none"),
            "a password is not sent",
        ),
        (DigestMailConfig(to="a@b.example", host="localhost", user="a"), "digest.mail.user needs"),
        (
            DigestMailConfig(to="a@b.example", host="localhost", user="a", password_env="NOT_SET_HERE"),
            "NOT_SET_HERE",
        ),
    ],
)
def test_settings_that_do_not_suffice_are_named(mail: DigestMailConfig, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        digest_mail.send(DIGEST, mail, NOW)


def test_a_server_that_is_not_there_is_named() -> None:
    with plain() as (server, mail):
        pass
    with pytest.raises(TriageError, match=f"cannot reach 127.0.0.1:{server.port}: Connection refused"):
        digest_mail.send(DIGEST, mail, NOW)
