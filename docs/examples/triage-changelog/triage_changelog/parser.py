"""Runs in a child process with limits, because its input is a stranger's: see `ingestors.sandbox`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from ingestors.wire import MAX_ITEMS, EntryDict, RefusalError, entry_dict

_RELEASE = re.compile(r"^## +\[?v?(\d[\w.+-]{0,40})\]?(?: *[-–(]+ *(\d{4}-\d\d-\d\d)\)?)?", re.MULTILINE)


def parse_changelog(body: bytes, *, url: str) -> dict[str, Any]:
    """The released versions of a file in the manner of Keep a Changelog.

    Args:
        body: The file.
        url: Where it came from.

    Returns:
        `title`, `entries` and `refusals`, as JSON.

    Raises:
        RefusalError: It names no version.
    """
    text = body.decode("utf-8", "replace")
    found = list(_RELEASE.finditer(text))
    if not found:
        raise RefusalError("it names no version in a heading of the second level")
    names = [part for part in urlsplit(url).path.split("/")[:-1] if part]
    project = names[-1] if names else str(urlsplit(url).hostname)
    entries: dict[str, EntryDict] = {}
    for release, end in zip(found, [*(next_.start() for next_ in found[1:]), len(text)], strict=True):
        version = release.group(1)
        if len(entries) < MAX_ITEMS:
            entries.setdefault(
                version,
                entry_dict(
                    key=version,
                    title=f"{project} {version}",
                    text=text[release.end() : end].strip(),
                    url=url,
                    published=_date(release.group(2)),
                ),
            )
    left_out = {release.group(1) for release in found} - entries.keys()
    refusals = [{"name": version, "reason": f"only {MAX_ITEMS} releases are read"} for version in left_out]
    return {"title": f"{project} releases", "entries": list(entries.values()), "refusals": refusals}


def _date(text: str | None) -> int | None:
    try:
        return int(datetime.fromisoformat(text or "").replace(tzinfo=UTC).timestamp())
    except ValueError:
        return None
