"""Items as BibTeX and RIS: pure functions from citations to text that other programs read.

Owns the escaping: what a stranger wrote must neither end a field nor become a command of LaTeX.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",  # an escaped brace would still count as one to BibTeX
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "$&#%_"},
}
_SPECIALS = re.compile(r"[\\{}~^$&#%_]")
_LIGATURES = re.compile(r"-(?=-)|`(?=`)|'(?=')")
# As pandoc tells formulas from prices.
_FORMULA = re.compile(r"\$(?!\s)([^$]{1,300})(?<!\s)\$(?!\d)")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_FORMULA_TEXT = re.compile(r"[A-Za-z0-9 ^_{}+\-*/=<>()\[\]|,.:;!']*")
# Commands that do nothing but draw; `\input`, `\write` and their kin are none of them.
_DRAWING = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau
upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega ell infty partial nabla
mathcal mathbb mathrm mathbf mathfrak mathsf text operatorname hat bar tilde vec dot sqrt frac sum prod int
log exp min max sup inf lim in notin subset to rightarrow leftarrow leq geq le ge ne neq approx sim equiv
times cdot pm mp otimes oplus cup cap forall exists left right langle rangle lVert rVert prime
"""
_HARMLESS = frozenset(_DRAWING.split())
_MIXED_CASE = re.compile(r"(?<![\w\\{])(?=\w*[a-z0-9]?\w+[A-Z]|\w*[A-Z]\w*[A-Z])\w+", re.UNICODE)
_GROUP = re.compile(
    r"\b(?:collaboration|consortium|group|team|committee|network|organi[sz]ation)\b", re.IGNORECASE
)
_SUFFIX = re.compile(r"(?:jr|sr)\.?|ii|iii|iv", re.IGNORECASE)
_PROCEEDINGS = re.compile(r"\b(proceedings|conference|workshop|symposium|proc\.)", re.IGNORECASE)
_SMALL = "a an the on in of for and to with is are by from at towards how what"
_SMALL_WORDS = frozenset(_SMALL.split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """What is to be said of an item elsewhere. Texts are sanitised, as stored."""

    title: str
    kind: str = "paper"
    people: tuple[str, ...] = ()
    published: datetime | None = None
    text: str = ""
    url: str | None = None
    tags: tuple[str, ...] = ()
    identifiers: Mapping[str, str] = field(default_factory=dict)
    source: str = ""


def bibtex(citations: Iterable[Citation]) -> str:
    """BibTeX in UTF-8: papers with a journal as @article or @inproceedings, everything else as @misc."""
    return "\n".join(_bibtex_entry(key, citation) for key, citation in _keyed(citations))


def ris(citations: Iterable[Citation]) -> str:
    """RIS in UTF-8: papers as JOUR, preprints as UNPB, everything else as ELEC."""
    return "\n".join(_ris_entry(key, citation) for key, citation in _keyed(citations))


def citation_key(citation: Citation) -> str:
    """`lovelace2026bounds-k4t`: the same wherever and with whatever else the item is exported.

    Family name, year and the first word of the title that tells anything; then a hash of the whole title and
    the first author, because readable keys alone collide.
    """
    family = split_name(citation.people[0])[1] if citation.people else ""
    words = [_plain(word) for word in re.findall(r"\w+", citation.title)]
    telling = next((word for word in words if word and word not in _SMALL_WORDS), "")
    year = str(citation.published.year) if citation.published else ""
    head = f"{_plain(family)[:20]}{year}{telling[:20]}" or "item"
    work = "\0".join([" ".join(words), _plain(family), citation.url or ""])
    digest = int.from_bytes(hashlib.sha256(work.encode("utf-8", "replace")).digest()[:4], "big")
    tail = ""
    for _ in range(4):
        digest, digit = divmod(digest, 32)
        tail += "23456789abcdefghijkmnpqrstuvwxyz"[digit]
    return f"{head}-{tail}"


def split_name(name: str) -> tuple[str, str, str]:
    """Given names, family name with its particle, and suffix; of a group only a family name."""
    name = " ".join(name.partition("<")[0].replace('"', "").split()) or name
    if "," in name or _GROUP.search(name) or name.lower().startswith("the "):
        return "", name, ""
    parts = name.split()
    suffix = parts.pop() if len(parts) > 2 and _SUFFIX.fullmatch(parts[-1]) else ""
    start = len(parts) - 1
    while start > 1 and parts[start - 1][:1].islower():
        start -= 1
    return " ".join(parts[:start]), " ".join(parts[start:]), suffix


def _keyed(citations: Iterable[Citation]) -> list[tuple[str, Citation]]:
    keyed: dict[str, Citation] = {}
    for citation in citations:
        key = base = citation_key(citation)
        number = 2
        while key in keyed:
            key, number = f"{base}{number}", number + 1
        keyed[key] = citation
    return list(keyed.items())


def _bibtex_entry(key: str, citation: Citation) -> str:
    names, venue = citation.identifiers, citation.identifiers.get("venue", "")
    fields: dict[str, str] = {
        "title": _protected(latex(citation.title)),
        "author": " and ".join(map(_bibtex_name, citation.people)),
    }
    if citation.published:
        fields |= {"year": str(citation.published.year), "month": f"{citation.published.month}"}
        fields["date"] = citation.published.date().isoformat()
    form = "misc"
    if citation.kind == "paper" and venue:
        form = "inproceedings" if _PROCEEDINGS.search(venue) else "article"
        fields["booktitle" if form == "inproceedings" else "journal"] = latex(venue)
    elif citation.source:
        fields["howpublished"] = latex(citation.source)
    fields["doi"] = _verbatim(names.get("doi", ""))
    if arxiv := names.get("arxiv"):
        fields |= {"eprint": _verbatim(arxiv), "archiveprefix": "arXiv"}
    fields |= {
        "pmid": _verbatim(names.get("pmid", "")),
        "url": _verbatim(citation.url or ""),
        "keywords": latex(", ".join(tag.replace(",", " ") for tag in citation.tags)),
        "abstract": r" \par ".join(latex(part) for part in citation.text.split("\n\n") if part.strip()),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value]
    return "\n".join([f"@{form}{{{key},", *lines, "}", ""])


def _ris_entry(key: str, citation: Citation) -> str:
    names, venue = citation.identifiers, citation.identifiers.get("venue", "")
    preprint = not venue and "arxiv" in names
    form = ("UNPB" if preprint else "JOUR") if citation.kind == "paper" else "ELEC"
    lines = [("TY", form), ("ID", key), ("TI", citation.title)]
    for person in citation.people:
        given, family, suffix = split_name(person)
        lines.append(("AU", ", ".join(part for part in (family, given, suffix) if part)))
    if citation.published:
        lines += [("PY", str(citation.published.year)), ("DA", f"{citation.published:%Y/%m/%d}")]
    lines += [("T2", venue or ("" if citation.kind == "paper" else citation.source))]
    lines += [("AB", citation.text), ("DO", names.get("doi", ""))]
    lines += [("UR", citation.url or ""), *(("KW", tag) for tag in citation.tags)]
    # A value is one line: what looks like the next field must not begin one.
    written = ((tag, " ".join(value.split())) for tag, value in lines)
    return "\n".join([*(f"{tag}  - {value}" for tag, value in written if value), "ER  - ", ""])


def latex(text: str) -> str:
    """Text as LaTeX that prints it; formulas stay formulas if every command in them is known as harmless."""
    text = " ".join(text.split())
    out, at = [], 0
    for formula in _FORMULA.finditer(text):
        if not _is_harmless(formula.group(1)):
            continue
        out += [_escaped(text[at : formula.start()]), formula.group()]
        at = formula.end()
    return "".join([*out, _escaped(text[at:])])


def _is_harmless(formula: str) -> bool:
    depth = 0
    for character in formula:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            return False
    commands = _COMMAND.findall(formula)
    return (
        depth == 0
        and bool(formula.strip())
        and set(commands) <= _HARMLESS
        and _FORMULA_TEXT.fullmatch(_COMMAND.sub("", formula)) is not None
    )


def _escaped(text: str) -> str:
    return _SPECIALS.sub(lambda found: _SPECIAL[found.group()], _LIGATURES.sub("\\g<0>\0", text)).replace(
        "\0", "{}"
    )


def _protected(title: str) -> str:
    """Words with capitals inside, in braces: styles would write BERT in small letters."""
    pieces = re.split(r"(\$[^$]*\$|\\[A-Za-z]+(?:\{\})?|\\.|\{\})", title)
    return "".join(
        piece if number % 2 else _MIXED_CASE.sub(r"{\g<0>}", piece) for number, piece in enumerate(pieces)
    )


def _bibtex_name(name: str) -> str:
    given, family, suffix = split_name(name)
    if not given:
        return f"{{{_escaped(family)}}}"
    parts = (family, suffix, given) if suffix else (family, given)
    braced = (f"{{{part}}}" if re.search(r"\band\b", part) else part for part in map(_escaped, parts))
    return ", ".join(braced)


def _verbatim(value: str) -> str:
    """A value that is no prose, such as a URL, without what would end its field."""
    return re.sub(r"[{}\\\s]", "", value)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    return re.sub(r"[^a-z0-9]", "", decomposed.casefold())
