"""Draws customer bases of any size for benchmarks: ``python customer_bases.py summary|sales PATH N``."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd


def draw_summary(path: str, n: int, *, seed: int = 0) -> None:
    """Write a purchase summary in weeks drawn from the BG/NBD and gamma-gamma processes, with times in whole days."""
    random = np.random.default_rng(seed)
    rate, leave = random.gamma(0.6, 1 / 8.0, n), random.beta(0.8, 2.5, n)
    age = random.integers(1, 731, n) / 7
    time, last, repeats, alive = np.zeros(n), np.zeros(n), np.zeros(n, dtype=np.int64), np.ones(n, dtype=bool)
    while alive.any():
        time += random.exponential(1.0, n) / rate
        alive &= time < age
        repeats += alive
        last = np.where(alive, time, last)
        alive &= random.random(n) > leave
    shape = 6.0 * np.maximum(repeats, 1)
    spend = 15.0 / random.gamma(4.0, 1.0, n) * random.gamma(shape) / np.maximum(repeats, 1)
    pd.DataFrame(
        {
            "customer_id": np.char.add("c", np.char.zfill(np.arange(n).astype(str), 7)),  # sorted, as summaries are
            "repeats": repeats,
            "last_purchase_weeks": np.where(repeats > 0, np.maximum(np.floor(last * 7), 1) / 7, 0.0),
            "age_weeks": np.where(repeats > 0, np.maximum(age, 1 / 7), age),
            "repeat_spend": np.where(repeats > 0, np.maximum(spend, 0.01), 0.0),
        }
    ).to_parquet(path)


def draw_sales(path: str, n: int, *, seed: int = 0) -> None:
    """Write transactions of a year: order lines of about a fifth as many customers."""
    random = np.random.default_rng(seed)
    who = random.integers(0, n // 5, n)
    day = np.minimum(random.integers(0, 365, n // 5)[who] + random.exponential(60.0, n), 364).astype("timedelta64[D]")
    pd.DataFrame(
        {
            "customer_id": np.char.add("c", who.astype(str)),
            "time": pd.to_datetime("2010-01-01") + pd.to_timedelta(day),
            "amount": np.round(random.lognormal(3.0, 1.0, n), 2) + 0.01,
        }
    ).to_parquet(path)


if __name__ == "__main__":
    kind, path, n = sys.argv[1:]
    {"summary": draw_summary, "sales": draw_sales}[kind](path, int(n))
