from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ingestors.sandbox import ParseRefused, ParserPool

HERE = "child_parsers"


@pytest.fixture
async def pool() -> AsyncIterator[ParserPool]:
    pool = ParserPool(cpu_s=1, wall_s=60)
    yield pool
    await pool.aclose()


@pytest.fixture(autouse=True)
def _child_finds_its_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def _children() -> set[int]:
    """Process ids of our children, zombies included."""
    listed = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=True
    ).stdout
    return {
        int(line.split()[0]) for line in listed.splitlines() if "parse_child" in line or "defunct" in line
    }


def _state(pid: int) -> str:
    return subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()[:1]


async def _refusal(pool: ParserPool, parser: str, **params: int) -> ParseRefused:
    with pytest.raises(ParseRefused) as caught:
        await pool.parse(f"{HERE}:{parser}", b"", **params)
    return caught.value


async def test_bytes_go_in_and_json_comes_out(pool: ParserPool) -> None:
    body = bytes(range(256)) * 4_000
    assert await pool.parse(f"{HERE}:measure", body, note="ü\0") == {"size": len(body), "note": "ü\0"}


async def test_a_refusal_keeps_the_child(pool: ParserPool) -> None:
    refused = await _refusal(pool, "refuse")
    first = await pool.parse(f"{HERE}:whoami", b"")
    assert refused.reason == "no, thank you"
    assert not refused.died
    assert await pool.parse(f"{HERE}:whoami", b"") == first


@pytest.mark.parametrize(
    ("parser", "reason"),
    [
        ("crash", "the parser crashed on it (signal 11)"),
        ("leave", "the parser failed on it (exit 7)"),
        ("spin", "reading it took more than 1 s of processor time"),
        ("eat", "it needs more memory than a document may have"),
        ("answer_far_too_much", "it unpacks to more text than a document may have"),
    ],
)
async def test_what_ends_a_child_is_named_and_the_next_task_works(
    pool: ParserPool, parser: str, reason: str
) -> None:
    refused = await _refusal(pool, parser)
    assert refused.reason == reason
    assert refused.died
    assert (await pool.parse(f"{HERE}:measure", b"abc", note=""))["size"] == 3


@pytest.mark.parametrize(
    ("parser", "reason"),
    [("recurse", "it is nested too deeply"), ("stumble", "it cannot be read (OverflowError)"),
     ("write_a_file", "it cannot be read (OSError)"), ("open_many", "it cannot be read (OSError)")],
)  # fmt: skip
async def test_errors_of_a_parser_are_refusals(pool: ParserPool, parser: str, reason: str) -> None:
    assert (await _refusal(pool, parser)).reason == reason


async def test_waiting_is_limited_as_well() -> None:
    pool = ParserPool(wall_s=1)
    started = time.monotonic()
    assert (await _refusal(pool, "sleep")).reason == "reading it took longer than 1 s"
    assert time.monotonic() - started < 30
    await pool.aclose()


async def test_prints_of_a_library_do_not_break_the_conversation(pool: ParserPool) -> None:
    assert await pool.parse(f"{HERE}:chatter", b"") == {"said": True}


async def test_a_child_sees_no_secrets(pool: ParserPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", "canary")
    assert "canary" not in str(await pool.parse(f"{HERE}:environment", b""))


async def test_lone_surrogates_do_not_cross(pool: ParserPool) -> None:
    assert await pool.parse(f"{HERE}:surrogate", b"") == {"text": "a?b"}


async def test_a_child_killed_in_mid_task_is_reported_and_replaced(pool: ParserPool) -> None:
    """DB-18."""
    pid = (await pool.parse(f"{HERE}:whoami", b""))["pid"]
    task = asyncio.create_task(pool.parse(f"{HERE}:sleep", b""))
    await asyncio.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ParseRefused, match="signal 9"):
        await task
    assert (await pool.parse(f"{HERE}:whoami", b""))["pid"] != pid


async def test_a_child_that_died_while_idle_blames_no_document(pool: ParserPool) -> None:
    pid = (await pool.parse(f"{HERE}:whoami", b""))["pid"]
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.2)
    assert (await pool.parse(f"{HERE}:whoami", b""))["pid"] != pid


async def test_cancelling_a_task_ends_its_child(pool: ParserPool) -> None:
    task = asyncio.create_task(pool.parse(f"{HERE}:sleep", b""))
    async with asyncio.timeout(30):
        while not _children():  # noqa: ASYNC110  only the system knows of it
            await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert _children() == set()


async def test_tasks_run_side_by_side_up_to_the_size_of_the_pool() -> None:
    pool = ParserPool(size=2)
    answers = await asyncio.gather(*(pool.parse(f"{HERE}:whoami", b"") for _ in range(8)))
    assert len({answer["pid"] for answer in answers}) <= 2
    await pool.aclose()


async def test_closing_leaves_neither_process_nor_zombie() -> None:
    """DB-18."""
    pool = ParserPool()
    await asyncio.gather(*(pool.parse(f"{HERE}:whoami", b"") for _ in range(2)))
    assert _children()
    await pool.aclose()
    assert _children() == set()


async def test_children_die_with_their_parent() -> None:
    program = (
        "import asyncio\nfrom ingestors.sandbox import ParserPool\n"
        f"print(asyncio.run(ParserPool().parse('{HERE}:whoami', b''))['pid'], flush=True)\n"
        "import os; os.kill(os.getpid(), 9)"
    )
    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", program], capture_output=True)
    child = int(done.stdout)
    for _ in range(50):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        if _state(child) == "Z":  # ended; it is for the init process to collect it
            return
        await asyncio.sleep(0.1)
    pytest.fail("the child outlived its parent")


def test_the_parent_imports_no_parser() -> None:
    """A plain command may list and claim sources without paying for any parsing library."""
    program = (
        "import sys\nimport ingestors.subscriptions, ingestors.paperfile, ingestors.testing\n"
        "from ingestors import http, registry, sandbox\n"
        "assert registry.claim('https://example.org/feed').ingestor == 'feeds'\n"
        "banned = {'feedparser', 'lxml', 'mailparser', 'inscriptis', 'listparser', 'httpx2'}\n"
        "print(sorted(banned & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
