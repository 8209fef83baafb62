"""Full texts as a shell sees them, with real children."""

from __future__ import annotations

import json

from command_line import triage
from documents import SENTENCE, article
from loopback import LoopbackServer, Route

from triage.paths import Paths

HTML = {"Content-Type": "text/html"}


def feed(server: LoopbackServer) -> bytes:
    items = "".join(
        f"<item><guid>{name}</guid><title>The {name} line</title><link>{server.url('/' + name)}</link>"
        f"<description>The tram line to the harbour …</description></item>"
        for name in ("tram", "wall")
    )
    return f"<rss version='2.0'><channel><title>Harbour</title>{items}</channel></rss>".encode()


def test_what_is_likely_to_be_read_is_fetched_and_what_is_not_there_is_said(
    paths: Paths, server: LoopbackServer
) -> None:
    wall = b"<html><body><form>Please log in <input type='password'></form></body></html>"
    server.routes |= {
        "/feed": Route(feed(server)),
        "/tram": Route(article().encode(), headers=HTML),
        "/wall": Route(wall, headers=HTML),
    }
    assert triage(f"triage add --allow-local {server.url('/feed')}")[0] == 0
    code, out, err = triage("triage sync")
    assert code == 0
    assert "1 full text fetched; the digest is ranked with it" in err

    shown = {item["title"]: item["id"] for item in json.loads(triage("triage digest --json")[1])["items"]}
    tram, walled = shown["The tram line"], shown["The wall line"]
    out = triage(f"triage show {tram}")[1]
    assert "Full text from 127.0.0.1" in out
    assert SENTENCE[:60] in out
    document = json.loads(triage(f"triage show {tram} --json")[1])
    assert (document["text_state"], document["text_note"]) == ("full", None)
    assert document["text_url"] == server.url("/tram")
    assert document["text"].startswith(SENTENCE)

    out = triage(f"triage show {walled}")[1]
    assert "Summary only: its page asks for a login" in out
    assert f"To fetch the full text: triage fetch {walled}" in out
    assert json.loads(triage(f"triage show {walled} --json")[1])["text_state"] == "summary"

    code, out, err = triage(f"triage fetch {walled} --json")
    assert (code, json.loads(out)) == (
        1,
        [{"id": walled, "got": False, "message": "its page asks for a login"}],
    )
    assert "1 text of 1 could not be fetched" in err
    assert triage("triage fetch 999")[0] == 2
    assert triage("triage fetch")[0] == 2
