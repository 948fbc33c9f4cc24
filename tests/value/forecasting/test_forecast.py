from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from crmkit import metrics, records
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import purchase_summary
from crmkit.value import BGNBD, Forecast, forecast, forecast_series
from crmkit.value.forecasting._projection import project
from crmkit.value.forecasting._rolling_origin import METHODS
from crmkit.value.forecasting._settings import settings_of

QUIET = pytest.mark.filterwarnings("ignore::crmkit.core.errors.DataWarning")


def as_day(date):
    return int(np.datetime64(date, "D").astype(np.int64))


@pytest.fixture(scope="module")
def sales():
    """Four years of two shops, one with a season, and some refunds; 60 customers."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(as_day("2020-01-01"), as_day("2024-01-01")), 3)
    angle = 2 * np.pi * (day - day[0]) / 365.25
    shop = np.where(rng.random(len(day)) < 0.6, "北京", "上海")
    amount = rng.gamma(2, 20, len(day)) * np.where(shop == "北京", 1 + 0.6 * np.cos(angle), 1.0)
    amount[rng.random(len(day)) < 0.02] *= -0.5
    return pd.DataFrame(
        {"customer_id": rng.integers(0, 60, len(day)).astype(str), "day": day, "amount": amount.round(2), "shop": shop}
    )


@pytest.fixture(scope="module")
def found(sales):
    return forecast(sales, by="shop", period="month", horizon=6, customer_model=None)


def test_the_table_has_a_row_for_each_group_and_period_and_adds_up(found):
    assert found.table.columns.tolist() == [
        "scope",
        "shop",
        "period",
        "method",
        "forecast",
        "low_80",
        "high_80",
        "low_95",
        "high_95",
    ]
    assert found.table.groupby("scope").size().to_dict() == {"group": 12, "total": 6}
    assert found.groups["shop"].unique().tolist() == ["上海", "北京"]
    assert found.total["shop"].isna().all()
    assert found.total["period"].tolist() == pd.date_range("2024-01-01", periods=6, freq="MS").tolist()
    summed = found.groups.groupby("period")["forecast"].sum().to_numpy()
    assert summed == pytest.approx(found.total["forecast"].to_numpy())


def test_the_interval_of_the_total_is_narrower_than_the_sum_of_the_groups_intervals(found):
    """Errors of shops that hang together only in part make up for each other in part."""
    width = (found.table["high_95"] - found.table["low_95"]).groupby(found.table["scope"]).sum()
    assert 0 < width["total"] < width["group"]


def test_the_history_is_what_was_sold(found, sales):
    history = found.history
    assert history.groupby("scope").size().to_dict() == {"group": 96, "total": 48}
    assert history.loc[history["scope"] == "total", "value"].sum() == pytest.approx(sales["amount"].sum())
    january = sales[(sales["day"] < as_day("2020-02-01")) & (sales["shop"] == "北京")]["amount"].sum()
    rows = history[(history["shop"] == "北京") & (history["period"] == "2020-01-01")]
    assert rows["value"].tolist() == pytest.approx([january])


def test_the_evaluation_shows_every_method_and_the_reason(found):
    evaluation = found.evaluation
    assert evaluation.groupby("scope").size().to_dict() == {"group": 6, "total": 4}
    assert evaluation["chosen"].sum() == 3
    groups = evaluation[evaluation["scope"] == "group"]
    assert (groups["method"] == "seasonal-naive").sum() == 2
    least = groups.loc[groups.groupby("shop")["rmse"].idxmin()]
    assert least["chosen"].all()
    assert (least["reason"] == "least RMSE of 3").all()
    assert groups.loc[~groups["chosen"], "reason"].str.match(r"RMSE [\d.]+% above the least").all()
    total = evaluation[evaluation["scope"] == "total"]
    assert total["method"].tolist()[-1] == "sum of groups"
    assert total["reason"].tolist()[-1].startswith("adds up: ")
    assert total["chosen"].tolist() == [False, False, False, True]


@QUIET
def test_errors_are_those_of_forecasts_made_from_each_origin(sales):
    """The evaluation of one method, worked out again by forecasting truncated series one by one."""
    whole = forecast(sales, period="month", horizon=3, customer_model=None, methods=["trend-season"])
    history = whole.history["value"].to_numpy()
    row = whole.evaluation.set_index("method").loc["trend-season"]
    settings = settings_of(3, 12, ["trend-season"], [0.8], "combined")
    errors, scaled, actual = [], 0.0, 0.0
    for origin in range(48 - int(row["n_origins"]), 48):
        then = project(history[None, :origin], np.zeros(1, int), settings, total=False)
        came = history[origin : origin + 3]
        made = (then.rolling.forecasts[1, 0] * then.scale)[: len(came)]
        errors += list(came - made)
        scaled += float(metrics.mase(came, made, history[:origin], season=12)) * len(came)
        actual += came.sum()
    assert row["n_forecasts"] == len(errors)
    assert row["mae"] == pytest.approx(np.mean(np.abs(errors)))
    assert row["rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))))
    assert row["mase"] == pytest.approx(scaled / len(errors))
    assert row["bias"] == pytest.approx(-np.sum(errors) / actual)


def test_coverage_is_checked_on_origins_the_interval_has_not_seen():
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(100 + rng.normal(0, 1, (120, 60)), columns=[str(n) for n in range(60)])
    evaluation = forecast_series(frame, horizon=4).evaluation
    rows = evaluation[evaluation["chosen"]]
    assert 0.76 < rows["coverage_80"].mean() < 0.88
    assert 0.92 < rows["coverage_95"].mean() < 0.99


@pytest.mark.parametrize("measure", ["purchases", "customers"])
def test_purchases_and_customers_are_counted(sales, measure):
    result = forecast(sales, by="shop", period="month", horizon=2, measure=measure, customer_model=None)
    bought = sales[sales["amount"] > 0].copy()
    month = (bought["day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]")).astype(str)
    keys = ["shop", "customer_id", "day"] if measure == "purchases" else ["shop", "customer_id", "month"]
    expected = bought.assign(month=month).drop_duplicates([*keys, "month"]).groupby("month").size().to_numpy()
    assert result.history[result.history["scope"] == "total"]["value"].tolist() == expected.tolist()
    assert "count in more than one group" in result.notes[0]
    assert result.measure == measure


@QUIET
def test_several_columns_make_groups_of_their_combinations(sales):
    frame = sales.assign(weekend=(sales["day"] + 3) % 7 >= 5)
    result = forecast(frame, by=["shop", "weekend"], period="quarter", horizon=2, customer_model=None)
    assert result.groups[["shop", "weekend"]].drop_duplicates().shape == (4, 2)
    assert result.table["weekend"].dtype == "boolean"
    assert result.groups.groupby("period")["forecast"].sum().to_numpy() == pytest.approx(result.total["forecast"])


def test_numbers_that_name_groups_stay_whole(sales):
    result = forecast(sales.assign(shop=(sales["shop"] == "北京") + 1), by="shop", horizon=1, customer_model=None)
    assert result.table["shop"].dtype == "Int64"
    assert result.groups["shop"].tolist() == [1, 2]
    assert result.groups.loc[result.groups["shop"] == 2, "forecast"].notna().tolist() == [True]


def test_other_levels_can_be_asked_for(sales):
    result = forecast(sales, period="month", horizon=2, levels=(0.5, 0.975), customer_model=None)
    assert {"low_50", "high_50", "low_97.5", "high_97.5"} <= set(result.table.columns)
    assert "coverage_97.5" in result.evaluation.columns
    assert result.levels == (0.5, 0.975)


def test_a_series_too_short_for_its_season_is_said(sales):
    with pytest.warns(DataWarning, match="shorter than two seasons of 52 periods") as told:
        result = forecast(sales, period="week", horizon=4, cutoff="2021-06-28", customer_model=None)
    assert any("shorter than two seasons" in note for note in result.notes)
    assert (result.evaluation["season"] == 1).all()
    # The warning points here, at the caller's line.
    assert all(one.filename == __file__ for one in told)


def test_where_nothing_beats_the_seasonal_naive_it_is_said():
    rng = np.random.default_rng(5)
    old, new = rng.normal(50, 20, (2, 12))
    turned = np.concatenate([np.tile(old, 3), np.tile(new, 3)]) + rng.normal(0, 0.1, 72)
    with pytest.warns(DataWarning, match="1 of 1 series forecast by the seasonal naive, because no other"):
        result = forecast_series(turned, horizon=3, season=12)
    assert result.table["method"].tolist() == ["seasonal-naive"] * 3
    assert result.evaluation["reason"].tolist()[0] == "least RMSE of 3"


def test_a_group_that_begins_late_or_has_ended_is_forecast_from_what_there_is(sales):
    late = sales[(sales["shop"] == "上海") & (sales["day"] >= as_day("2023-12-01"))].assign(shop="新店")
    ended = sales[(sales["shop"] == "北京") & (sales["day"] < as_day("2022-01-01"))].assign(shop="旧店")
    frame = pd.concat([sales, late, ended])
    with pytest.warns(DataWarning, match="series") as told:
        result = forecast(frame, by="shop", period="month", horizon=3, customer_model=None)
    messages = str(told[0].message)
    assert len(told) == 1
    assert "1 of 5 series shorter than 12 periods: forecast by the seasonal naive alone" in messages
    assert "1 of 5 series only one period long: no error can be measured, so there is no interval" in messages
    groups = result.groups.set_index("shop")
    assert groups.loc["新店", "low_80"].isna().all()
    assert groups.loc["新店", "forecast"].tolist() == pytest.approx([late["amount"].sum()] * 3)
    assert groups.loc["旧店", "forecast"].abs().max() < 0.1 * ended["amount"].sum() / 24
    assert np.isfinite(result.total["low_95"]).all()
    rows = result.evaluation[result.evaluation["shop"] == "新店"].set_index("method")
    assert rows.loc["trend-season", "reason"] == "not tried: needs 12 periods, has 1"
    assert rows.loc["seasonal-naive", "reason"].startswith("the only one that can be used")


def test_equal_calls_give_equal_forecasts_and_leave_the_table_alone(sales, found):
    before = sales.copy()
    again = forecast(sales.sample(frac=1, random_state=0), by="shop", period="month", horizon=6, customer_model=None)
    pd.testing.assert_frame_equal(sales, before)
    pd.testing.assert_frame_equal(again.table, found.table)


def test_money_in_another_unit_scales(sales, found):
    cents = forecast(sales.assign(amount=sales["amount"] * 100), by="shop", horizon=6, customer_model=None)
    figures = ["forecast", "low_80", "high_80", "low_95", "high_95"]
    assert np.allclose(cents.table[figures], 100 * found.table[figures])
    assert np.allclose(cents.evaluation["mase"], found.evaluation["mase"])


def test_the_time_zone_decides_the_day():
    times = pd.date_range("2023-12-31 16:00", "2024-12-31 15:00", freq="h", tz="UTC")
    loaded = records.read(
        {"customer_id": ["a"] * len(times), "time": times, "amount": np.ones(len(times))},
        records.TRANSACTIONS,
        timezone="Asia/Shanghai",
    )
    with pytest.warns(DataWarning, match="season"):
        result = forecast(loaded.table, period="month", horizon=1, customer_model=None)
    days = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert result.history["value"].tolist() == [24.0 * n for n in days]


@pytest.fixture(scope="module")
def bought():
    """Two years of purchases of customers who come all the time and leave."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(1_500):
        day, rate, leaves = rng.integers(0, 731), rng.gamma(1.0, 1 / 30.0), rng.beta(0.8, 2.5)
        mean = 60.0 / rng.gamma(4)
        while day < 731:
            rows.append((str(number), int(day) + 18_262, float(rng.gamma(4, mean / 4))))
            if rng.random() < leaves:
                break
            day += 1 + rng.exponential(1 / rate)
    first = pd.DataFrame({"customer_id": ["0"], "day": [18_262], "amount": [10.0]})
    return pd.concat([first, pd.DataFrame(rows, columns=["customer_id", "day", "amount"])], ignore_index=True)


