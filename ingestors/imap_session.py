"""One connection to an IMAP server, which only ever reads.

Owns dialling, TLS, login, and the limits on what a server may make us hold or wait for. Nothing here can
change a mailbox: folders are opened by EXAMINE, mails fetched by BODY.PEEK. Blocking, for a thread of
its own; knows no cursor, and nothing of what is inside a mail. Bytes are the matter of `ingestors.imap_wire`.
"""

from __future__ import annotations

import base64
import contextlib
import imaplib
import re
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from imapclient.exceptions import LoginError

from ingestors.imap_account import Account, Secret
from ingestors.imap_wire import (
    SILENCE_S,
    Client,
    ImapError,
    ServerRefusedError,
    Wire,
    connect,
    number,
    printable,
)
from ingestors.mime import MAX_MAIL

CONNECT_S = 15.0
LOGOUT_S = 3.0
MAX_UID = 2**32 - 1

_COMMAND_BYTES = 256 * 1024
_SEARCH_BYTES = 8 * 2**20
"""Of an answer to SEARCH: a million ids in one line."""
_FIELDS_BYTES = 16 * 1024
"""Of the few header fields of one mail."""
_MAIL_EXTRA = 4 * 1024

FIELDS = ("MESSAGE-ID", "DATE", "FROM", "SUBJECT")
_NEWS = re.compile(rb"\* \d{1,10} (?:EXISTS|RECENT)\b", re.IGNORECASE)
_ATOM = re.compile(r"[A-Za-z0-9._@+=-]+")
# RFC 5530: the server has no opinion on the password.
_PASSING = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\]", re.IGNORECASE)

