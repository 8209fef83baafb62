"""The bundled demo day is well-formed, lies on its day, names nobody real and holds what it promises."""

from __future__ import annotations

import io
import json
import re
from calendar import timegm
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any
from unicodedata import east_asian_width
from urllib.parse import urlsplit

import feedparser
import mailparser
import pytest

from ingestors.parsers.html import html_to_text

DEMO = Path(str(resources.files("triage.demo")))
ARXIV = "arxiv/answer.xml"
FEEDS = {
    "feeds/wire.rss": ("rss20", 20),
    "feeds/advisories.rss": ("rss20", 6),
    "feeds/language.rss": ("rss20", 6),
    "feeds/lanternroom.atom": ("atom10", 1),
    "feeds/flussnetz.atom": ("atom10", 6),
    "feeds/science.rdf": ("rss10", 7),
    "feeds/city.json": ("https://jsonfeed.org/version/1.1", 8),
    "feeds/vendor.json": ("https://jsonfeed.org/version/1.1", 6),
}
MAILS = sorted(f"mail/{path.name}" for path in (DEMO / "mail").iterdir())
NAMESPACES = {
    "http://www.w3.org/2005/Atom",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "http://purl.org/rss/1.0/",
    "http://purl.org/rss/1.0/modules/content/",
    "http://purl.org/rss/1.0/modules/syndication/",
    "http://purl.org/dc/elements/1.1/",
    "http://a9.com/-/spec/opensearch/1.1/",
    "http://arxiv.org/schemas/atom",
    "https://jsonfeed.org/version/1.1",
}


@dataclass(frozen=True, slots=True)
class Document:
    file: str
    id: str
    title: str
    text: str
    published: datetime | None

    @property
    def words(self) -> int:
        return len(self.text.split())


def _json_feed(file: str) -> list[Document]:
    return [
        Document(
            file,
            item["id"],
            item["title"],
            html_to_text(item["content_html"]),
            datetime.fromisoformat(item["date_published"]) if "date_published" in item else None,
        )
        for item in json.loads((DEMO / file).read_text(encoding="utf-8"))["items"]
    ]


def _xml_feed(file: str) -> list[Document]:
    documents = []
    for entry in feedparser.parse(io.BytesIO((DEMO / file).read_bytes())).entries:
        body = entry.content[0].value if "content" in entry else entry.summary
        time = next((entry[key] for key in ("published_parsed", "updated_parsed") if key in entry), None)
        documents.append(
            Document(
                file,
                entry.id,
                entry.title,
                html_to_text(body),
                datetime.fromtimestamp(timegm(time), UTC) if time else None,
            )
        )
    return documents


def _mail(file: str) -> Document:
    mail = mailparser.parse_from_bytes((DEMO / file).read_bytes())
    text = "\n".join(mail.text_plain) or html_to_text("\n".join(mail.text_html))
    date = parsedate_to_datetime(mail.headers["Date"])
    return Document(file, mail.message_id.strip("<>"), mail.subject, text, date)


@cache
def load(file: str) -> list[Document]:
    if file.startswith("mail/"):
        return [_mail(file)]
    documents = _json_feed(file) if file.endswith(".json") else _xml_feed(file)
    if file == ARXIV:
        return [
            Document(d.file, re.sub(r".*/|v\d+$", "", d.id), d.title, d.text, d.published) for d in documents
        ]
    return documents


@cache
def day() -> dict[tuple[str, str], Document]:
    return {(d.file, d.id): d for file in (*FEEDS, *MAILS, ARXIV) for d in load(file)}


@cache
def reader() -> dict[str, Any]:
    raw: dict[str, Any] = json.loads((DEMO / "reader.json").read_text(encoding="utf-8"))
    return raw


def named(member: dict[str, str]) -> Document:
    return day()[member["file"], member["id"]]


@pytest.mark.parametrize("file", FEEDS)
def test_every_feed_is_well_formed_and_complete(file: str) -> None:
    version, count = FEEDS[file]
    if file.endswith(".json"):
        assert json.loads((DEMO / file).read_text(encoding="utf-8"))["version"] == version
    else:
        parsed = feedparser.parse(io.BytesIO((DEMO / file).read_bytes()))
        assert parsed.bozo is False
        assert parsed.version == version
    assert len(load(file)) == count
    assert all(d.id and d.title and d.words >= 14 for d in load(file))