@QUIET
def test_the_customer_models_total_stands_beside_the_forecast(bought):
    result = forecast(bought, period="month", horizon=4, measure="purchases", cutoff="2021-09-01")
    customers = result.customers
    assert customers.columns.tolist() == ["period", "present", "newcomers", "together", "forecast"]
    assert customers["forecast"].tolist() == result.total["forecast"].tolist()
    summary = purchase_summary(bought, cutoff="2021-09-01")
    expected = BGNBD().fit(summary).predict(summary, horizon=122 / 7)["expected_purchases"].sum()
    assert customers["present"].sum() == pytest.approx(expected)
    assert (customers["together"] == customers["present"] + customers["newcomers"]).all()
    # Who came and went is known here: present customers and newcomers make what was bought.
    later = bought[(bought["day"] >= as_day("2021-09-01")) & (bought["day"] < as_day("2022-01-01"))]
    days = later.drop_duplicates(["customer_id", "day"])
    known = days["customer_id"].isin(bought.loc[bought["day"] < as_day("2021-09-01"), "customer_id"])
    assert customers["present"].sum() == pytest.approx(known.sum(), rel=0.15)
    assert customers["newcomers"].sum() == pytest.approx((~known).sum(), rel=0.3)
    assert customers["together"].sum() == pytest.approx(len(days), rel=0.15)


