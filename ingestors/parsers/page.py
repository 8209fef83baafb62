"""The article of a web page, without what stands around it; or why there is none to be had.

Owns the signs by which a page is told from a wall: a login, a paywall, a question about cookies, a test
for robots, a page that only its scripts would fill. A wall is never taken for an article, and what a
publisher sells is not taken at all.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import lxml.etree
import trafilatura

from ingestors.parsers.document import decode
from ingestors.parsers.html import html_to_line, html_to_text, is_hidden, tidy
from ingestors.wire import MAX_TEXT, RefusalError, web_url

Element = Any  # lxml has no types

SHORT = 1_500
"""Characters of an article below which signs of a wall are believed: long articles speak of cookies, too."""
NOTHING = 400
"""Characters below which it is no article if there is any other explanation."""
CONSENT_SHARE = 0.05
"""The share of the words of a short text that are about consent, from which on it asks for it."""

_CHARSET = re.compile(rb"""<meta[^>]{1,200}?charset\s*=\s*["']?\s*([\w.:-]{1,64})""", re.IGNORECASE)
_SOLD = re.compile(r'"isAccessibleForFree"\s*:\s*"?\s*false', re.IGNORECASE)
_PAYWALL = re.compile(
    r"\b(?:subscribe|sign up|log ?in|sign in) (?:now )?to (?:continue|keep|read)"
    r"|already an? (?:subscriber|member)"
    r"|th(?:is|e) (?:article|story|content) is (?:for|only|reserved|available)[^.]{0,25} subscribers"
    r"|subscribers? only|unlock this (?:article|story)|jetzt weiterlesen|bereits abonnent|nur für abonnenten"
    r"|réservée? aux abonnés|déjà abonnée?|solo para suscriptores|riservato agli abbonati",
    re.IGNORECASE,
)
_ROBOTS = re.compile(
    r"\b(?:just a moment|checking your browser|verify (?:that )?you are (?:a )?human|are you a robot"
    r"|unusual traffic|attention required|access denied|captcha|enable cookies and reload)\b",
    re.IGNORECASE,
)
_CONSENT = re.compile(
    r"\b(?:cookies?|consent|accept all|reject all|personal data|our (?:\d+ )?partners|privacy policy"
    r"|zustimm\w+|einwilligung\w*|datenschutz\w*|akzeptieren|accepter|consentement|données personnelles"
    r"|aceptar|privacidad)\b",
    re.IGNORECASE,
)
_MISSING = re.compile(r"\b404\b|\bnot found\b|nicht gefunden|introuvable|no encontrada", re.IGNORECASE)
_TEXTS = lxml.etree.XPath(
    "//body//text()[not(ancestor::script or ancestor::style or ancestor::noscript or ancestor::template)]"
)
_LOGIN_PATH = re.compile(r"/(?:log[-_]?in|sign[-_]?in|auth|sso)(?:[/.]|$)", re.IGNORECASE)
_SCRIPT_WANTED = re.compile(r"java ?script", re.IGNORECASE)


def parse_page(body: bytes, *, url: str, content_type: str) -> dict[str, Any]:
    """Reads the article of a page.

    Args:
        body: The page as it came over the wire, unpacked.
        url: Where it came from, after redirects.
        content_type: The HTTP header; only its charset is believed.

    Returns:
        `text` (may be empty), `url`, the address that the page calls its own if that is on the same
        host, and `pdf`, the address of the paper that it presents, or None.

    Raises:
        RefusalError: It holds no article; the reason says what stands in its place.
    """
    tree = trafilatura.load_html(_markup(body, content_type))
    if tree is None:
        raise RefusalError("there is no text on its page")
    described = tree.iterfind('.//script[@type="application/ld+json"]')
    if any(_SOLD.search(script.text or "") for script in described):
        raise RefusalError("the rest is sold by its publisher (paywall)")
    scripted = _is_scripted(tree)
    login = tree.find('.//input[@type="password"]') is not None
    _drop_hidden(tree)
    article = trafilatura.extract(
        tree, url=url, fast=True, include_comments=False, include_formatting=True, output_format="html"
    )
    text = html_to_text(article or "")[:MAX_TEXT]
    if len(text) < SHORT:
        title = html_to_line(tree.findtext(".//title") or "")
        wall = _wall(text, _shown(tree), title, url, login=login, scripted=scripted)
        if wall is not None:
            raise RefusalError(wall)
    return {"text": text, "url": _own_address(tree, url), "pdf": _paper(tree, url)}


