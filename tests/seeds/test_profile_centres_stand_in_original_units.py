"""A profile of scaled centres says that customers bought -0.7 times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import segmentation

COLUMNS = ["recency_days", "frequency", "monetary"]


@pytest.fixture(scope="module")
def customers():
    rng = np.random.default_rng(0)
    good = np.arange(300) < 100
    index = pd.Index([f"c{number}" for number in range(300)], name="customer_id")
    return pd.DataFrame(
        {
            "recency_days": rng.integers(1, np.where(good, 30, 365)),
            "frequency": rng.poisson(np.where(good, 25, 1.5)) + 1,
            "monetary": np.round(rng.lognormal(np.where(good, 8, 4), 0.5), 2),
        },
        index=index,
    )


@pytest.mark.parametrize("transform", ["rfm", "scale", "none"])
def test_centres_are_the_medians_and_means_of_the_columns_as_they_came(customers, transform):
    model = segmentation.segment(customers, "kmeans", n_segments=2, transform=transform, random_state=0)
    profile = model.profile
    assert len(profile) == 2
    for name, rows in customers.groupby(model.labels):
        for column in COLUMNS:
            assert profile.loc[name, f"{column}_median"] == pytest.approx(rows[column].median())
            assert profile.loc[name, f"{column}_mean"] == pytest.approx(rows[column].mean())
        assert profile.loc[name, "customers"] == len(rows)
