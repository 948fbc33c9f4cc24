"""Plan and actual stand side by side for every period and group, and add up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmkit import value
from crmkit.core.errors import DataError
from crmkit.datasets import make_company

STAGES = ["lead", "qualified", "proposal", "negotiation"]


def sales(rows):
    frame = pd.DataFrame(rows, columns=["time", "region", "amount"])
    return frame.assign(time=pd.to_datetime(frame["time"]))


SALES = sales(
    [
        *[("2024-01-10", "north", 80.0), ("2024-01-20", "north", -10.0), ("2024-02-05", "north", 50.0)],
        *[("2024-02-20", "south", 30.0), ("2024-04-02", "north", 20.0)],
    ]
)
PLAN = pd.DataFrame(
    {
        "period": ["2023-12", "2024-01", "2024-02", "2024-03", "2024-04", "2024-05"],
        "region": "north",
        "plan": [10.0, 100.0, 40.0, 60.0, 50.0, 70.0],
    }
)


def test_every_period_and_group_of_either_table_is_there():
    found = value.plan_against_actual(SALES, PLAN, by="region").table
    periods = pd.period_range("2023-12", "2024-05", freq="M")
    expected = pd.MultiIndex.from_product([periods, ["north", "south"]], names=["period", "region"])
    assert found.index.tolist() == expected.tolist()
    north, south = found.xs("north", level="region"), found.xs("south", level="region")
    # Before the data and after it actual is not known; a month without a sale between is 0.
    assert north["actual"].tolist() == pytest.approx([np.nan, 70, 50, 0, 20, np.nan], nan_ok=True)
    assert north["plan"].tolist() == [10, 100, 40, 60, 50, 70]
    assert south["plan"].isna().all()
    assert south["actual"].tolist() == pytest.approx([np.nan, 0, 30, 0, 0, np.nan], nan_ok=True)
    assert north["status"].tolist() == ["before the data", "complete", "complete", "complete", "running", "not begun"]
    assert north["variance"].tolist() == pytest.approx([np.nan, -30, 10, -60, -30, np.nan], nan_ok=True)
    assert north["attainment"].tolist() == pytest.approx([np.nan, 0.7, 1.25, 0, 0.4, np.nan], nan_ok=True)
    assert north["cumulative_plan"].tolist() == pytest.approx([np.nan, 100, 140, 200, 250, np.nan], nan_ok=True)
    assert north["cumulative_actual"].tolist() == pytest.approx([np.nan, 70, 120, 120, 140, np.nan], nan_ok=True)
    assert north["cumulative_attainment"].iloc[4] == pytest.approx(140 / 250)
    assert south["attainment"].isna().all()


def test_what_had_no_plan_is_shown_apart():
    found = value.plan_against_actual(SALES, PLAN, by="region")
    february = found.by_period.loc["2024-02"]
    assert february[["plan", "actual", "unplanned", "variance"]].tolist() == [40, 80, 30, 10]
    assert february["attainment"] == 1.25
    total = found.total.iloc[0]
    assert total[["plan", "plan_to_date", "actual", "unplanned"]].tolist() == [330, 250, 170, 30]
    assert total["attainment"] == 140 / 250
    assert found.by_group.loc["south", ["plan", "actual", "unplanned"]].tolist() == [0, 30, 30]
    assert np.isnan(found.by_group.loc["south", "attainment"])


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["n", "s", None]), st.sampled_from("xy"), st.integers(-50, 100)),
        min_size=1,
        max_size=30,
    ),
    st.lists(
        st.tuples(
            st.integers(1, 14),
            st.sampled_from(["n", "s", "w", None]),
            st.sampled_from("xyz"),
            st.none() | st.integers(0, 90),
        ),
        min_size=1,
        max_size=20,
        unique_by=lambda row: row[:3],
    ),
    st.sampled_from(["month", "quarter", "year"]),
)
def test_sums_add_up_and_nothing_is_dropped(sold, planned, period):
    actual = pd.DataFrame(sold, columns=["day", "region", "agent", "amount"])
    plan = pd.DataFrame(planned, columns=["month", "region", "agent", "plan"])
    months = pd.Period("1970-01") + (plan.pop("month") - 1)
    plan["period"] = pd.PeriodIndex(months).asfreq({"month": "M", "quarter": "Q-DEC", "year": "Y-DEC"}[period])
    plan["plan"] = plan["plan"].astype(float)
    plan = plan.drop_duplicates(["period", "region", "agent"])
    found = value.plan_against_actual(actual, plan, period=period, by=["region", "agent"])
    assert found.table["actual"].sum() == pytest.approx(actual["amount"].sum())
    assert found.table["plan"].sum() == pytest.approx(plan["plan"].sum())
    assert not found.table.index.duplicated().any()
    for sums in (found.by_period, found.by_group, found.total):
        for name in ("plan", "actual"):
            assert sums[name].sum() == pytest.approx(found.table[name].sum())
    assert found.total["plan_to_date"].iloc[0] <= found.total["plan"].iloc[0] + 1e-9
    groups = set(map(tuple, pd.concat([actual, plan])[["region", "agent"]].fillna("?").to_numpy()))
    assert len(found.table) == len(groups) * found.table.index.get_level_values("period").nunique()


def test_without_groups_the_table_is_by_period():
    found = value.plan_against_actual(SALES, PLAN.drop(columns="region"))
    assert found.table.index.names == ["period"]
    assert found.table.loc["2024-02", ["plan", "actual", "attainment"]].tolist() == [40, 80, 2]
    pd.testing.assert_frame_equal(found.by_group, found.total)


def test_as_of_says_what_is_seen_and_which_periods_are_complete():
    found = value.plan_against_actual(SALES, PLAN, by="region", as_of="2024-02-10").table
    north = found.xs("north", level="region")
    assert north.loc["2024-02", ["actual", "status"]].tolist() == [50, "running"]
    assert north.loc["2024-03", "status"] == "not begun"
    whole = value.plan_against_actual(SALES, PLAN, by="region", as_of="2024-03-01").table
    assert whole.loc[("2024-02", "north"), "status"] == "complete"
    assert whole.loc[("2024-03", "north"), "status"] == "not begun"
    with pytest.raises(DataError, match="holds no row before as_of"):
        value.plan_against_actual(SALES, PLAN, by="region", as_of="2020-01-01")
    with pytest.raises(DataError, match="as_of must be a date"):
        value.plan_against_actual(SALES, PLAN, by="region", as_of="2024-02-10T12:00")


def test_a_plan_of_nothing_has_no_attainment():
    plan = pd.DataFrame({"period": ["2024-01", "2024-02"], "plan": [0.0, None]})
    found = value.plan_against_actual(SALES, plan).table
    assert found.loc["2024-01", ["plan", "variance"]].tolist() == [0, 70]
    assert found["attainment"].isna().all()
    assert np.isnan(found.loc["2024-02", "plan"])


def test_rows_can_be_counted_instead_of_money():
    found = value.plan_against_actual(SALES, PLAN.assign(plan=1), by="region", measure="count").table
    # A refund is no sale.
    assert found.loc[("2024-01", "north"), "actual"] == 1
    with pytest.raises(DataError, match="measure must be 'amount' or 'count'"):
        value.plan_against_actual(SALES, PLAN, measure="margin")


@pytest.mark.parametrize(
    ("period", "written"),
    [
        ("month", ["2024-01", "2024-02"]),
        ("month", ["2024-01-31", "2024-02-01"]),
        ("month", [202401, 202402]),
        ("month", ["2024年1月", "2024年02月"]),
        ("month", pd.to_datetime(["2024-01-15", "2024-02-15"])),
        ("month", pd.to_datetime(["2024-01-15", "2024-02-15"]).tz_localize("Asia/Shanghai")),
        ("month", pd.period_range("2024-01", periods=2, freq="M")),
        ("month", pd.Series(pd.period_range("2024-01", periods=2, freq="M"), dtype=object)),
        ("quarter", ["2024Q1", "2024Q2"]),
        ("year", [2024, 2025]),
        ("day", ["2024-01-10", "2024-01-11"]),
        ("week", pd.period_range("2024-01-08", periods=2, freq="W-SUN")),
        ("week", ["2024-01-08", "2024-01-15"]),
    ],
)
def test_periods_are_read_as_people_write_them(period, written):
    plan = pd.DataFrame({"period": written, "plan": [100.0, 10.0]})
    found = value.plan_against_actual(SALES, plan, period=period).table
    first = found["plan"].first_valid_index()
    assert found.loc[first, "plan"] == 100
    assert found.loc[first, "actual"] == {"quarter": 150, "year": 170, "day": 80, "week": 80}.get(period, 70)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"period": ["2024"], "plan": [1]}, r"plan: period is longer than asked for .* in row 0"),
        ({"period": ["soon"], "plan": [1]}, "plan: period is not understood in row 0"),
        ({"period": [None], "plan": [1]}, "plan: period is missing in row 0"),
        ({"period": ["2024-01", "2024-01"], "plan": [1, 2]}, "two rows are for one period and group: rows 0, 1"),
        ({"period": ["2024-01"], "plan": [-1]}, "plan is negative or infinite in row 0"),
        ({"period": ["2024-01"], "plan": ["much"]}, "plan is no number in row 0"),
        ({"period": ["2024-01"]}, "plan has no column 'plan'"),
        (
            {"period": pd.period_range("2024Q1", periods=1, freq="Q"), "plan": [1]},
            r"its periods \(period\[Q-DEC\]\) are not of the kind",
        ),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused(plan, message):
    with pytest.raises(DataError, match=message):
        value.plan_against_actual(SALES, pd.DataFrame(plan))


@pytest.mark.parametrize(
    ("actual", "message"),
    [
        (SALES.iloc[:0], "actual holds no row"),
        (SALES.assign(amount=[1, None, 3, 4, 5]), "amount is missing, infinite or no number in row 1"),
        (SALES.assign(currency=["EUR", "CNY", "EUR", "EUR", "EUR"]), "more than one currency"),
        (SALES.drop(columns="region"), "actual has no column 'region'"),
    ],
)
def test_sales_that_cannot_be_added_up_are_refused(actual, message):
    with pytest.raises(DataError, match=message):
        value.plan_against_actual(actual, PLAN, by="region")


def test_groups_may_not_have_names_that_the_result_needs():
    with pytest.raises(DataError, match="by cannot name 'amount', 'period': rename these columns"):
        value.plan_against_actual(SALES, PLAN, by=["period", "amount"])


@pytest.mark.parametrize("name", ["unplanned", "variance", "attainment", "plan_to_date", "cumulative_actual"])
def test_a_group_column_would_be_overwritten_by_a_figure_of_its_name(name):
    sales, plan = (frame.rename(columns={"region": name}) for frame in (SALES, PLAN))
    with pytest.raises(DataError, match=f"by cannot name '{name}': rename these columns"):
        value.plan_against_actual(sales, plan, by=name)


def test_a_group_column_named_twice_is_refused():
    with pytest.raises(DataError, match="by names a column twice"):
        value.plan_against_actual(SALES, PLAN, by=["region", "region"])


def test_won_deals_count_in_the_local_month_of_their_closing():
    company = make_company(2_000, seed=4)
    history = value.stage_history(
        company.opportunity_history, stages=STAGES, timezone="Asia/Shanghai", as_of=company.truth.parameters["cutoff"]
    )
    deals = history.deals[history.deals["status"] == "won"]
    month = deals["closed"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None).dt.to_period("M")
    expected = deals["amount"].groupby([month, deals["region"]]).sum()
    plan = pd.DataFrame({"period": ["2024-06"], "region": ["north"], "plan": [1000.0]})
    found = value.plan_against_actual(history, plan, by="region")
    sold = found.table["actual"][found.table["actual"] > 0]
    assert sold.to_dict() == pytest.approx(expected.to_dict())
    assert found.total["actual"].iloc[0] == pytest.approx(deals["amount"].sum())
    counted = value.plan_against_actual(history, plan, by="region", measure="count")
    assert counted.total["actual"].iloc[0] == len(deals)
    # The window ends on the 29th of December: that month is not over.
    assert found.table.loc["2024-12", "status"].unique().tolist() == ["running"]
    with pytest.raises(DataError, match="as_of cannot be changed in a StageHistory"):
        value.plan_against_actual(history, plan, as_of="2024-01-01")


def test_won_deals_without_an_amount_are_named():
    frame = pd.DataFrame(
        {"opportunity_id": ["a", "a"], "stage": ["lead", "won"], "time": pd.to_datetime(["2024-01-01", "2024-01-03"])}
    )
    history = value.stage_history(frame, stages=STAGES)
    with pytest.raises(DataError, match=r"won opportunities have no amount: row 0 of \.deals"):
        value.plan_against_actual(history, PLAN.drop(columns="region"))
    counted = value.plan_against_actual(history, PLAN.drop(columns="region"), measure="count")
    assert counted.table.loc["2024-01", "actual"] == 1


def test_it_shows_periods_and_the_total():
    found = value.plan_against_actual(SALES, PLAN, by="region")
    assert repr(found) == "PlanAgainstActual(12 rows, actual 170 of plan 250 to date, attainment 56.0%)"
    assert "2024-02" in found._repr_html_()


def test_the_data_of_deals_begin_on_the_day_on_which_the_first_was_opened():
    rows = pd.DataFrame({"opportunity_id": "a", "stage": ["lead", "won"], "amount": 5.0})
    rows["time"] = pd.to_datetime(["2024-01-31 20:00", "2024-02-10 12:00"], utc=True)
    plan = pd.DataFrame({"period": ["2023-12", "2024-01", "2024-02"], "plan": 10})
    result = value.plan_against_actual(value.stage_history(rows, stages=["lead"], as_of="2024-03-01"), plan).table
    assert result["status"].tolist() == ["before the data", "complete", "complete"]
    assert result["actual"].tolist() == pytest.approx([np.nan, 0, 5], nan_ok=True)
