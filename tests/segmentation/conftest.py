"""Seeded customer tables for the tests of segmentation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def rfm():
    """Give 300 customers in three clear groups: good, occasional, lost."""
    random = np.random.default_rng(0)
    group = np.repeat([0, 1, 2], [60, 140, 100])
    table = pd.DataFrame(
        {
            "recency_days": random.integers(1, 15, 300) + np.array([0, 40, 250])[group],
            "frequency": random.poisson(np.array([20, 4, 0])[group]) + 1,
            "monetary": random.gamma(25, np.array([80.0, 10.0, 2.0])[group]),
        },
        index=pd.Index([f"c{number:03d}" for number in range(300)], name="customer_id"),
    )
    return table.sample(frac=1, random_state=1)
