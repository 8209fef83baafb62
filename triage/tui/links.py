"""Opening a link outside: which links are allowed, and the command that is run for one.

http and https only, always as one argument of an argv list, never through a shell. The link comes from
a stranger, so whatever a badly quoted browser script could take for syntax is percent-encoded first.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from triage.core.errors import TriageError

MAX_LENGTH = 8192
"""Longer ones are refused; browsers and servers stop at 2,000 to 8,000 characters."""

STARTUP_SECONDS = 1.0
"""How long to wait for an opener that fails at once, such as xdg-open without a desktop."""

_COPY = "press y to copy the link instead"
_HOST = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_SAFE = "/:?#[]@!&*+,;=%~"


def checked_url(url: str) -> str:
    """Returns `url` in a form that is safe as a command argument.

    Raises:
        TriageError: It is no http or https link, too long, or holds what no link may hold.
    """
    if len(url) > MAX_LENGTH:
        raise TriageError(f"The link is longer than {MAX_LENGTH} characters and was not opened", fix=_COPY)
    if not url.isprintable() or " " in url:
        raise TriageError("The link holds spaces or control characters and was not opened", fix=_COPY)
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port
    except ValueError as error:
        raise TriageError("The link is malformed and was not opened", fix=_COPY) from error
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        raise TriageError("Only http and https links are opened", fix=_COPY)
    if ":" in host:
        host = f"[{host}]"
    # User names in a link only serve to make it look like another site, so they are not passed on.
    netloc = host if port is None else f"{host}:{port}"
    return urlunsplit(
        (
            parts.scheme,
            netloc,
            *(quote(part, safe=_SAFE) for part in (parts.path, parts.query, parts.fragment)),
        )
    )


def browser_argv(url: str, environ: Mapping[str, str], platform: str = sys.platform) -> list[str]:
    """The command that opens `url`: the first usable entry of $BROWSER, else the opener of the desktop.

    Args:
        url: Any link; it is checked here.
        environ: Where BROWSER and PATH are looked up.
        platform: As `sys.platform`.

    Raises:
        TriageError: The link is refused, or there is nothing to open it with.
    """
    target = checked_url(url)
    path = environ.get("PATH")
    for entry in environ.get("BROWSER", "").split(os.pathsep):
        try:
            words = shlex.split(entry)
        except ValueError:
            continue
        if words and shutil.which(words[0], path=path):
            filled = [word.replace("%s", target) for word in words]
            return filled if filled != words else [*words, target]
    opener = "open" if platform == "darwin" else "xdg-open"
    if found := shutil.which(opener, path=path):
        return [found, target]
    raise TriageError(f"There is no {opener} to open the link with", fix=f"set $BROWSER, or {_COPY}")


def open_link(url: str, environ: Mapping[str, str]) -> None:
    """Opens `url` in a process of its own, without its output; may wait a second for an early failure.

    Raises:
        TriageError: The link is refused, or the browser could not be started.
    """
    argv = browser_argv(url, environ)
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=dict(environ),
        )
    except OSError as error:
        raise TriageError(f"{argv[0]} could not be started: {error.strerror}", fix=_COPY) from error
    try:
        status = process.wait(STARTUP_SECONDS)
    except subprocess.TimeoutExpired:
        # Still running, so it is a browser. Someone has to collect its exit status one day.
        threading.Thread(target=process.wait, daemon=True).start()
        return
    if status:
        raise TriageError(f"{argv[0]} could not open the link (exit status {status})", fix=_COPY)
