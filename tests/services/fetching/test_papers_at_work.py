"""Papers from several services, on their way into the database."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

from loopback import LoopbackServer, Route
from world import NOW

from triage.config import Config, ServiceConfig
from triage.services.fetching import ingest, sources
from triage.services.fetching.writing import SourceReport
from triage.services.reader import reading
from triage.store import items
from triage.store.engine import Database

ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom"><entry>
<id>http://arxiv.org/abs/2603.00001v{version}</id><title>Pooling of passages by attention</title>
<summary>{text}</summary><published>2026-03-01T00:00:00Z</published>
<author><name>Ada Lovelace</name></author></entry></feed>"""


class Moving:
    """A clock that the test moves."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


def _sync(database: Database, server: LoopbackServer, clock: Moving) -> list[SourceReport]:
    services = {
        "arxiv": ServiceConfig(url=server.url("/q")),
        **{name: ServiceConfig(url=server.url(f"/{name}")) for name in ("openalex", "semanticscholar")},
    }
    return asyncio.run(ingest.sync(database, Config(services=services), clock, concurrency=1))


def test_one_record_for_a_work_on_three_servers_and_through_its_versions(
    database: Database, server: LoopbackServer
) -> None:
    """IDN-11."""
    openalex = {
        "meta": {"count": 1},
        "results": [{
            "id": "https://openalex.org/W77777", "doi": "https://doi.org/10.48550/arxiv.2603.00001",
            "title": "Pooling of Passages by Attention", "publication_date": "2026-03-01",
            "authorships": [{"author": {"display_name": "A. Lovelace"}}],
        }],
    }  # fmt: skip
    s2 = {"data": [{"paperId": "f" * 40, "title": "Pooling of passages, by attention", "abstract": "We pool.",
                    "authors": [{"name": "Ada Lovelace"}], "externalIds": {"DOI": "10.1234/x"}}]}  # fmt: skip
    atom = ATOM

    def answer(path: str) -> Route:
        body = json.dumps(openalex if path.startswith("/openalex") else s2)
        return Route((atom if path.startswith("/q") else body).encode(), etag=False)

    class Servers(dict[str, Route]):
        def get(self, path: str, default: Route | None = None) -> Route:
            return answer(path)

    server.routes = Servers()
    atom = ATOM.format(version=1, text="We pool.")
    clock = Moving()
    for target in ("arxiv:attention", "openalex:attention", "s2:attention"):
        sources.add(database, clock, target, allow_local=True)
    reports = _sync(database, server, clock)
    assert [report.error for report in reports] == [None] * 3
    (item,) = reading.best(database, 10)
    with database.read() as connection:
        names = items.identifiers(connection, [item.id])[item.id]
    assert (names["arxiv"], names["openalex"], names["s2"]) == ("2603.00001", "W77777", "f" * 40)

    atom = ATOM.format(version=2, text="We pool again, and better.")
    clock.now += timedelta(days=2)
    reports = _sync(database, server, clock)
    assert sum(report.new for report in reports) == 0, "a new version is no new item"
    assert sum(report.revised for report in reports) == 1
    assert len(reading.best(database, 10)) == 1
