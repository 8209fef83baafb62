"""Where well-known sites keep their feeds: from the address of a page alone, without asking anybody.

Every address here is a guess until a fetch has shown that there is a feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit


@dataclass(frozen=True, slots=True)
class Guess:
    """An address where a feed may be, and what it would hold."""

    url: str
    label: str = ""


_NAME = r"[\w-]+"
_REPOSITORY = r"(?P<o>[\w-]+)/(?P<r>[\w.-]+)"

# Pattern of `host/path` (with `?query` where it says so) -> feeds, the most wanted first.
_RULES: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        r"(?:www\.|m\.)?youtube\.com/channel/(?P<id>UC[\w-]{10,30})(?:/\w+)?",
        (("https://www.youtube.com/feeds/videos.xml?channel_id={id}", "videos"),),
    ),
    (
        r"(?:www\.|m\.)?youtube\.com/user/(?P<id>[\w.-]+)(?:/\w+)?",
        (("https://www.youtube.com/feeds/videos.xml?user={id}", "videos"),),
    ),
    (
        r"(?:www\.|m\.)?youtube\.com/(?:playlist|watch)\?(?:.*&)?list=(?P<id>[\w-]+)(?:&.*)?",
        (("https://www.youtube.com/feeds/videos.xml?playlist_id={id}", "playlist"),),
    ),
    (
        rf"github\.com/{_REPOSITORY}",
        (
            ("https://github.com/{o}/{r}/releases.atom", "releases"),
            ("https://github.com/{o}/{r}/tags.atom", "tags"),
            ("https://github.com/{o}/{r}/commits.atom", "commits"),
        ),
    ),
    (
        rf"github\.com/{_REPOSITORY}/releases(?:/.*)?",
        (("https://github.com/{o}/{r}/releases.atom", "releases"),),
    ),
    (rf"github\.com/{_REPOSITORY}/tags", (("https://github.com/{o}/{r}/tags.atom", "tags"),)),
    (rf"github\.com/{_REPOSITORY}/commits", (("https://github.com/{o}/{r}/commits.atom", "commits"),)),
    (
        rf"github\.com/{_REPOSITORY}/(?:commits|tree)/(?P<b>.+)",
        (("https://github.com/{o}/{r}/commits/{b}.atom", "commits"),),
    ),
    (rf"github\.com/{_REPOSITORY}/wiki(?:/.*)?", (("https://github.com/{o}/{r}/wiki.atom", "wiki"),)),
    (
        rf"github\.com/(?!(?:about|explore|topics|trending|features|settings|login|orgs)$)(?P<o>{_NAME})",
        (("https://github.com/{o}.atom", "activity"),),
    ),
    (rf"gist\.github\.com/(?P<o>{_NAME})", (("https://gist.github.com/{o}.atom", "gists"),)),
    (
        r"gitlab\.com/(?P<p>(?:[\w.-]+/)+?[\w.-]+?)(?:/-/.*)?",
        (
            ("https://gitlab.com/{p}/-/releases.atom", "releases"),
            ("https://gitlab.com/{p}/-/tags?format=atom", "tags"),
            ("https://gitlab.com/{p}.atom", "activity"),
        ),
    ),
    (rf"gitlab\.com/(?P<p>{_NAME})", (("https://gitlab.com/{p}.atom", "activity"),)),
    (
        rf"codeberg\.org/{_REPOSITORY}(?:/(?:releases|tags))?",
        (
            ("https://codeberg.org/{o}/{r}/releases.rss", "releases"),
            ("https://codeberg.org/{o}/{r}/tags.rss", "tags"),
            ("https://codeberg.org/{o}/{r}.rss", "activity"),
        ),
    ),
    (rf"codeberg\.org/(?P<o>{_NAME})", (("https://codeberg.org/{o}.rss", "activity"),)),
    (
        r"(?:www\.|old\.|new\.)?reddit\.com(?P<p>(?:/(?:r|user)/[\w+-]+(?:/[\w/-]+)?)?)",
        (("https://www.reddit.com{p}/.rss", ""),),
    ),
    (
        r"(?:www\.|old\.|new\.)?reddit\.com/u/(?P<u>[\w-]+)(?:/\w+)?",
        (("https://www.reddit.com/user/{u}/.rss", ""),),
    ),
    (r"news\.ycombinator\.com(?:/news|/front)?", (("https://news.ycombinator.com/rss", "front page"),)),
    (r"news\.ycombinator\.com/show(?:new)?", (("https://news.ycombinator.com/showrss", "Show HN"),)),
    # The site itself has no other feeds; this service makes them from its public interface.
    (r"news\.ycombinator\.com/(?P<l>newest|ask|jobs|best)", (("https://hnrss.org/{l}", "by hnrss.org"),)),
    (
        rf"news\.ycombinator\.com/(?P<l>user|item)\?id=(?P<id>{_NAME})",
        (("https://hnrss.org/{l}?id={id}", "by hnrss.org"),),
    ),
    (r"lobste\.rs(?P<p>(?:/t/[\w,-]+)?)", (("https://lobste.rs{p}.rss", ""), ("https://lobste.rs/rss", ""))),
    (
        rf"(?:www\.)?medium\.com/(?!feed(?:/|$))(?P<p>@[\w.-]+|tag/{_NAME}|{_NAME})(?:/.*)?",
        (("https://medium.com/feed/{p}", ""),),
    ),
    (r"(?P<h>(?!www\.)[\w-]+\.medium\.com)(?:/.*)?", (("https://{h}/feed", ""),)),
    (r"(?P<h>(?!www\.|open\.)[\w-]+\.substack\.com)(?:/.*)?", (("https://{h}/feed", ""),)),
    (r"(?:www\.)?substack\.com/@(?P<u>[\w-]+)(?:/.*)?", (("https://{u}.substack.com/feed", ""),)),
    (r"(?P<h>(?!www\.)[\w-]+\.wordpress\.com)(?:/.*)?", (("https://{h}/feed/", ""),)),
    (r"(?P<h>(?!www\.)[\w-]+\.blogspot\.[\w.]+)(?:/.*)?", (("https://{h}/feeds/posts/default", ""),)),
    (r"(?P<h>(?!www\.)[\w-]+\.tumblr\.com)", (("https://{h}/rss", ""),)),
    (r"bsky\.app/profile/(?P<p>[\w.:-]+)", (("https://bsky.app/profile/{p}/rss", "posts"),)),
    (r"dev\.to/(?P<u>[\w-]+)", (("https://dev.to/feed/{u}", ""),)),
    # Mastodon and its kin, on any host; somebody from elsewhere is to be found there.
    (r"(?P<h>[\w.-]+\.\w+)/@(?P<u>\w+)", (("https://{h}/@{u}.rss", "posts"),)),
    (r"[\w.-]+\.\w+/@(?P<u>\w+)@(?P<h>[\w.-]+\.\w+)", (("https://{h}/@{u}.rss", "posts"),)),
)
_COMPILED = tuple((re.compile(pattern, re.ASCII), feeds) for pattern, feeds in _RULES)

_FEED_ADDRESS = re.compile(r"(?:\.(?:rss|atom|xml|rdf|json)|/(?:feed|feeds|rss|atom))$", re.IGNORECASE)
# Pages of these hosts look like profiles of Mastodon and are something else.
_NO_PROFILES = re.compile(r"(?:^|\.)(?:youtube|tiktok|threads|medium|substack)\.(?:com|net)$")
_PODCAST = re.compile(r"(?:podcasts|itunes)\.apple\.com/(?:.*/)?id(?P<id>\d{5,12})", re.ASCII)

_WELL_KNOWN = ("feed", "feed.xml", "rss.xml", "atom.xml", "index.xml", "rss")
_BY_GENERATOR = {
    "wordpress": "feed/",
    "ghost": "rss/",
    "hugo": "index.xml",
    "jekyll": "feed.xml",
    "drupal": "rss.xml",
    "blogger": "feeds/posts/default",
    "squarespace": "?format=rss",
    "wix": "blog-feed.xml",
}


def guesses(url: str) -> tuple[Guess, ...]:
    """The feeds of a page of a site that is known, the most wanted first; none for other pages."""
    address, query = _address(url)
    if _FEED_ADDRESS.search(address):
        return ()
    host = address.partition("/")[0]
    for pattern, feeds in _COMPILED:
        found = pattern.fullmatch(address) or (pattern.fullmatch(f"{address}?{query}") if query else None)
        if found is None or ("/@" in pattern.pattern and _is_other(pattern, host)):
            continue
        return tuple(Guess(template.format(**found.groupdict()), label) for template, label in feeds)
    return ()


def lookup(url: str) -> str | None:
    """The address that says where the feed of a page is, if it is not the page itself."""
    found = _PODCAST.match(_address(url)[0])
    return f"https://itunes.apple.com/lookup?id={found['id']}&entity=podcast" if found else None


def well_known(url: str, generator: str = "") -> Iterator[Guess]:
    """Where sites keep their feeds that do not say so, the likeliest first.

    Args:
        url: Of the page.
        generator: The program that made it, as it says itself.
    """
    folder = url if url.endswith("/") else f"{url.partition('?')[0]}/"
    first = next((path for name, path in _BY_GENERATOR.items() if name in generator.lower()), None)
    for path in dict.fromkeys([*([first] if first else []), *_WELL_KNOWN]):
        yield Guess(urljoin(url, f"/{path}"))
    if urlsplit(folder).path != "/":
        yield Guess(urljoin(folder, "feed"))


def _is_other(pattern: re.Pattern[str], host: str) -> bool:
    return pattern.pattern.startswith(("(?P<h>[\\w.-]+", "[\\w.-]+")) and bool(_NO_PROFILES.search(host))


def _address(url: str) -> tuple[str, str]:
    """`host/path` without a slash at its end, and the query."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").lower()
    except ValueError:
        return "", ""
    return f"{host}{parts.path.rstrip('/')}", parts.query
