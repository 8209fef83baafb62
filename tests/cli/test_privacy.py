"""Nobody is asked but whom the reader named, and nobody else on the machine can read along."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import LoopbackServer, Route

from triage.paths import Paths

AUDITED = """
import os, sys
seen = open(os.environ["SEEN"], "a")
def hook(event, args):
    if event in ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname"):
        what = args[0] if event.startswith("socket.get") else args[1]
        if not isinstance(what, (bytes, str)) or event.startswith("socket.get"):
            print(event, what, file=seen, flush=True)
sys.addaudithook(hook)
"""
"""As `sitecustomize` it is in every process of the program, its children included."""
PAGE = (
    b'<html><body><p>Herons were counted.</p><img src="https://tracker.example/pixel.gif">'
    b'<a href="https://elsewhere.example/">more</a></body></html>'
)


def feed(server: LoopbackServer) -> bytes:
    return b"""<?xml version="1.0"?><rss version="2.0"><channel><title>Marsh</title>
    <link>https://marsh.example/</link><image><url>https://img.example/logo.png</url></image>
    <item><guid>1</guid><title>Herons</title><link>https://elsewhere.example/1</link>
    <description>&lt;img src="https://tracker.example/p.gif"&gt; Herons were counted. [...]</description>
    <enclosure url="https://media.example/1.mp3" type="audio/mpeg" length="1"/></item>
    </channel></rss>"""


@pytest.mark.slow
def test_no_packet_goes_to_a_host_that_no_source_names(
    paths: Paths, server: LoopbackServer, tmp_path: Path
) -> None:
    """PRV-01, PRV-02."""
    server.routes |= {"/feed": Route(feed(server)), "/page": Route(PAGE)}
    (tmp_path / "sitecustomize.py").write_text(AUDITED)
    seen = tmp_path / "seen"
    environ = os.environ | {"SEEN": str(seen), "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"}
    for arguments in (
        f"add --allow-local {server.url('/feed')}",
        "interests add herons",
        "sync --now",
        "digest",
        "show 1",
        "search herons",
        "doctor",
        "status",
    ):
        done = subprocess.run(
            [sys.executable, "-m", "triage", *arguments.split()],
            env=environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode in (0, 1), f"{arguments}: {done.stderr}"
    asked = set(seen.read_text().splitlines())
    assert any(str(server.port) in line for line in asked), "the hook sees what there is to see"
    foreign = [line for line in asked if "127.0.0.1" not in line]
    assert not foreign


def test_all_files_are_for_their_owner_whatever_the_umask(tmp_path: Path) -> None:
    """PRV-04."""
    home = tmp_path / "home"
    environ = os.environ | {"TRIAGE_HOME": str(home)}
    for arguments in (
        ["interests", "add", "herons"],
        ["config", "set", "digest.minutes", "20"],
        ["db", "backup"],
        ["export", "opml", str(home / "data" / "feeds.opml")],
    ):
        command = [sys.executable, "-m", "triage", *arguments]
        done = subprocess.run(command, env=environ, umask=0, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    found = [home, *home.rglob("*")]
    assert len(found) > 6
    open_to_others = [str(path) for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert not [path for path in open_to_others if not path.endswith("feeds.opml")]
