"""One HTTP request on the wire: the address is checked where it is dialled, sizes and time are capped.

Owns everything that depends on the HTTP library. Redirects, pacing and the meaning of a status are
in `ingestors.http`.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

from ingestors.addresses import address_problem, spelled_address
from ingestors.http import HttpError

_CONNECT_S = 15.0
_NEXT_ADDRESS_S = 5.0
"""For each address of a host but the last: where IPv6 leads nowhere, IPv4 is tried before the deadline."""
_IDLE_S = 30.0
_KEEPALIVE_S = 15.0
_MAX_FRAMING = 512 * 2**10
"""Bytes of an answer beside its body: its head, other heads before it, the marks of its chunks. Ten megabytes
in chunks of one byte would keep the event loop, and so all other sources, busy for a minute."""
_SINGLE = frozenset({"etag", "last-modified", "location", "retry-after", "date", "expires", "content-type"})
"""Headers that are no lists: where a server sends one twice, the first counts."""


@dataclass(frozen=True, slots=True)
class Hop:
    """The answer to one request."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case, values byte for byte as Latin-1; repeated headers are joined by a comma."""
    body: bytes


class BlockedAddress(httpcore2.ConnectError):
    """A host name led to an address that must not be dialled."""


class Transport:
    """Two connection pools, one that reaches public addresses only and one that reaches local ones too.

    They are apart because a kept-alive connection is reused without being dialled: what one source
    may reach must not be lent to another. HTTP/1.1 only: with two connections to a host HTTP/2 gains
    nothing.

    Where the environment names a proxy (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY), there is a pool for
    it. The proxy then does the dialling, so what can be checked is what the URL itself says: numeric
    addresses and names of this machine. The proxy's own address was chosen by the reader and may be any.
    """

    def __init__(self) -> None:
        self._context = httpx2.create_ssl_context()
        self._public = _GuardedTransport(self._context, allow_local=False)
        self._local = _GuardedTransport(self._context, allow_local=True)
        self._proxies = _Proxies()
        self._proxied: dict[str, httpx2.AsyncHTTPTransport] = {}

    async def get(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        allow_local: bool,
        max_body: int,
        timeout_s: float,
        content: bytes | None = None,
    ) -> Hop:
        """Sends one GET, or a POST of `content`, and reads its answer to the end.

        Args:
            url: Without userinfo.
            headers: Characters of Latin-1; sent byte for byte.
            allow_local: Whether loopback and private addresses may be reached.
            max_body: Most bytes, unpacked as well as on the wire.
            timeout_s: For all of it.
            content: What to send, if anything.

        Raises:
            HttpError: Nothing was read, or only a part.
        """
        try:
            request = _request(url, headers, content)
        except (httpx2.InvalidURL, UnicodeError):
            raise HttpError("usage", "that is not a URL that can be fetched") from None
        host = request.url.host
        proxy = self._proxies.of(request.url)
        _exchange.set(_Exchange())
        through = self._through(proxy, host, allow_local) if proxy else None
        try:
            async with asyncio.timeout(timeout_s):
                if through is not None:
                    response = await through.handle_async_request(request)
                else:
                    response = await _answered(self._local if allow_local else self._public, request)
                response.request = request
                try:
                    return await _read(response, max_body)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx2.TimeoutException):
            raise HttpError("timeout", f"{host} did not answer in time") from None
        except httpx2.ConnectError as error:
            raise _connect_error(host, error, proxy) from None
        except httpx2.ProxyError as error:
            raise HttpError("network", f"{_place(proxy)} does not connect to {host}: {error}") from None
        except httpx2.DecodingError:
            raise HttpError("network", f"the answer of {host} is packed in a damaged way") from None
        except httpx2.ProtocolError:
            raise HttpError("network", f"{host} broke off, or does not speak HTTP") from None
        except httpx2.TransportError:
            raise HttpError("network", f"the connection to {host} was lost") from None

    def _through(self, proxy: str, host: str, allow_local: bool) -> httpx2.AsyncHTTPTransport:
        """The pool of a proxy.

        Raises:
            HttpError: The host is not to be reached that way, or the proxy is of a kind that is not spoken.
        """
        address = spelled_address(host)
        problem = address and address_problem(address, allow_local=allow_local)
        if problem:
            raise _blocked(host, f"{address} is {problem}")
        if proxy not in self._proxied:
            try:
                self._proxied[proxy] = httpx2.AsyncHTTPTransport(
                    verify=self._context, trust_env=False, proxy=httpx2.Proxy(proxy)
                )
            except (ValueError, ImportError, httpx2.InvalidURL):
                raise HttpError(
                    "usage", f"{_place(proxy)} cannot be used; HTTP and HTTPS proxies can: http://host:port"
                ) from None
        return self._proxied[proxy]

    async def aclose(self) -> None:
        """Closes all connections."""
        for transport in (self._public, self._local, *self._proxied.values()):
            await transport.aclose()


