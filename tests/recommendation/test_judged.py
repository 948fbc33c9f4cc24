"""How lists of a blend are judged while it is learned."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crmkit import metrics
from crmkit.recommendation._judged import Judged, discounts


def test_blends_are_judged_by_the_ndcg_that_metrics_gives():
    random = np.random.default_rng(0)
    n_customers, n_items, n = 40, 25, 10
    row = np.repeat(np.arange(n_customers), n_items)
    item = np.tile(np.arange(n_items), n_customers)
    features = random.normal(size=(len(row), 3))
    bought = random.random(len(row)) < 0.15
    bought[item == row % n_items] = True  # nobody is without a purchase
    relevant = np.bincount(row[bought], minlength=n_customers)
    ideal = np.cumsum(discounts(n))[np.minimum(relevant, n) - 1]
    coefficients = np.array([1.0, -0.5, 2.0])
    gains = Judged(features, bought, row, ideal, n).gains(coefficients)
    lists = pd.DataFrame({"customer_id": row, "item_id": item, "score": features @ coefficients})
    lists["rank"] = lists.groupby("customer_id")["score"].rank(ascending=False).astype(int)
    actual = lists.loc[bought, ["customer_id", "item_id"]]
    scores = metrics.list_scores(lists[lists["rank"] <= n], actual, n=n)["ndcg"]
    np.testing.assert_allclose(gains, scores.sort_index().to_numpy(), atol=1e-12)
