"""What a mail is to its reader: threads, lists, letters, answers; and what strangers write into it."""

from __future__ import annotations

import asyncio
import mailbox
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from ingestors.base import Entry, FetchRequest, FetchResult, JsonValue, Tools
from ingestors.mail import MaildirIngestor, MboxIngestor
from ingestors.mime import parse_mails
from ingestors.parsers.reply import own_words_first
from ingestors.sandbox import ParserPool
from ingestors.testing import check_result
from ingestors.wire import to_entry

ME = "ada@example.org"
INGESTORS = Path(__file__).parents[2] / "ingestors"


async def _read(raw: bytes | str, pool: ParserPool) -> Entry:
    data = raw.encode() if isinstance(raw, str) else raw
    parsed = await parse_mails([data], ["a mail"], pool, [ME])
    assert parsed.refusals == []
    return to_entry(parsed.entries[0])


@pytest.mark.parametrize(
    ("headers", "flags"),
    [
        ("To: Ada <ada@example.org>", {"to-me"}),
        ("To: bob@example.org, ADA+lists@Example.ORG", {"to-me"}),
        ("To: bob@example.org\nCc: ada@example.org", set()),
        ('To: "ada@example.org" <bob@example.org>', set()),
        ("To: =?utf-8?q?ada=40example=2Eorg?= <bob@example.org>", set()),
        ("To: xada@example.org, ada@example.org.evil.example", set()),
        ("List-Post: <mailto:talk@lists.example>\nList-Id: <talk.lists.example>", {"list"}),
        ("List-Post: NO\nList-Id: <news.lists.example>", {"newsletter"}),
        ("List-Unsubscribe: <https://x.example/leave>", {"newsletter"}),
        ("X-Mailman-Version: 2.1", {"list"}),
        ("Precedence: bulk", {"newsletter"}),
        ("Precedence: bulk\nAuto-Submitted: auto-generated", set()),
        ("List-Id: <talk.lists.example>\nIn-Reply-To: <1@x>", {"list"}),
    ],
)
async def test_flags_from_headers(parsers: ParserPool, headers: str, flags: set[str]) -> None:
    assert (await _read(f"From: bob@example.org\nSubject: s\n{headers}\n\nx", parsers)).flags == flags


@pytest.mark.parametrize(
    ("sender", "personal"),
    [
        ("Bob <bob@example.org>", True),
        ("no-reply@example.org", False),
        ("Shop <newsletter@example.org>", False),
        ("notifications@example.org", False),
        ("The Harbour Newsletter <harbour@example.org>", False),
        ("MAILER-DAEMON@example.org", False),
        ("Newsom <newsom@example.org>", True),
    ],
)
async def test_machines_are_no_persons(parsers: ParserPool, sender: str, personal: bool) -> None:
    assert (await _read(f"From: {sender}\nSubject: s\n\nx", parsers)).personal is personal


@pytest.mark.parametrize(
    ("header", "url"),
    [
        ("<mailto:a@b.example>, <https://b.example/leave?u=1>", "https://b.example/leave?u=1"),
        ("<mailto:a@b.example?subject=leave>", "mailto:a@b.example?subject=leave"),
        ("<https://b.example/\n leave>", "https://b.example/leave"),
        ("<javascript:alert(1)>, <file:///etc/passwd>", None),
        ("https://b.example/bare", None),
        ("<https://b.example/" + "a" * 600 + ">, <mailto:a@b.example>", "mailto:a@b.example"),
        ("<mailto:a@b.example\x1b[2J>", None),
    ],
)
async def test_how_to_leave_a_list_is_shown(parsers: ParserPool, header: str, url: str | None) -> None:
    entry = await _read(f"From: a@b.c\nSubject: s\nList-Unsubscribe: {header}\n\nx", parsers)
    assert entry.identifiers.get("unsubscribe") == url


async def test_a_thread_has_the_name_of_its_first_mail(parsers: ParserPool) -> None:
    ids = " ".join(f"<{n}@x.example>" for n in range(100))
    long = await _read(
        f"Subject: s\nMessage-ID: <me@x>\nIn-Reply-To: <99@x.example>\nReferences: {ids}\n\nx", parsers
    )
    assert long.identifiers["thread"] == "0@x.example"
    assert long.identifiers["references"].split()[-1] == "99@x.example"
    assert len(long.identifiers["references"]) <= 512
    assert (await _read("Subject: s\nMessage-ID: <me@x>\nIn-Reply-To: <1@x>\n\nx", parsers)).identifiers[
        "thread"
    ] == "1@x"
    assert (await _read("Subject: s\nMessage-ID: <me@x>\n\nx", parsers)).identifiers["thread"] == "me@x"


