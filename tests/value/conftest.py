"""The purchase summaries lifetime models are proved on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit.preparation import purchase_summary


@pytest.fixture(scope="session")
def cdnow_summary(cdnow):
    """Give the published calibration table: 39 weeks to 1997-09-30."""
    return purchase_summary(cdnow, cutoff="1997-10-01")


@pytest.fixture(scope="session")
def simulated():
    """Give a function that draws a purchase summary in weeks from the BG/NBD process."""

    def draw(n, *, seed=0, r=0.5, alpha=8.0, a=0.8, b=2.5, weeks=52.0):
        random = np.random.default_rng(seed)
        rate, leave = random.gamma(r, 1 / alpha, n), random.beta(a, b, n)
        age = np.ceil(random.uniform(weeks / 2, weeks, n) * 7) / 7
        time, last, repeats, alive = np.zeros(n), np.zeros(n), np.zeros(n), np.ones(n, dtype=bool)
        while alive.any():
            time += random.exponential(1.0, n) / rate
            alive &= time < age
            repeats += alive
            last = np.where(alive, time, last)
            alive &= random.random(n) > leave
        return pd.DataFrame(
            {"repeats": repeats.astype(int), "last_purchase_weeks": np.floor(last * 7) / 7, "age_weeks": age},
            index=pd.Index([f"c{number}" for number in range(n)], name="customer_id"),
        )

    return draw
