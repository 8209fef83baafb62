"""A real Dovecot on a free loopback port, with one account whose mails lie in a Maildir that tests change."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imapclient
import trustme

USER, PASSWORD = "ada@example.org", "correct-horse"

CONFIG = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {internal_group}
mail_location = maildir:{base}/mail
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
ssl = yes
ssl_cert = <{base}/cert.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={base}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {plain_port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
}}
"""


class Dovecot:
    """A running server. `connect` gives a client that may change mails, which the program never does."""

    def __init__(self, base: Path, plain_port: int, tls_port: int, pid: int) -> None:
        self._pid = pid
        self._dropped = 0
        self.base = base
        self.plain_port = plain_port
        self.tls_port = tls_port

    @property
    def certificate(self) -> Path:
        """The authority that signed the server's certificate."""
        return self.base / "ca.pem"

    def target(self, folder: str = "INBOX") -> str:
        """The mailbox as a reader types it."""
        return f"imaps://{USER}@localhost:{self.tls_port}/{folder}"

    @contextmanager
    def connect(self) -> Iterator[imapclient.IMAPClient]:
        """A client of the library, logged in."""
        with imapclient.IMAPClient("127.0.0.1", self.plain_port, ssl=False) as client:
            client.login(USER, PASSWORD)
            yield client

    def deliver(self, *mails: bytes, folder: str = "INBOX") -> None:
        """Appends mails to a folder."""
        with self.connect() as client:
            for mail in mails:
                client.append(folder, mail.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def drop(self, mail: bytes, age_days: float = 0) -> None:
        """Puts a mail into the INBOX as a delivery agent does."""
        user, at = owner(), time.time() - age_days * 86_400
        for folder in ("cur", "new", "tmp"):
            if not (self.base / "mail" / folder).exists():
                make_owned(self.base / "mail" / folder, user)
        self._dropped += 1
        file = self.base / "mail" / "new" / f"{at:.0f}.{self._dropped}.here"
        file.write_bytes(mail)
        if os.geteuid() == 0:
            os.chown(file, user.pw_uid, user.pw_gid)
        os.utime(file, (at, at))

    def sessions(self) -> list[int]:
        """Processes that serve somebody who is logged in."""
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True)
        rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
        return [int(pid) for pid, parent, name in rows if int(parent) == self._pid and name == "imap"]

    def flags(self, folder: str = "INBOX") -> dict[int, tuple[bytes, ...]]:
        """UID -> flags of every mail, \\Recent included."""
        with self.connect() as client:
            client.select_folder(folder, readonly=True)
            return dict(client.get_flags(client.search()))

    def empty(self) -> None:
        """Removes all folders and mails, as a mailbox that was lost; UIDVALIDITY will be another."""
        shutil.rmtree(self.base / "mail")
        make_owned(self.base / "mail", owner())


def owner() -> pwd.struct_passwd:
    """Whose the mails are: Dovecot does not serve those of root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def make_owned(folder: Path, user: pwd.struct_passwd) -> None:
    """Creates a folder of that user's."""
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, user.pw_uid, user.pw_gid)


@contextmanager
def running() -> Iterator[Dovecot]:
    """Starts a server, and ends it. It does not lie in pytest's folder, which only its owner may enter."""
    base = Path(tempfile.mkdtemp(prefix="dovecot-"))
    base.chmod(0o755)
    user = owner()
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    authority.cert_pem.write_to_path(str(base / "ca.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(base / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(base / "key.pem"))
    make_owned(base / "mail", user)
    root = os.geteuid() == 0
    plain_port, tls_port = _free_port(), _free_port()
    names = {
        "internal": "dovecot" if root else user.pw_name,
        "internal_group": "dovecot" if root else user.pw_gid,
        "login": "dovenull" if root else user.pw_name,
    }
    config = base / "dovecot.conf"
    config.write_text(
        CONFIG.format(
            base=base,
            owner=user.pw_uid,
            group=user.pw_gid,
            plain_port=plain_port,
            tls_port=tls_port,
            password=PASSWORD,
            **names,
        )
    )
    program = shutil.which("dovecot") or "/usr/sbin/dovecot"
    quiet = subprocess.DEVNULL
    process = subprocess.Popen([program, "-F", "-c", str(config)], stdout=quiet, stderr=quiet)
    try:
        _wait_for(tls_port, process, base / "dovecot.log")
        yield Dovecot(base, plain_port, tls_port, process.pid)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(base, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"Dovecot did not start: {log.read_text() if log.exists() else 'no log'}")
