"""IMAP against a server that lies, floods, renumbers and breaks off. Cases: MAIL-01, 02, 04 to 06."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest
from imap_fetch import fetch, keys
from scripted_imap import MAILS, ScriptedImap, Visit

from ingestors.base import JsonValue, Tools

pytestmark = pytest.mark.usefixtures("impatient_imap")


def _huge(literal: str) -> dict[str, object]:
    def body(visit: Visit, tag: str, line: str) -> bytes | None:
        visit.send(f"* 3 FETCH (UID 3 BODY[]<0> {{{literal}}}\r\nabc".encode())
        return None

    return {"BODY": body}


@pytest.mark.parametrize("literal", ["4294967295", "-1", "10", "9" * 5_000, "99999999999999999999", "x"])
async def test_a_literal_that_lies_about_its_size(tools: Tools, literal: str) -> None:
    """MAIL-05: nothing is allocated because a server announces it."""
    with ScriptedImap(script=_huge(literal)) as server:
        result = await fetch(server.target(), tools)
    assert result.error is not None
    assert result.error.kind in ("too-large", "network", "parse")


def _flood(piece: bytes) -> object:
    def answer(visit: Visit, tag: str, line: str) -> bytes | None:
        while visit.send(piece * 1_000):
            pass
        return None

    return answer


@pytest.mark.parametrize("name", ["", "EXAMINE", "SEARCH", "SUMMARY", "BODY", "CAPABILITY", "AUTHENTICATE"])
@pytest.mark.parametrize("piece", [b"x" * 100, b"* OK still here\r\n", b"* 1 FETCH (FLAGS ())\r\n"])
async def test_an_endless_answer_ends(tools: Tools, name: str, piece: bytes) -> None:
    with ScriptedImap(script={name: _flood(piece)}) as server:  # type: ignore[dict-item]
        started = time.process_time()
        result = await fetch(server.target(), tools)
    assert result.error is not None
    assert time.process_time() - started < 15


async def test_a_dripping_server_ends_with_the_deadline(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestors.imap_reading.DEADLINE_S", 0.5)

    def drip(visit: Visit, tag: str, line: str) -> bytes | None:
        while visit.send(b"*"):
            time.sleep(0.05)
        return None

    with ScriptedImap(script={"EXAMINE": drip}) as server:
        result = await fetch(server.target(), tools)
    assert result.error is not None
    assert result.error.kind == "timeout"


@pytest.mark.parametrize("name", ["", "CAPABILITY", "AUTHENTICATE", "EXAMINE", "SEARCH", "SUMMARY", "BODY"])
@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\r\n",
        b"A1 OK\r\n",
        b"zz99 OK not your tag\r\n",
        b"* BYE go away \x1b]52;c;AA\x07\r\n",
        b"+ go on\r\n* BAD\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n<html>",
        b"* 1 FETCH " + b"(" * 5_000 + b"\r\n",
        b"* SEARCH 1 2 x\r\n",
        b"* OK [UIDVALIDITY x]\r\n* x EXISTS\r\n",
        b"\xff\xfe\x00\x1b[2J\r\n",
    ],
)
async def test_what_is_no_imap_is_an_error(tools: Tools, name: str, answer: bytes) -> None:
    """Wrong tags, BYE, nesting, other protocols: at every step a clear error and no crash."""

    def say(visit: Visit, tag: str, line: str) -> bytes | None:
        visit.send(answer)
        return None

    with ScriptedImap(script={name: say}) as server:
        result = await fetch(server.target(), tools)
    assert result.error is not None
    assert "127.0.0.1" in result.error.message


async def test_answers_about_other_mails_change_nothing(tools: Tools) -> None:
    """MAIL-06: EXISTS goes down, EXPUNGE and FETCH of other mails in the middle, an ALERT with escapes."""

    def noisy(visit: Visit, tag: str, line: str) -> bytes:
        noise = b"* 1 EXISTS\r\n* 2 EXPUNGE\r\n* OK [ALERT] \x1b[2Jhello\r\n"
        noise += b"* 9 FETCH (UID 9 BODY[]<0> {3}\r\nabc)\r\n* 3 FETCH (FLAGS (\\Seen))\r\n"
        return noise + visit.usual("BODY", tag, line)

    with ScriptedImap(script={"BODY": noisy}) as server:
        result = await fetch(server.target(), tools)
    assert keys(result) == ["1", "2", "3"]
    assert {entry.text[:8] for entry in result.entries} == {"The text"}


async def test_uids_out_of_order_twice_and_out_of_range(tools: Tools) -> None:
    def search(visit: Visit, tag: str, line: str) -> bytes:
        return f"* SEARCH 3 1 2 2 0 4294967296 99999999999 3\r\n{tag} OK done\r\n".encode()

    with ScriptedImap(script={"SEARCH": search}) as server:
        result = await fetch(server.target(), tools)
        again = await fetch(server.target(), tools, result.cursor)
    assert [entry.key for entry in result.entries] == [f"{n}@example.org" for n in (3, 2, 1)]
    assert again.entries == ()


async def test_a_mail_that_the_server_cannot_serve_hides_no_other(tools: Tools) -> None:
    def body(visit: Visit, tag: str, line: str) -> bytes:
        uids = visit.uids(line)
        if 2 in uids:
            return f"{tag} NO [SERVERBUG] cannot read mail 2\r\n".encode()
        return visit.usual("BODY", tag, line)

    with ScriptedImap(script={"BODY": body}) as server:
        result = await fetch(server.target(), tools)
    assert keys(result) == ["1", "3"]
    assert [(r.name, "SERVERBUG" in r.reason) for r in result.refusals] == [("INBOX, UID 2", True)]


async def test_deleted_mails_are_left_out(tools: Tools) -> None:
    def summary(visit: Visit, tag: str, line: str) -> bytes:
        parts = [visit.summary(uid, flags="\\Deleted" if uid == 2 else "") for uid in visit.uids(line)]
        return b"".join(parts) + f"{tag} OK done\r\n".encode()

    with ScriptedImap(script={"SUMMARY": summary}) as server:
        assert keys(await fetch(server.target(), tools)) == ["1", "3"]


async def test_a_size_that_lies_is_no_way_in(tools: Tools) -> None:
    """A server that says 10 bytes and sends 40 MB is cut off; one that says 4 GB costs nothing."""
    small = {1: MAILS[1], 2: MAILS[2][:-2] + b"x" * 40_000_000 + b"\r\n"}

    def summary(visit: Visit, tag: str, line: str) -> bytes:
        return visit.summary(2, size=10) + visit.summary(1, size=2**32) + f"{tag} OK done\r\n".encode()

    with ScriptedImap(small, {"SUMMARY": summary}) as server:
        result = await fetch(server.target(), tools)
    assert result.error is not None
    assert result.error.kind == "too-large"


# ---------------------------------------------------------------- UIDVALIDITY


@pytest.mark.parametrize("validity", [0, None])
async def test_uids_without_validity_are_looked_at_anew_and_fetched_once(
    tools: Tools, validity: int | None
) -> None:
    """MAIL-02: every poll asks for the headers of all mails, and for the bodies of new ones only."""
    with ScriptedImap(validity=validity) as server:
        first = await fetch(server.target(), tools)
        server.mails[9] = MAILS[1].replace(b"mail 1", b"mail 9").replace(b"<1@", b"<9@")
        server.log.clear()
        second = await fetch(server.target(), tools, first.cursor)
    assert keys(first) == ["1", "2", "3"]
    assert keys(second) == ["9"]
    assert first.interval_s is not None
    assert len([line for line in server.log if "BODY.PEEK[]" in line]) == 1


async def test_a_new_validity_within_a_connection_starts_the_folder_anew(tools: Tools) -> None:
    """MAIL-02"""

    def replaced(visit: Visit, tag: str, line: str) -> bytes:
        answer = visit.usual("BODY", tag, line)
        if visit.number > 1:
            return answer
        visit.server.validity = 8
        visit.server.mails = {uid + 10: mail for uid, mail in visit.server.mails.items()}
        return b"* OK [UIDVALIDITY 8] replaced\r\n" + answer

    with ScriptedImap(script={"BODY": replaced}) as server:
        result = await fetch(server.target(), tools)
    assert keys(result) == ["1", "2", "3"]
    assert server.connections == 2


async def test_a_renumbered_folder_brings_what_is_new_and_nothing_twice(tools: Tools) -> None:
    """MAIL-01, scripted: the bodies of known mails are not even asked for."""
    with ScriptedImap() as server:
        first = await fetch(server.target(), tools)
        server.validity = 8
        server.mails = {uid + 50: mail for uid, mail in MAILS.items()}
        server.mails[50] = MAILS[3].replace(b"mail 3", b"mail 4").replace(b"<3@", b"<4@")
        server.log.clear()
        second = await fetch(server.target(), tools, first.cursor)
    assert keys(second) == ["4"]
    assert [line.split("FETCH ")[1].split()[0] for line in server.log if "BODY.PEEK[]" in line] == ["50"]


async def test_a_borrowed_message_id_hides_no_mail(tools: Tools) -> None:
    with ScriptedImap() as server:
        first = await fetch(server.target(), tools)
        server.mails[4] = MAILS[3].replace(b"The text", b"Another text, another")
        second = await fetch(server.target(), tools, first.cursor)
    assert [entry.text for entry in second.entries] == ["Another text, another of mail 3."]


# ---------------------------------------------------------------- connections that end


async def test_a_connection_cut_at_any_byte_loses_and_doubles_nothing(tools: Tools) -> None:
    """MAIL-04: cut after the k-th byte of the bodies, once and for ever."""
    whole = sum(len(mail) + 40 for mail in MAILS.values())
    for limit in range(0, whole, 41):
        for ever in (False, True):

            def cut(visit: Visit, tag: str, line: str, limit: int = limit, ever: bool = ever) -> bytes | None:
                answer = visit.usual("BODY", tag, line)
                if visit.number > 1 and not ever:
                    return answer
                visit.send(answer[:limit])
                return None

            with ScriptedImap(script={"BODY": cut}) as server:
                result = await fetch(server.target(), tools)
                assert server.connections == (3 if ever else 2)
                if ever:
                    assert result.error is not None
                    del server.script["BODY"]
                    result = await fetch(server.target(), tools, result.cursor)
            assert keys(result) == ["1", "2", "3"]
            assert {entry.text[-2:] for entry in result.entries} == {"1.", "2.", "3."}
            assert result.refusals == ()


async def test_what_came_before_the_cut_is_kept_and_the_rest_follows(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-04"""
    monkeypatch.setattr("ingestors.imap_reading._BATCH_MAILS", 1)

    def cut(visit: Visit, tag: str, line: str) -> bytes | None:
        return None if visit.uids(line) == [1] else visit.usual("BODY", tag, line)

    with ScriptedImap(script={"BODY": cut}) as server:
        first = await fetch(server.target(), tools)
        del server.script["BODY"]
        second = await fetch(server.target(), tools, first.cursor)
    assert keys(first) == ["2", "3"]
    assert "the rest follows" in first.refusals[0].reason
    assert not first.more
    assert keys(second) == ["1"]


