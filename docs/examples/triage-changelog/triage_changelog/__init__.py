"""A plug-in for triage: the releases of a project, out of its CHANGELOG.md.

Targets: `changelog:https://example.org/CHANGELOG.md`.
Cursor: `url`, `etag` and `last_modified` of the answer that was parsed, verbatim.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, JsonValue, Kind, Tools
from ingestors.http import HttpError, Validators
from ingestors.sandbox import ParseRefused
from ingestors.wire import to_entry, to_refusal, web_url

PREFIX = "changelog:"
PARSER = "triage_changelog.parser:parse_changelog"


class ChangelogIngestor:
    """Reads one changelog per source."""

    name = "changelog"
    kind: Kind = "feed"

    def claim(self, target: str) -> Claim | None:
        """`changelog:` and a web address; looks at nothing but the text."""
        prefix, url = target.strip()[: len(PREFIX)], web_url(target.strip()[len(PREFIX) :])
        if prefix.lower() != PREFIX or url is None:
            return None
        return Claim(self.name, self.kind, PREFIX + url, f"Releases, {urlsplit(url).hostname}")

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Asks whether the file changed, and has it parsed in a child process if it did."""
        try:
            response = await tools.http.get(
                request.target.removeprefix(PREFIX),
                allow_local=request.allow_local,
                validators=_validators(request),
                accept="text/markdown, text/plain;q=0.9, */*;q=0.1",
            )
        except HttpError as error:
            return FetchResult(
                cursor=request.cursor, error=error.as_value(), retry_after_s=error.retry_after_s
            )
        if response.not_modified:
            return FetchResult(cursor=request.cursor, not_modified=True)
        try:
            answer = await tools.parsers.parse(PARSER, response.body, url=response.url)
        except ParseRefused as refused:
            error_value = FetchError("parse", f"the changelog was refused: {refused.reason}")
            return FetchResult(cursor=request.cursor, error=error_value)
        validators = response.validators
        cursor: dict[str, JsonValue] = {
            "url": validators.url,
            "etag": validators.etag,
            "last_modified": validators.last_modified,
        }
        return FetchResult(
            entries=tuple(to_entry(entry) for entry in answer["entries"]),
            refusals=tuple(to_refusal(refusal) for refusal in answer["refusals"]),
            cursor=cursor,
            title=answer["title"],
        )


def _validators(request: FetchRequest) -> Validators | None:
    url, etag, modified = (request.cursor.get(name) for name in ("url", "etag", "last_modified"))
    if not isinstance(url, str):
        return None
    return Validators(
        url, etag if isinstance(etag, str) else None, modified if isinstance(modified, str) else None
    )
