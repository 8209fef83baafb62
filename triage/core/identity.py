"""What makes two documents the same, and what a claimed date is worth."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime, timedelta

OLDEST = timedelta(days=365 * 60)
"""A date longer ago than this is a mistake, not a date."""

_NO_WORD = re.compile(r"[\W_]+")


def content_hash(title: str, text: str) -> str:
    """Equal for documents with the same words in the same order, whatever their case and punctuation."""
    words = _NO_WORD.sub(" ", unicodedata.normalize("NFKC", f"{title}\n{text}").casefold()).strip()
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def clamp_published(claimed: datetime | None, first_seen: datetime) -> datetime | None:
    """The date to rank by: a claimed one is never later than the moment we first saw the item.

    A feed can date a post into the future to stay on top, or into year 1 by mistake. None stays None,
    and so becomes a date that cannot be one.
    """
    if claimed is None or claimed < first_seen - OLDEST:
        return None
    return min(claimed, first_seen)
