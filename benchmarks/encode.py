"""How fast and how true our encoder is: against `SentenceTransformer.encode` in fp32, interleaved.

    python benchmarks/encode.py [--threads 1] [--rounds 3] [--tokens 20000] [--dtype bfloat16] [--json]

The texts are generated from a fixed seed: words of a small English vocabulary, the frequent ones often,
in sentences of about 26 word pieces. A sentence is one, an abstract has 6 to 9 of them, a newsletter 20 to
60 in paragraphs, of which the encoder's window holds the first 254 pieces. Both encoders take turns on the
same texts in the same process, because what else a machine does changes from second to second. CPU seconds
count all threads.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from timing import CPU, OURS, WALL, Figures, ratios, say, spread, values

from model.bert_encoder import BertEncoder
from model.encode_child import has_native_bf16
from model.encoder import find_weights
from model.types import Window

SEED = 20
WORDS = """
    the of and to a in that is was for with as on by this are from which an be at or we our it not have their
    model data method results paper show new study learning system time network attention based language
    different large problem training work approach between analysis performance first number two more
    present quantum protein market election climate energy patients treatment galaxy software release
    community theorem estimation Bayesian transformer retrieval embedding reinforcement diffusion inference
    annotated robustness microbiome photosynthesis heterogeneous spatiotemporal cryptocurrency Mediterranean
    reproducibility investors shareholders quarterly announced acquisition regulators parliament
    negotiations infrastructure recipe garden weekend bicycle museum orchestra novel interview photograph
    neighbourhood volunteers library however, therefore, (2019) 37% 1,024 state-of-the-art e.g.
    GPU-accelerated non-linear O(n log n) p < 0.05
"""

KINDS = ("sentences", "abstracts", "newsletters")
PLAIN = "SentenceTransformer fp32"
RATE, MEAN, LEAST = "tokens a CPU s", "cosine", "least cosine"

Vectors = NDArray[np.float32]


def sentence(choose: np.random.Generator) -> str:
    """About 26 word pieces; the words at the top of the list are the frequent ones."""
    words = WORDS.split()
    places = len(words) * choose.random(choose.integers(8, 27)) ** 1.7
    return " ".join(words[int(place)] for place in places).capitalize() + "."


def passage(choose: np.random.Generator, least: int, most: int, joint: str = " ") -> str:
    """Between `least` and `most` sentences."""
    return joint.join(sentence(choose) for _ in range(choose.integers(least, most + 1)))


def texts_of(kind: str, tokens: int) -> list[str]:
    """Texts of a kind, about `tokens` word pieces within the window in all."""
    choose = np.random.default_rng(SEED)
    if kind == "sentences":
        return [sentence(choose) for _ in range(tokens // 26)]
    if kind == "abstracts":
        return [passage(choose, 6, 9) for _ in range(tokens // 190)]
    return [passage(choose, 20, 60, "\n\n") for _ in range(tokens // 254)]


def timed(encode: Callable[[Sequence[str]], Vectors], texts: Sequence[str]) -> tuple[float, float, Vectors]:
    """CPU seconds, wall seconds and the vectors."""
    cpu, wall = time.process_time(), time.perf_counter()
    vectors = encode(texts)
    return time.process_time() - cpu, time.perf_counter() - wall, vectors


def compared(
    ours: Callable[[Sequence[str]], Vectors],
    plain: Callable[[Sequence[str]], Vectors],
    texts: Sequence[str],
    tokens: int,
) -> dict[str, Figures]:
    """Both once."""
    (cpu, wall, mine), (plain_cpu, plain_wall, theirs) = timed(ours, texts), timed(plain, texts)
    cosine = (mine * theirs).sum(axis=1)
    own = {MEAN: float(cosine.mean()), LEAST: float(cosine.min())}
    return {
        OURS: {CPU: cpu, WALL: wall, RATE: tokens / cpu, "texts a wall s": len(texts) / wall, **own},
        PLAIN: {
            CPU: plain_cpu,
            WALL: plain_wall,
            RATE: tokens / plain_cpu,
            "texts a wall s": len(texts) / plain_wall,
        },
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a line for each kind of text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=20_000, help="of each kind of text")
    native = "bfloat16" if has_native_bf16() else "float32"
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default=native, help="of ours")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--json", action="store_true", help="the figures as one JSON document")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    folder = find_weights().path
    ours = BertEncoder(folder, torch.device("cpu"), getattr(torch, options.dtype))
    plain = SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    def encode_ours(texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), ours.dim), dtype=np.float32)
        for numbers, found in ours.encode([Window(text) for text in texts]):
            vectors[numbers] = found
        return vectors

    def encode_plain(texts: Sequence[str]) -> Vectors:
        return np.asarray(plain.encode(list(texts), normalize_embeddings=True, show_progress_bar=False))

    found: dict[str, list[dict[str, Figures]]] = {}
    for kind in options.kinds:
        texts = texts_of(kind, options.tokens)
        tokens = sum(len(ids) for ids in plain.tokenizer(texts, truncation=True)["input_ids"])
        for encode in (encode_ours, encode_plain):
            encode(texts[:8])
        found[kind] = [compared(encode_ours, encode_plain, texts, tokens) for _ in range(options.rounds)]
    if options.json:
        say(json.dumps(found))
        return
    say(f"torch {torch.__version__}, {options.threads} threads, ours in {options.dtype}")
    for kind, rounds in found.items():
        ours_of, plain_of = ([each[name] for each in rounds] for name in (OURS, PLAIN))
        say(
            f"{kind:12} tokens a CPU s {spread(values(ours_of, RATE))},"
            f" plain {spread(values(plain_of, RATE))}, times {spread(ratios(ours_of, plain_of, RATE))},"
            f" cosine {min(values(ours_of, MEAN)):.6f}, least {min(values(ours_of, LEAST)):.5f}"
        )


if __name__ == "__main__":
    main()
