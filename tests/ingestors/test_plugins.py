"""Plug-ins: the example passes the suite and is really installed; broken ones hinder nobody."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import os
import subprocess
import sys
import types
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import datetime
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from loopback import LoopbackServer, Route

from ingestors import plugins, registry
from ingestors.base import Claim, Entry, FetchError, FetchRequest, FetchResult, Ingestor, Tools
from ingestors.http import HttpClient
from ingestors.mail import MboxIngestor
from ingestors.sandbox import ParserPool
from ingestors.testing import ScriptedHttp, check_cancellation, check_claims, check_fetch, check_hostile

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "triage-changelog"
CHANGELOG = b"""# Changelog

## [Unreleased]

- Something.

## [1.2.0] - 2026-02-01

### Added

- Tram tracks on the pier.

## 1.1.0 (2026-01-05)

- Quieter carriages.
"""


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ingestor]:
    """The example plug-in, importable here and in children that start from now on."""
    monkeypatch.syspath_prepend(str(EXAMPLE))
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLE))
    from triage_changelog import ChangelogIngestor

    yield ChangelogIngestor()
    for name in [name for name in sys.modules if name.startswith("triage_changelog")]:
        del sys.modules[name]


@pytest.fixture
async def own_tools() -> AsyncIterator[Tools]:
    """Children that are started by the test itself."""
    async with aclosing(HttpClient(deadline_s=5)) as http, aclosing(ParserPool(cpu_s=1, wall_s=60)) as pool:
        yield Tools(http, pool)


async def test_the_example_passes_the_contract_suite(
    example: Ingestor, own_tools: Tools, server: LoopbackServer
) -> None:
    server.routes["/tram/CHANGELOG.md"] = Route(CHANGELOG)
    target = f"changelog:{server.url('/tram/CHANGELOG.md')}"
    request = FetchRequest(target=target, allow_local=True)
    check_claims(example, [target, "changelog:https://example.org/CHANGELOG.md"])
    entries = await check_fetch(example, request, own_tools)
    assert [(entry.key, entry.title) for entry in entries] == [
        ("1.2.0", "tram 1.2.0"),
        ("1.1.0", "tram 1.1.0"),
    ]
    assert entries[1].text == "- Quieter carriages."
    assert entries[1].published is not None
    assert "if-none-match" in server.log[-1].headers, "what has not changed costs a conditional request"
    await check_hostile(example, replace(request, cursor={"url": "kept"}), own_tools)


SERVICES = ("biorxiv", "crossref", "europepmc", "medrxiv", "openalex", "pubmed", "s2")


@pytest.mark.parametrize(
    "target",
    [
        "https://example.org/feed",
        "arxiv:cs.IR",
        *(pytest.param(f"{service}:bees", marks=pytest.mark.slow) for service in SERVICES),
    ],
)
async def test_built_in_ingestors_pass_it_as_well(target: str, tools: Tools) -> None:
    claim = registry.claim(target)
    assert claim is not None
    ingestor = registry.load()[claim.ingestor]
    request = FetchRequest(target=claim.target, cursor={"kept": 1})
    await check_hostile(ingestor, request, tools)
    await check_cancellation(ingestor, request, tools)


async def test_files_can_be_hostile_too(tools: Tools, tmp_path: Path) -> None:
    box = tmp_path / "box.mbox"
    request = FetchRequest(target=str(box), cursor={"kept": 1})
    await check_hostile(MboxIngestor(), request, tools, box.write_bytes)


class Plug:
    """A plug-in that does what a test tells it."""

    name = "plug"
    kind = "feed"

    def __init__(self, answer: Callable[[FetchRequest], object] = lambda request: FetchResult()) -> None:
        self.answer = answer

    def claim(self, target: str) -> Claim | None:
        return Claim("plug", "feed", target, "Plug") if target.startswith("plug:") else None

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer  # type: ignore[return-value]


def entry(**changes: object) -> FetchResult:
    made = replace(Entry(key="1", title="One", text="first"), **changes)
    return FetchResult(entries=(made,))


def raising(error: BaseException) -> Callable[[FetchRequest], object]:
    def answer(request: FetchRequest) -> object:
        raise error

    return answer


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (raising(KeyError("x")), "failed (KeyError)"),
        (lambda request: None, "returns a FetchResult, not NoneType"),
        (lambda request: FetchResult(entries=("x",)), "of the type Entry, not str"),  # type: ignore[arg-type]
        (lambda request: FetchResult(entries=entry().entries * 2), "keys are unique"),
        (lambda request: FetchResult(cursor={"x": float("nan")}), "wrong shape"),
        (lambda request: FetchResult(cursor={"x": object()}), "wrong shape"),  # type: ignore[dict-item]
        (lambda request: FetchResult(error=FetchError("parse", "x")), "keeps the cursor"),
        (lambda request: entry(key=""), "has a key"),
        (lambda request: entry(title="a\nb"), "one line"),
        (lambda request: entry(text="x" * 200_001), "at most 200000"),
        (lambda request: entry(text=None), "wrong shape"),
        (lambda request: entry(text="\ud800"), "wrong shape"),
        (lambda request: entry(url="javascript:x"), "http(s) URL"),
        (lambda request: entry(people=["Ada"]), "tuples"),
        (lambda request: entry(published=datetime(2026, 1, 1)), "aware datetime"),  # noqa: DTZ001
        (lambda request: entry(flags=frozenset({"odd"})), "flags are among"),
        (lambda request: asyncio.sleep(9), "did not end within 0.05 s"),
    ],
)
async def test_a_broken_promise_is_an_error_of_its_own_source(
    answer: Callable[[FetchRequest], object], said: str, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "LONGEST_S", 0.05)
    request = FetchRequest(target="plug:x", cursor={"kept": 1})
    result = await plugins.Guarded(Plug(answer)).fetch(request, tools)  # type: ignore[arg-type]
    assert result.error is not None
    assert said in result.error.message
    assert (result.entries, result.cursor) == ((), request.cursor)


async def test_a_plug_in_can_be_cancelled(tools: Tools) -> None:
    plug = plugins.Guarded(Plug(lambda request: asyncio.sleep(60)))  # type: ignore[arg-type]
    task = asyncio.ensure_future(plug.fetch(FetchRequest(target="plug:x"), tools))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_the_suite_notices_an_ingestor_that_swallows_its_cancellation(tools: Tools) -> None:
    class Deaf(Plug):
        async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
            with suppress(asyncio.CancelledError):
                await tools.http.get("https://example.org/")
            return FetchResult()

    with pytest.raises(AssertionError, match="passes its cancellation on"):
        await check_cancellation(Deaf(), FetchRequest(target="plug:x"), tools)  # type: ignore[arg-type]


async def test_the_suite_notices_requests_without_end(tools: Tools) -> None:
    class Greedy(Plug):
        async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
            while True:
                await tools.http.get("https://example.org/")

    http = ScriptedHttp(b"")
    with pytest.raises(AssertionError, match="at most 100 requests"):
        await Greedy().fetch(FetchRequest(target="plug:x"), replace(tools, http=http))  # type: ignore[arg-type]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Registers objects as plug-ins, beside the built-in ingestors."""
    found = list(importlib.metadata.entry_points(group=registry.GROUP))
    module = types.ModuleType("a_plugin")
    monkeypatch.setitem(sys.modules, "a_plugin", module)
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: found)

    def add(name: str, made: object = None, value: str = "") -> None:
        attribute = f"made_{len(found)}"
        setattr(module, attribute, made)
        found.append(EntryPoint(name, value or f"a_plugin:{attribute}", registry.GROUP))
        registry.forget()

    yield add
    registry.forget()


