"""How a digest ends, in sentences: what it covered, what was left out and why, and what may have been missed.

Pure; every form of a digest says these, so owns their words. Knows no widget and no markup.
"""

from __future__ import annotations

from triage.core import words
from triage.core.items import Digest


def title(digest: Digest) -> str:
    """The day, and since when it catches up: `Monday 2 March, since Thursday`."""
    day = words.day(digest.built_at)
    if digest.since is None:
        return day
    recent = (digest.built_at - digest.since).days < 6
    since = f"{digest.since.astimezone():%A}" if recent else words.day(digest.since)
    return f"{day}, since {since}"


def covered(digest: Digest) -> str:
    """How much there was of it, in one sentence."""
    sources = len({item.source for item in digest.items})
    return (
        f"{words.plural(len(digest.items), 'item')} from {words.plural(sources, 'source')}, about "
        f"{words.minutes(digest.minutes)} of your {words.minutes(digest.budget_minutes)}."
    )


def left_out(digest: Digest) -> str:
    """What was weighed and is not in it, by reason; empty if nothing was."""
    named = digest.repeats + digest.ruled_out + digest.people_left + digest.unfit + digest.too_old
    lower = max(digest.considered - len(digest.items) - named, 0)
    counts = [
        (lower, "matters less to you", "matter less to you"),
        (digest.unfit, "was worth a place but found no room", "were worth a place but found no room"),
        (digest.people_left, "from people or saved found no room", "from people or saved found no room"),
        (digest.too_old, "is too old by now", "are too old by now"),
        (digest.repeats, "repeats a story told above", "repeat a story told above"),
        (digest.ruled_out, "kept out by your rules", "kept out by your rules"),
    ]
    parts = [f"{count} {one if count == 1 else many}" for count, one, many in counts if count]
    said = [f"Left out of {digest.considered} weighed: {', '.join(parts)}."] if parts else []
    if digest.by_words:
        said.append(words.by_words(digest.by_words))
    return " ".join(said)


def missed(digest: Digest) -> str:
    """How many things that matter were left out, as far as can be known; empty while that is too little."""
    if digest.missed is None:
        return ""
    count = round(digest.missed)
    new = "of what came since you last looked and was left out"
    if count == 0:
        return f"By its own estimate, nothing {new} would have mattered to you."
    return f"By its own estimate, about {count} {new} would have mattered to you."


def pace(digest: Digest) -> str:
    """By whose speed the minutes are meant; empty while it is that of readers in general."""
    if not digest.paced_by:
        return ""
    texts = words.plural(digest.paced_by, "text")
    return f"Minutes are by your own pace: {digest.words_per_minute:.0f} words a minute, from {texts}."


def learning(digest: Digest, keys: str) -> str:
    """What the order rests on.

    Args:
        digest: What has come to its end.
        keys: How to mark, for a reader who has not yet: a sentence.
    """
    if digest.labels == 0:
        return f"No marks yet, so this is the order of your interests and sources. {keys}"
    learned = f"The order is learned from {words.plural(digest.labels, 'mark')}"
    if all(item.p is None for item in digest.items):
        return f"{learned}, too few for probabilities yet."
    return f"{learned}."


def sentences(digest: Digest, keys: str) -> list[str]:
    """All that there is to say at the end."""
    said = [covered(digest), left_out(digest), missed(digest), learning(digest, keys), pace(digest)]
    return [sentence for sentence in said if sentence]