@QUIET
def test_money_is_purchases_times_expected_spend(bought):
    result = forecast(
        bought, period="month", horizon=3, cutoff="2021-10-01", customer_model=BGNBD(), spend_model="mean"
    )
    later = bought[bought["day"] >= as_day("2021-10-01")]
    assert result.customers["together"].sum() == pytest.approx(later["amount"].sum(), rel=0.3)
    assert result.customers["present"].gt(0).all()


class EveryWeek(BaseEstimator):
    """A model of someone else's, that says nothing of newcomers."""

    def fit(self, summary):  # noqa: ARG002 -- it learns nothing
        return self

    def predict(self, summary, horizon=39):
        return pd.DataFrame({"p_alive": 1.0, "expected_purchases": float(horizon)}, index=summary.index)


def test_anyones_model_serves_and_newcomers_are_missing_where_it_does_not_speak_of_them(bought):
    result = forecast(
        bought, period="week", horizon=2, season=1, measure="purchases", cutoff="2021-12-06", customer_model=EveryWeek()
    )
    n_customers = bought.loc[bought["day"] < as_day("2021-12-06"), "customer_id"].nunique()
    assert result.customers["present"].tolist() == pytest.approx([n_customers] * 2)
    assert result.customers[["newcomers", "together"]].isna().all(axis=None)


