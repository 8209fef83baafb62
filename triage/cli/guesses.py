"""What was probably meant by a command that does not exist: by its names elsewhere, or a near one.

Knows words only; whether a command exists is for its group to say.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection

from triage.core.errors import UsageError

MEANT = {
    **dict.fromkeys(("like", "love", "dislike"), "triage mark ID {word}"),
    **dict.fromkeys(("save", "later"), "triage mark ID {word}; to list them: triage search is:{word}"),
    "saved": "triage search is:saved",
    **dict.fromkeys(("read", "view"), "triage show ID"),
    **dict.fromkeys(("inbox", "today", "unread", "news"), "triage digest"),
    **dict.fromkeys(("ls", "items"), "triage list"),
    **dict.fromkeys(("update", "refresh", "reload", "pull", "poll", "run"), "triage sync"),
    **dict.fromkeys(("feeds", "subscriptions"), "triage sources"),
    "subscribe": "triage add URL",
    **dict.fromkeys(("unsubscribe", "delete", "remove", "rm"), "triage sources remove SOURCE"),
    **dict.fromkeys(("tag", "rename", "pause", "resume", "ledger"), "triage sources {word}"),
    **dict.fromkeys(("backup", "restore"), "triage db {word}"),
    **dict.fromkeys(("install", "uninstall", "logs", "stop"), "triage daemon {word}"),
    **dict.fromkeys(("settings", "preferences"), "triage config show"),
    **dict.fromkeys(("init", "setup"), "triage start"),
    "packs": "triage start --packs",
    **dict.fromkeys(("help", "version"), "triage --{word}"),
    "explain": "triage why ID",
    "stats": "triage insight",
    "sources add": "triage add URL",
    "sources delete": "triage sources remove SOURCE",
    "sources rm": "triage sources remove SOURCE",
    "sources import": "triage import FILE",
    "sources export": "triage export opml FILE",
    "config get": "triage config show",
    "config list": "triage config show",
    "daemon start": "triage daemon run; or at every login: triage daemon install",
    "daemon restart": "triage daemon stop, then triage daemon run",
}
"""What people type -> what does it here."""


def no_command(group: str, word: str, known: Collection[str], alone: bool) -> UsageError:
    """The error for `triage GROUP WORD`, with what to type in its place.

    Args:
        group: The command that WORD was given to, such as `sources`; empty for `triage` itself.
        word: What was typed.
        known: The commands that there are.
        alone: Whether the group without a command lists what it has.
    """
    typed = f"{group} {word}".strip()
    near = difflib.get_close_matches(word, known, n=1)
    if typed in MEANT:
        fix = MEANT[typed].format(word=word)
    elif alone and word in ("list", "ls"):
        fix = f"triage {group}"
    else:
        fix = " ".join(("triage", group, near[0] if near else "--help")).replace("  ", " ")
    return UsageError(f"there is no command {typed!r}", fix=fix)
