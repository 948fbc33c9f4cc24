"""Seeded tables for density clustering: such as customer bases give, and such as hurt."""

from __future__ import annotations

import numpy as np


def rfm(n: int, seed: int = 0, *, discrete: bool = False) -> np.ndarray:
    """Draw customers who buy at rates of their own, leave, and are seen as five log-scaled columns.

    Days since the last purchase, days since the first, purchases, total spend and mean spend; days and money are whole
    numbers in the discrete table, as they are in a shop's own.
    """
    random = np.random.default_rng(seed)
    age = random.uniform(30, 700, n)
    alive = np.minimum(age, random.exponential(400, n))
    rate = random.gamma(0.8, 1 / 40, n)
    repeats = random.poisson(rate * alive)
    last = np.where(repeats > 0, alive * random.beta(np.maximum(repeats, 1), 1), 0.0)
    mean = 35 * random.gamma(6, 1 / 5, n) * random.lognormal(0, 0.4, n)
    recency, spend = age - last, mean * (repeats + 1)
    if discrete:
        recency, age, spend, mean = np.floor(recency), np.floor(age), np.round(spend), np.round(mean)
        purchases = repeats + 1.0
    else:
        purchases = repeats + random.uniform(0.5, 1.5, n)
    table = np.log1p(np.column_stack([recency, age, purchases, spend, mean]))
    return (table - table.mean(axis=0)) / table.std(axis=0)


def clumps(n: int, seed: int = 0) -> np.ndarray:
    """Draw thousands of small clumps in five columns."""
    random = np.random.default_rng(seed)
    middles = random.uniform(0, 10, (max(1, n // 33), 5))
    return middles[random.integers(len(middles), size=n)] + random.normal(0, 0.02, (n, 5))


def filaments(n: int, seed: int = 0) -> np.ndarray:
    """Draw 200 crossing threads in five columns."""
    random = np.random.default_rng(seed)
    which, ends = random.integers(200, size=n), random.uniform(0, 10, (200, 5))
    way = random.normal(size=(200, 5))
    way /= np.linalg.norm(way, axis=1)[:, None]
    return ends[which] + way[which] * random.uniform(0, 6, n)[:, None] + random.normal(0, 0.02, (n, 5))


def parallels(n: int, seed: int = 0) -> np.ndarray:
    """Draw 400 parallel threads, a little more than .1 apart."""
    random = np.random.default_rng(seed)
    which = random.integers(400, size=n)
    place = np.column_stack([which % 20 * 0.12, which // 20 * 0.12, random.uniform(0, 4, n)])
    return place + random.normal(0, 0.003, (n, 3))


def cloud(n: int, seed: int = 0) -> np.ndarray:
    """Draw one Gaussian cloud in twenty columns."""
    return np.random.default_rng(seed).normal(size=(n, 20))
