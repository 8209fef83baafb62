from __future__ import annotations

import asyncio
import mailbox
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from ingestors.base import Entry, FetchRequest, FetchResult, JsonValue, Tools
from ingestors.mail import MaildirIngestor, MboxIngestor, _split_mbox
from ingestors.mime import mail_name, parse_mails
from ingestors.sandbox import ParserPool
from ingestors.testing import check_claims, check_result
from ingestors.wire import to_entry

POSTMARK = b"From ada@example.org Tue Nov  3 08:00:00 2026\n"


def _mail(number: int, text: str = "Hello.", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = "Ada Lovelace <ada@example.org>"
    message["Subject"] = f"Mail {number}"
    message["Message-ID"] = f"<{number}@example.org>"
    message["Date"] = "Tue, 03 Nov 2026 08:00:00 +0100"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def _mbox(*mails: bytes) -> bytes:
    return b"".join(POSTMARK + mail.replace(b"\nFrom ", b"\n>From ") + b"\n" for mail in mails)


async def _fetch(
    ingestor: MboxIngestor | MaildirIngestor,
    path: Path,
    tools: Tools,
    cursor: Mapping[str, JsonValue] | None = None,
) -> FetchResult:
    request = FetchRequest(target=str(path), cursor=cursor or {})
    result = await ingestor.fetch(request, tools)
    check_result(request, result)
    return result


def _titles(result: FetchResult) -> list[str]:
    return sorted(entry.title for entry in result.entries)


def test_contract(tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_bytes(_mbox(_mail(1)))
    mailbox.Maildir(tmp_path / "folder")
    check_claims(MboxIngestor(), [str(box), f"mbox:{box}"])
    check_claims(MaildirIngestor(), [str(tmp_path / "folder")])
    assert MboxIngestor().claim(str(tmp_path / "folder")) is None
    assert MaildirIngestor().claim(str(box)) is None


async def test_an_mbox_becomes_entries(tmp_path: Path, tools: Tools) -> None:
    box = tmp_path / "box"
    box.write_bytes(
        _mbox(_mail(1, "One.\nFrom here on\n\nFrom there"), _mail(2, List_Id="Birds <birds.e.org>"))
    )
    first, second = (await _fetch(MboxIngestor(), box, tools)).entries
    assert (first.key, first.title, first.people) == (
        "1@example.org",
        "Mail 1",
        ("Ada Lovelace <ada@example.org>",),
    )
    assert first.text == "One.\nFrom here on\n\nFrom there"
    assert first.published == datetime(2026, 11, 3, 7, tzinfo=UTC)
    assert (first.personal, second.personal) == (True, False)
    assert second.identifiers == {
        "message-id": "2@example.org",
        "thread": "2@example.org",
        "list-id": "birds.e.org",
    }


async def test_an_mbox_is_read_on_where_it_grew(tmp_path: Path, tools: Tools) -> None:
    """MAIL-16"""
    box = tmp_path / "box"
    box.write_bytes(_mbox(_mail(1), _mail(2)))
    first = await _fetch(MboxIngestor(), box, tools)
    assert (await _fetch(MboxIngestor(), box, tools, first.cursor)).not_modified
    with box.open("ab") as file:
        file.write(_mbox(_mail(3), _mail(4)).rstrip(b"\n"))  # no final newline
    second = await _fetch(MboxIngestor(), box, tools, first.cursor)
    # The last mail of the time before is read again, because it may have been half written.
    assert _titles(second) == ["Mail 2", "Mail 3", "Mail 4"]


async def test_a_mail_seen_half_written_is_completed(tmp_path: Path, tools: Tools) -> None:
    """MAIL-16"""
    box = tmp_path / "box"
    whole = _mbox(_mail(1), _mail(2, "begin " + "and on " * 50 + "end"))
    box.write_bytes(whole[:-100])
    first = await _fetch(MboxIngestor(), box, tools)
    box.write_bytes(whole)
    second = await _fetch(MboxIngestor(), box, tools, first.cursor)
    assert [entry.text[-3:] for entry in second.entries] == ["end"]
    assert second.entries[0].key == first.entries[1].key


@pytest.mark.parametrize("rewritten", [[5], [5, 6, 7, 8], [2, 1]])
async def test_a_rewritten_mbox_is_read_anew(tmp_path: Path, tools: Tools, rewritten: list[int]) -> None:
    """MAIL-16"""
    box = tmp_path / "box"
    box.write_bytes(_mbox(_mail(1), _mail(2)))
    first = await _fetch(MboxIngestor(), box, tools)
    box.write_bytes(_mbox(*(_mail(number) for number in rewritten)))
    second = await _fetch(MboxIngestor(), box, tools, first.cursor)
    assert len(second.entries) == len(rewritten)


@pytest.mark.parametrize("content", [b"", b"no mailbox", b"\0" * 5_000])
async def test_what_is_no_mbox(tmp_path: Path, tools: Tools, content: bytes) -> None:
    box = tmp_path / "box"
    box.write_bytes(content)
    result = await _fetch(MboxIngestor(), box, tools)
    assert (result.error is None) == (content == b"")
    missing = await _fetch(MboxIngestor(), tmp_path / "none", tools)
    assert missing.error is not None
    assert missing.error.kind == "not-found"


async def test_a_large_mbox_is_taken_in_portions(
    tmp_path: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestors.mail.MAX_MAILS", 3)
    box = tmp_path / "box"
    box.write_bytes(_mbox(*(_mail(number) for number in range(7))))
    cursor: Mapping[str, JsonValue] = {}
    seen: list[str] = []
    for more in (True, True, False):
        result = await _fetch(MboxIngestor(), box, tools, cursor)
        assert result.more == more
        cursor = result.cursor
        seen += [entry.title for entry in result.entries]
    assert seen == [f"Mail {number}" for number in range(7)]


async def test_a_maildir_is_read_once_whatever_happens_to_its_flags(tmp_path: Path, tools: Tools) -> None:
    """MAIL-15"""
    folder = tmp_path / "mail"
    box = mailbox.Maildir(folder)
    for number in range(3):
        box.add(_mail(number))
    (folder / "tmp").rmdir()
    first = await _fetch(MaildirIngestor(), folder, tools)
    assert _titles(first) == ["Mail 0", "Mail 1", "Mail 2"]
    for file in (folder / "new").iterdir():
        file.rename(folder / "cur" / f"{file.name}:2,S")
    assert (await _fetch(MaildirIngestor(), folder, tools, first.cursor)).not_modified
    (folder / "new" / "9.late").write_bytes(_mail(9))
    second = await _fetch(MaildirIngestor(), folder, tools, first.cursor)
    assert _titles(second) == ["Mail 9"]


async def test_links_pipes_and_empty_files_in_a_maildir(tmp_path: Path, tools: Tools) -> None:
    """MAIL-15"""
    folder = tmp_path / "mail"
    mailbox.Maildir(folder).add(_mail(1))
    outside = tmp_path / "outside"
    outside.write_bytes(_mail(2))
    (folder / "new" / "link").symlink_to(outside)
    os.mkfifo(folder / "new" / "pipe")
    (folder / "new" / "empty").touch()
    (folder / "cur" / "folder").mkdir()
    result = await _fetch(MaildirIngestor(), folder, tools)
    assert _titles(result) == ["Mail 1"]
    assert sorted((refusal.name, refusal.reason) for refusal in result.refusals) == [
        ("empty", "it is empty"),
        ("folder", "it is not a regular file"),
        ("link", "it is a link, which is not followed"),
        ("pipe", "it is not a regular file"),
    ]
    assert (await _fetch(MaildirIngestor(), folder, tools, result.cursor)).not_modified


async def test_a_file_that_vanishes_is_found_under_its_new_name(
    tmp_path: Path, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MAIL-15"""
    folder = tmp_path / "mail"
    box = mailbox.Maildir(folder)
    box.add(_mail(1))
    real = os.open

    def renaming_open(path: Path, flags: int, *rest: int) -> int:
        monkeypatch.setattr(os, "open", real)
        path.rename(folder / "cur" / f"{path.name}:2,S")
        return real(path, flags, *rest)

    monkeypatch.setattr("ingestors.mail.os.open", renaming_open)
    first = await _fetch(MaildirIngestor(), folder, tools)
    assert first.entries == ()
    second = await _fetch(MaildirIngestor(), folder, tools, first.cursor)
    assert _titles(second) == ["Mail 1"]


async def _parse(*mails: bytes, pool: ParserPool) -> tuple[list[Entry], list[str]]:
    parsed = await parse_mails(mails, [f"mail {i}" for i in range(len(mails))], pool)
    return [to_entry(entry) for entry in parsed.entries], [f"{r.name}: {r.reason}" for r in parsed.refusals]


def _nested(depth: int) -> bytes:
    begin = "".join(f'Content-Type: multipart/mixed; boundary="b{i}"\n\n--b{i}\n' for i in range(depth))
    return b"From: a@b.c\nSubject: nested\nMessage-ID: <n@x>\n" + begin.encode()


BOMBS = {
    "comments": (b"From: " + b"(" * 3_000 + b" a@b.c\nSubject: s\n\nx", "comments in its headers"),
    "nesting": (_nested(2_000), "nested parts"),
    "parts": (
        b"Subject: p\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\n" * 100_000,
        "more than 5000 parts",
    ),
    "parameters": (
        b"Subject: c\nContent-Type: text/plain;" + b"".join(b" a*%d=x;" % i for i in range(5_000)) + b"\n\nx",
        "continued header parameters",
    ),
    "addresses": (b"Subject: a\nTo: " + b"a@b.c, " * 5_000 + b"\n\nx", "addresses in its headers"),
    "headers": (b"Subject: h\n" + b"X-A: b\n" * 60_000 + b"\nx", "headers are larger"),
    "rfc822": (b"Subject: r\n" + b"Content-Type: message/rfc822\n\n" * 5_000, "nested too deeply"),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_leaves_its_headers(parsers: ParserPool, name: str) -> None:
    """MAIL-10"""
    bomb, reason = BOMBS[name]
    entries, refusals = await _parse(_mail(1), bomb, _mail(2), pool=parsers)
    assert [entry.title for entry in entries if entry.title.startswith("Mail")] == ["Mail 1", "Mail 2"]
    assert len(entries) == 3
    assert entries[1].text == ""
    assert len(refusals) == 1
    assert refusals[0].startswith(mail_name(bomb, "mail 1"))
    assert "only its headers were read" in refusals[0]
    assert reason in refusals[0]


@pytest.mark.parametrize("word", ["DEADLY BODY", "DEADLY HEADERS"])
async def test_a_mail_that_ends_the_parser_costs_nobody_else_anything(
    monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setattr("ingestors.mime.PARSER", "child_parsers:parse_mails_or_die")
    deadly = _mail(5, word)
    pool = ParserPool()  # of its own, because its children have to find the parser of this test
    entries, refusals = await _parse(*(_mail(n) for n in range(5)), deadly, _mail(6), pool=pool)
    await pool.aclose()
    saved = (0, 1, 2, 3, 4, 5, 6) if word == "DEADLY BODY" else (0, 1, 2, 3, 4, 6)
    assert [entry.title for entry in entries] == [f"Mail {number}" for number in saved]
    part = "only its headers were read: " if word == "DEADLY BODY" else ""
    name = "Mail 5, Ada Lovelace <ada@example.org> (mail 5)"
    assert refusals == [f"{name}: {part}the parser crashed on it (signal 11)"]


@pytest.mark.parametrize(
    "header",
    [
        b"Message-ID: <a@[>",
        b"Message-ID: <[x]",
        b"From: =?utf-8?q?=ff?= <",
        b"From: =?utf-8?b?!!!?=",
        b"Date: Mon, 99 Foo",
        b"Subject: =?x?q?a?=",
        b"To: \x1b]52;c;AA\x07",
        b"Content-Type: text/plain; charset=no-such",
        b"Content-Type: text/plain; charset*=utf-8''%ff",
        b"Content-Type: multipart/mixed",
        b"\xff\xfe: x",
        b"From\0: x",
    ],
)
async def test_odd_headers_lose_no_mail(parsers: ParserPool, header: bytes) -> None:
    """MAIL-11"""
    entries, refusals = await _parse(header + b"\n\nThe text.\n", pool=parsers)
    assert [entry.text[-9:] for entry in entries] == ["The text."]
    assert refusals == []


async def test_a_name_in_raw_bytes_is_read(parsers: ParserPool) -> None:
    """MAIL-11: many lists still send Latin-1 without saying so."""
    names = [b"B\xf6b", "Böb".encode()]
    mails = [b"From: " + name + b" <b@example.org>\n\nThe text.\n" for name in names]
    entries, _ = await _parse(*mails, pool=parsers)
    assert [entry.people for entry in entries] == [("Böb <b@example.org>",)] * 2


async def test_a_borrowed_message_id_hides_nothing(parsers: ParserPool) -> None:
    entries, _ = await _parse(_mail(1, "a"), _mail(1, "b"), _mail(1, "a"), pool=parsers)
    assert [entry.text for entry in entries] == ["a", "b"]
    assert entries[0].key == "1@example.org"


async def test_the_html_part_is_read_when_the_plain_one_says_nothing(parsers: ParserPool) -> None:
    message = EmailMessage()
    message["Subject"] = "News"
    message.set_content("Your reader shows no HTML.")
    story = (
        "<p style='display:none'>preheader</p>" + "<p>A story about swifts and the air they sleep in.</p>" * 3
    )
    message.add_alternative(
        f"<html><body>{story}<img src='http://127.0.0.1:9/pixel'></body></html>", subtype="html"
    )
    entries, _ = await _parse(message.as_bytes(), pool=parsers)
    assert entries[0].text == "\n\n".join(["A story about swifts and the air they sleep in."] * 3)


@pytest.mark.parametrize(
    ("header", "personal"),
    [
        ("X-A: b", True),
        ("Auto-Submitted: no", True),
        ("Precedence: first-class", True),
        ("Auto-Submitted: auto-replied", False),
        ("Precedence: bulk", False),
        ("List-Unsubscribe: <mailto:x>", False),
    ],
)
async def test_who_writes_to_whom(parsers: ParserPool, header: str, personal: bool) -> None:
    entries, _ = await _parse(f"{header}\nSubject: s\n\nx".encode(), pool=parsers)
    assert entries[0].personal is personal


async def test_japanese_in_seven_bits(parsers: ParserPool) -> None:
    raw = b"Subject: j\nContent-Type: text/plain; charset=ISO-2022-JP\n\n" + "こんにちは".encode("iso2022_jp")
    entries, _ = await _parse(raw, pool=parsers)
    assert entries[0].text == "こんにちは"


async def test_reading_does_not_stop_the_event_loop(tmp_path: Path, tools: Tools) -> None:
    box = tmp_path / "box"
    box.write_bytes(_mbox(*(_mail(number, "line\n" * 2_000) for number in range(100))))
    gaps: list[float] = []

    async def tick() -> None:
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.01)
            gaps.append(loop.time() - before)

    ticker = asyncio.create_task(tick())
    result = await _fetch(MboxIngestor(), box, tools)
    ticker.cancel()
    assert len(result.entries) == 100
    assert max(gaps) < 1.0


def test_a_line_full_of_times_of_day_costs_nothing(tmp_path: Path) -> None:
    box = tmp_path / "box"
    line = b"From " + b"1:23 " * 13_000
    box.write_bytes(line)
    started = time.process_time()
    assert MboxIngestor().claim(str(box)) is None
    box.write_bytes(_mbox(_mail(1)) + (line + b"\n\n") * 20)
    assert MboxIngestor().claim(str(box)) is not None
    assert [number for number, _ in _split(box)] == [0]
    assert time.process_time() - started < 1


def _split(box: Path) -> list[tuple[int, bytes]]:
    with box.open("rb") as file:
        return list(_split_mbox(file, 0))


async def test_a_pipe_is_not_waited_for(tmp_path: Path, tools: Tools) -> None:
    os.mkfifo(tmp_path / "box")
    result = await asyncio.wait_for(_fetch(MboxIngestor(), tmp_path / "box", tools), 5)
    assert result.error is not None
    assert "not a regular file" in result.error.message


async def test_a_mail_whose_head_is_being_written_waits(tmp_path: Path, tools: Tools) -> None:
    box = tmp_path / "box"
    whole = _mbox(_mail(1), _mail(2))
    cut = whole.index(b"Message-ID: <2@") + 10
    box.write_bytes(whole[:cut])
    first = await _fetch(MboxIngestor(), box, tools)
    assert [entry.key for entry in first.entries] == ["1@example.org"]
    with box.open("ab") as file:
        file.write(whole[cut:])
    second = await _fetch(MboxIngestor(), box, tools, first.cursor)
    assert [entry.key for entry in second.entries] == ["1@example.org", "2@example.org"]


async def test_a_zone_beyond_all_numbers_costs_the_date_only(tmp_path: Path, tools: Tools) -> None:
    box = tmp_path / "box"
    only_headers = b"X-Comments: " + b"(" * 1001 + b"\n"
    box.write_bytes(_mbox(only_headers + _mail(1).replace(b"+0100", b"+" + b"9" * 30)))
    (entry,) = (await _fetch(MboxIngestor(), box, tools)).entries
    assert (entry.title, entry.published) == ("Mail 1", None)
