"""Hiding secrets in text that is written down: the second net below never putting one into a message.

Owns the forms that secrets have in text. It hides too much rather than too little: of an address, everything
that may be a credential or a parameter goes.
"""

from __future__ import annotations

import re

HIDDEN = "***"

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{1,20}://)(\S+)")
_HEADER = re.compile(
    r"""((?:authorization|cookie|x-api-key)["']?\s*[:=]\s*)(?:b?"[^"\n]*"|b?'[^'\n]*'|[^\n"']+)""",
    re.IGNORECASE,
)
_SCHEME = re.compile(
    r"\b(bearer\s+[\w+/=.~-]{8,}|(?:basic|digest|token)\s+(?=\S*[\d=+/_])[\w+/=.~-]{8,})", re.IGNORECASE
)
_NAMED = re.compile(
    r"""(?<![\w.-])
    ((?:[\w.-]{0,60}(?:token|passw(?:or)?d|passphrase|pwd|secret|api[-_]?key|credential)[\w.-]{0,60}
      |(?:auth|key|sig|signature|sid|session|code)(?=["']?\s*=))
    (?<!_command)(?<!_env)["']?\s*[:=]\s*)
    (?:b?"[^"\n]*"|b?'[^'\n]*'|[^\s&;,)}\]]+)""",
    re.IGNORECASE | re.VERBOSE,
)


def redact(text: str) -> str:
    """`text` with asterisks in the place of passwords, tokens, keys, and parameters of addresses."""
    text = _URL.sub(lambda found: found[1] + _bare(found[2]), text)
    text = _HEADER.sub(rf"\1{HIDDEN}", text)
    text = _SCHEME.sub(lambda found: f"{found[0].split()[0]} {HIDDEN}", text)
    return _NAMED.sub(rf"\1{HIDDEN}", text)


def _bare(rest: str) -> str:
    """What follows `scheme://`, without user, password and parameters."""
    place, mark, parameters = _cut(rest)
    if "@" in parameters and ":" in place and "/" not in place:  # the mark is a part of the password
        place, mark, _ = _cut(HIDDEN + "@" + rest.rpartition("@")[2])
    user, _, host = place.rpartition("@")
    # A path may hold an @ as well, but no colon before it.
    if user and ("/" not in user or ":" in user):
        place = f"{HIDDEN}@{host}"
    return place + (f"?{HIDDEN}" if mark else "")


def _cut(rest: str) -> tuple[str, str, str]:
    at = min((at for at in map(rest.find, "?#") if at >= 0), default=len(rest))
    return rest[:at], rest[at : at + 1], rest[at + 1 :]
