"""LaTeX as it stands in bibliographies, to the Unicode text that it stands for."""

from __future__ import annotations

import re

from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
from pylatexenc.latexwalker import LatexWalkerError

MAX_LATEX = 50_000
"""Characters of one value that are decoded; more than that is no title and no abstract."""

_SPECIAL = re.compile(r"[\\{}$~]|--|``|''")
_BARE_PERCENT = re.compile(r"(?<!\\)%")
_MARKS = re.compile(r"[{}\\]")
_BARE_DOLLAR = re.compile(r"(?<!\\)\$")

_WORDS = {"TeX": "TeX", "LaTeX": "LaTeX", "LaTeXe": "LaTeX2e", "BibTeX": "BibTeX", "XeTeX": "XeTeX"}

_SIGNS = {
    "textbraceleft": "{",
    "textbraceright": "}",
    "textasciicircum": "^",
    "textquotedbl": '"',
    "par": "\n\n",
}


def _decoder() -> LatexNodes2Text:
    database = get_default_latex_context_db()
    database.add_context_category(
        "bibliography",
        prepend=True,
        macros=[
            *(MacroTextSpec(macro, simplify_repl=word) for macro, word in _WORDS.items()),
            *(MacroTextSpec(macro, simplify_repl=sign) for macro, sign in _SIGNS.items()),
            MacroTextSpec("url", simplify_repl="%s"),
            MacroTextSpec("href", simplify_repl=r"%(2)s"),
        ],
    )
    return LatexNodes2Text(latex_context=database, math_mode="text", keep_comments=True)


_DECODER = _decoder()


def latex_to_text(value: str) -> str:
    """The text of a value of a BibTeX field; what is no LaTeX comes back as it is.

    Formulas become characters where there are some for them. A percent sign is one, not a comment, and a lone
    dollar is a dollar: few programs that write BibTeX escape them.
    """
    if not _SPECIAL.search(value):
        return value
    value = value[:MAX_LATEX]
    source = _BARE_PERCENT.sub(r"\\%", value)
    if len(_BARE_DOLLAR.findall(source)) % 2:
        source = _BARE_DOLLAR.sub(r"\\$", source)
    try:
        text = _DECODER.latex_to_text(source).replace("\xa0", " ")
    except (LatexWalkerError, RecursionError, ValueError, LookupError, TypeError, AttributeError):
        text = ""
    return text if text.strip() else _MARKS.sub("", value)
