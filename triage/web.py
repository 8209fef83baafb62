"""The interface in a browser, by textual-serve: on this machine only, and for whoever has its address.

Owns who may ask. The server listens on loopback. It answers under its own name only, because a page on the
web could point a name of its own here; to its own pages only, because such a page could open a socket to it;
and to browsers that came by the address with the key, because others may have accounts on this machine.
Its own page may load nothing from anywhere else.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable

from aiohttp import web
from textual_serve.server import Server

COOKIE = "triage-key"
HOST = "127.0.0.1"
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self' data:",
        "connect-src 'self' ws://{host}",
    )
)
"""What the page may load: that of textual-serve names a font on another host, which would learn who reads."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LocalServer(Server):
    """Serves `triage` to the browsers of its reader."""

    def __init__(self, port: int, say: Callable[[str], None]) -> None:
        """Creates it.

        Args:
            port: To listen on.
            say: Told the address, when it listens.
        """
        command = shlex.join([sys.executable, "-P", "-m", "triage"])
        super().__init__(command, host=HOST, port=port, title="triage")
        self._say = say
        self._key = secrets.token_urlsafe(24)

    @property
    def address(self) -> str:
        """Where a browser begins."""
        return f"{self.public_url}/?key={self._key}"

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._guard)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        if request.host != f"{self.host}:{self.port}" or origin not in (None, self.public_url):
            raise web.HTTPForbidden(text=f"This is {self.public_url}, and nobody else's page.")
        given = request.query.get("key") or request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            raise web.HTTPForbidden(text="Open the address that triage serve has printed.")
        response = await handler(request)
        response.headers["Content-Security-Policy"] = POLICY.format(host=request.host)
        response.headers["Referrer-Policy"] = "no-referrer"
        if request.query.get("key"):
            response.set_cookie(COOKIE, self._key, httponly=True, samesite="Strict")
        return response

    async def on_startup(self, app: web.Application) -> None:
        """Says nothing: it does not listen yet."""

    def serve(self, debug: bool = False) -> None:
        """Serves until Ctrl-C, and says where once it listens."""
        app = self._make_app()
        web.run_app(app, host=self.host, port=self.port, print=lambda *_: self._say(self.address))


def serve(port: int, say: Callable[[str], None]) -> None:
    """Serves until Ctrl-C; raises OSError if the port cannot be had."""
    LocalServer(port, say).serve()