async def test_answers_that_come_back_for_ever_are_one_thread_of_no_person(parsers: ParserPool) -> None:
    """MAIL-14: auto-replies to auto-replies. There is nothing in the program that could answer one."""
    mails = [
        f"From: bob@example.org\nTo: {ME}\nSubject: Re: Re: away\nMessage-ID: <{n}@x>\n"
        f"In-Reply-To: <{n - 1}@x>\n"
        f"References: <0@x> <{n - 1}@x>\nAuto-Submitted: auto-replied\n\nI am away.".encode()
        for n in range(1, 300)
    ]
    parsed = await parse_mails(mails, [""] * len(mails), parsers, [ME])
    assert {entry["identifiers"]["thread"] for entry in parsed.entries} == {"0@x"}
    assert not any(entry["personal"] for entry in parsed.entries)
    assert not [path for path in INGESTORS.rglob("*.py") if "smtplib" in path.read_text(encoding="utf-8")]


async def _fetch(
    ingestor: MboxIngestor | MaildirIngestor,
    path: Path,
    tools: Tools,
    cursor: Mapping[str, JsonValue] | None = None,
    **options: JsonValue,
) -> FetchResult:
    request = FetchRequest(target=str(path), cursor=cursor or {}, options={"addresses": [ME], **options})
    result = await ingestor.fetch(request, tools)
    check_result(request, result)
    return result


def _boxed(*mails: str) -> bytes:
    return "".join(f"From x Tue Nov  3 08:00:00 2026\n{mail}\n\n" for mail in mails).encode()


async def test_answers_to_the_reader_are_marked_also_much_later(tmp_path: Path, tools: Tools) -> None:
    box = tmp_path / "box"
    mine = f"From: Ada <{ME}>\nSubject: q\nMessage-ID: <q@x>\n\nWhat is it?"
    box.write_bytes(
        _boxed(mine, "From: b@x\nSubject: Re: q\nMessage-ID: <a1@x>\nIn-Reply-To: <q@x>\n\nThat.")
    )
    first = await _fetch(MboxIngestor(), box, tools)
    flags = {entry.title: "reply-to-me" in entry.flags for entry in first.entries}
    assert flags == {"q": False, "Re: q": True}
    with box.open("ab") as file:
        file.write(_boxed("From: c@x\nSubject: late\nMessage-ID: <a2@x>\nReferences: <q@x> <a1@x>\n\nYes."))
        file.write(
            _boxed(f"From: d@x\nSubject: liar\nMessage-ID: <a3@x>\nIn-Reply-To: <z@x>\n\n{ME} wrote:\n> hm")
        )
    second = await _fetch(MboxIngestor(), box, tools, first.cursor)
    flags = {entry.title: "reply-to-me" in entry.flags for entry in second.entries}
    assert (flags["late"], flags["liar"]) == (True, False)


async def test_subfolders_of_a_maildir_are_read_where_they_are_named(tmp_path: Path, tools: Tools) -> None:
    root = mailbox.Maildir(tmp_path / "mail")
    root.add("Subject: top\nMessage-ID: <1@x>\n\nx")
    root.add_folder("Lists.python").add("Subject: python\nMessage-ID: <2@x>\n\nx")
    root.add_folder("Trash").add("Subject: trash\nMessage-ID: <3@x>\n\nx")
    outside = mailbox.Maildir(tmp_path / "outside")
    outside.add("Subject: outside\nMessage-ID: <4@x>\n\nx")
    (tmp_path / "mail" / ".Link").symlink_to(tmp_path / "outside")

    async def titles(*folders: JsonValue) -> tuple[list[str], list[str]]:
        result = await _fetch(MaildirIngestor(), tmp_path / "mail", tools, folders=list(folders))
        return sorted(e.title for e in result.entries), [r.name for r in result.refusals]

    assert await titles() == (["top"], [])
    assert await titles("Lists/python") == (["python"], [])
    assert await titles("INBOX", ".Lists.python") == (["python", "top"], [])
    assert await titles("*") == (["python", "top", "trash"], [])
    assert await titles("Link", "../outside", "INBOX") == (["top"], ["Link", "../outside"])


