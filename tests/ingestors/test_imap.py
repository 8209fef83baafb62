"""What an IMAP source may be called, and that what is read of it never becomes a command."""

from __future__ import annotations

import pytest
from imap_fetch import fetch, keys
from scripted_imap import ScriptedImap, Visit

from ingestors.base import JsonValue, Tools
from ingestors.imap import ImapIngestor
from ingestors.testing import check_claims

pytestmark = pytest.mark.usefixtures("impatient_imap")

READING = {
    "CAPABILITY",
    "AUTHENTICATE",
    "LOGIN",
    "STARTTLS",
    "ID",
    "ENABLE",
    "EXAMINE",
    "UID",
    "LIST",
    "IDLE",
    "NOOP",
    "LOGOUT",
    "NAMESPACE",
}
"""Commands that change nothing."""


def test_contract() -> None:
    check_claims(
        ImapIngestor(),
        [
            "imaps://ada@example.org",
            "imaps://ada%40example.org@imap.example.org:1993/Lists/python",
            "imap://ada@example.org@[::1]/",
        ],
    )


@pytest.mark.parametrize(
    ("target", "normalised"),
    [
        ("imaps://ada@imap.example.org", "imaps://ada@imap.example.org/INBOX"),
        ("imaps://ada@example.org@imap.example.org/a b", "imaps://ada%40example.org@imap.example.org/a%20b"),
        ("imaps://ada:secret@imap.example.org/", "imaps://ada@imap.example.org/INBOX"),
        ("imap://ada@imap.example.org:143/", "imap://ada@imap.example.org/INBOX"),
    ],
)
def test_a_target_is_normalised_and_loses_a_password(target: str, normalised: str) -> None:
    claim = ImapIngestor().claim(target)
    assert claim is not None
    assert claim.target == normalised


@pytest.mark.parametrize(
    "target",
    [
        "imaps://imap.example.org/",
        "imaps://ada@/x",
        "imaps://a%0d%0aA1@h/",
        "imaps://a@h/x%0d%0aA1%20DELETE",
        "x",
    ],
)
def test_what_is_no_target(target: str) -> None:
    """MAIL-08: a folder or a user with line breaks is nobody's."""
    assert ImapIngestor().claim(target) is None


async def test_an_honest_server_is_read_with_reading_commands_only(tools: Tools) -> None:
    with ScriptedImap() as server:
        result = await fetch(server.target(), tools)
        again = await fetch(server.target(), tools, result.cursor)
    assert keys(result) == ["1", "2", "3"]
    assert result.entries[0].text == "The text of mail 3."
    assert again.not_modified
    assert {command.split()[0].upper() for command in server.commands if command[:4] != "AGFk"} <= READING
    assert not [line for line in server.log if "FETCH" in line and "PEEK" not in line]
    assert server.log[-1].endswith("LOGOUT")


async def test_a_private_address_is_not_dialled_unless_allowed(tools: Tools) -> None:
    with ScriptedImap() as server:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            result = await fetch(server.target(host=host), tools, allow_local=False)
            assert result.error is not None
            assert result.error.kind == "blocked"
            assert "--allow-local" in result.error.message
    assert server.connections == 0


@pytest.mark.parametrize(
    "folder", ["../../x", "a\x00b", "&AAA-&", "é/ü", 'a"b\\c', "x" * 1_000, "INBOX\r\nA1 DELETE INBOX", "{5}"]
)
async def test_a_folder_name_is_never_a_command(tools: Tools, folder: str) -> None:
    """MAIL-08"""
    with ScriptedImap() as server:
        result = await fetch(server.target(), tools, folders=[folder])
    assert keys(result) == ["1", "2", "3"]
    assert {command.split()[0].upper() for command in server.commands} <= READING
    assert not any("DELETE" in line.split("EXAMINE")[0] for line in server.log)


async def test_folders_that_are_missing_are_named_with_those_that_are_there(tools: Tools) -> None:
    def examine(visit: Visit, tag: str, line: str) -> bytes:
        if "INBOX" in line:
            return visit.usual("EXAMINE", tag, line)
        return f"{tag} NO [NONEXISTENT] no such folder\r\n".encode()

    def folders(visit: Visit, tag: str, line: str) -> bytes:
        names = b'* LIST () "/" INBOX\r\n* LIST () "/" "../../\x1b[2J"\r\n* LIST () "/" "caf&AOk-"\r\n'
        return names + f"{tag} OK done\r\n".encode()

    with ScriptedImap(script={"EXAMINE": examine, "LIST": folders}) as server:
        some = await fetch(server.target(), tools, folders=["INBOX", "Gone"])
        none = await fetch(server.target("Gone"), tools)
    assert keys(some) == ["1", "2", "3"]
    assert [refusal.name for refusal in some.refusals] == ["Gone"]
    assert none.error is not None
    assert none.error.kind == "not-found"
    assert "café" in none.error.message


async def test_headers_of_a_mail_never_become_a_command(tools: Tools) -> None:
    """MAIL-09"""
    evil = b"Subject: x\r\n A1 STORE 1:* +FLAGS (\\Deleted)\r\n"
    evil += b"Message-ID: <a\r\n A2 STORE 1:* +FLAGS (\\Seen)@x>\r\n\r\nx\r\n"
    with ScriptedImap({1: evil}) as server:
        result = await fetch(server.target(), tools)
        await fetch(server.target(), tools, result.cursor)
    assert len(result.entries) == 1
    assert not [line for line in server.log if "STORE" in line]


async def test_the_same_mail_in_two_folders_is_fetched_once(tools: Tools) -> None:
    """MAIL-18"""
    with ScriptedImap() as server:
        result = await fetch(server.target(), tools, folders=["INBOX", "All Mail"])
    assert keys(result) == ["1", "2", "3"]
    assert len([line for line in server.log if "BODY.PEEK[]" in line]) == 1


@pytest.mark.parametrize(
    "cursor", [{"folders": 5}, {"folders": {"INBOX": {"high": "x", "low": -1}}, "known": 7}]
)
async def test_a_damaged_cursor_is_a_first_fetch(tools: Tools, cursor: dict[str, JsonValue]) -> None:
    with ScriptedImap() as server:
        assert keys(await fetch(server.target(), tools, cursor)) == ["1", "2", "3"]
