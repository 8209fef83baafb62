"""Logging of the background process: lines for people or JSON lines for programs, and no secret in either.

Owns the two forms of a record, where it goes, and what is left out of it. Who logs gives a sentence, and what
a program would want of it as `extra`: `log.info("...", extra={"event": "fetched", "source": 3})`.
"""

from __future__ import annotations

import io
import json
import logging
import logging.handlers
import os
import re
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

from ingestors.secrets import without_secrets
from triage.core.redaction import redact

Form = Literal["plain", "json"]

MAX_BYTES = 2_000_000
KEPT = 3
MAX_TEXT = 20_000
"""Characters of a message or a traceback: both may quote a document."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_STANDARD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}
"""What every record has; the others are from `extra`."""
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Of syslog, as sd-daemon(3) wants them before a line."""


def safe(text: str) -> str:
    """A stranger's text without secrets and without characters that act on a terminal."""
    text = without_secrets(text)
    if len(text) > MAX_TEXT:
        text = f"{text[: MAX_TEXT // 2]} [...] {text[-MAX_TEXT // 2 :]}"
    return _CONTROL.sub("\ufffd", redact(text))


def plain(facts: Mapping[str, Any]) -> str:
    """A record as a line for people, by their clock; a traceback follows it, indented.

    Nothing that a record quotes can look like another one, which begins at the left.
    """
    when = datetime.fromisoformat(str(facts["time"])).astimezone()
    head = f"{when:%Y-%m-%d %H:%M:%S%z} {str(facts['level']).upper()} {facts['logger']}"
    return f"{head} {_words(facts)}"


def readable(line: str) -> str:
    """A line of a log for people, whichever form it has."""
    if line.startswith("{"):
        try:
            return plain(json.loads(line))
        except (ValueError, KeyError, OverflowError, RecursionError):  # cut off in the middle, or nobody's
            return line
    return line


def tail(path: Path, count: int) -> list[str]:
    """The last `count` records for people, oldest first; of the file before it where it was just rotated.

    Plain lines that belong together come together. Empty if there is no log.
    """
    found: deque[str] = deque(maxlen=count)
    for file in (path.with_name(f"{path.name}.1"), path):
        try:
            lines = file.read_text(encoding="utf-8", errors="replace").split("\n")
        except FileNotFoundError:
            continue
        for line in filter(None, lines):
            if line.startswith(" ") and found:
                found[-1] += f"\n{line}"
            else:
                found.append(readable(line))
    return list(found)


def _words(facts: Mapping[str, Any]) -> str:
    message = " ".join(str(facts["message"]).split("\n"))
    trace = facts.get("traceback")
    return message + "".join(f"\n    {line}" for line in str(trace).splitlines()) if trace else message


class SafeFormatter(logging.Formatter):
    """A record in one of the two forms. Everything in it is redacted: log lines quote strangers.

    Args:
        form: Which of them.
        in_journal: Whether the system's journal reads it, which has the time already and wants a priority.
    """

    def __init__(self, form: Form = "plain", *, in_journal: bool = False) -> None:
        super().__init__()
        self._form = form
        self._in_journal = in_journal

    def format(self, record: logging.LogRecord) -> str:
        """One record as text."""
        facts = self._facts(record)
        if self._form == "json":
            text = json.dumps(facts, ensure_ascii=False)
        else:
            text = _words(facts) if self._in_journal else plain(facts)
        if not self._in_journal:
            return text
        priority = next((found for level, found in _PRIORITIES if record.levelno >= level), 7)
        return "\n".join(f"<{priority}>{line}" for line in text.split("\n"))

    def _facts(self, record: logging.LogRecord) -> dict[str, Any]:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        facts: dict[str, Any] = {
            "time": when.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": safe(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD and name not in facts:
                facts[name] = value if isinstance(value, int | float | None) else safe(str(value))
        if record.exc_info:
            facts["traceback"] = safe(self.formatException(record.exc_info))
        return facts


class _PrivateFile(logging.handlers.RotatingFileHandler):
    """A rotated file that its owner alone can read, whatever the umask."""

    def _open(self) -> io.TextIOWrapper:
        file = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        return io.TextIOWrapper(os.fdopen(file, "ab"), encoding="utf-8", errors="replace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the standard library's name
        """Says where a line was lost. The standard library would print what was in it, unredacted."""
        reason = type(sys.exc_info()[1]).__name__
        print(f"triage: a line of the log is lost ({reason}, {record.name})", file=sys.stderr)  # noqa: T201


def to_file(path: Path, form: Form = "plain") -> None:
    """Sends this process's log to a rotated file, and to the journal where a service manager reads us.

    What nobody caught and what Python warns of belongs to it too.
    """
    kept: list[logging.Handler] = [_PrivateFile(path, maxBytes=MAX_BYTES, backupCount=KEPT, encoding="utf-8")]
    kept[0].setFormatter(SafeFormatter(form))
    if journal := _is_journal(sys.stderr):
        kept.append(logging.StreamHandler(sys.stderr))
        kept[1].setFormatter(SafeFormatter(form, in_journal=True))
    root = logging.getLogger()
    root.handlers[:] = kept
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    for name in ("httpx2", "apprise"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # it warns of every round that takes a minute
    sys.excepthook = _uncaught(tell=not journal)
    threading.excepthook = lambda found: root.critical(
        "a thread ended", exc_info=(found.exc_type, found.exc_value or found.exc_type(), found.exc_traceback)
    )


def to_stream() -> None:
    """Sends this process's warnings to standard error, for a process whose errors are kept in a file."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeFormatter())
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.WARNING)
    sys.excepthook = _uncaught(tell=False)


def _uncaught(*, tell: bool) -> Callable[[type[BaseException], BaseException, TracebackType | None], None]:
    """What Python calls with an exception that ends the process; `tell` it on standard error too."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        logging.getLogger().critical("ended by a mistake of ours", exc_info=(kind, error, trace))
        if tell:
            found = SafeFormatter().formatException((kind, error, trace))
            print(safe(found), file=sys.stderr)  # noqa: T201

    return hook


def _is_journal(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written there goes to systemd's journal, by systemd.exec(5)."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
