"""Newsletters and digests, split into their stories.

A story is a title with a link and a text, and a newsletter is several of them that look alike. Precision
comes first: a mail that is left whole costs a reader a glance, one that is torn apart costs trust. So a mail
is split only if it was sent to many, or speaks of leaving a list; if at least three stories are found; and if
most of what looks like a title is one. Titles are found by their looks, because no two senders share a
mark-up (`ingestors.parsers.mail_lines`); plain text has its own shapes (`ingestors.parsers.text_digest`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from statistics import median

from ingestors.parsers.links import direct_url
from ingestors.parsers.mail_lines import Line, mail_lines
from ingestors.parsers.story import MIN_STORIES, MIN_TEXT, Story, is_boilerplate, is_footer, spans
from ingestors.parsers.text_digest import list_digest, text_stories

MAX_STORIES = 100
MAX_TITLE_CHARACTERS = 200
MAX_LOOKS = 12
"""Ways to look like a title that are tried, the commonest; each costs a pass over the mail."""
MIN_WORDS = 5
MAX_STORY = 6_000
"""Characters of a typical story; longer ones are the chapters of one text."""

_LEAVING = re.compile(
    r"unsubscrib|subscri(?:be|ption)|newsletter|opt[ -]?out|mailing list|abbestell|abmeld|désabonn"
    r"|se désinscrire|cancelar suscrip|dar de baja|disiscri|afmeld|配信停止|退订",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"^(?:read|full|more|continue|learn|see|view|weiter|mehr|lire|leer|keep reading)\b|full story|read more"
    r"|[→»]|>>",
    re.IGNORECASE,
)
_MORE_WORDS = 5
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_PRICE = re.compile(r"[$€£]\s?\d|\d+[.,]\d\d\s?(?:€|EUR|USD)")
_NO_STORY_LINK = re.compile(
    r"unsubscribe|opt-?out|list-manage\d?\.com/(?:profile|unsub)|/(?:manage-)?preferences"
    r"|sharer|/share\b|shareArticle|/intent/"
    r"|^https?://(?:www\.|m\.)?(?:facebook|twitter|x|instagram|linkedin|youtube|tiktok|pinterest)\.com/?[^/]*/?$"
    r"|forwardtoafriend|view-?in-?browser|viewonline",
    re.IGNORECASE,
)


def find_stories(markup: Sequence[str], text: str, *, sent_to_many: bool, conversation: bool) -> list[Story]:
    """The stories of a mail, in its order; none if it is anything but a newsletter or a digest.

    Args:
        markup: Its HTML parts.
        text: Its plain text, or what its HTML was rendered to.
        sent_to_many: Whether its headers say that it went to many.
        conversation: Whether people write there, or it answers or forwards something: then only the digest
            of a list is split.
    """
    return _distinct(_find(markup, text, sent_to_many, conversation))[:MAX_STORIES]


def _find(markup: Sequence[str], text: str, sent_to_many: bool, conversation: bool) -> list[Story]:
    if conversation:
        return list_digest(text)
    if not sent_to_many and not _LEAVING.search(text) and not any(_LEAVING.search(part) for part in markup):
        return []
    for part in markup:
        if stories := _html_stories(mail_lines(part)):
            return stories
    return list_digest(text) or text_stories(text)


def _distinct(stories: Sequence[Story]) -> list[Story]:
    """Each story once: some stand in several sections, or in a list of the best and again below."""
    found: dict[tuple[str, str | None], Story] = {}
    for story in stories:
        name = (story.title.lower(), story.url)
        if name not in found or len(story.text) > len(found[name].text):
            found[name] = story
    return list(found.values())


def _html_stories(lines: list[Line]) -> list[Story]:
    candidates = Counter(line.looks for line in lines if _may_be_title(line))
    chosen: set[tuple[str, bool, bool, str]] = set()
    best: list[Story] = []
    # The look of most stories decides; others join as long as the whole gets better by them.
    for looks, count in candidates.most_common(MAX_LOOKS):
        if count < (MIN_STORIES if not best else 1):
            continue
        stories = _cut(lines, {*chosen, looks})
        if _are_stories(stories) and _worth(stories) > _worth(best):
            chosen.add(looks)
            best = stories
    stories = [story for story in best if _is_story(story)]
    if stories:
        stories[-1] = _without_tail(stories[-1], median(len(story.text) for story in stories))
    return stories


def _may_be_title(line: Line) -> bool:
    return (
        line.stands_out
        and _words(line.text) >= 2
        and 8 <= _width(line.text) <= MAX_TITLE_CHARACTERS
        and not is_boilerplate(line.text)
        and not _is_more(line.text)
    )


def _cut(lines: Sequence[Line], titles: Collection[tuple[str, bool, bool, str]]) -> list[Story]:
    """The lines between titles of these looks, each as a story, good or not."""
    starts = [n for n, line in enumerate(lines) if line.looks in titles and _may_be_title(line)]
    # A title that goes over two lines is one.
    starts = [n for n in starts if n - 1 not in starts or lines[n].paragraph]
    return [_story(lines[start:end]) for start, end in spans(starts, len(lines))]


def _story(lines: Sequence[Line]) -> Story:
    title, body = lines[0], list(lines[1:])
    for number, line in enumerate(body):
        if is_footer(line.text):
            del body[number:]
            break
    # What stands out at the end is the heading of the section after it.
    links = [*title.links, *(link for line in body for link in line.links)]
    while body and body[-1].stands_out and not _is_more(body[-1].text):
        del body[-1]
    kept = [line for line in body if not _is_more(line.text)]
    text = "".join(("\n\n" if line.paragraph else "\n") + line.text for line in kept)
    return Story(title.text, text.strip(), _best_link(title.links, links))


def _is_more(text: str) -> bool:
    """Whether it is the label of a link to the whole: `Read more`, `Full story →`."""
    return len(text.split()) <= _MORE_WORDS and _MORE.search(text) is not None


def _without_tail(last: Story, usual: float) -> Story:
    """The last story has all that is below it. Of that no more is kept than the others are long, twice."""
    paragraphs = last.text.split("\n\n")
    kept = paragraphs[:1]
    for paragraph in paragraphs[1:]:
        if sum(map(len, kept)) + len(paragraph) > 2 * usual:
            break
        kept.append(paragraph)
    return Story(last.title, "\n\n".join(kept), last.url, last.author)


def _best_link(own: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> str | None:
    """The link of the title, else the one that promises more, else the first that leads anywhere."""
    more = [link for link in others if _is_more(link[0])]
    for _, href in (*own, *more, *others):
        if _NO_STORY_LINK.search(href):
            continue
        url = direct_url(href)
        if url is not None and not _NO_STORY_LINK.search(url):
            return url
    return None


def _is_story(story: Story) -> bool:
    """Whether it says something: one line of prose at least, not a menu or a table."""
    return not is_boilerplate(story.text[:60]) and any(
        _width(line) >= MIN_TEXT and _words(line) > MIN_WORDS for line in story.text.split("\n")
    )


def _words(text: str) -> int:
    """Words; in scripts without spaces two characters pass for one."""
    return len(text.split()) + len(_EAST_ASIAN.findall(text)) // 2


def _width(text: str) -> int:
    """Characters; those of East Asian scripts say twice as much."""
    return len(text) + len(_EAST_ASIAN.findall(text))


def _are_stories(stories: Sequence[Story]) -> bool:
    """Whether these pieces are what somebody would call the stories of a newsletter."""
    good = [story for story in stories if _is_story(story)]
    if len(good) < MIN_STORIES or len(good) < 0.6 * len(stories):
        return False
    linked = [story for story in good if story.url]
    if len(linked) < 0.6 * len(good) or len({story.url for story in linked}) < 0.7 * len(linked):
        return False
    if len({story.title for story in good}) < 0.8 * len(good):
        return False
    length = median(len(story.text) for story in good)
    priced = sum(1 for story in good if _PRICE.search(story.title + story.text[:200]))
    return length <= MAX_STORY and not (priced > len(good) / 2 and length < 160)


def _worth(stories: Sequence[Story]) -> int:
    """Good stories less the pieces that are none."""
    good = sum(1 for story in stories if _is_story(story))
    return 2 * good - len(stories)