def test_the_flood_is_as_large_as_it_claims() -> None:
    assert {f"feeds/{path.name}" for path in (DEMO / "feeds").iterdir()} == set(FEEDS)
    assert sum(len(load(file)) for file in FEEDS) == 60
    assert len(MAILS) == 25
    assert len(load(ARXIV)) == 25
    assert max(d.words for d in load("feeds/wire.rss")) <= 60
    assert load("feeds/lanternroom.atom")[0].words > 500


@pytest.mark.parametrize("file", MAILS)
def test_every_mail_parses(file: str) -> None:
    raw = (DEMO / file).read_bytes()
    mail = mailparser.parse_from_bytes(raw)
    assert not mail.has_defects
    assert max(map(len, raw.split(b"\n"))) <= 998
    raw.partition(b"\n\n")[0].decode("ascii")
    (document,) = load(file)
    assert document.title
    assert document.id.count("@") == 1
    assert document.text.strip()
    assert "\ufffd" not in document.title + document.text


def test_the_mails_are_of_every_kind() -> None:
    parsed = {file: mailparser.parse_from_bytes((DEMO / file).read_bytes()).headers for file in MAILS}
    lists = Counter(h["List-Id"] for h in parsed.values() if h.get("Precedence") == "list")
    assert sorted(lists.values()) == [4, 5]
    bulk = {f for f, h in parsed.items() if {"List-Id", "List-Unsubscribe", "Auto-Submitted"} & set(h)}
    people = {member["file"] for member in reader()["expected"]["people"]}
    assert set(MAILS) - bulk == people
    assert len(people) == 9
    ids = {load(file)[0].id for file in MAILS}
    threads = {
        f: h["In-Reply-To"].strip("<>")
        for f, h in parsed.items()
        if h.get("Precedence") == "list" and "In-Reply-To" in h
    }
    assert len(threads) == 4
    assert set(threads.values()) <= ids
    assert all(f"<{parent}>" in parsed[f]["References"] for f, parent in threads.items())


def test_a_newsletter_says_the_same_in_both_of_its_forms() -> None:
    newsletters = []
    for file in MAILS:
        mail = mailparser.parse_from_bytes((DEMO / file).read_bytes())
        if mail.text_plain and mail.text_html:
            newsletters.append(file)
            plain = set(re.findall(r"[a-z]{4,}", " ".join(mail.text_plain).lower()))
            html = set(re.findall(r"[a-z]{4,}", html_to_text("".join(mail.text_html)).lower()))
            assert len(plain & html) > 0.9 * len(plain)
    assert len(newsletters) == 2


def test_papers_have_abstracts_authors_and_categories() -> None:
    parsed = feedparser.parse(io.BytesIO((DEMO / ARXIV).read_bytes()))
    assert parsed.bozo is False
    assert parsed.feed.opensearch_totalresults == str(len(parsed.entries))
    for entry, document in zip(parsed.entries, load(ARXIV), strict=True):
        assert re.fullmatch(r"http://arxiv\.org/abs/260[23]\.9\d{4}v\d", entry.id)
        assert 120 <= document.words <= 205
        assert entry.authors
        assert entry.arxiv_primary_category["term"] == entry.tags[0].term
        assert {tag.term for tag in entry.tags} <= {"cs.IR", "cs.CL", "cs.LG", "cs.HC", "stat.ML"}


def test_nearly_everything_is_of_the_last_36_hours_and_nothing_of_the_future() -> None:
    now = datetime.fromisoformat(reader()["now"])
    dates = [d.published for d in day().values()]
    assert dates.count(None) == 2
    ages = [now - date for date in dates if date is not None]
    assert min(ages) >= timedelta(0)
    older = [age for age in ages if age > timedelta(hours=36)]
    assert 1 <= len(older) <= 5
    assert max(older) < timedelta(days=7)
    assert all(load(file)[0].published for file in MAILS)


