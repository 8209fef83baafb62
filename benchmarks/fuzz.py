"""Coverage-guided fuzzing of every parser of untrusted bytes, by atheris.

    pip install atheris
    python benchmarks/fuzz.py [--seconds 60] [--only NAME] [--corpus FOLDER]

Each entry point of `ingestors/parsers` runs in a process of its own and begins with the sound and the hostile
documents of `tests/ingestors/mutations.py`. An input is a finding if the parser raises what its child would
not turn into a refusal, if it takes longer than 10 s, if the process needs more than 2 GB or dies, or if what
would be stored of an entry still holds a control character. Findings are left in the corpus folder. Prints
how many inputs each parser was given; atheris is no dependency of the project.
"""

from __future__ import annotations

import argparse
import pkgutil
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "ingestors")]

NOW = datetime(2026, 11, 1, tzinfo=UTC)
UNIT_S = 10
MEMORY_MB = 2048
MUTANTS = 600
"""Hostile documents to begin with, of all parsers together."""
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def main() -> None:
    """Fuzzes one parser after the other, or is the process of one."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--seconds", type=int, default=60, help="for each parser")
    options.add_argument("--only", default="", help="parsers whose name holds this")
    options.add_argument("--corpus", type=Path, help="where inputs are kept for the next run")
    options.add_argument("--child", help=argparse.SUPPRESS)
    given = options.parse_args()
    corpus = given.corpus or Path(tempfile.mkdtemp(prefix="triage-fuzz-"))
    if given.child:
        fuzz(given.child, corpus, given.seconds)
    else:
        sys.exit(fuzz_all(given.only, corpus, given.seconds))


def fuzz_all(only: str, corpus: Path, seconds: int) -> int:
    """Runs the parsers whose name holds `only`; returns how many have a finding."""
    from mutations import mutant, seeds

    known = seeds()
    documents = [*known, *(mutant(known, number)[0] for number in range(MUTANTS))]
    found = total = 0
    _say(f"{'parser':<42}{'inputs':>10}{'a second':>10}")
    for parser in sorted({seed.parser for seed in known if only in seed.parser}):
        folder = corpus / parser.replace(":", ".")
        folder.mkdir(parents=True, exist_ok=True)
        for number, document in enumerate(documents):
            if document.parser == parser:
                (folder / f"seed-{number}").write_bytes(document.body)
        command = [sys.executable, __file__, "--child", parser, "--corpus", str(folder)]
        run = subprocess.run(
            [*command, "--seconds", str(seconds)],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
        done = _DONE.search(run.stderr)
        name = parser.removeprefix("ingestors.parsers.")
        if run.returncode or done is None:
            found += 1
            _say(f"{name:<42}{'FINDING':>10}  see {folder}\n{run.stderr[-3_000:]}")
            continue
        count, took = map(int, done.groups())
        total += count
        _say(f"{name:<42}{count:>10,}{count / max(took, 1):>10,.0f}")
    _say(f"{'all':<42}{total:>10,}; {found} with a finding; inputs in {corpus}")
    return found


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def fuzz(parser: str, corpus: Path, seconds: int) -> None:
    """The process of one parser; does not return."""
    import atheris

    with atheris.instrument_imports(
        include=["ingestors", "feedparser", "email", "html"], enable_loader_override=False
    ):
        run = pkgutil.resolve_name(parser)
        from mutations import seeds

        from ingestors.parse_child import PARSER_ERRORS
        from ingestors.wire import RefusalError, to_entry
        from triage.services.fetching.translate import new_item
    seed = next(seed for seed in seeds() if seed.parser == parser)

    def one(data: bytes) -> None:
        try:
            answer = run(data, **seed.like(data).params)
        except (RefusalError, RecursionError, MemoryError, *PARSER_ERRORS):
            return
        for entry in answer.get("entries", ()):
            item = new_item(to_entry(entry), "feed", NOW)
            assert not _CONTROL.search("".join([item.title, item.text, *item.people, *item.tags]))

    limits = [
        f"-max_total_time={seconds}",
        f"-timeout={UNIT_S}",
        f"-rss_limit_mb={MEMORY_MB}",
        "-max_len=60000",
    ]
    atheris.Setup([sys.argv[0], str(corpus), f"-artifact_prefix={corpus}/finding-", *limits], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
