from __future__ import annotations

import pytest

from triage.core.identity import Names, canonical_url, conflict, digest, family_name, names, unambiguous


def of(**changes: object) -> Names:
    document: dict[str, object] = {
        "kind": "feed",
        "key": "k",
        "url": "https://blog.example/posts/1",
        "title": "A walk along the river",
        "text": "Herons stand in the shallow water. " * 5,
        "content": "c",
        "people": [],
        "identifiers": {},
    }
    return names(**(document | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        "http://www.blog.example/posts/1/",
        "https://blog.example/posts/1#comments",
        "https://blog.example:443/posts/1?utm_source=rss&utm_medium=feed",
        "https://BLOG.example/posts/1?fbclid=x",
    ],
)
def test_addresses_of_one_page_are_one(url: str) -> None:
    """IDN-04."""
    assert canonical_url(url) == canonical_url("https://blog.example/posts/1")


@pytest.mark.parametrize(
    "url",
    [
        "https://blog.example/posts/2",
        "https://blog.example:8080/posts/1",
        "https://blog.example/posts/1?id=2",
        "https://other.example/posts/1",
    ],
)
def test_addresses_of_different_pages_differ(url: str) -> None:
    assert canonical_url(url) != canonical_url("https://blog.example/posts/1")


@pytest.mark.parametrize("page", ["", "/", "/a//", "/a;b=1/@c:d/", "/%7Ea/b.html", "/[1]/"])
@pytest.mark.parametrize("host", ["blog.example", "www.blog.example", "www.www.example", "10.0.0.1"])
def test_an_address_is_the_same_with_and_without_a_fragment(host: str, page: str) -> None:
    assert canonical_url(f"https://{host}{page}") == canonical_url(f"https://{host}{page}#part")


def test_the_order_of_parameters_means_nothing() -> None:
    assert canonical_url("https://a.example/?b=1&a=2") == canonical_url("https://a.example/?a=2&b=1")


def test_an_address_that_is_none_stays_as_it_is() -> None:
    assert canonical_url("https://[::1") == "https://[::1"


def test_a_document_is_named_by_its_key_its_link_with_its_title_and_its_content() -> None:
    assert of().own == (
        digest("key", "k"),
        digest("link", "blog.example/posts/1", "a walk along the river"),
        digest("content", "c"),
    )


def test_neither_the_front_page_nor_a_few_words_name_a_document() -> None:
    assert of(url="https://blog.example/", text="See the notes.").own == (digest("key", "k"),)


def test_a_paper_has_the_same_names_in_all_sources() -> None:
    one = of(
        kind="paper", title="On the Flight of Herons", people=["Ada Lovelace"], identifiers={"doi": "10.1/x"}
    )
    other = of(kind="paper", key="9", title="On the flight of herons.", people=["Lovelace, A."], url=None)
    assert digest("doi", "10.1/x") in one.shared
    assert set(other.shared) < set(one.shared)


def test_editorials_of_one_author_are_not_one_work() -> None:
    assert of(kind="paper", title="Editorial", people=["Ada Lovelace"]).shared == ()


def test_a_borrowed_message_id_names_no_other_mail() -> None:
    mail = {"kind": "mail", "identifiers": {"message-id": "a@b"}}
    assert of(**mail).shared == of(**mail, key="other").shared != ()
    assert of(**mail).shared != of(**mail, content="another").shared


def test_what_two_documents_share_at_one_time_names_neither() -> None:
    latest = {"url": "https://radio.example/latest", "title": "Latest", "text": ""}
    plain = unambiguous([of(key="1", **latest), of(key="2", **latest)])
    assert [each.own for each in plain] == [(digest("key", "1"),), (digest("key", "2"),)]


@pytest.mark.parametrize(
    ("one", "other", "disagree"),
    [
        ({"doi": "10.1/a"}, {"doi": "10.1/a"}, False),
        ({"doi": "10.1/a"}, {"pmid": "7"}, False),
        ({"doi": "10.1/a"}, {"doi": "10.1/b"}, True),
        ({"doi": "10.1101/a"}, {"doi": "10.1/b"}, False),
        ({"arxiv": "2401.1"}, {"arxiv": "2401.2"}, True),
    ],
)
def test_identifiers_may_say_that_two_papers_are_not_one(
    one: dict[str, str], other: dict[str, str], disagree: bool
) -> None:
    assert conflict(one, other) is conflict(other, one) is disagree


@pytest.mark.parametrize(
    "person", ["Ada Lovelace", "Lovelace, Ada", "A. K. Lovelace", "ADA LOVELACE <a@b.example>"]
)
def test_a_family_name_is_found_in_every_form(person: str) -> None:
    assert family_name(person) == "lovelace"


def test_a_person_without_a_name_has_no_family_name() -> None:
    assert family_name("") == family_name("…") == ""
