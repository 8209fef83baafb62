"""Feeds over HTTP: RSS, Atom, RDF and JSON Feed.

Cursor: `url`, `etag`, `last_modified` (validators, verbatim, of the answer that was parsed),
`interval_s` (what the feed itself asks for) and, if the feed moved for good, `moved_to`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, JsonValue, Kind
from ingestors.http import HttpError, Response, Validators
from ingestors.sandbox import ParseRefused
from ingestors.wire import to_entry, to_refusal

if TYPE_CHECKING:
    from ingestors.base import Tools

PARSER = "ingestors.parsers.feeds:parse_feed"
PARSER_VERSION = 1
"""Raised when the parser reads more out of a document than before: validators are then dropped."""

MAX_INTERVAL_S = 86_400.0

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
                request.target, allow_local=request.allow_local, validators=_validators(cursor)
            )
        except HttpError as error:
            return FetchResult(cursor=cursor, error=error.as_value(), retry_after_s=error.retry_after_s)
        if response.not_modified:
            return FetchResult(
                cursor={**cursor, **_validator_cursor(response, cursor)},
                not_modified=True,
                interval_s=_interval(response, cursor.get("interval_s")),
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
        return FetchResult(
            entries=tuple(to_entry(entry) for entry in parsed["entries"]),
            refusals=tuple(to_refusal(refusal) for refusal in parsed["refusals"]),
            cursor={
                "parser": PARSER_VERSION,
                # A server that broke off must not answer next time that nothing has changed.
                **(_validator_cursor(response, {}) if parsed["whole"] else {}),
                "interval_s": parsed["interval_s"],
                "moved_to": response.permanent_redirect_to,
            },
            title=parsed["title"] or None,
            interval_s=_interval(response, parsed["interval_s"]),
        )


def _validators(cursor: Mapping[str, JsonValue]) -> Validators | None:
    url, etag, modified = cursor.get("url"), cursor.get("etag"), cursor.get("last_modified")
    if cursor.get("parser") != PARSER_VERSION or not isinstance(url, str):
        return None
    return Validators(
        url,
        etag if isinstance(etag, str) else None,
        modified if isinstance(modified, str) else None,
    )


def _validator_cursor(response: Response, old: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """A 304 may bring new validators, or leave them out, which keeps the old ones."""
    validators = response.validators
    return {
        "url": validators.url,
        "etag": validators.etag or old.get("etag"),
        "last_modified": validators.last_modified or old.get("last_modified"),
    }


def _interval(response: Response, asked_by_feed: JsonValue) -> float | None:
    """The longest interval that the server or the feed asks for, at most a day: absurd ones exist."""
    wanted = [float(asked_by_feed)] if isinstance(asked_by_feed, (int, float)) else []
    if response.max_age_s:
        wanted.append(response.max_age_s)
    return min(max(wanted), MAX_INTERVAL_S) if wanted else None


def _looks_like_file(target: str) -> bool:
    if "/" not in target and target.lower().endswith(_FILE_ENDINGS):
        return True
    try:
        return Path(target).exists()
    except (OSError, ValueError):
        return False
