"""How a notification reaches the reader: their own command, or what the desktop has for it.

Owns the ways out. Nothing that a stranger wrote becomes an option, markup or a line of a shell: programs get
a list of arguments, and a command of the reader's gets the item as JSON on its standard input.
"""

from __future__ import annotations

import contextlib
import html
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from subprocess import DEVNULL, PIPE
from typing import IO

from triage.config import NotifyConfig
from triage.core import words
from triage.core.errors import TriageError
from triage.core.items import Item
from triage.core.text import sanitize_line

WAIT_S = 10.0
LAST_WORDS_S = 1.0
"""Seconds for the rest of what a program that has ended said on its standard error."""
MAX_COMPLAINTS = 2**16
"""Bytes of it that are kept: a program that prints without end must not fill the memory."""
MAX_SAID = 200
"""Characters of it that an error quotes."""


def notify(item: Item, policy: NotifyConfig, environ: Mapping[str, str] = os.environ) -> str:
    """Tells the reader of an item by every way that is set; how, in words.

    Raises:
        TriageError: A way that is set does not work.
    """
    ways = []
    if policy.command:
        _run(_split(policy.command), item, "notify.command")
        ways.append("your command")
    if policy.apprise_env:
        _apprise(item, policy.apprise_env, environ)
        ways.append("apprise")
    if policy.desktop and (argv := _desktop(item, environ)) is not None:
        _run(argv, item, "the notification of the desktop")
        ways.append("the desktop")
    return " and ".join(ways) or "nobody: there is no desktop here, and notify.command is not set"


def _body(item: Item) -> str:
    return f"{words.care(item)} · {item.source}"


def _desktop(item: Item, environ: Mapping[str, str], platform: str = sys.platform) -> list[str] | None:
    """The command of the desktop, if there is one."""
    if platform == "darwin":
        script = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"
        return ["/usr/bin/osascript", "-e", script, "--", item.title, _body(item)]
    if not environ.get("DBUS_SESSION_BUS_ADDRESS") or shutil.which("notify-send") is None:
        return None
    # The body may hold markup by the protocol, the title may not.
    return ["notify-send", "--app-name=triage", "--", item.title, html.escape(_body(item), quote=False)]


def _split(command: str) -> list[str]:
    try:
        argv = shlex.split(command)
    except ValueError:
        raise TriageError("notify.command has an open quotation mark", fix="triage config edit") from None
    if not argv:
        raise TriageError("notify.command names no program", fix="triage config edit")
    return argv


def _run(argv: list[str], item: Item, what: str) -> None:
    """Runs a program. Errors name no argument of it: the address of a web hook is as good as a password.

    What it leaves running in the background is not waited for; if it takes too long, all of it is ended.
    """
    try:
        with tempfile.TemporaryFile() as given:  # a pipe would block us if it is not read
            given.write(json.dumps(item.to_json(), ensure_ascii=False).encode())
            given.seek(0)
            process = subprocess.Popen(argv, stdin=given, stdout=DEVNULL, stderr=PIPE, start_new_session=True)
    except (OSError, ValueError) as error:
        reason = (error.strerror or error) if isinstance(error, OSError) else "a null character in it"
        raise TriageError(f"{what} does not work: {argv[0]}: {reason}", fix="triage config edit") from None
    complaints = bytearray()
    reader = threading.Thread(target=_listen, args=(process.stderr, complaints), daemon=True)
    reader.start()
    try:
        status = process.wait(WAIT_S)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise TriageError(
            f"{what} does not work: {argv[0]} took longer than {WAIT_S:.0f} s", fix="triage config edit"
        ) from None
    if status:
        reader.join(LAST_WORDS_S)
        lines = bytes(complaints).decode(errors="replace").strip().splitlines()
        said = lines[-1] if lines else f"status {status}" if status > 0 else f"ended by signal {-status}"
        for argument in sorted(argv[1:], key=len, reverse=True):
            said = said.replace(argument, "…") if len(argument) > 4 else said
        raise TriageError(f"{what} failed: {sanitize_line(said, MAX_SAID)}", fix="triage config edit")


def _listen(stream: IO[bytes], complaints: bytearray) -> None:
    """Reads to the end, so that nobody waits to be read, and keeps the last bytes."""
    with stream:
        while block := os.read(stream.fileno(), MAX_COMPLAINTS):
            complaints += block
            del complaints[:-MAX_COMPLAINTS]


def _apprise(item: Item, variable: str, environ: Mapping[str, str]) -> None:
    addresses = environ.get(variable, "").split()
    if not addresses:
        raise TriageError(f"the environment variable {variable} (notify.apprise_env) is not set")
    try:
        from apprise import Apprise
    except ImportError as error:
        fix = f"{sys.executable} -m pip install 'triage[notify]'"
        raise TriageError("notify.apprise_env needs the package apprise", fix=fix) from error
    channel = Apprise()
    channel.add(addresses)
    if not channel.notify(title=item.title, body=_body(item)):
        raise TriageError(f"apprise could not reach every address in {variable}")
