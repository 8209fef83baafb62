"""Parsers that misbehave, for the tests of the sandbox. They run in a child process only."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import Any

from ingestors.wire import RefusalError


def measure(body: bytes, *, note: str) -> dict[str, Any]:
    return {"size": len(body), "note": note}


def whoami(body: bytes) -> dict[str, Any]:
    return {"pid": os.getpid()}


def refuse(body: bytes) -> None:
    raise RefusalError("no, thank you")


def crash(body: bytes) -> None:
    os.kill(os.getpid(), 11)


def leave(body: bytes) -> None:
    os._exit(7)


def spin(body: bytes) -> None:
    while True:
        pass


def eat(body: bytes) -> dict[str, Any]:
    return {"size": len(bytearray(2 * 2**30))}


def answer_far_too_much(body: bytes) -> str:
    return "a" * (65 * 2**20)


def recurse(body: bytes) -> None:
    recurse(body)


def stumble(body: bytes) -> None:
    raise OverflowError


def write_a_file(body: bytes) -> None:
    # A soft limit of zero bytes for any file.
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == 0
    path = Path(f"/tmp/triage-test-{os.getpid()}")
    try:
        path.write_bytes(b"x")
    finally:
        path.unlink()


def open_many(body: bytes) -> None:
    held = [os.open("/dev/null", os.O_RDONLY) for _ in range(200)]
    assert held


def sleep(body: bytes) -> None:
    time.sleep(60)


def chatter(body: bytes) -> dict[str, Any]:
    print("\0\0\0\1 a library talks")  # noqa: T201
    os.write(1, b"and writes")
    return {"said": True}


def environment(body: bytes) -> dict[str, Any]:
    return dict(os.environ)


def surrogate(body: bytes) -> dict[str, Any]:
    return {"text": "a\ud800b"}


def parse_mails_or_die(
    body: bytes, *, sizes: list[int], addresses: list[str], headers_only: bool = False
) -> dict[str, Any]:
    from ingestors.parsers.mail import parse_mails

    if b"DEADLY HEADERS" in body or (b"DEADLY BODY" in body and not headers_only):
        os.kill(os.getpid(), 11)
    return parse_mails(body, sizes=sizes, addresses=addresses, headers_only=headers_only)