class EveryWeekOfAll(EveryWeek):
    """The same, which expects of a newcomer a purchase a week too."""

    def expected_count(self, times):
        return np.asarray(times, dtype=np.float64)


def test_newcomers_come_in_the_middle_of_a_period_and_buy_again_in_the_same_and_later_ones():
    monday = as_day("2024-01-01") + 7 * np.repeat(np.arange(30), 3)
    frame = pd.DataFrame({"customer_id": np.arange(90).astype(str), "day": monday, "amount": 1.0})
    options = {"begin": "2024-01-01", "cutoff": "2024-07-29", "season": 1, "customer_model": EveryWeekOfAll()}
    found = forecast(frame, period="week", horizon=3, measure="purchases", **options)
    # Three a week, each with the first purchase, half a one in the week of coming, and one in every later week.
    assert found.customers["newcomers"].tolist() == pytest.approx([3 * 1.5, 3 * 2.5, 3 * 3.5])


def test_models_that_cannot_be_fitted_are_said(sales):
    once = sales.drop_duplicates("customer_id").assign(day=np.arange(18_262, 18_322))
    with pytest.warns(DataWarning, match="the customer models' total is not given: bg-nbd") as told:
        result = forecast(once, period="day", horizon=2)
    assert result.customers is None
    assert any("total is not given" in note for note in result.notes)
    assert told[0].filename == __file__


