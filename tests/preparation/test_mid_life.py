from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from crmkit.core.errors import DataWarning
from crmkit.preparation import purchase_summary
from crmkit.preparation._mid_life import starts_mid_life
from crmkit.preparation._purchases import purchase_days


def base(seed, *, history, n=4000, horizon=365, opening=0):
    """Simulate customers who join from ``history`` days before the table, buy at rates of their own, and leave."""
    random = np.random.default_rng(seed)
    joined = random.uniform(-history, horizon, n)
    joined[:opening] = random.uniform(0, 10, opening)
    life = random.exponential(500.0, n)
    count = random.poisson(random.gamma(0.6, 1 / 40, n) * life)
    who = np.concatenate([np.arange(n), np.repeat(np.arange(n), count)])
    day = np.concatenate([joined, joined[who[n:]] + random.random(count.sum()) * life[who[n:]]])
    seen = (day >= 0) & (day < horizon)
    return pd.DataFrame({"customer_id": who[seen].astype(str), "day": day[seen].astype(int), "amount": 1.0})


@pytest.mark.parametrize("seed", range(5))
def test_a_base_older_than_its_table_is_noticed(seed):
    assert starts_mid_life(purchase_days(base(seed, history=1000)))


@pytest.mark.parametrize("seed", range(10))
def test_a_base_that_begins_with_its_table_is_no_alarm(seed):
    assert not starts_mid_life(purchase_days(base(seed, history=0)))


@pytest.mark.parametrize("seed", range(5))
def test_a_shop_that_opens_with_a_crowd_is_no_alarm(seed):
    assert not starts_mid_life(purchase_days(base(seed, history=0, opening=1500)))


def test_a_cohort_that_joins_in_twelve_weeks_is_no_alarm(cdnow):
    for cutoff in ("1997-04-30", "1997-10-01", None):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            purchase_summary(cdnow, cutoff=cutoff)


def test_too_few_customers_or_too_short_a_table_is_not_judged():
    old = base(0, history=1000)
    few = old[old["customer_id"].isin(old["customer_id"].unique()[:90])]
    assert not starts_mid_life(purchase_days(few))
    assert not starts_mid_life(purchase_days(old, cutoff=80))
    assert not starts_mid_life(purchase_days(old[old["day"] >= 340]))
    scarce = pd.concat([old[old["day"] < 20].head(200), old[old["day"] > 300].head(20)])
    assert not starts_mid_life(purchase_days(scarce))


def test_the_warning_points_at_the_callers_line():
    with pytest.warns(DataWarning) as caught:
        purchase_summary(base(0, history=1000))
    assert caught[0].filename == __file__
