"""Length-prefixed messages over a pipe: a JSON header and raw bytes.

Owns the wire form between a process and its model child. Nothing is ever unpickled, so neither side
can make the other run code.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTHS = struct.Struct("<II")
MAX_FRAME = 1 << 30
"""Bytes; a longer one means that the stream is not ours."""


class BrokenFrame(Exception):
    """The stream ended inside a frame or holds something else."""


def write_frame(stream: IO[bytes], header: dict[str, Any], payload: bytes = b"") -> None:
    """Writes one message and flushes it."""
    head = json.dumps(header).encode()
    stream.write(_LENGTHS.pack(len(head), len(payload)))
    stream.write(head)
    stream.write(payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> tuple[dict[str, Any], bytes] | None:
    """The next message, or None at the end of the stream.

    Raises:
        BrokenFrame: The stream ends inside a message, or what arrived is none.
    """
    lengths = stream.read(_LENGTHS.size)
    if not lengths:
        return None
    if len(lengths) < _LENGTHS.size:
        raise BrokenFrame("the stream ended inside a frame")
    head_size, payload_size = _LENGTHS.unpack(lengths)
    if head_size + payload_size > MAX_FRAME:
        raise BrokenFrame(f"a frame of {head_size + payload_size} bytes is longer than any of ours")
    body = stream.read(head_size + payload_size)
    if len(body) < head_size + payload_size:
        raise BrokenFrame("the stream ended inside a frame")
    header = json.loads(body[:head_size])
    if not isinstance(header, dict):
        raise BrokenFrame("a frame without a header")
    return header, body[head_size:]
