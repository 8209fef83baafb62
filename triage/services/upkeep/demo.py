"""The demo day: the bundled flood of one morning, through the real ingestors, into a home of its own.

Owns the demo's home and its loopback server. The reader's own data are neither read nor written.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import msgspec

from triage.config import Clock, Config, ServiceConfig
from triage.paths import Paths
from triage.services.fetching import ingest, sources
from triage.services.reader import feedback
from triage.store.engine import Database

ARXIV = "arxiv:"
_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}


@dataclass(frozen=True, slots=True)
class SampleReader:
    """Whose morning it is."""

    now: datetime
    minutes: float
    interests: dict[str, float]
    sources: list[tuple[str, str]]
    """Target (a file of the demo, `mail`, or an arXiv category) and title."""


def sample_reader() -> SampleReader:
    """Reads the bundled reader."""
    raw: dict[str, Any] = json.loads((_folder() / "reader.json").read_text(encoding="utf-8"))
    return SampleReader(
        now=datetime.fromisoformat(raw["now"]),
        minutes=float(raw["minutes"]),
        interests={i["phrase"]: float(i["weight"]) for i in raw["interests"]},
        sources=[(s["target"], s["title"]) for s in raw["sources"]],
    )


def _folder() -> Traversable:
    return resources.files("triage.demo")


def prepare(home: Paths) -> None:
    """Makes an empty home for the demo in place of what a run that did not finish has left."""
    for folder in (home.config, home.data, home.cache, home.state):
        shutil.rmtree(folder, ignore_errors=True)
    home.create()
    mail = home.data / "mail"
    for name in ("cur", "new", "tmp"):
        (mail / name).mkdir(parents=True)
    for letter in (_folder() / "mail").iterdir():
        if letter.name.endswith(".eml"):
            (mail / "new" / letter.name).write_bytes(letter.read_bytes())


def ingest_day(
    home: Paths,
    database: Database,
    config: Config,
    clock: Clock,
    on_progress: Callable[[str, int, int], None],
) -> None:
    """Adds the sample reader's sources and interests, and fetches the day from a loopback server."""
    reader = sample_reader()
    with _server() as url:
        for target, title in reader.sources:
            if target == "mail":
                sources.add(database, clock, str(home.data / "mail"), allow_local=False, title=title)
            elif target.startswith(ARXIV):
                sources.add(database, clock, target, allow_local=True, title=title)
            else:
                sources.add(database, clock, f"{url}/{target}", allow_local=True, title=title)
        for phrase, weight in reader.interests.items():
            feedback.set_interest(database, clock, phrase, weight)
        arxiv = ServiceConfig(url=f"{url}/arxiv/answer.xml")
        settings = msgspec.structs.replace(config, services={"arxiv": arxiv})
        reports = asyncio.run(
            ingest.sync(
                database,
                settings,
                clock,
                concurrency=1,  # so that every run numbers the items alike
                on_report=lambda _, done, total: on_progress("fetching", done, total),
            )
        )
    failed = [report for report in reports if report.error]
    if failed:
        raise RuntimeError(f"the demo day is broken: {failed[0].target}: {failed[0].error}")


@contextmanager
def _server() -> Iterator[str]:
    """Serves the demo's files on a free loopback port; yields the base URL."""
    folder = _folder()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.split("?")[0].strip("/")
            file = folder.joinpath(*path.split("/"))
            if ".." in path or not file.is_file():
                self.send_error(404)
                return
            body = file.read_bytes()
            self.send_response(200)
            self.send_header("Content-Type", _TYPES.get(path.rsplit(".", 1)[-1], "application/xml"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: standard error belongs to the progress display."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