@QUIET
def test_what_models_warn_of_is_in_the_notes(bought):
    only_back = pd.DataFrame({"customer_id": ["back"], "day": [18_300], "amount": [-5.0]})
    result = forecast(pd.concat([bought, only_back]), period="month", horizon=1, cutoff="2021-10-01")
    told = [note for note in result.notes if note.startswith("customer models: 1 of ")]
    assert len(told) == 1
    assert "only refunds: they are left out" in told[0]


def test_customers_are_not_forecast_by_models_of_purchases(sales):
    assert forecast(sales, horizon=1, measure="customers").customers is None


@QUIET
def test_what_is_shown_names_the_measure_the_errors_and_the_notes(bought):
    result = forecast(bought, period="month", horizon=2, cutoff="2021-10-15")
    text, page = str(result), result._repr_html_()
    assert repr(result) == text
    for shown in (text, page):
        assert "Forecast of amount: 2 periods (month)" in shown
        assert "seasonal-naive" in shown
        assert "the last month is not complete and left out" in shown
        assert "newcomers" in shown
        assert "2021-10-01" in shown


def test_names_of_groups_are_escaped():
    frame = pd.DataFrame(
        {"<b>": 10 + np.random.default_rng(0).normal(size=40), "&": 20 + np.random.default_rng(1).normal(size=40)}
    )
    page = forecast_series(frame, horizon=1)._repr_html_()
    assert "<b>" not in page
    assert "&lt;b&gt;" in page


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"horizon": 0}, "horizon must be a whole number of at least 1, got 0"),
        ({"horizon": 1.5}, "horizon must be a whole number"),
        ({"horizon": True}, "horizon must be a whole number"),
        ({"season": 0}, "season must be a whole number"),
        ({"period": "fortnight"}, "period must be one of"),
        ({"methods": ["arima"]}, "methods must be of 'seasonal-naive', .* got 'arima'"),
        ({"levels": (80,)}, "levels must list shares between 0 and 1"),
        ({"levels": ()}, "levels must list shares between 0 and 1"),
        ({"reconcile": "top-down"}, "reconcile must be one of 'combined', 'bottom-up'"),
        ({"by": "method"}, "by cannot be 'method'"),
        ({"by": "low_80"}, "by cannot be 'low_80'"),
        ({"by": ["shop", "shop"]}, "by names a column twice"),
        ({"by": "city"}, "no column 'city'"),
    ],
)
def test_what_cannot_be_asked_is_refused(sales, options, match):
    with pytest.raises(DataError, match=match):
        forecast(sales, **{"horizon": 2, **options})


def test_a_model_without_its_methods_is_refused(sales):
    with pytest.raises(TypeError, match=r"a lifetime model needs fit\(\), predict\(\)"):
        forecast(sales, horizon=1, customer_model=3)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "float32"])
def test_nullable_and_small_types_are_read(dtype):
    values = pd.Series(np.random.default_rng(0).integers(5, 15, 40)).astype(dtype)
    plain = forecast_series(values.astype(float), horizon=2)
    assert forecast_series(values, horizon=2).table["forecast"].tolist() == plain.table["forecast"].tolist()


def test_the_result_is_a_forecast(found):
    assert isinstance(found, Forecast)
    assert found.period == "month"


@QUIET
def test_all_methods_can_be_had_alone(sales):
    for name in METHODS:
        result = forecast(sales, horizon=1, methods=name, customer_model=None)
        assert set(result.evaluation["method"]) == {"seasonal-naive", name}
