"""Keys and passwords: looked up by reference when they are used, and written down nowhere.

A source names where its secret is: `key_env = "OPENALEX_KEY"`, `key_command = "pass show openalex"`. Owns
the look-up and its errors in words; a secret never reaches a log, an error or the arguments of a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import signal
from asyncio import StreamReader
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Mapping
from urllib.parse import quote, quote_plus

from ingestors.base import JsonValue

COMMAND_S = 60.0
"""Seconds that a command may take: password managers ask a person to unlock them."""
MAX_OUTPUT = 2**16
"""Bytes that a command may print: what prints without end would fill the memory before its time is over."""
GIVE_UP_S = 1.0
"""Seconds that a killed command may take to go: what it started in other sessions keeps its output open."""
MAX_SECRET = 8_192
"""Characters; a token of a mail provider has up to 2,000."""


_looked_up: deque[str] = deque(maxlen=100)
"""The last ones, for `without_secrets`; of tokens that are renewed every hour, those of some days."""
_SHORT = 4
"""Characters of a secret up to which it may stand in any text by chance."""


class SecretError(Exception):
    """A secret cannot be had; the message names what to mend and holds nothing secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


async def secret(options: Mapping[str, JsonValue], name: str) -> str | None:
    """The secret that `options` refer to.

    Args:
        options: May hold `{name}_env`, an environment variable, or `{name}_command`, a command line whose
            first line of output is the secret; it is split as a shell would and run without one.
        name: What it is: `key`, `password`, `token`.

    Returns:
        The secret without surrounding white space; None if there is no reference to one.

    Raises:
        SecretError: There is a reference, but nothing behind it.
    """
    variable, command = options.get(f"{name}_env"), options.get(f"{name}_command")
    if isinstance(command, str) and command.strip():
        found = await _run(command, name)
    elif isinstance(variable, str) and variable.strip():
        found = os.environ.get(variable.strip(), "").strip()
        if not found:
            raise SecretError(f"the environment variable {variable.strip()} ({name}_env) is not set")
    else:
        return None
    if len(found) > MAX_SECRET or not found.isprintable():
        raise SecretError(
            f"what stands for the {name} is no {name}: it is too long or holds control characters"
        )
    if found not in _looked_up:
        _looked_up.append(found)
    return found


def without_secrets(text: str) -> str:
    """`text` without any secret that this process has looked up, whoever quotes it."""
    for found in tuple(_looked_up):
        if len(found) > _SHORT:
            for form in {found, quote(found, safe=""), quote_plus(found)}:
                text = text.replace(form, "***")
    return text


async def _run(command: str, name: str) -> str:
    setting = f"{name}_command"
    try:
        argv = shlex.split(command)
    except ValueError:
        raise SecretError(f"{setting} has an open quotation mark") from None
    try:
        process = await asyncio.create_subprocess_exec(
            *argv, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL, start_new_session=True
        )
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a null character in it"
        raise SecretError(f"{setting}: {argv[0]!r} cannot be run: {reason}") from None
    try:
        async with asyncio.timeout(COMMAND_S):
            output = await _output(process.stdout)
            if output is not None:
                await process.wait()
    except TimeoutError:
        raise SecretError(f"{setting}: {argv[0]!r} took longer than {COMMAND_S:.0f} s") from None
    finally:
        await _end(process)
    if output is None:
        raise SecretError(f"{setting}: {argv[0]!r} printed more than {MAX_OUTPUT // 2**10} KiB")
    if process.returncode != 0:
        raise SecretError(f"{setting}: {argv[0]!r} failed (exit {process.returncode})")
    found = output.decode("utf-8", "replace").strip().partition("\n")[0].strip()
    if not found:
        raise SecretError(f"{setting}: {argv[0]!r} printed nothing")
    return found


async def _output(stream: StreamReader | None) -> bytes | None:
    """All that is printed; None if it is more than any secret."""
    assert stream is not None
    printed = b""
    while block := await stream.read(MAX_OUTPUT):
        printed += block
        if len(printed) > MAX_OUTPUT:
            return None
    return printed


async def _end(process: Process) -> None:
    """Ends a command that still runs, with what it has started: it leads a group of its own."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GIVE_UP_S):
                await process.wait()
