"""A small pool of killable child processes, in which every untrusted byte is parsed.

Parsing libraries can be made to crash, freeze or eat all memory (30,000 chained entities end the
interpreter; a 100 KB author name holds the GIL for 40 s), so a time limit on a thread helps nothing.
Owns the children and their limits; knows no parser, only the import path of one.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Any

import msgspec

from ingestors.base import JsonValue
from ingestors.wire import FRAME

MAX_ANSWER = 64 * 2**20
"""Bytes of JSON that a parser may answer: six times the largest document."""

PIPE_BYTES = 2**18
"""Room in the pipes to and from a child: with 64 KB the parent is switched to three times as often for feeds
of 130 KB."""

MAX_TASKS = 200
"""After so many documents a child is replaced, so that no leak of a library adds up."""

# A child gets nothing of our environment that could hold a secret.
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class ParseRefused(Exception):
    """A document was not parsed; the message says why in words a reader understands.

    `died` tells that the parser process ended on it, so that a batch is worth splitting.
    """

    def __init__(self, reason: str, *, died: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.died = died


class ParserPool:
    """Warm parser children, started when first needed; use it from one event loop.

    Args:
        size: How many children may run at once.
        cpu_s: Processor seconds that one task may use.
        wall_s: Seconds after which a task is killed in any case.
        memory_bytes: Address space of a child.
    """

    def __init__(self, size: int = 2, *, cpu_s: int = 5, wall_s: int = 10, memory_bytes: int = 2**30) -> None:
        self._slots = asyncio.Semaphore(size)
        self._idle: list[_Child] = []
        self._cpu_s = cpu_s
        self._wall_s = wall_s
        self._memory_bytes = memory_bytes

    async def parse(self, parser: str, body: bytes, **params: JsonValue) -> dict[str, Any]:
        """Runs `parser` on `body` in a child.

        Args:
            parser: Import path of a function, `package.module:function`, that takes the body and
                `params`, returns what JSON can hold and raises `ingestors.wire.RefusalError`.
            body: The untrusted bytes.
            params: Keyword arguments of the parser.

        Returns:
            What the parser returned.

        Raises:
            ParseRefused: The parser refused, crashed or passed a limit.
        """
        header = {
            "parser": parser,
            "params": params,
            "size": len(body),
            "cpu_s": self._cpu_s,
            "wall_s": self._wall_s,
        }
        async with self._slots:
            child = await self._take()
            try:
                answer = await child.run(json.dumps(header).encode(), body, self._wall_s, self._cpu_s)
            except BaseException:
                # Also when cancelled: what is in its pipes belongs to a task nobody waits for.
                await child.kill()
                raise
            if "last" in answer or child.tasks >= MAX_TASKS:
                await child.kill()
            else:
                self._idle.append(child)
        if "refused" in answer:
            raise ParseRefused(str(answer["refused"]), died="last" in answer)
        result: dict[str, Any] = answer["result"]
        return result

    async def aclose(self) -> None:
        """Ends all idle children. Tasks that still run must be cancelled or awaited first."""
        while self._idle:
            await self._idle.pop().kill()

    async def _take(self) -> _Child:
        while self._idle:
            child = self._idle.pop()
            if child.alive:
                return child
            await child.kill()
        try:
            return await _Child.start(self._memory_bytes)
        except OSError as error:
            raise ParseRefused(f"no parser process could be started ({error.strerror})") from error


class _Child:
    """One child process. It serves one task at a time."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.tasks = 0

    @classmethod
    async def start(cls, memory_bytes: int) -> _Child:
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # the current directory is no place to import from
            "-m",
            "ingestors.parse_child",
            str(memory_bytes),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,  # what a library says about hostile bytes must not reach a terminal
            env=environment,
            start_new_session=True,  # Ctrl-C is for the program, which ends its children itself
            limit=PIPE_BYTES,
        )
        if sys.platform == "linux":
            for name in (0, 1):
                if (pipe := process._transport.get_pipe_transport(name)) is not None:  # type: ignore[attr-defined]
                    # More than a user may have, which is slower; or it was killed already, as its task says.
                    with contextlib.suppress(OSError, ValueError):
                        fcntl.fcntl(pipe.get_extra_info("pipe"), fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        return cls(process)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def run(self, header: bytes, body: bytes, wall_s: int, cpu_s: int) -> dict[str, Any]:
        """Hands over one task and waits for its answer."""
        self.tasks += 1
        try:
            async with asyncio.timeout(wall_s):
                return await self._exchange(header, body)
        except TimeoutError:
            raise ParseRefused(f"reading it took longer than {wall_s} s", died=True) from None
        except (asyncio.IncompleteReadError, BrokenPipeError, ConnectionResetError):
            code = await self._process.wait()
            raise ParseRefused(_cause(code, cpu_s), died=True) from None

    async def _exchange(self, header: bytes, body: bytes) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(FRAME.pack(len(header)) + header)
        stdin.write(body)
        await stdin.drain()
        (size,) = FRAME.unpack(await stdout.readexactly(FRAME.size))
        if size > MAX_ANSWER:
            raise ParseRefused("it unpacks to more text than a document may have", died=True)
        answer: dict[str, Any] = msgspec.json.decode(await stdout.readexactly(size))
        return answer

    async def kill(self) -> None:
        """Ends the process and waits until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        assert self._process.stdin is not None
        self._process.stdin.close()
        # Draining stdout lets the transport see its end and close.
        await self._process.communicate()


def _cause(code: int, cpu_s: int) -> str:
    if code == -signal.SIGXCPU:
        return f"reading it took more than {cpu_s} s of processor time"
    if code < 0:
        return f"the parser crashed on it (signal {-code})"
    return f"the parser failed on it (exit {code})"
