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


@pytest.fixture(scope="session")
def simulated_gaps():
    """Give a function that draws customers with Erlang gaps: their summary in weeks, and what they did after it."""

    def draw(n, *, k=1, at_first=False, seed=0, r=0.5, alpha=8.0, a=0.8, b=2.5, weeks=52.0, age=None, horizon=0.0):
        random = np.random.default_rng(seed)
        # The scale is that of purchases: stages come k times as fast.
        rate, leave = random.gamma(r, k / alpha, n), random.beta(a, b, n)
        ages = random.uniform(weeks / 2, weeks, n) if age is None else np.full(n, float(age))
        alive = random.random(n) > leave if at_first else np.ones(n, dtype=bool)
        time, last, repeats, log_gaps, later, alive_then = (np.zeros(n) for _ in range(6))
        active = alive.copy()
        while active.any():
            time = time + random.gamma(k, 1.0, n) / rate
            # Whoever passes the cutoff without having left is alive at it.
            alive_then += active & (time >= ages) & (later == 0)
            active &= time < ages + horizon
            seen = active & (time < ages)
            log_gaps += np.log(np.where(seen, time - last, 1.0))
            repeats += seen
            last = np.where(seen, time, last)
            later += active & (time >= ages)
            active &= random.random(n) > leave
        gaps = np.maximum(repeats, 1)
        even = np.where(repeats > 0, np.exp(np.minimum(log_gaps / gaps - np.log(np.maximum(last, 1e-9) / gaps), 0)), 0)
        summary = pd.DataFrame(
            {"repeats": repeats.astype(int), "last_purchase_weeks": last, "age_weeks": ages, "gap_evenness": even},
            index=pd.Index([f"c{number}" for number in range(n)], name="customer_id"),
        )
        return summary, pd.DataFrame({"alive": alive_then > 0, "purchases": later}, index=summary.index)

    return draw