@dataclass(slots=True)
class _Exchange:
    """One request and its answer, as their connection sees them."""

    dialled: bool = False
    """Whether a connection was made for it."""
    framing: int = 0
    """Bytes that were read and are not of the body; what was read ahead of it counts for a moment."""


_exchange: ContextVar[_Exchange] = ContextVar("exchange")
"""The one under way in this task."""


class _Proxies:
    """The proxy settings of the environment, as they were at the start."""

    def __init__(self) -> None:
        self._by_scheme: dict[str, str] = {}
        if any(name.lower().endswith("_proxy") for name in os.environ):
            from urllib.request import getproxies_environment

            self._by_scheme = getproxies_environment()

    def of(self, url: httpx2.URL) -> str | None:
        """The proxy for a URL, if there is one."""
        proxy = self._by_scheme.get(url.scheme) or self._by_scheme.get("all")
        if not proxy:
            return None
        from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

        if proxy_bypass_environment(url.netloc.decode("ascii"), self._by_scheme):
            return None
        return proxy if "://" in proxy else f"http://{proxy}"


class _GuardedTransport(httpx2.AsyncHTTPTransport):
    """The library's transport with our own dialling; it offers no argument for that."""

    def __init__(self, context: ssl.SSLContext, *, allow_local: bool) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            # More than can hang at once: sixteen every three seconds, for a minute each.
            max_connections=384,
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
            found = await _resolved(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError("there is no host of that name") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        problems = {a: address_problem(a, allow_local=self._allow_local) for a in addresses}
        failure: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        permitted = [address for address in addresses if problems[address] is None]
        _exchange.get().dialled = True
        for address in permitted:
            patience = timeout if address == permitted[-1] else _NEXT_ADDRESS_S
            try:
                stream = await self._dialler.connect_tcp(
                    address, port, patience, local_address, socket_options
                )
                return _Stream(stream)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        if failure is not None:
            raise failure
        raise BlockedAddress(f"{addresses[0]} is {problems[addresses[0]]}" if addresses else "no address")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolved(host: str, port: int) -> list[Any]:
    """As `socket.getaddrinfo`, in a thread of its own.

    A name server that hangs holds the thread for half a minute, whoever waits. The loop's pool has a handful:
    six such names would hold up every write to the database, and the end of the process, which waits for it.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Any]] = loop.create_future()

    def tell(set_it: Callable[[Any], None], it: object) -> None:
        if not answer.done():
            set_it(it)

    def look() -> None:
        try:
            told = (answer.set_result, socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            told = (answer.set_exception, error)  # type: ignore[assignment]
        with contextlib.suppress(RuntimeError):  # nobody is there any more
            loop.call_soon_threadsafe(tell, *told)

    threading.Thread(target=look, daemon=True, name=f"looks up {host}").start()
    return await answer


class _Stream(httpcore2.AsyncNetworkStream):
    """The library's stream, closed also when a deadline ends its TLS handshake: it forgets that."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._socket: Any = stream.get_extra_info("socket")

    async def read(
        self,
        max_bytes: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signatures are the library's
    ) -> bytes:
        data = await self._stream.read(max_bytes, timeout)
        exchange = _exchange.get()
        exchange.framing += len(data)
        if exchange.framing > _MAX_FRAMING:
            raise httpcore2.RemoteProtocolError("more framing than any document needs")
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        try:
            return _Stream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except asyncio.CancelledError:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401
        if info != "is_readable" or self._socket is None:
            return self._stream.get_extra_info(info)
        # Asked of every idle connection at every request, for which the library looks up its socket anew:
        # a quarter of a round in which nothing has changed.
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return True
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return bool(poll.poll(0))


class _CappedStream(httpx2.AsyncByteStream):
    """Counts what comes over the wire: a packed stream can run for ever and unpack to nothing."""

    def __init__(self, stream: httpx2.AsyncByteStream, limit: int) -> None:
        self._stream = stream
        self._left = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream:
            _exchange.get().framing -= len(chunk)
            self._left -= len(chunk)
            if self._left < 0:
                raise _too_large()
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _answered(transport: _GuardedTransport, request: httpx2.Request) -> httpx2.Response:
    """The answer to a request, on a new connection if the server closes an idle one in this very moment."""
    try:
        return await transport.handle_async_request(request)
    except (httpx2.RemoteProtocolError, httpx2.ReadError, httpx2.WriteError):
        # On a connection of its own the server has heard the request and does not like it.
        if _exchange.get().dialled or request.method != "GET":
            raise
        return await transport.handle_async_request(request)


def _request(url: str, headers: Mapping[str, str], content: bytes | None = None) -> httpx2.Request:
    encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    return httpx2.Request(
        "GET" if content is None else "POST",
        url,
        content=content,
        headers=[(b"Accept-Encoding", b"gzip, deflate, br, zstd"), *encoded],
        extensions={
            "timeout": {"connect": _CONNECT_S, "read": _IDLE_S, "write": _IDLE_S, "pool": _IDLE_S},
        },
    )


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
    return Hop(response.status_code, _headers(response.headers.raw), bytes(body))


def _headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """As Latin-1, in which every byte is a character: what is sent back later is what came."""
    headers: dict[str, str] = {}
    for key, value in raw:
        name, text = key.decode("latin-1").lower(), value.decode("latin-1")
        if name not in headers:
            headers[name] = text
        elif name not in _SINGLE:
            headers[name] += f", {text}"
    return headers


def _too_large() -> HttpError:
    return HttpError("too-large", "the document is larger than documents may be")


def _connect_error(host: str, error: BaseException, proxy: str | None) -> HttpError:
    for cause in _causes(error):
        if isinstance(cause, BlockedAddress):
            return _blocked(host, str(cause))
        if isinstance(cause, ssl.SSLCertVerificationError):
            return HttpError("network", f"the certificate of {host} is not valid: {cause.verify_message}")
        if isinstance(cause, ssl.SSLError):
            reason = (cause.reason or "unknown reason").replace("_", " ").lower()
            return HttpError("network", f"no secure connection to {host} can be made: {reason}")
        if isinstance(cause, (socket.gaierror, UnicodeError)):
            missing = f"{_place(proxy)} cannot be found" if proxy else f"there is no host named {host}"
            return HttpError("network", missing)
    return HttpError("network", f"cannot connect to {_place(proxy) if proxy else host}")


def _blocked(host: str, reason: str) -> HttpError:
    fix = "; add the source with --allow-local if that is meant" if "private" in reason else ""
    return HttpError("blocked", f"{host} was not contacted: {reason}{fix}")


def _place(proxy: str | None) -> str:
    """A proxy in words, without its password."""
    return f"the proxy {(proxy or '').partition('://')[2].rpartition('@')[2].rstrip('/')}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
