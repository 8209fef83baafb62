"""One HTTP request on the wire: the address is checked where it is dialled, sizes and time are capped.

Owns everything that depends on the HTTP library. Redirects, pacing and the meaning of a status are
in `ingestors.http`.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import httpcore2
import httpx2

from ingestors.addresses import address_problem
from ingestors.http import HttpError

_CONNECT_S = 15.0
_IDLE_S = 30.0
_KEEPALIVE_S = 15.0


@dataclass(frozen=True, slots=True)
class Hop:
    """The answer to one request."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; repeated headers are joined by a comma."""
    body: bytes


class BlockedAddress(httpcore2.ConnectError):
    """A host name led to an address that must not be dialled."""


class Transport:
    """Two connection pools: one that reaches public addresses only, and one that reaches local ones too.

    They are apart because a kept-alive connection is reused without being dialled: what one source
    may reach must not be lent to another. HTTP/1.1 only: with two connections to a host HTTP/2 gains
    nothing. Proxy settings of the environment are not used, because a proxy would do the dialling, and
    the address check would see the proxy's address instead of the host's.
    """

    def __init__(self) -> None:
        context = httpx2.create_ssl_context()
        self._public = _GuardedTransport(context, allow_local=False)
        self._local = _GuardedTransport(context, allow_local=True)

    async def get(
        self, url: str, headers: Mapping[str, str], *, allow_local: bool, max_body: int, timeout_s: float
    ) -> Hop:
        """Sends one GET and reads its answer to the end.

        Raises:
            HttpError: Nothing was read, or only a part.
        """
        transport = self._local if allow_local else self._public
        try:
            request = _request(url, headers)
        except (httpx2.InvalidURL, UnicodeError):
            raise HttpError("usage", "that is not a URL that can be fetched") from None
        host = request.url.host
        try:
            async with asyncio.timeout(timeout_s):
                response = await transport.handle_async_request(request)
                response.request = request
                try:
                    return await _read(response, max_body)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx2.TimeoutException):
            raise HttpError("timeout", f"{host} did not answer in time") from None
        except httpx2.ConnectError as error:
            raise _connect_error(host, error) from None
        except httpx2.DecodingError:
            raise HttpError("network", f"the answer of {host} is packed in a damaged way") from None
        except httpx2.ProtocolError:
            raise HttpError("network", f"{host} broke off, or does not speak HTTP") from None
        except httpx2.TransportError:
            raise HttpError("network", f"the connection to {host} was lost") from None

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._public.aclose()
        await self._local.aclose()


class _GuardedTransport(httpx2.AsyncHTTPTransport):
    """The library's transport with our own dialling; it offers no argument for that."""

    def __init__(self, context: ssl.SSLContext, *, allow_local: bool) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=64,
            max_keepalive_connections=16,
            keepalive_expiry=_KEEPALIVE_S,
            network_backend=_GuardedBackend(allow_local=allow_local),
        )


class _GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves a name, checks what it leads to and dials exactly what was checked.

    Checking the name first and letting the library resolve it again would be open to a name server
    that answers differently the second time.
    """

    def __init__(self, *, allow_local: bool) -> None:
        self._allow_local = allow_local
        self._dialler = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is the library's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError("there is no host of that name") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        problems = {a: address_problem(a, allow_local=self._allow_local) for a in addresses}
        failure: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        for address in addresses:
            if problems[address] is not None:
                continue
            try:
                return await self._dialler.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        if failure is not None:
            raise failure
        raise BlockedAddress(f"{addresses[0]} is {problems[addresses[0]]}" if addresses else "no address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _CappedStream(httpx2.AsyncByteStream):
    """Counts what comes over the wire: a packed stream can run for ever and unpack to nothing."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._left = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            self._left -= len(chunk)
            if self._left < 0:
                raise _too_large()
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


def _request(url: str, headers: Mapping[str, str]) -> httpx2.Request:
    request = httpx2.Request(
        "GET",
        url,
        headers={"Accept-Encoding": "gzip, deflate, br, zstd", **headers},
        extensions={
            "timeout": {"connect": _CONNECT_S, "read": _IDLE_S, "write": _IDLE_S, "pool": _IDLE_S},
        },
    )
    if request.url.userinfo and "Authorization" not in request.headers:
        user, _, password = request.url.userinfo.partition(b":")
        pair = f"{unquote(user.decode())}:{unquote(password.decode())}"
        request.headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return request


async def _read(response: httpx2.Response, max_body: int) -> Hop:
    stream = response.stream
    assert isinstance(stream, httpx2.AsyncByteStream)
    response.stream = _CappedStream(stream, max_body)
    body = bytearray()
    # The library unpacks in pieces of a megabyte at most, so a bomb ends here and not in memory.
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > max_body:
            raise _too_large()
    return Hop(response.status_code, {name.lower(): v for name, v in response.headers.items()}, bytes(body))


def _too_large() -> HttpError:
    return HttpError("too-large", "the document is larger than documents may be")


def _connect_error(host: str, error: BaseException) -> HttpError:
    for cause in _causes(error):
        if isinstance(cause, BlockedAddress):
            fix = "; add the source with --allow-local if that is meant" if "private" in str(cause) else ""
            return HttpError("blocked", f"{host} was not contacted: {cause}{fix}")
        if isinstance(cause, ssl.SSLCertVerificationError):
            return HttpError("network", f"the certificate of {host} is not valid: {cause.verify_message}")
        if isinstance(cause, (socket.gaierror, UnicodeError)):
            return HttpError("network", f"there is no host named {host}")
    return HttpError("network", f"cannot connect to {host}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
