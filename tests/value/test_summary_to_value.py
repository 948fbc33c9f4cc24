"""From transactions as they come to values: zones, refunds, days and kinds of columns, each by its own policy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crmkit import preparation, records, value
from crmkit.value import BGNBD, GammaGamma


@pytest.fixture(scope="module")
def sales():
    """Give times of a shop in Shanghai as text, in local time, with refunds and several purchases a day."""
    random = np.random.default_rng(4)
    n = 600
    rate, stays = random.gamma(0.8, 1 / 40, n), random.random(n)
    begin = random.uniform(0, 300, n)
    who, day = [], []
    for customer in range(n):
        moment = begin[customer]
        while moment < 400:
            who.append(f"k{customer:03d}")
            day.append(moment)
            moment += random.exponential(1 / rate[customer]) if random.random() < stays[customer] else 400
    stamp = pd.Timestamp("2023-03-01") + pd.to_timedelta(day, unit="D")
    amount = np.round(random.lognormal(3, 0.5, len(day)), 2) * np.where(random.random(len(day)) < 0.05, -1, 1)
    return pd.DataFrame({"customer_id": who, "time": stamp.strftime("%Y-%m-%d %H:%M"), "amount": amount})


def worth(table, **options):
    """Give the values of a table's customers."""
    summary = preparation.purchase_summary(table, **options)
    model, spend = BGNBD().fit(summary), GammaGamma().fit(summary)
    return value.lifetime_value(model, spend, summary, horizon=52, margin=0.3)


@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
def test_a_purchase_at_half_past_seven_in_shanghai_belongs_to_that_day(sales):
    local = records.read(sales, records.TRANSACTIONS, timezone="Asia/Shanghai", currency="CNY").table
    as_written = pd.to_datetime(sales["time"]).to_numpy().astype("datetime64[D]").astype(np.int64)
    assert (local["day"].to_numpy() == as_written).all()
    early = pd.to_datetime(sales["time"]).dt.hour.to_numpy() < 8
    utc_day = local["time"].dt.tz_convert(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    assert (utc_day[early] == as_written[early] - 1).all()
    naive = sales.assign(day=as_written)[["customer_id", "day", "amount"]]
    pd.testing.assert_frame_equal(worth(local), worth(naive))


@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
@pytest.mark.parametrize("refunds", ["net", "ignore", "match"])
def test_every_policy_of_refunds_gives_finite_values(sales, refunds):
    table = records.read(sales, records.TRANSACTIONS, timezone="Asia/Shanghai", currency="CNY").table
    found = worth(table, refunds=refunds)
    assert np.isfinite(found.to_numpy()).all()
    assert (found.to_numpy() >= 0).all()


@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
def test_kinds_of_columns_give_the_same_values(sales):
    table = records.read(sales, records.TRANSACTIONS, timezone="Asia/Shanghai", currency="CNY").table
    plain = worth(table)
    nullable = table.assign(
        customer_id=table["customer_id"].astype("string"),
        day=table["day"].astype("Int64"),
        amount=table["amount"].astype("Float64"),
    )
    pd.testing.assert_frame_equal(worth(nullable), plain, check_index_type=False)
    categories = table.assign(customer_id=table["customer_id"].astype("category"))
    pd.testing.assert_frame_equal(worth(categories), plain, check_index_type=False)
    summary = preparation.purchase_summary(table)
    model, spend = BGNBD().fit(summary), GammaGamma().fit(summary)
    asked = summary.convert_dtypes()
    found = value.lifetime_value(model, spend, asked, horizon=52, margin=0.3)
    assert np.allclose(found, plain)


@pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")
def test_lines_of_one_day_are_one_purchase_however_they_are_divided(sales):
    table = records.read(sales, records.TRANSACTIONS, timezone="Asia/Shanghai", currency="CNY").table
    halves = pd.concat([table, table]).assign(amount=lambda frame: frame["amount"] / 2)
    assert np.allclose(worth(halves), worth(table), rtol=1e-6)
