"""`triage start` by options alone, and what `triage` does on an empty home."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from command_line import triage
from loopback import LoopbackServer, Route

from triage.cli.start import EXAMPLES
from triage.guided_start import GuidedStart
from triage.paths import Paths
from triage.runtime import Runtime
from triage.services.fetching.packs import catalogue
from triage.services.reader import starting


def feed(name: str, *stories: str) -> Route:
    items = "".join(
        f"<item><guid>{name}{n}</guid><title>{story}</title><link>https://{name}.example/{n}</link>"
        f"<description>{story}, told at length.</description></item>"
        for n, story in enumerate(stories)
    )
    body = f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'
    return Route(body.encode(), headers={"Content-Type": "application/rss+xml"})


def test_options_alone_lead_to_a_first_digest(paths: Paths, server: LoopbackServer, tmp_path: Path) -> None:
    server.routes["/tides"] = feed("tides", "Spring tide at the harbour", "A new tide gauge", "Ferries late")
    liked = tmp_path / "liked.txt"
    liked.write_text("Measuring the tides of the North Sea\n")
    triage(f"triage add --no-check --allow-local {server.url('/tides')} {server.url('/gone')}")
    code, out, err = triage(f'triage start --interest "tides, sea level" --import {liked} --json')
    assert code == 3, err
    assert "1 document that you liked" in err
    assert "knows no such page" in err
    said = json.loads(out)
    assert said["interests"] == ["tides", "sea level"]
    assert said["fetched"] == {"asked": 2, "failed": 1, "new": 3, "items": 3}
    assert said["digest"]["items"][0]["title"].lower().find("tide") >= 0
    assert not starting.is_under_way(paths.start)


def test_what_cannot_be_done_is_said_before_anything_is_done(paths: Paths) -> None:
    for line, words in [
        ("--interest tides --pack clymate", "did you mean climate?"),
        ("--interest tides --import /nowhere.opml", "no file or folder"),
        ("--interest tides --import imaps://me@host.example/INBOX", "where is the password"),
        ("--interest ,,", "at least one word"),
    ]:
        code, _, err = triage(f"triage start {line}")
        assert code == 2
        assert words in err
    assert triage("triage interests")[1] == ""
    code, _, err = triage("triage start --interest tides")
    assert code == 2
    assert "no source to fetch" in err


def test_interests_that_no_pack_fits_are_kept_and_it_is_said(paths: Paths) -> None:
    code, _, err = triage('triage start --interest "zzyzx qwortle" --yes')
    assert code == 2
    assert "no starter pack fits what you said, which is kept; there is no source to fetch" in err
    assert "zzyzx qwortle" in triage("triage interests")[1]


def test_the_example_of_the_help_has_packs_that_fit(paths: Paths) -> None:
    (example,) = re.findall(r'--interest "([^"]+)" --yes', EXAMPLES)
    triage(f'triage start --interest "{example}"')
    with Runtime.open() as runtime:
        offers = GuidedStart(runtime).packs(by_meaning=False)
    assert any(offer.suggested for offer in offers)


def test_the_packs_are_listed(paths: Paths) -> None:
    assert json.loads(triage("triage start --packs --json")[1])[0]["name"] == catalogue()[0].name
    assert "arxiv:cs.LG" in triage("triage start --packs")[1]


@pytest.mark.parametrize("line", ["triage", "triage start", "triage start --plain"])
def test_nothing_is_asked_where_nobody_is(paths: Paths, line: str) -> None:
    code, _, err = triage(line)
    assert code in (1, 2)
    assert "triage start" in err
