"""Waiting for new mail by IDLE, and every way in which such a wait ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest
from imap_fetch import fetch
from scripted_imap import MAILS, ScriptedImap, Visit

from ingestors.base import FetchRequest, JsonValue, Tools
from ingestors.imap import ImapIngestor

pytestmark = pytest.mark.usefixtures("impatient_imap")


async def _watch(server: ScriptedImap, cursor: Mapping[str, JsonValue]) -> str | None:
    options: dict[str, JsonValue] = {"password_env": "MAIL_PASSWORD"}
    request = FetchRequest(target=server.target(), cursor=cursor, allow_local=True, options=options)
    error = await asyncio.wait_for(ImapIngestor().watch(request), 10)
    return error.message if error else None


async def test_what_came_before_the_wait_ends_it_at_once(tools: Tools) -> None:
    with ScriptedImap() as server:
        result = await fetch(server.target(), tools)
        server.mails[4] = MAILS[1]
        assert await _watch(server, result.cursor) is None
    assert not [line for line in server.log if "IDLE" in line]


async def test_a_wait_is_renewed_and_ends_with_news(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    """MAIL-03: IDLE is renewed before a server or a middlebox forgets it."""
    monkeypatch.setattr("ingestors.imap_reading.IDLE_S", 0.05)
    rounds: list[int] = []

    def idle(visit: Visit, tag: str, line: str) -> bytes:
        rounds.append(1)
        visit.send(b"+ idling\r\n* OK still here\r\n")
        if len(rounds) == 3:
            visit.send(b"* 4 EXISTS\r\n")
        visit.readline()
        return f"{tag} OK done\r\n".encode()

    with ScriptedImap(script={"IDLE": idle}) as server:
        result = await fetch(server.target(), tools)
        assert await _watch(server, result.cursor) is None
    assert len(rounds) == 3
    assert [line for line in server.log if line == "DONE"] == ["DONE"] * 3


@pytest.mark.parametrize("words", [b"* BYE shutting down\r\n", b""])
async def test_a_server_that_ends_the_wait(tools: Tools, words: bytes) -> None:
    """MAIL-03"""

    def idle(visit: Visit, tag: str, line: str) -> bytes | None:
        visit.send(b"+ idling\r\n" + words)
        return None

    with ScriptedImap(script={"IDLE": idle}) as server:
        result = await fetch(server.target(), tools)
        assert await _watch(server, result.cursor) is not None


async def test_a_wait_into_nowhere_is_noticed_at_its_renewal(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-03: the connection is dropped without a word; keep-alive finds out sooner, where it is real."""
    monkeypatch.setattr("ingestors.imap_reading.IDLE_S", 0.05)
    monkeypatch.setattr("ingestors.imap_session.SILENCE_S", 0.1)
    monkeypatch.setattr("ingestors.imap_wire.SILENCE_S", 0.1)

    def idle(visit: Visit, tag: str, line: str) -> bytes:
        visit.send(b"+ idling\r\n")
        visit.readline()
        return b""

    with ScriptedImap(script={"IDLE": idle}) as server:
        result = await fetch(server.target(), tools)
        assert "in time" in str(await _watch(server, result.cursor))


async def test_a_server_that_does_not_push(tools: Tools) -> None:
    with ScriptedImap(capabilities="IMAP4rev1 AUTH=PLAIN") as server:
        result = await fetch(server.target(), tools)
        assert "does not tell" in str(await _watch(server, result.cursor))


async def test_a_cancelled_wait_ends_its_connection(tools: Tools) -> None:
    idling, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def idle(visit: Visit, tag: str, line: str) -> bytes | None:
        loop.call_soon_threadsafe(idling.set)
        visit.send(b"+ idling\r\n")
        visit.readline()  # returns when the connection ends
        loop.call_soon_threadsafe(ended.set)
        return None

    with ScriptedImap(script={"IDLE": idle}) as server:
        result = await fetch(server.target(), tools)
        task = asyncio.create_task(_watch(server, result.cursor))
        await asyncio.wait_for(idling.wait(), 5)
        task.cancel()
        await asyncio.wait_for(ended.wait(), 5)
