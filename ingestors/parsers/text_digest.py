"""Digests in plain text, split into their parts.

Four shapes are known, and everything else stays whole: the digest of a mailing list (RFC 1153, mails between
rules of dashes); an announced issue, whose list of contents comes back as titles; a numbered one; and
paragraphs that end in their link.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingestors.parsers.links import direct_url
from ingestors.parsers.story import MIN_STORIES, MIN_TEXT, Story, is_boilerplate, is_footer, spans

MAX_TITLE = 120
MAX_LINES = 20_000
MAX_CONTENTS = 60
"""Entries of a list of contents."""

_RULE = re.compile(r"^-{27,80}$")
_HEADER = re.compile(
    r"^(date|from|subject|message-id|to|cc|reply-to|sender|content-[\w-]+|message):(.*)$", re.IGNORECASE
)
_END_OF_DIGEST = re.compile(r"^end of .*(?:digest|issue)", re.IGNORECASE)
_URL = re.compile(r"<?(?:URL:)?\s*(https?://[^\s<>\"]{4,2000})>?", re.IGNORECASE)
_ONLY_URL = re.compile(r"^[<(\[]?(?:URL:|link:|more:)?\s*(https?://[^\s<>\"]{4,2000})[>)\]]?$", re.IGNORECASE)
_CONTENTS = re.compile(
    r"in this (?:week's )?(?:issue|edition)|contents|today's (?:headlines|highlights)", re.IGNORECASE
)
_ENTRY = re.compile(r"^\s*(?:[*o•+-]|\[?\d{1,2}[.)\]:]|#\d+)\s+(\S.{4,})$")
_NUMBERED = re.compile(r"^\s{0,3}\[?(\d{1,2})[.)\]:]\s+(\S.{4,119})$")
_DECORATION = re.compile(r"^[\W\d_]+|[\W_]+$")
_SIGNS = " \t*=-|+#_>"
"""What stands around a title."""
_LINE_OF_SIGNS = re.compile(r"^\W*$")


def list_digest(text: str) -> list[Story]:
    """The mails of a mailing list's digest; none if it is no digest."""
    lines = text.split("\n")[:MAX_LINES]
    rules = [n for n, line in enumerate(lines) if _RULE.match(line.strip())]
    stories = []
    for start, end in spans(rules, len(lines)):
        at = start + 1
        while at < end and not lines[at].strip():
            at += 1
        headers: dict[str, str] = {}
        while at < end and (header := _HEADER.match(lines[at].strip())):
            headers[header.group(1).lower()] = header.group(2).strip()
            at += 1
            while at < end and lines[at][:1] in (" ", "\t") and lines[at].strip():
                at += 1  # the rest of a folded header
        if "subject" in headers and "from" in headers:
            body = "\n".join(lines[at:end]).strip()
            stories.append(Story(headers["subject"], body, None, headers["from"]))
        elif stories and not any(_END_OF_DIGEST.match(line.strip()) for line in lines[start:end]):
            # A rule that somebody drew into a mail.
            last = stories[-1]
            rest = "\n".join(lines[start:end]).rstrip()
            stories[-1] = Story(last.title, f"{last.text}\n\n{rest}", None, last.author)
    return stories if len(stories) >= 2 else []


def text_stories(text: str) -> list[Story]:
    """The stories of a newsletter in plain text; none if it has no shape that is known."""
    lines = text.split("\n")[:MAX_LINES]
    for starts in (_announced(lines), _numbers(lines)):
        stories = [_between(lines, start, end) for start, end in spans(starts, len(lines))]
        good = [s for s in stories if len(s.text) >= MIN_TEXT and not is_boilerplate(s.title)]
        if len(good) >= MIN_STORIES and len(good) >= 0.7 * len(stories):
            return good
    return _linked_paragraphs(text)


