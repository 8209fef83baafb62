"""Feeds over HTTP: RSS, Atom, RDF and JSON Feed.

Cursor: `url`, `etag`, `last_modified` (validators, verbatim, of the answer that was parsed), `parser` (the
version that parsed it), and what it said about when to come back: `fresh_s` by its headers, `interval_s`,
`skip_hours` and `skip_days` by itself. A later "not modified" may say it again, or leave it out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import unquote, urlsplit

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, JsonValue, Kind
from ingestors.http import HttpError, Response, Validators, basic_authorization
from ingestors.sandbox import ParseRefused
from ingestors.secrets import SecretError, secret
from ingestors.wire import to_entry, to_refusal

if TYPE_CHECKING:
    from ingestors.base import Tools

PARSER = "ingestors.parsers.feeds:parse_feed"
PARSER_VERSION = 2
"""Raised when the parser reads more out of a document than before: validators are then dropped."""

MAX_INTERVAL_S = 86_400.0
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

_BARE_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d{1,5})?(?:/\S*)?", re.IGNORECASE
)
_FILE_ENDINGS = (".xml", ".json", ".gz", ".opml", ".mbox", ".eml", ".bib", ".txt", ".toml")


class FeedIngestor:
    """Reads one feed per source."""

    name = "feeds"
    kind: Kind = "feed"

    def claim(self, target: str) -> Claim | None:
        """Web addresses, also with `feed:` in front or without a scheme; not names of files."""
        target = target.strip()
        for prefix in ("feed://", "feed:"):
            if target.lower().startswith(prefix):
                rest = target[len(prefix) :]
                target = rest if "://" in rest else "https://" + rest
                break
        if "://" not in target:
            if not _BARE_HOST.fullmatch(target) or _looks_like_file(target):
                return None
            target = "https://" + target
        try:
            parts = urlsplit(target)
            host = parts.hostname
            _ = parts.port
        except ValueError:
            return None
        if parts.scheme.lower() not in ("http", "https") or not host or any(c.isspace() for c in target):
            return None
        if not parts.path:
            target = parts._replace(path="/").geturl()
        return Claim(self.name, self.kind, target, host.removeprefix("www."))

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Asks whether the feed changed, and reads it if it did."""
        cursor = request.cursor
        try:
            response = await tools.http.get(
                request.target,
                allow_local=request.allow_local,
                validators=_validators(cursor),
                headers=await authorization(request.target, request.options),
            )
        except SecretError as error:
            return FetchResult(cursor=cursor, error=FetchError("denied", error.message))
        except HttpError as error:
            return FetchResult(cursor=cursor, error=error.as_value(), retry_after_s=error.retry_after_s)
        if response.not_modified:
            kept = {**cursor, **_validator_cursor(response, cursor), "fresh_s": _fresh(response, cursor)}
            return FetchResult(
                cursor=kept, not_modified=True, moved_to=response.permanent_redirect_to, **_manners(kept)
            )
        if not response.body.strip():
            return FetchResult(cursor=cursor, error=FetchError("parse", "the server sent an empty page"))
        try:
            parsed = await tools.parsers.parse(
                PARSER,
                response.body,
                url=response.url,
                content_type=response.headers.get("content-type", ""),
            )
        except ParseRefused as refused:
            return FetchResult(
                cursor=cursor, error=FetchError("parse", f"the document was refused: {refused.reason}")
            )
        cursor = {
            "parser": PARSER_VERSION,
            # A server that broke off must not answer next time that nothing has changed.
            **(_validator_cursor(response, {}) if parsed["whole"] else {}),
            "fresh_s": response.fresh_s,
            "interval_s": parsed["interval_s"],
            "skip_hours": parsed.get("skip_hours", []),
            "skip_days": parsed.get("skip_days", []),
        }
        return FetchResult(
            entries=tuple(to_entry(entry) for entry in parsed["entries"]),
            refusals=tuple(to_refusal(refusal) for refusal in parsed["refusals"]),
            cursor=cursor,
            title=parsed["title"] or None,
            moved_to=response.permanent_redirect_to,
            **_manners(cursor),
        )


async def authorization(target: str, options: Mapping[str, JsonValue]) -> dict[str, str]:
    """The header for a feed that wants to know who asks; empty for all others.

    Args:
        target: The user's name stands before its host.
        options: May name where the password or the token is: `password_command`, `token_env`, and so on.

    Raises:
        SecretError: The secret cannot be had.
    """
    if (token := await secret(options, "token")) is not None:
        return {"Authorization": f"Bearer {token}"}
    if (password := await secret(options, "password")) is None:
        return {}
    user = urlsplit(target).netloc.rpartition("@")[0].partition(":")[0]
    return {"Authorization": basic_authorization(unquote(user), password)}


def _validators(cursor: Mapping[str, JsonValue]) -> Validators | None:
    """None if another version of the parser has read the last answer: it may have read less out of it."""
    return Validators.of(cursor) if cursor.get("parser") == PARSER_VERSION else None


def _validator_cursor(response: Response, old: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A 304 may bring new validators, or leave them out, which keeps the old ones."""
    return {name: value or old.get(name) for name, value in response.validators.to_cursor().items()}


def _fresh(response: Response, old: Mapping[str, JsonValue]) -> JsonValue:
    return old.get("fresh_s") if response.fresh_s is None else response.fresh_s


class _Manners(TypedDict):
    """The part of a result that says when and how the source wants to be asked."""

    interval_s: float | None
    skip_hours: frozenset[int]
    skip_days: frozenset[int]
    revalidates: bool


def _manners(cursor: Mapping[str, JsonValue]) -> _Manners:
    """The longest interval asked for, at most a day (absurd ones exist), and the times to stay away."""
    asked = [
        float(s) for s in (cursor.get("fresh_s"), cursor.get("interval_s")) if isinstance(s, (int, float))
    ]
    hours, days = cursor.get("skip_hours"), cursor.get("skip_days")
    return _Manners(
        interval_s=min(max(asked), MAX_INTERVAL_S) if any(asked) else None,
        skip_hours=frozenset(h % 24 for h in _items(hours) if isinstance(h, int)),
        skip_days=frozenset(_WEEKDAYS.index(d) for d in _items(days) if d in _WEEKDAYS),
        revalidates=bool(cursor.get("etag") or cursor.get("last_modified")),
    )


def _items(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def _looks_like_file(target: str) -> bool:
    if "/" not in target and target.lower().endswith(_FILE_ENDINGS):
        return True
    try:
        return Path(target).exists()
    except (OSError, ValueError):
        return False
