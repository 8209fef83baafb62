from __future__ import annotations

from datetime import UTC, datetime

import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st

from ingestors.parsers.bibliography import parse_bibliography
from triage.core.citations import Citation, bibtex, citation_key, latex, ris, split_name
from triage.core.text import sanitize_line

PAPER = Citation(
    title="Bounds for BERT: 50% of A & B_1 at $5, #1 ~ {x}^2",
    people=("Ada Lovelace", "Vincent van Gogh", "Martin King Jr.", "The ATLAS Collaboration", "Plato"),
    published=datetime(2026, 3, 2, tzinfo=UTC),
    text="We pool.\n\n@article{not, an = {entry}} -- 100% of it.",
    url="https://doi.org/10.1234/x_1",
    tags=("a", "b, c"),
    identifiers={"doi": "10.1234/x_1", "arxiv": "2601.00001", "pmid": "7", "venue": "J. of A & B"},
)


def test_bibtex_comes_back_as_it_was() -> None:
    parsed = parse_bibliography(bibtex([PAPER]).encode())
    (entry,) = parsed["entries"]
    assert parsed["refusals"] == []
    assert entry["key"] == citation_key(PAPER)
    assert entry["title"] == PAPER.title
    assert entry["people"] == list(PAPER.people)
    assert entry["text"] == PAPER.text
    assert entry["published"] == int(datetime(2026, 3, 2, tzinfo=UTC).timestamp())
    assert entry["identifiers"] == dict(PAPER.identifiers)
    assert (entry["url"], entry["tags"]) == (PAPER.url, ["a", "b c"])


def test_ris_comes_back_as_it_was() -> None:
    document = ris([PAPER, PAPER])
    (entry, twin) = parse_bibliography(document.encode())["entries"]
    assert entry["title"] == PAPER.title
    assert entry["people"] == list(PAPER.people)
    assert entry["text"] == PAPER.text.replace("\n\n", " ")
    assert entry["identifiers"]["doi"] == "10.1234/x_1"
    assert twin["key"] != entry["key"]
    first = rispy.loads(document)[0]
    assert (first["type_of_reference"], first["secondary_title"]) == ("JOUR", "J. of A & B")
    assert first["authors"][:3] == ["Lovelace, Ada", "van Gogh, Vincent", "King, Martin, Jr."]


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=20)), max_size=4))
def test_nothing_that_is_written_breaks_the_file(texts: list[tuple[str, str]]) -> None:
    """Whatever stands in titles and names, both files have an entry for each item, and no other."""
    citations = [
        Citation(title=sanitize_line(title, 60) or "x", people=(sanitize_line(name, 20) or "y",), text=title)
        for title, name in texts
    ]
    if not citations:
        return
    written = parse_bibliography(bibtex(citations).encode("utf-8", "replace"))
    assert (written["total"], written["refusals"]) == (len(citations), [])
    assert parse_bibliography(ris(citations).encode("utf-8", "replace"))["total"] == len(citations)
    for citation, entry in zip(citations, written["entries"], strict=False):
        if "$" not in citation.title and citation.title.isascii() and len(citations) == 1:
            assert entry["title"] == citation.title


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (r"an $O(n \log n)$ bound", r"an $O(n \log n)$ bound"),
        (r"$\alpha$-mixing", r"$\alpha$-mixing"),
        (r"$\input{/etc/passwd}$", r"\$\textbackslash{}input\textbraceleft{}/etc/passwd\textbraceright{}\$"),
        (r"costs $5 and $6", r"costs \$5 and \$6"),
        (r"${$", r"\$\textbraceleft{}\$"),
        (r"a--b", r"a-{}-b"),
    ],
)
def test_formulas_stay_and_commands_do_not(text: str, written: str) -> None:
    assert latex(text) == written


def test_capitals_are_kept_from_styles() -> None:
    entry = bibtex([Citation(title="What BERT and GPT-4 know of DNA: An arXiv survey")])
    assert "title = {What {BERT} and {GPT}-4 know of {DNA}: An {arXiv} survey}" in entry


def test_keys_are_unique_and_the_same_in_every_export() -> None:
    other = Citation(title="Bounds for others", people=("Ada Lovelace",), published=PAPER.published)
    alone, together = citation_key(other), parse_bibliography(bibtex([PAPER, other, other]).encode())
    assert alone.startswith("lovelace2026bounds-")
    keys = [entry["key"] for entry in together["entries"]]
    assert keys[1] == alone
    assert len(set(keys)) == 3
    assert citation_key(Citation(title="日本語")).isascii()


def test_kinds_of_entries() -> None:
    forms = {
        "@article{": PAPER,
        "@inproceedings{": Citation(title="x", identifiers={"venue": "Proceedings of X"}),
        "@misc{": Citation(title="x", identifiers={"arxiv": "2601.00001"}),
    }
    for form, citation in forms.items():
        assert bibtex([citation]).startswith(form)
    news = Citation(title="x", kind="feed", source="The Harbour & Co", url="https://e.org/")
    assert r"howpublished = {The Harbour \& Co}" in bibtex([news])
    assert ris([news]).startswith("TY  - ELEC\n")
    assert ris([forms["@misc{"]]).startswith("TY  - UNPB\n")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Ada Lovelace", ("Ada", "Lovelace", "")),
        ("Ludwig van den Berg", ("Ludwig", "van den Berg", "")),
        ("M. King III", ("M.", "King", "III")),
        ("Plato", ("", "Plato", "")),
        ("Ada L <ada@e.org>", ("Ada", "L", "")),
        ("King, Martin", ("", "King, Martin", "")),
    ],
)
def test_names(name: str, parts: tuple[str, str, str]) -> None:
    assert split_name(name) == parts