async def test_a_large_mailbox_comes_in_portions(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingestors.imap_reading.PORTION_MAILS", 4)
    monkeypatch.setattr("ingestors.imap_reading._BATCH_MAILS", 2)
    monkeypatch.setattr("ingestors.imap_reading._CHUNK", 3)
    text = MAILS[1].decode()
    mails = {
        uid: text.replace("mail 1", f"mail {uid}").replace("<1@", f"<{uid}@").encode() for uid in range(1, 12)
    }
    with ScriptedImap(mails) as server:
        cursor: Mapping[str, JsonValue] = {}
        found: list[str] = []
        for more in (True, True, False):
            result = await fetch(server.target(), tools, cursor)
            assert result.more is more
            cursor = result.cursor
            found += [entry.key.partition("@")[0] for entry in result.entries]
            server.mails.setdefault(20, text.replace("<1@", "<20@").encode())
    assert found == ["11", "10", "9", "8", "7", "20", "6", "5", "4", "3", "2", "1"]


async def test_the_oldest_of_too_many_mails_are_left_out_and_named(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestors.imap_reading.MAX_BACKLOG", 2)
    with ScriptedImap() as server:
        first = await fetch(server.target(), tools)
        second = await fetch(server.target(), tools, first.cursor)
    assert keys(first) == ["2", "3"]
    assert first.refusals[0].reason == "only the newest 2 of its 3 mails are read"
    assert second.not_modified


def test_the_cursor_of_a_large_mailbox_stays_small() -> None:
    from ingestors.mime import Marks

    marks = Marks("", 50_000)
    for number in range(60_000):
        marks.add(b"%d" % number)
    assert len(json.dumps(marks.dump())) < 500_000
    again = Marks(marks.dump(), 50_000)
    assert b"59999" in again
    assert b"0" not in again