def test_a_plug_in_that_cannot_be_loaded_is_named_and_hinders_no_other(install: Callable[..., None]) -> None:
    class Leaves(Plug):
        def __init__(self) -> None:
            raise SystemExit(3)

    class Misnamed(Plug):
        name = "other"

    class Claimant(Plug):
        name = "aaa"

        def claim(self, target: str) -> Claim | None:
            if target == "https://example.org/":
                raise RuntimeError("bug")
            return Claim("feeds", "feed", target, "not mine")

    install("plug", Plug)
    install("missing", value="no_such_module:Thing")
    install("gone", value="a_plugin:NoSuchThing")
    install("leaves", Leaves)
    install("misnamed", Misnamed)
    install("number", lambda: 7)
    install("aaa", Claimant)
    install("feeds", Plug)

    problems = registry.problems()
    assert problems.keys() == {"missing", "gone", "leaves", "misnamed", "number", "feeds"}
    assert "No module named 'no_such_module'" in problems["missing"]
    assert "SystemExit" in problems["leaves"]
    assert "calls itself 'other'" in problems["misnamed"]
    assert "no claim and fetch" in problems["number"]
    assert "several distributions" in problems["feeds"]
    assert set(registry.plugins()) == {"plug", "aaa"}
    claims = {target: registry.claim(target) for target in ("plug:x", "https://example.org/", "arxiv:cs.IR")}
    assert [claim.ingestor for claim in claims.values() if claim] == ["plug", "feeds", "arxiv"]


async def test_the_sources_of_a_broken_plug_in_say_why(install: Callable[..., None], tools: Tools) -> None:
    install("missing", value="no_such_module:Thing")
    request = FetchRequest(target="missing:x", cursor={"kept": 1})
    result = await registry.load()["missing"].fetch(request, tools)
    assert result.cursor == request.cursor
    assert result.error is not None
    assert result.error.message.startswith("the plug-in missing (no_such_module:Thing) cannot be loaded: ")


def test_the_doctor_names_plug_ins(install: Callable[..., None]) -> None:
    from triage.services.upkeep.doctor import _plugins

    install("plug", Plug)
    install("missing", value="no_such_module:Thing")
    checks = [(check.verdict, check.says) for check in _plugins()]
    assert checks[0] == ("ok", "plug")
    assert (checks[1][0], "no_such_module" in checks[1][1]) == ("warning", True)


@pytest.mark.slow
def test_the_example_is_installed_and_its_source_is_read(server: LoopbackServer, tmp_path: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    done = subprocess.run(
        [*pip, "--target", str(tmp_path / "site"), str(EXAMPLE)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    server.routes["/tram/CHANGELOG.md"] = Route(CHANGELOG)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}

    def triage(*arguments: str) -> str:
        command = [sys.executable, "-m", "triage", *arguments]
        run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert run.returncode == 0, run.stderr
        return run.stdout

    triage("add", "--allow-local", f"changelog:{server.url('/tram/CHANGELOG.md')}")
    triage("sync")
    shown = {item["title"] for item in json.loads(triage("list", "--json"))}
    assert shown == {"tram 1.2.0", "tram 1.1.0"}
    assert json.loads(triage("sources", "--json"))[0]["ingestor"] == "changelog"
    assert "changelog" in triage("doctor")
