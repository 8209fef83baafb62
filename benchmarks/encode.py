"""How fast and how true our encoder is: against `SentenceTransformer.encode` in fp32, interleaved.

    python benchmarks/encode.py [--threads 1] [--rounds 3] [--tokens 20000] [--dtype bfloat16]

The texts are generated from a fixed seed: words of a small English vocabulary, the frequent ones often,
in sentences of about 26 word pieces. A sentence is one, an abstract has 6 to 9 of them, a newsletter 20 to
60 in paragraphs, of which the encoder's window holds the first 254 pieces. Both encoders take turns on the
same texts in the same process, because what else a machine does changes from second to second; the ratio
is that of the best rounds. CPU seconds count all threads.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer

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


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a line for each kind of text."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=20_000, help="of each kind of text")
    native = "bfloat16" if has_native_bf16() else "float32"
    parser.add_argument("--dtype", choices=["float32", "bfloat16"], default=native, help="of ours")
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

    say(f"torch {torch.__version__}, {options.threads} threads, ours in {options.dtype}")
    say(
        f"{'':12}{'texts/s':>9}{'tokens/s':>10}{'per CPU-s':>11}{'plain':>8}"
        f"{'ratio':>8}{'cosine':>10}{'least':>9}"
    )
    for kind in ("sentences", "abstracts", "newsletters"):
        texts = texts_of(kind, options.tokens)
        tokens = sum(len(ids) for ids in plain.tokenizer(texts, truncation=True)["input_ids"])
        for encode in (encode_ours, encode_plain):
            encode(texts[:8])
        rounds = [(timed(encode_ours, texts), timed(encode_plain, texts)) for _ in range(options.rounds)]
        cpu, wall = (min(mine[n] for mine, _ in rounds) for n in (0, 1))
        plain_cpu = min(theirs[0] for _, theirs in rounds)
        cosine = (rounds[0][0][2] * rounds[0][1][2]).sum(axis=1)
        say(
            f"{kind:12}{len(texts) / wall:9.1f}{tokens / wall:10.0f}{tokens / cpu:11.0f}"
            f"{tokens / plain_cpu:8.0f}{plain_cpu / cpu:8.2f}{cosine.mean():10.6f}{cosine.min():9.5f}"
        )


def say(line: str) -> None:
    """Prints it at once: a run takes minutes."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
