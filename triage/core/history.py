"""What digests showed, as a value. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from triage.core.items import Lane


@dataclass(frozen=True, slots=True)
class Shown:
    """An item of a digest, as the digest last stood."""

    digest: int
    built_at: datetime
    item: int
    lane: Lane
    minutes: float
    why: tuple[dict[str, Any], ...]
    """Its strongest reasons, as `triage.core.items.Reason` writes them."""
