"""What IMAPClient and imaplib speak over: dialling, reading within limits, and the errors of both.

imaplib allocates as many bytes as a server announces, and holds as many lines as it sends. `Wire` reads
instead, within a number of bytes and before a moment that are set for each command. Knows which bytes may
come, not what they mean.
"""

from __future__ import annotations

import contextlib
import imaplib
import logging
import re
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from imapclient import IMAPClient

from ingestors.addresses import address_problem
from ingestors.base import FetchErrorKind

SILENCE_S = 30.0
"""Longest silence of a server in the middle of an answer."""
MAX_LINES = 20_000
"""Of one answer; each costs imaplib 30 times what its bytes do."""
_CHUNK = 64 * 1024

# At level DEBUG the libraries write what is sent and received.
logging.getLogger("imapclient").setLevel(logging.ERROR)


class ImapError(Exception):
    """What went wrong with a server, in words for the reader. Without secrets."""

    def __init__(self, kind: FetchErrorKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class ServerRefusedError(ImapError):
    """The server answered a well-formed NO; the connection is as good as before."""


class Wire:
    """The bytes of one connection, by lines and by counted runs, within limits."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._buffer = bytearray()
        self._left = 0
        self._lines_left = 0
        self._until = 0.0
        self._silence_s = 0.0

    def allow(self, size: int, until: float, *, silence_s: float | None = None) -> None:
        """Sets how many bytes may be read from now on, until when, and how long to wait for the next."""
        self._left, self._lines_left, self._until = size, MAX_LINES, until
        self._silence_s = SILENCE_S if silence_s is None else silence_s

    def wrap(self, context: ssl.SSLContext, host: str) -> None:
        """Goes on in TLS. What was sent before it and not read yet comes from anybody."""
        if self._buffer:
            raise ImapError("blocked", f"{host} went on in clear text after it had agreed to TLS")
        self._sock.settimeout(self._timeout())
        self._sock = context.wrap_socket(self._sock, server_hostname=host)

    @property
    def socket(self) -> socket.socket:
        """What it reads from."""
        return self._sock

    @property
    def is_local(self) -> bool:
        """Whether the other end is on this machine or in a private network."""
        return address_problem(str(self._sock.getpeername()[0]), allow_local=False) is not None

    def readline(self) -> bytes:
        """A line with its end; what there is at the end of the stream."""
        self._lines_left -= 1
        if self._lines_left < 0:
            raise _too_much()
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if not self._fill():
                return self._take(len(self._buffer))
        return self._take(end + 1)

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes.

        Raises:
            ImapError: More than may be read are announced.
            ConnectionError: The stream ends before.
        """
        if size - len(self._buffer) > self._left:
            raise _too_much()
        while len(self._buffer) < size:
            if not self._fill():
                raise ConnectionError
        return self._take(size)

    def send(self, data: bytes) -> None:
        """All of `data`."""
        self._sock.settimeout(self._timeout())
        self._sock.sendall(data)

    def close(self) -> None:
        """Ends the connection in both directions, also for a thread that reads from it."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _fill(self) -> bool:
        self._sock.settimeout(self._timeout())
        data = self._sock.recv(_CHUNK)
        self._left -= len(data)
        if self._left < 0:
            raise _too_much()
        self._buffer += data
        return bool(data)

    def _take(self, size: int) -> bytes:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _timeout(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, self._silence_s)


class _Imap4(imaplib.IMAP4):
    """imaplib's protocol over a `Wire`, by the methods that it documents for overriding."""

    def __init__(self, host: str, port: int, dial: Callable[[], Wire]) -> None:
        self._dial = dial
        super().__init__(host, port)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        self.wire = self._dial()
        self.sock = self.wire.socket

    def read(self, size: int) -> bytes:
        return self.wire.read(size)

    def readline(self) -> bytes:
        return self.wire.readline()

    def send(self, data: Any) -> None:  # noqa: ANN401  any kind of buffer
        self.wire.send(bytes(data))

    def shutdown(self) -> None:
        self.wire.close()

    def starttls(self, ssl_context: ssl.SSLContext | None = None) -> Any:  # noqa: ANN401  as imaplib has it
        assert ssl_context is not None
        answer = self._simple_command("STARTTLS")
        if answer[0] == "OK":
            self.wire.wrap(ssl_context, self.host)
            self.sock = self.wire.socket
            self.untagged_responses: dict[str, list[Any]] = {}  # what was said in clear text counts no more
        return answer


class Client(IMAPClient):  # type: ignore[misc]  # the library has no types
    """IMAPClient over our `_Imap4`; it offers no argument for that."""

    def __init__(self, host: str, port: int, dial: Callable[[], Wire]) -> None:
        self._place = (host, port, dial)
        super().__init__(host, port, ssl=False)
        self._imap.debug = 0  # at the library's 5 every answer is formatted for a log that nobody keeps

    def _create_IMAP4(self) -> _Imap4:  # noqa: N802  the library's name
        return _Imap4(*self._place)

    @property
    def state(self) -> str:
        """NONAUTH before the login."""
        return str(self._imap.state)

    def forget_capabilities(self) -> None:
        """Has the server's abilities asked for again."""
        self._cached_capabilities = None

    def said(self, name: str) -> int | None:
        """The last number that the server gave under that name, asked or not."""
        answers = self._imap.untagged_responses.get(name)
        return number(answers[-1:]) if answers else None


def connect(host: str, port: int, *, allow_local: bool, timeout: float) -> socket.socket:
    """Dials an address that was checked, not a name that may lead elsewhere the second time.

    Raises:
        ImapError: Nobody answers there, or the address must not be dialled.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise ImapError("network", f"there is no host named {host}") from None
    problem = "no address"
    failed = False
    for address in dict.fromkeys(str(entry[4][0]) for entry in found):
        refused = address_problem(address, allow_local=allow_local)
        if refused is not None:
            problem = f"{address} is {refused}"
            continue
        try:
            sock = socket.create_connection((address, port), timeout)
        except OSError:
            failed = True
            continue
        _tune(sock)
        return sock
    if failed:
        raise ImapError("network", f"cannot connect to {host}, port {port}")
    fix = "; add the source with --allow-local if that is meant" if "private" in problem else ""
    raise ImapError("blocked", f"{host} was not contacted: {problem}{fix}")


def _tune(sock: socket.socket) -> None:
    """A peer that vanished is noticed within two minutes; a command in two pieces does not wait."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 15), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def number(value: object) -> int | None:
    """A number as the libraries give it: an int, or a list of digits in bytes."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, bytes):
        value = int(value) if value.isdigit() and len(value) < 20 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _too_much() -> ImapError:
    return ImapError("too-large", "the mail server sent more than was asked for")


def printable(text: str) -> str:
    """What a server said, in ASCII, and 200 characters of it at most."""
    return re.sub(r"[^ -~]+", "?", text)[:200]
