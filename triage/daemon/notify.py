"""What systemd wants to hear of a service: that it is ready, what it does, that it still lives.

The protocol of sd_notify(3), in its whole extent here: one datagram to the socket that `NOTIFY_SOCKET` names.
Without that variable nothing is sent.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"


def notify(*lines: str, environ: Mapping[str, str] = os.environ) -> None:
    """Sends lines such as `READY=1` or `STATUS=fetching`; that nobody listens is no error of ours."""
    address = environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):  # a name without a file, which Linux has
        address = "\0" + address[1:]
    message = "\n".join(line.replace("\n", " ") for line in lines).encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        channel.setblocking(False)
        try:
            channel.sendto(message, address)
        except OSError:
            # It has ended or its queue is full. It acts on silence by itself, and the log has the rest.
            return
