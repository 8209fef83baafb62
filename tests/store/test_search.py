from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import NOW

from triage.core.errors import UsageError
from triage.core.query import OFFERED, parse
from triage.store import search
from triage.store.engine import Database
from triage.store.search import SearchRow


def find(database: Database, query: str) -> list[int]:
    with database.read() as connection:
        return search.find(connection, parse(query), NOW, 10)


def find_anything(database: Database, query: str) -> None:
    with contextlib.suppress(UsageError):
        find(database, query)


@pytest.fixture
def indexed(database: Database) -> Database:
    rows = [
        SearchRow(1, "Bicycle lanes", "The council voted for more lanes.", ["Mara Lind"], "Courier"),
        SearchRow(2, "Votes", "A bicycle, once, in the text only.", [], "Wire"),
        SearchRow(3, "注意力机制", "注意力是有限的资源。", ["王小明"], "期刊"),
        SearchRow(4, "Café", "Ein Straßencafé in Köln", [], "Netz"),
    ]
    with database.write() as connection:
        search.index(connection, rows)
    return database


def test_a_hit_in_the_title_comes_first(indexed: Database) -> None:
    assert find(indexed, "bicycle") == [1, 2]


def test_every_word_must_occur_and_the_last_may_be_cut_short(indexed: Database) -> None:
    assert find(indexed, "council lan") == [1]
    assert find(indexed, "council missing") == []


def test_people_and_sources_are_found(indexed: Database) -> None:
    assert find(indexed, "Mara") == [1]
    assert find(indexed, "courier") == [1]


@pytest.mark.parametrize("query", ["注意", "注意力", "意力", "王小明"])
def test_chinese_words_of_any_length_are_found(indexed: Database, query: str) -> None:
    assert find(indexed, query) == [3]


def test_accents_do_not_matter(indexed: Database) -> None:
    assert find(indexed, "cafe koln") == [4]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from([*OFFERED, *'-"* a注\0', "7d", "OR", "NEAR("])).map("".join)
)
def test_no_query_is_a_syntax_error(indexed: Database, query: str) -> None:
    find_anything(indexed, query)


@pytest.mark.parametrize("query", ['"', "NEAR(", "title:x OR", "*", "a AND", "-b", "^"])
def test_the_syntax_of_the_index_means_nothing(indexed: Database, query: str) -> None:
    find_anything(indexed, query)


def test_indexing_again_replaces(indexed: Database) -> None:
    with indexed.write() as connection:
        search.index(connection, [SearchRow(1, "Trams", "", [], "Courier")])
    assert find(indexed, "bicycle") == [2]
    assert find(indexed, "trams") == [1]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("हिन्दी में खोज", "हिन्दी"),
        ("השָׁלוֹם", "השלום"),
        ("السَّلَامُ عَلَيْكُم", "السلام"),
        ("ＡＩ　ﾓﾃﾞﾙ", "AI モデル"),
        ("한국어 검색", "한국"),
        ("ภาษาไทย", "ไทย"),
        ("Die STRASSE", "straße"),
        ("Tiếng Việt đẹp, Łódź", "tieng dep lodz"),
        ("Release day 🎉!", "🎉"),
        ("C++23 and O'Reilly", "o'reilly"),
        ("A/B-testing", "a/b-testing"),
    ],
)
def test_scripts_are_found_as_people_type_them(database: Database, text: str, query: str) -> None:
    with database.write() as connection:
        search.index(connection, [SearchRow(1, text, "", [], ""), SearchRow(2, "Other", text[::-1], [], "")])
    assert find(database, query)[0] == 1


def test_characters_of_a_word_must_stand_side_by_side(indexed: Database) -> None:
    assert find(indexed, "注机") == []


def test_no_phrase_reaches_from_one_name_into_the_next(database: Database) -> None:
    with database.write() as connection:
        search.index(connection, [SearchRow(1, "", "", ["Ann Lee", "Roy Orr"], "", ["machine", "learning"])])
    assert find(database, "Lee-Roy") == []
    assert find(database, "machine-learning") == []
    assert find(database, "Roy-Orr") == [1]


def test_the_index_keeps_no_copy_of_the_texts(indexed: Database) -> None:
    with indexed.read() as connection:
        assert connection.exec_driver_sql("SELECT title FROM item_search WHERE rowid = 1").scalar() is None
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
    assert "item_search_content" not in tables