async def test_a_large_maildir_gives_each_mail_once(
    tmp_path: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-15"""
    monkeypatch.setattr("ingestors.mail.MAX_MAILS", 400)
    for name in ("cur", "new", "tmp"):
        (tmp_path / name).mkdir()
    for number in range(1_000):
        folder = "new" if number % 2 else "cur"
        (tmp_path / folder / f"{number}.x:2,S").write_bytes(
            f"Subject: {number}\nMessage-ID: <{number}@x>\n\nx".encode()
        )
        (tmp_path / "tmp" / f"{number}.half").touch()
    with (tmp_path / "new" / "huge").open("wb") as file:
        file.write(b"Subject: huge\nMessage-ID: <huge@x>\n\nbegin\n")
        file.truncate(2 * 2**30)  # sparse
    cursor: Mapping[str, JsonValue] = {}
    found: list[str] = []
    more = True
    while more:
        result = await _fetch(MaildirIngestor(), tmp_path, tools, cursor)
        found += [entry.title for entry in result.entries]
        cursor, more = result.cursor, result.more
    assert sorted(found) == sorted([*map(str, range(1_000)), "huge"])


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
async def test_an_mbox_is_left_as_it_was_however_its_lines_end(
    tmp_path: Path, tools: Tools, ending: str
) -> None:
    """MAIL-16"""
    box = tmp_path / "box"
    body = "Subject: s{0}\nMessage-ID: <{0}@x>\n\nFrom here on.\n\nFrom there on.\n>From quoted.\n"
    data = _boxed(body.format(1), body.format(2)).decode().replace("\n", ending).encode()
    box.write_bytes(data)
    result = await _fetch(MboxIngestor(), box, tools)
    assert [entry.key for entry in result.entries] == ["1@x", "2@x"]
    assert result.entries[0].text.splitlines()[-1] == "From quoted."
    assert box.read_bytes() == data
    box.write_bytes(_boxed(body.format(3)))  # rewritten, shorter
    again = await _fetch(MboxIngestor(), box, tools, result.cursor)
    assert [entry.key for entry in again.entries] == ["3@x"]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"Content-Type: text/plain; charset=no-such\n\ncaf\xc3\xa9", "caf"),
        (b"Content-Type: text/plain; charset=utf-8\n\ncaf\xe9 ole", "caf"),
        (b"Content-Type: text/plain; charset=gb2312\n\n\xc4\xe3\xba\xc3", "你好"),
        (b"To: =?utf-8?b?Sm9zw?=\nContent-Type: text/plain; charset=utf-8\n\n\xc3\xa9t\xc3\xa9", "été"),
        (b"Content-Type: text/plain; charset=utf-7\n\n+AGEAYg-", ""),
    ],
)
async def test_charsets_that_are_wrong_leave_something_to_read(
    parsers: ParserPool, raw: bytes, text: str
) -> None:
    """MAIL-11"""
    entry = await _read(
        b"From: =?utf-8?b?Sm9zww==?= =?utf-8?b?qQ==?= <j@x>\nSubject: \xe9t\xe9\n" + raw, parsers
    )
    assert text in entry.text
    assert entry.people[0].endswith("<j@x>")


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "\x1b]52;c;AA\x07", "\u202egnp.exe", "a" * 300, "CON", "-rf"]
)
async def test_an_attachment_is_neither_written_nor_shown(
    parsers: ParserPool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """MAIL-12"""
    monkeypatch.chdir(tmp_path)
    raw = (
        "Subject: s\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n"
        "--b\nContent-Type: text/plain\n\nHello.\n"
        f'--b\nContent-Type: application/x-sh; name="{name}"\n'
        f'Content-Disposition: attachment; filename="{name}"\n'
        "Content-Transfer-Encoding: base64\n\ncm0gLXJmIC8K\n--b--\n"
    )
    assert (await _read(raw, parsers)).text == "Hello."
    assert os.listdir(tmp_path) == []  # noqa: PTH208  nothing to walk


async def test_html_fetches_nothing_and_leaves_text_only(parsers: ParserPool) -> None:
    """MAIL-13: a parser child that dialled would hang on the port nobody answers, or be seen by it."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    html = (
        f"<html><head><base href='{url}'><link rel=stylesheet href='{url}c'><style>@import '{url}s';</style>"
        f"</head><body background='{url}b'><img src='{url}i'><iframe src='{url}f'></iframe>"
        f"<form action='{url}p'>"
        f"<button>Go</button></form><a href='mailto:x@y.z'>Write</a> <p style='background:url({url}q)'>Text"
    )
    entry = await _read(f"Subject: s\nContent-Type: text/html\n\n{html}", parsers)
    server.close()
    await server.wait_closed()
    assert entry.text.split() == ["Write", "Text"]
    assert seen == []


QUOTE = "On Tuesday Bob wrote:\n> The first line of it\n> and the second one\n> and a third"
OWN = "No, the tram goes by the harbour, as it always did."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{QUOTE}\n\n{OWN}\n\n-- \nAda", f"{OWN}\n\n-- \nAda\n\n{QUOTE}"),
        (f"{OWN}\n\n{QUOTE}", f"{OWN}\n\n{QUOTE}"),
        (f"{QUOTE}\n\n{OWN}\n\n> And this?\n\nYes.", f"{QUOTE}\n\n{OWN}\n\n> And this?\n\nYes."),
        (f"{QUOTE}\n\n-- \nAda Lovelace, London", f"{QUOTE}\n\n-- \nAda Lovelace, London"),
        (f"> One line\n\n{OWN}", f"> One line\n\n{OWN}"),
        (f"A sentence of my own.\n{QUOTE}\n\n{OWN}", f"A sentence of my own.\n{QUOTE}\n\n{OWN}"),
        (QUOTE, QUOTE),
        ("", ""),
    ],
    ids=["below", "above", "between", "signature", "short", "preface", "nothing", "empty"],
)
def test_own_words_stand_first_where_that_is_unambiguous(text: str, expected: str) -> None:
    assert own_words_first(text) == expected
    assert sorted(own_words_first(text).split()) == sorted(text.split())