def test_weekdays_are_those_of_the_calendar() -> None:
    stamped = re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d{1,2}) (Feb|Mar) 2026")
    days = [
        m.groups()
        for path in DEMO.glob("*/*.*")
        if path.suffix != ".pyc"
        for m in stamped.finditer(path.read_text(encoding="utf-8"))
    ]
    assert len(days) > 50
    for weekday, number, month in days:
        assert f"{datetime(2026, {'Feb': 2, 'Mar': 3}[month], int(number), tzinfo=UTC):%a}" == weekday


def test_ids_are_unique_across_the_day() -> None:
    assert len(day()) == 110
    assert len({d.id for d in day().values()}) == 110


def _decoded(file: str) -> str:
    if not file.startswith("mail/"):
        return (DEMO / file).read_text(encoding="utf-8")
    mail = mailparser.parse_from_bytes((DEMO / file).read_bytes())
    return "\n".join([*mail.text_plain, *mail.text_html, *map(str, mail.headers.values())])


@pytest.mark.parametrize("file", [*FEEDS, *MAILS, ARXIV])
def test_every_address_is_fictional(file: str) -> None:
    text = _decoded(file)
    links = {url for url in re.findall(r"https?://[^\s\"'<>)\\]+", text) if url not in NAMESPACES}
    hosts = {urlsplit(url).hostname or url for url in links}
    hosts |= set(re.findall(r"[\w.+-]+@([\w-]+(?:\.[\w-]+)+)", text))
    if file == ARXIV:
        hosts -= {"arxiv.org"}
    assert {host for host in hosts if not host.endswith((".example", "example.org"))} == set()


def test_two_languages_and_wide_characters_are_present() -> None:
    german = re.compile(r"\b(und|nicht|der|die|das|ist|mit|ich|von|den|eine?)\b")

    def is_german(document: Document) -> bool:
        return len(german.findall(document.text)) > 0.08 * document.words

    assert all(is_german(d) for d in load("feeds/flussnetz.atom"))
    assert [file for file in MAILS if is_german(load(file)[0])] == ["mail/09-jule-besuch.eml"]
    assert not any(is_german(d) for file in FEEDS if "flussnetz" not in file for d in load(file))
    titles = [d.title for d in day().values()]
    assert any(sum(east_asian_width(c) == "W" for c in title) == 3 for title in titles)
    assert any("🚀" in title for title in titles)
    assert any("[/]" in title for title in titles)
    assert max(map(len, titles)) > 200


def test_repeated_stories_exist_in_several_sources() -> None:
    groups = reader()["repeated"]
    assert len(groups) >= 4
    used = Counter((m["file"], m["id"]) for group in groups for m in group["members"])
    assert set(used.values()) == {1}
    for group in groups:
        members = [named(m) for m in group["members"]]
        assert len({d.file for d in members}) == len(members) >= 2
        words = [set(re.findall(r"\w+", d.text)) for d in members]
        shared = len(words[0] & words[1]) / len(words[0] | words[1])
        assert (shared > 0.9) == (group["wording"] == "verbatim"), group["story"]


def test_look_alikes_are_told_apart_from_repeats() -> None:
    repeats = [{(m["file"], m["id"]) for m in group["members"]} for group in reader()["repeated"]]
    for group in reader()["distinct"]:
        members = {(m["file"], m["id"]) for m in group["members"]}
        assert members <= set(day())
        assert not any(members <= repeat for repeat in repeats)


def test_the_reader_has_sources_that_exist_and_interests_of_both_signs() -> None:
    targets = [source["target"] for source in reader()["sources"]]
    assert sorted(targets) == sorted([*FEEDS, "mail", "arxiv:cs.IR"])
    weights = [interest["weight"] for interest in reader()["interests"]]
    assert sum(weight > 0 for weight in weights) == 5
    assert sum(weight < 0 for weight in weights) == 1


def test_expectations_name_documents_of_the_day() -> None:
    expected = reader()["expected"]
    top = {named(m).id for wanted in expected["top"] for m in wanted["any"]}
    never = {named(m).id for m in expected["never"]}
    people = {named(m).id for m in expected["people"]}
    assert 0 < len(expected["top"]) <= 12
    assert not top & never
    assert not people & (top | never)
    for passage in expected["passages"]:
        assert passage["contains"] in " ".join(named(passage).text.split())
