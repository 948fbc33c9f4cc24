"""What is bought again, by rhythm and by count."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import crmkit
from crmkit.core.errors import DataError


def regulars(n_customers=200, seed=0):
    """Each customer buys coffee every 20 days or so, a lamp once, and rice every 60 days or so."""
    random = np.random.default_rng(seed)
    rows = []
    for customer in range(n_customers):
        for item, gap in (("coffee", 20), ("rice", 60)):
            days = np.cumsum(np.r_[random.integers(0, gap), random.integers(gap - 3, gap + 4, 40)])
            rows += [(customer, item, day) for day in days[days < 300]]
        rows.append((customer, "lamp", int(random.integers(0, 290))))
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "day"])


@pytest.fixture(scope="module")
def model():
    return crmkit.create("recommender", "repeat-purchase", horizon_days=20).fit(regulars())


def test_chances_come_true(model):
    later = regulars(seed=1)
    model = crmkit.create("recommender", "repeat-purchase", horizon_days=20).fit(later, cutoff="1970-09-28")  # day 270
    assert model.method_ == "rhythm"
    table = model.rhythm()
    bought = later[(later["day"] >= 270) & (later["day"] < 290)][["customer_id", "item_id"]].drop_duplicates()
    table["bought"] = table.merge(bought, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    by_item = table.groupby("item_id")[["chance", "bought"]].mean()
    # A model with one slope for every item need not be exact for each.
    assert by_item["chance"].to_numpy() == pytest.approx(by_item["bought"].to_numpy(), abs=0.12)
    assert by_item["chance"].idxmax() == "coffee"


def test_the_rhythm_of_a_customer_is_shown(model):
    table = model.rhythm([3, 5, "nobody"])
    assert set(table["customer_id"]) == {3, 5}
    mine = regulars().query("customer_id == 3 and item_id == 'coffee'")["day"]
    row = table.query("customer_id == 3 and item_id == 'coffee'").iloc[0]
    assert row["times"] == len(mine)
    assert row["gap_days"] == pytest.approx((mine.max() - mine.min()) / (len(mine) - 1))
    assert row["days_since"] == regulars()["day"].max() + 1 - mine.max()
    assert row["due_in_days"] == pytest.approx(row["gap_days"] - row["days_since"])
    assert table.query("item_id == 'lamp'")["gap_days"].isna().all()
    assert (table.groupby("customer_id")["chance"].diff().dropna() <= 0).all()


def test_its_reason_is_the_item_itself(model):
    lists = model.recommend([3], 3)
    reasons = model.explain(lists)
    assert reasons["because"].tolist() == lists["item_id"].tolist()
    assert reasons["weight"].tolist() == lists["score"].tolist()
    assert lists["score"].between(0, 1).all()


def test_counts_are_net_of_refunds_and_ties_go_to_what_is_popular():
    sales = {
        "customer_id": ["a"] * 6 + ["b", "c"],
        "item_id": ["x", "x", "x", "y", "y", "z", "z", "z"],
        "quantity": [1, 1, -2, 1, 1, 1, 1, 1],
    }
    sales["customer_id"] += ["a", "a"]
    sales["item_id"] += ["w", "w"]
    sales["quantity"] += [1, 1]
    model = crmkit.create("recommender", "repeat-purchase").fit(sales)
    assert model.method_ == "count"
    lists = model.recommend(["a"], 3)
    assert lists["item_id"].tolist() == ["w", "y", "z"]
    assert lists["score"].tolist() == pytest.approx([2.0, 2.0, 1.0], rel=1e-5)
    with pytest.raises(DataError, match="this one scores by count"):
        model.rhythm()


def test_rhythm_needs_days_and_history():
    sales = regulars(5)
    with pytest.raises(DataError, match="by rhythm needs the column time or day"):
        crmkit.create("recommender", "repeat-purchase", method="rhythm").fit(sales.drop(columns="day"))
    with pytest.raises(DataError, match="over at least two horizons of 200 days"):
        crmkit.create("recommender", "repeat-purchase", method="rhythm", horizon_days=200).fit(sales)
    once = sales.drop_duplicates(["customer_id", "item_id"])
    assert crmkit.create("recommender", "repeat-purchase").fit(once).method_ == "count"
