"""Sends a digest to its reader by mail: HTML with a text beside it, over SMTP.

Owns the message and the conversation with the server. The password comes by reference and goes nowhere else.
A server's own words are not repeated, because some repeat what was said to them.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import smtplib
import ssl
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from ingestors.secrets import SecretError, secret
from triage.config import DigestMailConfig
from triage.core.errors import TriageError, UsageError
from triage.core.items import Digest
from triage.services.digest import digest_pages

TIMEOUT_S = 30.0
HELP = "triage config edit"
MARK = "X-Triage-Digest"
"""A header that says what it is."""
_ADDRESS = re.compile(r"[!-~]+@[!-~]+")


def message(digest: Digest, mail: DigestMailConfig, now: datetime) -> EmailMessage:
    """The mail with a digest in it.

    Raises:
        UsageError: The addresses are missing, or none.
    """
    to = _address(mail.to, "to")
    sender = _address(mail.sender or mail.to, "from")
    found = EmailMessage()
    found["Subject"] = digest_pages.headline(digest)
    found["From"] = sender
    found["To"] = to
    found["Date"] = format_datetime(now)
    found["Message-ID"] = make_msgid("digest", sender.rpartition("@")[2])
    found["Auto-Submitted"] = "auto-generated"
    found[MARK] = digest.built_at.isoformat()
    found.set_content(digest_pages.text(digest, now))
    found.add_alternative(digest_pages.html(digest, now), subtype="html")
    return found


def send(digest: Digest, mail: DigestMailConfig, now: datetime) -> str:
    """Sends it; returns the address that it went to.

    Raises:
        UsageError: The settings do not say where to, or contradict themselves.
        TriageError: The server cannot be reached, or does not take it.
    """
    letter = message(digest, mail, now)
    _speak(mail, lambda server: server.send_message(letter))
    return str(letter["To"])


def log_in(mail: DigestMailConfig) -> None:
    """Logs in as for sending, and sends nothing; raises what `send` does."""
    _speak(mail, lambda server: server.noop())


def _speak(mail: DigestMailConfig, say: Callable[[smtplib.SMTP], object]) -> None:
    """Has `say` talk to the server, logged in; its failures in words."""
    if not mail.host:
        raise UsageError("digest.mail.host names no server to send by", fix=HELP)
    if mail.user and mail.security == "none" and not _this_machine(mail.host):
        raise UsageError(
            f'a password is not sent to {mail.host} with digest.mail.security = "none"', fix=HELP
        )
    password = _password(mail)
    where = f"{mail.host}:{mail.port}"
    try:
        with _connected(mail) as server:
            if mail.user:
                server.login(mail.user, password)
            say(server)
    except smtplib.SMTPAuthenticationError as error:
        raise TriageError(f"{where} refuses the login of {mail.user} ({error.smtp_code})", fix=HELP) from None
    except smtplib.SMTPRecipientsRefused:
        raise TriageError(f"{where} does not take mail for {mail.to}", fix=HELP) from None
    except smtplib.SMTPResponseException as error:
        raise TriageError(f"{where} did not take the digest (it answered {error.smtp_code})") from None
    except smtplib.SMTPNotSupportedError:
        raise TriageError(
            f"{where} lacks what digest.mail asks for (security, or a login)", fix=HELP
        ) from None
    except smtplib.SMTPException as error:
        raise TriageError(f"{where} did not take the digest ({type(error).__name__})") from None
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "no TLS there"
        raise TriageError(f"no safe connection to {where}: {reason}", fix=HELP) from None
    except UnicodeError:
        raise TriageError("a login by mail takes plain ASCII letters only", fix=HELP) from None
    except OSError as error:
        raise TriageError(f"cannot reach {where}: {error.strerror or error}", fix=HELP) from None


def _connected(mail: DigestMailConfig) -> smtplib.SMTP:
    assert mail.host is not None
    context = ssl.create_default_context()
    if mail.security == "tls":
        return smtplib.SMTP_SSL(mail.host, mail.port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(mail.host, mail.port, timeout=TIMEOUT_S)
    if mail.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _password(mail: DigestMailConfig) -> str:
    """Empty if nobody logs in."""
    if not mail.user:
        return ""
    options = {"password_env": mail.password_env or "", "password_command": mail.password_command or ""}
    try:
        found = asyncio.run(secret(options, "password"))
    except SecretError as error:
        raise UsageError(f"digest.mail: {error.message}", fix=HELP) from error
    if found is None:
        raise UsageError(
            "digest.mail.user needs digest.mail.password_command or digest.mail.password_env", fix=HELP
        )
    return found


def _this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(said: str | None, name: str) -> str:
    if not said:
        raise UsageError("nobody to send a digest to: digest.mail.to is not set", fix=HELP)
    if not _ADDRESS.fullmatch(said):
        raise UsageError(f"digest.mail.{name} must be an address such as you@example.org", fix=HELP)
    return said
