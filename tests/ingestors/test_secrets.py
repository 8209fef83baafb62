from __future__ import annotations

import asyncio
import sys

import pytest

from ingestors import secrets
from ingestors.secrets import SecretError, secret


async def test_a_secret_is_named_by_variable_or_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", " hidden\n")
    assert await secret({"key_env": "MY_KEY"}, "key") == "hidden"
    assert await secret({"key_command": "printf 'first\\nsecond\\n'"}, "key") == "first"
    assert await secret({"password_env": "MY_KEY"}, "key") is None
    assert await secret({}, "key") is None


async def test_no_shell_reads_the_command() -> None:
    assert await secret({"key_command": "echo $(id) ; echo `id` | cat"}, "key") == "$(id) ; echo `id` | cat"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"key_env": "NOT_THERE"}, "NOT_THERE"),
        ({"key_command": "no-such-program --x"}, "'no-such-program' cannot be run"),
        ({"key_command": "false"}, "'false' failed (exit 1)"),
        ({"key_command": "true"}, "printed nothing"),
        ({"key_command": "echo 'open"}, "quotation mark"),
        ({"key_command": "printf 'a\\033b'"}, "control characters"),
        ({"key_command": "cat /dev/zero"}, "'cat' printed more than 64 KiB"),
    ],
)
async def test_what_is_wrong_is_said_in_words(options: dict[str, str], words: str) -> None:
    with pytest.raises(SecretError) as refused:
        await secret({**options}, "key")
    assert words in refused.value.message


async def test_a_command_that_waits_for_ever_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "COMMAND_S", 0.05)
    with pytest.raises(SecretError, match="took longer"):
        await secret({"key_command": "sleep 60"}, "key")


async def test_what_a_command_has_started_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its open output kept the fetch waiting for as long as it runs."""
    monkeypatch.setattr(secrets, "COMMAND_S", 0.2)
    async with asyncio.timeout(30):
        with pytest.raises(SecretError, match="took longer"):
            await secret({"key_command": "sh -c 'sleep 60; echo late'"}, "key")


async def test_errors_hold_neither_secret_nor_arguments() -> None:
    """PRV-03: the arguments of a command may name the secret's place, its output is the secret."""
    command = f"{sys.executable} -c 'print(\"canary\"); raise SystemExit(3)'"
    with pytest.raises(SecretError) as refused:
        await secret({"key_command": command}, "key")
    assert "canary" not in refused.value.message
