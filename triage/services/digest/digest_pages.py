"""A digest as a document of its own: Markdown, HTML, and text for a mail.

Pure but for the sanitising of what strangers wrote. A page carries nothing that is loaded from anywhere, and
no markup but ours: titles, names and passages are shown literally.
"""

from __future__ import annotations

import html as escaping
import re
import textwrap
from datetime import datetime
from urllib.parse import quote, urlsplit

from triage.core import ending, words
from triage.core.items import Digest, Item, lanes
from triage.core.text import sanitize_line

TEXT_WIDTH = 76
"""Of a mail, so that it survives being quoted."""
KEYS = "Marks teach it: triage mark ID like (or dislike)."
_MARKUP = re.compile(
    r"""[\\`*_\[\]<>|~$]|&(?=\#?\w+;)|:(?=//)|(?<=www)\."""  # inside of a line
    r"""|^(?:[#+=-]|\d{1,9}(?=[.)]))"""  # at its beginning
)

_STYLE = """
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
article { margin: 0 0 1.2rem; } h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { margin: .2rem 0; } .facts, footer { opacity: .75; font-size: .9rem; }
blockquote { margin: .3rem 0; padding-left: .8rem; border-left: 3px solid; }
"""


def headline(digest: Digest) -> str:
    """The first line of any form."""
    demo = " · DEMO, an invented day" if digest.demo else ""
    size = f"{words.plural(len(digest.items), 'item')} · {words.minutes(digest.minutes)}"
    return f"{ending.title(digest)}{demo} · {size}"


def text(digest: Digest, now: datetime) -> str:
    """Lines of at most `TEXT_WIDTH` characters, without decoration; links stand alone."""
    lines = [headline(digest), *(f"! {sanitize_line(warning)}" for warning in digest.warnings)]
    for name, found in lanes(digest.items).items():
        lines += ["", name.upper()]
        for item in found:
            lines += ["", *textwrap.wrap(f"{item.id}  {_title(item)}", TEXT_WIDTH)]
            lines += textwrap.wrap(" · ".join(words.facts(item, now)), TEXT_WIDTH)
            lines += textwrap.wrap(
                words.passage(item), TEXT_WIDTH, initial_indent="  ", subsequent_indent="  "
            )
            if url := _link(item.url):
                lines.append(url)
    lines += ["", "That is all."]
    for sentence in ending.sentences(digest, KEYS):
        lines += textwrap.wrap(sentence, TEXT_WIDTH)
    return "\n".join(lines) + "\n"


def markdown(digest: Digest, now: datetime) -> str:
    """CommonMark, with every character of a stranger's text escaped that could mean something."""
    lines = [f"# {_plain(headline(digest))}", ""]
    lines += [f"> {_plain(warning)}\n" for warning in digest.warnings]
    for name, found in lanes(digest.items).items():
        lines += [f"## {name}", ""]
        for item in found:
            title, url = _plain(_title(item)), _link(item.url)
            lines.append(f"- **[{title}](<{url}>)**  " if url else f"- **{title}**  ")
            lines.append(f"  {_plain(' · '.join(words.facts(item, now)))} · {item.id}")
            if best := words.passage(item):
                lines += ["", f"  > {_plain(best)}"]
            lines.append("")
    lines += ["---", "", "**That is all.**", ""]
    lines += [f"{_plain(sentence)}\n" for sentence in ending.sentences(digest, KEYS)]
    return "\n".join(lines).rstrip() + "\n"


def html(digest: Digest, now: datetime) -> str:
    """One page that loads nothing: no image, script, font or style from elsewhere."""
    head = _escaped(headline(digest))
    parts = [f"<h1>{head}</h1>", *(f"<p>! {_escaped(warning)}</p>" for warning in digest.warnings)]
    for name, found in lanes(digest.items).items():
        parts += [f"<section>\n<h2>{name}</h2>", *(_article(item, now) for item in found), "</section>"]
    said = "\n".join(f"<p>{_escaped(sentence)}</p>" for sentence in ending.sentences(digest, KEYS))
    parts.append(f"<footer>\n<h2>That is all.</h2>\n{said}\n</footer>")
    body = "\n".join(parts)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{head}</title>
<style>{_STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _article(item: Item, now: datetime) -> str:
    title, url = _escaped(_title(item)), _link(item.url)
    linked = f'<a href="{_escaped(url)}" rel="noreferrer noopener">{title}</a>' if url else title
    facts = _escaped(" · ".join([*words.facts(item, now), str(item.id)]))
    best = words.passage(item)
    quoted = f"\n<blockquote>{_escaped(best)}</blockquote>" if best else ""
    return f'<article dir="auto">\n<h3>{linked}</h3>\n<p class="facts">{facts}</p>{quoted}\n</article>'


def _title(item: Item) -> str:
    """With its mark, and how many others tell the same."""
    mark = words.GLYPHS.get(item.state)
    title = sanitize_line(item.title) or "(no title)"
    return f"{mark + ' ' if mark else ''}{title}{words.copies(item)}"


def _link(url: str | None) -> str:
    """An address that a browser may open, without characters that could end it; empty for any other."""
    if url is None:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme.lower() not in ("http", "https") or not parts.netloc:
        return ""
    return quote(sanitize_line(url), safe="!#$%&'*+,-./:;=?@[]_~")


def _plain(said: str) -> str:
    """A stranger's text in one line of Markdown, in which it means nothing."""
    return _MARKUP.sub(_literal, sanitize_line(said))


def _literal(found: re.Match[str]) -> str:
    """A backslash makes punctuation literal; of a number that would begin a list, the character behind it."""
    return f"{found[0]}\\" if found[0][0].isdigit() else f"\\{found[0]}"


def _escaped(said: str) -> str:
    return escaping.escape(sanitize_line(said))
