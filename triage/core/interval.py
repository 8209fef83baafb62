"""How far a share of a few trials can be trusted. Pure; loads no numbers."""

from __future__ import annotations

import math

Z = 1.645
"""Quantile of the standard normal distribution: the interval holds the true share 9 times in 10."""


def wilson(successes: float, trials: float) -> tuple[float, float]:
    """The interval in which the share of successes lies, in [0, 1]; all of it where nothing was tried.

    That of Wilson (1927), which stays honest with few trials and at 0 and 1: 0 of 2 says no more than "below
    58 %". Trials may be weighed, so they need not be whole.
    """
    if trials <= 0:
        return 0.0, 1.0
    share, square = successes / trials, Z * Z
    centre = share + square / (2 * trials)
    reach = Z * math.sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    scale = 1 + square / trials
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)
