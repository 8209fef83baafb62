"""Mail on an IMAP server, read and never changed.

Owns targets and settings. What is fetched, and how far it has come, is `ingestors.imap_reading`, which is
imported when it is needed.

Targets: `imaps://USER@HOST[:PORT]/FOLDER` (TLS from the first byte), or `imap://...`, where STARTTLS is
required unless the server is local and the source may reach local addresses. FOLDER is INBOX if it is
left out.

Options of the source:

- `password_command` or `password_env`: where the password is found (`ingestors.secrets`). A command serves
  any password manager: `pass show mail`, or `keyring get SERVICE USER` for the keyring of the system;
- `token_command` or `token_env` instead: where an OAuth 2 access token is found, for providers that take no
  passwords (`oama access ada@example.org`, `pizauth show ada`);
- `folders`: a list of folder names to read, in place of the one in the target;
- `days`: how many days back the first fetch goes; everything if unset;
- `sent`: the folder of sent mail, read for the ids of the reader's own mails only; the one that the server
  marks as such if unset, none if empty;
- `addresses`: the reader's own, besides the login name.

An error of the kind `denied` means that the server refused the password: who asks again and again gets
the account locked, so the caller gives up after a few and asks the reader.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingestors.base import Claim, FetchError, FetchRequest, FetchResult, Kind
from ingestors.imap_account import Account, Secret
from ingestors.mime import own_addresses, parse_mails
from ingestors.secrets import SecretError, secret

if TYPE_CHECKING:
    from ingestors.base import Tools
    from ingestors.imap_reading import Trial, Watching

NO_VALIDITY_INTERVAL_S = 6 * 3600.0
"""Where UIDs mean nothing, every poll looks at all mails."""

_NO_ACCOUNT = FetchError("usage", "that is no mailbox; write imaps://USER@HOST/FOLDER")


class ImapIngestor:
    """Reads one account per source, by default its INBOX."""

    name = "imap"
    kind: Kind = "mail"

    def claim(self, target: str) -> Claim | None:
        """`imaps://USER@HOST/FOLDER`; a password in it is left out."""
        account = Account.of(target)
        if account is None:
            return None
        return Claim(self.name, self.kind, account.target, f"{account.folder} of {account.user}")

    async def fetch(self, request: FetchRequest, tools: Tools) -> FetchResult:
        """Reads what is new since the cursor, and a portion of what was there before."""
        from ingestors.imap_reading import Reading

        account = Account.of(request.target)
        if account is None:
            return FetchResult(cursor=request.cursor, error=_NO_ACCOUNT)
        try:
            reading = Reading(request, account, await _secret(request, account))
        except SecretError as problem:
            return FetchResult(cursor=request.cursor, error=FetchError("usage", problem.message))
        tools.http.asked[account.host] += 1
        error = await _in_thread(reading.run, reading.stop)
        if error is not None:
            return FetchResult(cursor=request.cursor, error=error)
        addresses = own_addresses(request.options, account.user)
        parsed = await parse_mails(reading.raw, reading.where, tools.parsers, addresses)
        entries = parsed.finish(reading.own)
        refusals = (*reading.refusals, *parsed.refusals)
        return FetchResult(
            entries=entries,
            refusals=refusals,
            cursor=reading.cursor(),
            not_modified=not entries and not refusals,
            interval_s=NO_VALIDITY_INTERVAL_S if reading.lacks_validity else None,
            more=reading.more,
        )

    async def login(self, request: FetchRequest) -> FetchError | None:
        """Logs in and opens every folder for reading (EXAMINE); fetches nothing.

        Returns:
            None if all of that works.
        """
        from ingestors.imap_reading import Trial

        return await _through(request, Trial)

    async def watch(self, request: FetchRequest) -> FetchError | None:
        """Waits until there is something to fetch since `request.cursor`: a new mail in the first folder.

        Returns:
            None as soon as there is; an error if nobody can tell. Cancelling it ends the connection.
        """
        from ingestors.imap_reading import Watching

        return await _through(request, Watching)


async def _through(
    request: FetchRequest, visit: Callable[[FetchRequest, Account, Secret], Trial | Watching]
) -> FetchError | None:
    """Makes a visit that brings nothing to its end; an error if it cannot be made."""
    account = Account.of(request.target)
    if account is None:
        return _NO_ACCOUNT
    try:
        made = visit(request, account, await _secret(request, account))
    except SecretError as problem:
        return FetchError("usage", problem.message)
    return await _in_thread(made.run, made.stop)


async def _secret(request: FetchRequest, account: Account) -> Secret:
    """The token or password that the options refer to.

    Raises:
        SecretError: They refer to none, or there is nothing where they say.
    """
    if (token := await secret(request.options, "token")) is not None:
        return Secret(token, is_token=True)
    if (password := await secret(request.options, "password")) is not None:
        return Secret(password)
    raise SecretError(
        f"no password is set for {account.name}; set password_command to a command that prints it, "
        "or password_env, or token_command"
    )


async def _in_thread(work: Callable[[], FetchError | None], stop: Callable[[], None]) -> FetchError | None:
    """Runs blocking work in a thread of its own; when cancelled, `stop` makes it end.

    Not in the shared pool of threads, which has six on two cores and writes to the database too: as many
    slow servers would stop the program.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[FetchError | None] = loop.create_future()

    def settle(result: FetchError | None, failure: BaseException | None) -> None:
        if done.cancelled():
            return
        if failure is not None:
            done.set_exception(failure)
        else:
            done.set_result(result)

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  it is raised again, in the loop
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="imap", daemon=True).start()
    try:
        return await done
    except asyncio.CancelledError:
        stop()
        raise
