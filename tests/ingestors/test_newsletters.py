"""Newsletters and digests are split into their stories, and nothing else is.

The mails are invented; their mark-up is of the kinds that mailing services and list software make.
"""

from __future__ import annotations

import base64
import json
import time
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestors.base import Entry
from ingestors.mime import parse_mails
from ingestors.parsers.links import direct_url
from ingestors.parsers.newsletter import find_stories
from ingestors.sandbox import ParserPool
from ingestors.wire import to_entry

LONG = "The council has voted for the new line, and the first rails are to be laid before the summer begins."


def _mail(html: str = "", text: str = "", subject: str = "Weekly", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"] = "Harbour Weekly <weekly@harbour.example>"
    message["To"] = "ada@example.org"
    message["Subject"] = subject
    message["Message-ID"] = "<issue-7@harbour.example>"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    if text or not html:
        message.set_content(text)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    return message.as_bytes()


async def _split(raw: bytes, pool: ParserPool) -> tuple[Entry, list[Entry]]:
    parsed = await parse_mails([raw], ["a mail"], pool)
    assert parsed.refusals == []
    mail, *stories = [to_entry(entry) for entry in parsed.entries]
    return mail, stories


LEAVE = {"List_Unsubscribe": "<https://harbour.example/leave?u=1>, <mailto:leave@harbour.example>"}


def _cell(number: int, link: str) -> str:
    return (
        "<tr><td style='padding:0'><table role='presentation'><tr><td><a href='"
        f"{link}' style='color:#111;text-decoration:none'>"
        f"<span style='font-size:20px;font-weight:700'>Story number {number} of the harbour</span></a>"
        "</td></tr>"
        f"<tr><td style='font-size:14px'><p>{LONG} It was the {number}th time.</p>"
        f"<a href='{link}'>Read more &rarr;</a></td></tr></table></td></tr>"
    )


def _newsletter(count: int = 4) -> str:
    links = [
        f"https://track.mail.example/CL0/https:%2F%2Fnews.example%2Fs%2F{n}%3Futm_source=x/1/abcdefgh12"
        for n in range(count)
    ]
    return (
        "<html><head><style>.x{}</style></head><body><div style='display:none'>All the news of the week</div>"
        "<table><tr><td><a href='https://harbour.example/view'>View in browser</a></td></tr>"
        "<tr><td><img src='http://127.0.0.1:9/pixel'><h1>Harbour Weekly</h1></td></tr>"
        + "".join(_cell(n, link) for n, link in enumerate(links))
        + "<tr><td><a href='https://facebook.com/harbour'><b>Follow us on Facebook</b></a></td></tr>"
        "<tr><td>You are receiving this because you signed up.<br><b><a href='https://harbour.example/leave'>"
        "Unsubscribe</a></b> · Harbour Weekly, Pier 3, and a long postal address</td></tr></table>"
    )


async def test_a_newsletter_becomes_its_stories(parsers: ParserPool) -> None:
    mail, stories = await _split(_mail(_newsletter(), **LEAVE), parsers)
    assert [story.title for story in stories] == [f"Story number {n} of the harbour" for n in range(4)]
    assert [story.url for story in stories] == [f"https://news.example/s/{n}" for n in range(4)]
    assert [story.text for story in stories] == [f"{LONG} It was the {n}th time." for n in range(4)]
    assert {story.parent for story in stories} == {mail.key}
    assert {story.flags for story in (mail, *stories)} == {frozenset({"newsletter"})}
    assert not any(story.personal for story in (mail, *stories))
    # The mail stays, whole.
    assert "Story number 3" in mail.text
    assert "postal address" in mail.text
    assert mail.identifiers["unsubscribe"] == "https://harbour.example/leave?u=1"


async def test_keys_of_stories_are_the_same_at_every_reading(parsers: ParserPool) -> None:
    first = await _split(_mail(_newsletter(), **LEAVE), parsers)
    again = await _split(_mail(_newsletter(), **LEAVE), parsers)
    longer = await _split(_mail(_newsletter(6), **LEAVE), parsers)
    keys = [story.key for story in first[1]]
    assert len(set(keys)) == 4
    assert [story.key for story in again[1]] == keys
    assert [story.key for story in longer[1]][:4] == keys


async def test_two_mails_with_one_message_id_keep_their_stories_apart(parsers: ParserPool) -> None:
    one, other = _mail(_newsletter(3), **LEAVE), _mail(_newsletter(4), **LEAVE)
    parsed = await parse_mails([one, other], ["a", "b"], parsers)
    mails = [entry for entry in parsed.entries if entry["parent"] is None]
    assert len(mails) == 2
    for mail, count in zip(mails, (3, 4), strict=True):
        assert sum(1 for entry in parsed.entries if entry["parent"] == mail["key"]) == count
    keys = [entry["key"] for entry in parsed.entries]
    assert len(set(keys)) == len(keys)


HEADED = "".join(
    f"<h3><a href='https://news.example/{n}'>A headline with number {n}</a></h3><p>{LONG}</p>"
    for n in range(5)
)
BOLD = "".join(
    f"<b>Bold title of piece {n}</b><br>{LONG} <a href='https://news.example/{n}'>Full story</a><p>"
    for n in range(5)
)
SUNDRY = (
    "<h2>The long read of the week</h2><p>"
    + LONG
    + " <a href='https://news.example/long'>news.example</a></p>"
    + HEADED
)


CJK = "".join(
    f"<h3><a href='https://news.example/{n}'>港の新しい路面電車 第{n}回</a></h3>"
    "<p>市議会は新しい路線を可決し、夏の前に最初のレールが敷かれる見込みです。</p>"
    for n in range(4)
)


@pytest.mark.parametrize(("html", "count"), [(HEADED, 5), (BOLD, 5), (SUNDRY, 6), (CJK, 4)])
async def test_other_ways_to_set_a_title(parsers: ParserPool, html: str, count: int) -> None:
    _, stories = await _split(_mail(f"<html><body>{html}</body></html>", **LEAVE), parsers)
    assert len(stories) == count
    assert all(story.url and story.text.startswith(("The council", "市議会")) for story in stories)


async def test_a_story_without_a_link_is_kept(parsers: ParserPool) -> None:
    html = HEADED + f"<h3>A headline that leads nowhere</h3><p>{LONG}</p>"
    _, stories = await _split(_mail(f"<body>{html}</body>", **LEAVE), parsers)
    assert [(s.title, s.url) for s in stories][-1] == ("A headline that leads nowhere", None)


PERSONAL = "".join(
    f"<p><b>Point {n} of our meeting</b></p><p>{LONG} <a href='https://x.example/{n}'>here</a></p>"
    for n in range(5)
)
INVOICE = (
    "<h2>Your order</h2><table>"
    + "".join(
        f"<tr><td><a href='https://shop.example/{n}'><b>Garden chair, model {n}</b></a><br>Sold by Chairs and"
        f" Tables of the Harbour</td><td>€ {n}9.00</td></tr>"
        for n in range(1, 6)
    )
    + "</table><p>Total € 295.00. To change what we write to you, open your newsletter settings.</p>"
)
NOTICE = (
    "<p><b>Bob commented on your draft</b></p><p>"
    + LONG
    + "</p><p><a href='https://app.example/1'>View comment</a></p>"
    "<p>You receive this because you are subscribed. <a href='https://app.example/off'>Unsubscribe</a></p>"
)
LETTER = (
    "<p>Dear readers,</p>" + f"<p>{LONG}</p>" * 9 + "<p><a href='https://x.example/leave'>Unsubscribe</a></p>"
)
MENU = "".join(f"<p><a href='https://shop.example/{n}'>Shoes for every season {n}</a></p>" for n in range(12))


@pytest.mark.parametrize(
    ("html", "headers"),
    [
        (PERSONAL, {}),
        (INVOICE, {}),
        (NOTICE, LEAVE),
        (LETTER, LEAVE),
        (MENU, LEAVE),
        (_newsletter(), {"In_Reply_To": "<issue-6@harbour.example>"}),
        (_newsletter(), {"subject": "Fwd: Weekly"}),
        (_newsletter(), {"List_Post": "<mailto:talk@lists.example>"}),
        (_newsletter(2), LEAVE),
    ],
    ids=["personal", "invoice", "notice", "letter", "menu", "answer", "forward", "list", "two"],
)
async def test_what_is_no_newsletter_stays_whole(
    parsers: ParserPool, html: str, headers: dict[str, str]
) -> None:
    mail, stories = await _split(_mail(f"<html><body>{html}</body></html>", **headers), parsers)
    assert stories == []
    assert mail.text


NUMBERED = "The week in rails. To unsubscribe, see below.\n\n" + "\n\n".join(
    f"{n}. Title of piece {n}\nhttps://news.example/{n}?utm_medium=mail\n{LONG}" for n in range(1, 5)
)
ANNOUNCED = (
    "In this issue:\n\n* A new line for the harbour\n* The tram museum opens\n* Letters\n\n"
    "Newsletter no. 3\n\n"
    + "\n\n".join(
        f"{title}\n{'-' * len(title)}\n\n{LONG}\nSee https://news.example/{title[:3].strip()}"
        for title in ("A new line for the harbour", "The tram museum opens", "Letters")
    )
)
HEADLINES = "Headlines. To unsubscribe, see below.\n\n" + "\n\n".join(
    f"Headline of piece {n}\nA line on what it is about\n  https://news.example/{n}" for n in range(1, 6)
)

BULLETS = "Headlines. To unsubscribe, see below.\n\n" + "\n\n".join(
    f"- Headline of piece {n}\nA line on what it is about\n  https://news.example/{n}" for n in range(1, 6)
)
SENTENCES = "Headlines. To unsubscribe, see below.\n\n" + "\n\n".join(
    f"If list number {n} seems too long and you would not go it\nalone, there is advice to be had\n"
    f"  https://news.example/{n}"
    for n in range(1, 6)
)


@pytest.mark.parametrize(
    ("text", "titles", "url"),
    [
        (NUMBERED, [f"Title of piece {n}" for n in range(1, 5)], "https://news.example/1"),
        (
            ANNOUNCED,
            ["A new line for the harbour", "The tram museum opens", "Letters"],
            "https://news.example/A n",
        ),
        (HEADLINES, [f"Headline of piece {n}" for n in range(1, 6)], "https://news.example/1"),
        (BULLETS, [f"Headline of piece {n}" for n in range(1, 6)], "https://news.example/1"),
    ],
    ids=["numbered", "announced", "headlines", "bullets"],
)
async def test_digests_in_plain_text(parsers: ParserPool, text: str, titles: list[str], url: str) -> None:
    _, stories = await _split(_mail(text=text, **LEAVE), parsers)
    assert [story.title for story in stories] == titles
    assert stories[0].url == url.partition(" ")[0]


async def test_a_sentence_that_goes_over_two_lines_is_no_title(parsers: ParserPool) -> None:
    assert (await _split(_mail(text=SENTENCES, **LEAVE), parsers))[1] == []


LIST_DIGEST = (
    "Today's topics:\n\n   1. Rails (Bob)\n   2. Re: Rails (Cem)\n\n" + "-" * 70 + "\n\n"
    "Date: Tue, 3 Nov 2026 08:00:00 +0000\nFrom: Bob <bob@example.org>\nSubject: Rails\n\n"
    f"{LONG}\n-- \nBob\n\n" + "-" * 30 + "\n\n"
    "Message: 2\nFrom: Cem <cem@example.org>\nSubject: Re: Rails\n\n> Rails\n\nI agree with all of that.\n\n"
    + "-" * 30
    + "\n\nEnd of Rails Digest, Vol 3\n"
)


async def test_the_digest_of_a_list_becomes_its_mails(parsers: ParserPool) -> None:
    """Also of a list to which people write: here each part is somebody's mail."""
    _, stories = await _split(_mail(text=LIST_DIGEST, List_Post="<mailto:rails@lists.example>"), parsers)
    assert [(story.title, story.people) for story in stories] == [
        ("Rails", ("Bob <bob@example.org>",)),
        ("Re: Rails", ("Cem <cem@example.org>",)),
    ]
    assert stories[1].text == "> Rails\n\nI agree with all of that."


async def test_a_digest_in_mime_becomes_its_mails(parsers: ParserPool) -> None:
    inner = (
        "--b\nContent-Type: message/rfc822\n\nFrom: {0} <{0}@x>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe_{0}?=\n"
        "\n{1}\n"
    )
    raw = (
        "From: list@x\nSubject: Rails Digest, Vol 3\nMessage-ID: <d@x>\nMIME-Version: 1.0\n"
        "List-Post: <mailto:r@x>\nContent-Type: multipart/digest; boundary=b\n\n"
        + inner.format("Bob", LONG)
        + inner.format("Cem", "Yes.")
    )
    mail, stories = await _split((raw + "--b--\n").encode(), parsers)
    assert [(s.title, s.people, s.text) for s in stories] == [
        ("Grüße Bob", ("Bob <Bob@x>",), LONG),
        ("Grüße Cem", ("Cem <Cem@x>",), "Yes."),
    ]
    assert {story.parent for story in stories} == {mail.key}


async def test_numbered_questions_are_no_digest(parsers: ParserPool) -> None:
    text = "Hello, some newsletter questions about https://x.example:\n\n" + "\n".join(
        f"{n}. Is it possible to have the trams run on a Sunday, and if\nso, {LONG}\n" for n in range(1, 5)
    )
    assert (await _split(_mail(text=text, **LEAVE), parsers))[1] == []


def _packed(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


ARTICLE = "https://news.example/a?id=7"


@pytest.mark.parametrize(
    ("link", "target"),
    [
        (ARTICLE, ARTICLE),
        (f"{ARTICLE}&utm_source=x&fbclid=y&mc_cid=z", ARTICLE),
        ("https://r.example/click?url=https%3A%2F%2Fnews.example%2Fa%3Fid%3D7", ARTICLE),
        ("https://www.google.com/url?q=https://news.example/a%3Fid%3D7&sa=D", ARTICLE),
        (
            "https://search.example/?q=https://news.example/a",
            "https://search.example/?q=https://news.example/a",
        ),
        (f"https://r.example/c/1/{_packed(ARTICLE)}", ARTICLE),
        (f"https://substack.example/redirect/2/{_packed({'e': ARTICLE, 's': 1})}?r=1", ARTICLE),
        ("https://r.example/CL0/https:%2F%2Fnews.example%2Fa%3Fid=7/1/0100018f/Zm9vYmFy=3", ARTICLE),
        ("https://urldefense.com/v3/__https://news.example/a?id=7__;!!abc$", ARTICLE),
        ("https://urldefense.proofpoint.com/v2/url?u=https-3A__news.example_a-3Fid-3D7&d=x", ARTICLE),
        (
            "https://a.example/?u=https%3A%2F%2Fb.example%2F%3Furl%3Dhttps%253A%252F%252Fnews.example%252Fa",
            "https://news.example/a",
        ),
        (
            "https://web.archive.org/web/2020/https://news.example/a",
            "https://web.archive.org/web/2020/https://news.example/a",
        ),
        ("javascript:alert(1)", None),
        ("https://r.example/?url=javascript:alert(1)", "https://r.example/?url=javascript:alert(1)"),
        ("mailto:a@b.c", None),
    ],
)
def test_redirectors_are_unwrapped_without_asking_them(link: str, target: str | None) -> None:
    assert direct_url(link) == target


def test_a_redirector_around_itself_ends() -> None:
    link = "https://r.example/"
    for _ in range(6):
        link = f"https://r.example/?url={link.replace('%', '%25').replace(':', '%3A').replace('&', '%26')}"
    assert direct_url(link) is not None


@pytest.mark.parametrize(
    "markup",
    [
        "<a href='https://x.example/?url=https://y.example'><b>Title of many words</b></a><br>" * 50_000,
        "<table><tr><td>" * 20_000 + LONG,
        "<b>" * 50_000 + "Title here",
        f"<h3>Some title here</h3><p>{LONG}</p>" * 5_000,
        "<h3><a href='https://x.example/%s'>Some title here</a></h3>" % ("a" * 500_000),
        "unsubscribe " * 100_000,
        "".join(
            f"<p style='font-size:{n}px'><b>Title with a size</b></p><p>{LONG}</p>" for n in range(5_000)
        ),
    ],
)
def test_hostile_mark_up_costs_little(markup: str) -> None:
    """MAIL-10"""
    started = time.process_time()
    stories = find_stories([markup], markup, sent_to_many=True, conversation=False)
    assert len(stories) <= 100
    assert time.process_time() - started < 5


_PIECES = st.sampled_from(
    [
        *("<h2>", "</h2>", "<b>Title of it</b>", "<br>", "<p>", "<td>", LONG, "\n\n", "1. Title\n", "-" * 30),
        *("<a href='https://x.example/1'>", "</a>", "https://x.example/2\n", "\nFrom: a\nSubject: b\n\n"),
        *("unsubscribe", "\x00", "In this issue:\n", "* Title\n"),
    ]
)


@given(st.lists(_PIECES, max_size=60), st.booleans())
def test_nothing_that_is_sent_breaks_the_split(pieces: list[str], many: bool) -> None:
    text = "".join(pieces)
    for markup in ([text], []):
        for conversation in (True, False):
            for story in find_stories(markup, text, sent_to_many=many, conversation=conversation):
                assert story.title