def _announced(lines: Sequence[str]) -> list[int]:
    """Lines that repeat an entry of the list of contents, below it."""
    begin = next((n for n, line in enumerate(lines[:200]) if _CONTENTS.search(line)), 0)
    entries: dict[str, int] = {}
    last = begin
    for number, line in enumerate(lines[begin : begin + 200], begin):
        if (entry := _ENTRY.match(line)) and len(entries) < MAX_CONTENTS:
            name = _bare(entry.group(1))
            if name in entries:
                break  # here the issue begins
            if len(name) >= 5:
                entries[name] = number
                last = number
        elif entries and number > last + 6:
            break
    if len(entries) < MIN_STORIES:
        return []
    found: dict[str, int] = {}
    for number in range(last + 1, len(lines)):
        name = _bare(lines[number])
        if name in entries and name not in found:
            found[name] = number
    starts = list(found.values())
    return starts if len(starts) >= 0.6 * len(entries) else []


def _numbers(lines: Sequence[str]) -> list[int]:
    """Lines `1. Title`, `2. Title`, ... with something between them."""
    starts: list[int] = []
    wanted = 1
    for number, line in enumerate(lines):
        found = _NUMBERED.match(line)
        if found is None:
            continue
        if int(found.group(1)) == wanted:
            starts.append(number)
            wanted += 1
        elif found.group(1) == "1":
            starts, wanted = [number], 2  # what came before was a list of contents
    # What runs on in the next line is a sentence: somebody has numbered questions.
    alone = [n for n in starts if _ends(lines, n)]
    linked = any("http" in line for line in lines)
    return starts if linked and len(alone) >= 0.7 * len(starts) else []


def _ends(lines: Sequence[str], number: int) -> bool:
    """Whether a line is a title on its own: what follows is space, a rule or a link."""
    after = lines[number + 1].strip() if number + 1 < len(lines) else ""
    return _LINE_OF_SIGNS.match(after) is not None or _ONLY_URL.match(after) is not None


def _between(lines: Sequence[str], start: int, end: int) -> Story:
    title = " ".join(_NUMBERED.sub(r"\2", lines[start]).strip(_SIGNS).split())
    body = list(lines[start + 1 : end])
    for number, line in enumerate(body):
        if is_footer(line):
            del body[number:]
            break
    while body and (_LINE_OF_SIGNS.match(body[-1]) or body[-1].startswith("- end")):
        del body[-1]
    while body and _LINE_OF_SIGNS.match(body[0]):
        del body[0]
    text = "\n".join(body).strip("\n")
    link = _URL.search(text)
    return Story(title[:MAX_TITLE], text, direct_url(link.group(1)) if link else None)


def _linked_paragraphs(text: str) -> list[Story]:
    """Paragraphs of a title, a few lines, and their link as the last line."""
    stories, others = [], 0
    for paragraph in re.split(r"\n[ \t]*\n", text):
        lines = [line.strip() for line in paragraph.strip().split("\n")]
        link = _ONLY_URL.match(lines[-1])
        if link is None or len(lines) < 2:
            others += len(lines) > 1
            continue
        title, body = lines[0].strip(_SIGNS), lines[1:-1]
        if (
            not 8 <= len(title) <= MAX_TITLE
            or is_boilerplate(title)
            or any(map(is_footer, lines))
            or "http" in title
            or _runs_on(title, body)
        ):
            others += 1
            continue
        stories.append(Story(title, " ".join(body), direct_url(link.group(1))))
    told = [story for story in stories if len(story.text) >= MIN_TEXT // 2]
    distinct = len({story.url for story in stories}) >= 0.8 * len(stories)
    if len(told) < MIN_STORIES or len(told) < 0.6 * len(stories) or len(stories) < others / 2 or not distinct:
        return []
    return stories


def _runs_on(title: str, body: Sequence[str]) -> bool:
    """Whether a first line is the beginning of a sentence, which ends in the second."""
    return bool(body) and body[0][:1].islower() and title[-1:] not in ".!?:"


def _bare(line: str) -> str:
    """A title as it is compared: letters and digits, lower case, without numbering and decoration."""
    return " ".join(_DECORATION.sub("", _DECORATION.sub("", line)).lower().split())[:60]
