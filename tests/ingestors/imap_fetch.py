"""One fetch by the IMAP ingestor, and what every answer of it has to be free of."""

from __future__ import annotations

from collections.abc import Mapping

from ingestors.base import FetchRequest, FetchResult, JsonValue, Tools
from ingestors.imap import ImapIngestor
from ingestors.testing import check_result

PASSWORD = "s3cret-canary"


async def fetch(
    target: str,
    tools: Tools,
    cursor: Mapping[str, JsonValue] | None = None,
    allow_local: bool = True,
    **options: JsonValue,
) -> FetchResult:
    """What a fetch comes to; whatever a server said, no password and no escape is in it."""
    settings = {"password_env": "MAIL_PASSWORD", **options}
    request = FetchRequest(target=target, cursor=cursor or {}, allow_local=allow_local, options=settings)
    result = await ImapIngestor().fetch(request, tools)
    check_result(request, result)
    shown = repr((result.error, result.refusals, result.cursor))
    assert PASSWORD not in shown
    assert "\x1b" not in shown
    return result


def keys(result: FetchResult) -> list[str]:
    """The numbers of the mails of `ScriptedImap` that came."""
    return sorted(entry.key.partition("@")[0] for entry in result.entries)


def message(result: FetchResult) -> str:
    """What is said of a fetch that failed."""
    assert result.error is not None
    return result.error.message
