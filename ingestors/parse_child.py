"""A parser child: reads tasks from stdin, answers on stdout, under limits it cannot leave.

Started by `ingestors.sandbox` as `python -m ingestors.parse_child`. Imports a parser only when the
first task asks for it. Dies when its parent does (end of stdin, and an alarm while it works).
"""

from __future__ import annotations

import json
import os
import pkgutil
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import msgspec

from ingestors.wire import FRAME, RefusalError

PARSER_ERRORS = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    NotImplementedError,
    OSError,
)
"""What parsing libraries let escape on hostile input (all seen with feedparser, the email package and pypdf).

Anything else ends this process, which the parent reports as a crash.
"""

Answer = dict[str, Any]


def main() -> None:
    """Serves tasks until stdin ends or a task has used up this process."""
    memory_bytes = int(sys.argv[1])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between two frames
    tasks = sys.stdin.buffer
    # 64 descriptors: importing a module needs one or two.
    for name, limit in (("RLIMIT_CORE", 0), ("RLIMIT_AS", memory_bytes), ("RLIMIT_NOFILE", 64)):
        _limit(getattr(resource, name), limit)
    while (head := _read(tasks, FRAME.size)) is not None:
        header = json.loads(_read(tasks, FRAME.unpack(head)[0]) or b"")
        body = _read(tasks, header["size"])
        if body is None:
            return
        answer = _run(header, body)
        _send(answers, answer)
        if "last" in answer:
            return


def _run(header: dict[str, Any], body: bytes) -> Answer:
    """One task. The processor time it may use is counted from what this process has used so far."""
    parser: Callable[..., Any] = pkgutil.resolve_name(header["parser"])
    # Only now, because the first import may have to write byte code.
    _limit(resource.RLIMIT_FSIZE, 0)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + 1 + header["cpu_s"])
    signal.alarm(header["wall_s"] + 5)
    try:
        return {"result": parser(body, **header["params"])}
    except RefusalError as refused:
        return {"refused": str(refused)}
    except RecursionError:
        return {"refused": "it is nested too deeply"}
    except MemoryError:
        return {"refused": "it needs more memory than a document may have", "last": True}
    except PARSER_ERRORS as error:
        return {"refused": f"it cannot be read ({type(error).__name__})"}
    finally:
        signal.alarm(0)


def _send(answers: BinaryIO, answer: Answer) -> None:
    try:
        data = msgspec.json.encode(answer)  # an eighth of the time
    except UnicodeEncodeError:
        # Lone surrogates have no place in UTF-8, nor in any database: they become question marks.
        data = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    answers.write(FRAME.pack(len(data)))
    answers.write(data)
    answers.flush()


def _read(stream: BinaryIO, size: int) -> bytes | None:
    data = stream.read(size)
    return data if len(data) == size else None


def _limit(kind: int, soft: int) -> None:
    """Lowers a limit; the hard one stays, because the CPU limit moves from task to task."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(kind, (soft, hard))


if __name__ == "__main__":
    main()