def parse_plain(body: bytes, *, url: str, content_type: str) -> dict[str, Any]:
    """A page that is nothing but its text; arguments and answer as in `parse_page`."""
    return {"text": tidy(decode(body, content_type))[:MAX_TEXT], "url": url, "pdf": None}


def _markup(body: bytes, content_type: str) -> str:
    """The page as text. Pages name their character set in a header, in a tag, or wrongly."""
    found = _CHARSET.search(body[:4096])
    if found and "charset" not in content_type.lower():
        content_type = f"{content_type}; charset={found.group(1).decode('ascii')}"
    markup = decode(body, content_type)
    # The library takes a page for something else if it leaves out, as it may, the tags around it.
    return markup if "<html" in markup[:4096].lower() else f"<html>{markup}"


def _wall(text: str, shown: str, title: str, url: str, *, login: bool, scripted: bool) -> str | None:
    """What stands in the place of a short article, in words; None if it may be the article.

    Args:
        text: The article as it was found.
        shown: All words of the page.
        title: Of the page.
        url: Of the page.
        login: Whether it asks for a password.
        scripted: Whether there is little on it but scripts.
    """
    nothing = len(text) < NOTHING
    if _PAYWALL.search(shown):
        return "the rest is sold by its publisher (paywall)"
    if nothing and _ROBOTS.search(f"{title} {text}"):
        return "its site wants proof that a person asks, which a program cannot give"
    if nothing and _MISSING.search(title):
        return "its page says that it was not found"
    if _LOGIN_PATH.search(urlsplit(url).path) or (nothing and login):
        return "its page asks for a login"
    if len(_CONSENT.findall(text)) > CONSENT_SHARE * len(text.split()) or "consent" in _host(url):
        return "its page wants an answer about cookies before it shows its text"
    if nothing and scripted:
        return "its page is put together by scripts, which are not run"
    return None if text else "no article was found on its page"


def _is_scripted(tree: Element) -> bool:
    """Whether scripts are most of a page, or it says itself that it is nothing without them."""
    asked = any(_SCRIPT_WANTED.search(element.text_content()) for element in tree.iter("noscript"))
    code = sum(len(script.text or "") + 200 * bool(script.get("src")) for script in tree.iter("script"))
    return asked or code > 2 * len(_shown(tree))


def _shown(tree: Element) -> str:
    """All words of a page that a reader would see, in one line."""
    return " ".join(" ".join(_TEXTS(tree)).split())[:MAX_TEXT]


def _drop_hidden(tree: Element) -> None:
    """Takes out what no reader would see. Not the whole page: some are hidden until a script has run."""
    for element in [e for e in tree.iter("*") if e.tag not in ("html", "body") and is_hidden(e)]:
        element.drop_tree()


def _own_address(tree: Element, url: str) -> str:
    for link in tree.iterfind(".//link[@rel='canonical']"):
        own = web_url(link.get("href"), url)
        # Another host would be a stranger's word for whose text this is; the front page is a mistake.
        if own and _host(own) == _host(url) and urlsplit(own).path.strip("/"):
            return own
    return url


def _paper(tree: Element, url: str) -> str | None:
    """By the tag that publishers of papers put there for search engines."""
    for tag in tree.iterfind(".//meta[@name='citation_pdf_url']"):
        if address := web_url(tag.get("content"), url):
            return address
    return None


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")
