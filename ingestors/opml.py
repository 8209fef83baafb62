"""Reading subscription lists: what an OPML file would subscribe a reader to, for consent."""

from __future__ import annotations

from dataclasses import dataclass

from ingestors.base import Refusal
from ingestors.sandbox import ParseRefused, ParserPool
from ingestors.wire import to_refusal

PARSER = "ingestors.parsers.opml:parse_opml"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One feed of a list; `tags` are the folders it was in."""

    title: str
    url: str
    tags: tuple[str, ...] = ()


async def read_opml(body: bytes, parsers: ParserPool) -> tuple[list[Subscription], list[Refusal]]:
    """Reads a list. Each feed occurs once; whatever is not http(s) is refused, commands above all."""
    try:
        answer = await parsers.parse(PARSER, body)
    except ParseRefused as refused:
        return [], [Refusal("subscription list", refused.reason)]
    found = [Subscription(s["title"], s["url"], tuple(s["tags"])) for s in answer["subscriptions"]]
    return found, [to_refusal(refusal) for refusal in answer["refusals"]]
