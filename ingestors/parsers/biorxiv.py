"""Answers of bioRxiv and medRxiv to entries."""

from __future__ import annotations

import re
from typing import Any

from ingestors.parsers.document import decode
from ingestors.parsers.records import (
    MAX_NAMES,
    answer,
    day_of,
    markup_line,
    markup_text,
    read_json,
    seconds,
    turned,
    work_names,
)
from ingestors.wire import EntryDict, RefusalError, entry_dict

# What the service makes of the markup of abstracts: `O_ST_ABSBackgroundC_ST_ABSWe pool.`
_BLOCK = re.compile(r"[OC]_(?:ST_ABS|LINKSMALLFIG|TEXTBOX|FLOATNO|FIGNO|FIG|TBL|LI|UL|OL|BQ)")
_INLINE = re.compile(r"[OC]_SCP(?:LOW|CAP)")


def parse_biorxiv(body: bytes, start: int = 0, category: str = "") -> dict[str, Any]:
    """Reads the details of an interval of days, or of one preprint.

    Args:
        body: The answer.
        start: Number of its first record among all.
        category: Only of this subject, as the service writes it (`cell biology`), whatever it sends.

    Returns:
        `title`, `entries` (of each preprint its latest version), `refusals`, `count`, `total`, `next` (number
        of the first record of the next page, or None) and `newest` (latest day of posting).

    Raises:
        RefusalError: It is neither.
    """
    data = read_json(decode(body))
    if not isinstance(data, dict):
        raise RefusalError("it is no answer of bioRxiv")
    messages, records = data.get("messages"), data.get("collection", [])
    message = messages[0] if isinstance(messages, list) and messages else {}
    if not isinstance(message, dict) or not message or not isinstance(records, list):
        raise RefusalError("it is no answer of bioRxiv")
    status = str(message.get("status", "ok"))
    if not records and status != "ok" and "no posts found" not in status.lower():
        raise RefusalError(f"the service reports: {status[:200]}")
    wanted = [r for r in records if not category or not isinstance(r, dict) or _subject(r) == category]
    latest = {str(r.get("doi")) if isinstance(r, dict) else str(n): r for n, r in enumerate(wanted)}
    parsed = answer("bioRxiv", list(latest.values()), _entry)
    total = str(message.get("total", ""))
    end = start + len(records)
    known = total.isascii() and total.isdigit() and len(total) < 10
    return {
        **parsed,
        "count": len(records),
        "total": int(total) if known else None,
        "next": end if records and known and end < int(total) else None,
        "newest": day_of(seconds(r.get("date")) for r in records if isinstance(r, dict)),
    }


def _entry(record: dict[str, Any]) -> EntryDict:
    server = str(record.get("server") or "bioRxiv")
    names = work_names(doi=record.get("doi"))
    version = str(record.get("version") or "")
    return entry_dict(
        key=names["doi"],
        title=markup_line(record.get("title")),
        text=_abstract(str(record.get("abstract") or "")),
        url=f"https://doi.org/{names['doi']}",
        people=[turned(name) for name in str(record.get("authors") or "").split(";")[:MAX_NAMES]],
        published=seconds(record.get("date")),
        tags=[_subject(record)],
        identifiers={**names, "version": version if version.isdigit() else "", "venue": server},
    )


def _subject(record: dict[str, Any]) -> str:
    return " ".join(str(record.get("category") or "").lower().replace("_", " ").split())


def _abstract(text: str) -> str:
    return markup_text(_INLINE.sub("", _BLOCK.sub("\n\n", text)))
