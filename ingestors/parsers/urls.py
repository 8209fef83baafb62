"""Subscription lists with a feed a line: the `urls` file of newsboat."""

from __future__ import annotations

from typing import Any

from ingestors.parsers.document import decode
from ingestors.parsers.opml import MAX_SUBSCRIPTIONS, few, refusal_reason, tag_name
from ingestors.quoting import split_line
from ingestors.wire import MAX_TAGS, MAX_TITLE, MAX_URL


def parse_urls(body: bytes) -> dict[str, Any]:
    """Reads a `urls` file: `URL tag "two words" "~Name" "!hidden" # a comment`.

    Returns:
        `subscriptions` and `refusals` like `ingestors.parsers.opml.parse_opml`. A target is not looked
        at, but for those that would run a command. Tags that begin with `!` stay as they are.
    """
    subscriptions: dict[str, dict[str, Any]] = {}
    refusals: list[dict[str, str]] = []
    for line in decode(body).split("\n"):
        words = split_line(line)
        if not words:
            continue
        target = words[0].text.strip()
        names = [word.text[1:] for word in words[1:] if word.text.startswith("~")]
        title = " ".join(names[0].split())[:MAX_TITLE] if names else ""
        reason = refusal_reason(target)
        if reason is None and target not in subscriptions and len(subscriptions) >= MAX_SUBSCRIPTIONS:
            reason = f"only {MAX_SUBSCRIPTIONS} subscriptions are read"
        if reason is not None or not target or len(target) > MAX_URL:
            refusals.append(
                {"name": title or target[:80] or "a line", "reason": reason or "it names no source"}
            )
            continue
        tags = [tag_name(word.text) for word in words[1 : MAX_TAGS + 1] if not word.text.startswith("~")]
        known = subscriptions.setdefault(
            target, {"title": title, "url": target, "tags": [], "attributes": {}}
        )
        known["title"] = known["title"] or title
        known["tags"] = list(dict.fromkeys(tag for tag in [*known["tags"], *tags] if tag))[:MAX_TAGS]
    return {"subscriptions": list(subscriptions.values()), "refusals": few(refusals)}
