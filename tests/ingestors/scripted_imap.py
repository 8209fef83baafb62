"""An IMAP server on the loopback interface that behaves, except where a test tells it not to."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

Answer = Callable[["Visit", str, str], bytes | None]
"""Called with (the connection, tag, whole line); None closes the connection."""

MAILS = {
    uid: (
        f"From: Bob <bob@example.org>\r\nSubject: Mail {uid}\r\nMessage-ID: <{uid}@example.org>\r\n"
        f"Date: Tue, 03 Nov 2026 08:00:00 +0000\r\n\r\nThe text of mail {uid}.\r\n"
    ).encode()
    for uid in (1, 2, 3)
}


class ScriptedImap:
    """Serves the mails of one folder, logs every line it is sent, and counts connections.

    Args:
        mails: By UID.
        script: What to answer to a command, by its name: `LOGIN`, `EXAMINE`, `SEARCH`, `SUMMARY` and `BODY`
            (the two FETCHes), ...; the greeting is `""`.
        capabilities: Announced before and after the login.
        tls: Context for STARTTLS, or for everything if `implicit`.
        implicit: TLS from the first byte.
        validity: UIDVALIDITY; None is not mentioned.
    """

    def __init__(
        self,
        mails: Mapping[int, bytes] = MAILS,
        script: Mapping[str, Answer] | None = None,
        *,
        capabilities: str = "IMAP4rev1 AUTH=PLAIN IDLE",
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        validity: int | None = 7,
    ) -> None:
        self.mails = dict(mails)
        self.script = dict(script or {})
        self.capabilities = capabilities
        self.tls = tls
        self.implicit = implicit
        self.validity = validity
        self.log: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> ScriptedImap:
        return self

    def __exit__(self, *_: object) -> None:
        # Only this wakes up a thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def target(self, folder: str = "INBOX", scheme: str = "imap", host: str = "127.0.0.1") -> str:
        """The mailbox as a reader types it."""
        return f"{scheme}://ada@{host}:{self.port}/{folder}"

    @property
    def commands(self) -> list[str]:
        """Names of all commands that came, in order."""
        return [line.split(" ", 1)[1] for line in self.log if " " in line]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        visit = Visit(self, sock, self.connections)
        with suppress(OSError, ValueError):
            if self.implicit:
                visit.secure()
            visit.run()
        visit.close()


class Visit:
    """One connection."""

    def __init__(self, server: ScriptedImap, sock: socket.socket, number: int) -> None:
        self.server = server
        self.sock = sock
        self.number = number
        self._file = sock.makefile("rb")

    def secure(self) -> None:
        """Goes on in TLS."""
        assert self.server.tls is not None
        self._file.close()
        self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
        self._file = self.sock.makefile("rb")

    def close(self) -> None:
        """Ends the connection."""
        with suppress(OSError):
            self._file.close()
            self.sock.close()

    def run(self) -> None:
        """Answers until the end."""
        greeting = self._scripted("", "", "") if "" in self.server.script else b"* OK ready\r\n"
        if greeting is None or not self.send(greeting):
            return
        while line := self._file.readline():
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self.server.log.append(text)
            tag, _, rest = text.partition(" ")
            words = rest.upper().split()
            name = words[1] if words[:1] == ["UID"] else (words or [tag.upper()])[0]
            if name == "FETCH":
                name = "BODY" if "BODY.PEEK[]" in text else "SUMMARY"
            answer = self._scripted(name, tag, text) if name in self.server.script else None
            if name in self.server.script:
                if answer is None:
                    return
            else:
                answer = self.usual(name, tag, text)
            if not self.send(answer):
                return
            if name == "STARTTLS" and self.server.tls is not None:
                self.secure()
            elif name == "LOGOUT":
                return

    def send(self, data: bytes) -> bool:
        """Whether the other side was still there."""
        try:
            self.sock.sendall(data)
        except OSError:
            return False
        return True

    def readline(self) -> str:
        """A line that is no command: what was asked for by a continuation."""
        line = self._file.readline().decode().strip()
        self.server.log.append(line)
        return line

    def usual(self, name: str, tag: str, line: str) -> bytes:
        """What an honest server answers."""
        server = self.server
        ok = f"{tag} OK done\r\n".encode()
        if name == "CAPABILITY":
            return f"* CAPABILITY {server.capabilities}\r\n".encode() + ok
        if name == "AUTHENTICATE":
            self.send(b"+ \r\n")
            self.readline()
            return ok
        if name == "EXAMINE":
            validity = f"* OK [UIDVALIDITY {server.validity}] .\r\n" if server.validity is not None else ""
            after = max(server.mails, default=0) + 1
            return (
                f"* FLAGS ()\r\n* {len(server.mails)} EXISTS\r\n* 0 RECENT\r\n{validity}"
                f"* OK [UIDNEXT {after}] .\r\n{tag} OK [READ-ONLY] done\r\n"
            ).encode()
        if name == "SEARCH":
            return f"* SEARCH {' '.join(map(str, self.uids(line)))}\r\n".encode() + ok
        if name in ("SUMMARY", "BODY"):
            make = self.summary if name == "SUMMARY" else self.body
            return b"".join(make(uid) for uid in self.uids(line)) + ok
        if name == "LIST":
            return b'* LIST () "/" INBOX\r\n' + ok
        if name == "IDLE":
            self.send(b"+ idling\r\n")
            self.readline()
            return ok
        if name == "ID":
            return b"* ID NIL\r\n" + ok
        return ok

    def uids(self, line: str) -> list[int]:
        """The mails that a command names by its first set of UIDs."""
        found: list[int] = []
        named = re.search(r"UID (?:SEARCH UID|FETCH) ([\d:*,]+)", line)
        for part in named.group(1).split(",") if named else []:
            first, _, last = part.partition(":")
            end = max(self.server.mails, default=0) if last == "*" else int(last or first)
            found += [uid for uid in sorted(self.server.mails) if int(first) <= uid <= end]
        return found

    def summary(self, uid: int, size: int | None = None, flags: str = "") -> bytes:
        """The answer to the first FETCH."""
        mail = self.server.mails[uid]
        head = mail.partition(b"\r\n\r\n")[0]
        named = [line for line in head.split(b"\r\n") if re.match(rb"(?i)message-id|date|from|subject", line)]
        fields = b"".join(line + b"\r\n" for line in named) + b"\r\n"
        start = f"* {uid} FETCH (UID {uid} FLAGS ({flags}) RFC822.SIZE {len(mail) if size is None else size}"
        key = f" BODY[HEADER.FIELDS (MESSAGE-ID DATE FROM SUBJECT)] {{{len(fields)}}}\r\n"
        return (start + key).encode() + fields + b")\r\n"

    def body(self, uid: int) -> bytes:
        """The answer to the second."""
        mail = self.server.mails[uid]
        return f"* {uid} FETCH (UID {uid} BODY[]<0> {{{len(mail)}}}\r\n".encode() + mail + b")\r\n"

    def _scripted(self, name: str, tag: str, line: str) -> bytes | None:
        answer = self.server.script.get(name)
        return answer(self, tag, line) if answer is not None else None