# What the two libraries let escape on answers that are no IMAP.
_LIBRARY_ERRORS = (
    imaplib.IMAP4.error, ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Folder:
    """What EXAMINE says of a folder. None where the server does not say."""

    validity: int | None
    """UIDVALIDITY: as long as it is the same, UIDs keep their meaning. A 0 is as good as nothing."""
    next_uid: int | None
    modseq: int | None
    """HIGHESTMODSEQ (RFC 7162): the same number means that nothing has changed at all."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a mail before it is fetched."""

    uid: int
    size: int
    deleted: bool
    fields: bytes
    """Its header fields `FIELDS`, as the server gives them."""


class ImapSession:
    """A logged-in connection; a context manager that logs out.

    Args:
        account: Where.
        deadline: Moment of `time.monotonic` at which everything has to be over.
        allow_local: Whether loopback and private addresses may be contacted.

    Raises:
        ImapError: No connection that a password may be sent over.
    """

    def __init__(self, account: Account, deadline: float, *, allow_local: bool) -> None:
        self._account = account
        self._allow_local = allow_local
        self._deadline = deadline
        self._client: Any = None
        self._wire: Wire | None = None
        self._validity: int | None = None
        self._broken = False
        try:
            with self._speaking(_COMMAND_BYTES):
                self._client = Client(account.host, account.port, self._dial)
                self._secure()
        except ImapError:
            self.abort()
            raise

    def __enter__(self) -> ImapSession:
        """The session itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Logs out."""
        self.close()

    def login(self, secret: Secret) -> None:
        """Logs in.

        Raises:
            ImapError: `denied` if the server refuses; nothing is tried a second time.
        """
        with self._speaking(_COMMAND_BYTES):
            try:
                self._authenticate(secret)
            except LoginError as error:
                text = _redacted(str(error), self._account.user, secret.value)
                if _PASSING.search(text):
                    raise ImapError("network", f"{self._account.host} lets nobody in now: {text}") from None
                raise ImapError(
                    "denied", f"{self._account.host} refused the login of {self._account.user}: {text}"
                ) from None
        self._client.forget_capabilities()  # a server tells more to whom it knows
        with self._speaking(_COMMAND_BYTES):
            # Some providers open no folder before they know the program. Nothing personal in it.
            if self._client.has_capability("ID"):
                self._client.id_({"name": "triage"})
            # Without it some servers do not tell HIGHESTMODSEQ.
            if self._client.has_capability("CONDSTORE") and self._client.has_capability("ENABLE"):
                self._client.enable("CONDSTORE")

    def examine(self, folder: str) -> Folder:
        """Opens a folder for reading.

        Raises:
            ServerRefusedError: There is no such folder, or it may not be read.
        """
        with self._speaking(_COMMAND_BYTES):
            answer = self._client.select_folder(folder, readonly=True)
            found = Folder(
                *(number(answer.get(key)) for key in (b"UIDVALIDITY", b"UIDNEXT", b"HIGHESTMODSEQ"))
            )
        self._validity = found.validity
        return found

    def folders(self) -> list[tuple[str, frozenset[str]]]:
        r"""Names of all folders with their attributes (`\Sent`, ...), as the server gives them."""
        with self._speaking(_SEARCH_BYTES):
            found = self._client.list_folders()
            return [(str(name), frozenset(_text(flag) for flag in flags)) for flags, _, name in found]

    def uids(self, first: int, last: int | None = None, *, since: date | None = None) -> list[int]:
        """UIDs of the open folder from `first` to `last` (None: no end), ascending.

        Args:
            first: Lowest UID.
            last: Highest UID.
            since: Leaves out what arrived before that day.
        """
        criteria: list[object] = ["UID", f"{first}:{'*' if last is None else last}"]
        if since is not None:
            criteria += ["SINCE", since]
        with self._speaking(_SEARCH_BYTES):
            found = self._client.search(criteria)
        # `9:*` also finds the last mail where there is no 9; and a server may say anything.
        return sorted({uid for uid in found if first <= uid <= min(last or MAX_UID, MAX_UID)})

    def summaries(self, uids: Sequence[int]) -> dict[int, Summary]:
        """Size, deletion mark and a few header fields of mails; those that are gone are missing."""
        # Only the first bytes: else one mail with a subject of megabytes would keep its folder shut for ever.
        fields = f"BODY.PEEK[HEADER.FIELDS ({' '.join(FIELDS)})]<0.{_FIELDS_BYTES}>"
        what = ["FLAGS", "RFC822.SIZE", fields]
        with self._speaking(_COMMAND_BYTES + _FIELDS_BYTES * len(uids)):
            answer = self._client.fetch(uids, what)
            self._check_validity()
            return {uid: _summary(uid, data) for uid, data in answer.items()}

    def bodies(self, uids: Sequence[int], size: int) -> dict[int, bytes]:
        """The first `MAX_MAIL` bytes of mails; those that are gone are missing.

        Args:
            uids: The mails.
            size: Bytes that they have together, as far as they are read.
        """
        with self._speaking(_COMMAND_BYTES + size + size // 4 + _MAIL_EXTRA * len(uids)):
            answer = self._client.fetch(uids, [f"BODY.PEEK[]<0.{MAX_MAIL}>"])
            self._check_validity()
        found = {}
        for uid, data in answer.items():
            body = next(
                (v for k, v in data.items() if k.startswith(b"BODY[]") and isinstance(v, bytes)), None
            )
            if body is not None:
                found[uid] = body[:MAX_MAIL]
        return found

    @property
    def pushes(self) -> bool:
        """Whether the server can tell by itself that a mail came (IDLE, RFC 2177)."""
        with self._speaking(_COMMAND_BYTES):
            return bool(self._client.has_capability("IDLE"))

    def wait(self, seconds: float) -> bool:
        """Waits in IDLE for a new mail in the open folder, at most `seconds`; False if none came."""
        assert self._wire is not None
        until = time.monotonic() + seconds
        with self._speaking(_COMMAND_BYTES):
            self._client.idle()
            news = False
            self._wire.allow(_COMMAND_BYTES, until, silence_s=seconds)
            try:
                while not news:
                    line = self._wire.readline()
                    if not line or line.upper().startswith(b"* BYE"):
                        raise ImapError("network", f"{self._account.host} has ended the connection")
                    news = _NEWS.match(line) is not None
            except TimeoutError:
                pass
            self._wire.allow(_COMMAND_BYTES, until + SILENCE_S)
            self._client.idle_done()
        return news

    def close(self) -> None:
        """Logs out, unless the last command was left in the middle."""
        if self._wire is not None and not self._broken:
            self._wire.allow(_COMMAND_BYTES, time.monotonic() + LOGOUT_S)
            with contextlib.suppress(OSError, ImapError, *_LIBRARY_ERRORS):
                self._client.logout()
        self.abort()

    def abort(self) -> None:
        """Cuts the connection; may be called from any thread, and ends whatever waits on it."""
        if self._wire is not None:
            self._wire.close()

    # ------------------------------------------------------------ inside

    def _dial(self) -> Wire:
        account = self._account
        timeout = max(min(CONNECT_S, self._deadline - time.monotonic()), 0.01)
        self._wire = Wire(connect(account.host, account.port, allow_local=self._allow_local, timeout=timeout))
        self._wire.allow(_COMMAND_BYTES, self._deadline)
        if self._account.implicit_tls:
            self._wire.wrap(ssl.create_default_context(), self._account.host)
        return self._wire

    def _secure(self) -> None:
        """Makes sure that a password may be sent: over TLS, or within this machine or network."""
        host = self._account.host
        assert self._wire is not None
        if self._client.state != "NONAUTH":
            # A greeting that logs us in spares a man in the middle STARTTLS, and us any idea of who we are.
            raise ImapError("blocked", f"{host} opened a session without asking for a password")
        if self._account.implicit_tls:
            return
        if self._client.has_capability("STARTTLS"):
            self._client.starttls(ssl.create_default_context())
        elif not (self._allow_local and self._wire.is_local):
            raise ImapError(
                "blocked",
                f"{host} offers no TLS on port {self._account.port}, so no password was sent; try imaps://",
            )

    def _authenticate(self, secret: Secret) -> None:
        client, user, value = self._client, self._account.user, secret.value
        if secret.is_token:
            if client.has_capability("AUTH=XOAUTH2"):
                client.oauth2_login(user, value)
            elif client.has_capability("AUTH=OAUTHBEARER"):
                client.oauthbearer_login(user, value)
            else:
                raise ImapError("usage", f"{self._account.host} takes no access tokens; use a password")
        elif client.has_capability("AUTH=PLAIN"):
            client.plain_login(user, value)
        elif client.has_capability("LOGINDISABLED"):
            raise ImapError("denied", f"{self._account.host} takes no passwords; use token_command")
        elif not f"{user}{value}".isascii():
            raise ImapError("usage", f"{self._account.host} takes nothing but ASCII in names and passwords")
        else:
            client.login(user if _ATOM.fullmatch(user) else _quoted(user), value)

    def _check_validity(self) -> None:
        """UIDs may lose their meaning while a folder is open, which the server mentions in passing."""
        said = self._client.said("UIDVALIDITY")
        if self._validity and said is not None and said != self._validity:
            raise ImapError("network", f"a folder of {self._account.name} was replaced while it was read")

    @contextlib.contextmanager
    def _speaking(self, size: int) -> Iterator[None]:
        """The limits of one command, and its failures in words."""
        if self._wire is not None:
            self._wire.allow(size, self._deadline)
        host = self._account.host
        self._broken = True
        try:
            yield
        except ImapError:
            raise
        except imaplib.IMAP4.abort:
            raise ImapError("network", f"{host} broke off") from None
        except imaplib.IMAP4.error as error:
            self._broken = False
            raise ServerRefusedError("network", f"{host} refused: {printable(str(error))}") from None
        except ssl.SSLCertVerificationError as error:
            reason = f"the certificate of {host} is not valid: {error.verify_message}"
            raise ImapError("network", reason) from None
        except TimeoutError:
            raise ImapError("timeout", f"{host} did not answer in time") from None
        except OSError:
            raise ImapError("network", f"the connection to {host} was lost") from None
        except _LIBRARY_ERRORS as error:
            raise ImapError("parse", f"{host} does not speak IMAP ({type(error).__name__})") from None
        self._broken = False


def _summary(uid: int, data: dict[bytes, Any]) -> Summary:
    fields = next((v for k, v in data.items() if k.startswith(b"BODY[HEADER") and isinstance(v, bytes)), b"")
    flags = {_text(flag).lower() for flag in data.get(b"FLAGS") or ()}
    return Summary(uid, max(number(data.get(b"RFC822.SIZE")) or 0, 0), "\\deleted" in flags, fields)


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _redacted(text: str, user: str, secret: str) -> str:
    """A server's words on a login, without the secret that some of them repeat."""
    for word in _forms_of(user, secret):
        text = text.replace(word, "***")
    return printable(text.removeprefix("b'").removesuffix("'"))


def _forms_of(user: str, secret: str) -> Iterable[str]:
    if not secret:
        return
    yield secret
    plain = f"\0{user}\0{secret}"
    for payload in (plain, f"user={user}\1auth=Bearer {secret}\1\1", secret):
        yield base64.b64encode(payload.encode()).decode()
