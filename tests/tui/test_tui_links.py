"""Links: only http and https, one argument, no shell."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from conftest import press, until
from fake_backend import FakeBackend

from triage.core.errors import TriageError
from triage.tui.links import browser_argv, checked_url, open_link


def browser(folder: Path, body: str) -> dict[str, str]:
    """An environment whose browser is a script; it writes its arguments to a file."""
    script = folder / "browser"
    script.write_text(f"#!{sys.executable}\nimport sys, pathlib\n{body}\n")
    script.chmod(0o700)
    return {"BROWSER": str(script), "PATH": os.defpath}


LOG = """
log = pathlib.Path(__file__ + ".part")
log.write_text("\\n".join(sys.argv[1:]))
log.rename(__file__ + ".log")
"""


@pytest.mark.parametrize(
    "url",
    [
        "--help", "-x", "javascript:alert(1)", "file:///etc/passwd", "x-scheme:y", "mailto:a@b", "", "http://",
        "https:// example.org", "http://a b/", "http://example.org/\nnext", "http://example.org/\x1b[2J",
        "http://[bad", "http://example.org:99999/", "//example.org", "http://-\x00/",
        "https://example.org/" + "a" * 65536,
        "http://exa$(id)mple.org/",
    ],
)  # fmt: skip
def test_refused(url):
    """TUI-04."""
    with pytest.raises(TriageError) as caught:
        checked_url(url)
    assert caught.value.fix


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("https://example.org/a?b=c&d=%20#e", "https://example.org/a?b=c&d=%20#e"),
        ("http://example.org/$(id)`id`'\"|", "http://example.org/%24%28id%29%60id%60%27%22%7C"),
        ("HTTP://EXAMPLE.org", "http://example.org"),
        ("https://bank.example@evil.example/", "https://evil.example/"),
        ("https://münchen.example/straße", "https://xn--mnchen-3ya.example/stra%C3%9Fe"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_allowed(url, opened):
    assert checked_url(url) == opened


def test_the_browser_of_the_environment_gets_one_argument(tmp_path):
    """TUI-04."""
    environ = browser(tmp_path, LOG)
    open_link("https://example.org/$(touch x)".replace(" ", "+"), environ)
    assert (tmp_path / "browser.log").read_text() == "https://example.org/%24%28touch+x%29"


def test_browser_templates_and_fallbacks(tmp_path):
    environ = browser(tmp_path, LOG)
    script = environ["BROWSER"]
    url = "https://example.org/"
    assert browser_argv(url, {**environ, "BROWSER": f"{script} --new=%s"}) == [script, f"--new={url}"]
    assert browser_argv(url, {**environ, "BROWSER": f"/nowhere/x:'unbalanced:{script}"}) == [script, url]
    (tmp_path / "xdg-open").symlink_to(script)
    plain = {"PATH": str(tmp_path)}
    assert browser_argv(url, plain, "linux") == [str(tmp_path / "xdg-open"), url]
    with pytest.raises(TriageError, match="no open"):
        browser_argv(url, plain, "darwin")


def test_an_opener_that_fails_is_reported(tmp_path):
    with pytest.raises(TriageError, match="exit status 3"):
        open_link("https://example.org/", browser(tmp_path, "sys.exit(3)"))


async def test_the_key(open_app, tmp_path, monkeypatch):
    for name, value in browser(tmp_path, LOG).items():
        monkeypatch.setenv(name, value)
    async with open_app(FakeBackend(), size=(80, 24)) as pilot:
        await press(pilot, "j", "j", "j", "o")
        await until(pilot, lambda: pilot.app.base.status_bar.message.startswith("Opened"))
        assert (tmp_path / "browser.log").read_text() == "https://example.org/4?ref=digest"
