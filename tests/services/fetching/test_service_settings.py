from __future__ import annotations

from pathlib import Path

import pytest

from triage import config
from triage.core.errors import UsageError
from triage.services.fetching.ingest import request_options


def _load(tmp_path: Path, text: str, **environ: str) -> config.Config:
    file = tmp_path / "config.toml"
    file.write_text(text, encoding="utf-8")
    return config.load(file, environ)


def test_a_service_is_moved_and_its_key_named(tmp_path: Path) -> None:
    settings = _load(
        tmp_path,
        '[sources]\ncontact = "me@e.org"\n[services.openalex]\nurl = "http://a/"\nkey_env = "K"\n',
        TRIAGE_OPENALEX_URL="http://b/",
        TRIAGE_SEMANTIC_SCHOLAR_URL="http://c/",
    )
    options = request_options("openalex", {"full_text": "never"}, settings)
    assert options["base_url"] == "http://b/", "the environment goes before the file"
    assert (options["key_env"], options["full_text"], options["contact"]) == ("K", "never", "me@e.org")
    assert request_options("semanticscholar", {}, settings)["base_url"] == "http://c/"
    assert request_options("doi", {}, settings)["services"]["openalex"]["base_url"] == "http://b/"


def test_nothing_is_told_where_nothing_is_set(tmp_path: Path) -> None:
    assert request_options("arxiv", {}, _load(tmp_path, "")) == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[services.openalx]\nurl = 'x'", "did you mean openalex?"),
        ("[services.openalex]\nkey = 'secret'", "unknown setting services.openalex.key"),
        ("[services]\nopenalex = 1", "services"),
        ("services = 1", "services"),
        ("[services.openalex]\nurl = 1", "url"),
    ],
)
def test_a_table_that_nobody_reads_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        _load(tmp_path, text)
    assert words in str(refused.value)
