"""Gives memory that a round has used back to the system, so that months of rounds leave a small process."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Returns the free pages of the heap, where the C library (glibc) has a function for it.

    Between rounds the parent holds what the pages of the largest round were scattered over: 118 MB after
    100,000 items and slowly more, against 67 MB with this (benchmarks/soak.py). It takes milliseconds.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
