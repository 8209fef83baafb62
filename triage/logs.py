"""Logging of the background process: one file, key facts in plain words, no secrets."""

from __future__ import annotations

import logging
import logging.handlers
import re
from pathlib import Path

MAX_BYTES = 2_000_000
KEPT = 3
_USERINFO = re.compile(r"(\w+://)[^/@\s]+@")
_SECRET = re.compile(r"(?i)\b(token|key|password|secret|api_key)=[^&\s]+")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class SafeFormatter(logging.Formatter):
    """Redacts credentials in URLs and replaces control characters: log lines quote strangers."""

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        text = _SECRET.sub(r"\1=***", _USERINFO.sub(r"\1***@", super().format(record)))
        return _CONTROL.sub("\ufffd", text)


def to_file(path: Path, level: int = logging.INFO) -> None:
    """Sends this process's log to a rotated file, readable by its owner only."""
    path.touch(mode=0o600, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8"
    )
    handler.setFormatter(SafeFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
