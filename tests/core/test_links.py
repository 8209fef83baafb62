"""The links of a text get their numbers in its order, behind the words that lead somewhere."""

from __future__ import annotations

import pytest

from triage.core.links import Link, host, links, numbered

TEXT = "The harbour opens. Read the plan, or the plan again: https://a.example/x_(y)."


def test_links_are_numbered_in_the_order_of_the_text_and_each_address_once() -> None:
    stored = [("plan", "https://p.example/"), ("plan", "https://p.example/"), ("gone", "https://g.example/")]
    found = links(TEXT, stored)
    assert [link.url for link in found] == [
        "https://p.example/",
        "https://a.example/x_(y)",
        "https://g.example/",
    ]
    assert TEXT[: found[0].end].endswith("Read the plan")
    assert found[2].end is None


def test_words_are_found_as_words_and_not_inside_of_others() -> None:
    (link,) = links("Thermal or not: her mal.", [("her", "https://h.example/")])
    assert link.end == len("Thermal or not: her")


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("(see https://a.example/b).", "https://a.example/b"),
        ("https://en.example/wiki/Tar_(tape),", "https://en.example/wiki/Tar_(tape)"),
        ("<https://a.example/b?c=d>", "https://a.example/b?c=d"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_an_address_ends_before_the_punctuation_of_its_sentence(written: str, url: str) -> None:
    assert [link.url for link in links(written)] == [url]


def test_numbers_stand_in_the_part_of_the_text_where_their_words_are() -> None:
    found = (Link("a", "https://a.example", 5), Link("b", "https://b.example", 12), Link("c", "u", None))
    assert numbered("0123456789", found) == [(5, "[1]")]
    assert numbered("0123456789", found, begin=10) == [(2, "[2]")]


def test_whose_address_it_is() -> None:
    assert host("https://www.example.org/a") == "example.org"
    assert host("http://[::1") == ""
