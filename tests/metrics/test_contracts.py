from __future__ import annotations

import datetime as dt
import time
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import DataError, metrics


def _table(*rows):
    return pd.DataFrame(rows, columns=["customer_id", "start", "end"])


def _by_hand(rows, first_edge, n_weeks, grace):
    """Find who was there at each Monday by asking of every day whether the customer was covered."""
    joined = {}
    for who in sorted({row[0] for row in rows}):
        spells = []
        for start, end in sorted((start, 10**6 if end is None else end) for name, start, end in rows if name == who):
            if spells and start <= spells[-1][1] + grace:
                spells[-1][1] = max(spells[-1][1], end)
            else:
                spells.append([start, end])
        joined[who] = spells
    edges = [first_edge + 7 * week for week in range(n_weeks + 1)]
    there = [{who for who, spells in joined.items() if any(s < edge < e for s, e in spells)} for edge in edges]
    return [(len(a), len(a - b), len(b - a), len(b)) for a, b in pairwise(there)]


contracts = st.lists(
    st.tuples(st.sampled_from("abcd"), st.integers(4, 60), st.integers(1, 30), st.booleans()).map(
        lambda row: (row[0], row[1], None if row[3] else row[1] + row[2])
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=80, deadline=None)
@given(contracts, st.integers(0, 6))
def test_each_week_is_that_of_asking_customer_by_customer(rows, grace):
    got = metrics.contract_churn(_table(*rows), period="week", cutoff=120, grace_days=grace)
    # 1970-01-05, a Monday, is day 4.
    first = min(start for _, start, _ in rows)
    edge = first - (first - 4) % 7
    expected = _by_hand(rows, edge, len(got), grace)
    assert got[["opening", "lost", "joined", "closing"]].to_numpy().tolist() == [list(row) for row in expected]
    assert (got["closing"] == got["opening"] - got["lost"] + got["joined"]).all()
    assert (got["opening"].iloc[1:].to_numpy() == got["closing"].iloc[:-1].to_numpy()).all()
    known = got["opening"] > 0
    np.testing.assert_allclose(got.loc[known, "churn"], (got["lost"] / got["opening"])[known])
    assert got.loc[~known, ["churn", "low", "high"]].isna().all().all()


def test_churn_is_that_of_the_lists_of_customers():
    random = np.random.default_rng(0)
    start = random.integers(0, 300, 500)
    table = _table(*zip(np.arange(500).astype(str), start, start + random.integers(20, 300, 500), strict=True))
    got = metrics.contract_churn(table, cutoff=400)
    row = got.loc["1970-06"]
    begin, end = ((dt.date(1970, month, 1) - dt.date(1970, 1, 1)).days for month in (6, 7))
    before, after = (table.loc[(table["start"] < d) & (table["end"] > d), "customer_id"] for d in (begin, end))
    expected = metrics.churn_rate(before, after)
    assert row["churn"] == pytest.approx(float(expected))
    assert row["low"] == pytest.approx(expected.low)
    assert row["opening"] == expected.n


def test_days_cost_no_more_than_months():
    random = np.random.default_rng(0)
    start = random.integers(0, 3_000, 200_000)
    who = random.integers(0, 150_000, len(start))
    table = pd.DataFrame({"customer_id": who, "start": start, "end": start + random.integers(1, 900, len(start))})
    before = time.process_time()
    got = metrics.contract_churn(table, period="day", cutoff=3_000)
    assert time.process_time() - before < 2
    assert len(got) > 2_900


def test_contracts_that_overlap_or_follow_each_other_are_one():
    table = _table(("a", 0, 31), ("a", 31, 90), ("a", 40, 60), ("a", 85, None))
    got = metrics.contract_churn(table, cutoff="1970-05-03")
    assert got["lost"].tolist() == [0, 0, 0, 0]
    curve = metrics.contract_survival(table, cutoff="1970-05-02")
    assert curve["events"].sum() == 0
    assert curve.index.tolist() == [121]


def test_a_break_is_bridged_by_days_of_grace_and_by_no_more():
    table = _table(("a", 0, 28), ("a", 33, None))
    assert metrics.contract_survival(table, cutoff=100, grace_days=4)["events"].sum() == 1
    assert metrics.contract_survival(table, cutoff=100, grace_days=5)["events"].sum() == 0


def test_a_period_is_there_only_once_it_shows_who_renewed():
    monthly = _table(("a", 0, 31), ("a", 31, 59), ("b", 0, 31))
    # On the first of March it is not known whether a contract that ends with February was renewed that day.
    early = metrics.contract_churn(monthly, cutoff="1970-03-01", grace_days=0)
    assert early.index.astype(str).tolist() == ["1970-01"]
    assert metrics.contract_churn(monthly, cutoff="1970-03-02", grace_days=0)["lost"].tolist() == [0, 1]
    assert len(metrics.contract_churn(monthly, cutoff="1970-03-02", grace_days=1)) == 1
    assert metrics.contract_churn(monthly, cutoff="1970-03-03", grace_days=1)["lost"].tolist() == [0, 1]


def test_an_end_may_be_the_last_day_under_contract_or_the_first_day_after_it():
    after = _table(("a", 0, 31), ("a", 31, 59), ("b", 0, 31), ("c", 10, None), ("d", 70, 71))
    last = after.assign(end=after["end"] - 1)
    pd.testing.assert_frame_equal(metrics.contract_churn(last, cutoff=120), metrics.contract_churn(after, cutoff=120))


def test_an_end_that_lies_ahead_is_not_known_yet():
    planned, running = _table(("a", 0, 50), ("b", 0, 20)), _table(("a", 0, None), ("b", 0, 20))
    for figure in (metrics.contract_survival, metrics.contract_churn):
        pd.testing.assert_frame_equal(figure(planned, cutoff=40), figure(running, cutoff=40))


def test_contracts_from_the_cutoff_on_change_nothing():
    known, later = _table(("a", 0, 50), ("b", 10, None)), _table(("c", 60, None), ("a", 61, 70))
    for figure in (metrics.contract_survival, metrics.contract_churn):
        pd.testing.assert_frame_equal(figure(pd.concat([known, later]), cutoff=60), figure(known, cutoff=60))


def test_running_contracts_are_censored_and_not_left_out():
    curve = metrics.contract_survival(_table(("a", 0, 30), ("b", 0, None), ("c", 70, None)), cutoff=100)
    assert curve.loc[30].tolist()[:4] == [3, 1, 1, pytest.approx(2 / 3)]
    assert curve.index.tolist() == [30, 100]


def test_who_may_still_renew_is_censored_at_the_end():
    curve = metrics.contract_survival(_table(("a", 0, 30), ("b", 0, 60)), cutoff=62, grace_days=7)
    assert curve["events"].tolist() == [1, 0]
    assert curve.index.tolist() == [30, 60]


def test_survival_recovers_the_median_of_a_known_process_that_naive_figures_miss():
    random = np.random.default_rng(0)
    start = random.integers(0, 700, 4_000)
    length = np.ceil(random.exponential(300 / np.log(2), 4_000)).astype(int)
    table = _table(*zip(np.arange(4_000), start, start + length, strict=True))
    seen = table.assign(end=table["end"].where(table["end"] < 700).astype("Int64"))
    median = metrics.median_survival(metrics.contract_survival(seen, cutoff=700))
    assert median.low < 300 < median.high
    ended = seen.dropna()
    assert (ended["end"] - ended["start"]).median() < 200


@pytest.mark.parametrize("kind", ["datetime", "text", "date", "aware", "Int64"])
def test_dates_of_every_kind_are_read_as_local_days(kind):
    days = pd.DataFrame({"customer_id": [*"aab"], "start": [0, 70, 10], "end": [40, None, 55]})
    expected = metrics.contract_churn(days, cutoff=100)
    moments = {name: pd.to_datetime(days[name], unit="D") for name in ("start", "end")}
    convert = {
        "datetime": lambda moment: moment,
        "text": lambda moment: moment.dt.strftime("%Y-%m-%d"),
        "date": lambda moment: moment.dt.date,
        # Half past seven in Shanghai is the day before in UTC; it belongs to the day in Shanghai.
        "aware": lambda moment: (moment + pd.Timedelta(hours=7.5)).dt.tz_localize("Asia/Shanghai"),
    }
    table = days.astype({"start": "Int64", "end": "Int64"}) if kind == "Int64" else days.assign(
        **{name: convert[kind](moment) for name, moment in moments.items()}
    )  # fmt: skip
    pd.testing.assert_frame_equal(metrics.contract_churn(table, cutoff=100), expected)


def test_other_names_of_the_columns_are_taken():
    table = _table(("a", 0, 40), ("b", 5, None))
    renamed = table.rename(columns={"start": "signed", "end": "cancelled"})
    got = metrics.contract_churn(renamed, start="signed", end="cancelled")
    pd.testing.assert_frame_equal(got, metrics.contract_churn(table))


def test_all_contracts_running_and_the_last_day_of_the_table_as_cutoff():
    table = _table(("a", 0, None), ("b", 40, None))
    got = metrics.contract_churn(table)
    assert got["lost"].tolist() == [0]
    assert metrics.contract_survival(table).index.tolist() == [1, 41]


@pytest.mark.parametrize(
    ("table", "options", "match"),
    [
        (_table(("a", 5, 4)), {}, "end is before start in row 0"),
        (_table(("a", None, 5), ("b", 1, 5)), {}, "start is missing in row 0"),
        (_table((None, 1, 5)), {}, "customer_id is missing in row 0"),
        (_table(("a", 1.5, 5)), {}, "start must be dates .* or whole days"),
        (_table(("a", 1, "soon")), {}, "end must be dates .* or whole days"),
        (_table(("a", "03/04/2024", None)), {}, "start must be dates .*; it is not in row 0"),
        (
            _table(
                ("a", pd.Timestamp("2024-01-01", tz="UTC"), None),
                ("b", pd.Timestamp("2024-01-01", tz="Asia/Tokyo"), None),
            ),
            {},
            "start must be dates .*; (they are in several time zones|it is not in)",
        ),
        (_table(("a", 50, None)), {"cutoff": 10}, "no contract starts before the cutoff"),
        (_table(("a", 5, None))[:0], {}, "contracts is empty"),
        (_table(("a", 5, None)), {"grace_days": -1}, "grace_days must be a whole number"),
        (_table(("a", 5, None)), {"grace_days": 1.5}, "grace_days must be a whole number"),
        (_table(("a", 5, None)), {"end": "finish"}, "contracts has no column 'finish'"),
        (_table(("a", 5, None)), {"period": "fortnight"}, "period must be one of"),
        (_table(("a", 5, None)), {"level": 1}, "level must lie"),
    ],
)
def test_what_cannot_be_counted_is_refused(table, options, match):
    with pytest.raises(DataError, match=match):
        metrics.contract_churn(table, **options)
