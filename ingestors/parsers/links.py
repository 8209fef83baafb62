"""Where a link of a mail really leads, found out without asking anybody.

Newsletters send their readers through redirectors that count them. Many carry the address inside: as a
parameter, as a part of the path, in base64. Opening such a link tells the sender who read what and when.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from ingestors.wire import web_url

MAX_DEPTH = 4
"""Redirectors within redirectors: a mail gateway around a mailing service around a site."""

_PARAMETERS = frozenset(
    [
        "url",
        "u",
        "uri",
        "redirect",
        "redirect_url",
        "redirect_uri",
        "redir",
        "target",
        "dest",
        "destination",
        "link",
        "goto",
        "out",
        "lnk",
        "href",
    ]
)
_SEARCH_HOSTS = re.compile(r"(?:www\.)?google\.[a-z.]+$")
_EMBEDDED = re.compile(r"https?(?::|%3a)(?:/|%2f){1,2}", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_=-]{16,4000}")
_PROOFPOINT = re.compile(r"/v3/__(https?:/.+?)__;")
_TRACKING = re.compile(
    r"utm_\w+|mc_[ce]id|_hs\w+|hs[CA-Z]\w+|mkt_tok|fbclid|gclid|dclid|msclkid|yclid|igshid|vero_\w+"
    r"|ck_subscriber_id|oly_(?:enc|anon)_id|trk\w*|ml_subscriber\w*|s_cid|cmpid|wickedid|_ke|_bhlid|ref_?src|emci|emdi|ceid|spm",
    re.IGNORECASE,
)
_AFTER_ADDRESS = re.compile(r"/\d+/[\w=-]{8,}.*$")


def direct_url(link: str) -> str | None:
    """`link` without redirectors and tracking parameters; None if it is no http(s) URL."""
    url = web_url(link)
    for _ in range(MAX_DEPTH):
        inner = _inside(url) if url else None
        if inner is None:
            break
        url = inner
    return _without_tracking(url) if url else None


def _inside(url: str) -> str | None:
    """The URL that a redirector's URL carries."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    for name, value in parse_qsl(parts.query):
        if name.lower() in _PARAMETERS or (name == "q" and _SEARCH_HOSTS.match(host)):
            if host.startswith("urldefense"):
                value = unquote(value.replace("-", "%").replace("_", "/"))
            if found := _url(value) or _packed(value):
                return found
    if proofpoint := _PROOFPOINT.search(url):
        return _url(re.sub(r"^(https?:)/(?!/)", r"\1//", proofpoint.group(1)))
    embedded = _EMBEDDED.search(parts.path)
    if embedded and not host.startswith("web.archive"):
        return _url(_AFTER_ADDRESS.sub("", unquote(parts.path[embedded.start() :])))
    if len(parts.path) < 5_000:
        for piece in parts.path.split("/"):
            if found := _packed(piece):
                return found
    return None


def _url(text: str) -> str | None:
    return web_url(text) if text.startswith(("http://", "https://")) else None


def _packed(text: str) -> str | None:
    """A URL in base64, bare or as a value of a JSON object."""
    if not _BASE64.fullmatch(text) or not text.startswith(("aHR0c", "eyJ")):
        return None
    try:
        data = base64.b64decode(text.replace("-", "+").replace("_", "/").rstrip("=") + "==")
        plain = data.decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    if plain.startswith("{"):
        try:
            values = list(json.loads(plain).values())
        except (ValueError, RecursionError):
            return None
        return next((url for value in values if isinstance(value, str) and (url := _url(value))), None)
    return _url(plain)


def _without_tracking(url: str) -> str:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [pair for pair in pairs if not _TRACKING.fullmatch(pair[0])]
    if len(kept) == len(pairs):
        return url  # as it was written: encoding it anew could change it
    return urlunsplit(parts._replace(query=urlencode(kept)))
