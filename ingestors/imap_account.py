"""An IMAP account as a target names it (who, where, which folder), and the secret that opens it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlsplit

PORTS = {"imaps": 993, "imap": 143}
MAX_TARGET = 2_000
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Account:
    """`imaps://USER@HOST[:PORT]/FOLDER`, taken apart and decoded."""

    scheme: str
    """`imaps`: TLS from the first byte; `imap`: STARTTLS before the login."""
    user: str
    host: str
    port: int
    folder: str

    @classmethod
    def of(cls, target: str) -> Account | None:
        """The account that a target names, or None. A password in it is left out: it would be stored."""
        try:
            parts = urlsplit(target.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            return None
        if parts.scheme not in PORTS or not host or len(target) > MAX_TARGET:
            return None
        # Everything up to the last @ is the user, because most of them are addresses.
        user = unquote(parts.netloc.rpartition("@")[0].partition(":")[0])
        folder = unquote(parts.path.strip("/")) or "INBOX"
        if not user or any(_UNSAFE.search(part) for part in (user, host, folder)):
            return None
        return cls(parts.scheme, user, host, port or PORTS[parts.scheme], folder)

    @property
    def implicit_tls(self) -> bool:
        """Whether TLS begins with the first byte."""
        return self.scheme == "imaps"

    @property
    def target(self) -> str:
        """The normalised target."""
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{quote(self.user, safe='')}@{host}{port}/{quote(self.folder)}"

    @property
    def name(self) -> str:
        """For a reader: `ada@imap.example.org`, or `ada@example.org at imap.example.org`."""
        return f"{self.user} at {self.host}" if "@" in self.user else f"{self.user}@{self.host}"


@dataclass(frozen=True, slots=True)
class Secret:
    """What an account is opened with. Its value is in no representation, log or traceback."""

    value: str = field(repr=False)
    is_token: bool = False
    """An OAuth 2 access token instead of a password."""
