from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingestors.base import FetchRequest, Tools
from ingestors.bibliography import BibliographyIngestor, read_bibliography
from ingestors.parsers.bibliography import PORTION, parse_bibliography
from ingestors.parsers.latex import latex_to_text
from ingestors.testing import check_claims, check_result
from ingestors.wire import RefusalError

BIB = rb"""Free text before the first entry is a comment.
@string{jml = "Journal of Models"}
@comment{jabref-meta: saved}
@article{poole2026,
  title    = {{B}ounds on $\alpha$-mixing \& {P}ooling of {\'E}tudes at 5% cost},
  author   = {Pool{\'e}, Ada and Stra{\ss}er, Jr., Bo and van der Berg, C. and {The Pooling Group} and
              others},
  journal  = jml, year = 2026, month = mar,
  doi      = {https://doi.org/10.1234/ABC\_1},
  eprint   = {2601.00001v3}, archivePrefix = {arXiv},
  abstract = {We pool
              twice.

              And {\"u}ber again.},
  keywords = {pooling; attention, sums}
}
@misc{open, title = {never closed
@inproceedings{twice, title = "One", author = "Ada L", year = 2020, url = {https://e.org/a_b}}
@inproceedings{twice, title = "Two", author = "Ada L", year = 2021}
"""

RIS = """TY  - JOUR
AU  - Lovelace, Ada
AU  - King, Martin Luther, Jr.
TI  - On engines
T2  - Notes
AB  - First.
Second.
PY  - 2021/03/04/
DO  - 10.1234/ABC
KW  - engines
UR  - https://e.org/1
ER  -

TY  - JOUR
TI  - Nobody ended this one
TY  - JOUR
ID  - third
TI  - Third
"""


def _entries(body: bytes) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = parse_bibliography(body)["entries"]
    return entries


def test_bibtex() -> None:
    first = _entries(BIB)[0]
    assert first["key"] == "poole2026"
    assert first["title"] == "Bounds on α-mixing & Pooling of Études at 5% cost"
    assert first["people"] == ["Ada Poolé", "Bo Straßer Jr.", "C. van der Berg", "The Pooling Group"]
    assert first["text"] == "We pool twice.\n\nAnd über again."
    assert first["tags"] == ["pooling", "attention", "sums"]
    assert first["identifiers"] == {
        "doi": "10.1234/abc_1", "arxiv": "2601.00001", "version": "3", "venue": "Journal of Models",
    }  # fmt: skip
    assert first["published"] == datetime(2026, 3, 1, tzinfo=UTC).timestamp()


def test_one_damaged_entry_hides_no_other() -> None:
    parsed = parse_bibliography(BIB)
    assert [entry["title"] for entry in parsed["entries"]][1:] == ["One", "Two"]
    assert parsed["refusals"] == [
        {"name": "the entry in line 17", "reason": "a brace or a quotation mark is left open"}
    ]


def test_entries_that_share_a_key_are_two() -> None:
    first, one, two = _entries(BIB)
    assert one["key"] == "twice"
    assert len({first["key"], one["key"], two["key"]}) == 3


def test_ris() -> None:
    first, second, third = _entries(RIS.encode())
    assert (first["key"], first["title"]) == ("10.1234/abc", "On engines")
    assert (first["text"], first["tags"]) == ("First. Second.", ["engines"])
    assert first["people"] == ["Ada Lovelace", "Martin Luther King Jr."]
    assert first["published"] == datetime(2021, 3, 4, tzinfo=UTC).timestamp()
    assert (first["url"], first["identifiers"]["doi"]) == ("https://e.org/1", "10.1234/abc")
    assert second["title"] == "Nobody ended this one"
    assert (third["key"], third["title"]) == ("third", "Third")


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"Erd\H{o}s--R{\'e}nyi", "Erdős–Rényi"),
        (r"costs $5, or 50% more", "costs $5, or 50% more"),
        (r"The {\TeX}book and \LaTeX", "The TeXbook and LaTeX"),
        (r"$O(n \log n)$ \emph{sorts} \url{https://e.org/a_b}", "O(n log n) sorts https://e.org/a_b"),
        (r"no LaTeX at all <&>", "no LaTeX at all <&>"),
        (r"\begin{never", r"\beginnever"),
        ("{" * 5_000 + "deep" + "}" * 5_000, "deep"),
    ],
)
def test_latex(latex: str, text: str) -> None:
    assert latex_to_text(latex) == text


@pytest.mark.parametrize("body", [b"", b"@", b"TY - JOUR", b"\0\xff", b"<html>", b"plain words", b"{}"])
def test_what_is_no_bibliography(body: bytes) -> None:
    with pytest.raises(RefusalError):
        parse_bibliography(body)


async def test_a_file_is_read_in_portions_and_again_when_it_changed(tmp_path: Path, tools: Tools) -> None:
    file = tmp_path / "refs.bib"
    many = PORTION + 5
    file.write_text("".join(f"@misc{{k{n}, title = {{Paper {n}}}}}\n" for n in range(many)))
    ingestor = BibliographyIngestor()
    check_claims(ingestor, [str(file)])

    async def fetch(cursor: Any) -> Any:
        request = FetchRequest(target=str(file), cursor=cursor)
        result = await ingestor.fetch(request, tools)
        check_result(request, result)
        return result

    first = await fetch({})
    assert first.more
    second = await fetch(first.cursor)
    assert not second.more
    assert [e.key for e in (*first.entries, *second.entries)] == [f"k{n}" for n in range(many)]
    assert (await fetch(second.cursor)).not_modified
    file.write_text("@misc{other, title = {Other}}")
    assert [e.key for e in (await fetch(second.cursor)).entries] == ["other"]
    assert [e.key for e in (await fetch(first.cursor)).entries] == ["other"], "a half-read file that changed"


async def test_a_bibliography_that_is_no_more(tmp_path: Path, tools: Tools) -> None:
    os.mkfifo(tmp_path / "pipe.bib")
    for name, kind in (("none.bib", "not-found"), ("pipe.bib", "denied")):
        request = FetchRequest(target=str(tmp_path / name))
        result = await BibliographyIngestor().fetch(request, tools)
        check_result(request, result)
        assert result.error is not None
        assert result.error.kind == kind


async def test_all_of_a_bibliography_at_once(tools: Tools) -> None:
    entries, refusals = await read_bibliography(BIB, tools.parsers)
    assert [entry.title for entry in entries][1:] == ["One", "Two"]
    assert len(refusals) == 1
