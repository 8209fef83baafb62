"""Starter packs: an answer in the reader's words, and the packs that it means."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from ingestors import registry
from triage.core.packs import MAX_PHRASES, SUGGESTED, Offer, Pack, offers, phrases
from triage.services.fetching.packs import catalogue, named


@pytest.mark.parametrize(
    ("answer", "understood"),
    [
        ("tidal energy, cycling in cities", ("tidal energy", "cycling in cities")),
        ("  Rust;\n  bread and butter. Chess.  ", ("Rust", "bread", "butter", "Chess")),
        ("Sandstone, sandstone", ("Sandstone",)),
        ("", ()),
        (" ,;. -- !", ()),
        ("機械学習, אסטרונומיה", ("機械学習", "אסטרונומיה")),
        (", ".join(f"topic {n}" for n in range(99)), tuple(f"topic {n}" for n in range(MAX_PHRASES))),
    ],
)
def test_an_answer_is_parted_into_phrases(answer: str, understood: tuple[str, ...]) -> None:
    assert phrases(answer) == understood


def best(*said: str) -> list[str]:
    return [offer.pack.name for offer in offers(catalogue(), said) if offer.suggested]


def test_the_packs_that_an_answer_names_come_first() -> None:
    assert best("machine learning", "medieval siege craft") == ["machine-learning", "history"]
    assert best("astronomical photography")[0] == "astronomy"  # another form of a word of its title
    assert best("bicycle") == ["cycling"]
    assert best("my aunt") == []


def test_every_pack_is_offered_once_whatever_was_said() -> None:
    for said in ((), ("python",), ("python", "bread", "law")):
        found = offers(catalogue(), said)
        assert {offer.pack.name for offer in found} == {pack.name for pack in catalogue()}
        assert len(found) == len(catalogue())


def test_meaning_finds_what_words_do_not() -> None:
    near = {pack.name: {"sourdough": 0.4 if pack.name == "cooking" else 0.1} for pack in catalogue()}
    assert offers(catalogue(), ["sourdough"], near)[0] == Offer(named(["cooking"])[0], "sourdough", True)
    assert best("sourdough") == []


def test_no_more_packs_are_suggested_than_a_morning_holds() -> None:
    said = ("python", "bread", "law", "climate", "chess", "medicine", "history")
    assert len(best(*said)) == SUGGESTED


def test_every_source_of_the_catalogue_can_be_read_and_is_public() -> None:
    for pack in catalogue():
        assert 2 <= len(pack.sources) <= 6, pack.name
        assert pack.words, pack.name
        for source in pack.sources:
            claim = registry.claim(source.target)
            assert claim is not None, source.target
            assert claim.target == source.target
            assert source.title, source.target
            assert 0 < len(source.reason) <= 60, source.target
            parts = urlsplit(source.target)
            if parts.scheme in ("http", "https"):
                assert parts.scheme == "https", source.target
                assert parts.hostname is not None
                assert "." in parts.hostname
                assert not parts.hostname.replace(".", "").isdigit()


def test_packs_have_names_of_their_own() -> None:
    names = [pack.name for pack in catalogue()]
    assert len(set(names)) == len(names)
    assert all(isinstance(pack, Pack) for pack in catalogue())
