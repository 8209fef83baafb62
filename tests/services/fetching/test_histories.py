"""Any history of a feed, against a plain account of what it has held."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import NOW

from ingestors.base import Entry, FetchResult
from triage.services.fetching import sources, writing
from triage.store.engine import Database

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.just(0)),
        st.tuples(st.sampled_from(["edit", "name anew", "move", "leave", "return"]), st.integers(0, 5)),
        st.tuples(st.just("wait"), st.sampled_from([1, 24, 24 * 400, -24 * 30])),
        st.tuples(st.just("remove the source"), st.just(0)),
        st.tuples(st.just("poll"), st.just(0)),
    ),
    max_size=30,
)
NUMBERS = itertools.count()


@dataclass(slots=True)
class Clock:
    """The test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass(slots=True)
class Post:
    """A document in the account: what its feed says of it now."""

    number: int
    guid: str
    place: str
    edits: int = 0
    served: bool = True
    changed: set[str] = field(default_factory=set)
    """Since the last poll that saw it."""

    def entry(self) -> Entry:
        text = f"The ferry of line {self.number} sails at {self.number} past eight, all year round. " * 3
        return Entry(
            key=self.guid,
            title=f"Sailings of line {self.number}",
            text=f"{text}Corrected {self.edits} times.",
            url=f"https://{self.place}.example/line/{self.number}",
            published=NOW - timedelta(days=1),
        )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_each_document_is_stored_once_as_it_was_served_last(
    database: Database, steps: list[tuple[str, int]]
) -> None:
    """IDN-14. Between two polls a document may change two of its guid, its address and its text, and go and
    come; who changes all three at once is another document."""
    target = f"https://{next(NUMBERS)}.example/feed"
    clock = Clock()
    posts: list[Post] = []
    stored: dict[int, str] = {}
    source = sources.add(database, clock, target, allow_local=False).id
    for step, number in [*steps, ("poll", 0)]:
        post = posts[number % len(posts)] if posts else None
        if step == "publish":
            posts.append(Post(len(posts), f"guid {len(posts)}", "ferry"))
        elif step == "wait":
            clock.now += timedelta(hours=number)
        elif step == "remove the source":
            sources.remove(database, clock, source)
            source = sources.add(database, clock, target, allow_local=False).id
        elif step == "poll":
            served = [post for post in posts if post.served]
            entries = tuple(post.entry() for post in served)
            report = writing.keep(database, clock, source, FetchResult(entries=entries))
            assert report.new == len({post.number for post in served} - stored.keys())
            for post in served:
                stored[post.number] = post.entry().text.strip()
                post.changed.clear()
        elif post is not None:
            change(post, step)
    with database.read() as connection:
        rows = connection.exec_driver_sql(
            "SELECT title, text FROM item JOIN item_text ON item_id = id WHERE source_id = ?", (source,)
        ).all()
    assert sorted(tuple(row) for row in rows) == sorted(
        (f"Sailings of line {number}", text) for number, text in stored.items()
    )


def change(post: Post, step: str) -> None:
    """What a feed does to a document."""
    if step in ("leave", "return"):
        post.served = step == "return"
    elif len(post.changed | {step}) < 3:
        post.changed.add(step)
        post.edits += step == "edit"
        post.guid += "'" * (step == "name anew")
        post.place += "s" * (step == "move")
